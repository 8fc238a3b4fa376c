// Holds a body to the classes of its fields (field-classes.ts): refuses fields that the emulator does not have, and
// values that Azure's published types let through and Azure does not.
import type { FieldClasses } from "./field-classes.ts";
import { publishedFields } from "./published-types.ts";
import { refusedToo, unsupported } from "./refusals.ts";
import type { Body } from "./resource.ts";

/** Gives every value of a field in a body; a field below a list has one for each element. */
export function valuesAt(body: unknown, path: string): readonly unknown[] {
  return path.split(".").reduce<readonly unknown[]>(
    (found, step) =>
      found.flatMap((each) => {
        const value = (each as Body | null | undefined)?.[step.replace("[]", "")];
        if (!step.endsWith("[]")) return [value];
        return Array.isArray(value) ? (value as unknown[]) : [];
      }),
    [body],
  );
}

const sameText = (one: unknown, other: unknown): boolean => String(one).toLowerCase() === String(other).toLowerCase();

/** Reports whether a value says something: it is not absent, empty, nor one of the harmless values. */
function says(value: unknown, harmless: readonly unknown[]): boolean {
  if (value === null || value === undefined) return false;
  if (typeof value === "object") return Object.values(value).some((each) => says(each, harmless));
  return !harmless.some((each) => sameText(each, value));
}

/** Refuses a body that uses a field which the emulator does not have. @throws ArmError 400 EmulatorUnsupported */
export function refuseUnsupportedFields({ unsupported: refused }: FieldClasses, body: Body): void {
  for (const [path, { why, harmless = [] }] of Object.entries(refused))
    if (valuesAt(body, path).some((value) => says(value, harmless))) throw unsupported(`${why} (${path})`);
}

/** Gives the fields without effect that a body sets. */
export const inertIn = ({ inert }: FieldClasses, body: Body): readonly string[] =>
  Object.keys(inert).filter((path) => valuesAt(body, path).some((value) => says(value, [""])));

/** Refuses a number outside of its range. @throws ArmError 400 */
export function refuseOutOfRange({ ranges = {} }: FieldClasses, body: Body): void {
  for (const [path, [least, greatest]] of Object.entries(ranges))
    for (const value of valuesAt(body, path))
      if (typeof value === "number" && !(value >= least && value <= greatest))
        throw refusedToo(`'${path}' must be ${least} to ${greatest}, not ${value}.`);
}

/**
 * Refuses a number that must be whole, and a value that an enumeration does not have. Azure leaves its enumerations
 * open in the published types only, so that it can add to them.
 *
 * @throws ArmError 400
 */
export function refuseWrongValues(type: string, apiVersion: string, classes: FieldClasses, body: Body): void {
  if (classes.checksValues) return;
  for (const { path, type: kind, literals, isReadOnly } of publishedFields(type, apiVersion)) {
    if (isReadOnly) continue;
    for (const value of valuesAt(body, path)) {
      if (kind === "IntegerType" && typeof value === "number" && !Number.isInteger(value)) {
        if (!classes.decimals?.includes(path)) throw refusedToo(`'${path}' must be a whole number, not ${value}.`);
      } else if (literals.length > 0 && typeof value === "string" && !literals.some((each) => sameText(each, value))) {
        throw refusedToo(`'${path}' must be one of ${literals.map((each) => `'${each}'`).join(", ")}, not '${value}'.`);
      }
    }
  }
  refuseOutOfRange(classes, body);
}
