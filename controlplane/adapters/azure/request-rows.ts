// Request rows of the ingress (table ContainerAppHTTPLogs) as bins by revision. It knows which bins are complete and
// which rows count; it does not know what good or bad figures are. One workspace belongs to one environment: rows are
// told apart by the app's name.
//
// A row counts in the bin in which its request ended (TimeGenerated), not began: a request that hangs for four minutes
// would otherwise arrive in a bin that was judged long ago, and hanging would be invisible.
import type { LogsTable } from "@azure/monitor-query-logs";
import type { Result } from "../../../engines/engine.ts";
import { bucketMax, bucketsPerDoubling, durationsOf } from "../../../engines/rollout/judge/durations.ts";
import type { Bin, Count, Measurement, RolloutEffect, Tally } from "../../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import type { Requests } from "../../runtime/ports.ts";
import type { Connection } from "./connection.ts";
import { ask, type Patience } from "./trouble.ts";

type Measure = Extract<RolloutEffect, { kind: "Measure" }>;

/** The most bins that one measurement gives; after a long silence the next measurement goes on from there. */
const binsMax = 600;
/** How much longer than usual a bin waits for a later row to show that the rows have come so far. */
const quietFactor = 2;

/** Measures the requests of an app by its two revisions. `ingestionSeconds`: how late rows are as a rule. */
export function createRequestRows(
  connection: Pick<Connection, "logs">,
  patience: Patience,
  workspace: string,
  ingestionSeconds: number,
): Requests {
  return {
    measure: async (effect, now, cancel) => {
      const tick = effect.tickSeconds * 1000;
      const from = Math.ceil(effect.from / tick) * tick;
      const limit = now - ingestionSeconds * 1000;
      if (limit - from < tick) return { ok: true, value: { bins: [], to: effect.from } };
      const answered = await ask(patience, cancel, () =>
        connection.logs.queryWorkspace(
          workspace,
          requestsQuery(effect, from),
          { startTime: new Date(from), endTime: new Date(now) },
          { serverTimeoutInSeconds: Math.ceil(patience.requestSeconds) },
        ),
      );
      if (!answered.ok) return { ok: false, reason: `request rows cannot be read: ${answered.reason}` };
      if (answered.value.status !== "Success")
        return { ok: false, reason: `request rows came incomplete: ${answered.value.partialError.code}` };
      const tallies = readTallies(answered.value.tables[0]);
      return tallies.ok
        ? { ok: true, value: binsOf(effect, from, limit, ingestionSeconds * 1000, tallies.value) }
        : tallies;
    },
  };
}

/** One line of the answer: what one revision did in one bin with requests that took about as long; -1 where the rows do not say how long. */
interface Row extends Count {
  readonly at: Instant;
  readonly revision: string;
  readonly refused: number;
  readonly bucket: number;
}

/**
 * Writes the question. Names go in as literals, never as text.
 *
 * Requests to a revision's own address or to a label's are left out, since they are our probes and people who try the
 * canary out, not users by weight. Rows that were delivered twice are one: alike in everything that tells requests apart
 * (the request id alone does not, since clients may send their own). A client that hung up (499) was not refused; it may have
 * waited too long, which its duration tells.
 */
export function requestsQuery({ target, canary, stable, tickSeconds }: Measure, from: Instant): string {
  const revisions = stable === null ? [canary] : [canary, stable];
  const ownAddresses = [...revisions.map((revision) => `${revision}.`), `${target.app}---`];
  return [
    "ContainerAppHTTPLogs",
    `where ContainerAppName == ${literal(target.app)} and RevisionName in (${revisions.map(literal).join(", ")})`,
    `where ${ownAddresses.map((address) => `Authority !startswith ${literal(address)}`).join(" and ")}`,
    "distinct TimeGenerated, StartTime, RequestId, RevisionName, StatusCode, RequestDuration",
    `extend bucket = iff(isnull(RequestDuration), -1, toint(bin(${bucketsPerDoubling}.0 * log2(max_of(todouble(RequestDuration), 1.0)), 1.0)))`,
    `summarize requests = count(), failed = countif(StatusCode >= 500 or StatusCode < 100 or isnull(StatusCode)), refused = countif(StatusCode >= 400 and StatusCode < 499) by at = bin_at(TimeGenerated, ${Math.round(tickSeconds * 1000)}ms, datetime(${new Date(from).toISOString()})), revision = RevisionName, bucket`,
  ].join("\n| ");
}

/** Writes a text as a KQL literal; its escapes are those of JSON. */
const literal = (text: string): string => JSON.stringify(text);

function readTallies(table: LogsTable | undefined): Result<readonly Row[]> {
  const columns = ["at", "revision", "bucket", "requests", "failed", "refused"] as const;
  const places = columns.map((name) => table?.columnDescriptors.findIndex((column) => column.name === name) ?? -1);
  if (table === undefined || places.includes(-1))
    return { ok: false, reason: `request rows came without the columns ${columns.join(", ")}` };
  return {
    ok: true,
    value: table.rows.map((row) => {
      const [at, revision, bucket, requests, failed, refused] = places.map((place) => row[place]);
      return {
        at: new Date(at as string).getTime(),
        revision: String(revision),
        bucket: Number(bucket),
        requests: Number(requests),
        failed: Number(failed),
        refused: Number(refused),
      };
    }),
  };
}

/**
 * Gives the bins that are complete.
 *
 * A bin is complete when it ended long enough ago and a later row shows that the rows have come so far; without a later
 * row it waits once more as long, since no row may also mean no request. A bin of which no row came is a bin of zeros.
 */
function binsOf(
  effect: Measure,
  from: Instant,
  limit: Instant,
  ingestionMilliseconds: number,
  rows: readonly Row[],
): Measurement {
  const tick = effect.tickSeconds * 1000;
  const newest = rows.reduce((latest, row) => Math.max(latest, row.at), 0);
  const certain = Math.max(Math.min(limit, newest), limit - (quietFactor - 1) * ingestionMilliseconds);
  const count = Math.min(binsMax, Math.max(0, Math.floor((certain - from) / tick)));
  const lines = new Map<string, Row[]>();
  const key = (at: Instant, revision: string | null): string => `${at} ${revision}`;
  for (const row of rows) lines.set(key(row.at, row.revision), [...(lines.get(key(row.at, row.revision)) ?? []), row]);
  const tally = (at: Instant, revision: string | null): Tally => {
    const mine = lines.get(key(at, revision)) ?? [];
    const sum = (of: (row: Row) => number): number => mine.reduce((total, row) => total + of(row), 0);
    const durations = mine.some(({ bucket }) => bucket < 0)
      ? undefined
      : durationsOf(mine.map(({ bucket, requests }) => [Math.min(bucket, bucketMax), requests]));
    return {
      requests: sum(({ requests }) => requests),
      failed: sum(({ failed }) => failed),
      refused: sum(({ refused }) => refused),
      ...(durations === undefined ? {} : { durations }),
    };
  };
  const bins: readonly Bin[] = Array.from({ length: count }, (_nothing, index) => {
    const at = from + index * tick;
    return { at, canary: tally(at, effect.canary), stable: tally(at, effect.stable) };
  });
  return { bins, to: count === 0 ? effect.from : from + count * tick };
}
