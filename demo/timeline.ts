// Prints what happens, when and why, as a person likes to read it. Knows nothing of rollouts; colours only on a terminal.
import { styleText } from "node:util";
import type { Told } from "../client/control-plane.ts";

type Style = Parameters<typeof styleText>[0];

export interface Timeline {
  /** Writes a heading for the next chapter. */
  readonly chapter: (title: string) => void;
  /** Writes one line with the time since the start. */
  readonly line: (text: string, style?: Style) => void;
  /** Writes one fact of a journal, where it is worth a line. */
  readonly fact: (fact: Told) => void;
  /** Writes whether something that had to happen has happened, and keeps count. */
  readonly check: (happened: boolean, what: string) => void;
  readonly failed: () => readonly string[];
  readonly seconds: () => number;
}

/** Starts the clock and gives the timeline. */
export function startTimeline(): Timeline {
  const write = (line: string) => void process.stdout.write(`${line}\n`);
  const startedAt = Date.now();
  const failed: string[] = [];
  const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout });
  const seconds = () => (Date.now() - startedAt) / 1000;
  const clock = () => {
    const s = Math.floor(seconds());
    return paint("dim", `${String(Math.floor(s / 60)).padStart(3)}:${String(s % 60).padStart(2, "0")}`);
  };
  const line: Timeline["line"] = (text, style) =>
    write(`${clock()}  ${style === undefined ? text : paint(style, text)}`);
  return {
    seconds,
    line,
    failed: () => failed,
    chapter: (title) => write(`\n${paint("bold", title)}`),
    fact: ({ kind, text, isWorthTelling }) => {
      if (isWorthTelling) line(`  ${kind.padEnd(13)} ${text}`, styles[kind]);
    },
    check: (happened, what) => {
      if (!happened) failed.push(what);
      line(happened ? `✓ ${what}` : `✗ ${what}`, happened ? "green" : "red");
    },
  };
}

const styles: { readonly [kind: string]: Style } = {
  StepPassed: "green",
  StepReached: "cyan",
  Aborted: "red",
  Held: "yellow",
  Finished: "bold",
  Reverted: "green",
  Probed: "yellow",
  AttemptFailed: "yellow",
};
