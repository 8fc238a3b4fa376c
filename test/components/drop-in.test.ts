// A CanaryApp in the place of a ContainerApp: what reaches the app of the arguments and of every option, and what is
// refused by name.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ContainerApp, type ContainerAppArgs } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { CanaryApp, type CanaryAppArgs } from "../../components/canary-app/canary-app.ts";
import { type CanaryAppOptions, splitOptions } from "../../components/canary-app/options.ts";
import { type Answers, nothingThere, record, valueOf } from "../support/program/mocks.ts";

const controlPlane = { endpoint: "https://control-plane.apps.example.net", audience: "api://ballast" };
const group = "/subscriptions/s/resourceGroups/shop";
const store = `${group}/providers/Microsoft.App/managedEnvironments/apps`;

/** One program for each shape of app, as it is written with azure-native. */
const shapes: Readonly<Record<string, ContainerAppArgs & { containerAppName: string }>> = {
  "a registry with a password": {
    containerAppName: "shop",
    resourceGroupName: "shop",
    managedEnvironmentId: store,
    configuration: {
      ingress: { external: true, targetPort: 80 },
      registries: [{ server: "shop.azurecr.io", username: "shop", passwordSecretRef: "pwd" }],
      secrets: [{ name: "pwd", value: "hunter2" }],
    },
    template: { containers: [{ name: "web", image: "shop.azurecr.io/web:1" }], scale: { minReplicas: 1 } },
  },
  "a sidecar, an init container and a share": {
    containerAppName: "shop",
    resourceGroupName: "shop",
    environmentId: store,
    configuration: { ingress: { external: false, targetPort: 8080, transport: "http2" } },
    template: {
      containers: [
        { name: "web", image: "web:1", volumeMounts: [{ volumeName: "files", mountPath: "/files" }] },
        { name: "proxy", image: "proxy:1", resources: { cpu: 0.25, memory: "0.5Gi" } },
      ],
      initContainers: [{ name: "migrate", image: "migrate:1", command: ["migrate"] }],
      volumes: [{ name: "files", storageName: "files", storageType: "AzureFile" }],
      terminationGracePeriodSeconds: 60,
    },
  },
  "a scale rule and Dapr": {
    containerAppName: "shop",
    resourceGroupName: "shop",
    managedEnvironmentId: store,
    workloadProfileName: "D4",
    configuration: {
      dapr: { enabled: true, appId: "shop", appPort: 80 },
      ingress: { targetPort: 80 },
      maxInactiveRevisions: 10,
    },
    template: {
      containers: [{ name: "web", image: "web:1" }],
      scale: {
        minReplicas: 1,
        maxReplicas: 30,
        rules: [{ name: "queue", custom: { type: "azure-servicebus", metadata: { messageCount: "10" } } }],
      },
    },
    tags: { owner: "team-a" },
  },
  "a domain, address rules, client certificates and CORS": {
    containerAppName: "shop",
    resourceGroupName: "shop",
    managedEnvironmentId: store,
    configuration: {
      ingress: {
        targetPort: 80,
        external: true,
        customDomains: [
          { name: "www.example.org", bindingType: "SniEnabled", certificateId: `${store}/certificates/c` },
        ],
        ipSecurityRestrictions: [{ name: "door", action: "Allow", ipAddressRange: "10.0.0.0/8" }],
        clientCertificateMode: "require",
        corsPolicy: { allowedOrigins: ["https://example.org"] },
      },
    },
    template: { containers: [{ name: "web", image: "web:1" }] },
  },
  "Key Vault secrets with the system's identity": {
    containerAppName: "shop",
    resourceGroupName: "shop",
    managedEnvironmentId: store,
    identity: { type: "SystemAssigned" },
    configuration: {
      ingress: { targetPort: 80 },
      secrets: [{ name: "db", keyVaultUrl: "https://v.vault.azure.net/secrets/db", identity: "system" }],
    },
    template: { containers: [{ name: "web", image: "web:1", env: [{ name: "DB", secretRef: "db" }] }] },
  },
};

const traffic = [{ latestRevision: true, weight: 100 }];

