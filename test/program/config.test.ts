// The configuration as tables: what a stack gets by default, what it may set, and which error refuses everything else.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig, type Settings } from "../../config.ts";
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import { BallastError } from "../../errors/catalogue.ts";
import { azure, ids, local, network, pinned, secret, subnet, zone, zoned } from "../support/program/configurations.ts";
import { filledIn } from "../support/program/environments.ts";
import { stackConfig } from "../support/program/stack-config.ts";

function refused(change: { readonly [key: string]: string }, secretKeys: readonly string[] = []): BallastError {
  try {
    parseConfig({ ...azure, ...change }, secretKeys);
  } catch (error) {
    if (error instanceof BallastError) return error;
    throw error;
  }
  throw new Error(`nothing was refused in ${JSON.stringify(change)}`);
}

describe("a stack that sets only the required keys", () => {
  const settings = parseConfig(azure, []);
  const expected: Partial<Settings> = {
    emulator: false,
    subscription: "11111111-2222-3333-4444-555555555555",
    resourceGroup: "ballast",
    probePath: "/",
    healthPath: "/health/ready",
    startupSeconds: 60,
    wait: true,
    whenInFlight: "refuse",
    leaseSeconds: 60,
    requestSeconds: 30,
    ingestionSeconds: 180,
    silenceSeconds: 240,
    audience: "api://ballast",
    databaseAuthentication: "entra",
    databasePort: 5432,
    databaseTls: "require",
    storefrontEnvironment: {},
    strategy: defaultStrategy,
    thresholds: defaultThresholds,
    dryRunThresholds: {},
    expectedRequestsPerMinute: 0,
    zoneRedundant: false,
    network: { range: "", environmentSubnet: "", databaseSubnet: "", databaseZone: "", internal: false, callers: [] },
    databaseSku: "Standard_B1ms",
    retention: { logDays: 30, backupDays: 7 },
    replicas: { storefrontMin: 1, storefrontMax: 10, controlPlaneMin: 1, controlPlaneMax: 3 },
    endpoints: {
      resourceManager: "https://management.azure.com",
      logs: "https://api.loganalytics.io",
      login: "https://login.microsoftonline.com",
      vaults: "vault.azure.net",
    },
  };
  test.each(Object.entries(expected))("has %s as on public Azure", (key, value) =>
    expect(settings[key as keyof Settings]).toEqual(value),
  );
});

describe("a stack's own value", () => {
  const given: readonly (readonly [string, string, keyof Settings, unknown])[] = [
    [
      "ballast:strategy",
      '{"weights":[1,99],"intervalSeconds":5}',
      "strategy",
      { ...defaultStrategy, weights: [1, 99], intervalSeconds: 5 },
    ],
    ["ballast:thresholds", '{"oddsTolerated":1.5}', "thresholds", { ...defaultThresholds, oddsTolerated: 1.5 }],
    [
      "ballast:storefrontEnvironment",
      '{"RELEASE":"2","FAULT_PERCENT":5,"QUIET":true}',
      "storefrontEnvironment",
      { RELEASE: "2", FAULT_PERCENT: "5", QUIET: "true" },
    ],
    [
      "ballast:endpoints",
      '{"logs":"https://logs.example"}',
      "endpoints",
      {
        resourceManager: "https://management.azure.com",
        logs: "https://logs.example",
        login: "https://login.microsoftonline.com",
        vaults: "vault.azure.net",
      },
    ],
    ["ballast:gate", '{"beforePercent":50}', "gate", { beforePercent: 50, expiresSeconds: 14_400 }],
    ["ballast:gate", "{}", "gate", undefined],
    ["ballast:dryRunThresholds", "{}", "dryRunThresholds", {}],
    ["ballast:dryRunThresholds", '{"oddsTolerated":1.1}', "dryRunThresholds", { oddsTolerated: 1.1 }],
    ["ballast:expectedRequestsPerMinute", "1200", "expectedRequestsPerMinute", 1200],
    ["ballast:wait", "false", "wait", false],
    ["ballast:whenInFlight", "supersede", "whenInFlight", "supersede"],
    ["ballast:databasePort", "6543", "databasePort", 6543],
    ["ballast:resourceGroup", "5", "resourceGroup", "5"],
  ];
  test.each(given)("%s %s is read", (key, value, setting, expected) =>
    expect(parseConfig({ ...azure, [key]: value }, [])[setting]).toEqual(expected),
  );

  test("of another namespace is ignored", () =>
    expect(() => parseConfig({ ...azure, "azure-native:partnerId": "x" }, [])).not.toThrow());
  test("of the password is not in the settings", () => {
    const settings = parseConfig(
      { ...azure, "ballast:databaseAuthentication": "password", "ballast:databasePassword": "hunter2" },
      secret,
    );
    expect(JSON.stringify(settings)).not.toContain("hunter2");
  });
  test("of zoneRedundant may be true with a subnet, replicas and a database that fit", () =>
    expect(parseConfig({ ...azure, ...zoned }, [])).toMatchObject({
      zoneRedundant: true,
      replicas: { storefrontMin: 3, storefrontMax: 10, controlPlaneMin: 2, controlPlaneMax: 3 },
    }));
  test.each([
    [{ range: "10.40.0.0/22" }],
    [{ range: "10.40.0.0/22", internal: true }],
    [{ range: "10.40.0.0/22", callers: ["203.0.113.0/24"] }],
    [{ environmentSubnet: subnet("apps") }],
    [{ environmentSubnet: subnet("apps"), internal: true }],
    [ids],
    [{ ...ids, internal: true }],
  ])("of the network may be %j", (choice) =>
    expect(parseConfig({ ...azure, ...network(choice) }, []).network).toMatchObject(choice),
  );
  test("is missing in Pulumi.local.yaml for the password only", () => {
    const settings = parseConfig({ ...local, "ballast:databasePassword": "x" }, secret);
    expect(settings).toMatchObject({
      emulator: true,
      strategy: { weights: [10, 50], bakeSeconds: 2 },
      databaseAuthentication: "password",
    });
  });
});

