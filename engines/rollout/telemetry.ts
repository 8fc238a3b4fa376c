// What telemetry records about rollouts: their own metrics, and what a fact or an effect adds to them.
import type { Measured, Metric, Observed } from "../kind.ts";
import { after, type Instant, secondsBetween } from "../time.ts";
import { targetOf } from "./names.ts";
import type { RolloutEffect, RolloutEvent, RolloutState } from "./vocabulary.ts";

const metrics = {
  intervalLag: {
    name: "ballast.interval.lag",
    kind: "histogram",
    unit: "s",
    says: "delay between the time when a measurement was due and its answer, by `app`; paused rollouts have none",
  },
  verdicts: {
    name: "ballast.verdicts",
    kind: "counter",
    unit: "{verdict}",
    says: "verdicts, by `verdict` (`pass`, `fail`, `inconclusive`), `reason` (of inconclusive ones) and `app`",
  },
  ended: {
    name: "ballast.rollouts.ended",
    kind: "counter",
    unit: "{rollout}",
    says: "rollouts that ended, by `result` and `app`",
  },
} satisfies Readonly<Record<string, Metric>>;

const one = (metric: keyof typeof metrics, attributes: Readonly<Record<string, string>>): readonly Measured[] => [
  { metric, value: 1, attributes },
];

function countsOf(event: RolloutEvent): readonly Measured[] {
  if (event.kind === "Finished") return one("ended", { result: event.result });
  if (event.kind === "StepPassed") return one("verdicts", { verdict: "pass" });
  if (event.kind === "Waiting") return one("verdicts", { verdict: "inconclusive", reason: event.reason });
  if (event.kind === "Aborted" && event.by === "the judge") return one("verdicts", { verdict: "fail" });
  return [];
}

/**
 * Gives when a measurement was due: an interval after the last one and after what it covered. A pause makes none late.
 */
function dueAt({ measuredAt, measuredTo, intent }: RolloutState, events: readonly RolloutEvent[]): Instant {
  const signalledAt = events.findLast(({ kind }) => kind === "Signalled")?.at ?? 0;
  return after(Math.max(measuredAt, measuredTo, signalledAt), intent!.strategy.intervalSeconds);
}

export const telemetry: Observed<RolloutEvent, RolloutState, RolloutEffect> = {
  attributesOf: (stream) => ({ app: targetOf(stream)?.app ?? "" }),
  phaseOf: ({ phase }) => phase,
  attemptOf: ({ attempt }) => attempt,
  traceOf: ({ intent }) => intent?.trace,
  metrics,
  countsOf,
  passOf: (state, events, effect, ended) =>
    effect.kind === "Measure" && !state.paused
      ? [{ metric: "intervalLag", value: Math.max(0, secondsBetween(dueAt(state, events), ended)) }]
      : [],
};
