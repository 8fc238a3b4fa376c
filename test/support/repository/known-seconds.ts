// How long each slow test file takes, as one whole run on two idle cores measured it. The runner starts the slowest
// files first and says in advance how long a run takes. `TIMES=1 npm test` measures again and writes the file.
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

/** The seconds of a file, by its path from the root. */
export type Seconds = Readonly<Record<string, number>>;

const file = new URL("seconds.json", import.meta.url);
/** A file that took less than this is not worth a line. */
const leastSeconds = 5;
/** What a file without a line takes, its start included. */
const otherwise = 2;

/** Gives the path from the root of a file's id, which is its full path. */
export const pathOf = (moduleId: string): string =>
  relative(join(import.meta.dirname, "..", "..", ".."), moduleId).replaceAll("\\", "/");

/** Reads the measured seconds. */
export const readSeconds = (): Seconds => JSON.parse(readFileSync(file, "utf8")) as Seconds;

/** Writes the measured seconds, the slowest file first. */
export const writeSeconds = (seconds: Seconds): void =>
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(slowest(seconds)), null, 2)}\n`);

const slowest = (seconds: Seconds): readonly (readonly [string, number])[] =>
  Object.entries(seconds)
    .map(([path, each]) => [path, Math.round(each)] as const)
    .filter(([, each]) => each >= leastSeconds)
    .sort(([path, one], [another, other]) => other - one || path.localeCompare(another));

/** Gives the seconds of one file, also of one that nobody has measured. */
export const secondsOf = (path: string, seconds: Seconds): number => seconds[path] ?? otherwise;

/** Sorts files so that the slowest one starts first: no run then ends with all workers but one idle. */
export const slowestFirst = (paths: readonly string[], seconds: Seconds): readonly string[] =>
  [...paths].sort((one, other) => secondsOf(other, seconds) - secondsOf(one, seconds));

/** Says how many seconds a run of these files takes if each worker takes the next file as soon as it is free. */
export function expectedSeconds(paths: readonly string[], seconds: Seconds, workers: number): number {
  const busyUntil = Array.from({ length: workers }, () => 0);
  for (const path of slowestFirst(paths, seconds)) {
    const next = busyUntil.indexOf(Math.min(...busyUntil));
    busyUntil[next]! += secondsOf(path, seconds);
  }
  return Math.max(...busyUntil);
}
