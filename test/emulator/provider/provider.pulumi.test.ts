// The emulator for azure-native, driven by the real Pulumi CLI through up, preview, refresh and destroy; and its rules
// of comparison, which decide whether a refresh shows drift or noise.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { carryOver } from "../../../emulator/provider/difference.ts";
import { nativeResourceOf } from "../../../emulator/provider/resources.ts";
import {
  foreseenOutputs,
  idOf,
  parametersIn,
  problemOf,
  toInputs,
  toOutputs,
  toWire,
  unknownText,
} from "../../../emulator/provider/shape.ts";
import { bringPulumi, type PulumiCli } from "../../../toolchain/pulumi/bring.ts";
import { type CloudForTests, startCloudForTests } from "../../support/emulator/cloud.ts";

const program = `
import * as pulumi from "@pulumi/pulumi";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { Workspace } from "@pulumi/azure-native/operationalinsights/workspace.js";
import { ManagedEnvironment } from "@pulumi/azure-native/app/managedEnvironment.js";
import { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import { Job } from "@pulumi/azure-native/app/job.js";
import { getContainerApp } from "@pulumi/azure-native/app/getContainerApp.js";
import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { SystemTopic } from "@pulumi/azure-native/eventgrid/systemTopic.js";
import { SystemTopicEventSubscription } from "@pulumi/azure-native/eventgrid/systemTopicEventSubscription.js";
import { Vault } from "@pulumi/azure-native/keyvault/vault.js";
import { getClientConfig } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { RoleDefinition } from "@pulumi/azure-native/authorization/roleDefinition.js";
const group = new ResourceGroup("shop", { location: "westeurope" });
const inGroup = { resourceGroupName: group.name };
const workspace = new Workspace("logs", inGroup);
const environment = new ManagedEnvironment("env", { ...inGroup, environmentName: "env" });
new DiagnosticSetting("rows", { name: "rows", resourceUri: environment.id, workspaceId: workspace.id,
  logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] });
const identity = new UserAssignedIdentity("who", inGroup);
new RoleAssignment("may", { scope: group.id, principalId: identity.principalId, principalType: "ServicePrincipal",
  roleDefinitionId: "/providers/Microsoft.Authorization/roleDefinitions/358470bc-b998-42bd-ab17-a7e34c199c0f" });
const { tenantId, objectId } = await getClientConfig();
const vault = new Vault("keys", { ...inGroup, properties: { tenantId, sku: { family: "A", name: "standard" },
  enableRbacAuthorization: true, enablePurgeProtection: true, softDeleteRetentionInDays: 7 } });
new RoleAssignment("sets", { scope: vault.id, principalId: objectId, principalType: "ServicePrincipal",
  roleDefinitionId: "/providers/Microsoft.Authorization/roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7" });
const topic = new SystemTopic("expiry", { ...inGroup, source: vault.id, topicType: "Microsoft.KeyVault.vaults" });
new SystemTopicEventSubscription("hints", { ...inGroup, systemTopicName: topic.name,
  destination: { endpointType: "WebHook", endpointUrl: process.env.HOOK },
  filter: { includedEventTypes: ["Microsoft.KeyVault.SecretNearExpiry"] } });
const role = new RoleDefinition("starter", { scope: group.id, roleName: "Starter", roleType: "CustomRole",
  permissions: [{ actions: ["Microsoft.App/jobs/start/action"] }], assignableScopes: [group.id] });
new Job("nightly", { ...inGroup, jobName: "nightly", environmentId: environment.id,
  identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
  configuration: { triggerType: "Schedule", replicaTimeout: 60,
    scheduleTriggerConfig: { cronExpression: "0 3 * * *" } },
  template: { containers: [{ name: "web", image: "web:1" }] } });
const app = new ContainerApp("web", {
  ...inGroup, containerAppName: "web", managedEnvironmentId: environment.id,
  identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
  configuration: { activeRevisionsMode: "Multiple",
    secrets: [{ name: "key", value: pulumi.secret("not-in-state-in-clear") }],
    ingress: { external: true, targetPort: 8080,
      traffic: [{ latestRevision: true, weight: 100, ...(process.env.TYPO ? { wieght: 1 } : {}) }] } },
  template: { containers: [{ name: "web", image: "registry.example/" + (process.env.IMAGE ?? "web:1") }],
    scale: { minReplicas: 1, maxReplicas: 2 } },
});
export const revision = app.latestRevisionName;
export const groupId = group.id;
export const vaultUri = vault.properties.vaultUri;
export const roleId = role.id;
export const absent = await getContainerApp({ resourceGroupName: "none", containerAppName: "none" })
  .catch((error) => error.message);
`;

let at: CloudForTests;
let pulumiCli: PulumiCli;
let folder: string;
/** A webhook that passes Event Grid's handshake. */
let hook: string;
let receiver: http.Server;

