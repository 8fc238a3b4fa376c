// Users, as far as a machine can be them: requests at a constant rate, each sent when it is due whatever became of those before
// (an open loop), never sent twice. Started as a child process, so that its timing does not hang on anybody's event loop;
// it shares the machine with everything else, hence the plain dispatcher and the coarse counters. Knows hosts, not clouds.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { buildConnector, Pool } from "undici";

/** More connections than this would be a load of their own: a slow machine would drown in handshakes. Requests beyond it wait, and their time counts. */
const connectionsMax = 256;

export interface LoadOptions {
  /** Requests a second. */
  readonly rate: number;
  /** `https://<app>.<environment>…`: the name goes into SNI and Host. */
  readonly origin: string;
  /** Asked in turn. @default ["/"] */
  readonly paths?: readonly string[];
  /** Where the connection really goes, since names of the stand-in resolve nowhere. */
  readonly connectTo?: { readonly host: string; readonly port: number };
  /** File of the certificate authority to trust, beside the public ones. */
  readonly caFile?: string;
  /** No answer within this time is a failure. @default 10_000 */
  readonly timeoutMilliseconds?: number;
}

interface Count {
  readonly answered: number;
  readonly failed: number;
}

/** One second of load. Failed: a status of 400 or more, or no whole answer in time. */
export interface LoadSecond extends Count {
  readonly kind: "second";
  readonly at: number;
  readonly sent: number;
  readonly outstanding: number;
  /** By the revision that answered; requests without an answer are under the empty name. */
  readonly byRevision: Readonly<Record<string, Count>>;
}

export interface LoadFailure {
  readonly kind: "failure";
  /** Its x-request-id. */
  readonly id: string;
  /** When it was sent, in milliseconds since 1970. */
  readonly at: number;
  /** Null: no answer. */
  readonly status: number | null;
  readonly revision: string | null;
  readonly milliseconds: number;
}

/** Everything together, once every request has its answer or its failure. Times count from when a request was due. */
export interface LoadSummary extends Omit<LoadSecond, "kind" | "at"> {
  readonly kind: "summary";
  readonly seconds: number;
  readonly p50Milliseconds: number;
  readonly p95Milliseconds: number;
  readonly p99Milliseconds: number;
}

export type LoadLine = LoadSecond | LoadFailure | LoadSummary;

export interface Load {
  readonly pid: number;
  /** Ends the arrivals, waits for what is outstanding, and gives the summary. */
  readonly stop: () => Promise<LoadSummary>;
}

/** Starts the load in a process of its own, which ends with this one. @param listen gets each line but the summary. */
export function startLoad(
  options: LoadOptions,
  listen: (line: LoadSecond | LoadFailure) => void = () => undefined,
): Load {
  const child = spawn(process.execPath, [import.meta.filename], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] },
  });
  child.stdin.on("error", () => undefined).write(`${JSON.stringify(options)}\n`);
  let summary: LoadSummary | undefined;
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (text) => {
    const line = JSON.parse(text) as LoadLine;
    if (line.kind === "summary") summary = line;
    else listen(line);
  });
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]);
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.stdin.end();
      await ended;
      if (!summary) throw new Error("the load generator ended without a summary");
      return summary;
    },
  };
}

