// The output of a process that writes a line of JSON for each event, such as a log.
import type { ChildProcess } from "node:child_process";

/**
 * Collects what a process writes, and gives it as parsed lines of JSON whenever it is asked. A last line that is not
 * whole yet is left out.
 */
export function jsonLinesOf(child: ChildProcess): () => readonly any[] {
  let text = "";
  child.stdout!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  return () =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
}
