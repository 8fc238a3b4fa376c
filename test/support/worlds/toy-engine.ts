// The smallest engine that can test a durable loop: it shifts to each weight of the plan and waits; an abort shifts to
// 0; then it is finished.
import type { Engine } from "../../../engines/engine.ts";
import { defaultThresholds } from "../../../engines/rollout/plan.ts";
import type {
  ReleaseIntent,
  RolloutEffect,
  RolloutEvent,
  RolloutObservation,
  Target,
} from "../../../engines/rollout/vocabulary.ts";
import { after } from "../../../engines/time.ts";

export interface ToyState {
  readonly target: Target;
  readonly weights: readonly number[];
  readonly waitSeconds: number;
  readonly step: number;
  readonly shiftedAt: number | undefined;
  readonly aborted: boolean;
  readonly paused: boolean;
  readonly finished: boolean;
}

const initial: ToyState = {
  target: { resourceGroup: "", app: "" },
  weights: [],
  waitSeconds: 0,
  step: 0,
  shiftedAt: undefined,
  aborted: false,
  paused: false,
  finished: true,
};

const weightsTo = (percent: number) => [
  { revision: "canary", percent },
  { revision: "stable", percent: 100 - percent },
];

function evolve(state: ToyState, event: RolloutEvent): ToyState {
  switch (event.kind) {
    case "Planned":
      return {
        ...initial,
        target: event.intent.target,
        weights: event.steps,
        waitSeconds: event.intent.strategy.bakeSeconds,
        finished: false,
      };
    case "TrafficShifted":
      return { ...state, shiftedAt: event.at };
    case "Waited":
      return { ...state, step: state.step + 1, shiftedAt: undefined };
    case "Signalled":
      if (event.signal === "abort") return { ...state, aborted: true, shiftedAt: undefined };
      if (event.signal === "retry") return { ...state, finished: false, aborted: false, step: 0, shiftedAt: undefined };
      return { ...state, paused: event.signal === "pause" };
    case "Finished":
      return { ...state, finished: true };
    default:
      return state;
  }
}

function react({
  target,
  weights,
  waitSeconds,
  step,
  shiftedAt,
  aborted,
  paused,
  finished,
}: ToyState): RolloutEffect | undefined {
  if (finished) return undefined;
  if (aborted) return { kind: "ShiftTraffic", target, weights: weightsTo(0), labels: {}, overrideLock: true };
  if (paused) return { kind: "AwaitSignal" };
  return shiftedAt === undefined
    ? { kind: "ShiftTraffic", target, weights: weightsTo(weights[step] ?? 0), labels: {}, overrideLock: false }
    : { kind: "Wait", until: after(shiftedAt, waitSeconds) };
}

function decide(state: ToyState, observation: RolloutObservation): readonly RolloutEvent[] {
  const { at } = observation;
  if (observation.kind === "Request")
    return [{ kind: "Planned", at, intent: observation.intent, steps: observation.intent.strategy.weights }];
  if (observation.kind === "Signal")
    return [{ kind: "Signalled", at, signal: observation.signal, by: observation.by, message: observation.message }];
  if (!observation.found.ok)
    return [{ kind: "AttemptFailed", at, effect: observation.of, message: observation.found.reason }];
  const finished = (result: "promoted" | "rolled-back"): RolloutEvent => ({
    kind: "Finished",
    at,
    result,
    reason: result === "promoted" ? "every-step-passed" : "aborted-by-signal",
    message: result,
  });
  if (observation.of === "Wait")
    return state.step + 1 < state.weights.length
      ? [{ kind: "Waited", at }]
      : [{ kind: "Waited", at }, finished("promoted")];
  if (observation.of !== "ShiftTraffic") return [{ kind: "Disregarded", at, what: observation.of }];
  const { weights } = observation.found.value;
  const shifted: RolloutEvent = { kind: "TrafficShifted", at, weights };
  return state.aborted && weights[0]?.percent === 0 ? [shifted, finished("rolled-back")] : [shifted];
}

export const toyEngine: Engine<RolloutObservation, RolloutEvent, ToyState, RolloutEffect> = {
  initial,
  decide,
  evolve,
  react,
};

/** Requests a stream that shifts to these weights and waits after each. */
export function toyRequest(
  target: Target,
  revision: string,
  weights: readonly number[],
  waitSeconds: number,
): Extract<RolloutObservation, { kind: "Request" }> {
  const intent: ReleaseIntent = {
    target,
    revision,
    release: "r",
    probePath: "/",
    requestedBy: "test",
    strategy: {
      weights,
      bakeSeconds: waitSeconds,
      warmUpSeconds: 0,
      intervalSeconds: 1,
      probeSeconds: 1,
      smokeSeconds: 1,
      maximumSeconds: 60,
    },
    thresholds: { ...defaultThresholds, ceilingRequests: 1 },
  };
  return { kind: "Request", at: Date.now(), intent };
}
