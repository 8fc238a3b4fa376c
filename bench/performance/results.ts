// What the performance benchmark keeps of a run: the raw samples and counts of each part, with the machine on which and the day on which they were taken.
import { availableParallelism, cpus, totalmem } from "node:os";
import type { Journalled } from "./journal.ts";
import type { Loaded } from "./load.ts";
import type { Previewed } from "./preview.ts";

/** When and on what something was measured. */
export interface Taken {
  readonly at: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly node: string;
}

/** A part is absent until it has been measured. */
export interface Results {
  readonly preview?: Taken & Previewed;
  readonly journal?: Taken & Journalled;
  readonly load?: Taken & { readonly postgres: string; readonly cells: readonly Loaded[] };
}

/** The parts, in the order in which they are measured and shown. */
export const parts = ["preview", "journal", "load"] as const;

/** Describes this machine, now. */
export const here = (): Taken => ({
  at: new Date().toISOString().slice(0, 10),
  cores: availableParallelism(),
  processor: cpus()[0]?.model ?? "unknown",
  memoryBytes: totalmem(),
  node: process.versions.node,
});

/** Writes results as a file, a part a paragraph and a cell a line, so that two runs can be compared by eye. */
export function fileOf({ load, ...rest }: Results): string {
  const written = Object.entries(rest).map(([name, part]) => `${JSON.stringify(name)}: ${JSON.stringify(part)}`);
  if (load) {
    const { cells, ...about } = load;
    written.push(
      `"load": ${JSON.stringify(about).slice(0, -1)}, "cells": [\n${cells.map((cell) => JSON.stringify(cell)).join(",\n")}\n]}`,
    );
  }
  return `{\n${written.join(",\n")}\n}\n`;
}
