// The least part of all healthy canaries that any test leaves unpromoted, whatever it computes, if it promotes few bad
// ones: the limit by which our judge's waits at little traffic are measured.
//
// A test may be as clever as it likes, and may know everything but what it must decide. It moves the canary from half
// of the traffic to the hold-back, and on from there, whenever it wants to. Of all canaries with a fault from the start
// it may move at most β to the hold-back, and of all with a fault that begins there it may promote at most β. The best
// test is found backwards from the last minute (optimal stopping), with a price on each error; what the prices bring in
// is subtracted. By weak duality that is a lower bound at any prices, and for any two kinds of bad canaries.
import { stepRequestsMin } from "../../engines/rollout/judge/judge.ts";
import { markdownTable } from "../markdown-table.ts";
import type { Setting } from "./ballast.ts";

/** The traffic, and what a bad canary does. */
export interface Stake {
  readonly requestsPerMinute: number;
  readonly failurePercent: number;
  readonly points: number;
  /** The most wrong promotions of each kind. */
  readonly errorPercentMax: number;
  /**
   * How often stable fails beside a bad canary, as a multiple of how often it fails beside a healthy one: for a fault
   * from the start, and for one that begins at the hold-back. With 1 the test knows it. A test that must be right
   * whatever stable's share is has to withstand the hardest of them.
   */
  readonly bases: readonly [early: number, late: number];
}

/** When a plan sees how many requests. */
export interface Schedule {
  /** What both arms had answered when the canary got half of the traffic. */
  readonly before: { readonly canary: number; readonly stable: number };
  /** Requests in a minute at half of the traffic, and at the hold-back. */
  readonly half: { readonly canary: number; readonly stable: number };
  readonly holdBack: { readonly canary: number; readonly stable: number };
  /** The minutes in which requests at half of the traffic or at the hold-back are judged, and those without verdict. */
  readonly minutes: number;
  readonly settle: number;
  readonly bake: number;
}

/** Gives the schedule of a plan, with the expected number of requests in each minute. */
export function scheduleOf(
  { weights, warmUp, settle, bake }: Setting,
  requestsPerMinute: number,
  horizonMinutes: number,
): Schedule {
  const at = (weight: number) => ({
    canary: Math.round((requestsPerMinute * weight) / 100),
    stable: Math.round((requestsPerMinute * (100 - weight)) / 100),
  });
  const [half, holdBack] = [weights.at(-2)!, weights.at(-1)!];
  let from = warmUp;
  const before = { canary: 0, stable: 0 };
  for (const weight of weights.slice(0, -2)) {
    const ofCanary = (requestsPerMinute * weight) / 100;
    const minutes = Math.max(bake, Math.ceil(stepRequestsMin / ofCanary));
    before.canary += Math.round(minutes * ofCanary);
    before.stable += Math.round(minutes * (requestsPerMinute - ofCanary));
    from += minutes + settle;
  }
  // The step to 100 percent is played too, and takes a settling and a bake.
  return {
    before,
    half: at(half),
    holdBack: at(holdBack),
    minutes: horizonMinutes - from - settle - bake,
    settle,
    bake,
  };
}

/** The shares of failures of a law, and how likely counts are under it compared with a healthy canary. */
const logRatioOf = (share: number, healthy: number) => {
  const [ofBad, ofGood] = [Math.log(share / healthy), Math.log((1 - share) / (1 - healthy))];
  return (requests: number, bad: number): number => bad * ofBad + (requests - bad) * ofGood;
};

/** Counts that are rarer than this are left out, which only lowers the bound. */
const negligible = 1e-10;

/** Gives how likely each count of failures is, up to the last that matters. */
export function binomial(requests: number, share: number): readonly number[] {
  const masses: number[] = [];
  let mass = (1 - share) ** requests;
  for (let count = 0; count <= requests; count++) {
    if (count > requests * share && mass < negligible) break;
    masses.push(mass);
    mass *= ((requests - count) * share) / ((count + 1) * (1 - share));
  }
  return masses;
}

/** The price of each error: a fault from the start that reaches the hold-back, and a late one that is promoted. */
export type Prices = readonly [early: number, late: number];

/** Gives the lower bound at some prices, as a share of all healthy canaries. */
export function boundAt(schedule: Schedule, stake: Stake, [early, late]: Prices): number {
  const healthy = stake.failurePercent / 100;
  const ofHoldBack = holdBackCosts(schedule, stake, late);
  const base = healthy * stake.bases[0];
  const ofStable = logRatioOf(base, healthy);
  const ofCanary = logRatioOf(base + stake.points / 100, healthy);
  const { before, half, minutes, bake } = schedule;
  const perMinute = { canary: binomial(half.canary, healthy), stable: binomial(half.stable, healthy) };
  const first = { canary: binomial(before.canary, healthy), stable: binomial(before.stable, healthy) };
  const canaryMost = binomial(before.canary + minutes * half.canary, healthy).length;
  const stableMost = binomial(before.stable + minutes * half.stable, healthy).length;
  // Who has not left half of the traffic at the end is not promoted.
  let costs: readonly Float64Array[] = Array.from({ length: canaryMost }, () => new Float64Array(stableMost).fill(1));
  for (let minute = minutes; minute >= bake; minute--) {
    const moved = ofHoldBack(minute);
    const canaryRequests = before.canary + minute * half.canary;
    const stableRequests = before.stable + minute * half.stable;
    costs = costs.map((row, canaryBad) =>
      row.map((staying, stableBad) =>
        Math.min(
          staying,
          early * Math.exp(ofCanary(canaryRequests, canaryBad) + ofStable(stableRequests, stableBad)) +
            moved(canaryBad + stableBad),
        ),
      ),
    );
    if (minute > bake) costs = awaited(costs, perMinute.canary, perMinute.stable);
  }
  const beginning = awaited(costs, binomial(bake * half.canary, healthy), binomial(bake * half.stable, healthy));
  const least = awaited(beginning, first.canary, first.stable)[0]![0]!;
  return least - ((early + late) * stake.errorPercentMax) / 100;
}

