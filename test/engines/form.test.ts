// The language of forms: for random forms and values, a form accepts exactly what its JSON Schema accepts; each way of
// reading does what it promises; and complaints name the place and repeat no value unless asked to.
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  completed,
  defaultsOf,
  dictionary,
  type Form,
  flag,
  line,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  partial,
  read,
  text,
} from "../../engines/form.ts";
import { complaintWithValue } from "../../engines/problem.ts";
import { storedSchemaOf } from "../../engines/schema.ts";

/** A form, and values that it accepts. */
interface Sample {
  readonly form: Form<unknown>;
  readonly valid: fc.Arbitrary<unknown>;
}

// A field that only the prototype has, such as toString, is absent.
const ajv = new Ajv2020({ strict: false, ownProperties: true });
const names = fc.constantFrom("a", "b", "weights", "toString", "constructor", "é");

const bounds = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 60 }), fc.boolean());
const numbers: fc.Arbitrary<Sample> = fc
  .tuple(bounds, fc.constantFrom("least", "above", "none"), fc.boolean())
  .map(([[from, width, whole], lower, hasMost]) => {
    const range = {
      ...(lower === "none" ? {} : { [lower]: from }),
      ...(hasMost ? { most: from + width } : {}),
      ...(whole ? { whole: true as const } : {}),
    };
    return { form: number(range), valid: fc.integer({ min: from + 1, max: from + width }) };
  });
const texts: fc.Arbitrary<Sample> = fc.constantFrom<Sample>(
  { form: line(5), valid: fc.constantFrom("x", "😀😀😀😀😀", "a b") },
  { form: text("a name", { most: 4, pattern: "^[a-z-]+$" }), valid: fc.constantFrom("a", "a-b") },
  { form: text("a text", { least: 0 }), valid: fc.string() },
  { form: text("a text that is not empty"), valid: fc.string({ minLength: 1 }) },
  { form: text("two characters or more", { least: 2, most: 3 }), valid: fc.constantFrom("ab", "😀b", "abc") },
  { form: oneOf(["one", "other"]), valid: fc.constantFrom("one", "other") },
  { form: flag(), valid: fc.boolean() },
);

const objectOf = (fields: Readonly<Record<string, Sample & { readonly isOptional: boolean }>>): Sample => {
  const entries = Object.entries(fields);
  return {
    form: object(
      Object.fromEntries(entries.map(([name, { form, isOptional }]) => [name, isOptional ? optional(form) : form])),
    ),
    valid: fc.record(Object.fromEntries(entries.map(([name, { valid }]) => [name, valid])), {
      requiredKeys: entries.filter(([, { isOptional }]) => !isOptional).map(([name]) => name),
    }),
  };
};

const { samples } = fc.letrec<{ samples: Sample }>((tie) => ({
  samples: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    numbers,
    texts,
    fc.tuple(tie("samples"), fc.nat(2), fc.integer({ min: 2, max: 4 })).map(([{ form, valid }, least, most]) => ({
      form: list(form, { least, most }),
      valid: fc.array(valid, { minLength: least, maxLength: most }),
    })),
    tie("samples").map(({ form, valid }) => ({ form: nullable(form), valid: fc.option(valid) })),
    tie("samples").map(({ form, valid }) => ({ form: dictionary(form), valid: fc.dictionary(names, valid) })),
    fc
      .dictionary(
        names,
        fc.tuple(tie("samples"), fc.boolean()).map(([each, isOptional]) => ({ ...each, isOptional })),
      )
      .map(objectOf),
  ),
}));

const strange = fc.constantFrom<unknown>(
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    51,
    1e308,
    "",
    "x",
    "a\u0000b",
    "\ud800",
    "😀",
    "😀😀😀😀😀😀",
    "ONE",
    [],
    [1],
    {},
    { a: 1 },
  ],
);

/** Puts another value at one place of a value, removes the place, or adds a field beside it. */
function altered(value: unknown, steps: readonly number[], other: unknown, how: "put" | "remove" | "add"): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || typeof value !== "object" || value === null) return other;
  if (Array.isArray(value)) {
    if (value.length === 0) return [other];
    const at = step % value.length;
    return value.map((each, place) => (place === at ? altered(each, rest, other, how) : each));
  }
  const keys = Object.keys(value);
  const key = keys[step % Math.max(1, keys.length)];
  if (how === "add" || key === undefined) return { ...value, [`other${step}`]: other };
  if (how === "remove") return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  return { ...value, [key]: altered((value as Record<string, unknown>)[key], rest, other, how) };
}

const cases = samples.chain(({ form, valid }) =>
  fc
    .oneof(
      valid,
      fc
        .tuple(
          valid,
          fc.array(fc.nat(5), { maxLength: 3 }),
          strange,
          fc.constantFrom("put" as const, "remove" as const, "add" as const),
        )
        .map(([value, steps, other, how]) => altered(value, steps, other, how)),
      fc.jsonValue({ maxDepth: 2 }),
    )
    .map((value) => ({ form, given: JSON.parse(JSON.stringify(value ?? null)) as unknown })),
);

