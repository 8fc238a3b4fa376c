// Our judge as a contestant: the product's own code, with minutes as buckets. It uses the ramp of the contest, so
// that verdicts are compared and not speed.
import type { Evidence } from "../../engines/rollout/judge/evidence.ts";
import { beginStep, gather, noEvidence } from "../../engines/rollout/judge/gather.ts";
import { judge } from "../../engines/rollout/judge/judge.ts";
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import type { Bucket, Tally, Thresholds } from "../../engines/rollout/vocabulary.ts";
import type { Arm, Contestant, Minute, Move } from "./contestant.ts";

export interface State {
  readonly evidence: Evidence;
  readonly weight: number;
  /** All minutes before this one are judged; a minute that is delivered again is skipped. */
  readonly judgedTo: number;
  /** The first minute of the current step that counts. */
  readonly warmUntil: number;
  /** How many of the latest probes in a row had no answer. */
  readonly probesFailed: number;
  /** Minutes that arrived while an earlier one is still missing. */
  readonly early: readonly Minute[];
  /** Stable's last minutes. */
  readonly stables: readonly Arm[];
}

/** From so many failed probes in a row on the canary is silent, as in the product. */
const silentFrom = 2;
/** How many minutes a missing minute is waited for, as the product waits for late rows. */
const patienceMinutes = 6;

/** What is left out of our judge, or changed in it. */
export interface Omission {
  /** Changes the evidence after each minute, and when a step begins. */
  readonly afterMinute?: (evidence: Evidence) => Evidence;
  readonly beginsStep?: (evidence: Evidence, before?: Evidence) => Evidence;
  /** Gathers evidence in another way. */
  readonly gather?: typeof gather;
  /** Compares with ten minutes of stable instead of one. */
  readonly staleStable?: true;
}

/** The configuration of our judge. */
export interface Setting {
  readonly name: string;
  readonly thresholds: Thresholds;
  /** Percentages before 100. */
  readonly weights: readonly number[];
  /**
   * Minutes skipped after the first request; minutes skipped after each later
   * change of weight; minimum minutes of a step.
   */
  readonly warmUp: number;
  readonly settle: number;
  readonly bake: number;
  /** Whether the step at 100 percent is played too, as the product does. */
  readonly playsLast?: true;
  /** What is left out or changed to measure its effect; absent in the product's own configuration. */
  readonly without?: Omission;
}

const millisecondsPerMinute = 60_000;

export const contestRamp = {
  thresholds: defaultThresholds,
  weights: [5, 10, 15, 20, 25, 30, 35, 40, 45, 50],
  warmUp: 3,
  settle: 0,
  bake: 1,
};

/** The ramp of the contest: ten steps of a minute. The canary warms up once, in the first three minutes. */
export const ballast: Contestant<State> = {
  ...contestant({ ...contestRamp, name: "ballast" }),
  about: "our judge with the default thresholds, and the weights of the contest: ten steps of a minute",
};

export const defaultPlan = {
  name: "ballast, default plan",
  thresholds: defaultThresholds,
  weights: defaultStrategy.weights,
  warmUp: 4,
  settle: 3,
  bake: 5,
  playsLast: true,
} as const;

/** The default plan of a release, with its own weights. */
export const byPlan: Contestant<State> = {
  ...contestant(defaultPlan),
  about: "our judge with the default thresholds, and the default strategy of a release",
  onlyOwnWeights: true,
};

