// The forms of what others write, such as Azure or a call of another kind: little is asked of it, and a part that is
// null is not there.
import { type Form, nullable, optional, text } from "./form.ts";

/** Any JSON value. Only its reader can check it. */
export const anything: Form<unknown> = { schema: {}, read: (given) => given };

/** Any text, which may be empty. */
export const words = text("a text", { least: 0 });

/** A part that may be left out or null. */
export const absent = <Value>(form: Form<Value>) => optional(nullable(form));
