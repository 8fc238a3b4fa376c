// Renders the page of the contest, docs/evidence/judge.md: what was played, a summary of all contestants, and where our
// judge loses. It also renders the tables for the terminal. Every figure comes from the counts in the results.
import { markdownTable } from "../markdown-table.ts";
import type { AloneRow, BucketCost } from "./alone.ts";
import { type Cell, centre } from "./cells.ts";
import { contestants, ourPlan } from "./contestants.ts";
import { type Judged, judgeLimits } from "./limits.ts";
import { losses, type Row, type Score, type Share, score, wilson } from "./scores.ts";
import { horizonMinutes, type Track, tracks } from "./tracks.ts";

/** The results of a whole contest. */
export interface Results {
  readonly seed: number;
  readonly runs: number;
  readonly horizonMinutes: number;
  /** Deaths of our judge in the replay, and how many of them changed a decision. */
  readonly deaths: number;
  readonly differences: number;
  readonly rows: readonly Row[];
  /** Measurements that only a run without options makes. */
  readonly alone?: readonly AloneRow[];
  readonly cost?: BucketCost;
}

/** Gives a percentage with its interval: `0 ≤0.4`, `12.3 ±2.0`, `100 ≥99.6`. */
function share({ percent, low, high }: Share): string {
  if (percent === 0) return `0 ≤${high.toFixed(1)}`;
  return percent === 100 ? `100 ≥${low.toFixed(1)}` : `${percent.toFixed(1)} ±${((high - low) / 2).toFixed(1)}`;
}

const namesOf = (rows: readonly Row[]): readonly string[] => [...new Set(rows.map(({ contestant }) => contestant))];

/** What a table shows of a score, and for which cells. */
interface Measure {
  readonly title: string;
  readonly truths: readonly Cell["truth"][];
  readonly show: (score: Score) => string;
}

const minute = (at: number | undefined): string => (at === undefined ? "–" : String(at));
/** The tables that a run prints in the terminal, with a row for each cell. */
const measures: readonly Measure[] = [
  {
    title: "Wrong promotion: % of bad or unproven canaries that were promoted",
    truths: ["bad", "unknown"],
    show: ({ promoted }) => share(promoted),
  },
  {
    title: "Detection: % of bad canaries rolled back; minutes, median/p90 over all runs",
    truths: ["bad"],
    show: ({ rolledBack, rollbackMinutes: { median, p90 } }) =>
      `${share(rolledBack)}; ${minute(median)}/${minute(p90)}`,
  },
  {
    title: "False rollback: % of healthy or unproven canaries rolled back",
    truths: ["good", "unknown"],
    show: ({ rolledBack }) => share(rolledBack),
  },
  {
    title: "Healthy, not promoted within the run: % of healthy canaries; minutes to promotion, median",
    truths: ["good"],
    show: ({ unfinished, promotionMinutes: { median } }) => `${share(unfinished)}; ${minute(median)}`,
  },
];

function matrix(measure: Measure, track: Track, rows: readonly Row[], cells: readonly Cell[]): string {
  const names = namesOf(rows.filter((row) => row.track === track));
  const at = new Map(rows.filter((row) => row.track === track).map((row) => [`${row.cell}\n${row.contestant}`, row]));
  const body = cells
    .filter(({ truth }) => measure.truths.includes(truth))
    .map(({ name }) => [
      name,
      ...names.map((contestant) => {
        const row = at.get(`${name}\n${contestant}`);
        return row === undefined ? "" : measure.show(score(row));
      }),
    ]);
  return body.length === 0 ? "" : `### ${measure.title}\n\n${markdownTable(["cell", ...names], body)}\n`;
}

/** Renders what each contestant is, one line each. */
function contestantTable(names: readonly string[]): string {
  const rows = contestants.filter(({ name }) => names.includes(name)).map(({ name, about = "" }) => [name, about]);
  return rows.length === 0 ? "" : `## Contestants\n\n${markdownTable(["contestant", "decides by"], rows)}`;
}

/** Reports whether a run is too short for a contestant to promote. */
const cannotDecide = (name: string): boolean =>
  contestants.some((one) => one.name === name && (one.leastMinutes ?? 0) > horizonMinutes);

type Outcome = "promoted" | "rolledBack" | "unfinished";

