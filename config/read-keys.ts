// Reads the keys of a stack by their forms, and turns what is wrong into errors that name the key. What only a
// configuration has is here too: values that the Pulumi CLI hands over as JSON, and placeholders of the example files.
import { type ObjectOf, read } from "../engines/form.ts";
import { complaintWithValue, type Place, type Problem, pathOf } from "../engines/problem.ts";
import { configKeyMissing, configPlaceholderLeft, configValueIllTyped } from "../errors/config.ts";
import { secretKeys, settingsForm } from "./keys.ts";
import { refuseUnknown } from "./refuse-unknown.ts";

/**
 * Reads the keys by their names without `ballast:`.
 *
 * @throws config-key-unknown, config-key-missing, config-placeholder-left, config-value-ill-typed
 */
export function readKeys(given: ReadonlyMap<string, string>): ObjectOf<(typeof settingsForm)["fields"]> {
  const fields = Object.entries(settingsForm.fields);
  const known = [...fields.map(([key]) => key), ...Object.values(secretKeys)];
  refuseUnknown([...given.keys()], known, "");
  const values = Object.fromEntries(
    fields.map(([key, { schema }]) => {
      const value = refuseMissing(`ballast:${key}`, given.get(key));
      return [key, schema["type"] === "string" ? value : json(value)];
    }),
  );
  // A variable of a service may well have angle brackets.
  for (const [key, value] of Object.entries(values))
    if (key !== "storefrontEnvironment") refusePlaceholders([`ballast:${key}`], value);
  const parsed = read(settingsForm, values);
  if ("value" in parsed) return parsed.value;
  throw refusalOf(parsed.problems);
}

/** Refuses a key without a value; an empty text is one. @throws config-key-missing */
export function refuseMissing(key: string, value: string | undefined): string {
  if (value === undefined) throw configKeyMissing({ key });
  return value;
}

function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value; // a bare word: the form of the key says what it must be
  }
}

/** Refuses a value that still holds a placeholder such as `<your registry>`. @throws config-placeholder-left */
export function refusePlaceholders(at: Place, value: unknown): void {
  if (typeof value === "string" && /<[^<>]+>/.test(value)) throw configPlaceholderLeft({ key: pathOf(at), value });
  if (typeof value !== "object" || value === null) return;
  for (const [name, each] of Object.entries(value))
    refusePlaceholders([...at, Array.isArray(value) ? Number(name) : name], each);
}

/** Makes the error of problems: the first unknown field, which may explain others, or all values of another type. */
function refusalOf(problems: readonly Problem[]): Error {
  for (const problem of problems)
    if (problem.kind === "unknown") refuseUnknown(problem.names, problem.known, `${pathOf(problem.at)}.`);
  return configValueIllTyped({
    complaints: problems.map(({ at: [key = "", ...rest], ...problem }) =>
      complaintWithValue({ ...problem, at: [`ballast:${key}`, ...rest] }),
    ),
    keys: [...new Set(problems.map(({ at }) => `ballast:${pathOf(at)}`))],
  });
}
