// Two sequential tests from the literature, each with a plain ramp around it: as with our judge, one may look at them
// every minute. They know failures only, tolerate no difference, and need no evidence for a promotion.
// - The 2×2 test: Turner, Ly and Grünwald, Generic E-variables for exact sequential k-sample tests, 2021, section 3,
//   with the Beta prior that they recommend.
// - The count test: Lindon and Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022. Of all failures
//   the canary's part must be its part of the requests. A test begins with each weight; their evidence is multiplied.
import { logMisshared } from "../../../engines/rollout/judge/likelihood.ts";
import type { Contestant, Minute } from "../contestant.ts";

/** Failures and successes of both arms, and the logarithm of the evidence so far. */
interface Sums {
  readonly canary: readonly [failed: number, good: number];
  readonly stable: readonly [failed: number, good: number];
  readonly log: number;
}
const emptySums: Sums = { canary: [0, 0], stable: [0, 0], log: 0 };

/** The prior of both rates: Beta(γ, γ). */
const gamma = 0.18;
const rateOf = ([failed, good]: readonly [number, number]): number => (failed + gamma) / (failed + good + 2 * gamma);
const logAt = ([failed, good]: readonly [number, number], rate: number): number =>
  failed * Math.log(rate) + good * Math.log(1 - rate);
const plus = ([a, b]: readonly [number, number], [c, d]: readonly [number, number]): readonly [number, number] => [
  a + c,
  b + d,
];

/** Adds a block of both arms to the 2×2 test: a bet on the rates that the blocks before it show. */
export function addBlock(sums: Sums, canary: readonly [number, number], stable: readonly [number, number]): Sums {
  const requests = [canary[0] + canary[1], stable[0] + stable[1]] as const;
  const after = { canary: plus(sums.canary, canary), stable: plus(sums.stable, stable) };
  if (requests[0] === 0 || requests[1] === 0) return { ...after, log: sums.log };
  const rates = [rateOf(sums.canary), rateOf(sums.stable)] as const;
  const same = (requests[0] * rates[0] + requests[1] * rates[1]) / (requests[0] + requests[1]);
  const won = logAt(canary, rates[0]) + logAt(stable, rates[1]) - logAt(canary, same) - logAt(stable, same);
  return { ...after, log: sums.log + won };
}

interface State {
  readonly began: number | undefined;
  readonly judgedTo: number;
  readonly weight: number;
  readonly sums: Sums;
  /** The count test's evidence of earlier weights. */
  readonly settled: number;
}

const ramp = [5, 25, 50];
const minutesOfStep = 10;
/** α is 5 %. */
const limit = Math.log(20);

/** Gives a ramp that a test can stop: ten minutes at each weight, then 100 percent. */
function ramped(
  name: string,
  about: string,
  weigh: (state: State, minute: Minute) => State,
  logOf: (state: State) => number,
) {
  const contestant: Contestant<State> = {
    name,
    about,
    start: () => ({ began: undefined, judgedTo: 0, weight: 0, sums: emptySums, settled: 0 }),
    look: (before, now, arrived) => {
      let state: State = { ...before, began: before.began ?? now };
      for (const minute of arrived.toSorted((one, other) => one.at - other.at)) {
        if (minute.at < state.judgedTo) continue;
        state = { ...weigh(state, minute), weight: minute.weight, judgedTo: minute.at + 1 };
      }
      const { canary, stable } = state.sums;
      const isWorse = canary[0] * (stable[0] + stable[1]) > stable[0] * (canary[0] + canary[1]);
      if (isWorse && logOf(state) >= limit) return { state, weight: 0, ending: "rolled-back" };
      const step = Math.floor((now - state.began!) / minutesOfStep);
      return step >= ramp.length ? { state, weight: 100, ending: "promoted" } : { state, weight: ramp[step]! };
    },
  };
  return contestant;
}

const blockOf = ({ requests, failed }: Minute["canary"]): readonly [number, number] => [failed, requests - failed];

/** The 2×2 test, with a minute as a block. */
export const twoByTwo = ramped(
  "2×2 e-process",
  "the sequential 2×2 test of Turner, Ly and Grünwald on failures, with α 5 %; ten minutes at 5, 25 and 50 percent",
  (state, { canary, stable }) => ({ ...state, sums: addBlock(state.sums, blockOf(canary), blockOf(stable)) }),
  ({ sums }) => sums.log,
);

const logOfCounts = ({ settled, weight, sums: { canary, stable } }: State): number =>
  settled + (weight > 0 && weight < 100 ? logMisshared(canary[0], stable[0], weight / 100) : 0);

/** The count test. */
export const countTest = ramped(
  "count test",
  "the multinomial count test of Lindon and Malek on failures, with α 5 %; ten minutes at 5, 25 and 50 percent",
  (state, { weight, canary, stable }) => {
    const isOther = weight !== state.weight;
    const sums = isOther ? emptySums : state.sums;
    return {
      ...state,
      settled: isOther ? logOfCounts(state) : state.settled,
      sums: {
        canary: plus(sums.canary, blockOf(canary)),
        stable: plus(sums.stable, blockOf(stable)),
        log: 0,
      },
    };
  },
  logOfCounts,
);
