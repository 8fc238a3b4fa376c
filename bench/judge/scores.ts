// Counts how runs ended and computes scores: percentages with their intervals, and the cells in which a peer does
// better than our judge. The rows keep all counts, so that every figure can be computed again from them.
import type { Cell } from "./cells.ts";
import type { Ended, Track } from "./tracks.ts";

/** How all runs of one contestant in one cell ended. Minutes are pairs of a minute and how many runs ended then. */
export interface Row {
  readonly track: Track;
  readonly cell: string;
  readonly contestant: string;
  readonly promoted: readonly (readonly [number, number])[];
  readonly rolledBack: readonly (readonly [number, number])[];
  readonly unfinished: number;
  /** Median of the requests that the canary had answered when it was rolled back; absent if it never was. */
  readonly canaryRequests?: number;
  /** Mean of the spoiled responses per run. */
  readonly harmed: number;
}

const counted = (minutes: readonly number[]): readonly (readonly [number, number])[] =>
  [...Map.groupBy(minutes, (at) => at)]
    .map(([minute, those]) => [minute, those.length] as const)
    .sort(([one], [other]) => one - other);

/** Counts the runs of a contestant. */
export function count(track: Track, cell: string, contestant: string, runs: readonly Ended[]): Row {
  const ended = (as: Ended["ending"]) => runs.filter(({ ending }) => ending === as);
  const rolledBack = ended("rolled-back");
  const requests = rolledBack.map(({ canaryRequests }) => canaryRequests).sort((one, other) => one - other);
  const harmed = runs.reduce((total, run) => total + run.harmed, 0) / runs.length;
  return {
    track,
    cell,
    contestant,
    promoted: counted(ended("promoted").map(({ minutes }) => minutes)),
    rolledBack: counted(rolledBack.map(({ minutes }) => minutes)),
    unfinished: ended("unfinished").length,
    ...(requests.length > 0 ? { canaryRequests: requests[Math.floor((requests.length - 1) / 2)]! } : {}),
    harmed: Math.round(harmed * 10) / 10,
  };
}

/** A share of runs in percent, with Wilson's 95 percent interval. */
export interface Share {
  readonly percent: number;
  readonly low: number;
  readonly high: number;
}

/** Gives the share of `found` among `all` runs. */
export function wilson(found: number, all: number): Share {
  const z = 1.959964;
  const p = found / all;
  const middle = (p + (z * z) / (2 * all)) / (1 + (z * z) / all);
  const half = (z / (1 + (z * z) / all)) * Math.sqrt((p * (1 - p)) / all + (z * z) / (4 * all * all));
  return {
    percent: 100 * p,
    low: found === 0 ? 0 : 100 * (middle - half),
    high: found === all ? 100 : 100 * (middle + half),
  };
}

/** The score of a contestant in a cell. The minutes are over all runs; a quantile that too few runs reach is absent. */
export interface Score {
  readonly row: Row;
  readonly promoted: Share;
  readonly rolledBack: Share;
  readonly unfinished: Share;
  readonly rollbackMinutes: { readonly median?: number; readonly p90?: number };
  readonly promotionMinutes: { readonly median?: number };
}

const sum = (pairs: Row["promoted"]): number => pairs.reduce((total, [, runs]) => total + runs, 0);
/** Gives the minute by which a share of all runs had ended so; undefined if fewer ever did. */
function reached(pairs: Row["promoted"], all: number, share: number): number | undefined {
  let total = 0;
  for (const [minute, runs] of pairs) {
    total += runs;
    if (total >= share * all) return minute;
  }
  return undefined;
}

/** Scores one row. */
export function score(row: Row): Score {
  const promoted = sum(row.promoted);
  const rolledBack = sum(row.rolledBack);
  const all = promoted + rolledBack + row.unfinished;
  const median = (pairs: Row["promoted"]) => reached(pairs, all, 0.5);
  const at = (name: "median" | "p90", minute: number | undefined) => (minute === undefined ? {} : { [name]: minute });
  return {
    row,
    promoted: wilson(promoted, all),
    rolledBack: wilson(rolledBack, all),
    unfinished: wilson(row.unfinished, all),
    rollbackMinutes: { ...at("median", median(row.rolledBack)), ...at("p90", reached(row.rolledBack, all, 0.9)) },
    promotionMinutes: at("median", median(row.promoted)),
  };
}

/**
 * Finds the good cell that equals a cell without its fault (load, failures,
 * noise, events, telemetry), or the nearest one.
 */
function withoutFault(cell: Cell, cells: readonly Cell[]): Cell | undefined {
  const calm = cells.filter(({ truth, fault }) => truth === "good" && fault === undefined);
  const unlike = (other: Cell): number =>
    (["requestsPerMinute", "failurePercent", "noise", "shared", "telemetry", "diurnal"] as const).filter(
      (field) => JSON.stringify(cell[field]) !== JSON.stringify(other[field]),
    ).length;
  return calm.toSorted((one, other) => unlike(one) - unlike(other))[0];
}

