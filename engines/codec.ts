// Readers of stored facts: a journal outlives every version of the code, so each fact is checked when it is read.
import { type AnyEvent, type Codec, Misshapen } from "./kind.ts";

type Schema = Readonly<Record<string, unknown>>;

/**
 * Gives the value if it has the right shape, else throws with the place that has not. It carries the shape
 * as JSON Schema.
 */
export type Reader<Value> = ((given: unknown, at: string) => Value) & {
  readonly schema: Schema;
  readonly mayBeAbsent?: true;
};
type Fields<Shape> = {
  readonly [Key in keyof Shape]-?: Reader<Shape[Key] | (undefined extends Shape[Key] ? undefined : never)>;
};

const refuse = (at: string, wanted: string): never => {
  throw new Misshapen(`${at} is not ${wanted}`);
};

const reader = <Value>(schema: Schema, read: (given: unknown, at: string) => Value): Reader<Value> =>
  Object.assign(read, { schema });

export const text = reader({ type: "string" }, (given, at) =>
  typeof given === "string" ? given : refuse(at, "a text"),
);
export const number = reader({ type: "number" }, (given, at) =>
  typeof given === "number" ? given : refuse(at, "a number"),
);
export const flag = reader({ type: "boolean" }, (given, at) =>
  typeof given === "boolean" ? given : refuse(at, "true or false"),
);

export const oneOf = <Word extends string>(words: { readonly [Each in Word]: unknown }): Reader<Word> =>
  reader({ type: "string", enum: Object.keys(words) }, (given, at) =>
    typeof given === "string" && Object.hasOwn(words, given)
      ? (given as Word)
      : refuse(at, `one of ${Object.keys(words).join(", ")}`),
  );

export const nullable = <Value>(inner: Reader<Value>): Reader<Value | null> =>
  reader({ anyOf: [inner.schema, { type: "null" }] }, (given, at) => (given === null ? null : inner(given, at)));
export const optional = <Value>(inner: Reader<Value>): Reader<Value | undefined> =>
  Object.assign(
    reader(inner.schema, (given, at) => (given === undefined ? undefined : inner(given, at))),
    { mayBeAbsent: true as const },
  );

export const listOf = <Value>(inner: Reader<Value>): Reader<readonly Value[]> =>
  reader({ type: "array", items: inner.schema }, (given, at) =>
    Array.isArray(given) ? given.map((each, index) => inner(each, `${at}[${index}]`)) : refuse(at, "a list"),
  );

/** Reads the named fields, in this order, and ignores others: a newer version may have written more. */
export const record = <Shape>(fields: Fields<Shape>): Reader<Shape> =>
  reader(schemaOf(fields), (given, at) => {
    if (typeof given !== "object" || given === null || Array.isArray(given)) return refuse(at, "a record");
    const source = given as Record<string, unknown>;
    const found = Object.entries<Reader<unknown>>(fields).map(
      ([key, inner]) => [key, inner(source[key], `${at}.${key}`)] as const,
    );
    return Object.fromEntries(found.filter(([, value]) => value !== undefined)) as Shape;
  });

/** Reads a record of an older version too: fields that it did not have yet get their defaults. */
export const completed = <Shape extends object>(defaults: Shape, inner: Reader<Shape>): Reader<Shape> =>
  reader(inner.schema, (given, at) =>
    inner(typeof given === "object" && given !== null ? { ...defaults, ...given } : given, at),
  );

/** The shape of a record as it is read: these fields and no others. */
function schemaOf(fields: object): Schema {
  const entries = Object.entries<Reader<unknown>>(fields as Record<string, Reader<unknown>>);
  const properties = Object.fromEntries(entries.map(([key, { schema }]) => [key, schema]));
  return {
    type: "object",
    properties,
    required: entries.filter(([, { mayBeAbsent }]) => !mayBeAbsent).map(([key]) => key),
    additionalProperties: false,
  };
}

/** The fields of an event of one kind, without those that every event has. */
export type FieldsOf<Event extends AnyEvent, Each extends Event["kind"]> = Omit<
  Extract<Event, { kind: Each }>,
  "kind" | "at"
>;

/** Makes the codec of a kind's facts from the shape of each. */
export function codecOf<Event extends AnyEvent>(
  shapes: {
    readonly [Each in Event["kind"]]: Reader<FieldsOf<Event, Each>>;
  },
): Codec<Event> {
  const byKind = shapes as Readonly<Record<string, Reader<object>>>;
  const head = record<{ kind: string; at: number }>({ kind: oneOf(byKind), at: number });
  return {
    read: (stored) => {
      const { kind, at } = head(stored, "fact");
      return { kind, at, ...byKind[kind]!(stored, kind) } as Event;
    },
    schema: {
      oneOf: Object.entries(byKind).map(([kind, { schema }]) => {
        const { properties, required } = schema as {
          readonly properties: Schema;
          readonly required: readonly string[];
        };
        return {
          ...schema,
          properties: { kind: { const: kind }, at: number.schema, ...properties },
          required: ["kind", "at", ...required],
        };
      }),
    },
  };
}
