// An app that a program deploys with azure-native becomes a CanaryApp and goes back: real Pulumi CLI, real emulator. No
// step may replace the app, take a setting from it, or move a request before a rollout does.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runChild } from "../../toolchain/child.ts";
import { bringPulumi } from "../../toolchain/pulumi/bring.ts";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { management } from "../support/emulator/cloud.ts";
import { clientObjectId, giveRole, hostOf, secretClient, vaultBody, vaultVersion } from "../support/emulator/vault.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const root = path.join(import.meta.dirname, "..", "..");
const app = "storefront";
const name = "shop";

/** The program, with the types that only TypeScript has. It says of the apps what its configuration says. */
const program = ([type, text, list]: readonly [string, string, string]): string => `
import { ContainerApp } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { CanaryApp } from ${JSON.stringify(path.join(root, "package.ts"))};

const config = new pulumi.Config();
const given${type} = config.requireObject("app");
const releases${type} = config.getObject("releases");
const [first, ...more] = given.template.containers;
// The group and the image are outputs, as those of other resources are.
const image = pulumi.output(Promise.resolve(first.image));
const args${type} = {
  ...given,
  resourceGroupName: pulumi.output(Promise.resolve(given.resourceGroupName)),
  template: { ...given.template, containers: [{ ...first, image }, ...more] },
};
const wasCanary = config.getBoolean("back");
/** The factory of all apps: these lines are all that changes in it. */
const make = (name${text}, args${type})${type} => {
  const parent = \`urn:pulumi:\${pulumi.getStack()}::\${pulumi.getProject()}::ballast:index:CanaryApp::\${name}\`;
  const options${type} = wasCanary ? { aliases: [{ name: name + "-app", parent }] } : {};
  return releases ? new CanaryApp(name, { ...args, ...releases }, options) : new ContainerApp(name, args, options);
};
const shop = make("${name}", args);
for (const copy of config.requireObject("copies")${list}) make(copy.containerAppName, copy);
export const result = shop.result;
`;

/** Says in which language the program is. */
function writeProject(cwd: string, kind: "js" | "ts"): void {
  const project = {
    name: "shop",
    runtime: { name: "nodejs", options: { typescript: false } },
    main: `index.${kind}`,
    options: { refresh: "always" },
    plugins: { providers: [{ name: "ballast", path: path.join(root, "provider") }] },
  };
  writeFileSync(path.join(cwd, "Pulumi.yaml"), JSON.stringify(project));
}

let stack: LocalStack;
let folder: string;
let environmentId: string;
let environment: NodeJS.ProcessEnv;
let releases: object;

/** Runs the Pulumi CLI on the program with one configuration. */
async function pulumi(kind: "js" | "ts", command: readonly string[], config: Readonly<Record<string, unknown>>) {
  const cwd = path.join(folder, "program");
  writeProject(cwd, kind);
  const values = Object.entries(config).map(([key, value]) => [`shop:${key}`, value] as const);
  const azure = { "azure-native:location": "westeurope" };
  writeFileSync(
    path.join(cwd, "Pulumi.dev.yaml"),
    JSON.stringify({ config: { ...azure, ...Object.fromEntries(values) } }),
  );
  const { command: file } = await bringPulumi();
  return runChild(file, [...command, "--stack", "dev", "--non-interactive", "--color", "never"], { cwd, environment });
}
const up = ["up", "--yes"] as const;
const preview = ["preview", "--diff"] as const;