/** Declares one app, and gives its inputs without Pulumi's marks of secrets. */
async function inputsOf(program: () => unknown): Promise<any> {
  const { declared } = await record(program);
  return unmarked(declared.find(({ type }) => type === "azure-native:app:ContainerApp")!.inputs);
}

const signature = "4dabf18193072939515e22adb298388d";
function unmarked(value: any): any {
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== "object" || value === null) return value;
  if (signature in value) return unmarked(value.value);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unmarked(each)]));
}

/** Makes an output, or a promise, of every value in arguments that is neither an object nor a list. */
function deferred(value: any, wrap: (value: unknown) => unknown): any {
  if (Array.isArray(value)) return value.map((each) => deferred(each, wrap));
  if (typeof value !== "object" || value === null) return wrap(value);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, deferred(each, wrap)]));
}

describe.each(Object.entries(shapes))("an app with %s", (_shape, args) => {
  /** What azure-native makes of it, except for the traffic and the mode. */
  const expected = async () => {
    const sent = await inputsOf(() => new ContainerApp("shop", args));
    expect(sent).toMatchObject(args);
    const { ingress } = sent.configuration;
    return {
      ...sent,
      configuration: { ...sent.configuration, activeRevisionsMode: "Multiple", ingress: { ...ingress, traffic } },
    };
  };

  test("reaches Azure as its ContainerApp did, except for the traffic and the mode", async () =>
    expect(await inputsOf(() => new CanaryApp("shop", { ...args, controlPlane }))).toEqual(await expected()));

  test.each([
    ["every value is an output", (value: unknown) => pulumi.output(value)],
    ["every value is a promise", (value: unknown) => Promise.resolve(value)],
    ["every value is a secret", (value: unknown) => pulumi.secret(value)],
  ])("reaches Azure as well if %s", async (_way, wrap) => {
    const given = { ...(deferred(args, wrap) as CanaryAppArgs), controlPlane };
    expect(await inputsOf(() => new CanaryApp("shop", given))).toEqual(await expected());
  });

  test("reaches Azure as well if configuration and template are outputs as a whole", async () => {
    const { configuration, template, ...rest } = args;
    const later = { ...rest, configuration: pulumi.output(configuration), template: pulumi.output(template) };
    expect(await inputsOf(() => new CanaryApp("shop", { ...later, controlPlane } as CanaryAppArgs))).toEqual(
      await expected(),
    );
  });
});

const plain = shapes["a registry with a password"]!;
const change = (configuration: object, template: object = {}): CanaryAppArgs => ({
  ...plain,
  controlPlane,
  configuration: { ...(plain.configuration as object), ...configuration },
  template: { ...(plain.template as object), ...template },
});
const withIngress = (ingress: object): CanaryAppArgs => change({ ingress: { targetPort: 80, ...ingress } });
const later = (value: unknown): any => pulumi.output(Promise.resolve(value));

