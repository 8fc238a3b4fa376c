// The lines of `ballast top`: a table as wide as the terminal, or one line per rollout for a log. Pure: the caller
// passes the time and the terminal's size.
import { type RolloutSummary, succeeded } from "../../client/rollouts.ts";
import { phaseWords } from "../../engines/rollout/wording.ts";
import { duration, secondsBetween } from "../../engines/time.ts";

/** A rollout as last read from the control plane. */
export interface Watched {
  readonly rollout: RolloutSummary;
  /** When it was first seen to have ended; undefined while it is in progress. */
  readonly endedAt: number | undefined;
}

/** The role of a piece of text, from which its colour follows. */
export type Tone = "plain" | "dim" | "bold" | "canary" | "good" | "bad";

/** Colours a text by its tone. */
export type Paint = (tone: Tone, text: string) => string;

/** Draws the canary's share of traffic as a bar. Any share fills at least one cell, and only 100 percent fills all. */
export function bar(percent: number, width: number): string {
  const full =
    percent === 0 ? 0 : Math.max(1, Math.min(width - (percent < 100 ? 1 : 0), Math.round((percent * width) / 100)));
  return "█".repeat(full) + "░".repeat(width - full);
}

/** Describes the evidence. The brief form has only the evidence against the canary, which can roll it back. */
export function evidence({ evidence: known }: RolloutSummary, isBrief = false): string {
  if (!known) return "none yet";
  const against = `${short(known.against)} of ${short(known.againstMax)}`;
  if (isBrief) return against;
  return known.favour === null
    ? `against ${against}`
    : `against ${against}, for ${short(known.favour)} of ${short(known.favourMin)}`;
}

const short = (odds: number): string =>
  odds < 9.95 ? odds.toFixed(1) : odds.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });

const phaseOf = ({ result, paused, phase }: RolloutSummary): string =>
  result ?? (paused ? "paused" : phaseWords(phase));

/** Gives a rollout as one line for a log. */
export const logLine = ({ rollout }: Watched, now: number): string =>
  [clock(now), rollout.app, `${rollout.percent} %`, phaseOf(rollout), evidence(rollout), oneLine(rollout.message)].join(
    "  ",
  );

/** Gives a terminal's size. One that does not know it, such as that of `script` or of a container, says 0. */
export const sizeOf = ({ columns, rows }: { readonly columns: number; readonly rows: number }) => ({
  columns: columns || 80,
  rows: rows || 24,
});

/** Draws the screen: one line per rollout, cut to the terminal's width and height. */
export function screen(
  watched: readonly Watched[],
  {
    now,
    columns,
    rows,
    trouble,
  }: { readonly now: number; readonly columns: number; readonly rows: number; readonly trouble?: string },
  paint: Paint,
): readonly string[] {
  const inFlight = watched.filter(({ endedAt }) => endedAt === undefined).length;
  const count = inFlight === 0 ? "no rollouts in progress" : `${inFlight} in progress`;
  const title = `ballast top  ${count}  ${clock(now)} UTC  press q to quit`;
  const head = [
    paint("bold", fit(title, columns)),
    ...(trouble ? [paint("bad", fit(oneLine(trouble), columns))] : []),
    "",
  ];
  if (watched.length === 0) return head;
  const isNarrow = columns < 120;
  const width = isNarrow ? 8 : 20;
  const cells = watched.map(({ rollout, endedAt = now }) => [
    rollout.app,
    `${bar(rollout.percent, width)} ${String(rollout.percent).padStart(3)} %`,
    `${phaseOf(rollout)} ${elapsed(rollout.startedAt, endedAt)}`,
    evidence(rollout, isNarrow),
  ]);
  const names = ["APP", "WEIGHT", "PHASE", isNarrow ? "AGAINST" : "EVIDENCE (ODDS)", "WHY"];
  const widths = names
    .slice(0, -1)
    .map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]!.length)));
  const line = (texts: readonly string[], why: string) =>
    fit(`${texts.map((text, column) => text.padEnd(widths[column]!)).join("  ")}  ${why}`, columns);
  const lines = watched.map(({ rollout, endedAt }, index) =>
    paint(toneOf(rollout, endedAt), line(cells[index]!, oneLine(rollout.message))),
  );
  const room = Math.max(1, rows - head.length - 2);
  const hidden = lines.length - room;
  return [
    ...head,
    paint("dim", line(names.slice(0, -1), names.at(-1)!)),
    ...lines.slice(0, hidden > 0 ? room - 1 : room),
    ...(hidden > 0 ? [paint("dim", fit(`and ${hidden + 1} more`, columns))] : []),
  ];
}

function toneOf({ result }: RolloutSummary, endedAt: number | undefined): Tone {
  if (endedAt === undefined) return "canary";
  if (result === null) return "dim";
  return succeeded(result) ? "good" : "bad";
}

const elapsed = (from: number, to: number): string => duration(Math.max(0, Math.round(secondsBetween(from, to))));
const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);
/** Replaces control characters, so that a message cannot move the cursor. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, " ");
const fit = (text: string, columns: number): string =>
  text.length <= columns ? text.trimEnd() : `${text.slice(0, Math.max(0, columns - 1))}…`;
