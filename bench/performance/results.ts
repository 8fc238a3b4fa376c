// The results that the performance benchmark keeps: the raw samples and counts of
// each part, with the date and the machine.
import { availableParallelism, cpus, totalmem } from "node:os";
import type { DroppedIn } from "./drop-in.ts";
import type { Journalled } from "./journal.ts";
import type { Loaded } from "./load.ts";
import type { Previewed } from "./preview.ts";
import type { Read } from "./readers.ts";

/** The date and the machine of a measurement. */
export interface Taken {
  readonly at: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly node: string;
}

/** All results; a part is absent until it is measured. */
export interface Results {
  readonly preview?: Taken & Previewed;
  readonly dropIn?: Taken & DroppedIn;
  readonly journal?: Taken & Journalled;
  readonly readers?: Taken & { readonly cells: readonly Read[] };
  readonly load?: Taken & { readonly postgres: string; readonly cells: readonly Loaded[] };
}

/** The parts in the order in which they are measured and shown. */
export const parts = ["preview", "dropIn", "journal", "readers", "load"] as const;

/** Gives the date and this machine. */
export const here = (): Taken => ({
  at: new Date().toISOString().slice(0, 10),
  cores: availableParallelism(),
  processor: cpus()[0]?.model ?? "unknown",
  memoryBytes: totalmem(),
  node: process.versions.node,
});

const placeOf = (part: string): number => (parts as readonly string[]).indexOf(part);

/** Gives the text of results.json, with a line for each part and each cell so that two runs can be compared. */
export function fileOf({ load, ...rest }: Results): string {
  const inOrder = Object.entries(rest).toSorted(([one], [other]) => placeOf(one) - placeOf(other));
  const written = inOrder.map(([name, part]) => `${JSON.stringify(name)}: ${JSON.stringify(part)}`);
  if (load) {
    const { cells, ...about } = load;
    const lines = cells.map((cell) => JSON.stringify(cell)).join(",\n");
    written.push(`"load": ${JSON.stringify(about).slice(0, -1)}, "cells": [\n${lines}\n]}`);
  }
  return `{\n${written.join(",\n")}\n}\n`;
}
