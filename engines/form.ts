// Forms: what a value looks like, declared once, with its range, its default and its description. From a form come the
// reader of the value, its JSON Schema and its TypeScript type. A form is read in one of three ways: strictly, as a
// body or a configuration; with placeholders, as a provider's inputs; or leniently, as a fact that another version
// stored.
import { complaintOf, type Problem } from "./problem.ts";
import { describeRange, isWithin, type Range } from "./range.ts";
import type { Schema } from "./schema.ts";

/** What a form says about its values beside their shape. */
export interface About<Value> {
  /** What the value means, for people. */
  readonly description?: string;
  /** The default. Facts that lack the value get it, and so does a reader of a completed object; others require it. */
  readonly otherwise?: Value;
}

/**
 * How a value is read: `strict` refuses unknown fields and enforces every limit. `stored` ignores unknown fields and
 * enforces no limits, because they may have been others when a fact was written; fields that are newer than the fact
 * get their defaults. With a placeholder, that value fits everywhere and null counts as absent; the rest is strict,
 * except for checks that compare fields.
 */
export type Mode = "strict" | "stored" | { readonly placeholder: unknown };

/** One reading of a whole value: how it is read, and what was wrong so far. */
export interface Reading {
  readonly problems: Problem[];
  readonly isStored: boolean;
  /** Undefined if there is none. */
  readonly placeholder: unknown;
}

/** How one value is read and described. */
export interface Form<Value> {
  readonly schema: Schema;
  /** Gives the value. If it adds a problem, the value must not be used. Places are relative to the value. */
  readonly read: (given: unknown, reading: Reading) => Value;
  readonly otherwise?: Value;
  /** Whether a field of this form may be absent in every mode, and the value that it then has. */
  readonly mayBeAbsent?: true;
  readonly whenAbsent?: Value;
}

/** A form of a field that may be absent, and then stays absent. */
export interface OptionalForm<Value> extends Form<Value> {
  readonly mayBeAbsent: true;
}

/** The forms of an object's fields, by name. */
export type Fields = Readonly<Record<string, Form<unknown>>>;

/** The form of an object, with those of its fields. */
export interface ObjectForm<Each extends Fields> extends Form<ObjectOf<Each>> {
  readonly fields: Each;
  readonly about: AboutObject<ObjectOf<Each>>;
}

/** The type of a form's values. */
export type ValueOf<Each> = Each extends Form<infer Value> ? Value : never;

/** The type of an object with fields of these forms. */
export type ObjectOf<Each extends Fields> = Flat<
  {
    readonly [Name in keyof Each as Each[Name] extends OptionalForm<unknown> ? never : Name]: ValueOf<Each[Name]>;
  } & {
    readonly [Name in keyof Each as Each[Name] extends OptionalForm<unknown> ? Name : never]?: ValueOf<Each[Name]>;
  }
>;
type Flat<Value> = { [Name in keyof Value]: Value[Name] };

/** A value as it should be, or what is wrong with it: as data, and in sentences that repeat no value. */
export type Parsed<Value> =
  | { readonly value: Value }
  | { readonly problems: readonly Problem[]; readonly complaints: readonly string[] };

/** Reads a whole value, such as a request body; gives it, or every problem of it. */
export function read<Value>(form: Form<Value>, given: unknown, mode: Mode = "strict"): Parsed<Value> {
  const problems: Problem[] = [];
  const placeholder = typeof mode === "object" ? mode.placeholder : undefined;
  const value = form.read(given, { problems, isStored: mode === "stored", placeholder });
  return problems.length === 0 ? { value } : { problems, complaints: problems.map(complaintOf) };
}

const isPlaceholder = (given: unknown, { placeholder }: Reading): boolean =>
  placeholder !== undefined && given === placeholder;

const aboutOf = <Value>({ description, otherwise }: About<Value>): Pick<Form<Value>, "otherwise"> & About<Value> => ({
  ...(description === undefined ? {} : { description }),
  ...(otherwise === undefined ? {} : { otherwise }),
});

