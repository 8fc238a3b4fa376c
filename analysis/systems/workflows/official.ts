// Asks GitHub's own parser which workflow files it rejects. It runs in a child process with a deadline, because a file
// can keep it busy for ever; the child is killed then, and starts again after the file that it was reading.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { NotJudged } from "../../graph.ts";
import type { Place } from "../../place.ts";
import type { Rejection } from "./nodes.ts";

interface Source {
  readonly file: string;
  readonly text: string;
}

/** What GitHub's parser says. */
export interface Official {
  readonly rejected: ReadonlyMap<string, readonly Rejection[]>;
  /** Files on which it took too long. They were judged by everything else. */
  readonly unchecked: readonly NotJudged[];
}

/** One answer of the child: the errors of the source with that number. */
export interface Answer {
  readonly index: number;
  readonly errors: readonly { readonly message: string; readonly line: number; readonly column: number }[];
  /** The parser stumbled, so that what it did not reach is unchecked. */
  readonly hasCrashed?: boolean;
}

const fileSeconds = 3;
const startSeconds = 20;
const program = fileURLToPath(new URL(`official-child${extname(import.meta.url)}`, import.meta.url));

type Child = ChildProcessByStdio<Writable, Readable, null>;

const start = (): Child =>
  spawn(process.execPath, ["--max-old-space-size=512", program], { stdio: ["pipe", "pipe", "ignore"] });

let prepared: Child | undefined;

/** Starts the first child ahead of time, because loading the parser takes longer than reading the files. */
export function prepareOfficial(): void {
  prepared ??= start();
  prepared.on("error", () => undefined);
}

/** Ends the child that was started ahead of time, if it is not needed: the process cannot end before. */
export function dismissOfficial(): void {
  prepared?.kill("SIGKILL");
  prepared = undefined;
}

/** Checks files. It never rejects: a child that cannot run leaves its files unchecked. */
export async function rejectionsOf(sources: readonly Source[]): Promise<Official> {
  const rejected = new Map<string, readonly Rejection[]>();
  const unchecked: NotJudged[] = [];
  let rest = sources;
  if (rest.length === 0) dismissOfficial();
  while (rest.length > 0) {
    const answers = await ask(rest);
    for (const { index, errors, hasCrashed } of answers) {
      const { file } = rest[index]!;
      if (hasCrashed) unchecked.push({ file, because: "GitHub's own parser fails on it; everything else judged it" });
      const at = (line: number, column: number): Place => ({ file, line, column, endLine: line, endColumn: column });
      rejected.set(
        file,
        errors.map(({ message, line, column }) => ({ message, place: at(line, column) })),
      );
    }
    const stuck = rest[answers.length];
    if (stuck) unchecked.push({ file: stuck.file, because: "GitHub's own parser did not finish with it in time" });
    rest = rest.slice(answers.length + 1);
  }
  return { rejected, unchecked };
}

/** Runs one child until it has answered for every source, or is stuck on one. */
function ask(sources: readonly Source[]): Promise<readonly Answer[]> {
  const child = prepared ?? start();
  prepared = undefined;
  const answers: Answer[] = [];
  return new Promise((resolve) => {
    let patience: NodeJS.Timeout | undefined;
    const wait = (seconds: number): void => {
      clearTimeout(patience);
      patience = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
    };
    wait(startSeconds);
    createInterface({ input: child.stdout }).on("line", (line) => {
      wait(fileSeconds);
      const answer = JSON.parse(line) as Answer;
      if (answer.index >= 0) answers.push(answer);
    });
    child.stdin.on("error", () => undefined);
    child.on("error", () => undefined);
    child.on("close", () => {
      clearTimeout(patience);
      resolve(answers);
    });
    child.stdin.end(JSON.stringify(sources.map(({ text }) => text)));
  });
}
