// Any arguments of a ContainerApp, each value plain, an output, a promise or a secret: what goes in reaches the app,
// and nothing else does. fast-check prints the seed of a run that fails.
import { ContainerApp, type ContainerAppArgs } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CanaryApp } from "../../components/canary-app/canary-app.ts";
import { record } from "../support/program/mocks.ts";

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const some = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { maxLength: 2 });
const containers = fc.record({
  name: word,
  image: word,
  args: maybe(some(word)),
  env: maybe(some(fc.record({ name: word, value: word }))),
});

const configuration = fc.record({
  ingress: fc.record({
    targetPort: fc.integer({ min: 1, max: 65_535 }),
    external: maybe(fc.boolean()),
    transport: maybe(fc.constantFrom("auto", "http", "http2")),
    customDomains: maybe(some(fc.record({ name: word, bindingType: word }))),
    corsPolicy: maybe(fc.record({ allowedOrigins: some(word), maxAge: maybe(fc.nat()) })),
    stickySessions: maybe(fc.record({ affinity: fc.constant("none") })),
  }),
  dapr: maybe(fc.record({ enabled: fc.boolean(), appId: maybe(word) })),
  maxInactiveRevisions: maybe(fc.nat(100)),
  registries: maybe(some(fc.record({ server: word, username: word, passwordSecretRef: word }))),
  secrets: maybe(some(fc.oneof(fc.record({ name: word, value: word }), fc.record({ name: word, keyVaultUrl: word })))),
});
const template = fc.record({
  containers: fc.array(containers, { minLength: 1, maxLength: 3 }),
  initContainers: maybe(some(fc.record({ name: word, image: word }))),
  scale: maybe(
    fc.record({ minReplicas: fc.integer({ min: 1, max: 3 }), rules: maybe(some(fc.record({ name: word }))) }),
  ),
  volumes: maybe(some(fc.record({ name: word, storageType: fc.constantFrom("AzureFile", "EmptyDir") }))),
  terminationGracePeriodSeconds: maybe(fc.nat(600)),
});
// Generated objects may have no prototype, which the SDK cannot take.
const anyArgs = fc
  .record({
    containerAppName: fc.constant("shop"),
    resourceGroupName: fc.constant("shop"),
    location: maybe(word),
    managedEnvironmentId: maybe(word),
    workloadProfileName: maybe(word),
    identity: maybe(fc.record({ type: fc.constant("UserAssigned"), userAssignedIdentities: some(word) })),
    tags: maybe(fc.dictionary(word, word, { maxKeys: 2 })),
    configuration,
    template,
  })
  .map(
    (args): ContainerAppArgs => JSON.parse(JSON.stringify({ ...args, configuration: withSecrets(args.configuration) })),
  );

/** Adds the secrets that the registries name: an app that names another one is refused. */
function withSecrets<Given extends { registries?: any; secrets?: any }>(given: Given): Given {
  const named = (given.registries ?? []).map(({ passwordSecretRef: name }: any) => ({ name, value: "password" }));
  return named.length === 0 ? given : { ...given, secrets: [...(given.secrets ?? []), ...named] };
}

type Wrap = (value: unknown) => unknown;
const wraps: readonly Wrap[] = [
  (value) => value,
  (value) => value,
  (value) => pulumi.output(value),
  (value) => Promise.resolve(value),
  (value) => pulumi.secret(value),
];

/** Wraps parts of arguments, chosen by a list of numbers that is used up on the way; the whole stays plain. */
function wrapped(value: any, draws: number[], isWhole = true): any {
  const wrap = isWhole ? wraps[0]! : wraps[(draws.pop() ?? 0) % wraps.length]!;
  if (Array.isArray(value)) return wrap(value.map((each) => wrapped(each, draws, false)));
  if (typeof value !== "object" || value === null) return value === undefined ? value : wrap(value);
  return wrap(Object.fromEntries(Object.entries(value).map(([key, each]) => [key, wrapped(each, draws, false)])));
}

const signature = "4dabf18193072939515e22adb298388d";
function unmarked(value: any): any {
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== "object" || value === null) return value;
  if (signature in value) return unmarked(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unmarked(each)]));
}
const inputsOf = async (program: () => unknown): Promise<any> =>
  unmarked((await record(program)).declared.find(({ type }) => type.endsWith(":ContainerApp"))!.inputs);

test("what goes in reaches the app as a ContainerApp of its own would send it", async () => {
  await fc.assert(
    fc.asyncProperty(anyArgs, fc.array(fc.nat(99), { minLength: 80, maxLength: 80 }), async (args, draws) => {
      const controlPlane = { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" };
      const sent = await inputsOf(() => new ContainerApp("shop", args));
      const found = await inputsOf(
        () => new CanaryApp("shop", { ...wrapped(args, [...draws]), containerAppName: "shop", controlPlane }),
      );
      sent.configuration.activeRevisionsMode = "Multiple";
      sent.configuration.ingress.traffic = [{ latestRevision: true, weight: 100 }];
      expect(found).toEqual(sent);
    }),
    { numRuns: 40 },
  );
}, 120_000);
