// The form of a value that only its reader can check, such as the body of a call of another kind.
import type { Form } from "./form.ts";

/** Any JSON value. */
export const anything: Form<unknown> = { schema: {}, read: (given) => given };