/** What is refused, as plain values and as outputs. */
const refusals: readonly (readonly [what: string, args: CanaryAppArgs, says: string])[] = [
  [
    "Labels mode",
    change({ activeRevisionsMode: "Labels" }),
    'canary-app-owned-field .* configuration.activeRevisionsMode: "Labels"',
  ],
  [
    "traffic by revision",
    withIngress({ traffic: [{ revisionName: "shop--1", weight: 100 }] }),
    "canary-app-owned-field .*ingress.traffic",
  ],
  [
    "traffic of two entries",
    withIngress({ traffic: [...traffic, { weight: 0, label: "old" }] }),
    "canary-app-owned-field .*ingress.traffic",
  ],
  ["a label", withIngress({ traffic: [{ ...traffic[0], label: "blue" }] }), "canary-app-owned-field .*ingress.traffic"],
  ["a revision suffix", change({}, { revisionSuffix: "v2" }), "canary-app-owned-field .*template.revisionSuffix"],
  ["an app without ingress", change({ ingress: undefined }), "canary-app-unfit .*no ingress"],
  ["an app with TCP ingress", withIngress({ transport: "Tcp" }), "canary-app-unfit .*TCP"],
  ["sticky sessions", withIngress({ stickySessions: { affinity: "sticky" } }), "canary-app-unfit .*sticky"],
  [
    "no replica at all",
    change({}, { scale: { minReplicas: 0, maxReplicas: 0 } }),
    "canary-app-no-replica .*from 0 to 0",
  ],
  [
    "a cool-down below the probes",
    change({}, { scale: { cooldownPeriod: 40 } }),
    "canary-app-no-replica .*to zero after 40 seconds .*no more than half of these 40 seconds",
  ],
  ["Labels mode as an output", change({ activeRevisionsMode: later("Labels") }), "canary-app-owned-field"],
  [
    "traffic as an output",
    withIngress({ traffic: later([{ revisionName: "a", weight: 100 }]) }),
    "canary-app-owned-field",
  ],
  ["a revision suffix as an output", change({}, { revisionSuffix: later("v2") }), "canary-app-owned-field"],
  ["TCP ingress as an output", change({ ingress: later({ targetPort: 80, transport: "tcp" }) }), "canary-app-unfit"],
  ["no ingress in an output", { ...plain, controlPlane, configuration: later({}) }, "canary-app-unfit"],
  [
    "a cool-down that is an output",
    change({}, { scale: { minReplicas: 0, cooldownPeriod: later(40) } }),
    "canary-app-no-replica .*from 0 to 10",
  ],
  [
    "a minimum above an output",
    change({}, { scale: { minReplicas: 5, maxReplicas: later(2) } }),
    "no-replica .*5 to 2",
  ],
  [
    "no replica in an output",
    { ...plain, controlPlane, template: later({ scale: { maxReplicas: 0 } }) },
    "canary-app-no-replica",
  ],
];
test.each(refusals)("%s is refused by name", async (_what, args, says) => {
  const refused = record(() => new CanaryApp("shop", args));
  await expect(refused).rejects.toThrow(new RegExp(says, "s"));
});

test.each([
  ["Multiple", change({ activeRevisionsMode: "Multiple" }), 0],
  ["Single", change({ activeRevisionsMode: "Single" }), 1],
  ["the latest revision at 100", withIngress({ traffic }), 1],
  ["the latest revision, whose weight is left out", withIngress({ traffic: [{ latestRevision: true }] }), 1],
  ["an empty list of traffic", withIngress({ traffic: [] }), 0],
])("%s may stay in a program, with a note if it has no effect", async (_what, args, notes) => {
  const said: string[] = [];
  const { log } = console;
  console.log = (line: string) => void said.push(line); // the SDK logs there without a Pulumi CLI
  const { configuration } = await inputsOf(() => new CanaryApp("shop", args)).finally(() => {
    console.log = log;
  });
  expect([configuration.activeRevisionsMode, configuration.ingress.traffic]).toEqual(["Multiple", traffic]);
  expect(said.filter((line) => line.includes("has no effect"))).toHaveLength(notes);
});

test("canary-app-unnamed says where the name of an existing app is", async () => {
  const { containerAppName: _, ...unnamed } = plain;
  await expect(record(() => new CanaryApp("shop", { ...unnamed, controlPlane } as CanaryAppArgs))).rejects.toThrow(
    /^canary-app-unnamed .*"shop" does not set containerAppName.*pulumi stack export/s,
  );
});

