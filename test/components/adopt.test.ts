// What an update does to a live app beside a new revision: what it would take away, what it would recreate, and what
// all revisions would get. Every row compares a live app, as Azure shows it, with a program.
import { describe, expect, test } from "vitest";
import { type Planned, refuseAdoption, type Unsaid } from "../../components/canary-app/adopt.ts";
import { hole } from "../../components/canary-app/known-parts.ts";
import {
  type KeptSetting,
  keptOf,
  keptSettings,
  type LostSetting,
  sentOf,
} from "../../components/canary-app/losses.ts";
import type { LiveApp } from "../../components/canary-app/traffic.ts";
import { type App, containers, group, puller, settings, vault } from "../support/program/lost-settings.ts";

const apps = `${group}/providers/Microsoft.App/managedEnvironments/apps`;
const traffic = [{ revisionName: "a", weight: 100 }];
const ingress = { external: false, targetPort: 8080, transport: "Auto", traffic };

const liveApp = ({ top, configuration, template, ...more }: App = {}): LiveApp =>
  ({
    latestReadyRevisionName: "a",
    location: "West Europe",
    managedEnvironmentId: apps,
    template: { containers: containers("1"), scale: { minReplicas: 1, maxReplicas: 10 }, ...template },
    configuration: {
      activeRevisionsMode: "Multiple",
      ...configuration,
      ingress: "ingress" in more && more.ingress === undefined ? undefined : { ...ingress, ...more.ingress },
    },
    ...top,
  }) as LiveApp;

/** A program, which releases another image unless `release` is that of the live app. */
const program = ({ top, configuration, template, ...more }: App = {}, release = "1"): Planned => ({
  configuration: {
    ...configuration,
    ingress: { targetPort: 8080, ...more.ingress },
  },
  template: { containers: containers(release), scale: { minReplicas: 1 }, ...template },
  ...top,
});

const nothing: Unsaid = { keepLive: [], acceptLoss: [] };
const refusal = (live: LiveApp, planned: Planned, unsaid: Unsaid = nothing): string | undefined => {
  try {
    refuseAdoption("shop", live, planned, unsaid);
    return undefined;
  } catch (error) {
    return String(error);
  }
};

test.each([
  ["without ingress", { ingress: undefined }, "has no ingress"],
  ["with a TCP ingress", { ingress: { transport: "Tcp" } }, "ingress is TCP"],
  ["with sticky sessions", { ingress: { stickySessions: { affinity: "sticky" } } }, "has sticky sessions"],
  ["in Labels mode", { configuration: { activeRevisionsMode: "Labels" } }, "Labels revision mode"],
])("canary-app-unfit refuses an app %s", (_what, app, says) =>
  expect(refusal(liveApp(app), program())).toMatch(new RegExp(`^canary-app-unfit .*${says}`)),
);

describe.each(Object.entries(settings) as [LostSetting, (typeof settings)[LostSetting]][])(
  "canary-app-losses: %s",
  (setting, [shown, said, words]) => {
    const live = liveApp(shown);
    const keepable = (keptSettings as readonly string[]).includes(setting);

    test.each([
      ["an unchanged program", "1"],
      ["a new release", "2"],
    ])("%s that does not say it is refused by name", (_what, release) => {
      const found = refusal(live, program({}, release));
      expect(found).toContain("canary-app-losses");
      expect(found).toContain(`remove them: ${words}.`);
      expect(found).toContain(`acceptLoss: ["${setting}"]`);
      expect(found?.includes(`keepLive: ["${setting}"]`)).toBe(keepable);
    });

    test("is no loss if the program says it, whatever the letter case", () =>
      expect(refusal(live, program(said)) ?? "").not.toContain("canary-app-losses"));

    test("is accepted by name, and no other is", () => {
      const other = setting === "tags" ? "dapr" : "tags";
      expect(refusal(live, program(), { ...nothing, acceptLoss: [setting] })).toBeUndefined();
      expect(refusal(live, program(), { ...nothing, acceptLoss: [other] })).toContain("canary-app-losses");
    });

    if (keepable)
      test.each(["1", "2"])("is no loss, nor a change of all revisions, if it is kept: release %s", (release) =>
        expect(refusal(live, program({}, release), { ...nothing, keepLive: [setting as KeptSetting] })).toBeUndefined(),
      );
  },
);

