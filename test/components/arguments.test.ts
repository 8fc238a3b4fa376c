// Every argument of every component, with every kind of wrong value. The walk follows the forms, so a new argument is
// covered as soon as it has one, and it cannot be read without.
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { argumentForms } from "../../components/argument-forms.ts";
import { readArguments } from "../../components/arguments.ts";
import type { Schema } from "../../engines/schema.ts";
import * as components from "../../package.ts";
import {
  changed,
  componentNames,
  everyArgument,
  isFunction,
  makeComponent,
  type Name,
  type Path,
  pathOf,
  type Values,
  validArguments,
} from "../support/program/component-arguments.ts";
import { record } from "../support/program/mocks.ts";

/** The arguments that azure-native reads itself: beyond their type, what they hold is its to say. */
const native = new Set([
  "configuration",
  "environmentId",
  "extendedLocation",
  "identity",
  "kind",
  "location",
  "managedBy",
  "managedEnvironmentId",
  "patchingConfiguration",
  "tags",
  "template",
  "workloadProfileName",
]);
const isNative = (component: Name, path: Path): boolean => component === "CanaryApp" && native.has(String(path[0]));

/** Gives values that a schema does not allow, each with a word for it. */
function wrongValues({
  type,
  minLength,
  enum: words,
  minimum,
  exclusiveMinimum,
  minItems,
  additionalProperties,
}: Schema): [string, unknown][] {
  const itself: unknown[] = [];
  itself.push(itself);
  const any: [string, unknown][] = [
    ["null", null],
    ["NaN", Number.NaN],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a date", new Date(0)],
    ["a map", new Map([["a", 1]])],
    ["a list with itself", itself],
  ];
  const isNumber = type === "number" || type === "integer";
  return [
    ...any,
    ...(type === "string"
      ? []
      : ([
          ["a text", "5"],
          ["an empty text", ""],
        ] as [string, unknown][])),
    ...(type === "string" && (minLength || words) ? ([["an empty text", ""]] as [string, unknown][]) : []),
    ...(words ? ([["a misspelt word", "misspelt"]] as [string, unknown][]) : []),
    ...(isNumber
      ? []
      : ([
          ["a number", 5],
          ["a big integer", 5n],
        ] as [string, unknown][])),
    ...(isNumber ? ([["infinity", Number.POSITIVE_INFINITY]] as [string, unknown][]) : []),
    ...(minimum !== undefined || exclusiveMinimum !== undefined ? ([["a negative", -1]] as [string, unknown][]) : []),
    ...(type === "integer" ? ([["a fraction", 5.5]] as [string, unknown][]) : []),
    ...(type === "boolean" ? [] : ([["true", true]] as [string, unknown][])),
    ...(type === "array" ? ([["an object", {}]] as [string, unknown][]) : ([["a list", []]] as [string, unknown][])),
    ...(minItems ? ([["an empty list", []]] as [string, unknown][]) : []),
    ...(type === "object" && additionalProperties !== undefined
      ? ([["an unknown name", { misspelt: {} }]] as [string, unknown][])
      : []),
  ];
}

