// Path and query of a call → names and numbers that may be used. Whatever passes here can be put into a stream's name, a
// statement or a sentence; whether there is such an app or rollout is not known here.
import { type Form, index, object, oneOf, optional, type Parsed, read, text } from "../../engines/form.ts";

/** The named parts of paths, as Azure names the things. */
export const names = {
  rg: text("a resource group's name", 90, "^[\\p{L}\\p{N}_().-]+$"),
  app: text("an app's name", 64, "^[A-Za-z][A-Za-z0-9-]*$"),
  revision: text("a revision's name", 64, "^[A-Za-z][A-Za-z0-9-]*$"),
  id: text("the id of a hold", 64, "^[A-Za-z0-9-]+$"),
} satisfies Readonly<Record<string, Form<string>>>;

/** Lists what is wrong with the named parts of a path, decoded. */
export function complaintsAboutPath(path: Readonly<Record<string, string>>): readonly string[] {
  const complaints: string[] = [];
  for (const [name, form] of Object.entries<Form<string>>(names))
    if (name in path) form.read(path[name], `The ${name} in the path`, complaints);
  return complaints;
}

/** Which rollouts a list is to show. */
export const filterForm = object({
  resourceGroup: optional<string | undefined>(names.rg, undefined),
  app: optional<string | undefined>(names.app, undefined),
  inFlight: optional<string | undefined>(oneOf(["true"]), undefined),
});

/** From which fact on a rollout is to be followed. */
export const followForm = object({ from: optional(index, 0) });

/** Reads a query by its form; a name that the form does not have is refused, as in a body. */
export const readQuery = <Value>(form: Form<Value>, query: URLSearchParams): Parsed<Value> =>
  read(form, Object.fromEntries(query));
