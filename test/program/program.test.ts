// index.ts under mocks: what it declares as a whole, how its parts are connected, and that no secret is in plain text.
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { type Declared, record, valueOf } from "../support/program/mocks.ts";
import { stackConfig } from "../support/program/stack-config.ts";

const password = "hunter2-hunter2";
let declared: readonly Declared[];
let outputs: typeof import("../../index.ts");

beforeAll(async () => {
  const stack = stackConfig(parse(readFileSync("Pulumi.local.yaml", "utf8")).config);
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = '["ballast:databasePassword"]';
  vi.resetModules(); // the program is a module, which would run only at its first import
  const run = await record(async () => {
    pulumi.runtime.setAllConfig({ ...stack, "ballast:databasePassword": password }, ["ballast:databasePassword"]);
    return await import("../../index.ts");
  });
  declared = run.declared;
  outputs = run.made;
});

test("the program declares a resource group and one component of each kind", () => {
  expect(declared.filter(({ parent }) => parent === "").map(({ type, name }) => `${type} ${name}`)).toEqual([
    "ballast:index:ContainerEnvironment apps",
    "azure-native:resources:ResourceGroup ballast",
    "ballast:index:ControlPlane control-plane",
    "ballast:index:DeadMansSwitch dead-mans-switch",
    "ballast:index:ImageRegistry images",
    "ballast:index:JournalDatabase journal",
    "ballast:index:CanaryApp storefront",
    "ballast:index:Telemetry telemetry",
  ]);
});

test("every child's name begins with its component's name", () => {
  const components = declared.filter(({ type }) => type.startsWith("ballast:") && !type.endsWith(":Release"));
  for (const { parent, name } of declared.filter((each) => each.parent !== "")) {
    expect(name.startsWith(`${components.find(({ type }) => type === parent)?.name}-`)).toBe(true);
  }
});

test("the control plane manages the released app and no other", () => {
  const env: { name: string; value: string }[] = declared.find(({ name }) => name === "control-plane-app")?.inputs[
    "template"
  ].containers[0].env;
  const release = declared.find(({ type }) => type.endsWith(":Release"))!.inputs;
  expect(JSON.parse(env.find(({ name }) => name === "BALLAST_MANAGED_TARGETS")!.value)).toEqual([
    { resourceGroup: release["resourceGroup"], app: release["app"] },
  ]);
  expect(env.find(({ name }) => name === "BALLAST_AUDIENCE")?.value).toBe(release["audience"]);
});

test("the dead man's switch watches the program's control plane and has the same managed targets", () => {
  const variables = (name: string): { name: string; value: string }[] =>
    declared.find((each) => each.name === name)?.inputs["template"].containers[0].env;
  const [plane, dead] = [variables("control-plane-app"), variables("dead-mans-switch-job")].map((env) =>
    Object.fromEntries(env.map(({ name, value }) => [name, value])),
  );
  expect(dead).toMatchObject({
    BALLAST_HEALTH: "https://control-plane.apps.example.net/health",
    BALLAST_MANAGED_TARGETS: plane!["BALLAST_MANAGED_TARGETS"],
    BALLAST_DEADMAN_SECONDS: "25",
  });
});

test("the release is requested from the program's control plane", async () => {
  const endpoint = await valueOf(outputs.controlPlaneEndpoint);
  expect(endpoint).toBe("https://control-plane.apps.example.net");
  expect(declared.find(({ type }) => type.endsWith(":Release"))?.inputs["endpoint"]).toBe(endpoint);
});

test("the password is in inputs only as a secret", () => {
  const secretSignature = "4dabf18193072939515e22adb298388d";
  const clear = JSON.stringify(declared, (_key, value: unknown) =>
    typeof value === "object" && value !== null && secretSignature in value ? "[secret]" : value,
  );
  expect(clear).not.toContain(password);
  expect(JSON.stringify(declared)).toContain(password); // else the line above would prove nothing
});

test("the outputs are the addresses of the service and the control plane, and the result of the release", async () => {
  const { storefrontUrl, revision, result, message } = outputs;
  expect(
    await Promise.all([storefrontUrl, revision, result, message].map((output) => valueOf<string>(output))),
  ).toEqual(["https://storefront.apps.example.net", "storefront--0000002", "promoted", "All went well."]);
});

test("index.ts has 90 lines at most", () =>
  expect(readFileSync("index.ts", "utf8").split("\n").length).toBeLessThanOrEqual(90));
