// Generates the minutes of one run from a cell and a seed. Each minute has dice of its own: contestants that set the
// same weights see the same minutes, and all contestants meet the same noise.
import { bandOf } from "../../engines/rollout/judge/durations.ts";
import { normalBelow } from "../../engines/rollout/judge/likelihood.ts";
import type { Cell, Fault, Span } from "./cells.ts";
import { type Arm, durationBands, type Minute } from "./contestant.ts";
import { type Dice, loadDice } from "./dice.ts";

/** A minute, and what the judges do not see of it. */
export interface Happened {
  readonly minute: Minute;
  /** The expected number of responses that fail, are refused or never come because of the fault. */
  readonly harmed: number;
}

/** One run of a cell. */
export interface World {
  /** Stable's minutes in the hour before. */
  readonly history: readonly Minute[];
  /**
   * Generates a minute under a weight; `weightBefore` is the weight four minutes
   * earlier, whose hanging requests end now.
   */
  readonly happen: (at: number, weight: number, weightBefore: number) => Happened;
  /** Spoiled responses of a minute in which the canary serves all users. */
  readonly harmWhenPromoted: (at: number) => number;
}

const medianMilliseconds = 100;
const p99Milliseconds = 386;
const sigma = Math.log(p99Milliseconds / medianMilliseconds) / 2.3263478740408408;
/** How long the ingress waits for an answer. */
export const hangMinutes = 4;
const hangBand = bandOf(hangMinutes * 60_000);
const fastBand = bandOf(3);
const probesPerMinute = 2;
const replicas = 10;
const badReplicaMinutes = 3;
const stormBatch = 25;
const stormShare = 0.1;
const nothing: Arm = { requests: 0, failed: 0, refused: 0, durations: Array<number>(durationBands).fill(0) };

/** The dice of a minute, one stream for each purpose. */
const streams = {
  load: 0,
  split: 1,
  canary: 2,
  stable: 3,
  canaryNoise: 4,
  stableNoise: 5,
  storm: 6,
  probes: 7,
  day: 8,
} as const;

const within = (at: number, { fromMinute = -Infinity, untilMinute = Infinity }: Partial<Span>): boolean =>
  at >= fromMinute && at < untilMinute;

function isActive({ when = {} }: Fault, at: number, weight: number, load: number): boolean {
  const { weightAtLeast = 0, requestsAtLeast = 0, downMinutes = 1, ofMinutes = 1 } = when;
  return (
    at >= 0 &&
    within(at, when) &&
    weight >= weightAtLeast &&
    load >= requestsAtLeast &&
    (at - (when.fromMinute ?? 0)) % ofMinutes < downMinutes
  );
}

/** What happens to a request, as probabilities and factors. */
interface Condition {
  readonly failed: number;
  readonly refused: number;
  readonly hung: number;
  readonly slower: number;
  readonly tail?: Fault["tail"];
  readonly failsFast?: boolean;
}

const refusedShare = 0.01;

function harmOf(
  fault: Fault | undefined,
  at: number,
): { readonly failed: number; readonly refused: number; readonly hung: number } {
  return {
    failed: ((fault?.failurePoints ?? 0) + (fault?.failurePointsPerMinute ?? 0) * Math.max(0, at)) / 100,
    refused: (fault?.refusedPoints ?? 0) / 100,
    hung: (fault?.hangPercent ?? 0) / 100,
  };
}

/** The lognormal's distribution function at a duration. */
const below = (milliseconds: number): number => normalBelow(Math.log(milliseconds / medianMilliseconds) / sigma);

/** The first band with requests, and for each band from there the share of the requests that no earlier band has. */
interface Shape {
  readonly first: number;
  readonly shares: readonly number[];
}

function shapeOf(slower: number, tail: Fault["tail"]): Shape {
  const cut = 1 - (tail?.percent ?? 0) / 100;
  const upTo = (milliseconds: number): number => {
    const plain = below(milliseconds / slower);
    return tail === undefined
      ? plain
      : Math.min(plain, cut) + Math.max(0, below(milliseconds / slower / tail.slower) - cut);
  };
  const masses = Array.from(
    { length: durationBands },
    (_, band) =>
      (band === durationBands - 1 ? 1 : upTo(2 ** ((band + 1) / 8))) - (band === 0 ? 0 : upTo(2 ** (band / 8))),
  ).map((mass) => (mass < 1e-9 ? 0 : mass));
  let left = masses.reduce((sum, mass) => sum + mass, 0);
  const first = masses.findIndex((mass) => mass > 0);
  const shares = masses.slice(first).map((mass) => {
    const share = left <= 1e-12 ? 1 : Math.min(1, mass / left);
    left -= mass;
    return share;
  });
  return { first, shares };
}

const shapes = new Map<string, Shape>();
/** Caches shapes. A slowdown is rounded to a sixteenth of a band, 0.5 percent, so that there are few of them. */
function shapeFor({ slower, tail }: Condition): Shape {
  const steps = Math.round(Math.log2(slower) * 128);
  const key = `${steps} ${tail?.percent} ${tail?.slower}`;
  const shape = shapes.get(key) ?? shapeOf(2 ** (steps / 128), tail);
  shapes.set(key, shape);
  return shape;
}

/** Starts requests of an arm: gives those that end within the minute, and how many hang. `storm` more requests fail. */
function serve(
  dice: Dice,
  begun: number,
  storm: number,
  condition: Condition,
): { readonly arm: Arm; readonly hung: number } {
  const hung = dice.binomial(begun, condition.hung);
  const ended = begun - hung;
  const failed = dice.binomial(ended, condition.failed);
  const refused = dice.binomial(ended - failed, condition.refused / Math.max(1e-12, 1 - condition.failed));
  const requests = ended + storm;
  const { first, shares } = shapeFor(condition);
  if (requests === 0) return { arm: nothing, hung };
  const durations = Array<number>(durationBands).fill(0);
  const fast = condition.failsFast ? failed : 0;
  let left = requests - fast;
  for (let index = 0; left > 0; index++) {
    const count = dice.binomial(left, shares[index] ?? 1);
    durations[first + index] = count;
    left -= count;
  }
  durations[fastBand]! += fast;
  return { arm: { requests, failed: failed + storm, refused, durations }, hung };
}

