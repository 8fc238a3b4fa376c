// Plays runs of a cell. In track A all contestants see the same minutes under fixed weights, and only their ending
// counts; in track B each sets its own weights. The replay kills the judge between looks.
import type { Cell } from "./cells.ts";
import type { Contestant, Minute, Move } from "./contestant.ts";
import { loadDice } from "./dice.ts";
import { createWorld, type World } from "./traffic.ts";

/** A: the weights are fixed, the same for all. B: each contestant sets its own. */
export type Track = "A" | "B";
export const tracks: readonly Track[] = ["A", "B"];

/**
 * The length of a run in minutes, as the default of `maximumSeconds`; a contestant without an ending by then is
 * unfinished, and the product would roll back.
 */
export const horizonMinutes = 180;

/** How a contestant ended one run. */
export interface Ended {
  readonly ending: "promoted" | "rolled-back" | "unfinished";
  /** Minutes from the canary's first traffic to the end. */
  readonly minutes: number;
  /** Requests that the canary answered until then. */
  readonly canaryRequests: number;
  /**
   * The expected number of responses that the fault spoiled within the horizon; after a promotion it spoils all users'.
   */
  readonly harmed: number;
}

/**
 * Gives the weight of a minute in track A: 0 in minute 0, then 5 to 50 in ten steps of a minute, and 50 until the end.
 */
const rampWeight = (at: number): number => Math.min(50, 5 * at);

/**
 * Gives the delivery of minutes to the judge: called with each minute in turn, it gives the minutes visible at its end.
 */
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

/** Container Apps splits traffic by whole percentages. */
const wholePercent = (weight: number): number => Math.min(100, Math.max(0, Math.round(weight)));

/** One look of a run. */
interface Look {
  readonly now: number;
  readonly arrived: readonly Minute[];
  readonly move: Move<unknown>;
}

/** Plays one run of a contestant and reports every look. */
function follow(
  contestant: Contestant,
  track: Track,
  cell: Cell,
  seed: number,
  world: World,
  report: (look: Look) => void,
): Ended {
  const arriving = delivery(cell, seed);
  const weights: number[] = [0];
  const watched = (): number => weights.slice(0, horizonMinutes).filter((weight) => weight > 0).length;
  let state = contestant.start(world.history);
  let canaryRequests = 0;
  let harmed = 0;
  for (let now = 0; now < horizonMinutes; now++) {
    const happened = world.happen(now, (at) => weights[at] ?? 0);
    const arrived = arriving(happened.minute);
    canaryRequests += happened.minute.canary.requests;
    harmed += happened.harmed;
    const move = contestant.look(state, now, arrived);
    report({ now, arrived, move });
    if (move.ending === "promoted")
      for (let after = now + 1; after < horizonMinutes; after++) harmed += world.harmWhenPromoted(after);
    if (move.ending !== undefined) return { ending: move.ending, minutes: watched(), canaryRequests, harmed };
    state = move.state;
    weights.push(track === "A" ? rampWeight(now + 1) : wholePercent(move.weight));
  }
  return { ending: "unfinished", minutes: watched(), canaryRequests, harmed };
}

/**
 * Plays one run of a cell for each contestant.
 *
 * All randomness comes from the seed, so that a run can be repeated, and contestants
 * differ by their decisions and not by luck.
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

/** How a killed judge decided differently from one that was not killed. */
export interface Difference {
  /** The minute of the look after which it was killed. */
  readonly killedAfter: number;
  readonly at: number;
  readonly lived: string;
  readonly killed: string;
}

const decided = ({ weight, ending, waiting }: Move<unknown>): string => JSON.stringify({ weight, ending, waiting });

/**
 * Kills the judge after each look of a run in turn, and continues from its state, written as JSON
 * and read again, with the minutes of the last look delivered a second time. Gives the number of
 * deaths, and the first difference after each.
 *
 * This finds a state that is not plain data and a judge that counts a minute twice.
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
      if (decided(again) !== decided(move))
        return [{ killedAfter: last.now, at: now, lived: decided(move), killed: decided(again) }];
      state = again.state;
    }
    return [];
  });
  return { deaths: Math.max(0, looks.length - 1), differences };
}
