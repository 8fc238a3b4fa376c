// The journal of a rollout that a person paused for hours: long, as the loop writes it. It is decided by the shipped
// engine, with a healthy canary and one bucket for each interval.
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import { rollout } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent, RolloutObservation, Weight } from "../../engines/rollout/vocabulary.ts";

const began = 1_790_000_000_000;
const stable = "app--0";
const canary = "app--1";
const tally = (requests: number) => ({
  requests,
  failed: Math.round(requests / 290), // both arms fail alike
  durations: { from: 42, counts: [3, 9, 27, 60, 88, 60, 27, 9, 3, 1] },
});

/** Decides the journal up to the hours. */
export function pausedJournal(hours: number): readonly RolloutEvent[] {
  const events: RolloutEvent[] = [];
  let state = rollout.initial;
  let now = began;
  let weights: readonly Weight[] = [{ revision: stable, percent: 100 }];
  const hear = (observation: RolloutObservation): void => {
    const decided = rollout.decide(state, observation);
    events.push(...decided);
    state = decided.reduce(rollout.evolve, state);
  };
  hear({
    kind: "Request",
    at: now,
    intent: {
      target: { resourceGroup: "bench", app: "app" },
      revision: canary,
      release: "1",
      strategy: defaultStrategy,
      thresholds: defaultThresholds,
      probePath: "/",
      requestedBy: "bench",
    },
  });
  while (now < began + hours * 3_600_000) {
    if (state.phase === "baking" && !state.paused)
      hear({ kind: "Signal", at: now, signal: "pause", by: "bench", message: "long" });
    const effect = rollout.react(state);
    if (effect === undefined) break;
    now = effect.kind === "Wait" ? effect.until : now + 500;
    if (effect.kind === "ShiftTraffic") weights = effect.weights;
    hear({
      kind: "Outcome",
      of: effect.kind,
      at: now,
      found: { ok: true, value: valueOf(effect, weights, now) },
    } as RolloutObservation);
  }
  return events;
}

function valueOf(effect: ReturnType<typeof rollout.react>, weights: readonly Weight[], now: number): unknown {
  switch (effect?.kind) {
    case "Inspect":
      return {
        weights,
        revisions: [stable, canary].map((name) => ({
          name,
          active: true,
          running: "Running",
          health: "Healthy",
          templateHash: name,
          minReplicas: 1,
        })),
      };
    case "Probe":
      return { good: true, detail: "answered 200", running: "Running" };
    case "ShiftTraffic":
    case "VerifyTraffic":
      return { weights };
    case "Measure": {
      const step = effect.intervalSeconds * 1000;
      const count = Math.max(0, Math.floor((now - effect.from) / step));
      const at = (index: number) => effect.from + index * step;
      return {
        buckets: Array.from({ length: count }, (_, index) => ({
          at: at(index),
          canary: tally(290),
          stable: tally(5_500),
        })),
        to: at(count),
      };
    }
    default:
      return null;
  }
}
