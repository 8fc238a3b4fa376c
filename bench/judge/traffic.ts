// Generates the minutes of one run from a cell and a seed. Each minute has dice of its own: contestants that set the
// same weights see the same minutes, and all contestants meet the same noise.
import { bandMax, bandOf } from "../../engines/rollout/judge/durations.ts";
import type { Cell } from "./cells.ts";
import { activeFault, type Condition, conditionsOf, eventAt, harmOf } from "./conditions.ts";
import { type Arm, durationBands, type Minute } from "./contestant.ts";
import { type Dice, loadDice } from "./dice.ts";
import { type Shape, shapesOf } from "./shapes.ts";

/** A minute, and what the judges do not see of it. */
export interface Happened {
  readonly minute: Minute;
  /** The expected number of responses that fail, are refused or never come because of the fault. */
  readonly harmed: number;
}

/** The canary's weight in a minute of the rollout. */
export type WeightAt = (at: number) => number;

/** One run of a cell. */
export interface World {
  /** Stable's minutes in the hour before. */
  readonly history: readonly Minute[];
  /** Generates a minute under weights; those of earlier minutes matter for requests that began then and end now. */
  readonly happen: (at: number, weightAt: WeightAt) => Happened;
  /** Spoiled responses of a minute in which the canary serves all users. */
  readonly harmWhenPromoted: (at: number) => number;
}

/** How long the ingress waits for an answer. */
const hangMinutes = 4;
const fastBand = bandOf(3);
const probesPerMinute = 2;
const stormBatch = 25;
const stormShare = 0.1;
const nothing: Arm = { requests: 0, failed: 0, refused: 0, durations: Array<number>(durationBands).fill(0) };

/** The dice of a minute, one stream for each purpose. */
const streams = { load: 0, split: 1, canary: 2, stable: 3, storm: 6, probes: 7, day: 8, canaryLong: 9, stableLong: 10 };

/** Requests that end as failures or not, in a later minute. */
interface Later {
  /** In how many minutes they end. */
  readonly minutes: number;
  readonly requests: number;
  readonly failed: number;
  readonly refused: number;
}

/** The requests of an arm that begin in a minute: those that end in it, and those that end later. */
interface Begun {
  readonly arm: Arm;
  readonly later: readonly Later[];
}
const nobody: Begun = { arm: nothing, later: [] };

/** Starts the short requests of an arm, which end within the minute; `storm` more requests fail. */
function serve(dice: Dice, ended: number, storm: number, condition: Condition, { first, shares }: Shape): Arm {
  const failed = dice.binomial(ended, condition.failed);
  const refused = dice.binomial(ended - failed, condition.refused / Math.max(1e-12, 1 - condition.failed));
  const requests = ended + storm;
  if (requests === 0) return nothing;
  const durations = Array<number>(durationBands).fill(0);
  const fast = condition.failsFast ? failed : 0;
  let left = requests - fast;
  for (let index = 0; left > 0; index++) {
    const count = dice.binomial(left, shares[index] ?? 1);
    durations[first + index] = count;
    left -= count;
  }
  durations[fastBand]! += fast;
  return { requests, failed: failed + storm, refused, durations };
}

/** Spreads long requests evenly over the minutes in which they can end. */
function spread(dice: Dice, requests: number, minutes: number, condition: Condition): readonly Later[] {
  const least = Math.max(1, Math.ceil(minutes / 2));
  const most = Math.max(least, Math.floor(1.5 * minutes));
  let left = requests;
  return Array.from({ length: most - least + 1 }, (_, index) => {
    const count = dice.binomial(left, 1 / (most - least + 1 - index));
    left -= count;
    const failed = dice.binomial(count, condition.failed);
    return {
      minutes: least + index,
      requests: count,
      failed,
      refused: dice.binomial(count - failed, condition.refused / Math.max(1e-12, 1 - condition.failed)),
    };
  });
}

/** Adds requests that began earlier and end now. */
function withEnding(arm: Arm, ending: readonly Later[]): Arm {
  if (ending.length === 0) return arm;
  const durations = [...arm.durations];
  for (const { minutes, requests } of ending) durations[Math.min(bandMax, bandOf(minutes * 60_000))]! += requests;
  return {
    ...arm,
    requests: ending.reduce((sum, { requests }) => sum + requests, arm.requests),
    failed: ending.reduce((sum, { failed }) => sum + failed, arm.failed),
    refused: ending.reduce((sum, { refused }) => sum + refused, arm.refused),
    durations,
  };
}

