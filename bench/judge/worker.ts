// A worker of the contest: is handed a cell, plays it, and hands back the counts, until it is handed nothing more. It knows neither files nor pages.
import { parentPort } from "node:worker_threads";
import type { Cell } from "./cells.ts";
import { contest } from "./contest.ts";
import { contestants, others, ours } from "./contestants.ts";

/** What a worker is asked to play. */
export interface Job {
  readonly cell: Cell;
  readonly seed: number;
  readonly runs: number;
  readonly names: readonly string[];
}

parentPort?.on("message", ({ cell, seed, runs, names }: Job) =>
  parentPort?.postMessage(
    contest(
      [...contestants, ...others].filter(({ name }) => names.includes(name)),
      cell,
      seed,
      runs,
      ours,
    ),
  ),
);
