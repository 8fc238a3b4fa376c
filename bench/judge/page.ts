// Writes the page of the contest: what was played, who did how, and where we lose. Every figure on it comes from the counts that it is handed.
import type { AloneRow, cost } from "./alone.ts";
import { type Cell, centre } from "./cells.ts";
import { losses, type Row, type Score, type Share, score, wilson } from "./scores.ts";
import { type Track, tracks } from "./tracks.ts";

/** A whole contest: what was played, and what came of it. */
export interface Results {
  readonly seed: number;
  readonly runs: number;
  readonly horizonMinutes: number;
  /** Deaths of our judge in the replay track, and how many of them changed what was decided. */
  readonly deaths: number;
  readonly differences: number;
  readonly rows: readonly Row[];
  /** What failures alone take, and what a bin costs; only a whole contest looks. */
  readonly alone?: readonly AloneRow[];
  readonly cost?: ReturnType<typeof cost>;
}

/** A percentage with its interval, short: `0 ≤0.4`, `12.3 ±2.0`, `100 ≥99.6`. */
function share({ percent, low, high }: Share): string {
  if (percent === 0) return `0 ≤${high.toFixed(1)}`;
  return percent === 100 ? `100 ≥${low.toFixed(1)}` : `${percent.toFixed(1)} ±${((high - low) / 2).toFixed(1)}`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const markdown = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
const namesOf = (rows: readonly Row[]): readonly string[] => [...new Set(rows.map(({ contestant }) => contestant))];

/** What the tables show of a score, with the cells in which it has a meaning. */
interface Measure {
  readonly title: string;
  readonly truths: readonly Cell["truth"][];
  readonly show: (score: Score) => string;
}

const minute = (at: number | undefined): string => (at === undefined ? "–" : String(at));
const measures: readonly Measure[] = [
  {
    title: "Wrong promotion: % of bad or unproven canaries that were given everybody",
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
    title: "Spoiled responses, a run's mean within the horizon; in brackets canary requests at the rollback, median",
    truths: ["bad"],
    show: ({ row: { harmed, canaryRequests } }) =>
      `${harmed.toFixed(0)}${canaryRequests === undefined ? "" : ` (${canaryRequests})`}`,
  },
  {
    title: "Hold: % of runs without an end at the horizon",
    truths: ["bad", "good", "unknown"],
    show: ({ held }) => share(held),
  },
  {
    title: "Minutes to the promotion of a healthy canary, median over all runs",
    truths: ["good"],
    show: ({ promotionMinutes: { median } }) => minute(median),
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
  return body.length === 0 ? "" : `### ${measure.title}\n\n${markdown(["cell", ...names], body)}\n`;
}

/** All cells together, a line a contestant, by wrong promotions. */
function summary(track: Track, { rows, runs }: Results, cells: readonly Cell[]): string {
  const truths = new Map(cells.map(({ name, truth }) => [name, truth]));
  const lines = namesOf(rows.filter((row) => row.track === track)).map((name) => {
    const mine = rows.filter((row) => row.track === track && row.contestant === name).map(score);
    const those = (...among: readonly Cell["truth"][]) =>
      mine.filter(({ row }) => among.includes(truths.get(row.cell)!));
    const pooled = (scores: readonly Score[], of: "promoted" | "rolledBack" | "held"): number =>
      scores.reduce((sum, one) => sum + one[of].percent, 0) / Math.max(1, scores.length);
    const wrong = pooled(those("bad", "unknown"), "promoted");
    const interval = (scores: readonly Score[], of: "promoted" | "rolledBack" | "held"): string =>
      scores.length === 0
        ? "–"
        : share(wilson(Math.round((pooled(scores, of) / 100) * runs * scores.length), runs * scores.length));
    const above = those("good").filter(({ rolledBack }) => rolledBack.low > 5).length;
    return {
      wrong,
      cells: [
        name,
        interval(those("bad", "unknown"), "promoted"),
        interval(those("bad"), "rolledBack"),
        interval(those("good"), "rolledBack"),
        `${above} of ${those("good").length}`,
        interval(those("bad", "good", "unknown"), "held"),
        String(
          Math.round(those("bad").reduce((sum, { row }) => sum + row.harmed, 0) / Math.max(1, those("bad").length)),
        ),
      ],
    };
  });
  return markdown(
    [
      "",
      "wrong promotion %",
      "detection %",
      "false rollback %",
      "good cells with false rollback surely above 5 %",
      "hold %",
      "spoiled responses a bad run",
    ],
    lines.toSorted((one, other) => one.wrong - other.wrong).map(({ cells: texts }) => texts),
  );
}

const trackNames: Readonly<Record<Track, string>> = {
  B: "Track B: each with its own weights, as documented",
  A: "Track A: the same minutes for all, weights 5 to 50 in ten steps of a minute",
};
const inOrder: readonly Track[] = tracks.toReversed();

/** Gives the summary and the tables of shares for a terminal. */
export function shortTable(results: Results, cells: readonly Cell[]): string {
  const parts = inOrder.flatMap((track) => [
    `## ${trackNames[track]}`,
    summary(track, results, cells),
    ...measures
      .slice(0, 3)
      .map((measure) => matrix(measure, track, results.rows, cells))
      .filter(Boolean),
  ]);
  return [
    `${results.runs} runs a cell, seeds from ${results.seed}; killed after ${results.deaths} looks, ${results.differences} times with another outcome.`,
    ...parts,
  ].join("\n\n");
}

function lossTable(results: Results, cells: readonly Cell[], ours: string): string {
  const lost = losses(results.rows, cells, ours);
  if (!namesOf(results.rows).includes(ours)) return `${ours} took no part in this contest.`;
  return lost.length === 0
    ? "Nowhere, by this rule."
    : markdown(
        ["track", "cell", "in what", ours, "peer", "the peer"],
        lost.map(({ track, cell, what, ours: mine, peer, theirs }) => [track, cell, what, mine, peer, theirs]),
      );
}

function aloneSection({ alone, cost }: Results): string {
  if (alone === undefined) return "";
  const body = alone.map(({ failurePercent, points, ours, known }) => [
    `${failurePercent} %, +${points} pt`,
    `${ours[0]} / ${ours[1]}`,
    `${known[0]} / ${known[1]}`,
  ]);
  const table = markdown(
    ["base and fault", "canary requests, median / p90", "with base and fault known beforehand"],
    body,
  );
  const bin =
    cost === undefined
      ? ""
      : `

One bin of 100,000 requests was judged in ${cost.microseconds.toFixed(0)} µs (median of 300), by all kinds of evidence; the evidence of a rollout was ${cost.bytes} bytes long then.`;
  return `## By failures alone, at ten percent of weight

The same α and tolerated odds, without any other kind of evidence and without a ramp.

${table}${bin}`;
}

/** Writes docs/evidence/judge.md. */
export function page(results: Results, cells: readonly Cell[], ours: string): string {
  const { runs, seed, horizonMinutes, rows, deaths, differences } = results;
  return `# Our judge beside its peers

Written by \`npm run bench:judge\`; every figure comes from that run: ${cells.length} cells, ${runs} runs a cell, run *i* with seed ${seed} + *i*, ${namesOf(rows).length} contestants. Raw counts are in
[bench/judge/results.json](../bench/judge/results.json), the cells in [bench/judge/cells](../bench/judge/cells). \`--quick\` gives the shape in two minutes; \`--seed\`, \`--runs\` and
\`--cells <file>\` put in other luck, faults, noises and loads; \`--help\` says how.

**What a run is.** An hour of stable alone, then a rollout of ${horizonMinutes} minutes, whose first minute has no canary traffic; whoever has come to no end by then *holds*, so that one whose documented time is longer can only hold or roll back here. At the centre ${centre.requestsPerMinute} requests a minute
arrive independently, ${centre.failurePercent} % of them fail, 1 % are refused (4xx), durations are lognormal with a median of 100 ms and a p99 of 386 ms; each cell changes one thing, or is a corner where some judge breaks. A request that
hangs ends as a failure four minutes after it began, as Container Apps' ingress ends it. Everybody meets the same minutes in the same run. Traffic is synthetic: nothing here was measured on Azure.

**What is counted.** A *bad* canary should be rolled back, a *good* one promoted, an *unknown* one (no request, no evidence) held. Percentages are of all runs, with Wilson's 95 % intervals: \`12.3 ±2.0\`, \`0 ≤0.4\`, \`100 ≥99.6\`. Minutes are over all runs,
so that a miss counts as never (–). *Spoiled responses* are those that the fault made fail, be refused or never come, on average for what was sent; a canary that was promoted goes on until the horizon. Slowness spoils none.

${inOrder.map((track) => `## ${trackNames[track]}\n\n${summary(track, results, cells)}`).join("\n\n")}

Means over all cells of a kind depend on which cells there are; the cells themselves are below.

![Bad canaries promoted](plots/wrong-promotions.svg)

![Healthy canaries rolled back](plots/false-rollbacks.svg)

![Minutes to rollback](plots/minutes-to-rollback.svg)

## Where we lose

By rule, not by choice: each cell in which a peer does better than ${ours}, beyond both intervals for percentages, by the median for minutes, by more than a twentieth for spoiled responses. In bad cells a peer counts
if it rolls fewer than 5 % back in the same cell without the fault, else always rolling back would win; in good cells if it promotes more than half. The best peer is named.

${lossTable(results, cells, ours)}

${aloneSection(results)}

## Killed at every look

${deaths === 0 ? `${ours} took no part.` : `The first runs of every cell were played again, our judge killed after each look in turn and another going on from its state as JSON, with the last minutes delivered twice: ${deaths} deaths, ${differences} with another outcome.`}

${inOrder
  .map(
    (track) =>
      `## All cells, track ${track}\n\n${measures
        .map((measure) => matrix(measure, track, rows, cells))
        .filter(Boolean)
        .join("\n")}`,
  )
  .join("\n\n")}`;
}