/** Gives our judge as a contestant, with a configuration. */
export function contestant(setting: Setting): Contestant<State> {
  const { name, thresholds, weights, warmUp, without = {} } = setting;
  const adjusted = without.afterMinute ?? ((evidence: Evidence): Evidence => evidence);
  const collect = without.gather ?? gather;
  const watch = (state: Pick<State, "weight" | "warmUntil">) => ({
    thresholds,
    percent: state.weight,
    intervalSeconds: 60,
    warmFrom: millisecondsPerMinute,
    warmUntil: state.warmUntil * millisecondsPerMinute,
  });
  return {
    name,
    start: (history) => {
      const first = { weight: weights[0]!, warmUntil: warmUp };
      const before = beginStep(noEvidence, 0, weights.length);
      const evidence = adjusted(collect(before, history.map(bucketAt), watch(first)));
      return {
        ...first,
        evidence: without.beginsStep?.(evidence) ?? evidence,
        stables: history.slice(-9).map(({ stable }) => stable),
        judgedTo: 0,
        probesFailed: 0,
        early: [],
      };
    },
    look: (before, now, arrived) => {
      let state: State = {
        ...before,
        early: [...before.early, ...arrived].toSorted((one, other) => one.at - other.at),
      };
      for (const minute of state.early) {
        if (minute.at < state.judgedTo) continue;
        if (minute.at > state.judgedTo && now - state.judgedTo < patienceMinutes) break;
        state = stepOf(state, minute, setting);
        const stables = [...state.stables, minute.stable].slice(-10);
        const bucket = without.staleStable ? { ...bucketAt(minute), stable: together(stables) } : bucketAt(minute);
        state = {
          ...state,
          stables,
          judgedTo: minute.at + 1,
          probesFailed: inARow(state.probesFailed, minute),
          evidence: adjusted(collect(state.evidence, [bucket], watch(state))),
        };
      }
      state = { ...state, early: state.early.filter(({ at }) => at >= state.judgedTo) };
      return conclude(state, setting);
    },
  };
}

/** Judges the minutes so far, and gives the next weight. */
function conclude(state: State, { thresholds, weights, bake, playsLast }: Setting): Move<State> {
  const steps = [...weights, 100];
  const standing = { percent: state.weight, steps, isSilent: state.probesFailed >= silentFrom };
  const verdict = judge(state.evidence, thresholds, standing);
  if (verdict.verdict === "fail") return { state, weight: 0, ending: "rolled-back" };
  if (verdict.verdict === "inconclusive") return { state, weight: state.weight, waiting: verdict.reason };
  if (state.judgedTo < state.warmUntil + bake) return { state, weight: state.weight };
  const next = steps.find((percent) => percent > state.weight);
  return next === undefined || (next === 100 && !playsLast)
    ? { state, weight: 100, ending: "promoted" }
    : { state, weight: next };
}

/** Counts probes without an answer in a row; of a minute in which one was answered, the last one may have failed. */
const inARow = (before: number, { probes, probesFailed }: Minute): number =>
  probes > 0 && probesFailed === probes ? before + probes : Math.min(1, probesFailed);

/** Begins a step if the weight of the canary changed in a minute. */
function stepOf(state: State, { weight, at }: Minute, { weights, settle, without }: Setting): State {
  if (weight === state.weight || weight === 0) return state;
  const step = weights.filter((percent) => percent < weight).length;
  const evidence = beginStep(state.evidence, step, weights.length);
  return {
    ...state,
    weight,
    warmUntil: Math.max(state.warmUntil, at + settle),
    evidence: without?.beginsStep?.(evidence, state.evidence) ?? evidence,
  };
}

/** Sums stable's last minutes, for a judge that compares with more of stable than one minute. */
const together = (arms: readonly Arm[]): Tally => {
  const sum = (of: (arm: Arm) => number): number => arms.reduce((total, arm) => total + of(arm), 0);
  return tallyOf({
    requests: sum(({ requests }) => requests),
    failed: sum(({ failed }) => failed),
    refused: sum(({ refused }) => refused),
    durations: arms[0]!.durations.map((_, band) => sum(({ durations }) => durations[band]!)),
  });
};

/** The buckets of minutes that another run of the same world has already asked for. */
const known = new WeakMap<Minute, Bucket>();

/** Gives the bucket of a minute. All our contestants see the same hour before, so each bucket is made once. */
function bucketAt(minute: Minute): Bucket {
  const { at, canary, stable } = minute;
  const bucket = known.get(minute) ?? {
    at: at * millisecondsPerMinute,
    canary: tallyOf(canary),
    stable: tallyOf(stable),
  };
  known.set(minute, bucket);
  return bucket;
}

function tallyOf({ requests, failed, refused, durations }: Arm): Tally {
  const from = durations.findIndex((count) => count > 0);
  if (from === -1) return { requests, failed, refused };
  const to = durations.findLastIndex((count) => count > 0);
  return { requests, failed, refused, durations: { from, counts: durations.slice(from, to + 1) } };
}