/** Renders one row for each contestant over all cells, sorted by wrong promotions. */
function summary(track: Track, { rows, runs }: Results, cells: readonly Cell[]): string {
  const truths = new Map(cells.map(({ name, truth }) => [name, truth]));
  const lines = namesOf(rows.filter((row) => row.track === track)).map((name) => {
    const mine = rows.filter((row) => row.track === track && row.contestant === name).map(score);
    const those = (...among: readonly Cell["truth"][]) =>
      mine.filter(({ row }) => among.includes(truths.get(row.cell)!));
    const pooled = (scores: readonly Score[], of: Outcome): number =>
      scores.reduce((sum, one) => sum + one[of].percent, 0) / Math.max(1, scores.length);
    const wrong = pooled(those("bad", "unknown"), "promoted");
    const interval = (scores: readonly Score[], of: Outcome): string =>
      scores.length === 0
        ? "–"
        : share(wilson(Math.round((pooled(scores, of) / 100) * runs * scores.length), runs * scores.length));
    const above = those("good").filter(({ rolledBack }) => rolledBack.low > 5).length;
    return {
      wrong,
      isApart: cannotDecide(name),
      cells: [
        cannotDecide(name) ? `(${name})` : name,
        interval(those("bad", "unknown"), "promoted"),
        interval(those("bad"), "rolledBack"),
        interval(those("good"), "rolledBack"),
        `${above} of ${those("good").length}`,
        interval(those("bad", "good", "unknown"), "unfinished"),
        (those("bad").reduce((sum, { row }) => sum + row.harmed, 0) / Math.max(1, those("bad").length)).toFixed(0),
      ],
    };
  });
  return markdownTable(
    [
      "contestant",
      "wrong promotion %",
      "detection %",
      "false rollback %",
      "good cells with more than 5 % false rollbacks",
      "unfinished %",
      "spoiled responses per bad run",
    ],
    lines
      .toSorted((one, other) => Number(one.isApart) - Number(other.isApart) || one.wrong - other.wrong)
      .map(({ cells: texts }) => texts),
  );
}

const trackNames: Readonly<Record<Track, string>> = {
  B: "Track B: each contestant sets its own weights, as documented",
  A: "Track A: the same minutes for all, with weights from 5 to 50 in ten steps of a minute",
};
const inOrder: readonly Track[] = tracks.toReversed();

/** Renders the summary and the tables of cells for the terminal. */
export function shortTable(results: Results, cells: readonly Cell[]): string {
  const parts = inOrder.flatMap((track) => [
    `## ${trackNames[track]}`,
    summary(track, results, cells),
    ...measures.map((measure) => matrix(measure, track, results.rows, cells)).filter(Boolean),
  ]);
  const { runs, seed, deaths, differences, cost } = results;
  return [
    `${runs} runs per cell, seeds from ${seed}.`,
    `Killed after ${deaths} minutes, ${differences} times with another outcome.`,
    ...parts,
    limitSection(results, cells),
    ...(cost === undefined ? [] : [costLine(cost)]),
  ].join("\n\n");
}

/** Renders what our default plan promises, and whether this run keeps it; what is missed comes first. */
function limitSection({ rows }: Results, cells: readonly Cell[]): string {
  const judged = judgeLimits(rows, cells, ourPlan);
  if (judged.length === 0) return "";
  const missed = judged.filter(({ isMet }) => !isMet);
  const head = ["cell", "measure", "value", "limit", "", "healthy, not promoted in time"];
  const verdictOf = (limit: string, isMet: boolean): string => {
    if (limit === "none") return "–";
    return isMet ? "met" : "**missed**";
  };
  const line = ({ cell, measure, value, limit, isMet, unpromoted }: Judged): readonly string[] => [
    cell,
    measure,
    value,
    limit,
    verdictOf(limit, isMet),
    unpromoted,
  ];
  return `## What the default plan promises

${missed.length} of ${judged.filter(({ limit }) => limit !== "none").length} limits are missed; they come first. A share
meets its limit if the upper end of its interval is less than two points beyond it. A healthy canary that is not
promoted within ${horizonMinutes} minutes, the default of \`maximumSeconds\`, is rolled back for lack of evidence; the
last column has those. A cell without a limit is only measured: such noise is a difference between the arms for as long
as a rollout lasts.

${markdownTable(head, [...missed, ...judged.filter(({ isMet }) => isMet)].map(line))}`;
}

function lossTable(results: Results, cells: readonly Cell[], ours: string): string {
  const lost = losses(
    results.rows.filter(({ contestant }) => !cannotDecide(contestant)),
    cells,
    ours,
  );
  if (!namesOf(results.rows).includes(ours)) return `${ours} did not take part in this contest.`;
  return lost.length === 0
    ? "Nowhere by this rule."
    : markdownTable(
        ["track", "cell", "measure", ours, "peer", "the peer's value"],
        lost.map(({ track, cell, what, ours: mine, peer, theirs }) => [track, cell, what, mine, peer, theirs]),
      );
}

const costLine = ({ microseconds, bytes }: BucketCost): string =>
  `With all kinds of evidence, one bucket of 100,000 requests was judged in ${microseconds.toFixed(0)} µs (median of
300). The evidence of a rollout then had ${bytes} bytes.`;

