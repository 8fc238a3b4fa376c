// Readers of single configuration values. Each takes a value as the stack's file has it and returns it in its type, or
// refuses it with an error that names the key. Readers are composed: `fields` makes one for an object out of one for
// each field.
import { configPlaceholderLeft, configValueIllTyped } from "../errors/config.ts";
import { refuseUnknown } from "./refuse-unknown.ts";

/** Returns a value in its type, or throws an error that names the key (without `ballast:`) at which it was found. */
export type Reader<Value> = (value: unknown, key: string) => Value;

/** Makes a reader that accepts the values for which `accepts` is true; `expected` completes "must be …". */
export const accept =
  <Value>(expected: string, accepts: (value: unknown) => boolean): Reader<Value> =>
  (value, key) => {
    if (!accepts(value)) throw configValueIllTyped({ key, expected, found: describe(value) });
    return value as Value;
  };

function describe(value: unknown): string {
  if (Array.isArray(value)) return `the list ${JSON.stringify(value)}`;
  return typeof value === "object" ? "an object" : JSON.stringify(value);
}

/** Makes a reader of strings that match a pattern. */
const matching = (expected: string, pattern: RegExp): Reader<string> =>
  accept(expected, (value) => typeof value === "string" && pattern.test(value));

const isWhole = (value: unknown, least: number, most = Infinity): boolean =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

export const text = accept<string>("a non-empty string", (value) => typeof value === "string" && value !== "");
const textOrNothing = accept<string>("a string", (value) => typeof value === "string");
export const flag = accept<boolean>("true or false", (value) => typeof value === "boolean");
export const number = accept<number>("a number", (value) => typeof value === "number");
export const positive = accept<number>("a number above 0", (value) => typeof value === "number" && value > 0);
export const notNegative = accept<number>("a number of 0 or more", (value) => typeof value === "number" && value >= 0);
export const numbers = accept<readonly number[]>(
  "a list of numbers",
  (value) => Array.isArray(value) && value.every((item) => typeof item === "number"),
);
export const port = accept<number>("a port number", (value) => isWhole(value, 1, 65_535));

/** Makes a reader of whole numbers of `least` or more. */
export const count = (least: number): Reader<number> =>
  accept(`a whole number of ${least} or more`, (value) => isWhole(value, least));

/** Makes a reader of whole numbers of days within a range. */
export const days = (least: number, most: number): Reader<number> =>
  accept(`a number of days from ${least} to ${most}`, (value) => isWhole(value, least, most));

/** Makes a reader that accepts one of these words. */
export const oneOf = <Word extends string>(...words: Word[]): Reader<Word> =>
  accept(words.join(" or "), (value) => words.includes(value as Word));

export const urlPath = matching("a path that begins with /", /^\//);
export const address = matching("an https:// address without a path", /^https:\/\/[^/\s]+$/);
export const cidr = matching(
  "an IPv4 range in CIDR notation, such as 10.40.0.0/22",
  /^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/,
);
const email = matching("an e-mail address", /^[^@\s]+@[^@\s]+$/);
export const sku = matching(
  "an Azure size that begins with Standard_B, Standard_D or Standard_E",
  /^Standard_[BDE]\w+$/,
);
/** Returns a pattern of ids of resources in a resource group; Azure does not distinguish case in them. */
const resourceId = (typeAndName: string): RegExp =>
  new RegExp(`^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/${typeAndName}$`, "i");
const registryId = resourceId("Microsoft\\.ContainerRegistry/registries/[a-z0-9]{5,50}");
export const registry = accept<string>(
  "a registry's name (5 to 50 lower-case letters and digits) or the id of an existing registry",
  (value) => typeof value === "string" && (/^[a-z0-9]{5,50}$/.test(value) || registryId.test(value)),
);

/** Refuses a value that still holds a placeholder such as `<your registry>`; `key` is the whole name of the key. */
export function withoutPlaceholder<Value extends string>(key: string, value: Value): Value {
  if (/<[^<>]+>/.test(value)) throw configPlaceholderLeft({ key, value });
  return value;
}

/** Reads a string, empty or not, whose placeholder was replaced. */
export const filledIn: Reader<string> = (value, key) => withoutPlaceholder(`ballast:${key}`, textOrNothing(value, key));

/** Makes a reader of a list, each item of which is read by `read`. */
export const listOf =
  <Value>(items: string, read: Reader<Value>): Reader<readonly Value[]> =>
  (value, key) =>
    accept<readonly unknown[]>(`a list of ${items}`, Array.isArray)(value, key).map((item) => read(item, key));

const filledInText: Reader<string> = (value, key) => filledIn(text(value, key), key);
export const names = listOf("names", filledInText);
export const emails = listOf("e-mail addresses", (value, key) => email(filledInText(value, key), key));

/** Makes a reader of ids of Microsoft.Network resources; `types` are the resource types along the path. */
export const networkId = (what: string, ...types: string[]): Reader<string> => {
  const segments = types.map((type) => `${type}/[^/]+`).join("/");
  const id = matching(`the id of ${what}`, resourceId(`Microsoft\\.Network/${segments}`));
  return (value, key) => id(filledIn(value, key), key);
};

const object = accept<{ readonly [key: string]: unknown }>(
  "an object",
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);

/**
 * Reports whether a value is an object without fields, which is how `pulumi config` shows an object that is not set.
 */
export const isEmptyObject = (value: unknown, key: string): boolean => Object.keys(object(value, key)).length === 0;

const scalar = accept<string | number | boolean>("a string", (item) =>
  ["string", "number", "boolean"].includes(typeof item),
);

/** Reads environment variables. YAML reads `5` and `true` as a number and a boolean; a process gets strings. */
export const environmentVariables: Reader<{ readonly [name: string]: string }> = (value, key) =>
  Object.fromEntries(
    Object.entries(object(value, key)).map(([name, item]) => [name, String(scalar(item, `${key}.${name}`))]),
  );

/** Makes a reader of objects that have these fields and no others. A field that is left out keeps its default. */
export const fields =
  <Shape extends object>(
    readers: { readonly [Field in keyof Shape]: Reader<Shape[Field]> },
    defaults: Shape,
  ): Reader<Shape> =>
  (value, key) => {
    const given = object(value, key);
    refuseUnknown(Object.keys(given), Object.keys(readers), `${key}.`);
    return {
      ...defaults,
      ...Object.fromEntries(
        Object.entries(given).map(([field, item]) => [field, readers[field as keyof Shape](item, `${key}.${field}`)]),
      ),
    };
  };
