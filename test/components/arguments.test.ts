// Every argument of every component, with every kind of wrong value. The walk follows the forms, so a new argument is
// covered as soon as it has one, and it cannot be read without.
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { argumentForms } from "../../components/argument-forms.ts";
import { readArguments } from "../../components/arguments.ts";
import type { Schema } from "../../engines/schema.ts";
import * as components from "../../package.ts";
import { record } from "../support/program/mocks.ts";

type Name = keyof typeof argumentForms;
type Made = new (name: unknown, args: unknown) => unknown;
type Path = readonly (string | number)[];
type Values = { readonly [name: string]: unknown };

const names = Object.keys(argumentForms) as Name[];
const group = "/subscriptions/s/resourceGroups/shop";
const place = { scope: group, resourceGroupName: "shop", location: "westeurope" };
const image = "example.azurecr.io/shop:1";
const pull = { server: "example.azurecr.io", identity: `${group}/identities/pull` };
const environment = { id: "environment", domain: "apps.example.net" };
const endpoint = "https://control-plane.apps.example.net";

const reference = {
  credential: "database",
  form: "uri",
  slots: ["database-a", "database-b"],
  urls: { a: "https://kv.vault.azure.net/secrets/database-a/1", b: "https://kv.vault.azure.net/secrets/database-b/1" },
  identity: "reader",
  consumers: [{ resourceGroup: "shop", app: "shop" }],
};

/** What each component needs, and an object or a list wherever an argument has parts. */
const valid: Readonly<Record<Name, Values>> = {
  CanaryApp: {
    containerAppName: "shop",
    resourceGroupName: "shop",
    location: "westeurope",
    managedEnvironmentId: "environment",
    controlPlane: { endpoint, audience: "api://ballast" },
    configuration: { ingress: { external: true, targetPort: 8080 } },
    template: { containers: [{ name: "shop", image }] },
    strategy: { weights: [5, 50] },
    thresholds: { failurePointsMax: 0.5 },
    dryRunThresholds: { failurePointsMax: 0.4 },
    gate: { beforePercent: 100, expiresSeconds: 3_600 },
    keepLive: ["tags"],
    acceptLoss: ["sidecars"],
    credentialSlots: [["db-a", "db-b"]],
    credentials: { DATABASE_URL: reference },
  },
  ContainerEnvironment: place,
  ControlPlane: {
    ...place,
    tenant: "tenant",
    image,
    pull,
    environment,
    workspace: { id: "workspace", customerId: "customer" },
    database: { host: "journal.example.net", name: "ballast", login: { user: "ballast", password: "hunter2" } },
    managedTargets: [{ resourceGroup: "shop", app: "shop" }],
    audience: "api://ballast",
    endpoints: {},
    telemetry: { insightsId: "insights", connectionString: "InstrumentationKey=key" },
    callers: ["10.0.0.0/8"],
  },
  DatabaseCredential: {
    ...place,
    vault: { id: "vault", name: "shop-kv" },
    credential: "database",
    controlPlane: { endpoint, audience: "api://ballast" },
    server: { host: "shop.postgres.database.azure.com" },
    database: "shop",
    roles: { a: "shop_a", b: "shop_b" },
    rotator: "control-plane",
    preparedBy: { resourceGroup: "shop", job: "shop-roles" },
    checks: ["select 1"],
    consumers: [{ resourceGroup: "shop", app: "shop" }],
    timings: { quietSeconds: 2_100 },
  },
  DatabaseRole: {
    ...place,
    tenant: "tenant",
    image,
    pull,
    environmentId: "environment",
    database: { serverName: "journal", host: "journal.example.net", name: "ballast" },
    grantee: { name: "control-plane", objectId: "object" },
    credentials: [{ owner: "shop_owner", a: "shop_a", b: "shop_b" }],
  },
  DeadMansSwitch: {
    ...place,
    image,
    pull,
    environmentId: "environment",
    controlPlaneEndpoint: endpoint,
    managedTargets: [{ resourceGroup: "shop", app: "shop", id: "app" }],
  },
  ImageRegistry: { ...place, registry: "shopimages" },
  JournalDatabase: { ...place, tenant: "tenant", network: { subnet: "subnet", zone: "zone" } },
  Network: { ...place, range: "10.40.0.0/22" },
  SecretVault: { ...place, tenant: "tenant", workspaceId: "workspace", officer: "object" },
  Telemetry: { ...place, workspaceId: "workspace", emails: ["ann@example.com"], apps: ["shop"] },
  httpApp: {
    containerAppName: "shop",
    resourceGroupName: "shop",
    location: "westeurope",
    environmentId: "environment",
    image,
    variables: { GREETING: "hello" },
    secrets: { key: "hunter2" },
    secretVariables: { KEY: "key" },
    registries: [pull],
    telemetry: { connectionString: "InstrumentationKey=key", identity: "identity" },
  },
};

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

interface Argument {
  readonly path: Path;
  readonly schema: Schema;
  readonly required: boolean;
}