describe("a refusal", () => {
  const rows: readonly (readonly [id: string, change: { readonly [key: string]: string }, says: string])[] = [
    ["config-key-unknown", { "ballast:storefrontImge": "x" }, "ballast:storefrontImage"],
    ["config-key-unknown", { "ballast:strategy": '{"bakeSecond":4}' }, "ballast:strategy.bakeSeconds"],
    ["config-key-unknown", { "ballast:endpoints": '{"logins":"https://x"}' }, "ballast:endpoints.login"],
    ["config-key-unknown", { "ballast:gate": '{"beforPercent":50}' }, "ballast:gate.beforePercent"],
    [
      "config-key-unknown",
      { "ballast:dryRunThresholds": '{"oddTolerated":1}' },
      "ballast:dryRunThresholds.oddsTolerated",
    ],
    ["config-key-missing", { "azure-native:subscriptionId": "" }, "azure-native:subscriptionId"],
    ["config-value-ill-typed", { "ballast:emulator": "yes" }, 'ballast:emulator is "yes", but must be true or false'],
    [
      "config-value-ill-typed",
      { "ballast:leaseSeconds": "soon" },
      'ballast:leaseSeconds is "soon", but must be a number above 0',
    ],
    [
      "config-value-ill-typed",
      { "ballast:leaseSeconds": "-1" },
      "ballast:leaseSeconds is -1, but must be a number above 0",
    ],
    [
      "config-value-ill-typed",
      { "ballast:ingestionSeconds": "-1" },
      "ballast:ingestionSeconds is -1, but must be a number of at least 0",
    ],
    [
      "config-value-ill-typed",
      { "ballast:strategy": "[5]" },
      "ballast:strategy is the list [5], but must be an object",
    ],
    [
      "config-value-ill-typed",
      { "ballast:strategy": '{"weights":["5"]}' },
      'ballast:strategy.weights[0] is "5", but must be a whole number from 1 to 99',
    ],
    [
      "config-value-ill-typed",
      { "ballast:storefrontEnvironment": '{"A":{"B":1}}' },
      "ballast:storefrontEnvironment.A is an object, but must be a text, a number, true or false",
    ],
    [
      "config-value-ill-typed",
      { "ballast:endpoints": '{"login":"http://x"}' },
      'ballast:endpoints.login is "http://x", but must be an https:// address',
    ],
    [
      "config-value-ill-typed",
      { "ballast:databasePort": "70000" },
      "ballast:databasePort is 70000, but must be a port number",
    ],
    [
      "config-value-ill-typed",
      { "ballast:whenInFlight": "wait" },
      'ballast:whenInFlight is "wait", but must be refuse or supersede',
    ],
    [
      "config-value-ill-typed",
      { "ballast:probePath": "health" },
      'ballast:probePath is "health", but must be a path that begins with /',
    ],
    [
      "config-value-ill-typed",
      { "ballast:location": "" },
      'ballast:location is "", but must be a text that is not empty',
    ],
    [
      "config-value-ill-typed",
      { "ballast:retention": '{"backupDays":36}' },
      "ballast:retention.backupDays is 36, but must be a whole number from 7 to 35",
    ],
    [
      "config-value-ill-typed",
      { "ballast:replicas": '{"controlPlaneMin":0}' },
      "ballast:replicas.controlPlaneMin is 0, but must be a whole number of at least 1",
    ],
    [
      "config-value-ill-typed",
      { "ballast:replicas": '{"controlPlaneMin":4}' },
      "ballast:replicas.controlPlaneMax is 3, but must be at least controlPlaneMin (4)",
    ],
    [
      "config-value-ill-typed",
      { "ballast:databaseSku": "B1ms" },
      'ballast:databaseSku is "B1ms", but must be an Azure size',
    ],
    [
      "config-value-ill-typed",
      { "ballast:registry": "example.azurecr.io" },
      'ballast:registry is "example.azurecr.io", but must be a registry\'s name',
    ],
    [
      "config-value-ill-typed",
      { "ballast:registry": "/subscriptions/s/registries/example" },
      'ballast:registry is "/subscriptions/s/registries/example", but must be a registry\'s name',
    ],
    [
      "config-value-ill-typed",
      { "ballast:thresholds": '{"oddsTolerated":11}' },
      "ballast:thresholds.oddsTolerated is 11, but must be a number from 1 to 10",
    ],
    [
      "config-value-ill-typed",
      { "ballast:strategy": '{"weights":[50,25]}' },
      "ballast:strategy: The weights go from 50 to 25 at step 2; each weight must be above the one before.",
    ],
    ["config-value-ill-typed", { "ballast:gate": "[]" }, "ballast:gate is the list [], but must be an object"],
    [
      "config-value-ill-typed",
      { "ballast:gate": '{"beforePercent":1}', "ballast:wait": "no" },
      'ballast:gate.beforePercent is 1, but must be a whole number from 2 to 100. ballast:wait is "no", but must be',
    ],
    [
      "config-image-mutable",
      { "ballast:immutableImages": "true" },
      "ballast:controlPlaneImage is example.azurecr.io/control-plane:1",
    ],
    [
      "config-image-mutable",
      {
        "ballast:immutableImages": "true",
        "ballast:controlPlaneImage": pinned,
        "ballast:storefrontImage": pinned.slice(0, -1),
      },
      "ballast:storefrontImage is",
    ],
    ["config-image-unapproved", { "ballast:approvals": "1" }, "example.azurecr.io/storefront:1 has none"],
    [
      "config-image-unapproved",
      {
        "ballast:approvals": "2",
        "ballast:storefrontApproval": '{"image":"example.azurecr.io/storefront:1","by":["ann","ann"]}',
      },
      "has 1, by ann",
    ],
    ["config-placeholder-left", { "ballast:storefrontApproval": '{"by":["<who>"]}' }, "ballast:storefrontApproval.by"],
    ["config-zones-unfit", { ...zoned, ...network({}) }, "ballast:network sets neither range nor environmentSubnet"],
    ["config-key-unknown", network({ subnets: "x" }), "ballast:network."],
    ["config-key-unknown", { "ballast:subnet": "x" }, "ballast:subnet"],
    [
      "config-value-ill-typed",
      network({ range: "10.40.0.0" }),
      'ballast:network.range is "10.40.0.0", but must be an IPv4 range in CIDR notation',
    ],
    [
      "config-value-ill-typed",
      network({ callers: ["203.0.113.7"] }),
      'ballast:network.callers[0] is "203.0.113.7", but must be an IPv4 range in CIDR notation',
    ],
    [
      "config-value-ill-typed",
      network({ environmentSubnet: "apps" }),
      'ballast:network.environmentSubnet is "apps", but must be the id of a subnet',
    ],
    [
      "config-value-ill-typed",
      network({ ...ids, databaseZone: ids.databaseSubnet }),
      "but must be the id of a private DNS zone",
    ],
    [
      "config-placeholder-left",
      network({ environmentSubnet: "<the id of a subnet>" }),
      "ballast:network.environmentSubnet",
    ],
    [
      "config-network-unfit",
      network({ range: "10.40.0.0/22", environmentSubnet: subnet("apps") }),
      "sets both range, from which the program makes a network, and environmentSubnet",
    ],
    ["config-network-unfit", network({ internal: true }), "neither range nor environmentSubnet is set"],
    [
      "config-network-unfit",
      network({ ...ids, databaseZone: undefined }),
      "databaseSubnet is set and databaseZone is not, but a private database needs both",
    ],
    [
      "config-network-unfit",
      network({ ...ids, databaseSubnet: undefined }),
      "databaseZone is set and databaseSubnet is not, but a private database needs both",
    ],
    [
      "config-network-unfit",
      network({ ...ids, environmentSubnet: undefined }),
      "the control plane is in no network and cannot reach the database",
    ],
    [
      "config-network-unfit",
      network({ ...ids, databaseSubnet: subnet("Apps") }),
      "environmentSubnet and databaseSubnet are the same subnet",
    ],
    [
      "config-network-unfit",
      network({ ...ids, databaseZone: zone("shop.example.com") }),
      "must end in .postgres.database.azure.com",
    ],
    [
      "config-network-unfit",
      network({ environmentSubnet: subnet("apps"), callers: ["203.0.113.0/24"] }),
      "the control plane must accept the dead man's switch too",
    ],
    ["config-zones-unfit", { ...zoned, "ballast:databaseSku": "Standard_B2s" }, "burstable size Standard_B2s"],
    [
      "config-zones-unfit",
      { ...zoned, "ballast:replicas": '{"storefrontMin":2}' },
      "ballast:replicas.controlPlaneMin is 1",
    ],
    [
      "config-placeholder-left",
      { "azure-native:subscriptionId": "<your subscription id>" },
      "azure-native:subscriptionId",
    ],
    [
      "config-placeholder-left",
      { "ballast:controlPlaneImage": "<your registry>/control-plane:1" },
      "ballast:controlPlaneImage",
    ],
    ["config-lease-too-short", { "ballast:leaseSeconds": "30" }, "30"],
    ["config-silence-too-short", { "ballast:silenceSeconds": "130" }, "more than 130"],
    ["config-password-missing", { "ballast:databaseAuthentication": "password" }, "ballast:databasePassword"],
    ["config-secret-plain", { "ballast:databasePassword": "hunter2" }, "ballast:databasePassword"],
    ["config-secret-plain", { "ballast:notify": '{"slackUrl":"https://hooks.example/hunter2"}' }, "ballast:notify"],
    ["config-emulator-mismatch", { "ballast:emulator": "true" }, "which is not the emulator's"],
    [
      "config-emulator-mismatch",
      { "azure-native:subscriptionId": local["azure-native:subscriptionId"]! },
      "ballast:emulator is not true",
    ],
  ];
  test.each(rows)("is %s for %j", (id, change, says) => {
    const error = refused(change);
    expect(error.id).toBe(id);
    expect(error.toString()).toContain(says);
    expect(error.toString()).not.toContain("hunter2");
  });

  test("names each key that is not set and has no default", () => {
    for (const key of [
      "tenant",
      "location",
      "registry",
      "controlPlaneImage",
      "storefrontImage",
      "deadMansSwitchImage",
    ]) {
      const { [`ballast:${key}`]: _, ...rest } = azure;
      expect(() => parseConfig(rest, [])).toThrow(
        expect.objectContaining({ id: "config-key-missing", message: expect.stringContaining(`ballast:${key}`) }),
      );
    }
  });
  test.each(["dev", "prod"] as const)("of the example for %s has no other reason than its placeholders", (stack) => {
    const example = stackConfig(parse(readFileSync(`Pulumi.${stack}.yaml`, "utf8")).config);
    expect(() => parseConfig(example, [])).toThrow(expect.objectContaining({ id: "config-placeholder-left" }));
    expect(() => parseConfig(filledIn(stack), [])).not.toThrow();
  });
});
