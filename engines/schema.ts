// JSON Schema as forms give it, and what is made of it: the schema of values that were stored under other limits, and
// the schema of an answer, which nobody reads by a form.

/** JSON Schema, as plain values. */
export type Schema = Readonly<Record<string, unknown>>;

/** The schema of an object with exactly these fields. */
export const exactly = (properties: Schema): Schema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const limits = new Set([
  "minimum",
  "exclusiveMinimum",
  "maximum",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "default",
]);

/**
 * Gives the schema of stored values. They may have been within other limits when they were written, so none is left. A
 * field that had a default then is as it was stored.
 */
export function storedSchemaOf(schema: Schema): Schema {
  const inner = (value: unknown): unknown => (isSchema(value) ? storedSchemaOf(value) : value);
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name]) => !limits.has(name))
      .map(([name, value]) => {
        if (name === "type" && value === "integer") return [name, "number"];
        if (name === "properties" && isSchema(value))
          return [name, Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inner(each)]))];
        return [name, Array.isArray(value) ? value.map(inner) : inner(value)];
      }),
  );
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
