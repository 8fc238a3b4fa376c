// The clients under whose eyes a credential is rotated: readers of its published secret, in processes of their own.
// Here they are started, told apart, and counted.
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import type { WantedSecond } from "../../emulator/starvation.ts";
import { endChild } from "../../toolchain/child.ts";
import type { Estate } from "./estate.ts";
import { everyMilliseconds } from "./places.ts";
import type { ReaderLine, ReaderOptions } from "./reader.ts";
import type { ReadersLine, ReadersOrder } from "./readers.ts";
import { connectionSettings } from "./site.ts";

/** A login or a query that did not succeed. */
export type Failure = Extract<ReaderLine, { kind: "failed" }>;
/** When a reader first logged in with another version. */
export type Adoption = Extract<ReaderLine, { kind: "adopted" }>;

/** What came of the readers up to now. */
export interface ReaderCounts {
  logins: number;
  queries: number;
  readonly failures: Failure[];
  readonly adoptions: Adoption[];
}

/** Readers that run. */
export interface Readers {
  readonly counts: ReaderCounts;
  /** Waits until each of them has logged in. */
  readonly ready: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** How often a reader reads the published secret again. On Azure at least every 30 s. */
const rereadMilliseconds = 3_000;

/** Reads again in intervals, from another moment on than others, as independent clients do. */
export const readsEvery = (milliseconds: number, share: number): ReaderOptions["rereads"] => ({
  kind: "every",
  milliseconds,
  firstAfterMilliseconds: milliseconds * share,
});

/** The eight readers beside the app's two replicas: half of them with a pool, in two processes. */
export const usualReaders: readonly (readonly ReaderOptions[])[] = ["exports", "reports"].map((process, half) =>
  [1, 2, 3, 4].map((index) => ({
    who: `${process}-${index}`,
    pooled: index % 2 === 0,
    everyMilliseconds,
    rereads: readsEvery(rereadMilliseconds, (index - 1 + half / 2) / 4),
  })),
);

/**
 * Starts a process with readers of a published secret.
 *
 * @param noteSecond hears the CPU that the process wanted and missed
 */
export function startReaders(
  { cloud, vaultUrl }: Pick<Estate, "cloud" | "vaultUrl">,
  secret: string,
  readers: readonly ReaderOptions[],
  noteSecond: (second: WantedSecond) => void = () => undefined,
): Readers {
  const counts: ReaderCounts = { logins: 0, queries: 0, failures: [], adoptions: [] };
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "readers.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], ...cloud.environment },
  });
  const order: ReadersOrder = {
    connection: connectionSettings(cloud),
    vaultUrl,
    secret,
    readers,
  };
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (text) => note(JSON.parse(text) as ReadersLine, counts, noteSecond));
  const ready = async (): Promise<void> => {
    while (new Set(counts.adoptions.map(({ who }) => who)).size < readers.length) {
      if (child.exitCode !== null) throw new Error(`the readers ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { counts, ready, stop: () => endChild(child) };
}

function note(line: ReadersLine, counts: ReaderCounts, noteSecond: (second: WantedSecond) => void): void {
  switch (line.kind) {
    case "second":
      return noteSecond(line);
    case "count":
      counts.logins += line.logins;
      counts.queries += line.queries;
      return;
    case "failed":
      return void counts.failures.push(line);
    case "adopted":
      return void counts.adoptions.push(line);
  }
}

/** Gives the failures of one kind. */
export const failuresOf = (counts: readonly ReaderCounts[], what: Failure["what"]): readonly Failure[] =>
  counts.flatMap(({ failures }) => failures.filter((failure) => failure.what === what));
