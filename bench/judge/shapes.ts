// How long requests take, as shares by band: one lognormal or two, made slower in whole or in part, with durations that
// may be logged without their fraction.
import { normalBelow } from "../../engines/rollout/judge/likelihood.ts";
import type { DurationMix, Fault } from "./cells.ts";
import { durationBands } from "./contestant.ts";

/** The first band with requests, and for each band from there the share of the requests that no earlier band has. */
export interface Shape {
  readonly first: number;
  readonly shares: readonly number[];
}

/** What makes the requests of an arm slower in a minute. */
export interface Slowness {
  /** The factor on all durations. */
  readonly slower: number;
  readonly tail?: Fault["tail"];
  readonly part?: Fault["part"];
  readonly fastSlower?: number | undefined;
}

const medianDefault = 100;
const p99Default = 386;
/** The 99th percentile of the standard normal distribution. */
const z99 = 2.3263478740408408;

/** Gives the shares of a mix, cached: a slowdown is rounded to a sixteenth of a band, 0.5 percent. */
export function shapesOf(mix: DurationMix): (slowness: Slowness) => Shape {
  const shapes = new Map<string, Shape>();
  return ({ slower, tail, part, fastSlower }) => {
    const steps = Math.round(Math.log2(slower) * 128);
    const key = JSON.stringify([steps, tail, part, fastSlower]);
    const shape = shapes.get(key) ?? shapeOf(mix, { slower: 2 ** (steps / 128), tail, part, fastSlower });
    shapes.set(key, shape);
    return shape;
  };
}

/** Gives the distribution function of the durations. */
function belowOf(mix: DurationMix, { slower, tail, part, fastSlower = 1 }: Slowness): (milliseconds: number) => number {
  const { medianMilliseconds = medianDefault, slowPercent = 0, slowMedianMilliseconds = 1 } = mix;
  const sigma =
    Math.log((mix.p99Milliseconds ?? (medianMilliseconds * p99Default) / medianDefault) / medianMilliseconds) / z99;
  const lognormal = (milliseconds: number, median: number): number =>
    milliseconds <= 0 ? 0 : normalBelow(Math.log(milliseconds / median) / sigma);
  const mixed = (milliseconds: number): number =>
    slowPercent === 0
      ? lognormal(milliseconds, medianMilliseconds * fastSlower)
      : (1 - slowPercent / 100) * lognormal(milliseconds, medianMilliseconds * fastSlower) +
        (slowPercent / 100) * lognormal(milliseconds, slowMedianMilliseconds);
  const parted = (milliseconds: number): number =>
    part === undefined
      ? mixed(milliseconds)
      : (1 - part.percent / 100) * mixed(milliseconds) + (part.percent / 100) * mixed(milliseconds / part.slower);
  const cut = 1 - (tail?.percent ?? 0) / 100;
  return (milliseconds) => {
    const plain = parted(milliseconds / slower);
    return tail === undefined
      ? plain
      : Math.min(plain, cut) + Math.max(0, parted(milliseconds / slower / tail.slower) - cut);
  };
}

function shapeOf(mix: DurationMix, slowness: Slowness): Shape {
  const below = belowOf(mix, slowness);
  // Without its fraction a duration is below the end of a band if it is below the next whole millisecond.
  const upTo = (milliseconds: number): number => below(mix.wholeMilliseconds ? Math.ceil(milliseconds) : milliseconds);
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
