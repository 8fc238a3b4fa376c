// A load generator that behaves like users: requests at a constant rate, each sent when it is due whatever happened to
// the earlier ones (an open loop), and never retried. It runs as a child process, so that its timing does not depend on
// the parent's event loop. It shares the machine with everything else, so it keeps its own work small.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setImmediate as breath, setTimeout as pause } from "node:timers/promises";
import type { Pool } from "undici";
import { ownUsage, type WantedSecond, wantedBetween } from "./starvation.ts";

/**
 * Beyond this many connections, handshakes would slow down the machine. Further requests wait for
 * a connection, and their wait is counted.
 */
const connectionsMax = 256;
/**
 * A generator that is later than this gets too little CPU. To send what it missed would keep it from hearing answers
 * and from stopping, so it leaves that out and reports it.
 */
const latestMilliseconds = 1000;

/** What load to generate. */
export interface LoadOptions {
  /** Requests per second. */
  readonly rate: number;
  /** `https://<app>.<environment>…`. The name is sent in SNI and Host. */
  readonly origin: string;
  /** Requested in turn. @default ["/"] */
  readonly paths?: readonly string[];
  /** The address to connect to, since the emulator's names do not resolve. */
  readonly connectTo?: { readonly host: string; readonly port: number };
  /** The file of a certificate authority to trust, besides the public ones. */
  readonly caFile?: string;
  /** A request without an answer within this time has failed. @default 10_000 */
  readonly timeoutMilliseconds?: number;
}

interface Count {
  readonly answered: number;
  readonly failed: number;
}

/**
 * One second of load, with the CPU that the generator wanted and missed in it.
 *
 * A request fails by a status of 400 or more, or without a complete answer in time.
 */
export interface LoadSecond extends Count, WantedSecond {
  readonly kind: "second";
  readonly sent: number;
  /** Requests that were due but not sent, because the generator itself was late. */
  readonly skipped: number;
  readonly outstanding: number;
  /** Counts by the revision that answered; requests without an answer are under the empty name. */
  readonly byRevision: Readonly<Record<string, Count>>;
}

/** One failed request. */
export interface LoadFailure {
  readonly kind: "failure";
  /** Its x-request-id. */
  readonly id: string;
  /** When it was sent, in milliseconds since 1970. */
  readonly at: number;
  /** Null without an answer. */
  readonly status: number | null;
  readonly revision: string | null;
  readonly milliseconds: number;
  /** Whether it was given up because its time was over. Without an answer and without this, its connection broke. */
  readonly timedOut: boolean;
}

/** The whole load, once every request has ended. Durations count from the time at which a request was due. */
export interface LoadSummary extends Omit<LoadSecond, "kind" | keyof WantedSecond> {
  readonly kind: "summary";
  readonly seconds: number;
  readonly p50Milliseconds: number;
  readonly p95Milliseconds: number;
  readonly p99Milliseconds: number;
}

/** A line of the generator's output. */
export type LoadLine = LoadSecond | LoadFailure | LoadSummary;

/** A running load. */
export interface Load {
  readonly pid: number;
  /** Stops sending, waits for outstanding requests, and gives the summary. */
  readonly stop: () => Promise<LoadSummary>;
}

/** Starts a load in a child process, which ends with this one. @param listen gets each line except the summary */
export function startLoad(
  options: LoadOptions,
  listen: (line: LoadSecond | LoadFailure) => void = () => undefined,
): Load {
  const child = spawn(process.execPath, [import.meta.filename], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] },
    // A group of its own: Ctrl-C in a terminal is for the starter, which then stops the load and gets its summary.
    detached: true,
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

/** Opens connections to the origin's address, with the origin's name in TLS. */
async function openConnections({ origin, caFile, connectTo: to }: LoadOptions): Promise<Pool> {
  // A command that only starts a generator does not load it.
  const undici = await import("undici");
  const connector = undici.buildConnector(caFile ? { ca: readFileSync(caFile) } : {});
  const { hostname } = new URL(origin);
  return new undici.Pool(origin, {
    connections: connectionsMax,
    pipelining: 1,
    connect: (target, connected) =>
      connector(to ? { ...target, servername: hostname, hostname: to.host, port: String(to.port) } : target, connected),
  });
}