test.each([
  ["the usual kind", { top: { kind: "containerapps" } }],
  ["the usual patching", { top: { patchingConfiguration: { patchingMode: "Automatic" } } }],
  ["a container without TLS", { ingress: { targetPortHttpScheme: "http" } }],
  ["Dapr that is off", { configuration: { dapr: { enabled: false, appId: "shop" } } }],
  ["sessions without affinity", { ingress: { stickySessions: { affinity: "none" } } }],
  ["client certificates that are ignored", { ingress: { clientCertificateMode: "Ignore" } }],
  ["the Consumption profile", { top: { workloadProfileName: "Consumption" } }],
  ["no identity", { top: { identity: { type: "None" } } }],
  ["empty lists and maps", { ingress: { customDomains: [], ipSecurityRestrictions: null }, top: { tags: {} } }],
  ["an empty policy", { ingress: { corsPolicy: { allowedOrigins: null } } }],
  [
    "an identity that is always there",
    { configuration: { identitySettings: [{ identity: puller, lifecycle: "All" }] } },
  ],
  [
    "a volume that lasts no longer than a replica",
    { template: { volumes: [{ name: "tmp", storageType: "EmptyDir" }] } },
  ],
  ["another name of its only container", { template: { containers: [{ name: "other", image: "web:1" }] } }],
  [
    "what Azure fills in",
    { configuration: { maxInactiveRevisions: 100 }, ingress: { allowInsecure: false, exposedPort: 0 } },
  ],
] as readonly (readonly [string, App])[])("%s means nothing, and is no loss: a release goes on", (_what, app) =>
  expect(refusal(liveApp(app), program({}, "2"))).toBeUndefined(),
);

test("a secret that is read from Key Vault may not become one by value without a word", () => {
  const live = liveApp({ configuration: { secrets: [{ name: "db", keyVaultUrl: vault, identity: puller }] } });
  const literal = program({ configuration: { secrets: [{ name: "db", value: "literal" }] } });
  expect(refusal(live, literal)).toContain("the reference of the secret db");
});

test("what a preview does not know yet counts as said, and what it knows is compared", () => {
  const live = liveApp({
    top: { tags: { owner: "a" }, identity: { type: "UserAssigned", userAssignedIdentities: { [puller]: {} } } },
    ingress: { customDomains: [{ name: "www.example.org" }] },
  });
  const unclear: readonly App[] = [
    { top: { tags: hole as never, identity: hole as never }, ingress: { customDomains: hole as never } },
    {
      top: { tags: { owner: hole }, identity: { type: "UserAssigned", userAssignedIdentities: [hole] } },
      ingress: { customDomains: [hole] },
    },
    {
      top: { tags: { owner: hole }, identity: { type: hole, userAssignedIdentities: [puller] } },
      ingress: { customDomains: [{ name: hole }] },
    },
  ];
  for (const each of unclear) expect(refusal(live, program(each))).toBeUndefined();
  const { configuration: _, ...rest } = program();
  expect(refusal(liveApp({ top: { tags: { owner: "a" } } }), { ...rest, configuration: hole })).toContain(
    "the tag owner",
  );
  const named = {
    configuration: {
      secrets: [
        { name: "db", keyVaultUrl: hole },
        { name: "other", value: hole },
      ],
    },
  };
  const referring = liveApp({ configuration: { secrets: [{ name: "db", keyVaultUrl: vault }] } });
  expect(refusal(referring, program(named))).toBeUndefined();
});

test("several losses are named at once, with the settings that can be kept", () => {
  const live = liveApp({ ...settings.tags[0], template: { initContainers: [{ name: "migrate" }] } });
  const found = refusal(live, program());
  expect(found).toContain("the tag owner, the init container migrate.");
  expect(found).toContain('keepLive: ["tags"]; to drop them, set acceptLoss: ["tags", "initContainers"]');
});

/** What is sent of a setting that is kept: both sides, and the program's where they differ. */
test.each([
  [
    "customDomains",
    [{ name: "shop.example.org" }],
    settings.customDomains[0],
    [{ name: "shop.example.org" }, { name: "www.example.org", bindingType: "SniEnabled", certificateId: "/c" }],
  ],
  ["customDomains", [{ name: "www.EXAMPLE.org" }], settings.customDomains[0], [{ name: "www.EXAMPLE.org" }]],
  ["customDomains", [{ name: "shop.example.org" }], {}, [{ name: "shop.example.org" }]],
  ["customDomains", undefined, {}, undefined],
  [
    "tags",
    { Owner: "b", cost: "1" },
    { top: { tags: { owner: "a", team: "t" } } },
    { team: "t", Owner: "b", cost: "1" },
  ],
  ["dapr", undefined, settings.dapr[0], { enabled: true, appId: "shop" }],
  ["dapr", { enabled: false }, settings.dapr[0], { enabled: false }],
  ["workloadProfileName", undefined, settings.workloadProfileName[0], "D4"],
  ["transport", undefined, settings.transport[0], "http2"],
  ["external", false, settings.external[0], false],
  [
    "identity",
    { type: "UserAssigned", userAssignedIdentities: ["/sender"] },
    settings.identity[0],
    { type: "SystemAssigned,UserAssigned", userAssignedIdentities: ["/sender", puller] },
  ],
  [
    "identity",
    undefined,
    { top: { identity: { type: "SystemAssigned", principalId: "p" } } },
    { type: "SystemAssigned" },
  ],
  [
    "secretsByReference",
    [
      { name: "db", value: "literal" },
      { name: "key", value: "1" },
    ],
    settings.secretsByReference[0],
    [
      { name: "key", value: "1" },
      { name: "db", keyVaultUrl: vault, identity: puller },
    ],
  ],
] as readonly (readonly [KeptSetting, unknown, App, unknown])[])(
  "%s with %j is sent with what the live app has beside it",
  (setting, said, app, sent) => expect(sentOf(setting, said, keptOf([setting], liveApp(app)))).toEqual(sent),
);

