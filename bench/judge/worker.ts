// A worker thread of the contest: for each cell that it receives it plays the contest and sends back the counts.
import { parentPort } from "node:worker_threads";
import type { Cell } from "./cells.ts";
import { contest } from "./contest.ts";
import { contestants, others, ours } from "./contestants.ts";

/** What a worker plays for one message. */
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
