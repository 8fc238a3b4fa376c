// How the demo is asked to stop: Ctrl-C, SIGTERM, the end of the terminal, or a reader of its output that went away.
// None of these ends the process. The first one starts the takedown, which then runs to its end whoever still listens;
// a later one shortens it.
import { constants } from "node:os";

/** Why the demo stops: a signal, or a reader such as `head` that closed the pipe. */
export type StopReason = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGPIPE";

/** What the demo is asked to do. */
export interface Stopping {
  /** Aborts when the demo should take everything down. */
  readonly signal: AbortSignal;
  /** Aborts when a person asks again: the takedown should skip what only looks nice. */
  readonly hurry: AbortSignal;
  /** Returns why it stops; undefined while nobody has asked. */
  readonly reason: () => StopReason | undefined;
}

/** One Ctrl-C arrives up to three times: from the terminal, from npm, and from the launcher on an older Node. */
const echoMilliseconds = 1000;

/** Listens for everything that asks the demo to stop. @param notify learns of the first request and of the second */
export function listenForStop(notify: (reason: StopReason, isSecond: boolean) => void): Stopping {
  const stop = new AbortController();
  const hurry = new AbortController();
  let reason: StopReason | undefined;
  let askedAt = 0;
  const ask = (asked: StopReason): void => {
    if (reason === undefined) {
      reason = asked;
      askedAt = performance.now();
      stop.abort();
      notify(asked, false);
    } else if (asked !== "SIGPIPE" && !hurry.signal.aborted && performance.now() - askedAt > echoMilliseconds) {
      hurry.abort();
      notify(asked, true);
    }
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => ask(name));
  // Without a listener, the first line that cannot be written would end the process before the takedown.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => ask("SIGPIPE"));
  return { signal: stop.signal, hurry: hurry.signal, reason: () => reason };
}

/** Gives the exit code of a program that a signal ended, as shells do. */
export const exitCodeOf = (reason: StopReason): number => 128 + constants.signals[reason];