beforeAll(async () => {
  stack = await startLocalStack({});
  folder = mkdtempSync(path.join(tmpdir(), "ballast-drop-in-"));
  mkdirSync(path.join(folder, "state"));
  const deployed = await stack.up("--exclude", `**::${app}`, "--exclude", `**::${app}-*`, "--exclude-dependents");
  expect(deployed.code, deployed.output).toBe(0);
  const plane = await stack.live("control-plane");
  await manageCopies(plane);
  environmentId = plane.properties.managedEnvironmentId ?? plane.properties.environmentId;
  await makeShareAndVault();
  releases = {
    controlPlane: { endpoint: `https://${plane.properties.configuration.ingress.fqdn}`, audience: "api://ballast" },
    strategy: quickStrategy,
    thresholds: wideThresholds,
  };
  environment = {
    ...process.env,
    ...stack.cloud.cloud.environment,
    ...(await bringPulumi()).environment,
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "for tests",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const cwd = path.join(folder, "program");
  mkdirSync(cwd);
  symlinkSync(path.join(root, "node_modules"), path.join(cwd, "node_modules"));
  writeFileSync(path.join(cwd, "package.json"), '{ "name": "shop", "private": true, "type": "module" }');
  writeFileSync(path.join(cwd, "index.js"), program(["", "", ""]));
  writeFileSync(path.join(cwd, "index.ts"), program([": any", ": string", " as any[]"]));
  writeProject(cwd, "ts");
  const { command } = await bringPulumi();
  const made = await runChild(command, ["stack", "init", "dev", "--non-interactive"], { cwd, environment });
  expect(made.code, made.output).toBe(0);
}, 300_000);
afterAll(async () => {
  await stack?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Three more apps of the factory. The control plane manages those that it is told to. */
const copies = ["copy-1", "copy-2", "copy-3"];
async function manageCopies({ id, properties }: any): Promise<void> {
  const managed = JSON.stringify([app, ...copies].map((each) => ({ resourceGroup: "ballast-local", app: each })));
  const [container, ...more] = properties.template.containers;
  const env = container.env.map((each: any) =>
    each.name === "BALLAST_MANAGED_TARGETS" ? { ...each, value: managed } : each,
  );
  const containers = [{ ...container, env }, ...more];
  const change = { properties: { template: { ...properties.template, revisionSuffix: "", containers } } };
  const { status } = await stack.cloud.settle("PATCH", `${management}${id}?api-version=2025-07-01`, change);
  expect(status).toBeLessThan(300);
  const { latestRevisionName } = (await stack.live("control-plane")).properties;
  await eventually(
    async () => (await stack.live("control-plane")).properties.latestReadyRevisionName === latestRevisionName,
    "the control plane that manages the copies",
  );
}

/** A file share of the environment, and a vault with a secret. */
const vault = "shapes";
const scopeOf = (rest: string): string =>
  `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/ballast-local/providers/${rest}`;
async function makeShareAndVault(): Promise<void> {
  const { ask, settle, cloud, agent } = stack.cloud;
  const share = { accountName: "shapes", accountKey: "a2V5", shareName: "files", accessMode: "ReadWrite" };
  const storage = `${environmentId}/storages/files?api-version=2025-07-01`;
  expect((await settle("PUT", `${management}${storage}`, { properties: { azureFile: share } })).status).toBeLessThan(
    300,
  );
  const scope = scopeOf(`Microsoft.KeyVault/vaults/${vault}`);
  await settle("PUT", `${management}${scope}?${vaultVersion}`, vaultBody({ cloud }));
  await giveRole({ ask, cloud }, scope, "officer", await clientObjectId(stack.cloud));
  await secretClient(cloud, agent, vault).setSecret("db", "swordfish-swordfish");
}

const image = "registry.example/storefront:1";
const idle = ["node", "-e", "setInterval(() => {}, 1000)"];
const web = (release: string) => ({
  name: "web",
  image,
  env: [{ name: "RELEASE", value: release }],
  resources: { cpu: 0.25, memory: "0.5Gi" },
});

/** A plain app of the factory. */
const copyOf = (containerAppName: string, release: string) => ({
  containerAppName,
  configuration: { ingress: { external: true, targetPort: 8080 } },
  template: { containers: [web(release)], scale: { minReplicas: 1, maxReplicas: 2 } },
});

/** The app in one of its releases, as it is written for azure-native. Its identity needs a right before the secret. */
const shape = (release: string, mayRead: boolean) => ({
  identity: { type: "SystemAssigned" },
  configuration: {
    activeRevisionsMode: "Single",
    ingress: {
      external: true,
      targetPort: 8080,
      transport: "http",
      corsPolicy: { allowedOrigins: ["https://example.org"] },
      ipSecurityRestrictions: [{ name: "here", action: "Allow", ipAddressRange: "127.0.0.0/8" }],
      clientCertificateMode: "accept",
      customDomains: [{ name: "www.example.org", bindingType: "Disabled" }],
    },
    dapr: { enabled: true, appId: "shop", appPort: 8080 },
    registries: [{ server: "registry.example", username: "shop", passwordSecretRef: "pwd" }],
    secrets: [
      { name: "pwd", value: "hunter2-hunter2" },
      ...(mayRead ? [{ name: "db", keyVaultUrl: `${hostOf(vault)}/secrets/db`, identity: "system" }] : []),
    ],
  },
  template: {
    containers: [
      web(release),
      {
        name: "proxy",
        image,
        command: idle,
        resources: { cpu: 0.25, memory: "0.5Gi" },
        volumeMounts: [{ volumeName: "files", mountPath: "/files" }],
      },
    ],
    initContainers: [{ name: "migrate", image, command: ["node", "-e", ""] }],
    scale: {
      minReplicas: 1,
      maxReplicas: 3,
      rules: [
        { name: "many", http: { metadata: { concurrentRequests: "50" } } },
        {
          name: "orders",
          custom: {
            type: "azure-servicebus",
            metadata: { queueName: "orders" },
            auth: [{ secretRef: "pwd", triggerParameter: "connection" }],
          },
        },
      ],
    },
    volumes: [
      { name: "scratch", storageType: "EmptyDir" },
      { name: "files", storageType: "AzureFile", storageName: "files" },
    ],
  },
  tags: { owner: "team-a" },
});

describe("an app of many settings, and three more from the same factory", () => {
  let mayRead = false;
  const given = (version: string, change: object = {}) => {
    const place = { resourceGroupName: "ballast-local", managedEnvironmentId: environmentId };
    return {
      app: { containerAppName: app, ...place, ...shape(version, mayRead), ...change },
      copies: copies.map((each) => ({ ...place, ...copyOf(each, version) })),
    };
  };
  /** What the app has beside what releases move. */
  const lasting = async () => {
    const { properties, tags, identity } = await stack.live(app);
    const { activeRevisionsMode: _mode, ingress, ...configuration } = properties.configuration;
    const { traffic: _traffic, ...rest } = ingress;
    const { template } = properties;
    return {
      tags,
      identity,
      configuration,
      ingress: rest,
      scale: template.scale,
      containers: template.containers.length,
    };
  };
  const serving = async (): Promise<readonly string[]> =>
    (await stack.live(app)).properties.configuration.ingress.traffic
      .filter(({ weight }: any) => weight > 0)
      .map(({ revisionName }: any) => revisionName);
  /** Runs a command while users visit the app, none of whom may see an error. */
  async function withUsers<Ended>(run: () => Promise<Ended>): Promise<Ended> {
    const all = await Promise.all([app, app, app, ...copies].map((each) => stack.live(each)));
    const origins = all.map(({ properties }) => `https://${properties.configuration.ingress.fqdn}`);
    const answers: number[] = [];
    let over = false;
    const users = Promise.all(
      [...origins, ...origins].map(async (origin) => {
        while (!over) answers.push(await stack.visit(origin));
      }),
    );
    const ended = await run().finally(() => {
      over = true;
    });
    await users;
    expect(answers.length).toBeGreaterThan(10);
    expect(new Set(answers)).toEqual(new Set([200]));
    return ended;
  }
  const release = async (kind: "js" | "ts", version: string) =>
    withUsers(() => pulumi(kind, up, { ...given(version), releases }));
  afterAll(async () => void (await pulumi("js", ["destroy", "--yes", "--skip-preview"], given("1"))), 180_000);
  let first: string;
  let second: string;
  let before: object;

  test("is deployed as a ContainerApp", async () => {
    const made = await pulumi("ts", up, given("1"));
    expect(made.code, made.output).toBe(0);
    const { principalId } = (await stack.live(app)).identity;
    await giveRole(stack.cloud, scopeOf(`Microsoft.KeyVault/vaults/${vault}`), "user", principalId);
    mayRead = true;
    const { code, output } = await pulumi("ts", up, given("1"));
    expect(code, output).toBe(0);
    first = await eventually(
      async () => ((await stack.live(app)).properties.latestReadyRevisionName as string) || undefined,
      "the app to be ready",
    );
    before = await lasting();
  }, 180_000);

  test("becomes a CanaryApp: a preview replaces and deletes nothing, and the update moves no request", async () => {
    const seen = await pulumi("ts", preview, { ...given("1"), releases });
    expect(seen.code, seen.output).toBe(0);
    expect(seen.output).not.toMatch(/replace|delete/);
    expect(seen.output).not.toContain("hunter2");
    expect(seen.output).toMatch(/canary-app-consumes .*the scale rule orders; Dapr, if the app subscribes/);
    const { code, output } = await release("ts", "1");
    expect(code, output).toBe(0);
    expect(await serving()).toEqual([first]);
    expect(await lasting()).toEqual(before);
    const again = await pulumi("ts", ["preview", "--expect-no-changes"], { ...given("1"), releases });
    expect(again.code, again.output).toBe(0);
  }, 300_000);

  test("is released, and a tag alone starts no rollout", async () => {
    const { code, output } = await release("ts", "2");
    expect(code, output).toBe(0);
    expect(output).toContain("promoted");
    for (const each of copies) {
      const { latestRevisionName, configuration } = (await stack.live(each)).properties;
      expect(configuration.ingress.traffic[0]).toMatchObject({ revisionName: latestRevisionName, weight: 100 });
    }
    second = (await serving())[0]!;
    expect(second).not.toBe(first);
    expect(await lasting()).toEqual(before);
    const { tags } = shape("2", mayRead);
    const tagged = { ...given("2", { tags: { ...tags, cost: "1" } }), releases };
    const seen = await pulumi("ts", preview, tagged);
    expect(seen.code, seen.output).toBe(0);
    expect(seen.output).not.toContain("ballast:index:Release");
    const now = await serving();
    const written = await pulumi("ts", up, tagged);
    expect(written.code, written.output).toBe(0);
    expect(written.output).toMatch(/~ 1 updated/); // the app, and no release
    expect(await serving()).toEqual(now);
    expect((await stack.live(app)).tags).toMatchObject({ cost: "1" });
  }, 300_000);

  test("loses nothing in silence: a tag that another client added stops the preview until it is kept", async () => {
    const reverted = { ...given("2"), releases };
    const refused = await pulumi("js", preview, reverted);
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain("canary-app-losses");
    expect(refused.output).toContain("the tag cost");
    const kept = await pulumi("js", preview, { ...given("2"), releases: { ...releases, keepLive: ["tags"] } });
    expect(kept.code, kept.output).toBe(0);
    const accepted = await pulumi("js", up, { ...given("2"), releases: { ...releases, acceptLoss: ["tags"] } });
    expect(accepted.code, accepted.output).toBe(0);
    expect(await lasting()).toEqual(before);
  }, 300_000);

  test("is not deleted for another name: the preview refuses it", async () => {
    const { code, output } = await pulumi("js", preview, {
      ...given("2", { containerAppName: "elsewhere" }),
      releases,
    });
    expect(code).not.toBe(0);
    expect(output).toMatch(/canary-app-moved .*its name is storefront, and the program says elsewhere/);
  }, 120_000);

  test("goes back to an earlier template by a rollout of its own", async () => {
    const { code, output } = await release("js", "1");
    expect(code, output).toBe(0);
    expect(await serving()).toHaveLength(1);
    expect(await lasting()).toEqual(before);
    const again = await pulumi("js", ["preview", "--expect-no-changes"], { ...given("1"), releases });
    expect(again.code, again.output).toBe(0);
  }, 300_000);

  test("is released once more if a person gave its traffic to an older revision, and no update hides it", async () => {
    const now = await serving();
    await stack.activate(app, second);
    await stack.patchTraffic(app, [{ revisionName: second, weight: 100 }]);
    // Whoever gives the traffic by hand does not wait for a replica; that is not what this test is about.
    const { fqdn } = (await stack.live(app)).properties.configuration.ingress;
    await eventually(async () => (await stack.visit(`https://${fqdn}`)) === 200, "the older revision to answer");
    const seen = await pulumi("js", preview, { ...given("1"), releases });
    expect(seen.code, seen.output).toBe(0);
    expect(seen.output).toContain("ballast:index:Release");
    const { code, output } = await release("js", "1");
    expect(code, output).toBe(0);
    expect(output).toContain("promoted");
    expect(await serving()).toEqual(now);
    const again = await pulumi("js", ["preview", "--expect-no-changes"], { ...given("1"), releases });
    expect(again.code, again.output).toBe(0);
  }, 300_000);

  test("becomes a ContainerApp again, without a replacement", async () => {
    const back = { ...given("1"), back: true };
    const seen = await pulumi("js", preview, back);
    expect(seen.code, seen.output).toBe(0);
    expect(seen.output).not.toContain("replace");
    const { code, output } = await withUsers(() => pulumi("js", up, back));
    expect(code, output).toBe(0);
    expect(await lasting()).toEqual(before);
  }, 300_000);
});