function aloneSection({ alone, cost }: Results): string {
  if (alone === undefined) return "";
  const body = alone.map(({ failurePercent, points, ours, known }) => [
    `${failurePercent} %, +${points} pt`,
    `${ours[0]} / ${ours[1]}`,
    `${known[0]} / ${known[1]}`,
  ]);
  const table = markdownTable(
    ["base and fault", "canary requests, median / p90", "if base and fault were known"],
    body,
  );
  const bucket = cost === undefined ? "" : `\n\n${costLine(cost)}`;
  return `## How many requests the evidence needs

How many canary requests our judge needs to detect a fault by failures alone, at a weight of ten percent, with the same
α and tolerated odds and without a ramp. The last column is the optimal test, which knows base and fault in advance.

${table}${bucket}`;
}

/** Renders docs/evidence/judge.md. */
export function page(results: Results, cells: readonly Cell[], ours: string): string {
  const { runs, seed, rows, deaths, differences } = results;
  const replay =
    deaths === 0
      ? `${ours} did not take part.`
      : `\
The first runs of every cell were played again. Our judge was killed after each minute in turn, and another instance
continued from its state as JSON, with the last minutes delivered twice:
${deaths} deaths, ${differences} with another outcome.`;
  return `# Our judge beside its peers

\`npm run bench:judge\` writes this page. Every figure comes from one run of it: ${cells.length} cells, ${runs} runs
per cell, run *i* with seed ${seed} + *i*, ${namesOf(rows).length} contestants. The raw counts of every cell are in
[bench/judge/results.json](../../bench/judge/results.json), the cells in
[bench/judge/cells](../../bench/judge/cells). \`--quick\` gives a rough result in five minutes. \`--seed\`,
\`--runs\`, \`--contestant\` and \`--cells <file>\` change the run, \`--resume\` continues a killed one, and \`--help\`
explains them.

${method(results)}

${contestantTable(namesOf(rows))}

${inOrder.map((track) => `## ${trackNames[track]}\n\n${summary(track, results, cells)}`).join("\n\n")}

A contestant in brackets needs more time to promote than a run has, so it is listed last and loses to nobody. The means
depend on the choice of cells. The plots show each cell:

![Bad canaries promoted](plots/wrong-promotions.svg)

![Healthy canaries rolled back](plots/false-rollbacks.svg)

![Minutes to rollback](plots/minutes-to-rollback.svg)

${limitSection(results, cells)}

## Where our judge loses

Each cell in which a peer does better than ${ours}: beyond both intervals for percentages, by the median for minutes,
by more than a twentieth for spoiled responses. For a fault, a peer counts only if it wrongly rolls back under 5 % of
the good canaries of the same cell, because otherwise always rolling back would win. In a cell without a fault it counts
only if it promotes more than half. The table names the best peer.

${lossTable(results, cells, ours)}

${aloneSection(results)}

## Killed after every minute

${replay}
`;
}

const method = ({ horizonMinutes: minutes }: Results): string => `\
**A run** is an hour of stable alone, then a rollout of ${minutes} minutes, whose first minute has no canary
traffic. A contestant that has not ended by then is *unfinished*. One whose documented time is longer can therefore
only roll back or stay unfinished. By default ${centre.requestsPerMinute} requests per minute arrive independently,
${centre.failurePercent} % of them fail, 1 % are refused (4xx), and durations are lognormal with a median of 100 ms
and a p99 of 386 ms. A request that hangs ends as a failure after four minutes, when Container Apps' ingress ends it.
In the same run all contestants see the same minutes. Traffic is synthetic: nothing here was measured on Azure.

**A cell** is one kind of traffic and canary. In "errors +1 pt, base 3 %" the service fails 3 % of its requests, and the
canary one point more. Each cell changes one thing, or is a corner case. *Shocks* multiply the failure rate (or the
durations) by a factor that is drawn anew in each minute, for canary and stable apart. CV is the factor's coefficient
of variation: with CV 1 it varies by as much as its mean.

**Two tracks.** In track A all contestants have the same weights, so that verdicts are compared. In track B each sets
its own, as it would in production.

**The measures.** A *bad* canary should be rolled back and a *good* one promoted; an *unknown* one gets no requests, so
there is no evidence, and neither should happen. Percentages are of all runs, with 95 % confidence intervals (Wilson's
method, which also suits rare outcomes), such as \`12.3 ±2.0\`, \`0 ≤0.4\` or \`100 ≥99.6\`. Minutes are medians over
all runs, so that a miss counts as never.
*Spoiled responses* are the expected number of responses that the fault made fail, be refused or never arrive.
After a promotion a fault spoils responses until the end of the run. Slow responses are not spoiled.`;