/** Makes the form of a value without parts: of which type it is, and its limits, which a stored fact need not keep. */
function simple<Value>(
  schema: Schema,
  expected: string,
  isOfType: (given: unknown) => boolean,
  isWithinLimits: (given: Value) => boolean,
  about: About<Value>,
): Form<Value> {
  const { description, ...rest } = aboutOf(about);
  return {
    schema: { ...schema, ...(description === undefined ? {} : { description }) },
    ...rest,
    read: (given, reading) => {
      const isRight = isOfType(given);
      if (isRight && (reading.isStored || isWithinLimits(given as Value))) return given as Value;
      if (!isPlaceholder(given, reading))
        reading.problems.push({ kind: isRight ? "limit" : "shape", at: [], expected, found: given });
      return given as Value;
    },
  };
}

/** The lengths of a text, in characters as JSON Schema counts them, and a pattern that it matches as a whole. */
export interface TextLimits {
  /** @default 1 */
  readonly least?: number;
  readonly most?: number;
  readonly pattern?: string;
}

/** A text within limits. `what` completes "must be …". */
export function text(what: string, limits: TextLimits & About<string> = {}): Form<string> {
  const { least = 1, most, pattern, ...about } = limits;
  const whole = pattern === undefined ? undefined : new RegExp(pattern, "u");
  const schema = {
    type: "string",
    ...(least === 0 ? {} : { minLength: least }),
    ...(most === undefined ? {} : { maxLength: most }),
    ...(pattern === undefined ? {} : { pattern }),
  };
  const isWithinLimits = (given: string): boolean => {
    // Counting characters takes long for a long text, so code units are compared first: there are never fewer.
    if (given.length < least || (most !== undefined && given.length > 2 * most)) return false;
    const length = least <= 1 && (most === undefined || given.length <= most) ? given.length : [...given].length;
    return length >= least && (most === undefined || length <= most) && (whole === undefined || whole.test(given));
  };
  return simple(schema, what, (given) => typeof given === "string", isWithinLimits, about);
}

// Control characters and changes of direction can forge lines in logs; PostgreSQL rejects half a surrogate pair.
const forging = "\\p{Cc}\\p{Cs}\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069";
const inOneLine = `^[^${forging}]*$`;

/** A single line of text. */
export const line = (most: number, about: About<string> & Pick<TextLimits, "least"> = {}): Form<string> =>
  text(`a text of ${about.least ?? 1} to ${most} characters in one line`, { most, pattern: inOneLine, ...about });

/** Makes a foreign text safe to show and to store, as a single line. */
export const lineOf = (foreign: string, lengthMax: number): string =>
  foreign
    .toWellFormed()
    .replace(new RegExp(`[${forging}]`, "gu"), "\uFFFD")
    .slice(0, lengthMax)
    .toWellFormed();

/** True or false. */
export const flag = (about: About<boolean> = {}): Form<boolean> =>
  simple({ type: "boolean" }, "true or false", (given) => typeof given === "boolean", always, about);

const always = (): boolean => true;

/** One of a few words. A fact with another word was written by a version that this one does not understand. */
export const oneOf = <const Word extends string>(
  words: readonly Word[],
  about: About<NoInfer<Word>> = {},
): Form<Word> => {
  const known = new Set<unknown>(words);
  return simple(
    { type: "string", enum: words },
    either(words),
    (given) => known.has(given),
    always,
    about as About<Word>,
  );
};

const either = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;

/** A number in a range. `what` describes it better than its range does, such as `a port number`. */
export const number = (limits: Range & About<number> & { readonly what?: string } = {}): Form<number> => {
  const { least, above, most, whole, what = describeRange(limits), ...about } = limits;
  const schema = {
    type: whole ? "integer" : "number",
    ...(least === undefined ? {} : { minimum: least }),
    ...(above === undefined ? {} : { exclusiveMinimum: above }),
    ...(most === undefined ? {} : { maximum: most }),
  };
  return simple(schema, what, Number.isFinite, (given) => isWithin(given, limits), about);
};

