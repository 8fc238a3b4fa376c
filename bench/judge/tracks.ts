// Lets contestants play runs of a cell. In track A all of them see the same minutes, under weights that nobody chooses, and only what they end with
// counts; in track B each sets its own weights. The replay track kills the judge between looks. What the outcomes are worth is the scores' affair.

import type { Cell } from "./cells.ts";
import type { Contestant, Minute, Move } from "./contestant.ts";
import { loadDice } from "./dice.ts";
import { createWorld, hangMinutes, type World } from "./traffic.ts";

/** A: the weights are given, the same for all. B: each contestant sets its own. */
export type Track = "A" | "B";
export const tracks: readonly Track[] = ["A", "B"];

/** So many minutes a run lasts; whoever has come to no end by then holds. */
export const horizonMinutes = 90;

/** How a contestant ended one run. */
export interface Ended {
  readonly ending: "promoted" | "rolled-back" | "held";
  /** Minutes from the canary's first share of the traffic to the end. */
  readonly minutes: number;
  /** Requests that the canary had answered by then. */
  readonly canaryRequests: number;
  /** Responses that the fault spoiled within the horizon, on average; a promoted canary goes on spoiling everybody's. */
  readonly harmed: number;
}

/** Gives the weight of a minute in track A: none in minute 0, then 5 to 50 in ten steps of a minute, and 50 until the end. */
const rampWeight = (at: number): number => Math.min(50, 5 * at);

/** Says in which order the minutes of a run reach the judge: `arriving(now)` are those that it sees at the end of minute `now`. */
function delivery({ telemetry }: Cell, seed: number): (minute: Minute) => readonly Minute[] {
  if (telemetry === undefined) return (minute) => [minute];
  const { gap, lagMinutes, twicePercent = 0 } = telemetry;
  const waiting = new Map<number, Minute[]>();
  const put = (now: number, minute: Minute): void => void waiting.set(now, [...(waiting.get(now) ?? []), minute]);
  return (minute) => {
    const { at } = minute;
    const dice = loadDice(seed, at, 200);
    const lag =
      lagMinutes === undefined ? 0 : lagMinutes[0] + Math.floor(dice.next() * (lagMinutes[1] - lagMinutes[0] + 1));
    const isLost = gap !== undefined && at >= gap.fromMinute && at < gap.untilMinute;
    if (!isLost) put(at + lag, minute);
    if (!isLost && dice.next() * 100 < twicePercent) put(at + lag + 1, minute);
    return (waiting.get(at) ?? []).toSorted((one, other) => one.at - other.at);
  };
}

/** Containers split by whole percentages. */
const wholePercent = (weight: number): number => Math.min(100, Math.max(0, Math.round(weight)));

/** One look of a run, as it was. */
interface Look {
  readonly now: number;
  readonly arrived: readonly Minute[];
  readonly move: Move<unknown>;
}

/** Lets a contestant play one run and tells every look. */
function follow(
  contestant: Contestant,
  track: Track,
  cell: Cell,
  seed: number,
  world: World,
  told: (look: Look) => void,
): Ended {
  const arriving = delivery(cell, seed);
  const weights: number[] = [0];
  const watched = (): number => weights.slice(0, horizonMinutes).filter((weight) => weight > 0).length;
  let state = contestant.start(world.history);
  let canaryRequests = 0;
  let harmed = 0;
  for (let now = 0; now < horizonMinutes; now++) {
    const weight = weights[now]!;
    const happened = world.happen(now, weight, weights[now - hangMinutes] ?? 0);
    const arrived = arriving(happened.minute);
    canaryRequests += happened.minute.canary.requests;
    harmed += happened.harmed;
    const move = contestant.look(state, now, arrived);
    told({ now, arrived, move });
    if (move.ending === "promoted")
      for (let after = now + 1; after < horizonMinutes; after++) harmed += world.harmWhenPromoted(after);
    if (move.ending !== undefined) return { ending: move.ending, minutes: watched(), canaryRequests, harmed };
    state = move.state;
    weights.push(track === "A" ? rampWeight(now + 1) : wholePercent(move.weight));
  }
  return { ending: "held", minutes: watched(), canaryRequests, harmed };
}

/**
 * Lets contestants play one run of a cell, each on its own.
 *
 * The seed is the whole of the run's chance, so that a run can be looked at again, and contestants differ by what they decide and not by luck.
 */
export function play(
  contestants: readonly Contestant[],
  track: Track,
  cell: Cell,
  seed: number,
  world: World = createWorld(cell, seed),
): readonly Ended[] {
  return contestants.map((contestant) => follow(contestant, track, cell, seed, world, () => undefined));
}

/** What a killed judge did differently from one that lived. */
export interface Difference {
  /** It was killed after the look of this minute, and differed at that one. */
  readonly killedAfter: number;
  readonly at: number;
  readonly lived: string;
  readonly killed: string;
}

const said = ({ weight, ending, held }: Move<unknown>): string => JSON.stringify({ weight, ending, held });

/**
 * Kills the judge after each look of a run in turn, and lets another go on from its state: written as JSON and read again, with the minutes of the
 * last look delivered a second time. Gives the first difference of each death, and how many deaths there were.
 *
 * A state that is not plain data, or a judge that counts a minute twice, shows here.
 */
export function replayTrack(
  contestant: Contestant,
  cell: Cell,
  seed: number,
): { readonly deaths: number; readonly differences: readonly Difference[] } {
  const looks: Look[] = [];
  follow(contestant, "B", cell, seed, createWorld(cell, seed), (look) => looks.push(look));
  const differences = looks.slice(0, -1).flatMap((last, index): readonly Difference[] => {
    let state: unknown = JSON.parse(JSON.stringify(last.move.state));
    for (const [ago, { now, arrived, move }] of looks.slice(index + 1).entries()) {
      const again = contestant.look(state, now, ago === 0 ? [...last.arrived, ...arrived] : arrived);
      if (said(again) !== said(move))
        return [{ killedAfter: last.now, at: now, lived: said(move), killed: said(again) }];
      state = again.state;
    }
    return [];
  });
  return { deaths: Math.max(0, looks.length - 1), differences };
}
