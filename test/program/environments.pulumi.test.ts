// dev and prod under the real Pulumi engine on a stand-in cloud, each with its own file's values. What Azure alone has is exchanged, and
// listed here: the account, the doors, how the database is signed in to, and how long things take. All else is as it will be deployed, and
// replicas start from what lies in the images, file by file and package by package.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { contentOf, type ImageName, imageEntries, layOut } from "../../cli/image/content.ts";
import { filledIn, type StackName } from "../support/program/environments.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

/** Keys of a stack's file whose values are the stand-in's here. */
const exchanged = [
  "azure-native:subscriptionId",
  "azure-native:location",
  "ballast:tenant",
  "ballast:audience",
  "ballast:pace",
  "ballast:registry",
];
const seconds = {
  bakeSeconds: 1,
  warmUpSeconds: 0,
  tickSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 12,
  maximumSeconds: 60,
};
let stack: LocalStack;
let folder: string;
const laidOut = {} as Record<ImageName, { folder: string; entry: string }>;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-laid-out-"));
  for (const name of Object.keys(imageEntries) as ImageName[]) {
    const at = path.join(folder, name);
    mkdirSync(at);
    layOut(name, at);
    // What `npm ci` brings there from the registry, from our own installation here: each package at its place, without those that lie in it.
    for (const place of contentOf(name).packages)
      cpSync(place, path.join(at, place), {
        recursive: true,
        filter: (from) => from === place || !from.slice(place.length).includes("/node_modules"),
      });
    laidOut[name] = { folder: at, entry: imageEntries[name] };
  }
});
afterEach(() => stack?.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Gives what a file says, values that are JSON as such, for a stack on the stand-in; `registry` is where this cloud has it. */
function onStandIn(name: StackName, registry: string): Readonly<Record<string, unknown>> {
  const [said, defaults] = [filledIn(name), filledIn("local")];
  const own = Object.entries(said).filter(
    ([key, value]) =>
      value !== defaults[key] &&
      !exchanged.includes(key) &&
      !/:(database(Authentication|Tls|Port)|endpoints|standIn|limits|(lease|request|ingestion|silence)Seconds)$/.test(
        key,
      ),
  );
  return {
    ...Object.fromEntries(
      own.map(([key, value]) => [key, /^[[{\d]|^(true|false)$/.test(value) ? JSON.parse(value) : value]),
    ),
    "ballast:registry": registry,
    "ballast:pace": { ...JSON.parse(said["ballast:pace"]!), ...seconds },
  };
}

const shown = async (path: string, version: string): Promise<any> =>
  (
    await stack.cloud.ask(
      "GET",
      `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/${path}?api-version=${version}`,
    )
  ).body;
const app = (group: string, name: string) =>
  shown(`${group}/providers/Microsoft.App/containerApps/${name}`, "2025-02-02-preview");

/** Goes up, sees the program unchanged, goes down, and finds nothing left. */
async function thereAndBack(group: string, look: () => Promise<void>): Promise<void> {
  const up = await stack.up();
  expect(up.output).toContain("promoted");
  expect(up.code).toBe(0);
  await look();
  const job = `${group}/providers/Microsoft.App/jobs/dead-mans-switch`;
  const base = `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/${job}`;
  const { name } = (await stack.cloud.ask("POST", `${base}/start?api-version=2025-02-02-preview`)).body;
  await expect
    .poll(async () => (await shown(`${job}/executions/${name}`, "2025-02-02-preview")).properties.status, {
      timeout: 30_000,
    })
    .toBe("Succeeded");
  const { storefrontUrl, result } = await stack.outputs();
  expect([await stack.visit(storefrontUrl!), result]).toEqual([200, "promoted"]);
  const again = await stack.pulumi("preview", "--expect-no-changes");
  expect([again.code, again.code === 0 ? "" : again.output]).toEqual([0, ""]);
  const down = await stack.pulumi("destroy", "--yes", "--skip-preview");
  expect([down.code, down.code === 0 ? "" : down.output]).toEqual([0, ""]);
  expect((await shown(group, "2024-03-01")).error.code).toBe("ResourceGroupNotFound");
}

test("dev goes up with its own registry, first that alone, then all but the storefront, then the whole, and the unchanged program is clean", async () => {
  stack = await startLocalStack(onStandIn("dev", "ballastexample"), laidOut);
  const targets = ["**::ballast", "**::images", "**::images-registry"].flatMap((urn) => ["--target", urn]);
  const first = await stack.pulumi("up", "--yes", "--skip-preview", ...targets);
  expect([first.code, first.code === 0 ? "" : first.output]).toEqual([0, ""]);
  const group = "ballast-dev";
  const registry = () =>
    shown(`${group}/providers/Microsoft.ContainerRegistry/registries/ballastexample`, "2023-01-01-preview");
  expect((await registry()).properties.loginServer).toBe("ballastexample.azurecr.io");
  const most = await stack.pulumi(
    "up",
    "--yes",
    "--skip-preview",
    "--exclude",
    "**::storefront*",
    "--exclude-dependents",
  );
  expect([most.code, most.code === 0 ? "" : most.output]).toEqual([0, ""]);
  expect((await app(group, "control-plane")).properties.provisioningState).toBe("Succeeded");
  expect((await app(group, "storefront")).error.code).toBe("ResourceNotFound");
  await thereAndBack(group, async () => {
    expect((await app(group, "storefront")).properties).toMatchObject({
      template: { containers: [{ image: "ballastexample.azurecr.io/storefront:1" }], scale: { minReplicas: 1 } },
      configuration: {
        registries: [
          { server: "ballastexample.azurecr.io", identity: expect.stringContaining("/userAssignedIdentities/images") },
        ],
      },
    });
  });
}, 300_000);

test("prod goes up with its zones, replicas, retention and digests, pulling from dev's registry, and the unchanged program is clean", async () => {
  const registry = "ballast-dev/providers/Microsoft.ContainerRegistry/registries/ballastexample";
  const group = "ballast-prod";
  stack = await startLocalStack({}, laidOut);
  const scope = `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups`;
  await stack.cloud.settle("PUT", `${scope}/ballast-dev?api-version=2024-03-01`, { location: "westeurope" });
  await stack.cloud.settle("PUT", `${scope}/${registry}?api-version=2023-01-01-preview`, {
    location: "westeurope",
    sku: { name: "Standard" },
  });
  stack.configure(onStandIn("prod", `${scope}/${registry}`));
  await thereAndBack(group, async () => {
    const [storefront, plane] = [await app(group, "storefront"), await app(group, "control-plane")].map(
      ({ properties }) => properties,
    );
    expect(storefront.template).toMatchObject({
      containers: [{ image: expect.stringMatching(/^ballastexample\.azurecr\.io\/storefront@sha256:/) }],
      scale: { minReplicas: 3, maxReplicas: 30 },
    });
    expect(plane.template.scale).toMatchObject({ minReplicas: 2, maxReplicas: 3 });
    expect(
      (await shown(`${group}/providers/Microsoft.App/managedEnvironments/apps`, "2025-02-02-preview")).properties,
    ).toMatchObject({
      zoneRedundant: true,
      vnetConfiguration: {
        infrastructureSubnetId: expect.stringContaining("/virtualNetworks/network/subnets/environment"),
        internal: false,
      },
    });
    const [server] = (await shown(`${group}/providers/Microsoft.DBforPostgreSQL/flexibleServers`, "2025-08-01")).value;
    expect(server.properties.network).toMatchObject({
      publicNetworkAccess: "Disabled",
      delegatedSubnetResourceId: expect.stringContaining("/subnets/database"),
      privateDnsZoneArmResourceId: expect.stringContaining(".private.postgres.database.azure.com"),
    });
    expect(
      (await shown(`${group}/providers/Microsoft.OperationalInsights/workspaces/apps`, "2023-09-01")).properties
        .retentionInDays,
    ).toBe(90);
  });
  expect((await shown(registry, "2023-01-01-preview")).properties.provisioningState).toBe("Succeeded"); // it is dev's
}, 300_000);
