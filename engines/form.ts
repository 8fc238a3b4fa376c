// Forms: what a value must look like, written once and used twice. `read` checks a given value and lists every problem;
// `schema` describes the same rules as JSON Schema, for the API's description.

/** The bounds of a number, and whether it must be a whole one. */
export interface Range {
  readonly least?: number;
  /** An exclusive lower bound, for numbers of which zero makes no sense. */
  readonly above?: number;
  readonly most?: number;
  readonly whole?: true;
}

/** JSON Schema, as plain values. */
export type Schema = Readonly<Record<string, unknown>>;

/** How one value is read and described. */
export interface Form<Value> {
  readonly schema: Schema;
  /**
   * Gives the value, and adds a complaint that begins with the name for every problem; then the value must not be used.
   */
  readonly read: (given: unknown, name: string, complaints: string[]) => Value;
  /** The value to use if none is given; a form without it is required. */
  readonly otherwise?: Value;
}

/** A value as it should be, or every complaint about it. */
export type Parsed<Value> = { readonly value: Value } | { readonly complaints: readonly string[] };

type ValueOf<Each> = Each extends Form<infer Value> ? Value : never;

/** Reads a whole value, such as a request body; gives it, or every complaint about it. */
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

/** A text of 1 to `lengthMax` characters that matches a pattern. Lengths count characters, as JSON Schema does. */
export function text(what: string, lengthMax: number, pattern: string): Form<string> {
  const whole = new RegExp(pattern, "u");
  return simple(
    { type: "string", minLength: 1, maxLength: lengthMax, pattern },
    what,
    (given) => typeof given === "string" && given !== "" && [...given].length <= lengthMax && whole.test(given),
  );
}

// Control characters, line breaks and changes of direction can forge lines in logs and terminals; PostgreSQL rejects
// half a surrogate pair.
const forging = "\\p{Cc}\\p{Cs}\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069";

/** A single line of text. */
export const line = (lengthMax: number): Form<string> =>
  text(`a text of 1 to ${lengthMax} characters in one line`, lengthMax, `^[^${forging}]*$`);

/** Makes a foreign text safe to show and to store, as a single line. */
export const lineOf = (foreign: string, lengthMax: number): string =>
  foreign
    .toWellFormed()
    .replace(new RegExp(`[${forging}]`, "gu"), "\uFFFD")
    .slice(0, lengthMax)
    .toWellFormed();

/** One of a few words. */
export const oneOf = <const Word extends string>(words: readonly Word[]): Form<Word> =>
  simple({ type: "string", enum: words }, `one of ${words.join(", ")}`, (given) => words.includes(given as Word));

/** A number in a range. */
export const number = (range: Range): Form<number> =>
  simple(schemaOf(range), describeRange(range), (given) => isWithin(given, range));

/** The index of a fact, as text in a query. */
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

/** A list of values of one form, with a least and a greatest length. */
export const list = <Value>(
  form: Form<Value>,
  { least = 0, most }: Range & { readonly most: number },
): Form<readonly Value[]> => ({
  schema: { type: "array", items: form.schema, minItems: least, maxItems: most },
  read: (given, name, complaints) => {
    if (Array.isArray(given) && given.length >= least && given.length <= most)
      return given.map((each, place) => form.read(each, `${name}[${place}]`, complaints));
    complaints.push(`${name} is not a list of ${least} to ${most} items.`);
    return [];
  },
});

/**
 * An object of exactly these fields. An unknown field is an error: a misspelt threshold must not be ignored silently.
 */
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
      const where = name === "" ? "the value" : name;
      if (typeof given !== "object" || given === null || Array.isArray(given)) {
        complaints.push(`${where} is not an object.`);
        return {} as Value;
      }
      const [unknown, ...more] = Object.keys(given).filter((key) => !known.includes(key));
      if (unknown !== undefined)
        complaints.push(
          `${where} has an unknown field${quoted(unknown)}${more.length === 0 ? "" : ` and ${more.length} more`}; ` +
            `the known fields are ${known.join(", ")}.`,
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

/** Repeats only what could be a misspelt name of ours; anything else may be a secret or a terminal escape sequence. */
const quoted = (name: string): string => (/^\w{1,40}$/.test(name) ? ` "${name}"` : "");

/** Makes a form optional, with a default. */
export const optional = <Value>(form: Form<Value>, otherwise: NoInfer<Value>): Form<Value> => ({
  schema: otherwise === undefined ? form.schema : { ...form.schema, default: otherwise },
  otherwise,
  read: (given, name, complaints) => (given === undefined ? otherwise : form.read(given, name, complaints)),
});

/** Adds checks of the whole value to a form. They run once every part of the value is right. */
export const checked = <Value>(form: Form<Value>, check: (value: Value) => readonly string[]): Form<Value> => ({
  ...form,
  read: (given, name, complaints) => {
    const before = complaints.length;
    const value = form.read(given, name, complaints);
    if (complaints.length === before) complaints.push(...check(value));
    return value;
  },
});

/** Reports whether a value is a number in a range. */
export const isWithin = (
  value: unknown,
  { least = -Infinity, above = -Infinity, most = Infinity, whole }: Range,
): value is number =>
  typeof value === "number" &&
  value >= least &&
  value > above &&
  value <= most &&
  (Number.isInteger(value) || (!whole && Number.isFinite(value)));

/** Describes a range for people: `a whole number from 1 to 20`, `a number above 0 and at most 50`. */
export function describeRange({ least, above, most, whole }: Range): string {
  const what = `a ${whole ? "whole " : ""}number`;
  if (least !== undefined && most !== undefined) return `${what} from ${least} to ${most}`;
  const bounds = [
    ...(least === undefined ? [] : [`of at least ${least}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
  ];
  return bounds.length === 0 ? what : `${what} ${bounds.join(" and ")}`;
}

/** The schema of an object with exactly these fields. */
export const exactly = (properties: Schema): Schema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
