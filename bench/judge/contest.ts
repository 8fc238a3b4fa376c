// One cell of the contest, played by everybody who takes part and counted. It is the piece that workers share out among themselves, and that the
// tests play a few of; who shares out is not known here.

import type { Cell } from "./cells.ts";
import type { Contestant } from "./contestant.ts";
import { count, type Row, score } from "./scores.ts";
import { type Ended, play, replayTrack, type Track, tracks } from "./tracks.ts";
import { createWorld } from "./traffic.ts";

/** What came of one cell. */
export interface Played {
  readonly rows: readonly Row[];
  readonly deaths: number;
  readonly differences: number;
}

const replayedRuns = 3;

/**
 * Plays a cell so many times in both tracks, and kills the contestant that is to be replayed at every look of the first few runs.
 *
 * Run `i` has the seed `seed + i` in every cell, so that any of them can be had again alone.
 */
export function contest(
  contestants: readonly Contestant[],
  cell: Cell,
  seed: number,
  runs: number,
  replayed?: string,
): Played {
  const takePart = (track: Track): readonly Contestant[] =>
    contestants.filter(({ onlyOwnWeights }) => track === "B" || !onlyOwnWeights);
  const ended = tracks.map((track) => takePart(track).map((): Ended[] => []));
  for (let run = 0; run < runs; run++) {
    const world = createWorld(cell, seed + run);
    for (const [index, track] of tracks.entries())
      for (const [who, one] of play(takePart(track), track, cell, seed + run, world).entries())
        ended[index]![who]!.push(one);
  }
  const rows = tracks.flatMap((track, index) =>
    takePart(track).map(({ name }, who) => count(track, cell.name, name, ended[index]![who]!)),
  );
  const replays = contestants
    .filter(({ name }) => name === replayed)
    .flatMap((contestant) =>
      Array.from({ length: Math.min(runs, replayedRuns) }, (_, run) => replayTrack(contestant, cell, seed + run)),
    );
  return {
    rows,
    deaths: replays.reduce((sum, { deaths }) => sum + deaths, 0),
    differences: replays.reduce((sum, { differences }) => sum + differences.length, 0),
  };
}

/**
 * Says what has become worse than is allowed, a sentence each: a good cell in which more may be rolled back than `alphaPercent`, by the upper bound
 * of the interval, and a bad one in which three points fewer are found than the stored rows say.
 */
export function guard(
  rows: readonly Row[],
  cells: readonly Cell[],
  stored: readonly Row[],
  alphaPercent: number,
): readonly string[] {
  return rows.flatMap((row) => {
    const { rolledBack } = score(row);
    const truth = cells.find(({ name }) => name === row.cell)?.truth;
    const what = `${row.contestant}, track ${row.track}, ${row.cell}`;
    if (truth === "good" && rolledBack.high > alphaPercent)
      return [
        `${what}: ${rolledBack.percent.toFixed(1)} % of healthy canaries are rolled back, up to ${rolledBack.high.toFixed(1)} % by the interval, and ${alphaPercent} % are allowed.`,
      ];
    const was = stored.find(
      ({ track, cell, contestant }) => track === row.track && cell === row.cell && contestant === row.contestant,
    );
    if (truth !== "bad") return [];
    if (was === undefined) return [`${what}: there is no stored row to compare with; npm run bench:judge writes them.`];
    return rolledBack.percent < score(was).rolledBack.percent - 3
      ? [
          `${what}: ${rolledBack.percent.toFixed(1)} % of faults are found, and the stored table says ${score(was).rolledBack.percent.toFixed(1)} %.`,
        ]
      : [];
  });
}