/** The index of a fact, as text in a query. */
export const index: Form<number> = {
  schema: { type: "integer", minimum: 0, maximum: 999_999_999 },
  read: (given, { problems }) => {
    if (typeof given !== "string" || !/^\d{1,9}$/.test(given))
      problems.push({ kind: "shape", at: [], expected: "the index of a fact", found: given });
    return Number(given);
  },
};

/** A value of a form, or null. */
export const nullable = <Value>(form: Form<Value>): Form<Value | null> => ({
  schema: { anyOf: [form.schema, { type: "null" }] },
  read: (given, reading) => (given === null ? null : form.read(given, reading)),
});

/** A list of values of one form. A list of another length is not read further, so that no one can send a long one. */
export function list<Value>(
  form: Form<Value>,
  {
    least = 0,
    most = Infinity,
    what = most === Infinity ? "a list" : `a list of ${least} to ${most} items`,
    ...about
  }: Range & About<readonly Value[]> & { readonly what?: string } = {},
): Form<readonly Value[]> {
  const { description, ...rest } = aboutOf(about);
  return {
    schema: {
      type: "array",
      items: form.schema,
      ...(least === 0 ? {} : { minItems: least }),
      ...(most === Infinity ? {} : { maxItems: most }),
      ...(description === undefined ? {} : { description }),
    },
    ...rest,
    read: (given, reading) => {
      if (Array.isArray(given) && (reading.isStored || (given.length >= least && given.length <= most)))
        return given.map((each, place) => within(place, form, each, reading));
      if (!isPlaceholder(given, reading))
        reading.problems.push({ kind: "shape", at: [], expected: what, found: given });
      return given as readonly Value[];
    },
  };
}

/** Reads a part of a value, and puts its place before that of each problem that is found in it. */
function within<Value>(step: string | number, form: Form<Value>, given: unknown, reading: Reading): Value {
  const { problems } = reading;
  const before = problems.length;
  const value = form.read(given, reading);
  for (let place = before; place < problems.length; place++) {
    const problem = problems[place]!;
    problems[place] = { ...problem, at: [step, ...problem.at] };
  }
  return value;
}

const isObject = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === "object" && given !== null && Object.prototype.toString.call(given) === "[object Object]";

/** Values of one form by any name. */
export const dictionary = <Value>(form: Form<Value>): Form<Readonly<Record<string, Value>>> => ({
  schema: { type: "object", additionalProperties: form.schema },
  read: (given, reading) => {
    if (isObject(given))
      return Object.fromEntries(
        Object.entries(given).map(([name, each]) => [name, within(name, form, each, reading)] as const),
      );
    if (!isPlaceholder(given, reading))
      reading.problems.push({ kind: "shape", at: [], expected: "an object", found: given });
    return given as Readonly<Record<string, Value>>;
  },
});

/** What a check of a whole object objects to: in a sentence, or what one of its fields must be instead. */
export type Objection = string | { readonly at: string; readonly expected: string };

/** What is said about an object, and the checks that compare its fields. */
export interface AboutObject<Value> {
  /** Its name in schemas that give objects a name. */
  readonly title?: string;
  readonly description?: string;
  /** Checks the whole. It runs if every field has the right type, be it within its limits or not. */
  readonly check?: (value: Value) => readonly Objection[];
}

/** An object of exactly these fields: a misspelt threshold must not be ignored silently. */
export function object<const Each extends Fields>(
  fields: Each,
  about: AboutObject<ObjectOf<Each>> = {},
): ObjectForm<Each> {
  type Value = ObjectOf<Each>;
  const { title, description, check } = about;
  const entries = Object.entries(fields);
  const required = entries.filter(([, { mayBeAbsent }]) => !mayBeAbsent).map(([name]) => name);
  return {
    fields,
    about,
    schema: {
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      type: "object",
      properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    },
    read: (given, reading) => {
      const { problems, isStored, placeholder } = reading;
      if (!isObject(given)) {
        if (!isPlaceholder(given, reading))
          problems.push({ kind: "shape", at: [], expected: "an object", found: given });
        return given as Value;
      }
      const before = problems.length;
      if (!isStored) refuseUnknown(given, fields, problems);
      const found = readFields(entries, given, reading) as Value;
      if (
        check &&
        !isStored &&
        placeholder === undefined &&
        problems.slice(before).every(({ kind }) => kind === "limit")
      )
        problems.push(...check(found).map((objection) => problemOf(objection, found)));
      return found;
    },
  };
}

