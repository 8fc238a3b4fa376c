// Our judge as a contestant: the product's own code, minutes for bins. Its ramp is that of the contest, so only what it says
// is compared, not how fast it goes.

import { durationsOf } from "../../engines/rollout/judge/durations.ts";
import type { Evidence } from "../../engines/rollout/judge/evidence.ts";
import { beginStep, gather, noEvidence } from "../../engines/rollout/judge/gather.ts";
import { judge } from "../../engines/rollout/judge/judge.ts";
import { defaultLimits, defaultPace } from "../../engines/rollout/plan.ts";
import type { Bin, Limits, Tally } from "../../engines/rollout/vocabulary.ts";
import type { Arm, Contestant, Minute } from "./contestant.ts";

interface State {
  readonly evidence: Evidence;
  readonly weight: number;
  /** The last minute that was judged; what is delivered again is passed over. */
  readonly judgedTo: number;
  /** The first minute of the present step that counts. */
  readonly warmUntil: number;
  readonly probesFailed: number;
  /** Minutes that came before one that is still missing. */
  readonly early: readonly Minute[];
  /** What stable did in the last minutes. */
  readonly stables: readonly Arm[];
}

/** So many minutes a missing one is waited for, as the product waits for late rows. */
const patienceMinutes = 6;

/** How a contestant of ours is set up. */
export interface Setting {
  readonly name: string;
  readonly limits: Limits;
  /** Percentages before 100. */
  readonly weights: readonly number[];
  /** Minutes left out after the first request, and after each later change of weight; least minutes of a step after that. */
  readonly warmUp: number;
  readonly settle: number;
  readonly bake: number;
  /** What is left out, or put in, to see what it is worth; absent in the product's own setting. */
  readonly without?: "tempering" | "fresh stable";
}

const millisecondsPerMinute = 60_000;

const contestRamp = {
  limits: defaultLimits,
  weights: [5, 10, 15, 20, 25, 30, 35, 40, 45, 50],
  warmUp: 3,
  settle: 0,
  bake: 1,
};

/** The ramp of the contest: ten steps of a minute. The canary warms up once, in the first three minutes. */
export const ballast: Contestant<State> = contestant({ ...contestRamp, name: "ballast" });

/** Ours with one thing left out or changed: what each is worth, or why it was given up. */
export const ablations: readonly Contestant<State>[] = [
  contestant({ ...contestRamp, name: "ballast without tempering", without: "tempering" }),
  contestant({ ...contestRamp, name: "ballast without warm-up", warmUp: 0 }),
  contestant({ ...contestRamp, name: "ballast with stable of ten minutes", without: "fresh stable" }),
];

/** The plan that a release has by default; its weights are its own. */
export const byPlan: Contestant<State> = {
  ...contestant({
    name: "ballast, default plan",
    limits: defaultLimits,
    weights: defaultPace.weights,
    warmUp: 4,
    settle: 3,
    bake: 5,
  }),
  onlyOwnWeights: true,
};

/** Makes a contestant of our judge at some setting. */
export function contestant({ name, limits, weights, warmUp, settle, bake, without }: Setting): Contestant<State> {
  const steps = [...weights, 100];
  const heard = (evidence: Evidence): Evidence =>
    without === "tempering" ? { ...evidence, usual: { ...evidence.usual, noise: noEvidence.usual.noise } } : evidence;
  const watch = (state: Pick<State, "weight" | "warmUntil">) => ({
    limits,
    percent: state.weight,
    tickSeconds: 60,
    warmFrom: 0,
    warmUntil: state.warmUntil * millisecondsPerMinute,
  });
  return {
    name,
    start: (history) => {
      const first = { weight: weights[0]!, warmUntil: warmUp };
      const evidence = heard(gather(beginStep(noEvidence, 0, weights.length), history.map(binOf), watch(first)));
      return {
        ...first,
        evidence,
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
        state = stepOf(state, minute, weights, settle);
        const stables = [...state.stables, minute.stable].slice(-10);
        const bin = without === "fresh stable" ? { ...binOf(minute), stable: together(stables) } : binOf(minute);
        state = {
          ...state,
          stables,
          judgedTo: minute.at + 1,
          probesFailed: minute.probesFailed,
          evidence: heard(gather(state.evidence, [bin], watch(state))),
        };
      }
      state = { ...state, early: state.early.filter(({ at }) => at >= state.judgedTo) };
      const verdict = judge(state.evidence, limits, { percent: state.weight, steps, isSilent: state.probesFailed > 0 });
      if (verdict.verdict === "fail") return { state, weight: 0, ending: "rolled-back" };
      if (verdict.verdict === "inconclusive") return { state, weight: state.weight, held: verdict.reason };
      if (state.judgedTo < state.warmUntil + bake) return { state, weight: state.weight };
      const next = steps.find((percent) => percent > state.weight)!;
      return next === 100 ? { state, weight: 100, ending: "promoted" } : { state, weight: next };
    },
  };
}

/** Takes up the weight that the canary was given in a minute. */
function stepOf(state: State, { weight, at }: Minute, weights: readonly number[], settle: number): State {
  if (weight === state.weight || weight === 0) return state;
  const step = weights.findIndex((percent) => percent >= weight);
  return {
    ...state,
    weight,
    warmUntil: Math.max(state.warmUntil, at + settle),
    evidence: beginStep(state.evidence, step, weights.length),
  };
}

/** Adds stable's last minutes up, as a judge would that wants more of it than one minute gives. */
const together = (arms: readonly Arm[]): Tally => {
  const sum = (of: (arm: Arm) => number): number => arms.reduce((total, arm) => total + of(arm), 0);
  return tallyOf({
    requests: sum(({ requests }) => requests),
    failed: sum(({ failed }) => failed),
    refused: sum(({ refused }) => refused),
    durations: arms[0]!.durations.map((_, bucket) => sum(({ durations }) => durations[bucket]!)),
  });
};

const binOf = ({ at, canary, stable }: Minute): Bin => ({
  at: at * millisecondsPerMinute,
  canary: tallyOf(canary),
  stable: tallyOf(stable),
});

function tallyOf({ requests, failed, refused, durations }: Arm): Tally {
  const filled = durationsOf(durations.map((count, bucket) => [bucket, count] as const));
  return { requests, failed, refused, ...(filled === undefined ? {} : { durations: filled }) };
}
