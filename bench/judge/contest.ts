// Plays one cell of the contest with all contestants and counts the outcomes. This is the unit of
// work that main.ts distributes to its workers, and that the tests run on a few cells. It also holds
// the guard against a judge that got worse.
import type { Cell } from "./cells.ts";
import type { Contestant } from "./contestant.ts";
import { count, type Row, score } from "./scores.ts";
import { type Ended, play, replayTrack, type Track, tracks } from "./tracks.ts";
import { createWorld } from "./traffic.ts";

/** The outcome of one cell. */
export interface Played {
  readonly rows: readonly Row[];
  readonly deaths: number;
  readonly differences: number;
}

/** One run of so many is replayed. */
const replayedOf = 200;

/**
 * Plays a cell several times in both tracks, and replays the first few runs of one contestant, which is killed after
 * every minute.
 *
 * Run `i` has the seed `seed + i` in every cell, so that each run can be repeated alone.
 */
export function contest(
  contestants: readonly Contestant[],
  cell: Cell,
  seed: number,
  runs: number,
  replayed?: string,
): Played {
  const inTrack = (track: Track): readonly Contestant[] =>
    contestants.filter(({ onlyOwnWeights }) => track === "B" || !onlyOwnWeights);
  const ended = tracks.map((track) => inTrack(track).map((): Ended[] => []));
  for (let run = 0; run < runs; run++) {
    const world = createWorld(cell, seed + run);
    for (const [index, track] of tracks.entries())
      for (const [who, one] of play(inTrack(track), track, cell, seed + run, world).entries())
        ended[index]![who]!.push(one);
  }
  const rows = tracks.flatMap((track, index) =>
    inTrack(track).map(({ name }, who) => count(track, cell.name, name, ended[index]![who]!)),
  );
  const replays = contestants
    .filter(({ name }) => name === replayed)
    .flatMap((contestant) =>
      Array.from({ length: Math.ceil(runs / replayedOf) }, (_, run) => replayTrack(contestant, cell, seed + run)),
    );
  return {
    rows,
    deaths: replays.reduce((sum, { deaths }) => sum + deaths, 0),
    differences: replays.reduce((sum, { differences }) => sum + differences.length, 0),
  };
}

/**
 * Adds the rows of all others from an earlier whole contest, in the order in which a whole contest gives them: by cell,
 * by track, and ours first. They saw the same requests, so they need not play again if only our judge has changed.
 */
export function besideOthers(rows: readonly Row[], storedRows: readonly Row[]): readonly Row[] {
  const played = new Set(rows.map(({ contestant }) => contestant));
  const others = Map.groupBy(
    storedRows.filter(({ contestant }) => !played.has(contestant)),
    ({ cell, track }) => `${track} ${cell}`,
  );
  return [...Map.groupBy(rows, ({ cell, track }) => `${track} ${cell}`)].flatMap(([place, mine]) => {
    const theirs = others.get(place);
    if (theirs === undefined) throw new Error(`The stored results have no row of ${place}: play the whole contest.`);
    return [...mine, ...theirs];
  });
}

/**
 * Gives a message for each way in which a judge is worse than allowed: it may roll back more than
 * `alphaPercent` in a good cell, by the upper bound of the interval, or it detects three points
 * less in a bad cell than the stored rows say.
 */
export function guard(
  rows: readonly Row[],
  cells: readonly Cell[],
  storedRows: readonly Row[],
  alphaPercent: number,
): readonly string[] {
  return rows.flatMap((row) => {
    const { rolledBack } = score(row);
    const truth = cells.find(({ name }) => name === row.cell)?.truth;
    const what = `${row.contestant}, track ${row.track}, ${row.cell}`;
    if (truth === "good" && rolledBack.high > alphaPercent)
      return [
        `${what}: ${rolledBack.percent.toFixed(1)} % of healthy canaries are rolled back, ` +
          `up to ${rolledBack.high.toFixed(1)} % by the interval; ${alphaPercent} % are allowed.`,
      ];
    const was = storedRows.find(
      ({ track, cell, contestant }) => track === row.track && cell === row.cell && contestant === row.contestant,
    );
    if (truth !== "bad") return [];
    if (was === undefined) return [`${what}: no stored row to compare with; npm run bench:judge writes them.`];
    const found = `${rolledBack.percent.toFixed(1)} % of faults are detected`;
    const stored = score(was).rolledBack.percent;
    return rolledBack.percent < stored - 3 ? [`${what}: ${found}; the stored row says ${stored.toFixed(1)} %.`] : [];
  });
}
