// What is under way as lines: a table as wide as the terminal, or a line for whoever reads a log. It is told the time and the width, and knows
// neither the terminal nor the control plane.

import { type Shown, succeeded } from "../../client/control-plane.ts";
import { duration, secondsBetween } from "../../engines/time.ts";

/** One rollout as it was last seen. */
export interface Watched {
  readonly shown: Shown;
  /** When it was first seen to have ended; undefined while it is in flight. */
  readonly endedAt: number | undefined;
}

/** What a piece of a line is, for whoever colours it. */
export type Tone = "plain" | "dim" | "bold" | "canary" | "good" | "bad";

/** Colours a text; on paper and in tests it changes nothing. */
export type Paint = (tone: Tone, text: string) => string;

/** Draws a weight: as many full cells as the canary has shares of the traffic, and never none where it has any. */
export function bar(percent: number, width: number): string {
  const full =
    percent === 0 ? 0 : Math.max(1, Math.min(width - (percent < 100 ? 1 : 0), Math.round((percent * width) / 100)));
  return "█".repeat(full) + "░".repeat(width - full);
}

/** Writes the evidence; where there is little room only what speaks against the canary, which is what can end it. */
export function evidence({ evidence: known }: Shown, isBrief = false): string {
  if (!known) return "none yet";
  const against = `${short(known.against)} of ${short(known.againstMax)}`;
  if (isBrief) return against;
  return known.favour !== null
    ? `against ${against}, for ${short(known.favour)} of ${short(known.favourMin)}`
    : `against ${against}`;
}

const short = (odds: number): string =>
  odds < 9.95 ? odds.toFixed(1) : odds.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });

/** Writes one rollout as a line for a log. */
export const logLine = ({ shown }: Watched, now: number): string =>
  `${clock(now)}  ${shown.app}  ${shown.percent} %  ${shown.result ?? shown.phase}  ${evidence(shown)}  ${oneLine(shown.sentence)}`;

/** Draws all of them for a terminal, a line each and none longer than it is wide; what has ended is dim. */
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
  const title = `ballast top  ${inFlight === 0 ? "nothing is under way" : `${inFlight} under way`}  ${clock(now)} UTC  q quits`;
  const head = [
    paint("bold", fit(title, columns)),
    ...(trouble ? [paint("bad", fit(oneLine(trouble), columns))] : []),
    "",
  ];
  if (watched.length === 0) return head;
  const isNarrow = columns < 120;
  const width = isNarrow ? 8 : 20;
  const cells = watched.map(({ shown, endedAt = now }) => [
    shown.app,
    `${bar(shown.percent, width)} ${String(shown.percent).padStart(3)} %`,
    `${shown.result ?? shown.phase} ${duration(Math.max(0, Math.round(secondsBetween(shown.startedAt, endedAt))))}`,
    evidence(shown, isNarrow),
  ]);
  const names = ["APP", "WEIGHT", "PHASE", isNarrow ? "AGAINST" : "EVIDENCE, 1 TO", "WHY"];
  const widths = names
    .slice(0, -1)
    .map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]!.length)));
  const line = (texts: readonly string[], why: string) =>
    fit(`${texts.map((text, column) => text.padEnd(widths[column]!)).join("  ")}  ${why}`, columns);
  const lines = watched.map(({ shown, endedAt }, index) =>
    paint(toneOf(shown, endedAt), line(cells[index]!, oneLine(shown.sentence))),
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

const toneOf = ({ result }: Shown, endedAt: number | undefined): Tone =>
  endedAt === undefined ? "canary" : result === null ? "dim" : succeeded(result) ? "good" : "bad";

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);
/** Somebody else's words may not move the cursor. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, " ");
const fit = (text: string, columns: number): string =>
  text.length <= columns ? text.trimEnd() : `${text.slice(0, Math.max(0, columns - 1))}…`;