/** Gives the expected costs before some more failures of each arm. */
function awaited(
  costs: readonly Float64Array[],
  canary: readonly number[],
  stable: readonly number[],
): readonly Float64Array[] {
  const byStable = costs.map((row) => row.map((_, bad) => sumOf(stable, (more) => row[bad + more] ?? 0)));
  return byStable.map((row, bad) =>
    row.map((_, stableBad) => sumOf(canary, (more) => byStable[bad + more]?.[stableBad] ?? 0)),
  );
}

function sumOf(masses: readonly number[], of: (index: number) => number): number {
  let sum = 0;
  for (let index = 0; index < masses.length; index++) sum += masses[index]! * of(index);
  return sum;
}

/**
 * Gives what a canary costs that reaches the hold-back in a minute, by the failures of both arms until then. More
 * requests never make a decision worse, so the best test decides in the last minute.
 */
function holdBackCosts(
  { before, half, holdBack, minutes, settle, bake }: Schedule,
  { failurePercent, points, bases }: Stake,
  price: number,
): (minute: number) => (bad: number) => number {
  const healthy = failurePercent / 100;
  const base = healthy * bases[1];
  const ofBase = logRatioOf(base, healthy);
  const ofCanary = logRatioOf(base + points / 100, healthy);
  return (minute) => {
    const left = minutes - minute - settle;
    if (left < bake) return () => 1;
    const sharing = before.canary + before.stable + minute * (half.canary + half.stable) + left * holdBack.stable;
    const ofCanarys = binomial(left * holdBack.canary, healthy);
    const ofStables = binomial(left * holdBack.stable, healthy);
    const known = new Map<number, number>();
    const decided = (bad: number): number => {
      const found =
        known.get(bad) ??
        sumOf(ofCanarys, (canaryBad) =>
          Math.min(1, price * Math.exp(ofBase(sharing, bad) + ofCanary(left * holdBack.canary, canaryBad))),
        );
      known.set(bad, found);
      return found;
    };
    const moved = new Map<number, number>();
    return (bad) => {
      const cost = moved.get(bad) ?? sumOf(ofStables, (more) => decided(bad + more));
      moved.set(bad, cost);
      return cost;
    };
  };
}

const pricesFirst: Prices = [0.1, 0.1];
/** Prices are changed by this factor first, then by its root and so on, until it is next to 1. */
const factorFirst = 3;
const factorLast = 1.05;

/** Finds the prices with the greatest bound, step by step: the bound is concave in them. */
export function greatestBound(schedule: Schedule, stake: Stake): { readonly share: number; readonly prices: Prices } {
  const priced = (prices: Prices) => ({ share: boundAt(schedule, stake, prices), prices });
  let best = priced(pricesFirst);
  let factor = factorFirst;
  while (factor > factorLast) {
    const [early, late] = best.prices;
    const changes = [1 / factor, 1, factor];
    const next = changes
      .flatMap((times) => changes.map((other): Prices => [early * times, late * other]))
      .map(priced)
      .reduce((most, one) => (one.share > most.share ? one : most));
    if (next.share > best.share) best = next;
    else factor = Math.sqrt(factor);
  }
  return best;
}

/** What a test knows of stable's share: all, or not even whether it is seven tenths of what it seems. */
const knowledge: readonly (readonly [what: string, bases: Stake["bases"]])[] = [
  ["knows stable's share", [1, 1]],
  ["has to be right whatever stable's share is", [0.7, 0.7]],
];
const trafficOfTable = [12, 30, 60] as const;

/** Prints the bound for a plan at little traffic, at a base of 0.5 % and one point more. */
export function boundTable(setting: Setting, horizonMinutes: number): string {
  const rows = knowledge.flatMap(([what, bases]) =>
    trafficOfTable.map((requestsPerMinute) => {
      const stake: Stake = { requestsPerMinute, failurePercent: 0.5, points: 1, errorPercentMax: 5, bases };
      const { share } = greatestBound(scheduleOf(setting, requestsPerMinute, horizonMinutes), stake);
      return [String(requestsPerMinute), what, `${(100 * Math.max(0, share)).toFixed(1)} %`];
    }),
  );
  return markdownTable(["requests a minute", "a test that", "leaves unpromoted at least"], rows);
}
