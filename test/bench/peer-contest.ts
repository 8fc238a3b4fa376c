// Plays a peer of the contest on hand-made minutes, without the worlds of the contest.
import { type Arm, type Contestant, durationBands, type Minute } from "../../bench/judge/contestant.ts";

/** Gives an arm with requests that take `milliseconds` each. */
export function armOf(requests: number, failed: number, milliseconds = 40): Arm {
  const durations = new Array<number>(durationBands).fill(0);
  durations[Math.floor(8 * Math.log2(milliseconds))] = requests;
  return { requests, failed, refused: 0, durations };
}

/** What a minute has; "late" minutes do not arrive. */
export type World = (now: number) => { readonly canary: Arm; readonly stable?: Arm } | "late";
export const healthy = armOf(900, 4);

/**
 * Runs a contestant to its end; each minute arrives as it ends unless it is late.
 * Gives the ending, its minute, and the weights.
 */
export function contest<State>(
  { start, look }: Contestant<State>,
  world: World,
  until = 300,
): { readonly ending: string; readonly at: number; readonly weights: readonly number[] } {
  const weights: number[] = [];
  let state = start([]);
  let weight = 0;
  for (let now = 0; now < until; now++) {
    const minute = world(now);
    const arrived: readonly Minute[] =
      minute === "late" ? [] : [{ at: now, weight, stable: healthy, probes: 0, probesFailed: 0, ...minute }];
    const move = look(state, now, arrived);
    ({ state, weight } = move);
    if (weights.at(-1) !== weight) weights.push(weight);
    if (move.ending) return { ending: move.ending, at: now, weights };
  }
  return { ending: "none", at: until, weights };
}
