// Prints what happens and when, for people; in colour only on a terminal.
import { styleText } from "node:util";
import type { FollowedFact } from "../client/follow.ts";

/** The longest time in which nothing is printed while something runs. */
const silenceMilliseconds = 10_000;

type Style = Parameters<typeof styleText>[0];

/** The printed story, with the checks that passed and failed. */
export interface Timeline {
  /** Prints the heading of the next chapter. */
  readonly chapter: (title: string) => void;
  /** Prints one line with the time since the start. */
  readonly line: (text: string, style?: Style) => void;
  /** Prints a command that runs, and how long it has run whenever nothing else was printed for ten seconds. */
  readonly during: <Result>(command: string, running: Promise<Result>) => Promise<Result>;
  /** Prints one fact of a journal, unless it is bookkeeping or repeats the fact before it. */
  readonly fact: (fact: FollowedFact) => void;
  /**
   * Prints whether something that had to happen did, and keeps what did not. If the machine may have spoilt it, what
   * did not happen is undecided instead of failed.
   */
  readonly check: (happened: boolean, what: string, spoilt?: boolean) => void;
  /** Gives a timeline whose lines wait until `release`, each with the time at which it was said. */
  readonly held: () => { readonly timeline: Timeline; readonly release: () => void };
  readonly failed: () => readonly string[];
  readonly undecided: () => readonly string[];
  readonly seconds: () => number;
}

/** What the timelines of one demo share. */
interface Shared {
  readonly startedAt: number;
  readonly failed: string[];
  readonly undecided: string[];
}

/** Starts the clock and returns the timeline. @param print takes each line; default: standard output */
export const startTimeline = (print = (text: string): unknown => process.stdout.write(`${text}\n`)): Timeline =>
  timelineOf(print, { startedAt: Date.now(), failed: [], undecided: [] });

function timelineOf(print: (text: string) => unknown, shared: Shared): Timeline {
  const { startedAt, failed, undecided } = shared;
  let wroteAt = Date.now();
  const write = (text: string) => {
    wroteAt = Date.now();
    print(text);
  };
  const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout });
  const seconds = () => (Date.now() - startedAt) / 1000;
  const clock = () => {
    const s = Math.floor(seconds());
    return paint("dim", `${String(Math.floor(s / 60)).padStart(3)}:${String(s % 60).padStart(2, "0")}`);
  };
  const line: Timeline["line"] = (text, style) =>
    write(`${clock()}  ${style === undefined ? text : paint(style, text)}`);
  const during: Timeline["during"] = async (command, running) => {
    line(`$ ${command}`, "dim");
    const since = Date.now();
    const heartbeat = setInterval(() => {
      if (Date.now() - wroteAt >= silenceMilliseconds)
        line(`  … ${command} has run for ${Math.round((Date.now() - since) / 1000)} s`, "dim");
    }, 500);
    try {
      return await running;
    } finally {
      clearInterval(heartbeat);
    }
  };
  let last = "";
  return {
    seconds,
    during,
    line,
    held: () => {
      const lines: string[] = [];
      let say = (text: string): unknown => lines.push(text);
      return {
        timeline: timelineOf((text) => say(text), shared),
        release: () => {
          say = write;
          for (const text of lines.splice(0)) write(text);
        },
      };
    },
    failed: () => failed,
    undecided: () => undecided,
    chapter: (title) => write(`\n${paint("bold", title)}`),
    fact: ({ kind, message, isNoteworthy }) => {
      if (!isNoteworthy || message === last) return;
      last = message;
      line(`  ${kind.padEnd(16)} ${message}`, styles[kind]);
    },
    check: (happened, what, spoilt = false) => {
      if (happened) return line(`✓ ${what}`, "green");
      (spoilt ? undecided : failed).push(what);
      if (spoilt) line(`? ${what}; the machine was too busy to tell`, "yellow");
      else line(`✗ ${what}`, "red");
    },
  };
}

const styles: { readonly [kind: string]: Style } = {
  StepPassed: "green",
  StepReached: "cyan",
  Aborted: "red",
  Waiting: "yellow",
  Finished: "bold",
  Reverted: "green",
  Probed: "yellow",
  AttemptFailed: "yellow",
};