describe("canary-app-scope-changes", () => {
  const registry = { server: "shop123.azurecr.io", identity: "/subscriptions/s/resourceGroups/Shop/x" };

  test.each([
    ["another port", { ingress: { targetPort: 80 } }, "ingress.targetPort from 80 to 8080"],
    ["fewer old revisions", { configuration: { maxInactiveRevisions: 10 } }, "maxInactiveRevisions from 10 to 100"],
    ["one secret less", { configuration: { secrets: [{ name: "api-key" }] } }, "the secret api-key is removed"],
    [
      "one registry less",
      { configuration: { registries: [{ server: "old.azurecr.io", identity: "x" }] } },
      "the registry old.azurecr.io is removed",
    ],
  ])("stops the preview only if there is a release as well: %s", (_what, app, says) => {
    expect(refusal(liveApp(app), program({}, "2"))).toMatch(new RegExp(`^canary-app-scope-changes .*${says}`));
    expect(refusal(liveApp({ ...app, template: { terminationGracePeriodSeconds: 30 } }), program())).toBeUndefined();
    expect(refusal(liveApp(app), program({ template: { containers: hole as never } }))).toBeUndefined();
  });

  test("is no error for what a preview does not know yet", () => {
    const unclear = { configuration: { secrets: hole, registries: hole }, ingress: { targetPort: hole } };
    const live = liveApp({ configuration: { secrets: [{ name: "a" }], registries: [registry] } });
    expect(refusal(live, program(unclear as never, "2"))).toBeUndefined();
    expect(refusal(live, program({ configuration: { secrets: [hole], registries: [hole] } }, "2"))).toBeUndefined();
  });

  test("stops a release for an added registry only if the serving revision pulls from it", () => {
    const from = (image: string, configuration: object = {}): string | undefined =>
      refusal(
        liveApp({ configuration, template: { containers: [{ name: "web", image }] } }),
        program({ configuration: { registries: [registry] } }, "2"),
      );
    expect(from("registry.example/storefront:1")).toBeUndefined();
    expect(from("shop123.azurecr.io/storefront:1")).toContain("the registry shop123.azurecr.io is added");
    const asShown = { ...registry, identity: registry.identity.toLowerCase(), username: "" };
    expect(from("shop123.azurecr.io/storefront:1", { registries: [asShown] })).toBeUndefined();
    expect(from("shop123.azurecr.io/storefront:1", { registries: [{ ...registry, identity: "/other" }] })).toContain(
      "gets another sign-in",
    );
  });

  test("stops a release for an added secret only if the serving revision mounts all secrets", () => {
    const beside = (volumes: readonly object[]): string | undefined =>
      refusal(
        liveApp({ template: { volumes } }),
        program({ configuration: { secrets: [{ name: "telemetry" }] }, template: { volumes } }, "2"),
      );
    const scratch = { name: "scratch", storageType: "EmptyDir" };
    expect(
      beside([{ name: "one", storageType: "Secret", secrets: [{ secretRef: "api-key", path: "key" }] }, scratch]),
    ).toBeUndefined();
    for (const secrets of [undefined, null, []])
      expect(beside([{ name: "all", storageType: "Secret", secrets }])).toContain("the secret telemetry is added");
  });
});

const [half, other] = ["a", "b"].map((revisionName) => ({ revisionName, weight: 50 }));
const splitBy = (label?: string): App => ({ ingress: { traffic: [label ? { ...half, label } : half, other] } });
const latest: App = { ingress: { traffic: [{ latestRevision: true, weight: 100 }] } };
const single: App = { configuration: { activeRevisionsMode: "Single" } };
test.each<[string, App, App, string | undefined]>([
  ["for a split of another client", splitBy(), latest, "configuration.ingress.traffic"],
  ["as Single mode, for a split of another client", splitBy(), single, 'activeRevisionsMode: "Single"'],
  ["for one revision", {}, latest, undefined],
  ["for a rollout in flight", splitBy("stable"), latest, undefined],
  ["left out, for a split", splitBy(), {}, undefined],
])("the line that gives the latest revision all traffic, %s", (_what, live, said, words) => {
  const found = refusal(liveApp(live), program(said));
  if (words === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(new RegExp(`canary-app-owned-field.*${words}`, "s"));
});
