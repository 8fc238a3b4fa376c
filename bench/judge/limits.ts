// The promises of our judge, cell by cell: what was measured, the limit, and whether it is met. A share meets its limit
// if the upper end of its interval is less than two points beyond.
import type { Cell } from "./cells.ts";
import { type Row, type Score, type Share, score } from "./scores.ts";

/** A promise beside what was measured. */
export interface Judged {
  readonly cell: string;
  readonly measure: string;
  readonly value: string;
  /** How many healthy canaries were not promoted within the run; empty for a bad canary. */
  readonly unpromoted: string;
  /** The limit in words; "none" if the cell is only measured. */
  readonly limit: string;
  readonly isMet: boolean;
}

/** Of good canaries at most this percentage is rolled back, of bad ones at most this percentage promoted. */
const errorPercentMax = 5;
/** By how much the upper end of an interval may exceed a limit. */
const slackPoints = 2;

const withInterval = ({ percent, low, high }: Share): string =>
  `${percent.toFixed(1)} % (${low.toFixed(1)} to ${high.toFixed(1)})`;
const most = (cell: string, measure: string, share: Share, unlimited: boolean, unpromoted = ""): Judged => ({
  cell,
  measure,
  value: withInterval(share),
  unpromoted,
  limit: unlimited ? "none" : `at most ${errorPercentMax} %`,
  isMet: unlimited || share.high < errorPercentMax + slackPoints,
});

const ofGood = ({ name, goal = {} }: Cell, { rolledBack, unfinished }: Score): readonly Judged[] => [
  most(name, "false rollback", rolledBack, goal.unlimited ?? false, withInterval(unfinished)),
];

function ofBad(
  { name, goal = {} }: Cell,
  { promoted, rolledBack, rollbackMinutes: { median } }: Score,
): readonly Judged[] {
  const { foundPercentMin, medianMinutesMax } = goal;
  return [
    most(name, "wrong promotion", promoted, goal.unlimited ?? false),
    ...(foundPercentMin === undefined
      ? []
      : [
          {
            cell: name,
            measure: "detection",
            value: withInterval(rolledBack),
            unpromoted: "",
            limit: `at least ${foundPercentMin} %`,
            isMet: rolledBack.low > foundPercentMin - slackPoints,
          },
        ]),
    ...(medianMinutesMax === undefined
      ? []
      : [
          {
            cell: name,
            measure: "median time to rollback",
            value: median === undefined ? "never" : `${median} min`,
            unpromoted: "",
            limit: `at most ${medianMinutesMax} min`,
            isMet: (median ?? Infinity) <= medianMinutesMax,
          },
        ]),
  ];
}

/** Judges a contestant of track B by the limits, cell by cell. */
export function judgeLimits(rows: readonly Row[], cells: readonly Cell[], contestant: string): readonly Judged[] {
  return cells.flatMap((cell) => {
    const row = rows.find((one) => one.track === "B" && one.cell === cell.name && one.contestant === contestant);
    if (row === undefined || cell.truth === "unknown") return [];
    return cell.truth === "good" ? ofGood(cell, score(row)) : ofBad(cell, score(row));
  });
}
