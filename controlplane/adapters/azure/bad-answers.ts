// The answers that users would complain about (4xx, 5xx, or none), by status code and path: what a person who is called
// at night looks for first. The judge does not need them, so a second query reads
// them, only if there are any, and a measurement is complete without them.
import type { LogsTable } from "@azure/monitor-query-logs";
import { groupedBy } from "../../../engines/grouped.ts";
import { type BadAnswer, badAnswersMax } from "../../../engines/rollout/views.ts";
import type { Measurement, RolloutEffect } from "../../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import type { Connection } from "./connection.ts";
import { maskPath } from "./mask-path.ts";
import { ask, type Patience } from "./trouble.ts";
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
  { logs }: Pick<Connection, "logs">,
  patience: Patience,
  workspace: string,
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
  const found = await ask(patience, cancel, () =>
    logs.queryWorkspace(
      workspace,
      badAnswersQuery(effect, from, to),
      { startTime: new Date(from), endTime: new Date(to) },
      { serverTimeoutInSeconds: Math.ceil(patience.requestSeconds) },
    ),
  );
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
  const columns = ["revision", "code", "path", "requests"] as const;
  const places = columns.map((name) => table?.columnDescriptors.findIndex((column) => column.name === name) ?? -1);
  if (table === undefined || places.includes(-1)) return undefined;
  const answers = table.rows.map((row): BadAnswer => {
    const [revision, code, path, requests] = places.map((place) => row[place]);
    return {
      arm: String(revision) === canary ? "canary" : "stable",
      code: Number(code),
      path: maskPath(String(path)),
      requests: Number(requests),
    };
  });
  return capped(merged(answers));
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