describe("a random form", () => {
  test("accepts exactly what its JSON Schema accepts, and gives it unchanged", () => {
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(cases, ({ form, given }) => {
        const isDescribed = ajv.validate(form.schema, given);
        const parsed = read(form, given);
        seen["value" in parsed ? "accepted" : "refused"]++;
        expect([form.schema, given, "value" in parsed]).toEqual([form.schema, given, isDescribed]);
        if ("value" in parsed) expect(parsed.value).toEqual(given);
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(200);
  });

  test("accepts as a stored value what its stored schema accepts beside fields that it does not know", () => {
    let stored = 0;
    fc.assert(
      fc.property(cases, ({ form, given }) => {
        const parsed = read(form, given, "stored");
        if (!("value" in parsed)) {
          expect([given, ajv.validate(storedSchemaOf(form.schema), given)]).toEqual([given, false]);
          return;
        }
        stored++;
        expect([parsed.value, ajv.validate(storedSchemaOf(form.schema), parsed.value)]).toEqual([parsed.value, true]);
        expect(read(form, parsed.value, "stored")).toEqual(parsed);
      }),
      { numRuns: 500 },
    );
    expect(stored).toBeGreaterThan(150);
  });

  test("accepts a placeholder at every place of a value that it accepts", () => {
    const placeholder = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    fc.assert(
      fc.property(
        samples.chain(({ form, valid }) => fc.record({ form: fc.constant(form), given: valid })),
        fc.array(fc.nat(5), { maxLength: 3 }),
        ({ form, given }, steps) => {
          const partly = Array.isArray(given) && given.length === 0 ? given : altered(given, steps, placeholder, "put");
          // A null counts as absent, and a field beside those of the form is another matter.
          fc.pre(!/null|"other/.test(JSON.stringify(partly)));
          expect([partly, read(form, partly, { placeholder })]).toEqual([partly, { value: partly }]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

const limits = object(
  {
    least: number({ least: 0, most: 10, otherwise: 2 }),
    most: number({ least: 0, most: 10, otherwise: 5 }),
    unit: optional(oneOf(["ms", "s"]), "ms"),
    note: optional(line(20)),
  },
  {
    check: ({ least, most }) => (least <= most ? [] : [`least (${least}) is above most (${most}).`]),
  },
);

describe("reading", () => {
  test("strictly requires what has a default, lists every problem with its place, and repeats no value", () => {
    const given = { least: 99, unit: "hours", notes: "secret", [`\u001b[31m`]: 1 };
    expect(read(limits, given)).toMatchObject({
      complaints: [
        'the value has an unknown field "notes" and 1 more; the known fields are least, most, unit, note.',
        "least must be a number from 0 to 10.",
        "most is missing.",
        "unit must be ms or s.",
      ],
    });
  });

  test("gives the values in complaints only if asked, and cuts long ones", () => {
    const parsed = read(object({ rows: list(limits) }), { rows: [{ least: 11, most: 12, note: "x".repeat(500) }] });
    expect("problems" in parsed && parsed.problems.map(complaintWithValue)).toEqual([
      "rows[0].least is 11, but must be a number from 0 to 10.",
      "rows[0].most is 12, but must be a number from 0 to 10.",
      `rows[0].note is "${"x".repeat(119)}…, but must be a text of 1 to 20 characters in one line.`,
    ]);
  });

  test("compares fields that have the right type, within their limits or not, and only then", () => {
    const complaints = (given: object) => {
      const parsed = read(limits, given);
      return "complaints" in parsed ? parsed.complaints : [];
    };
    expect(complaints({ least: 7, most: 5 })).toEqual(["least (7) is above most (5)."]);
    expect(complaints({ least: 70, most: 5 })).toEqual([
      "least must be a number from 0 to 10.",
      "least (70) is above most (5).",
    ]);
    expect(complaints({ least: "7", most: 5 })).toEqual(["least must be a number from 0 to 10."]);
  });

  test("a stored value ignores what it does not know, keeps to no limit, and completes what is newer", () => {
    expect(read(limits, { least: 70, later: true }, "stored")).toEqual({ value: { least: 70, most: 5, unit: "ms" } });
    expect(read(limits, { least: "7" }, "stored")).toMatchObject({
      complaints: ["least must be a number from 0 to 10."],
    });
  });

  test("with placeholders takes null as absent and compares nothing", () => {
    const mode = { placeholder: "?" };
    expect(read(limits, { least: 7, most: "?", note: null }, mode)).toEqual({
      value: { least: 7, most: "?", unit: "ms" },
    });
    expect(read(limits, { least: 7, most: null }, mode)).toMatchObject({ complaints: ["most is missing."] });
    expect(read(limits, "?", mode)).toEqual({ value: "?" });
    expect(read(limits, { least: 7, most: 5 }, mode)).toMatchObject({ value: { least: 7 } });
  });

  test("a completed object fills in its defaults and compares them, a partial one leaves fields out", () => {
    expect(defaultsOf(limits)).toEqual({ least: 2, most: 5 });
    expect(read(completed(limits), { least: 3 })).toEqual({ value: { least: 3, most: 5, unit: "ms" } });
    expect(read(completed(limits), { least: 6 })).toMatchObject({ complaints: ["least (6) is above most (5)."] });
    expect(read(completed(limits, { most: 9 }), { least: 6 })).toEqual({ value: { least: 6, most: 9, unit: "ms" } });
    expect(read(partial(limits), { least: 6 })).toEqual({ value: { least: 6 } });
    expect(read(partial(limits), { least: 60 })).toMatchObject({
      complaints: ["least must be a number from 0 to 10."],
    });
  });

  test("a prototype's fields are not the value's", () => {
    const given = JSON.parse('{"__proto__":{"least":1,"most":2}}') as unknown;
    expect(read(limits, given)).toMatchObject({
      complaints: [expect.stringContaining('unknown field "__proto__"'), "least is missing.", "most is missing."],
    });
    expect(read(limits, Object.create({ least: 1, most: 2 }))).toMatchObject({ complaints: { length: 2 } });
  });
});
