// Past alerts + what is declared → what would have been done about them. The shipped engine decides; only the time is
// that of the alerts. Nothing is known of what an action would have changed, so whoever asks says whether it would have
// worked: `ballast alert replay` takes what the alert did, and the benchmark knows the cause.
import type { TargetKey } from "../targets.ts";
import { after, type Instant } from "../time.ts";
import { whyUnfit } from "./alerts/alert.ts";
import type { Remediations } from "./declaration.ts";
import { initialState } from "./initial-state.ts";
import { entriesOf } from "./ledger.ts";
import { remediation } from "./remediation.ts";
import type {
  Incident,
  RemediationEffect,
  RemediationEvent,
  RemediationObservation,
  RemediationState,
  RunbookName,
  Sighting,
} from "./vocabulary.ts";

/** What would have become of an action. */
export type Foresight = (action: {
  readonly alert: Sighting;
  readonly target: TargetKey;
  readonly runbook: RunbookName;
  readonly at: Instant;
}) => "worked" | "did-not";

/** What would have been done about one alert. */
export interface Rehearsed {
  readonly alert: Sighting;
  readonly facts: readonly RemediationEvent[];
}

interface Stream {
  readonly alert: Sighting;
  readonly facts: RemediationEvent[];
  state: RemediationState;
  due: Instant;
}

/** How often alerts are looked for. */
const pollSeconds = 60;
/** A stream whose time does not pass would never end. */
const passesMax = 5_000;

/**
 * Decides past alerts by what is declared, in the order of their times. A target has one incident at a time; an alert
 * that resolved before its turn leads to nothing.
 */
export function rehearse(
  alerts: readonly Sighting[],
  declared: Remediations,
  foresee: Foresight,
): readonly Rehearsed[] {
  const waiting = alerts
    .filter(({ target, covered, kind }) => target !== null && covered && whyUnfit(kind) === undefined)
    .toSorted((one, other) => one.firedAt - other.firedAt)
    .map((alert) => ({ alert, due: after(alert.firedAt, pollSeconds) }));
  const streams: Stream[] = [];
  for (let pass = 0; pass < passesMax * (1 + waiting.length + streams.length); pass++) {
    const next = earliest([...waiting, ...streams.filter(({ state }) => state.phase !== "finished")]);
    if (next === undefined) break;
    if ("state" in next) advance(next, alerts, streams, declared, foresee);
    else {
      waiting.splice(waiting.indexOf(next), 1);
      const begun = begin(next, streams);
      if (begun === "later") waiting.push({ ...next, due: after(next.due, pollSeconds) });
      else if (begun !== "missed") streams.push(begun);
    }
  }
  return streams.map(({ alert, facts }) => ({ alert, facts }));
}

const earliest = <Each extends { readonly due: Instant }>(all: readonly Each[]): Each | undefined =>
  all.reduce<Each | undefined>(
    (first, each) => (first === undefined || each.due < first.due ? each : first),
    undefined,
  );

/** Begins an alert's stream, unless its target has an incident, or it resolved before it was seen. */
function begin(
  { alert, due }: { readonly alert: Sighting; readonly due: Instant },
  streams: readonly Stream[],
): Stream | "later" | "missed" {
  if (alert.resolvedAt !== null && alert.resolvedAt <= due) return "missed";
  if (streams.some(({ alert: other, state }) => other.target === alert.target && state.phase !== "finished"))
    return "later";
  const stream: Stream = { alert, facts: [], state: initialState, due };
  observe(stream, { kind: "Request", at: due, intent: incidentOf(alert) });
  return stream;
}

const incidentOf = ({ id, kind, rule, severity, target, firedAt }: Sighting): Incident => ({
  target: target ?? "",
  origin: "alert",
  alert: { id, kind, rule, severity, condition: "fired", firedAt, resources: [], dimensions: {} },
  message: `the alert rule ${rule} fired`,
  requestedBy: "a rehearsal",
});

function observe(stream: Stream, observation: RemediationObservation): void {
  for (const event of remediation.decide(stream.state, observation)) {
    stream.facts.push(event);
    stream.state = remediation.evolve(stream.state, event);
  }
}

/** Carries the next effect out: a wait moves the stream's time, and anything else is answered at once. */
function advance(
  stream: Stream,
  alerts: readonly Sighting[],
  streams: readonly Stream[],
  declared: Remediations,
  foresee: Foresight,
): void {
  const effect = remediation.react(stream.state);
  if (effect === undefined) return;
  if (effect.kind === "Wait") stream.due = Math.max(effect.until, after(stream.due, 1));
  observe(stream, {
    kind: "Outcome",
    of: effect.kind,
    at: stream.due,
    found: { ok: true, value: answerOf(effect, stream, alerts, streams, declared, foresee) },
  } as RemediationObservation);
}

function answerOf(
  effect: RemediationEffect,
  { alert, due, state }: Stream,
  alerts: readonly Sighting[],
  streams: readonly Stream[],
  declared: Remediations,
  foresee: Foresight,
): unknown {
  switch (effect.kind) {
    case "LoadPolicy":
      return {
        policy: declared.policies.find(({ rule }) => rule.toLowerCase() === effect.rule) ?? null,
        graph: declared.targets,
      };
    case "Assess":
      return {
        alerts: alerts
          .filter(({ firedAt }) => firedAt >= effect.since && firedAt <= due)
          .map((each) => (each.resolvedAt !== null && each.resolvedAt > due ? { ...each, resolvedAt: null } : each)),
        alertsLeftOut: 0,
        actions: streams.filter((other) => other.alert !== alert).flatMap((other) => entriesOf(other.state)),
        work: [],
        budgetLeftPercent: 0,
        stopped: null,
        readiness: { fits: true, message: "taken to fit", plan: `${effect.rung.runbook} on ${effect.incident.target}` },
      };
    case "Wait":
      return null;
    case "Act":
      return { message: `${effect.rung.runbook} on ${effect.target}` };
    case "Follow":
      return { good: true, message: "it ended" };
    case "Measure": {
      const { verification } = state.policy!;
      const { runbook, actedAt: at } = state.action!;
      const bad = foresee({ alert, target: effect.target, runbook, at }) === "worked" ? 0 : verification.samplesMin;
      return { samples: verification.samplesMin, bad, to: due };
    }
    case "Halt":
      return { good: false, message: "it was halted" };
    case "Undo":
      return { message: "undone" };
  }
}