/** Makes a component as a JavaScript program would, and gives the error. */
function refusalOf(component: Name, args: unknown, [name]: readonly unknown[] = ["shop"]): string {
  try {
    makeComponent(component, name, args);
  } catch (error) {
    expect(pulumi.RunError.isInstance(error), String((error as Error).stack)).toBe(true); // Pulumi shows no stack trace
    expect((error as Error).stack).toBe((error as Error).message); // and none where it shows the stack of any error
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

/** Matches an error with the component's name and the argument's path; a plan says only the name of a number in it. */
function refused(path: Path): RegExp {
  const [whole, last] = [pathOf(path), pathOf(path.slice(1))].map((each) => each.replaceAll(/[.[\]]/g, "\\$&"));
  const plan = /^(strategy|thresholds|dryRunThresholds|gate)\b/.test(pathOf(path))
    ? `|canary-app-plan .*"shop".*${last}`
    : "";
  return new RegExp(
    `^(component-arguments-refused .*("shop"|httpApp).*${whole}|canary-app-.*"shop" .*${whole}${plan})`,
    "s",
  );
}

test("every component of the package has a form for its arguments", () =>
  expect(componentNames.toSorted()).toEqual(Object.keys(components).toSorted()));

test.each(componentNames)(
  "%s takes the valid arguments that every case of this file starts from",
  async (component) => {
    const { declared } = await record(() => makeComponent(component, "shop", validArguments[component]));
    if (isFunction(component)) return;
    expect(declared).toContainEqual(expect.objectContaining({ type: `ballast:index:${component}` }));
  },
);

describe.each(everyArgument.map((each) => [each.component, pathOf(each.path), each] as const))(
  "%s %s",
  (_, _path, argument) => {
    const { component, path, schema, required } = argument;
    const given = validArguments[component];

    test.each(wrongValues(schema))("is refused by name if it is %s", (_kind, wrong) => {
      // An unknown name is refused by the known ones; names of variables and secrets are the program's own.
      const said = refusalOf(component, changed(given, path, wrong));
      expect(said).toMatch(refused(path));
      expect(said).not.toMatch(/hunter2|undefined|\[object|\n\s+at /);
    });

    // An optional argument may be missing.
    if (required)
      test("is refused by name if it is missing or undefined", () => {
        expect(refusalOf(component, changed(given, path))).toMatch(refused(path));
        expect(refusalOf(component, changed(given, path, undefined))).toMatch(refused(path));
      });

    test("is refused at once, or when it is known, if it is an output without a value", async () => {
      const args = changed(given, path, pulumi.output(Promise.resolve(undefined))) as object;
      const read = settled(component, args);
      if (isNative(component, path)) return await read; // azure-native takes it as absent
      await expect(read).rejects.toThrow(refused(path));
    });

    test("is refused at once, or when it is known, if it is a promise of a wrong value", async () => {
      const args = changed(given, path, Promise.resolve(Number.NaN)) as object;
      await expect(settled(component, args)).rejects.toThrow(refused(path));
    });
  },
);

/** Reads arguments, and waits for their outputs as a program without mocks does. */
async function settled(component: Name, args: object): Promise<void> {
  // Without mocks.
  pulumi.runtime.resetOptions("ballast", "test", -1, "", "", false, "");
  const read = readArguments as (component: string, name: string, form: unknown, given: object) => object;
  await values(read(component, "shop", argumentForms[component], args));
}

interface Parts extends Record<"isKnown" | "isSecret", Promise<unknown>> {
  readonly promise: () => Promise<unknown>;
  readonly allResources: () => Promise<unknown>;
}

async function values(value: unknown): Promise<void> {
  if (pulumi.Output.isInstance(value)) {
    const { promise, isKnown, isSecret, allResources } = value as unknown as Parts;
    for (const part of [isKnown, isSecret, allResources()]) part.catch(() => undefined); // each rejects too
    await promise();
  }
  if (typeof value === "object" && value !== null && !pulumi.Output.isInstance(value))
    await Promise.all(Object.values(value).map(values));
}

test.each(componentNames)("%s refuses an unknown argument and lists the known ones", (component) => {
  const said = refusalOf(component, { ...validArguments[component], locatoin: "westeurope" });
  const known = Object.keys(argumentForms[component].fields).at(-1)!;
  expect(said).toMatch(new RegExp(`unknown field "locatoin"; the known fields are .*\\b${known}\\b`));
  const call = isFunction(component) ? "httpApp\\(…\\)" : `new ${component}\\("shop", …\\)`;
  expect(said).toMatch(new RegExp(`fix {3}correct locatoin in ${call}`));
  if (isFunction(component)) expect(said).toContain(`of ${component} for the app "shop":`);
});

test.each(componentNames)("%s refuses arguments and names that are none", (component) => {
  for (const none of [undefined, null, "args", []])
    expect(refusalOf(component, none)).toMatch(/^component-arguments-refused .*("shop"|httpApp).*object/);
  if (isFunction(component)) return;
  for (const name of [undefined, null, "", 5, {}])
    expect(refusalOf(component, validArguments[component], [name])).toMatch(
      /^component-arguments-refused .*name, which must be/,
    );
});

const contradictions: readonly (readonly [Name, Values, string])[] = [
  ["httpApp", { secretVariables: { KEY: "kye" } }, 'names the secret "kye", which does not exist: secrets has key'],
  ["httpApp", { secrets: {}, secretVariables: { KEY: "key" } }, "which does not exist: secrets has none"],
  ["httpApp", { variables: { KEY: "1" } }, "The variable KEY is in both variables and secretVariables."],
  ["httpApp", { secrets: { Key: "hunter2" } }, "secrets: a name in it"],
  ["httpApp", { variables: { "A=B": "1" } }, "variables: a name in it"],
  ["CanaryApp", { strategy: { weights: ["5"] } }, 'weights[0] is "5"'],
  ["ControlPlane", { requestSeconds: 60 }, "requestSeconds (60) must be less than leaseSeconds (60)."],
  ["ControlPlane", { minReplicas: 3, maxReplicas: 2 }, "maxReplicas (2) must be at least minReplicas (3)."],
  ["JournalDatabase", { zoneRedundant: true }, "burstable"],
];
test.each(contradictions)("%s refuses %j", (component, change, says) =>
  expect(refusalOf(component, { ...validArguments[component], ...change })).toContain(says),
);

test("an environment may be the output of another stack as a whole, and its parts are checked by name", async () => {
  const good = {
    ...validArguments.ControlPlane,
    environment: pulumi.output(Promise.resolve(validArguments.ControlPlane["environment"])),
  };
  await settled("ControlPlane", good);
  const bad = {
    ...validArguments.ControlPlane,
    environment: pulumi.output(Promise.resolve({ id: "environment", domian: "x" })),
  };
  await expect(settled("ControlPlane", bad)).rejects.toThrow("environment.domain: it is an output without a value");
});

test("a value that is undefined is called missing, and so are arguments that are not there", () => {
  expect(refusalOf("CanaryApp", undefined as never)).toContain("is missing, but must be an object");
});

test("a fix names the stack's configuration only if the program is configured by it", () => {
  const plan = { ...validArguments.CanaryApp, strategy: { weights: [50, 25] } };
  pulumi.runtime.setAllConfig({});
  expect(refusalOf("CanaryApp", plan)).toMatch(/fix {3}correct the argument strategy or the argument .* of "shop"/);
  pulumi.runtime.setAllConfig({ "ballast:strategy": "{}" });
  expect(refusalOf("CanaryApp", plan)).toMatch(/fix {3}correct ballast:strategy or /);
  pulumi.runtime.setAllConfig({});
});