/** Makes what begins in each minute of a run, by the canary's weight. */
function beginningsOf(cell: Cell, seed: number) {
  const { noise = {}, fault, longRequests } = cell;
  const dice = (at: number, stream: number): Dice => loadDice(seed, at, stream);
  const phase = cell.diurnal ? dice(0, streams.day).next() : 0;
  const loadAt = (at: number, weight: number): number =>
    cell.requestsPerMinute *
    (eventAt(cell, at, weight)?.trafficTimes ?? 1) *
    (cell.diurnal ? 1 + 0.5 * Math.sin(2 * Math.PI * (phase + at / 1_440)) : 1);
  const ofCanary = conditionsOf(cell, seed, "canary");
  const ofStable = conditionsOf(cell, seed, "stable");
  const shapeFor = shapesOf(cell.durations ?? {});
  const armOf = (at: number, arm: "canary" | "stable", sent: number, storm: number, condition: Condition): Begun => {
    if (sent + storm === 0) return nobody;
    const chance = dice(at, streams[arm]);
    const hung = chance.binomial(sent, condition.hung);
    const long = chance.binomial(sent - hung, (longRequests?.percent ?? 0) / 100);
    const later = hung === 0 ? [] : [{ minutes: hangMinutes, requests: hung, failed: hung, refused: 0 }];
    const dicesOfLong = dice(at, arm === "canary" ? streams.canaryLong : streams.stableLong);
    return {
      arm: serve(chance, sent - hung - long, storm, condition, shapeFor(condition)),
      later: long === 0 ? later : [...later, ...spread(dicesOfLong, long, longRequests!.minutes, condition)],
    };
  };
  /** The noisy tenant: how many failing requests the canary gets, and how many stable gets. */
  const stormAt = (at: number, weight: number): readonly [number, number] => {
    const chance = dice(at, streams.storm);
    if (chance.next() * 100 >= (noise.stormPercent ?? 0)) return [0, 0];
    const batches = chance.poisson((cell.requestsPerMinute * stormShare) / stormBatch);
    const canary = chance.binomial(batches, weight / 100);
    return [chance.poisson(canary * stormBatch), chance.poisson((batches - canary) * stormBatch)];
  };
  const begin = (at: number, weight: number) => {
    const load = loadAt(at, weight);
    const total = dice(at, streams.load).poisson(load);
    const wrong = activeFault(cell, at, weight, load);
    const harm = harmOf(wrong, at);
    const sent = fault?.unreached ? 0 : dice(at, streams.split).binomial(total, weight / 100);
    const [canaryStorm, stableStorm] = noise.stormPercent ? stormAt(at, sent === 0 ? 0 : weight) : [0, 0];
    const dragged = wrong?.dragsStable ? wrong : undefined;
    const probesFailed =
      at < 0 ? 0 : dice(at, streams.probes).binomial(probesPerMinute, Math.min(1, harm.failed + harm.hung));
    return {
      canary: armOf(at, "canary", sent, canaryStorm, ofCanary(at, weight, wrong)),
      stable: armOf(at, "stable", total - sent, stableStorm, ofStable(at, weight, dragged)),
      probesFailed: Math.max(probesFailed, at === cell.probeUnansweredAt ? 1 : 0),
      harmed: (wrong?.dragsStable ? total : sent) * Math.min(1, harm.failed + harm.refused + harm.hung),
    };
  };
  return { begin: cached(begin), loadAt };
}

/** Makes the world of one run. */
export function createWorld(cell: Cell, seed: number): World {
  const { begin, loadAt } = beginningsOf(cell, seed);
  const longest = cell.longRequests === undefined ? 0 : Math.floor(1.5 * cell.longRequests.minutes);
  const lag = Math.max(cell.fault?.hangPercent ? hangMinutes : 0, longest);
  const happen = (at: number, weightAt: WeightAt): Happened => {
    const weight = weightAt(at);
    const { canary, stable, probesFailed, harmed } = begin(at, weight);
    const ending = (arm: "canary" | "stable"): readonly Later[] =>
      Array.from({ length: lag }, (_, ago) => ago + 1).flatMap((ago) =>
        begin(at - ago, weightAt(at - ago))[arm].later.filter(({ minutes }) => minutes === ago),
      );
    return {
      minute: {
        at,
        weight,
        canary: withEnding(canary.arm, ending("canary")),
        stable: withEnding(stable.arm, ending("stable")),
        probes: at < 0 ? 0 : probesPerMinute,
        probesFailed,
      },
      harmed,
    };
  };
  return {
    history: Array.from({ length: 60 }, (_, index) => happen(index - 60, () => 0).minute),
    happen,
    harmWhenPromoted: (at) => {
      const load = loadAt(at, 100);
      const harm = harmOf(activeFault(cell, at, 100, load), at);
      return load * Math.min(1, harm.failed + harm.refused + harm.hung);
    },
  };
}

/** Caches minutes by their weight, because contestants often ask for the same ones. */
function cached<Value>(make: (at: number, weight: number) => Value): (at: number, weight: number) => Value {
  const values = new Map<number, Value>();
  return (at, weight) => {
    const key = (at + 1_000) * 128 + weight;
    const known = values.get(key);
    if (known !== undefined) return known;
    const value = make(at, weight);
    values.set(key, value);
    return value;
  };
}
