// The answers that users would complain about (4xx, 5xx, or none), by status code and path: what a person who is called
// at night looks for first. The judge does not need them, so a second query reads
// them, only if there are any, and a measurement is complete without them.
import type { LogsTable } from "@azure/monitor-query-logs";
import { groupedBy } from "../../../engines/grouped.ts";
import { type BadAnswer, badAnswersMax } from "../../../engines/rollout/views.ts";
import type { Measurement, RolloutEffect } from "../../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import { type Logs, queryLogs, rowsIn } from "./log-table.ts";
import { maskPath } from "./mask-path.ts";
import { usersRows } from "./users-rows.ts";

type Measure = Extract<RolloutEffect, { kind: "Measure" }>;

/** The most lines that are read; the most frequent answers come first. */
const linesMax = 1_000;

/**
 * Reads the bad answers of a measurement, from the first bucket in which the canary had requests.
 *
 * @returns undefined if there are none, or if they cannot be read. The tallies are worth more than their details.
 */
export async function fetchBadAnswers(
  logs: Logs,
  effect: Measure,
  { buckets, to }: Measurement,
  cancel: AbortSignal,
): Promise<readonly BadAnswer[] | undefined> {
  const watched = buckets.slice(buckets.findIndex(({ canary }) => canary.requests > 0));
  const isBad = watched.some(({ canary, stable }) =>
    [canary, stable].some(({ failed, refused = 0 }) => failed + refused > 0),
  );
  const from = watched[0]?.at;
  if (from === undefined || !isBad || buckets.every(({ canary }) => canary.requests === 0)) return undefined;
  const found = await queryLogs(logs, { query: badAnswersQuery(effect, from, to), from, to }, cancel);
  return found.ok && found.value.status === "Success" ? readAnswers(effect, found.value.tables[0]) : undefined;
}

/** Writes the query. It counts the same rows as the tallies do. */
const badAnswersQuery = (effect: Measure, from: Instant, to: Instant): string =>
  [
    ...usersRows(effect, ["Path"]),
    `where TimeGenerated >= ${moment(from)} and TimeGenerated < ${moment(to)}`,
    "where StatusCode >= 400 or StatusCode < 100 or isnull(StatusCode)",
    "summarize requests = count() by revision = RevisionName, code = coalesce(StatusCode, 0), path = Path",
    `top ${linesMax} by requests`,
  ].join("\n| ");

const moment = (at: Instant): string => `datetime(${new Date(at).toISOString()})`;

function readAnswers({ canary }: Measure, table: LogsTable | undefined): readonly BadAnswer[] | undefined {
  const answers = rowsIn(table, ["revision", "code", "path", "requests"])?.map(
    ([revision, code, path, requests]): BadAnswer => ({
      arm: String(revision) === canary ? "canary" : "stable",
      code: Number(code),
      path: maskPath(String(path)),
      requests: Number(requests),
    }),
  );
  return answers && capped(merged(answers));
}

/** Adds up the answers that are alike once their paths are masked; the most frequent come first. */
const merged = (answers: readonly BadAnswer[]): readonly BadAnswer[] =>
  groupedBy(answers, ({ arm, code, path }) => `${arm} ${code} ${path}`)
    .map((alike) => ({ ...alike[0]!, requests: alike.reduce((sum, { requests }) => sum + requests, 0) }))
    .toSorted(
      (one, other) => other.requests - one.requests || one.code - other.code || (one.path < other.path ? -1 : 1),
    );

/** Keeps the most frequent answers with their paths. Counts the others by code alone, so that a fact stays small. */
const capped = (answers: readonly BadAnswer[]): readonly BadAnswer[] => [
  ...answers.slice(0, badAnswersMax),
  ...merged(answers.slice(badAnswersMax).map((answer) => ({ ...answer, path: "" }))),
];
