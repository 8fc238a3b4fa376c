// Reads the path and the query of a call. A value that passes is safe to use in a stream's name, an SQL statement
// or a message.
import {
  described,
  type Form,
  index,
  line,
  object,
  oneOf,
  optional,
  type Parsed,
  read,
  text,
} from "../../engines/form.ts";
import type { AnyKind } from "../../engines/kind.ts";
import { complaintOf } from "../../engines/problem.ts";
import { appForms } from "../../engines/targets.ts";
import type { Cursor } from "../runtime/ports.ts";

/** The named parts of a path, each with the form of its value. */
export type Names = Readonly<Record<string, Form<string>>>;

/** The named parts of a lock's path. */
export const lockNames = {
  ...appForms,
  id: text("the id of a lock", { most: 64, pattern: "^[A-Za-z0-9-]+$", description: "The lock's id." }),
};

/** What any part of a path is, whatever its form allows: the store keeps it within the name of a stream. */
const anyPart = line(200);

/**
 * Lists what is wrong with the named parts of a path, decoded.
 *
 * A slash separates the parts of a stream's name, so a part with a slash could name another stream.
 */
export function complaintsAboutPath(path: Readonly<Record<string, string>>, names: Names): readonly string[] {
  return Object.entries(names).flatMap(([name, form]) => {
    const where = `The ${name} in the path`;
    for (const each of [form, anyPart]) {
      const parsed = read(each, path[name]);
      if ("problems" in parsed) return parsed.problems.map((problem) => complaintOf({ ...problem, at: [where] }));
    }
    return path[name]!.includes("/") ? [`${where} must not contain a slash.`] : [];
  });
}

/** The most streams of one answer, and the number without a limit. The cursor leads to older ones. */
export const listedMax = 100;

/** Selects the streams of a list: by parts of their names, whether they are in flight, and which page. */
export const filterForm = ({ calls }: AnyKind): Form<Readonly<Record<string, string | undefined>>> =>
  object({
    ...Object.fromEntries(Object.entries(calls.filters).map(([name, part]) => [name, optional(calls.parts[part]!)])),
    inFlight: optional(oneOf(["true"], { description: `Lists only ${calls.plural} that have not ended.` })),
    limit: optional(
      text(`a number from 1 to ${listedMax}`, {
        pattern: "^([1-9][0-9]?|100)$",
        description: `How many ${calls.plural} the answer has at most. 100 by default.`,
      }),
    ),
    cursor: optional(
      text("the next of a list", {
        most: 700,
        pattern: "^[A-Za-z0-9_-]+$",
        description: "Continues where an answer ended: its `next`.",
      }),
    ),
  });

/** Writes a place in a list as callers send it back. */
export const cursorAsText = ({ createdAt, stream }: Cursor): string =>
  Buffer.from(`${createdAt} ${stream}`).toString("base64url");

/** Reads a place in a list; undefined if no list gave it. */
export function cursorFrom(sent: string): Cursor | undefined {
  const [, createdAt, stream] = /^(\d{1,17}) ([^\s\0]+)$/.exec(Buffer.from(sent, "base64url").toString("utf8")) ?? [];
  return createdAt === undefined || stream === undefined ? undefined : { createdAt, stream };
}

/** The first fact to follow. */
export const followForm = object({ from: optional(described(index, "The index of the first fact to send."), 0) });

/** Reads a query by its form. A name that is not in the form is refused, as in a body. */
export const readQuery = <Value>(form: Form<Value>, query: URLSearchParams): Parsed<Value> =>
  read(form, Object.fromEntries(query));