/** The ways to lose, the worst first. */
const stakes = [
  "wrong promotion",
  "detection",
  "false rollback",
  "spoiled responses",
  "minutes to rollback",
  "minutes to promotion",
] as const;

/** A cell in which a peer does better, and in what. */
export interface Loss {
  readonly track: Track;
  readonly cell: string;
  readonly what: (typeof stakes)[number];
  readonly ours: string;
  readonly peer: string;
  readonly theirs: string;
}

const percent = ({ percent: value, low, high }: Share): string =>
  `${value.toFixed(1)} % (${low.toFixed(1)} to ${high.toFixed(1)})`;

function lossesTo(mine: Score, theirs: Score, truth: Cell["truth"]): readonly Omit<Loss, "track" | "cell" | "peer">[] {
  const lower = (what: Loss["what"], ours: Share, other: Share) =>
    other.high < ours.low ? [{ what, ours: percent(ours), theirs: percent(other) }] : [];
  const sooner = (what: Loss["what"], ours: number | undefined, other: number | undefined) =>
    other !== undefined && other < (ours ?? Infinity)
      ? [{ what, ours: ours === undefined ? "never" : `${ours} min`, theirs: `${other} min` }]
      : [];
  if (truth !== "bad")
    return [
      ...(truth === "unknown"
        ? lower("wrong promotion", mine.promoted, theirs.promoted)
        : sooner("minutes to promotion", mine.promotionMinutes.median, theirs.promotionMinutes.median)),
      ...lower("false rollback", mine.rolledBack, theirs.rolledBack),
    ];
  const missed = (share: Share): Share => ({
    percent: 100 - share.percent,
    low: 100 - share.high,
    high: 100 - share.low,
  });
  const isMissed = lower("detection", missed(mine.rolledBack), missed(theirs.rolledBack)).length > 0;
  return [
    ...lower("wrong promotion", mine.promoted, theirs.promoted),
    ...(isMissed
      ? [{ what: "detection" as const, ours: percent(mine.rolledBack), theirs: percent(theirs.rolledBack) }]
      : []),
    ...sooner("minutes to rollback", mine.rollbackMinutes.median, theirs.rollbackMinutes.median),
    ...(theirs.row.harmed < 0.95 * mine.row.harmed && mine.row.harmed - theirs.row.harmed >= 1
      ? [{ what: "spoiled responses" as const, ours: mine.row.harmed.toFixed(0), theirs: theirs.row.harmed.toFixed(0) }]
      : []),
  ];
}

/**
 * Lists where a peer does better than our judge: beyond both intervals for shares, by the median for minutes, by
 * more than a twentieth for spoiled responses.
 *
 * A peer counts in a bad cell only if it rolls back fewer than five percent in the same cell without the fault, because
 * otherwise always rolling back would win. It counts in a good cell if it promotes more than half. The best peer of
 * each cell and measure is named; the worst kind of loss comes first.
 */
export function losses(rows: readonly Row[], cells: readonly Cell[], ours: string): readonly Loss[] {
  const scores = new Map(rows.map((row) => [`${row.track} ${row.cell} ${row.contestant}`, score(row)]));
  const all = rows
    .filter(({ contestant }) => contestant === ours)
    .flatMap((row) => {
      const cell = cells.find(({ name }) => name === row.cell);
      const twin = cell && withoutFault(cell, cells);
      if (cell === undefined) return [];
      return rows
        .filter(({ track, cell: name, contestant }) => track === row.track && name === row.cell && contestant !== ours)
        .flatMap((other) => {
          const theirs = score(other);
          const calm = twin && scores.get(`${row.track} ${twin.name} ${other.contestant}`);
          const counts =
            cell.truth === "bad"
              ? calm !== undefined && calm.rolledBack.percent < 5
              : cell.truth === "unknown" || theirs.promoted.percent > 50;
          return counts
            ? lossesTo(score(row), theirs, cell.truth).map(
                (loss): Loss => ({ ...loss, track: row.track, cell: row.cell, peer: other.contestant }),
              )
            : [];
        });
    });
  const value = ({ what, theirs }: Loss): number => Number.parseFloat(theirs) * (what === "detection" ? -1 : 1);
  const best = [...Map.groupBy(all, ({ track, cell, what }) => `${track} ${cell} ${what}`).values()].map(
    (those) => those.toSorted((one, other) => value(one) - value(other))[0]!,
  );
  return best.toSorted(
    (one, other) => stakes.indexOf(one.what) - stakes.indexOf(other.what) || other.track.localeCompare(one.track),
  );
}
