// What an update takes from a live app or changes of it, at the borders: values that a preview does not know yet, other
// letter case, secrets that move, and options that send what the state has.
import { describe, expect, test } from "vitest";
import { type Planned, refuseAdoption } from "../../components/canary-app/adopt.ts";
import { CanaryApp, type CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
import { hole } from "../../components/canary-app/known-parts.ts";
import type { KeptSetting } from "../../components/canary-app/losses.ts";
import type { LiveApp } from "../../components/canary-app/traffic.ts";
import { type Answers, record } from "../support/program/mocks.ts";

const puller = "/subscriptions/s/resourceGroups/Shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller";
const vault = "https://v.vault.azure.net/secrets/db";
const template = { containers: [{ name: "web", image: "web:1" }], scale: { minReplicas: 1 } };
const ingress = { external: true, targetPort: 8080, transport: "http" };
const live = (change: object, more: object = {}, inner: object = {}): LiveApp =>
  ({
    latestReadyRevisionName: "shop--a",
    template,
    configuration: { activeRevisionsMode: "Multiple", ...more, ingress: { ...ingress, ...inner } },
    ...change,
  }) as LiveApp;
const said = (change: object, more: object = {}, inner: object = {}): Planned => ({
  template,
  configuration: { ...more, ingress: { ...ingress, ...inner } },
  ...change,
});
/** Gives the refusal with its id; empty if the update may go on. */
const refusal = (found: LiveApp, planned: Planned, keepLive: readonly KeptSetting[] = []): string => {
  try {
    refuseAdoption("shop", found, planned, { keepLive, acceptLoss: [] });
    return "";
  } catch (error) {
    return String(error);
  }
};

/** A part of what the program says is not known; the live app has another part, which is kept. */
test.each<[KeptSetting, LiveApp, Planned]>([
  ["tags", live({ tags: { owner: "a" } }), said({ tags: { cost: hole } })],
  [
    "customDomains",
    live({}, {}, { customDomains: [{ name: "www.example.org" }] }),
    said({}, {}, { customDomains: [{ name: "shop.example.org", certificateId: hole }] }),
  ],
  [
    "secretsByReference",
    live({}, { secrets: [{ name: "db", keyVaultUrl: vault, identity: "system" }, { name: "key" }] }),
    said({}, { secrets: [{ name: "key", value: hole }] }),
  ],
  [
    "ipSecurityRestrictions",
    live({}, {}, { ipSecurityRestrictions: [{ name: "door", action: "Allow", ipAddressRange: "10.0.0.0/8" }] }),
    said({}, {}, { ipSecurityRestrictions: [{ name: hole, action: "Allow", ipAddressRange: "10.1.0.0/16" }] }),
  ],
])("%s are kept, though a part of what the program says is not known yet", (setting, found, planned) => {
  expect(refusal(found, planned, [setting])).toBe("");
  expect(refusal(found, planned)).toContain("canary-app-losses");
});

test.each<[string, object]>([
  ["all identities", { type: "UserAssigned", userAssignedIdentities: hole }],
  ["the type", { type: hole }],
  ["an identity", { type: "UserAssigned", userAssignedIdentities: [hole] }],
])("%s of an app may be any as long as a preview does not know it", (_what, identity) => {
  const found = live({ identity: { type: "SystemAssigned, UserAssigned", userAssignedIdentities: { [puller]: {} } } });
  expect(refusal(found, said({ identity }))).toBe("");
  expect(refusal(found, said({ identity }), ["identity"])).toBe("");
});

const release = { template: { ...template, containers: [{ name: "web", image: "web:2" }] } };
const secret = (more: object) => ({ secrets: [{ name: "db", ...more }] });
test.each<[string, object, object, boolean]>([
  ["another secret of the vault", { keyVaultUrl: vault }, { keyVaultUrl: `${vault}-2` }, true],
  ["another identity", { keyVaultUrl: vault, identity: "system" }, { keyVaultUrl: vault, identity: puller }, true],
  ["the vault instead of a value", {}, { keyVaultUrl: vault }, true],
  [
    "the same in other letters",
    { keyVaultUrl: vault, identity: puller },
    { keyVaultUrl: `${vault.toUpperCase()}/`, identity: puller.toUpperCase() },
    false,
  ],
  ["a place not known yet", { keyVaultUrl: vault }, { keyVaultUrl: hole }, false],
])("canary-app-scope-changes: a release that reads a secret from %s", (_what, shown, sent, isChange) => {
  const found = refusal(live({}, secret(shown)), said(release, secret(sent)));
  if (isChange) expect(found).toMatch(/canary-app-scope-changes .*the secret db is read from another place/);
  else expect(found).toBe("");
  expect(refusal(live({}, secret(shown)), said({}, secret(sent)))).toBe("");
});

const containers = (...names: readonly string[]) => ({
  template: { ...template, containers: names.map((name) => ({ name, image: `shop.azurecr.io:443/${name}:1` })) },
});
test.each<[string, object, object, string]>([
  ["is another sidecar", containers("web", "proxy"), containers("web", "log"), "the container proxy."],
  [
    "is a sidecar by another name",
    containers("web", "proxy"),
    {
      template: {
        ...template,
        containers: [
          { name: "web", image: "web:2" },
          { name: "door", image: "shop.azurecr.io:443/proxy@sha256:12" },
        ],
      },
    },
    "",
  ],
  [
    "may be any",
    containers("web", "proxy"),
    {
      template: {
        ...template,
        containers: [
          { name: "web", image: "web:2" },
          { name: "door", image: hole },
        ],
      },
    },
    "",
  ],
  ["is the first by another name, with another image", containers("web", "proxy"), containers("shop", "proxy"), ""],
  ["is one container less", containers("web", "proxy"), containers("web"), "the container proxy."],
])("a container that the program %s", (_what, shown, sent, lost) => {
  const found = refusal(live(shown), said(sent));
  if (lost === "") expect(found).toBe("");
  else expect(found).toMatch(new RegExp(`canary-app-losses .*remove them: ${lost}`));
});

test("the server of a registry, and an id within a template, are the same in any letter case", () => {
  const registries = (server: string) => ({ registries: [{ server, identity: "system" }] });
  expect(refusal(live({}, registries("Shop.azurecr.io")), said(release, registries("shop.azurecr.io")))).toBe("");
  const scaled = (identity: string) => ({
    template: {
      ...template,
      scale: { minReplicas: 1, rules: [{ name: "queue", custom: { type: "azure-queue", identity } }] },
    },
  });
  const otherPort = { targetPort: 80 };
  expect(refusal(live(scaled(puller)), said(scaled(puller.toUpperCase()), {}, otherPort))).toBe("");
  expect(refusal(live(scaled(puller)), said(scaled(`${puller}-2`), {}, otherPort))).toContain("scope-changes");
});

test("what says nothing is no change of the template, though Azure does not show it", () => {
  const shown = { template: { ...template, scale: { minReplicas: null, maxReplicas: 10 }, volumes: null } };
  const nothing = { template: { ...template, scale: { minReplicas: 0 }, volumes: [], initContainers: null } };
  expect(refusal(live(shown), said(nothing, {}, { targetPort: 80 }))).toBe("");
});

describe("what an update leaves as the state has it", () => {
  const args: CanaryAppArgs = {
    containerAppName: "shop",
    resourceGroupName: "shop",
    environmentId: "apps",
    controlPlane: { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" },
    configuration: { ingress },
    template,
  };
  const found = live({ workloadProfileName: "D4" });
  const answers: Answers = (token) => (token.endsWith("getContainerApp") ? found : {});

  test("is not a profile that is kept: the state may have another one", async () => {
    const { declared } = await record(
      () => new CanaryApp("shop", { ...args, keepLive: ["workloadProfileName"] }),
      answers,
    );
    const app = declared.find(({ name }) => name === "shop-app")!;
    expect(app.inputs["workloadProfileName"]).toBe("D4");
    expect(app.ignoreChanges).toEqual(["containerAppName", "resourceGroupName", "managedEnvironmentId"]);
  });

  test.each<[KeptSetting, string]>([
    ["tags", "tags"],
    ["tags", 'tags["owner"]'],
    ["secretsByReference", "configuration.secrets[0].value"],
    ["dapr", "configuration.dapr"],
  ])("cannot be kept from the live app as well: %s, and ignoreChanges of %s", async (setting, path) => {
    const program = () => new CanaryApp("shop", { ...args, keepLive: [setting] }, { ignoreChanges: [path] });
    await expect(record(program, answers)).rejects.toThrow(
      new RegExp(`component-arguments-refused .*keepLive.*it keeps ${setting} as the live app has it`, "s"),
    );
  });
});

describe("canary-app-moved", () => {
  const apps = "/subscriptions/s/resourceGroups/Shop/providers/Microsoft.App/managedEnvironments/apps";
  const placed = live({ location: "West Europe", managedEnvironmentId: apps });
  test.each([
    ["another environment", { managedEnvironmentId: `${apps}-2` }, "its environment is"],
    ["another environment by its other name", { environmentId: `${apps}-2` }, "its environment is"],
    ["another region", { location: "northeurope" }, "its location is West Europe"],
  ])("%s is refused by name, before Pulumi deletes the app", (_what, top, says) =>
    expect(refusal(placed, said(top))).toMatch(new RegExp(`^canary-app-moved .*${says}`)),
  );

  test.each([
    ["the same id in other letters", { managedEnvironmentId: apps.toUpperCase() }],
    ["the same region", { location: "westeurope" }],
    ["what is not known yet", { managedEnvironmentId: hole, location: hole }],
    ["nothing", {}],
  ])("%s is no move", (_what, top) => expect(refusal(placed, said(top))).toBe(""));
});

test("an app may be opened, and its transport changed, but not beside a release", () => {
  const found = live({}, {}, { external: false, transport: "Auto" });
  expect(refusal(found, said({}))).toBe("");
  expect(refusal(found, said(release))).toMatch(/canary-app-scope-changes .*ingress\.external from false to true/);
});
