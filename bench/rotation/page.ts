// The part of docs/evidence/rotation.md that `npm run bench:rotation` writes: a row for each order, of the numbers of
// its runs. Nothing runs here.
import type { OrderRun } from "../../demo/rotation/other-order.ts";
import type { Rotated } from "../../demo/rotation/rotate.ts";
import { markdownTable } from "../markdown-table.ts";
import { spreadOf } from "../performance/statistics.ts";

/** On which machine it was measured, and when. */
export interface Measured {
  readonly day: string;
  readonly runs: number;
  readonly cores: number;
  readonly load: number;
}

const [begins, ends] = ["<!-- bench:rotation -->\n", "<!-- /bench:rotation -->\n"] as const;

/** Gives what a rotation of Ballast came to, in the terms of the other orders. */
export function asRun(rotated: Omit<Rotated, "journal">): OrderRun {
  const { logins, failedLogins, cutQueries, found, adoption, seconds } = rotated;
  return {
    logins,
    failedLogins: failedLogins.length,
    cutQueries,
    passwordChanges: found.passwordChanges,
    outageSeconds: outageSecondsOf(failedLogins.map(({ at }) => at)),
    adoptionSeconds: Math.max(0, ...Object.values(adoption.readers)),
    seconds,
  };
}

/** Gives the seconds from the first failed login to the last one. */
const outageSecondsOf = (failedAt: readonly number[]): number =>
  failedAt.length === 0 ? 0 : (Math.max(...failedAt) - Math.min(...failedAt)) / 1000;

/** The columns: what a run counts, and with how many digits. */
const columns: readonly (readonly [string, keyof OrderRun, number])[] = [
  ["logins a run", "logins", 0],
  ["failed logins", "failedLogins", 0],
  ["cut queries", "cutQueries", 0],
  ["outage, s", "outageSeconds", 1],
  ["adoption, s", "adoptionSeconds", 1],
  ["duration, s", "seconds", 1],
];

/** Writes the part of the page. */
export function renderRuns(results: ReadonlyMap<string, readonly OrderRun[]>, measured: Measured): string {
  const { day, runs, cores, load } = measured;
  const rows = [...results].map(([order, of]) => [
    order,
    ...columns.map(([, field, digits]) =>
      intervalOf(
        of.map((run) => run[field]),
        digits,
      ),
    ),
  ]);
  return [
    `Measured on ${day} with ${runs} ${runs === 1 ? "run" : "runs"} of each order, on ${cores} cores with a load`,
    `average of ${load.toFixed(0)}. Each cell is the median, with the quartiles, and the least and the most.`,
    "",
    markdownTable(["order", ...columns.map(([head]) => head)], rows),
    "",
    "",
  ].join("\n");
}

/** Shows the median, the quartiles, and the least and the most; one number alone if all are the same. */
function intervalOf(samples: readonly number[], digits: number): string {
  const { median, low, high } = spreadOf(samples);
  const shown = [median, low, high, Math.min(...samples), Math.max(...samples)].map((each) => each.toFixed(digits));
  const [middle, first, third, least, most] = shown;
  return shown.every((each) => each === middle) ? middle! : `${middle} (${first} to ${third}; ${least} to ${most})`;
}

/** Puts the part into the page. */
export function withRuns(page: string, part: string): string {
  const [from, to] = [page.indexOf(begins), page.indexOf(ends)];
  if (from === -1 || to < from) throw new Error("The page has no part of the benchmark.");
  return page.slice(0, from + begins.length) + part + page.slice(to);
}