/** Sends requests until `stop` aborts, waits for outstanding ones, and reports line by line. */
async function runLoad(options: LoadOptions, report: (line: LoadLine) => void, stop: AbortSignal): Promise<void> {
  const pool = await openConnections(options);
  const prefix = randomUUID().slice(0, 8);
  const paths = options.paths ?? ["/"];
  const timeout = options.timeoutMilliseconds ?? 10_000;
  const tally = tallies();
  const started = performance.now();
  const outstanding = new Set<Promise<void>>();

  const send = async (number: number, dueAt: number): Promise<void> => {
    // A timer may fire slightly early. A request that is sent late counts its delay as waiting.
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
        headers: { "x-request-id": id, "user-agent": "emulator-load" },
        signal: given.signal,
      });
      revision = String(answer.headers["x-emulator-revision"] ?? "") || null;
      for await (const _ of answer.body) {
        // An answer counts only when it is complete.
      }
      status = answer.statusCode;
    } catch {
      // Without a complete answer the status stays null.
    } finally {
      clearTimeout(timer);
    }
    const milliseconds = Math.round(performance.now() - countedFrom);
    const failed = status === null || status >= 400;
    tally.answer(revision ?? "", failed, milliseconds);
    const timedOut = given.signal.aborted;
    if (failed) report({ kind: "failure", id, at, status, revision, milliseconds, timedOut });
  };

  let before = ownUsage();
  const second = (): void => {
    const after = ownUsage();
    report({ kind: "second", ...wantedBetween(before, after), ...tally.second(), outstanding: outstanding.size });
    before = after;
  };
  const everySecond = setInterval(second, 1000);
  for (let number = 0; !stop.aborted; number += 1) {
    const dueAt = started + (number * 1000) / options.rate;
    const wait = dueAt - performance.now();
    if (wait < -latestMilliseconds) {
      tally.skipped();
      continue;
    }
    if (wait > 0) await pause(wait, undefined, { signal: stop }).catch(() => undefined);
    else await breath(); // Late, it still hears answers, timeouts and its stop.
    if (stop.aborted) break;
    tally.sent();
    const sent: Promise<void> = send(number, dueAt).finally(() => outstanding.delete(sent));
    outstanding.add(sent);
  }
  const seconds = (performance.now() - started) / 1000;
  await Promise.all(outstanding);
  clearInterval(everySecond);
  second();
  report({ kind: "summary", ...tally.all(), outstanding: 0, seconds: Math.round(seconds * 10) / 10 });
  await pool.destroy();
}

interface Mutable {
  answered: number;
  failed: number;
}
type Second = Omit<LoadSecond, "kind" | "outstanding" | keyof WantedSecond>;

/**
 * Counts requests for the current second and in all. Durations are in bands of one
 * millisecond, so that memory stays constant.
 */
function tallies(): {
  sent: () => void;
  skipped: () => void;
  answer: (revision: string, failed: boolean, milliseconds: number) => void;
  second: () => Second;
  all: () => Omit<LoadSummary, "kind" | "seconds" | "outstanding">;
} {
  const fresh = () => ({ sent: 0, skipped: 0, answered: 0, failed: 0, byRevision: {} as Record<string, Mutable> });
  const total = fresh();
  const bands = new Uint32Array(20_001);
  let second = fresh();
  const percentile = (share: number): number => {
    let left = Math.ceil((total.answered + total.failed) * share);
    const found = bands.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return Math.max(0, found);
  };
  return {
    sent() {
      total.sent += 1;
      second.sent += 1;
    },
    skipped() {
      total.skipped += 1;
      second.skipped += 1;
    },
    answer(revision, failed, milliseconds) {
      bands[Math.min(milliseconds, bands.length - 1)]! += 1;
      const outcome = failed ? "failed" : "answered";
      for (const counts of [total, second]) {
        counts.byRevision[revision] ??= { answered: 0, failed: 0 };
        counts.byRevision[revision][outcome] += 1;
        counts[outcome] += 1;
      }
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

/**
 * Runs as a program: options are the first line of stdin; it ends with exit code 0 when stdin closes or on a signal.
 */
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

// import.meta.main does not exist in Node 20 and 22.
if (process.argv[1] === import.meta.filename) await main();
