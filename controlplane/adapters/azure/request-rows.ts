// Request rows of the ingress (table ContainerAppHTTPLogs) as buckets by revision: which rows count, and which buckets
// are complete. One workspace belongs to one environment, so the app's name identifies its rows.
//
// A row counts in the bucket in which its request ended (TimeGenerated). If it counted where the request
// began, a request that hangs for four minutes would fall into a bucket that was judged long ago, and hanging
// would be invisible.
import type { LogsTable } from "@azure/monitor-query-logs";
import type { Result } from "../../../engines/engine.ts";
import { bandMax, bandsPerDoubling, durationsOf } from "../../../engines/rollout/judge/durations.ts";
import type { Bucket, Count, Measurement, RolloutEffect, Tally } from "../../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import type { Requests } from "../../performers/rollout-ports.ts";
import { fetchBadAnswers } from "./bad-answers.ts";
import type { Connection } from "./connection.ts";
import { queryLogs, rowsIn } from "./log-table.ts";
import { failureOf, type Patience } from "./trouble.ts";
import { usersRows } from "./users-rows.ts";

type Measure = Extract<RolloutEffect, { kind: "Measure" }>;

/** The most buckets of one measurement. After a long silence the next measurement continues from there. */
const bucketsMax = 600;
/** How many times the usual delay a bucket waits for a later row, which would show that its own rows have arrived. */
const quietFactor = 2;

/** Measures the requests of an app by its two revisions. `ingestionSeconds`: how late rows usually arrive. */
export function createRequestRows(
  connection: Pick<Connection, "logs">,
  patience: Patience,
  workspace: string,
  ingestionSeconds: number,
): Requests {
  return {
    measure: async (effect, now, cancel) => {
      const interval = effect.intervalSeconds * 1000;
      const from = Math.ceil(effect.from / interval) * interval;
      const limit = now - ingestionSeconds * 1000;
      if (limit - from < interval) return { ok: true, value: { buckets: [], to: effect.from } };
      const logs = { ...connection, patience, workspace };
      const answered = await queryLogs(logs, { query: requestsQuery(effect, from), from, to: now }, cancel);
      if (!answered.ok) return failureOf(`request rows cannot be read: ${answered.reason}`, answered.trouble);
      if (answered.value.status !== "Success")
        return { ok: false, reason: `the request rows are incomplete: ${answered.value.partialError.code}` };
      const tallies = readTallies(answered.value.tables[0]);
      if (!tallies.ok) return tallies;
      const measured = bucketsOf(effect, from, limit, ingestionSeconds * 1000, tallies.value);
      const answers = await fetchBadAnswers(logs, effect, measured, cancel);
      return { ok: true, value: { ...measured, ...(answers === undefined ? {} : { answers }) } };
    },
  };
}

/**
 * One line of the answer: the requests of one revision, bucket and band of durations; band -1 if the
 * duration is unknown.
 */
interface Row extends Count {
  readonly at: Instant;
  readonly revision: string;
  readonly refused: number;
  readonly band: number;
}

/**
 * Writes the query. A client that hung up (499) was not refused; it may have waited too long, which its duration shows.
 */
export function requestsQuery(effect: Measure, from: Instant): string {
  const milliseconds = Math.round(effect.intervalSeconds * 1000);
  const start = new Date(from).toISOString();
  const duration = "max_of(todouble(RequestDuration), 1.0)";
  return [
    ...usersRows(effect),
    `extend band = iff(isnull(RequestDuration), -1, toint(bin(${bandsPerDoubling}.0 * log2(${duration}), 1.0)))`,
    "summarize requests = count(), " +
      "failed = countif(StatusCode >= 500 or StatusCode < 100 or isnull(StatusCode)), " +
      "refused = countif(StatusCode >= 400 and StatusCode < 499) " +
      `by at = bin_at(TimeGenerated, ${milliseconds}ms, datetime(${start})), revision = RevisionName, band`,
  ].join("\n| ");
}

function readTallies(table: LogsTable | undefined): Result<readonly Row[]> {
  const columns = ["at", "revision", "band", "requests", "failed", "refused"];
  const rows = rowsIn(table, columns);
  if (rows === undefined) return { ok: false, reason: `the request rows lack the columns ${columns.join(", ")}` };
  return {
    ok: true,
    value: rows.map(([at, revision, band, requests, failed, refused]) => ({
      at: new Date(at as string).getTime(),
      revision: String(revision),
      band: Number(band),
      requests: Number(requests),
      failed: Number(failed),
      refused: Number(refused),
    })),
  };
}

/**
 * Gives the complete buckets.
 *
 * A bucket is complete when it ended long enough ago and a later row shows that its rows have arrived. Without a later
 * row it waits as long again, because no row may also mean no request. A bucket without rows is a bucket of zeros.
 */
function bucketsOf(
  effect: Measure,
  from: Instant,
  limit: Instant,
  ingestionMilliseconds: number,
  rows: readonly Row[],
): Measurement {
  const interval = effect.intervalSeconds * 1000;
  const newest = rows.reduce((latest, row) => Math.max(latest, row.at), 0);
  const certain = Math.max(Math.min(limit, newest), limit - (quietFactor - 1) * ingestionMilliseconds);
  const count = Math.min(bucketsMax, Math.max(0, Math.floor((certain - from) / interval)));
  const lines = new Map<string, Row[]>();
  const key = (at: Instant, revision: string | null): string => `${at} ${revision}`;
  for (const row of rows) lines.set(key(row.at, row.revision), [...(lines.get(key(row.at, row.revision)) ?? []), row]);
  const tally = (at: Instant, revision: string | null): Tally => {
    const mine = lines.get(key(at, revision)) ?? [];
    const sum = (of: (row: Row) => number): number => mine.reduce((total, row) => total + of(row), 0);
    const durations = mine.some(({ band }) => band < 0)
      ? undefined
      : durationsOf(mine.map(({ band, requests }) => [Math.min(band, bandMax), requests]));
    return {
      requests: sum(({ requests }) => requests),
      failed: sum(({ failed }) => failed),
      refused: sum(({ refused }) => refused),
      ...(durations === undefined ? {} : { durations }),
    };
  };
  const buckets: readonly Bucket[] = Array.from({ length: count }, (_nothing, index) => {
    const at = from + index * interval;
    return { at, canary: tally(at, effect.canary), stable: tally(at, effect.stable) };
  });
  return { buckets, to: count === 0 ? effect.from : from + count * interval };
}
