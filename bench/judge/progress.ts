// What is kept of an unfinished run, so that a killed one can go on: a file with a line for each cell that was played.
// It counts only for exactly the same work: the same cell, seeds, contestants and code.
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Played } from "./contest.ts";
import type { Job } from "./worker.ts";

/** Where cells are looked up and kept. */
export interface Progress {
  readonly find: (job: Job) => Played | undefined;
  readonly keep: (job: Job, played: Played) => void;
}

const root = join(import.meta.dirname, "..", "..");
/** The code that decides an outcome. */
const folders = ["bench/judge", "engines/rollout"];

/** Gives the hash of all code that decides an outcome. */
function hashOfCode(): string {
  const hash = createHash("sha256");
  for (const folder of folders)
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).sort())
      if (file.endsWith(".ts")) hash.update(file).update(readFileSync(join(root, folder, file)));
  return hash.digest("hex");
}

/**
 * Opens a file of finished cells. Unless the run resumes, the file begins empty.
 *
 * A line that was cut short, because the process was killed while it wrote, is played again.
 */
export function openProgress(file: string, { resumes }: { readonly resumes: boolean }): Progress {
  const code = hashOfCode();
  const keyOf = (job: Job): string => createHash("sha256").update(code).update(JSON.stringify(job)).digest("hex");
  mkdirSync(dirname(file), { recursive: true });
  if (!resumes) rmSync(file, { force: true });
  const known = new Map(linesOf(file));
  return {
    find: (job) => known.get(keyOf(job)),
    // The line begins with a line break, so that one that was cut short does not spoil it.
    keep: (job, played) => appendFileSync(file, `\n${JSON.stringify([keyOf(job), played])}`),
  };
}

function linesOf(file: string): readonly (readonly [string, Played])[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as [string, Played]];
    } catch {
      return [];
    }
  });
}