function refuseUnknown(given: Readonly<Record<string, unknown>>, fields: Fields, problems: Problem[]): void {
  const names = Object.keys(given).filter((key) => given[key] !== undefined && !Object.hasOwn(fields, key));
  if (names.length > 0) problems.push({ kind: "unknown", at: [], names, known: Object.keys(fields) });
}

function readFields(
  entries: readonly (readonly [name: string, form: Form<unknown>])[],
  given: Readonly<Record<string, unknown>>,
  reading: Reading,
): object {
  const found: Record<string, unknown> = {};
  for (const [name, form] of entries) {
    const own = Object.hasOwn(given, name) ? given[name] : undefined;
    const value = own === null && reading.placeholder !== undefined ? undefined : own;
    if (value !== undefined) found[name] = within(name, form, value, reading);
    else if (form.mayBeAbsent) {
      if (form.whenAbsent !== undefined) found[name] = form.whenAbsent;
    } else if (reading.isStored && form.otherwise !== undefined) found[name] = form.otherwise;
    else reading.problems.push({ kind: "missing", at: [name] });
  }
  return found;
}

const problemOf = (objection: Objection, value: object): Problem =>
  typeof objection === "string"
    ? { kind: "contradiction", at: [], message: objection }
    : {
        kind: "limit",
        at: [objection.at],
        expected: objection.expected,
        found: (value as Readonly<Record<string, unknown>>)[objection.at],
      };

/** Makes a form of a field optional: it stays absent, or has a default in every mode. */
export function optional<Value>(form: Form<Value>): OptionalForm<Value>;
export function optional<Value>(form: Form<Value>, otherwise: NoInfer<Value>): Form<Value>;
export function optional<Value>(form: Form<Value>, otherwise?: Value): Form<Value> {
  const { whenAbsent: _earlier, schema, ...rest } = form;
  const { default: _default, ...plain } = schema;
  return otherwise === undefined
    ? { ...rest, schema: plain, mayBeAbsent: true }
    : { ...rest, schema: { ...plain, default: otherwise }, mayBeAbsent: true, whenAbsent: otherwise };
}

/** Gives a form another description, for a field that means more than its form does. */
export const described = <Each extends Form<unknown>>(form: Each, description: string): Each => ({
  ...form,
  schema: { ...form.schema, description },
});

/** The defaults of an object's fields; fields without one are left out. */
export const defaultsOf = <Each extends Fields>({ fields }: ObjectForm<Each>): ObjectOf<Each> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, { otherwise }]) => (otherwise === undefined ? [] : [[name, otherwise]])),
  ) as ObjectOf<Each>;

/** The same object, of which fields with a default may be absent. */
export const completed = <Each extends Fields>(
  form: ObjectForm<Each>,
  defaults: Partial<ObjectOf<Each>> = defaultsOf(form),
): ObjectForm<Each> =>
  object(
    Object.fromEntries(
      Object.entries(form.fields).map(([name, field]) => {
        const otherwise = defaults[name as keyof ObjectOf<Each>];
        return [name, otherwise === undefined ? field : optional(field, otherwise)];
      }),
    ) as unknown as Each,
    form.about,
  );

/** The same object, of which every field may be absent and stays so. Its fields are not compared. */
export const partial = <Each extends Fields>({ fields, about }: ObjectForm<Each>): Form<Partial<ObjectOf<Each>>> => {
  const { check: _check, ...rest } = about;
  return object(
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, optional(field)])),
    rest,
  ) as Form<Partial<ObjectOf<Each>>>;
};