/** Runs the Pulumi CLI and gives its output, with its exit code if that is not 0. */
async function pulumi(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ readonly code: number; readonly said: string }> {
  const env = {
    PATH: process.env["PATH"]!,
    HOME: folder,
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    HOOK: hook,
    ...pulumiCli.environment,
    ...at.cloud.environment,
    ...environment,
  };
  const run = promisify(execFile)(pulumiCli.command, [...args, "--non-interactive"], {
    cwd: path.join(folder, "program"),
    env,
    maxBuffer: 32 * 1024 * 1024,
  });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      said: error.stdout + error.stderr,
    }),
  );
}

const up = (environment?: Record<string, string>) => pulumi(["up", "--yes", "--skip-preview"], environment);
const succeeded = (run: { readonly code: number; readonly said: string }): string => {
  expect(run.code, run.said).toBe(0);
  return run.said;
};

beforeAll(async () => {
  pulumiCli = await bringPulumi();
  at = await startCloudForTests();
  folder = at.folder;
  mkdirSync(path.join(folder, "program"));
  mkdirSync(path.join(folder, "state"));
  symlinkSync(path.join(import.meta.dirname, "../../../node_modules"), path.join(folder, "program", "node_modules"));
  writeFileSync(path.join(folder, "program", "package.json"), `{"type":"module"}`);
  writeFileSync(
    path.join(folder, "program", "Pulumi.yaml"),
    [
      "name: slice",
      "runtime: { name: nodejs, options: { typescript: false } }",
      "main: index.js",
      `backend: { url: "file://${folder}/state" }`,
      "",
    ].join("\n"),
  );
  writeFileSync(path.join(folder, "program", "index.js"), program);
  receiver = http.createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    response.end(JSON.stringify({ validationResponse: JSON.parse(text)[0].data.validationCode }));
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook?code=hush`;
  succeeded(await pulumi(["stack", "init", "dev"]));
});
afterAll(async () => {
  receiver?.close();
  await at.close();
});

test("the real Pulumi CLI deploys, sees no change, then drift alone, corrects it, and destroys all", async () => {
  expect(succeeded(await pulumi(["preview"]))).toMatch(/\+ 14 to create/);
  expect(succeeded(await up())).toMatch(/\+ 14 created/);
  const outputs = JSON.parse(succeeded(await pulumi(["stack", "output", "--json"])));
  expect(outputs.revision).toMatch(/^web--[a-z0-9]+$/);
  expect(outputs.vaultUri).toMatch(/^https:\/\/keys[0-9a-f]{8}\.vault\.ballast\.localhost\/$/);
  expect(outputs.roleId).toMatch(
    /^\/subscriptions\/[^/]+\/providers\/Microsoft.Authorization\/roleDefinitions\/[0-9a-f-]{36}$/,
  );
  expect(outputs.absent).toContain(`Status=404 Code="ResourceGroupNotFound"`);
  expect(succeeded(await pulumi(["stack", "export"]))).not.toContain("not-in-state-in-clear");
  succeeded(await pulumi(["preview", "--expect-no-changes"]));
  succeeded(await pulumi(["refresh", "--yes", "--skip-preview", "--expect-no-changes"]));
  succeeded(await pulumi(["preview", "--expect-no-changes"]));

  expect(succeeded(await up({ IMAGE: "web:2" }))).toMatch(/~ 1 updated/);
  expect(JSON.parse(succeeded(await pulumi(["stack", "output", "--json"]))).revision).not.toBe(outputs.revision);

  const app = `${outputs.groupId}/providers/Microsoft.App/containerApps/web?api-version=2025-07-01`;
  await at.settle("PATCH", app, { properties: { template: { scale: { maxReplicas: 7 } } } });
  const drift = succeeded(await pulumi(["preview", "--refresh", "--diff"], { IMAGE: "web:2" }));
  expect(drift).toMatch(/~ maxReplicas: 7 => 2/);
  expect(drift).toMatch(/~ 1 to update\n\s+13 unchanged/);
  succeeded(await pulumi(["up", "--yes", "--skip-preview", "--refresh"], { IMAGE: "web:2" }));
  expect((await at.ask("GET", app)).body.properties.template.scale.maxReplicas).toBe(2);

  expect(succeeded(await pulumi(["destroy", "--yes", "--skip-preview"]))).toMatch(/- 14 deleted/);
  const subscription = `/subscriptions/${at.cloud.subscription}`;
  expect((await at.ask("GET", `${subscription}/resources?api-version=2024-03-01`)).body).toEqual({ value: [] });
  expect((await at.ask("GET", `${subscription}/resourcegroups?api-version=2024-03-01`)).body).toEqual({ value: [] });
}, 300_000);

test("a property that the schema does not have fails the preview by its name", async () => {
  const { code, said } = await pulumi(["preview"], { TYPO: "1" });
  expect(code).not.toBe(0);
  expect(said).toContain("properties.configuration.ingress.traffic[0].wieght");
});

test("a resource whose creation failed stays in the stack, so that the next update repairs it", async () => {
  const failed = await up({ IMAGE: "unknown:1" });
  expect(failed.code).not.toBe(0);
  expect(failed.said).toContain("MANIFEST_UNKNOWN");
  succeeded(await up());
  succeeded(await pulumi(["destroy", "--yes", "--skip-preview"]));
}, 300_000);

test("a stack that names another subscription is refused, with the message that this is an emulator", async () => {
  const other = "11111111-1111-1111-1111-111111111111";
  await pulumi(["config", "set", "azure-native:subscriptionId", other]);
  const { code, said } = await pulumi(["preview"]);
  await pulumi(["config", "rm", "azure-native:subscriptionId"]);
  expect(code).not.toBe(0);
  expect(said).toContain("emulator for azure-native");
  expect(said).toContain(other);
});

const containerApp = nativeResourceOf("azure-native:app:ContainerApp")!;

test("inputs and wire bodies are one resource in two shapes", () => {
  const inputs = {
    resourceGroupName: "g",
    containerAppName: "a",
    azureApiVersion: "2025-02-02-preview",
    location: "westeurope",
    managedEnvironmentId: "/e",
    identity: { type: "UserAssigned", userAssignedIdentities: ["/i"] },
    template: { scale: { maxReplicas: 2 } },
  };
  const wire = toWire(containerApp, inputs);
  expect(wire).toEqual({
    location: "westeurope",
    identity: { type: "UserAssigned", userAssignedIdentities: { "/i": {} } },
    properties: { managedEnvironmentId: "/e", template: { scale: { maxReplicas: 2 } } },
  });
  const id = idOf(containerApp, inputs, "s")!;
  expect(id).toBe("/subscriptions/s/resourceGroups/g/providers/Microsoft.App/containerApps/a");
  const { resourceGroupName, containerAppName, azureApiVersion: _, ...said } = inputs;
  expect(parametersIn(containerApp, id)).toEqual({ resourceGroupName, containerAppName });
  expect(
    toInputs(
      containerApp,
      toOutputs(containerApp, {
        id,
        name: "a",
        ...wire,
        properties: { ...wire["properties"], provisioningState: "Succeeded", latestRevisionName: "a--1" },
      }),
    ),
  ).toEqual(said);
});

test("an extension's id keeps the slashes of what it extends", () => {
  const setting = nativeResourceOf("azure-native:monitor:DiagnosticSetting")!;
  const id = idOf(setting, { resourceUri: "/subscriptions/s/resourceGroups/g/providers/A/b/c", name: "d" }, "s")!;
  expect(id).toBe(
    "/subscriptions/s/resourceGroups/g/providers/A/b/c/providers/Microsoft.Insights/diagnosticSettings/d",
  );
  expect(parametersIn(setting, id)).toEqual({
    resourceUri: "/subscriptions/s/resourceGroups/g/providers/A/b/c",
    name: "d",
  });
});

test("an unknown value fits every schema and makes an id unknown", () => {
  const inputs = {
    resourceGroupName: unknownText,
    containerAppName: "a",
    location: unknownText,
    managedEnvironmentId: unknownText,
    configuration: unknownText,
  };
  expect(problemOf(containerApp, inputs)).toBeUndefined();
  expect(idOf(containerApp, inputs, "s")).toBeUndefined();
  expect(foreseenOutputs(containerApp, inputs)).toMatchObject({
    configuration: unknownText,
    latestRevisionName: unknownText,
    name: unknownText,
  });
});

test("a preview shows the inputs and leaves unknown what Azure may add", () => {
  const { configuration } = foreseenOutputs(containerApp, {
    location: "westeurope",
    configuration: { ingress: { targetPort: 80 } },
  });
  expect(configuration.ingress).toMatchObject({ targetPort: 80, fqdn: unknownText });
});

test("a refresh carries over changes in the cloud, but not the cloud's defaults", () => {
  const said = { scale: { min: 1 }, list: [{ a: 1 }], gone: "x" };
  const before = { scale: { min: 1, cooldown: 300 }, list: [{ a: 1, filled: true }], gone: "x" };
  expect(carryOver(said, before, before)).toEqual(said);
  expect(
    carryOver(said, before, { scale: { min: 2, cooldown: 300 }, list: [{ a: 1, filled: true }, { a: 2 }] }),
  ).toEqual({ scale: { min: 2 }, list: [{ a: 1 }, { a: 2 }] });
});

test("an object that the SDK flattens is nested on the wire, and flat again in the outputs", () => {
  const subscription = nativeResourceOf("azure-native:eventgrid:SystemTopicEventSubscription")!;
  const destination = { endpointType: "WebHook", endpointUrl: "https://a.example/hook" };
  const wire = toWire(subscription, {
    resourceGroupName: "g",
    systemTopicName: "t",
    eventSubscriptionName: "s",
    destination,
  });
  expect(wire).toEqual({
    properties: { destination: { endpointType: "WebHook", properties: { endpointUrl: "https://a.example/hook" } } },
  });
  expect(toOutputs(subscription, { id: "/s", name: "s", ...wire })).toMatchObject({ destination });
  expect(toInputs(subscription, { name: "s", destination })).toEqual({ destination });
});
