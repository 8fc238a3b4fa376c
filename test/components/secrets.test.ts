// Whatever is secret by meaning is a secret in the state, also if a program passes a plain string: in the inputs and
// the outputs of the component itself, and in those of every resource below it. The walk covers every component that
// the package exports, so a new one is tried as soon as its arguments have forms.
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import type { CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
import { CanaryApp, httpApp } from "../../package.ts";
import {
  changed,
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

/** The key by which Pulumi marks special values, and the mark of a secret. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretMark = "1b47061264138c4ac30d75fd1eb44270";

/** Gives a value without anything that is marked as a secret. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  if ((value as Values)[signatureKey] === secretMark) return "[secret]";
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutSecrets(each)]));
}

const plainText = "PLAIN-HUNTER2";
/** How a program may pass it. */
const ways: Readonly<Record<string, (given: unknown) => unknown>> = {
  "a plain text": (given) => given,
  "a promise": (given) => Promise.resolve(given),
  "an output": (given) => pulumi.output(given),
};

/** Declares what has the secret, and gives the resources that keep it, and those that keep it in plain text. */
async function keepersOf(declare: () => unknown) {
  const { declared } = await record(declare);
  const states = declared.map(({ type, name, inputs, outputValues }) => ({
    what: `${type} ${name}`,
    state: { inputs, outputValues },
  }));
  const having = (text: (state: unknown) => string) =>
    states.filter(({ state }) => text(state).includes(plainText)).map(({ what }) => what);
  return { kept: having(JSON.stringify), plain: having((state) => JSON.stringify(withoutSecrets(state))) };
}

const canaryApp = validArguments.CanaryApp as unknown as CanaryAppArgs;
/** Declares the app that a function's arguments make. */
const declareApp = (args: Values): unknown =>
  new CanaryApp("shop", { ...httpApp(args as never), controlPlane: canaryApp.controlPlane });

const secrets = everyArgument.filter(({ schema }) => schema["writeOnly"] === true);

describe.each(secrets.map(({ component, path }) => [`${component} ${pathOf(path)}`, component, path] as const))(
  "the secret %s",
  (_name, component, path) => {
    test.each(Object.keys(ways))("is in no state in plain text if it is %s", async (way) => {
      const args = changed(validArguments[component], path, ways[way]!(plainText)) as Values;
      const { kept, plain } = await keepersOf(() =>
        isFunction(component) ? declareApp(args) : makeComponent(component, "shop", args),
      );
      expect(plain).toEqual([]);
      expect(kept).not.toEqual([]); // Azure gets it.
    });
  },
);

describe("a secret of an app", () => {
  const { configuration: known } = validArguments.CanaryApp as { configuration: object };
  const configuration = { ...known, secrets: [{ name: "key", value: "hunter2" }] };
  const places: readonly Path[] = [[], ["secrets"], ["secrets", 0], ["secrets", 0, "value"]];
  const cases = places.flatMap((place) =>
    Object.keys(ways).map((way) => [pathOf(["configuration", ...place]), way, place] as const),
  );

  test.each(cases)("is in no state in plain text if %s is %s", async (_place, way, place) => {
    const filled = changed(configuration, ["secrets", 0, "value"], plainText);
    const part = place.reduce<unknown>((whole, step) => (whole as Values)[step], filled);
    const given = place.length === 0 ? ways[way]!(filled) : changed(filled, place, ways[way]!(part));
    const { kept, plain } = await keepersOf(
      () => new CanaryApp("shop", { ...canaryApp, credentials: {}, configuration: given as never }),
    );
    expect(plain).toEqual([]);
    expect(kept).not.toEqual([]);
  });
});

describe("a refusal repeats no secret", () => {
  const shapes: Readonly<Record<string, unknown>> = {
    "a text": plainText,
    "a list": [plainText],
    "a list of lists": [[plainText]],
    "an object in its place": { value: plainText },
  };
  const places = secrets.flatMap(({ component, path }) =>
    [...path.keys(), path.length].map((length) => [component, path.slice(0, length)] as const),
  );
  const otherPlaces = [
    ["CanaryApp", ["configuration"], plainText],
    ["CanaryApp", ["configuration"], [plainText]],
    ["CanaryApp", ["configuration", "secrets"], { key: plainText }],
    ["CanaryApp", ["configuration", "secrets"], [plainText]],
    ["ControlPlane", ["database", "host"], `ballast:${plainText}@journal.example.net/db`],
    ["ControlPlane", ["environment", "domain"], `https://ballast:${plainText}@apps.example.net`],
    ["CanaryApp", ["controlPlane", "endpoint"], `https://plane.example.net/?code=${plainText}`],
    ["WebhookCredential", ["url"], `https://u:${plainText}@hooks.example.net/rotate`],
    ["WebhookCredential", ["url"], `https://hooks.example.net/rotate?a=1&sig=${plainText}`],
    ["httpApp", ["secrets"], { [plainText]: "key" }],
    ["httpApp", ["secretVariables"], { KEY: plainText }],
    ["ControlPlane", ["issues", "tokenUrl"], `${plainText}://`],
  ] as const;
  type Case = readonly [component: Name, at: Path, what: string, given: unknown];
  const cases: readonly Case[] = [
    ...places.flatMap(([component, at]) =>
      Object.entries(shapes).map(([what, given]): Case => [component, at, what, given]),
    ),
    ...otherPlaces.map(([component, at, given]): Case => [component, at, JSON.stringify(given), given]),
  ];

  test.each(cases.map(([component, at, what, given]) => [component, pathOf(at), what, at, given] as const))(
    "of %s in %s as %s",
    async (component, _path, _what, at, given) => {
      for (const way of Object.values(ways)) {
        const args = changed(validArguments[component], at, at.length === 0 ? given : way(given)) as Values;
        const declaring = record(() =>
          isFunction(component) ? declareApp(args) : makeComponent(component, "shop", args),
        );
        const refusal = await declaring.then(
          () => "",
          (error: Error) => `${error.message}${error.stack}`,
        );
        expect(refusal).not.toContain(plainText);
      }
    },
  );
});

test("every argument whose name means a secret is one of them", () => {
  const named = everyArgument
    .filter(({ path }) =>
      /password|secret|token|credential|key|notify|webhook|signing|connectionString/i.test(String(path.at(-1))),
    )
    .filter(({ schema }) => schema["writeOnly"] !== true)
    .map(({ component, path }) => `${component} ${pathOf(path)}`);
  expect(named.toSorted()).toEqual([
    "CanaryApp credentialSlots", // names of secrets
    "CanaryApp credentials", // references, without any value
    "CanaryApp credentials.DATABASE_URL.credential", // the name of a secret
    "ControlPlane credentials", // declarations without any password
    "ControlPlane issues.tokenUrl", // where the token is
    "DatabaseCredential credential", // the name of a secret
    "DatabaseCredential passwordPolicy", // what a password may look like
    "DatabaseRole credentials", // names of roles
    "DeliveryWorkflows stacks[0].secrets", // names of secrets
    "RemediatedAlert remedy.ladder[0].credential", // a name
    "ServiceObjectives remedy.ladder[0].credential", // a name
    "StorageCredential credential", // the name of a secret
    "StorageCredential passwordPolicy", // what a password may look like
    "WebhookCredential credential", // the name of a secret
    "WebhookCredential passwordPolicy", // what a password may look like
    "httpApp secretVariables", // names of secrets
    "httpApp secretVariables.KEY", // the name of a secret
    "httpApp secrets", // tried by each of them
    "httpApp telemetry.connectionString", // grants nothing: the component of `Telemetry` takes Entra tokens only
  ]);
});
