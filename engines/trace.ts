// The trace of a change: the id by which whoever asked for it, such as a run of a workflow, finds it again in the
// journal, in telemetry, in an alert and in an issue. It is that of W3C's Trace Context, so other tools know it too.
import { optional, text } from "./form.ts";
import type { Schema } from "./schema.ts";

/** The trace of a stream, in its facts. Without one nobody has said where it came from. */
export const traceForm = optional(
  text("a trace id: 32 hexadecimal digits", {
    pattern: "^[0-9a-f]{32}$",
    description: "The trace of whoever asked for it, such as a run of a workflow.",
  }),
);

/** The trace in the summary of a stream. */
export const nullableTrace: Schema = {
  type: ["string", "null"],
  description: "The trace of whoever asked for it, such as a run of a workflow; null if none was named.",
};

const id = "(?!0{32})[0-9a-f]{32}";
const whole = new RegExp(`^${id}$`);
/** Only a later version than 00 may have more behind it. A header holds ASCII alone. */
const traceParent = new RegExp(
  `^(?!ff|00.{54})[0-9a-f]{2}-(${id})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\\x20-\\x7e]*)?$`,
);

/** Reports whether a text is the id of a trace. */
export const isTrace = (given: string): boolean => whole.test(given);

/** Gives the trace that a `traceparent` names; undefined if it names none, which W3C has readers ignore. */
export const traceOf = (traceparent: string | null | undefined): string | undefined =>
  traceparent?.trim().match(traceParent)?.[1];
