// `ballast remediation pause --all` and `resume --all`: a stop of every action, with a reason and an end; and how it is
// shown beside remediations.
import { InvalidArgumentError } from "commander";
import { type PauseOfAll, pauseAll, pauseOfAll, resumeAll } from "../../client/pause.ts";
import type { Access } from "../../client/requests.ts";
import { longestSeconds } from "../../engines/pause.ts";
import { utc } from "../streams/lines.ts";
import type { SignalOfAll } from "../streams/work.ts";

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads a time such as `30m`, `2h` or `1d`, in seconds. */
export function secondsIn(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (units[unit] ?? 0);
  if (seconds >= 1 && seconds <= longestSeconds) return seconds;
  throw new InvalidArgumentError("Expected a time of at most 30 days, such as 30m, 2h or 1d.");
}

/** Describes a pause. */
export const pauseLine = ({ by, message, until }: PauseOfAll): string =>
  `All remediations are paused until ${utc(until)} UTC by ${by}: ${message}. Diagnostics and calls of people go on.`;

/** Gives what is to be said beside remediations while all are paused. */
export async function standingOf(access: Access): Promise<{ readonly json: object; readonly line?: string }> {
  const paused = await pauseOfAll(access);
  return { json: { allPaused: paused }, ...(paused === null ? {} : { line: pauseLine(paused) }) };
}

/** What `--all` does, by the signal. */
export const ofAll: Readonly<Partial<Record<string, SignalOfAll>>> = {
  pause: {
    description: "pause all remediations, in every replica",
    time: {
      description: "with --all: after which time the pause ends by itself, such as 30m, 2h or 1d",
      read: secondsIn,
    },
    example: "--all --for 2h",
    carryOut: async (access, message, seconds = 0) => {
      const paused = await pauseAll(access, message, seconds);
      return { json: { accepted: true, allPaused: paused }, line: pauseLine(paused) };
    },
  },
  resume: {
    description: "end the pause of all remediations; those paused one by one stay paused",
    example: "--all",
    carryOut: async (access, message) => {
      const wasPaused = await resumeAll(access, message);
      const line = wasPaused
        ? "Remediations are no longer paused. What waited goes on within a minute."
        : "Remediations were not paused as a whole.";
      return { json: { accepted: true, wasPaused }, line };
    },
  },
};