describe("every option of a ContainerApp means the same for a CanaryApp", () => {
  const hook = {} as pulumi.ResourceHook;
  const transform: pulumi.ResourceTransform = () => undefined;
  type Row = readonly [value: unknown, goesTo: readonly ("app" | "component")[]];
  /** Each option with a value and where it goes. A new option of Pulumi's does not compile without a row here. */
  const rows: Readonly<Record<Exclude<keyof CanaryAppOptions, "aliases">, Row>> = {
    additionalSecretOutputs: [["tags"], ["app"]],
    customTimeouts: [{ create: "5m" }, ["app"]],
    deleteBeforeReplace: [true, ["app"]],
    deletedWith: [undefined, ["app", "component"]],
    dependsOn: [[], ["component"]],
    envVarMappings: [{ A: "B" }, ["component"]],
    hideDiffs: [["tags"], ["app"]],
    hooks: [{ beforeCreate: [hook] }, ["app"]],
    id: ["id", ["component"]],
    ignoreChanges: [["tags", "configuration.secrets"], ["app"]],
    import: [`${group}/providers/Microsoft.App/containerApps/shop`, ["app"]],
    parent: [undefined, ["component"]],
    pluginDownloadURL: ["https://example.org", ["app"]],
    protect: [true, ["app"]],
    provider: [undefined, ["component"]],
    providers: [[], ["component"]],
    replaceOnChanges: [["tags"], ["app"]],
    replaceWith: [[], ["app"]],
    replacementTrigger: ["1", ["app"]],
    retainOnDelete: [true, ["app", "component"]],
    transformations: [[], ["app"]],
    transforms: [[transform], ["app"]],
    urn: ["urn", ["component"]],
    version: ["3.28.0", ["app"]],
  };
  const options = Object.entries(rows).map(([option, row]) => [option, ...row] as const);
  test.each(options)("%s", (option, value = {}, goesTo) => {
    const { component, app } = splitOptions("shop", { [option]: value });
    const found = Object.entries({ app, component }).filter(([, given]) => option in given);
    expect(found.map(([name]) => name)).toEqual(goesTo);
    for (const [, given] of found) expect(given[option as "id"]).toBe(value);
  });

  test("the guide's table says of each where it goes", () => {
    const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/container-app.md"), "utf8");
    const told = [...guide.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| the (.*) \|$/gm)].flatMap(([, names, where]) => {
      const goesTo = ["app", "component"].filter((one) => where!.split(/[.;]/)[0]!.includes(one));
      return [...names!.matchAll(/`(\w+)`/g)].map(([, option]) => [option, goesTo]);
    });
    const ofUsers = options.filter(([option]) => !["id", "urn", "envVarMappings"].includes(option));
    const expected = ofUsers.map(([option, , goesTo]) => [option, goesTo] as const);
    expect(Object.fromEntries(told.filter(([option]) => option !== "aliases"))).toEqual(Object.fromEntries(expected));
  });

  test("a transformation changes the app alone, as it did, and no release", async () => {
    const tagged: pulumi.ResourceTransformation = ({ props, opts }) => ({
      props: { ...props, tags: { a: "b" } },
      opts,
    });
    const { declared } = await record(
      () => new CanaryApp("shop", { ...plain, controlPlane }, { transformations: [tagged] }),
    );
    expect(declared.filter(({ inputs }) => inputs["tags"] !== undefined).map(({ name }) => name)).toEqual(["shop-app"]);
  });

  test("a hook of the program runs beside those of the component, and is kept", async () => {
    const { component, app } = splitOptions("shop", { hooks: { beforeUpdate: [hook] } });
    expect([component.hooks, app.hooks]).toEqual([undefined, { beforeUpdate: [hook] }]);
  });
});

test.each(["template", "template.containers[0].image", 'template["containers"]', "*", "template.scale"])(
  "canary-app-ignored-template: ignoreChanges of %s is refused by name",
  (path) =>
    expect(() => splitOptions("shop", { ignoreChanges: ["tags", path] })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          new RegExp(`^canary-app-ignored-template .*"${path.replaceAll(/[[\].*]/g, "\\$&")}"`),
        ),
      }),
    ),
);

test.each(["configuration", "configuration.ingress", "configuration.ingress.traffic[0].weight", "configuration.*"])(
  "canary-app-owned-field: ignoreChanges of %s is refused, since the state's traffic would be sent",
  (path) =>
    expect(() => splitOptions("shop", { ignoreChanges: [path] })).toThrow(
      /^canary-app-owned-field .* in ignoreChanges/,
    ),
);

test("an update of the app leaves what Azure filled in, unless the program says it", async () => {
  const { declared } = await record(() => new CanaryApp("shop", { ...plain, controlPlane }));
  expect(declared.find(({ name }) => name === "shop-app")!.ignoreChanges).toEqual([
    "containerAppName",
    "resourceGroupName",
    "environmentId",
    "workloadProfileName",
  ]);
});

test("every output of the app can be read, and no secret of the app hides its address", async () => {
  const answers: Answers = nothingThere;
  const { made } = await record(() => new CanaryApp("shop", { ...plain, controlPlane }), answers);
  expect(await valueOf(made.app.name)).toBe("shop");
  expect(await valueOf(made.url)).toBe("https://shop.apps.example.net");
  expect(await valueOf(pulumi.output(pulumi.isSecret(made.url)))).toBe(false);
});