/** Sends until `stop` aborts, then waits for the outstanding, and tells everything line by line. */
async function runLoad(options: LoadOptions, tell: (line: LoadLine) => void, stop: AbortSignal): Promise<void> {
  const ca = options.caFile ? readFileSync(options.caFile) : undefined;
  const connector = buildConnector({ ...(ca ? { ca } : {}) });
  const { hostname } = new URL(options.origin);
  const to = options.connectTo;
  const pool = new Pool(options.origin, {
    connections: connectionsMax,
    pipelining: 1,
    connect: (target, connected) =>
      connector(to ? { ...target, servername: hostname, hostname: to.host, port: String(to.port) } : target, connected),
  });
  const prefix = randomUUID().slice(0, 8);
  const paths = options.paths ?? ["/"];
  const timeout = options.timeoutMilliseconds ?? 10_000;
  const tally = tallies();
  const started = performance.now();
  const outstanding = new Set<Promise<void>>();

  const send = async (number: number, dueAt: number): Promise<void> => {
    // A timer may fire a little early; what was late to be sent, though, counts as waiting.
    const id = `${prefix}-${number}`;
    const at = Date.now();
    const countedFrom = Math.min(dueAt, performance.now());
    const given = new AbortController();
    const timer = setTimeout(() => given.abort(), timeout);
    let status: number | null = null;
    let revision: string | null = null;
    try {
      const answer = await pool.request({
        path: paths[number % paths.length] ?? "/",
        method: "GET",
        headers: { "x-request-id": id, "user-agent": "localcloud-load" },
        signal: given.signal,
      });
      revision = String(answer.headers["x-localcloud-revision"] ?? "") || null;
      for await (const _ of answer.body) {
        /* read to its end: half an answer is none */
      }
      status = answer.statusCode;
    } catch {
      /* no answer, or not a whole one: status stays null */
    } finally {
      clearTimeout(timer);
    }
    const milliseconds = Math.round(performance.now() - countedFrom);
    const failed = status === null || status >= 400;
    tally.answer(revision ?? "", failed, milliseconds);
    if (failed) tell({ kind: "failure", id, at, status, revision, milliseconds });
  };

  const everySecond = setInterval(
    () => tell({ kind: "second", at: Date.now(), ...tally.second(), outstanding: outstanding.size }),
    1000,
  );
  for (let number = 0; !stop.aborted; number += 1) {
    const dueAt = started + (number * 1000) / options.rate;
    const wait = dueAt - performance.now();
    if (wait > 0) await pause(wait, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) break;
    tally.sent();
    const sent: Promise<void> = send(number, dueAt).finally(() => outstanding.delete(sent));
    outstanding.add(sent);
  }
  const seconds = (performance.now() - started) / 1000;
  await Promise.all(outstanding);
  clearInterval(everySecond);
  tell({ kind: "second", at: Date.now(), ...tally.second(), outstanding: 0 });
  tell({ kind: "summary", ...tally.all(), outstanding: 0, seconds: Math.round(seconds * 10) / 10 });
  await pool.destroy();
}

interface Mutable {
  answered: number;
  failed: number;
}
type Second = Omit<LoadSecond, "kind" | "at" | "outstanding">;

/** Counts for the second under way and for all; times in buckets of one millisecond, so that memory does not grow. */
function tallies(): {
  sent: () => void;
  answer: (revision: string, failed: boolean, milliseconds: number) => void;
  second: () => Second;
  all: () => Omit<LoadSummary, "kind" | "seconds" | "outstanding">;
} {
  const fresh = () => ({ sent: 0, answered: 0, failed: 0, byRevision: {} as Record<string, Mutable> });
  const total = fresh();
  const buckets = new Uint32Array(20_001);
  let second = fresh();
  const percentile = (share: number): number => {
    let left = Math.ceil((total.answered + total.failed) * share);
    return Math.max(
      0,
      buckets.findIndex((count) => (left -= count) <= 0),
    );
  };
  return {
    sent() {
      total.sent += 1;
      second.sent += 1;
    },
    answer(revision, failed, milliseconds) {
      buckets[Math.min(milliseconds, buckets.length - 1)]! += 1;
      for (const counts of [total, second])
        for (const each of [counts, (counts.byRevision[revision] ??= { answered: 0, failed: 0 })])
          each[failed ? "failed" : "answered"] += 1;
    },
    second() {
      const done = second;
      second = fresh();
      return done;
    },
    all: () => ({
      ...total,
      p50Milliseconds: percentile(0.5),
      p95Milliseconds: percentile(0.95),
      p99Milliseconds: percentile(0.99),
    }),
  };
}

/** As a program: options are the first line on stdin; ends when stdin does, or on a signal; exit code 0. */
async function main(): Promise<void> {
  const stop = new AbortController();
  const end = () => stop.abort();
  process.on("SIGTERM", end).on("SIGINT", end);
  const input = createInterface({ input: process.stdin }).on("close", end);
  const [first] = (await once(input, "line")) as [string];
  await runLoad(
    JSON.parse(first) as LoadOptions,
    (line) => void process.stdout.write(`${JSON.stringify(line)}\n`),
    stop.signal,
  );
  process.exit(0);
}

if (process.argv[1] === import.meta.filename) await main(); // not import.meta.main, which Node 20 and 22 have not got
