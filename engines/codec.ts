// Codecs of facts: a journal outlives every version of the code, so each fact is read by its form, leniently, before it
// is used. The type of all facts of a kind of work follows from the forms.
import { type Form, number, object, oneOf, read, type ValueOf } from "./form.ts";
import { type Codec, Misshapen } from "./kind.ts";
import { complaintOf } from "./problem.ts";
import { type Schema, storedSchemaOf } from "./schema.ts";
import type { Instant } from "./time.ts";

/** The forms of facts by kind, without the fields that every fact has. */
export type FactForms = Readonly<Record<string, Form<object>>>;

/** The facts of these forms, without the moment at which each was written. */
export type FactOf<Forms extends FactForms> = {
  [Kind in keyof Forms & string]: { readonly kind: Kind } & ValueOf<Forms[Kind]>;
}[keyof Forms & string];

/** Makes the codec of a kind's facts from the form of each. A field that is added later stays optional for good. */
export function codecOf<Forms extends FactForms>(forms: Forms): Codec<{ readonly at: Instant } & FactOf<Forms>> {
  const head = object({ kind: oneOf(Object.keys(forms)), at: number() });
  return {
    read: (stored) => {
      const { kind, at } = readFact(head, stored, "fact");
      return { kind, at, ...readFact(forms[kind]!, stored, kind) } as { readonly at: Instant } & FactOf<Forms>;
    },
    schema: {
      oneOf: Object.entries(forms).map(([kind, { schema }]) => {
        const {
          properties,
          required = [],
          ...rest
        } = storedSchemaOf(schema) as {
          readonly properties: Schema;
          readonly required?: readonly string[];
        };
        return {
          ...rest,
          properties: { kind: { const: kind }, at: number().schema, ...properties },
          required: ["kind", "at", ...required],
        };
      }),
    },
  };
}

/** Reads a part of a fact; `name` names it in complaints. @throws Misshapen */
function readFact<Value>(form: Form<Value>, stored: unknown, name: string): Value {
  const parsed = read(form, stored, "stored");
  if ("value" in parsed) return parsed.value;
  const [first] = parsed.problems;
  throw new Misshapen(complaintOf({ ...first!, at: [name, ...first!.at] }).replace(/\.$/, ""));
}