/** Lists every argument within a form, with those of its objects, of the items of its lists and of its names. */
function argumentsIn(schema: Schema, at: Path, value: unknown): readonly Argument[] {
  const {
    properties = {},
    required = [],
    items,
    additionalProperties,
  } = schema as {
    properties?: Readonly<Record<string, Schema>>;
    required?: readonly string[];
    items?: Schema;
    additionalProperties?: Schema | boolean;
  };
  const child = (name: string | number): unknown => (value as Values | undefined)?.[name];
  const parts = [
    ...Object.entries(properties).map(([name, each]) => [name, each, required.includes(name)] as const),
    ...(items && Array.isArray(value) ? [[0, items, false] as const] : []),
    ...(typeof additionalProperties === "object" && value
      ? Object.keys(value).map((name) => [name, additionalProperties, false] as const)
      : []),
  ];
  return parts.flatMap(([name, each, isRequired]) => [
    { path: [...at, name], schema: each, required: isRequired },
    ...argumentsIn(each, [...at, name], child(name)),
  ]);
}

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

const pathOf = (path: Path): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");

/** Gives the same arguments with another value at a path; without a value there, the argument is left out. */
function changed(given: unknown, [step, ...rest]: Path, ...to: readonly unknown[]): unknown {
  const next = (given as Values | undefined)?.[step!];
  if (Array.isArray(given)) return given.with(Number(step), rest.length > 0 ? changed(next, rest, ...to) : to[0]);
  const { [step!]: _, ...others } = (given ?? {}) as Values;
  if (rest.length > 0) return { ...others, [step!]: changed(next, rest, ...to) };
  return to.length === 0 ? others : { ...others, [step!]: to[0] };
}

const walk = names.flatMap((component) =>
  argumentsIn(argumentForms[component].schema, [], valid[component]).map((argument) => ({ component, ...argument })),
);

/** Makes a component, or calls a function, as a JavaScript program would. */
function make(component: Name, name: unknown, args: unknown): unknown {
  const exported = (components as Readonly<Record<string, unknown>>)[component];
  if (isFunction(component)) return (exported as (args: unknown) => unknown)(args);
  return new (exported as Made)(name, args);
}

/** The package exports components by names with a capital letter, and functions. */
const isFunction = (name: Name): boolean => /^[a-z]/.test(name);

/** Makes a component as a JavaScript program would, and gives the error. */
function refusalOf(component: Name, args: unknown, [name]: readonly unknown[] = ["shop"]): string {
  try {
    make(component, name, args);
  } catch (error) {
    expect(pulumi.RunError.isInstance(error), String((error as Error).stack)).toBe(true); // Pulumi shows no stack trace
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
  expect(names.toSorted()).toEqual(Object.keys(components).toSorted()));

test.each(names)("%s takes the valid arguments that every case of this file starts from", async (component) => {
  const { declared } = await record(() => make(component, "shop", valid[component]));
  if (isFunction(component)) return;
  expect(declared).toContainEqual(expect.objectContaining({ type: `ballast:index:${component}` }));
});

describe.each(walk.map((each) => [each.component, pathOf(each.path), each] as const))("%s %s", (_, _path, argument) => {
  const { component, path, schema, required } = argument;
  const given = valid[component];

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
});

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

test.each(names)("%s refuses an unknown argument and lists the known ones", (component) => {
  const said = refusalOf(component, { ...valid[component], locatoin: "westeurope" });
  expect(said).toMatch(/unknown field "locatoin"; the known fields are .*\blocation\b/);
  const call = isFunction(component) ? "httpApp\\(…\\)" : `new ${component}\\("shop", …\\)`;
  expect(said).toMatch(new RegExp(`fix {3}correct locatoin in ${call}`));
});

test.each(names)("%s refuses arguments and names that are none", (component) => {
  for (const none of [undefined, null, "args", []])
    expect(refusalOf(component, none)).toMatch(/^component-arguments-refused .*("shop"|httpApp).*object/);
  if (isFunction(component)) return;
  for (const name of [undefined, null, "", 5, {}])
    expect(refusalOf(component, valid[component], [name])).toMatch(
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
  expect(refusalOf(component, { ...valid[component], ...change })).toContain(says),
);

test("an environment may be the output of another stack as a whole, and its parts are checked by name", async () => {
  const good = { ...valid.ControlPlane, environment: pulumi.output(Promise.resolve(environment)) };
  await settled("ControlPlane", good);
  const bad = {
    ...valid.ControlPlane,
    environment: pulumi.output(Promise.resolve({ id: "environment", domian: "x" })),
  };
  await expect(settled("ControlPlane", bad)).rejects.toThrow("environment.domain: it is an output without a value");
});

test("a fix names the stack's configuration only if the program is configured by it", () => {
  const plan = { ...valid.CanaryApp, strategy: { weights: [50, 25] } };
  pulumi.runtime.setAllConfig({});
  expect(refusalOf("CanaryApp", plan)).toMatch(/fix {3}correct the argument strategy, .* of "shop"/);
  pulumi.runtime.setAllConfig({ "ballast:strategy": "{}" });
  expect(refusalOf("CanaryApp", plan)).toMatch(/fix {3}correct ballast:strategy, /);
  pulumi.runtime.setAllConfig({});
});
