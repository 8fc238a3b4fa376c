// The remediations of one incident, from their journals: what each guard found, what was done, and how long it took.
import type { RemediationTypes } from "../../client/remediations.ts";
import type { StreamFact } from "../../client/streams.ts";
import type { RemediationSummary } from "../../engines/remediation/summary.ts";
import type { RemediationEvent } from "../../engines/remediation/vocabulary.ts";
import { eventually } from "../rotation/eventually.ts";
import type { Timeline } from "../timeline.ts";
import { type IncidentSpec, targetOf } from "./incidents.ts";
import type { Plane } from "./plane.ts";

type Fact = StreamFact<RemediationEvent>;

/** A remediation that has ended. */
export interface Ended {
  readonly target: string;
  readonly result: string;
  readonly reason: string;
  readonly message: string;
  readonly actions: readonly string[];
  /** What each guard found when the incident was first looked at. */
  readonly guards: Readonly<Record<string, string>>;
  readonly evidence: readonly string[];
  readonly firedAt: number;
  readonly actedAt: number | undefined;
  readonly finishedAt: number;
}

/** Waits until the incident's remediations have ended, prints each as it ends, and gives them in their order. */
export async function followAll(
  plane: Plane,
  timeline: Timeline,
  { services, expected }: IncidentSpec,
  seconds: number,
): Promise<readonly Ended[]> {
  const targets = services.map(targetOf);
  const known = new Map<string, Ended>();
  await eventually(
    async () => {
      const { streams } = await plane.remediations.list();
      for (const summary of streams.filter(({ target }) => targets.includes(target)))
        if (summary.result !== null && !known.has(summary.id)) {
          const ended = endedOf(summary, await plane.remediations.journal(nameOf(summary)));
          known.set(summary.id, ended);
          print(timeline, ended);
        }
      return known.size >= expected.length || undefined;
    },
    `${expected.length} remediations of ${targets.join(", ")} to end`,
    seconds,
  );
  return [...known.values()].toSorted((one, other) => one.finishedAt - other.finishedAt);
}

const nameOf = ({ id }: RemediationSummary): Record<RemediationTypes["part"], string> => {
  const [, type = "", resourceGroup = "", name = "", incident = ""] = id.split("/");
  return { type, resourceGroup, name, incident };
};

function endedOf({ target }: RemediationSummary, facts: readonly Fact[]): Ended {
  const events = facts.map(({ event }) => event);
  const find = <Kind extends RemediationEvent["kind"]>(kind: Kind) =>
    events.find((event): event is Extract<RemediationEvent, { kind: Kind }> => event.kind === kind);
  const finished = find("Finished")!;
  const guarded = events.findLast((event) => event.kind === "Guarded");
  const checked = guarded?.kind === "Guarded" ? guarded.checked : [];
  return {
    target,
    result: finished.result,
    reason: finished.reason,
    message: finished.message,
    actions: events.flatMap((event) => (event.kind === "Cleared" ? [event.runbook] : [])),
    guards: Object.fromEntries(
      checked.map(({ guard, passes, message }) => [guard, `${passes ? "passes" : "does not"}: ${message}`]),
    ),
    evidence: find("PersonCalled")?.evidence ?? [],
    firedAt: find("Reported")!.incident.alert.firedAt,
    actedAt: find("Acted")?.at,
    finishedAt: finished.at,
  };
}

function print(timeline: Timeline, ended: Ended): void {
  const { target, result, reason, message, guards, actions, evidence } = ended;
  const stopped = Object.entries(guards).filter(([, found]) => found.startsWith("does not"));
  timeline.line(`${target}: ${result} (${reason}): ${message}`, result === "repaired" ? "green" : "yellow");
  timeline.line(
    `  ${Object.keys(guards).length} guards were asked` +
      (stopped.length === 0 ? ", all passed" : `; ${stopped.map(([guard, found]) => `${guard} ${found}`).join("; ")}`),
    "dim",
  );
  if (actions.length > 0) timeline.line(`  done: ${actions.join(", ")}`, "dim");
  for (const line of evidence.slice(0, 4)) timeline.line(`  evidence: ${line}`, "dim");
}
