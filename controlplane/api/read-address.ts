// Reads the path and the query of a call. A value that passes is safe to use in a stream's name, an SQL statement
// or a message.
import { type Form, index, object, oneOf, optional, type Parsed, read, text } from "../../engines/form.ts";

/** The named parts of paths, as Azure names the things. */
export const names = {
  rg: text("a resource group's name", 90, "^[\\p{L}\\p{N}_().-]+$"),
  app: text("an app's name", 64, "^[A-Za-z][A-Za-z0-9-]*$"),
  revision: text("a revision's name", 64, "^[A-Za-z][A-Za-z0-9-]*$"),
  id: text("the id of a lock", 64, "^[A-Za-z0-9-]+$"),
} satisfies Readonly<Record<string, Form<string>>>;

/** Lists what is wrong with the named parts of a path, decoded. */
export function complaintsAboutPath(path: Readonly<Record<string, string>>): readonly string[] {
  const complaints: string[] = [];
  for (const [name, form] of Object.entries<Form<string>>(names))
    if (name in path) form.read(path[name], `The ${name} in the path`, complaints);
  return complaints;
}

/** Selects the rollouts of a list. */
export const filterForm = object({
  resourceGroup: optional<string | undefined>(names.rg, undefined),
  app: optional<string | undefined>(names.app, undefined),
  inFlight: optional<string | undefined>(oneOf(["true"]), undefined),
});

/** The first fact to follow. */
export const followForm = object({ from: optional(index, 0) });

/** Reads a query by its form. A name that is not in the form is refused, as in a body. */
export const readQuery = <Value>(form: Form<Value>, query: URLSearchParams): Parsed<Value> =>
  read(form, Object.fromEntries(query));
