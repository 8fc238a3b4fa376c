// Any arguments of a ContainerApp, each value plain, an output, a promise or a secret: what goes in reaches the app,
// and nothing else does. fast-check prints the seed of a run that fails.
import { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { beforeEach, expect, test, vi } from "vitest";
import { CanaryApp } from "../../components/canary-app/canary-app.ts";
import { containerApps } from "../support/program/container-app-arguments.ts";
import { record } from "../support/program/mocks.ts";

beforeEach(() => {
  // The SDK logs there without a Pulumi CLI: some of the apps take messages, or set what has no effect.
  for (const method of ["log", "warn"] as const) vi.spyOn(console, method).mockImplementation(() => undefined);
});

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
    fc.asyncProperty(containerApps, fc.array(fc.nat(99), { minLength: 80, maxLength: 80 }), async (args, draws) => {
      const controlPlane = { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" };
      const sent = await inputsOf(() => new ContainerApp("shop", args));
      const found = await inputsOf(
        () => new CanaryApp("shop", { ...wrapped(args, [...draws]), containerAppName: "shop", controlPlane }),
      );
      sent.configuration.activeRevisionsMode = "Multiple";
      sent.configuration.ingress.traffic = [{ latestRevision: true, weight: 100 }];
      expect(found).toEqual(sent);
    }),
    { numRuns: 20 },
  );
}, 120_000);
