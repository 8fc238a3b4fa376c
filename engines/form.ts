// Forms: what a value in a call must look like, said once and used twice. `read` checks what came and names all that is wrong with it;
// `schema` tells callers the same as JSON Schema, in the API's description. What the values are for is not known here.
import { inWords, isWithin, type Range } from "./rollout/plan.ts";

/** JSON Schema, as plain values. */
export type Schema = Readonly<Record<string, unknown>>;

/** How one value is read, and what callers are told about it. */
export interface Form<Value> {
  readonly schema: Schema;
  /** Gives the value. What is wrong with it becomes a complaint that begins with the name, and then what is given must not be used. */
  readonly read: (given: unknown, name: string, complaints: string[]) => Value;
  /** What stands for an absent value; a form without it must be filled in. */
  readonly otherwise?: Value;
}

/** A value as it should be, or every complaint about it. */
export type Parsed<Value> = { readonly value: Value } | { readonly complaints: readonly string[] };

type ValueOf<Each> = Each extends Form<infer Value> ? Value : never;

/** Reads a whole value, a body say, and gives it or all that is wrong with it. */
export function read<Value>(form: Form<Value>, given: unknown): Parsed<Value> {
  const complaints: string[] = [];
  const value = form.read(given, "", complaints);
  return complaints.length === 0 ? { value } : { complaints };
}

const simple = <Value>(schema: Schema, what: string, fits: (given: unknown) => boolean): Form<Value> => ({
  schema,
  read: (given, name, complaints) => {
    if (!fits(given)) complaints.push(`${name} is not ${what}.`);
    return given as Value;
  },
});

/** A text of some length that matches a pattern as a whole. Lengths count characters, as JSON Schema does. */
export function text(what: string, lengthMax: number, pattern: string): Form<string> {
  const whole = new RegExp(pattern, "u");
  return simple(
    { type: "string", minLength: 1, maxLength: lengthMax, pattern },
    what,
    (given) => typeof given === "string" && given !== "" && [...given].length <= lengthMax && whole.test(given),
  );
}

// Control characters, breaks of lines and turns of direction forge lines in logs and terminals; half a character is no text to a database.
const forging = "\\p{Cc}\\p{Cs}\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069";

/** One line of text that people read. */
export const line = (lengthMax: number): Form<string> =>
  text(`a text of 1 to ${lengthMax} characters in one line`, lengthMax, `^[^${forging}]*$`);

/** Makes a line of a text that somebody else has written, so that it can be shown and kept. */
export const lineOf = (foreign: string, lengthMax: number): string =>
  foreign
    .toWellFormed()
    .replace(new RegExp(`[${forging}]`, "gu"), "\uFFFD")
    .slice(0, lengthMax)
    .toWellFormed();

/** One of a few words. */
export const oneOf = <const Word extends string>(words: readonly Word[]): Form<Word> =>
  simple({ type: "string", enum: words }, `one of ${words.join(", ")}`, (given) => words.includes(given as Word));

/** A number of some range. */
export const number = (range: Range): Form<number> =>
  simple(schemaOf(range), inWords(range), (given) => isWithin(given, range));

/** A number from 0 on, as it stands in a query. */
export const index: Form<number> = {
  schema: { type: "integer", minimum: 0, maximum: 999_999_999 },
  read: (given, name, complaints) => {
    if (typeof given !== "string" || !/^\d{1,9}$/.test(given)) complaints.push(`${name} is not the index of a fact.`);
    return Number(given);
  },
};

const schemaOf = ({ least, above, most, whole }: Range): Schema => ({
  type: whole ? "integer" : "number",
  ...(least === undefined ? {} : { minimum: least }),
  ...(above === undefined ? {} : { exclusiveMinimum: above }),
  ...(most === undefined ? {} : { maximum: most }),
});

/** So many values of one form. */
export const list = <Value>(
  form: Form<Value>,
  { least = 0, most }: Range & { readonly most: number },
): Form<readonly Value[]> => ({
  schema: { type: "array", items: form.schema, minItems: least, maxItems: most },
  read: (given, name, complaints) => {
    if (Array.isArray(given) && given.length >= least && given.length <= most)
      return given.map((each, place) => form.read(each, `${name}[${place}]`, complaints));
    complaints.push(`${name} is not a list of ${least} to ${most}.`);
    return [];
  },
});

/** Exactly these fields. One that we do not know is refused by name, since a misspelt limit that is silently ignored would be worse than none. */
export function object<Fields extends Readonly<Record<string, Form<unknown>>>>(
  fields: Fields,
): Form<{ readonly [Name in keyof Fields]: ValueOf<Fields[Name]> }> {
  type Value = { readonly [Name in keyof Fields]: ValueOf<Fields[Name]> };
  const forms = Object.entries(fields);
  const known = Object.keys(fields);
  const required = forms.filter(([, form]) => !("otherwise" in form)).map(([name]) => name);
  const properties = Object.fromEntries(forms.map(([name, { schema }]) => [name, schema]));
  return {
    schema: { type: "object", properties, ...(required.length === 0 ? {} : { required }), additionalProperties: false },
    read: (given, name, complaints) => {
      const where = name === "" ? "what was sent" : name;
      if (typeof given !== "object" || given === null || Array.isArray(given)) {
        complaints.push(`${where} is not an object.`);
        return {} as Value;
      }
      const [unknown, ...more] = Object.keys(given).filter((key) => !known.includes(key));
      if (unknown !== undefined)
        complaints.push(
          `${where} has ${fieldInWords(unknown)}${more.length === 0 ? "" : ` and ${more.length} more`} that is not known; known are ${known.join(", ")}.`,
        );
      return Object.fromEntries(
        forms.map(([key, form]) => [
          key,
          form.read(
            Object.hasOwn(given, key) ? (given as Record<string, unknown>)[key] : undefined,
            name === "" ? key : `${name}.${key}`,
            complaints,
          ),
        ]),
      ) as Value;
    },
  };
}

/** Only what can be a misspelt name of ours is said back; anything else may be somebody's secret, or an order to a terminal. */
const fieldInWords = (name: string): string => (/^\w{1,40}$/.test(name) ? `a field "${name}"` : "a field");

/** A form that may be left out. */
export const optional = <Value>(form: Form<Value>, otherwise: NoInfer<Value>): Form<Value> => ({
  schema: otherwise === undefined ? form.schema : { ...form.schema, default: otherwise },
  otherwise,
  read: (given, name, complaints) => (given === undefined ? otherwise : form.read(given, name, complaints)),
});