/** Adds the requests that began four minutes earlier and got no answer. */
function withHung(arm: Arm, hung: number): Arm {
  if (hung === 0) return arm;
  return {
    ...arm,
    requests: arm.requests + hung,
    failed: arm.failed + hung,
    durations: arm.durations.map((count, band) => (band === hangBand ? count + hung : count)),
  };
}

/** Makes the world of one run. */
export function createWorld(cell: Cell, seed: number): World {
  const { noise = {}, fault, shared } = cell;
  const dice = (at: number, stream: number): Dice => loadDice(seed, at, stream);
  const phase = cell.diurnal ? dice(0, streams.day).next() : 0;
  const eventAt = (at: number) => (shared !== undefined && within(at, shared) ? shared : undefined);
  const loadAt = (at: number): number =>
    cell.requestsPerMinute *
    (eventAt(at)?.trafficTimes ?? 1) *
    (cell.diurnal ? 1 + 0.5 * Math.sin(2 * Math.PI * (phase + at / 1_440)) : 1);
  const faultAt = (at: number, weight: number): Fault | undefined =>
    fault !== undefined && isActive(fault, at, weight, loadAt(at)) ? fault : undefined;

  const badReplicas = (at: number, stream: number): number => {
    const share = (noise.badReplicaPercent ?? 0) / 100;
    return share === 0
      ? 0
      : Array.from({ length: badReplicaMinutes }, (_, ago) =>
          dice(at - ago, stream + 100).binomial(replicas, share),
        ).reduce((sum, count) => sum + count, 0);
  };
  const conditionOf = (at: number, stream: number, wrong: Fault | undefined): Condition => {
    const chance = dice(at, stream);
    const harm = harmOf(wrong, at);
    const happens = eventAt(at);
    const event = happens?.stableOnly && stream === streams.canaryNoise ? undefined : happens;
    const usual =
      (cell.failurePercent / 100) * (noise.failures ? chance.shock(noise.failures) : 1) +
      (0.2 * Math.min(replicas, badReplicas(at, stream))) / replicas;
    const slower = (event?.slower ?? 1) * (wrong?.slower ?? 1) * (noise.durations ? chance.shock(noise.durations) : 1);
    return {
      failed: Math.min(1, usual + (event?.failurePoints ?? 0) / 100 + harm.failed),
      refused: refusedShare + harm.refused,
      hung: harm.hung,
      slower,
      tail: wrong?.tail,
      failsFast: wrong?.failsFast ?? false,
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
    const total = dice(at, streams.load).poisson(loadAt(at));
    const wrong = faultAt(at, weight);
    const harm = harmOf(wrong, at);
    const sent = fault?.unreached ? 0 : dice(at, streams.split).binomial(total, weight / 100);
    const [canaryStorm, stableStorm] = noise.stormPercent ? stormAt(at, sent === 0 ? 0 : weight) : [0, 0];
    const canary =
      sent + canaryStorm === 0
        ? { arm: nothing, hung: 0 }
        : serve(dice(at, streams.canary), sent, canaryStorm, conditionOf(at, streams.canaryNoise, wrong));
    const stable = serve(
      dice(at, streams.stable),
      total - sent,
      stableStorm,
      conditionOf(at, streams.stableNoise, wrong?.dragsStable ? wrong : undefined),
    );
    const probesFailed =
      at < 0 ? 0 : dice(at, streams.probes).binomial(probesPerMinute, Math.min(1, harm.failed + harm.hung));
    return {
      canary,
      stable: stable.arm,
      probesFailed,
      harmed: (wrong?.dragsStable ? total : sent) * Math.min(1, harm.failed + harm.refused + harm.hung),
    };
  };

  const begun = cached(begin);
  const hangs = (fault?.hangPercent ?? 0) > 0;
  const happened = cached((at: number, weight: number, weightBefore: number): Happened => {
    const { canary, stable, probesFailed, harmed } = begun(at, weight, 0);
    const ending = hangs && at >= hangMinutes ? begun(at - hangMinutes, weightBefore, 0).canary.hung : 0;
    return {
      minute: {
        at,
        weight,
        canary: withHung(canary.arm, ending),
        stable,
        probes: at < 0 ? 0 : probesPerMinute,
        probesFailed,
      },
      harmed,
    };
  });
  return {
    history: Array.from({ length: 60 }, (_, index) => happened(index - 60, 0, 0).minute),
    happen: (at, weight, weightBefore) => happened(at, weight, hangs ? weightBefore : 0),
    harmWhenPromoted: (at) => {
      const harm = harmOf(faultAt(at, 100), at);
      return loadAt(at) * Math.min(1, harm.failed + harm.refused + harm.hung);
    },
  };
}

/** Caches minutes by their weights, because contestants often ask for the same ones. */
function cached<Value>(
  make: (at: number, weight: number, weightBefore: number) => Value,
): (at: number, weight: number, weightBefore: number) => Value {
  const values = new Map<number, Value>();
  return (at, weight, weightBefore) => {
    const key = ((at + 1_000) * 128 + weight) * 128 + weightBefore;
    const known = values.get(key);
    if (known !== undefined) return known;
    const value = make(at, weight, weightBefore);
    values.set(key, value);
    return value;
  };
}
