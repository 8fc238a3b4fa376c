// dev and prod under the real Pulumi CLI on the emulator, each with the values of its own file. Only what needs
// Azure is replaced, and listed here: the account, the addresses, the database's sign-in, and times. Replicas run
// the files and packages of the real images.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { contentOf, type ImageName, imageEntries, layOut } from "../../cli/image/content.ts";
import { quickStrategy } from "../support/controlplane/quick-strategy.ts";
import { filledIn, type StackName } from "../support/program/environments.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

/** Keys that only the emulator's stack sets. */
const ofEmulator =
  /:(database(Authentication|Tls|Port)|endpoints|emulator|thresholds|(lease|request|ingestion|silence)Seconds)$/;
/** Keys whose values the emulator's replace. */
const exchanged = [
  "azure-native:subscriptionId",
  "azure-native:location",
  "ballast:tenant",
  "ballast:audience",
  "ballast:strategy",
  "ballast:registry",
];
const { weights: _, ...seconds } = quickStrategy;
let stack: LocalStack;
let folder: string;
const laidOut = {} as Record<ImageName, { folder: string; entry: string }>;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ballast-laid-out-"));
  for (const name of Object.keys(imageEntries) as ImageName[]) {
    const at = path.join(folder, name);
    mkdirSync(at);
    layOut(name, at);
    // What `npm ci` would install, copied from our own installation: each package in its place, without nested ones.
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

/** Returns a stack's configuration for the emulator, with JSON values parsed. `registry` is the registry to use. */
function onEmulator(name: StackName, registry: string): Readonly<Record<string, unknown>> {
  const [said, defaults] = [filledIn(name), filledIn("local")];
  const own = Object.entries(said).filter(
    ([key, value]) => value !== defaults[key] && !exchanged.includes(key) && !ofEmulator.test(key),
  );
  return {
    ...Object.fromEntries(
      own.map(([key, value]) => [key, /^[[{\d]|^(true|false)$/.test(value) ? JSON.parse(value) : value]),
    ),
    "ballast:registry": registry,
    "ballast:strategy": { ...JSON.parse(said["ballast:strategy"]!), ...seconds },
  };
}

const shown = async (id: string, version: string): Promise<any> =>
  (
    await stack.cloud.ask(
      "GET",
      `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/${id}?api-version=${version}`,
    )
  ).body;
const app = (group: string, name: string) =>
  shown(`${group}/providers/Microsoft.App/containerApps/${name}`, "2025-02-02-preview");

/** Deploys the stack, checks that a preview shows no change, destroys it, and checks that nothing is left. */
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

test("dev goes up in three steps, registry first and storefront last, and a preview shows no change", async () => {
  stack = await startLocalStack(onEmulator("dev", "ballastexample"), laidOut);
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

test("prod goes up with its own settings and dev's registry, and a preview shows no change", async () => {
  const registry = "ballast-dev/providers/Microsoft.ContainerRegistry/registries/ballastexample";
  const group = "ballast-prod";
  stack = await startLocalStack({}, laidOut);
  const scope = `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups`;
  await stack.cloud.settle("PUT", `${scope}/ballast-dev?api-version=2024-03-01`, { location: "westeurope" });
  await stack.cloud.settle("PUT", `${scope}/${registry}?api-version=2023-01-01-preview`, {
    location: "westeurope",
    sku: { name: "Standard" },
  });
  stack.configure(onEmulator("prod", `${scope}/${registry}`));
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
