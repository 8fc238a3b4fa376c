// Streams as lines for people: a list, one stream at a glance, and single facts. Times count from the stream's start.
import type { FollowedFact } from "../../client/follow.ts";
import type { StreamSummary, StreamTypes } from "../../client/streams.ts";
import { duration, secondsBetween } from "../../engines/time.ts";
import { styled, table } from "../terminal.ts";
import { fullNameOf } from "./find.ts";
import type { Work } from "./work.ts";

/** Colours a text by a result: green for success, red for failure, cyan while in progress. */
export function inColourOf<Types extends StreamTypes>(
  { isSuccess }: Pick<Work<Types>, "isSuccess">,
  result: Types["end"]["result"] | null,
  text: string,
): string {
  if (result === null) return styled("cyan", text);
  return styled(isSuccess(result) ? "green" : "red", text);
}

/** Gives the table of `list`. */
export function listTable<Types extends StreamTypes>(work: Work<Types>, streams: readonly Types["summary"][]): string {
  const heads = work.columns.map(({ head }) => head);
  const rows = streams.map((stream) => work.columns.map(({ textOf }) => textOf(stream)));
  return table([heads, ...rows], (text, row, column) => {
    if (row === 0) return styled("dim", text);
    return heads[column] === "RESULT" ? inColourOf(work, streams[row - 1]!.result, text) : text;
  });
}

/** Gives the lines of `show`: the stream's name, then a table of what its work shows. */
export function streamLines<Types extends StreamTypes>(work: Work<Types>, stream: Types["summary"]): string {
  const rows = work.rowsOf(stream);
  const style = (text: string, row: number, column: number): string => {
    if (column === 0) return styled("dim", `  ${text}`);
    return rows[row]![0] === "result" ? inColourOf(work, stream.result, text) : text;
  };
  return `${styled("bold", fullNameOf(work.streams, stream))}\n${table(rows, style)}`;
}

/** Gives one fact as a line: when, what kind, and its message. */
export function factLine<Types extends StreamTypes>(
  { failures, observations }: Pick<Work<Types>, "failures" | "observations">,
  { at, kind, message }: Pick<FollowedFact, "at" | "kind" | "message">,
  { startedAt }: Pick<StreamSummary, "startedAt">,
): string {
  const time = duration(secondsBetween(startedAt, at)).padStart(8);
  const usual = observations.includes(kind) ? "dim" : "bold";
  return `${styled("dim", time)}  ${styled(failures.includes(kind) ? "red" : usual, kind.padEnd(15))} ${message}`;
}

/** Gives a message without the result with which it begins, for where the result stands beside it. */
export const beyondResult = (result: string | null, message: string): string =>
  result !== null && message.startsWith(`${result}: `) ? message.slice(result.length + 2) : message;

/** Gives a moment for a column of `list`. */
export const utc = (at: number): string => new Date(at).toISOString().slice(0, 19).replace("T", " ");
