// Plays a week minute by minute: alerts fire and resolve, something is done about them, and what was done changes the
// minutes after. Ours are decided by the shipped engine (rehearse.ts); a Function restarts whatever fires, each time.
import { read } from "../../engines/form.ts";
import { type Remediations, remediationsForm } from "../../engines/remediation/declaration.ts";
import { rehearse } from "../../engines/remediation/rehearse.ts";
import type { RunbookName, Sighting } from "../../engines/remediation/vocabulary.ts";
import type { Counts, Detector } from "./contestants.ts";
import { type Labelled, minutesOfWeek, services, type Week } from "./week.ts";

/** Something that was done. */
export interface Done {
  readonly service: string;
  readonly minute: number;
  readonly runbook: RunbookName;
}

/** One alert of the week, in minutes. */
export interface Fired {
  readonly service: string;
  readonly from: number;
  readonly to: number | null;
}

/** What came of a week. */
export interface Played {
  readonly alerts: readonly Fired[];
  readonly done: readonly Done[];
  /** When a person was called or notified. */
  readonly pages: readonly { readonly service: string; readonly minute: number }[];
  readonly failed: number;
}

/** Who acts on alerts. */
export type Actor = "nobody" | "a Function that restarts" | "Ballast";

const start = Date.UTC(2026, 0, 5);
const at = (minute: number): number => start + minute * 60_000;
const minuteOf = (instant: number): number => Math.floor((instant - start) / 60_000);

/** Plays until what is done no longer changes: an action changes the alerts after it, and those the next actions. */
export function play(week: Week, detector: Detector, actor: Actor): Played {
  let done: readonly Done[] = [];
  for (;;) {
    const counts = new Map(services.map((service) => [service as string, countsOf(week, service, done)]));
    const alerts = services.flatMap((service) => alertsOf(service, counts.get(service)!, detector));
    const next = decide(week, alerts, actor);
    const first = firstDifference(done, next.done);
    if (first === undefined) {
      const failed = [...counts.values()].reduce((sum, each) => sum + each.failed.reduce((a, b) => a + b, 0), 0);
      return { alerts, ...next, failed: Math.round(failed) };
    }
    done = next.done.filter(({ minute }) => minute <= first);
  }
}

/** Gives the first minute in which two lists of actions differ; what came before is settled. */
function firstDifference(one: readonly Done[], other: readonly Done[]): number | undefined {
  const key = ({ service, minute, runbook }: Done): string => `${minute} ${service} ${runbook}`;
  const [before, after] = [new Set(one.map(key)), new Set(other.map(key))];
  const differing = [
    ...one.filter((each) => !after.has(key(each))),
    ...other.filter((each) => !before.has(key(each))),
  ].map(({ minute }) => minute);
  return differing.length === 0 ? undefined : Math.min(...differing);
}

/** Gives the counts of a service by minute, after what was done. The expected values are taken; nothing is drawn. */
function countsOf({ incidents, traffic }: Week, service: string, done: readonly Done[]): Counts {
  const own = incidents.filter((incident) => incident.services.includes(service));
  const acts = done.filter((each) => each.service === service);
  const requests: number[] = [];
  const failed: number[] = [];
  for (let minute = 0; minute < minutesOfWeek; minute++) {
    const { requests: all, basePercent } = traffic(service, minute);
    const bad = Math.max(basePercent, ...own.map((incident) => badPercentAt(incident, acts, minute)));
    // A restart loses what is in flight.
    const isRestarting = acts.some((each) => each.runbook === "restart-revision" && each.minute === minute);
    requests.push(all);
    failed.push((all * Math.min(100, bad + (isRestarting ? 5 : 0))) / 100);
  }
  return { requests, failed };
}

function badPercentAt({ kind, from, to }: Labelled, acts: readonly Done[], minute: number): number {
  if (minute < from || minute >= to) return 0;
  const cure = acts.findLast((each) => each.minute >= from && each.minute < minute && each.runbook === kind.cure);
  if (cure === undefined) return kind.failedPercent;
  const { returnsAfterMinutes = Number.POSITIVE_INFINITY } = kind;
  return minute >= cure.minute + returnsAfterMinutes ? kind.failedPercent : 0;
}

/** A rule is evaluated every five minutes; a stateful alert fires once until it resolves. */
function alertsOf(service: string, counts: Counts, { violates, resolveMinutes }: Detector): readonly Fired[] {
  const alerts: Fired[] = [];
  let open: { from: number; lastBad: number } | undefined;
  for (let minute = 5; minute < minutesOfWeek; minute += 5) {
    if (violates(counts, minute)) open = { from: open?.from ?? minute, lastBad: minute };
    else if (open !== undefined && minute - open.lastBad >= resolveMinutes) {
      alerts.push({ service, from: open.from, to: minute });
      open = undefined;
    }
  }
  return open === undefined ? alerts : [...alerts, { service, from: open.from, to: null }];
}

function decide(week: Week, alerts: readonly Fired[], actor: Actor): Pick<Played, "done" | "pages"> {
  const pages = alerts.map(({ service, from }) => ({ service, minute: from }));
  if (actor === "nobody") return { done: [], pages };
  if (actor === "Ballast") return decideOurs(week, alerts);
  const done = alerts.map(({ service, from }) => ({ service, minute: from + 1, runbook: "restart-revision" as const }));
  return { done, pages };
}

const keyOf = (service: string): string => `app/shop/${service}`;

function decideOurs({ incidents }: Week, alerts: readonly Fired[]): Pick<Played, "done" | "pages"> {
  const sightings = alerts.map(
    ({ service, from, to }, index): Sighting => ({
      id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
      kind: "log",
      rule: "objective",
      severity: 1,
      target: keyOf(service),
      covered: true,
      firedAt: at(from),
      resolvedAt: to === null ? null : at(to),
    }),
  );
  const rehearsed = rehearse(sightings, declared, ({ target, runbook, at: acted }) => {
    const service = target.split("/").at(-1)!;
    const cause = incidents.find((each) => {
      const minute = minuteOf(acted);
      return each.services.includes(service) && each.from <= minute && minute < each.to;
    });
    return cause === undefined || cause.kind.cure === runbook ? "worked" : "did-not";
  });
  const done = rehearsed.flatMap(({ alert, facts }) =>
    facts.flatMap((fact): readonly Done[] =>
      fact.kind === "Cleared" && fact.runbook !== "collect-diagnostics"
        ? [{ service: alert.target!.split("/").at(-1)!, minute: minuteOf(fact.at) + 1, runbook: fact.runbook }]
        : [],
    ),
  );
  const pages = rehearsed.flatMap(({ alert, facts }) =>
    facts.flatMap((fact) =>
      fact.kind === "PersonCalled" ? [{ service: alert.target!.split("/").at(-1)!, minute: minuteOf(fact.at) }] : [],
    ),
  );
  return { done, pages };
}

/** What a program would declare: the ladder of the guide, and the defaults of every limit. */
const declared: Remediations = (() => {
  const parsed = read(remediationsForm, {
    targets: [
      ...services.map((service) => ({ target: keyOf(service), dependsOn: ["server/shop/db"] })),
      { target: "server/shop/db", dependsOn: [] },
    ],
    policies: [
      {
        rule: "objective",
        owner: "shop team",
        targets: services.map(keyOf),
        ladder: [
          { runbook: "return-to-previous" },
          { runbook: "restart-revision" },
          { runbook: "collect-diagnostics" },
        ],
        verification: {},
      },
    ],
  });
  if ("value" in parsed) return parsed.value;
  throw new Error(parsed.complaints.join(" "));
})();
