// A whole rotation with the real adapters: the emulator with a vault, a container app and a flexible server on a real
// PostgreSQL, under a load of fresh logins by the app's replicas and by readers of the published secret.
import { mkdirSync } from "node:fs";
import path from "node:path";
import { SecretClient } from "@azure/keyvault-secrets";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createConsumers } from "../../../controlplane/adapters/azure/consumers.ts";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { createVault } from "../../../controlplane/adapters/azure/key-vault.ts";
import { createLoginRows } from "../../../controlplane/adapters/azure/login-rows.ts";
import { createRequestRows } from "../../../controlplane/adapters/azure/request-rows.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import { prepareCredentialRoles } from "../../../controlplane/adapters/credentials/prepare-roles.ts";
import { createCredentialRoles } from "../../../controlplane/adapters/credentials/roles.ts";
import { rolloutPerformer } from "../../../controlplane/performers/rollout.ts";
import { rotationPerformer } from "../../../controlplane/performers/rotation.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import { startEmulator } from "../../../emulator/start.ts";
import { read } from "../../../engines/form.ts";
import type { AnyEvent } from "../../../engines/kind.ts";
import { kinds } from "../../../engines/kinds.ts";
import { defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import { completedCredential, slotSecret } from "../../../engines/rotation/declaration.ts";
import { intentOf, streamOf } from "../../../engines/rotation/intent.ts";
import type { RotationEvent } from "../../../engines/rotation/vocabulary.ts";
import { type RunningPostgres, startPostgres } from "../../../toolchain/postgres.ts";
import { openShop, requestSeconds, type Shop } from "../../support/emulator/azure-shop.ts";
import { send, webImage } from "../../support/emulator/cloud.ts";
import { startLoad } from "../../support/emulator/login-load.ts";
import { vaultRoles } from "../../support/emulator/vault.ts";
import { eventually } from "../../support/postgres/postgres.ts";
import { memoryClaims, memoryJournal, memoryOrchestrations } from "../../support/worlds/memory.ts";

const rotatorPassword = "Rotator-1-of-a-test";
const never = new AbortController().signal;
const always = async (): Promise<boolean> => true;
const patience = patienceOf(requestSeconds);

let postgres: RunningPostgres;
let shop: Shop;
let group: string;

beforeAll(async () => {
  postgres = await startPostgres();
  const { host, port, user, password } = postgres;
  shop = await openShop((options) => {
    mkdirSync(path.join(options.folder, "image"), { recursive: true });
    return startEmulator({
      ...options,
      images: webImage(path.join(options.folder, "image")),
      postgres: { host, port, user, password },
      quirks: { "server-logs-come-late": false },
    });
  });
  group = `/subscriptions/${shop.cloud.subscription}/resourceGroups/shop`;
  await prepareServer();
  await prepareVault();
}, 60_000);
afterAll(async () => {
  await shop?.close();
  await postgres?.stop();
});

const provided = (type: string, name: string): string => `${group}/providers/${type}/${name}`;
const reader = (): string => provided("Microsoft.ManagedIdentity/userAssignedIdentities", "reader");

async function must(method: string, to: string, body: unknown, version: string): Promise<any> {
  const reply = await shop.arm(method, to, body, version);
  if (reply.status >= 400) throw new Error(`${method} ${to} came to ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

/** Runs a statement as the server's superuser, and gives the number of rows. */
async function admin(database: string, statement: string): Promise<number> {
  const client = new pg.Client({ connectionString: postgres.url(database) });
  await client.connect();
  try {
    return (await client.query(statement)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}

async function prepareServer(): Promise<void> {
  const server = provided("Microsoft.DBforPostgreSQL/flexibleServers", "shop");
  await must(
    "PUT",
    server,
    {
      location: "westeurope",
      sku: { name: "Standard_B1ms", tier: "Burstable" },
      properties: { version: "18", administratorLogin: "shop_admin", administratorLoginPassword: "Correct-Horse-7" },
    },
    "2025-08-01",
  );
  const ready = async () =>
    (await shop.arm("GET", server, undefined, "2025-08-01")).body?.properties?.state === "Ready";
  await eventually(ready, "the server to be ready", 30);
  await must("PUT", `${server}/databases/shop_data`, { properties: {} }, "2025-08-01");
  await eventually(
    async () => (await admin("postgres", "select 1 from pg_database where datname = 'shop_data'")) === 1,
    "the database to exist",
    30,
  );
  await must(
    "PUT",
    `${server}/providers/Microsoft.Insights/diagnosticSettings/logs`,
    {
      properties: {
        workspaceId: provided("Microsoft.OperationalInsights/workspaces", "shop"),
        logAnalyticsDestinationType: "Dedicated",
        logs: [{ category: "PostgreSQLLogs", enabled: true }],
      },
    },
    "2021-05-01-preview",
  );
  await shop.arm("POST", "/_emulator/ingestion", { lagSeconds: 0 });
  const client = new pg.Client({ connectionString: postgres.url("shop_data") });
  await client.connect();
  await prepareCredentialRoles(client, { owner: "shop_owner", a: "shop_a", b: "shop_b", rotator: "rotator" });
  await client.query(`alter role rotator password '${rotatorPassword}'`);
  await client.query("create table orders (id int); grant select, insert on orders to shop_owner");
  await client.end();
}

async function prepareVault(): Promise<void> {
  const vault = provided("Microsoft.KeyVault/vaults", "shop-kv");
  const { principalId } = (await must("PUT", reader(), { location: "westeurope" }, "2023-01-31")).properties;
  await must(
    "PUT",
    vault,
    {
      location: "westeurope",
      properties: {
        tenantId: shop.cloud.tenant,
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: true,
      },
    },
    "2024-11-01",
  );
  const [, claims = ""] = (await shop.connection.credential.getToken("https://vault.azure.net/.default"))!.token.split(
    ".",
  );
  const { oid } = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as { oid: string };
  for (const [role, principal] of [
    [vaultRoles.officer, oid],
    [vaultRoles.user, principalId],
  ] as const) {
    const definitions = `/subscriptions/${shop.cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions`;
    await must(
      "PUT",
      `${vault}/providers/Microsoft.Authorization/roleAssignments/${crypto.randomUUID()}`,
      {
        properties: {
          roleDefinitionId: `${definitions}/${role}`,
          principalId: principal,
          principalType: "ServicePrincipal",
        },
      },
      "2022-04-01",
    );
  }
}

function credentialOf() {
  const parsed = read(completedCredential, {
    vault: "shop-kv",
    credential: "database",
    server: postgres.host,
    port: postgres.port,
    database: "shop_data",
    roles: { a: "shop_a", b: "shop_b" },
    rotator: "rotator",
    checks: ["select count(*) from orders"],
    consumers: [
      {
        resourceGroup: "shop",
        app: "web",
        probePath: "/",
        strategy: {
          ...defaultStrategy,
          weights: [50],
          bakeSeconds: 1,
          warmUpSeconds: 0,
          intervalSeconds: 1,
          probeSeconds: 1,
          smokeSeconds: 60,
          maximumSeconds: 120,
        },
        thresholds: { ...defaultThresholds, failurePointsMax: 20, oddsTolerated: 3, slowdownTolerated: 10 },
      },
    ],
    timings: { intervalSeconds: 1, quietSeconds: 4, drainSeconds: 1, graceSeconds: 2, readersSeconds: 60 },
  });
  if ("value" in parsed) return parsed.value;
  throw new Error(parsed.complaints.join(" "));
}

/** Opens the loop with both kinds over the real adapters. */
function openLoop(credential: ReturnType<typeof credentialOf>): {
  readonly loop: Orchestrator<AnyEvent>;
  readonly journal: ReturnType<typeof memoryJournal<AnyEvent>>;
  readonly vault: ReturnType<typeof createVault>;
  readonly roles: ReturnType<typeof createCredentialRoles>;
  readonly trouble: string[];
} {
  const { connection, cloud, workspace } = shop;
  const trouble: string[] = [];
  const claims = memoryClaims(60, Date.now);
  const journal = memoryJournal(kinds, claims.stillOurs, Date.now);
  const clock = clockOf(Date.now);
  const vault = createVault({ connection, patience, suffix: `vault.${cloud.suffix}` });
  const roles = createCredentialRoles({ password: rotatorPassword, tls: "disable" });
  const loop = createOrchestrator<AnyEvent>({
    ports: { journal, claims, clock },
    kinds,
    performers: (streams) => ({
      rollout: rolloutPerformer({
        apps: createContainerApps(connection, patience),
        requests: createRequestRows(connection, patience, workspace, 0),
        claims,
        clock,
        requestSeconds,
      }),
      rotation: rotationPerformer({
        credentials: async () => [credential],
        vault,
        roles,
        logins: createLoginRows(connection, patience, workspace, clock.now),
        consumers: createConsumers(connection, patience),
        streams,
        clock,
        requestSeconds,
      }),
    }),
    orchestrations: memoryOrchestrations(),
    process: "test",
    leaseSeconds: 60,
    log: (message) => trouble.push(message),
  });
  return { loop, journal, vault, roles, trouble };
}

/** Gives both slots a version and their roles its password, and publishes slot a. */
async function seed(
  credential: ReturnType<typeof credentialOf>,
  { vault, roles }: Pick<ReturnType<typeof openLoop>, "vault" | "roles">,
): Promise<Readonly<Record<"a" | "b", string>>> {
  const urls = { a: "", b: "" };
  for (const slot of ["a", "b"] as const) {
    const making = { rotation: "seed", generation: 1, expiresAt: Date.now() + 86_400_000 };
    const made = await vault.make(credential, slot, making, always);
    if (!made.ok) throw new Error(made.reason);
    const again = await vault.make(credential, slot, making, always);
    expect(again, "a version is made once").toEqual(made);
    const password = await vault.passwordOf(credential, slot, made.value.version, never);
    if (!password.ok) throw new Error(password.reason);
    await roles.setPassword(credential, slot, password.value, always);
    urls[slot] = made.value.url;
    if (slot === "a") expect((await vault.publish(credential, "a", made.value.version, "seed", always)).ok).toBe(true);
  }
  return urls;
}

const addressOf = (url: string): string => url.replace(`.${shop.cloud.suffix}/`, ".azure.net/");

async function putApp(urls: Readonly<Record<"a" | "b", string>>): Promise<void> {
  const app = provided("Microsoft.App/containerApps", "web");
  const put = await shop.arm("PUT", app, {
    location: "westeurope",
    identity: { type: "UserAssigned", userAssignedIdentities: { [reader()]: {} } },
    properties: {
      managedEnvironmentId: provided("Microsoft.App/managedEnvironments", "shop"),
      configuration: {
        activeRevisionsMode: "Multiple",
        ingress: { external: true, targetPort: 8080, traffic: [{ latestRevision: true, weight: 100 }] },
        secrets: (["a", "b"] as const).map((slot) => ({
          name: slotSecret("database", slot),
          keyVaultUrl: addressOf(urls[slot]),
          identity: reader(),
        })),
      },
      template: {
        containers: [
          {
            name: "web",
            image: "registry.example/web:1",
            env: [{ name: "DATABASE_URL", secretRef: "database-a" }],
            probes: [{ type: "Readiness", tcpSocket: { port: 8080 }, periodSeconds: 1 }],
          },
        ],
        scale: { minReplicas: 1, maxReplicas: 1 },
      },
    },
  });
  if (put.status >= 400) throw new Error(JSON.stringify(put.body));
  await eventually(async () => (await environmentOf())?.["DATABASE_URL"] !== undefined, "the app to answer", 60);
}

/** Asks the app, through its ingress, for the environment of the replica that answers. */
async function environmentOf(): Promise<Record<string, string> | undefined> {
  const host = `https://web.shop.westeurope.${shop.cloud.suffix}`;
  const { body } = await send(shop.connection.agent, "GET", `${host}/environment`, {}, undefined);
  return typeof body === "object" ? (body as Record<string, string>) : undefined;
}

const secrets = (): SecretClient =>
  new SecretClient(`https://shop-kv.vault.${shop.cloud.suffix}`, shop.connection.credential, {
    additionalPolicies: [{ policy: shop.connection.way, position: "perCall" }],
  });
const published = async (): Promise<string | undefined> =>
  (
    await secrets()
      .getSecret("database")
      .catch(() => undefined)
  )?.value;

it("is carried out without one failed login, and leaves no password behind", async () => {
  const credential = credentialOf();
  const opened = openLoop(credential);
  const { loop, journal, vault, trouble } = opened;
  const urls = await seed(credential, opened);
  await putApp(urls);
  await loop.launch();
  const load = startLoad(credential, async () => (await environmentOf())?.["DATABASE_URL"], published);
  const name = { vault: "shop-kv", credential: "database", rotation: "r1" };
  const intent = intentOf({
    name,
    body: { cause: "requested", message: "a test wants it" },
    by: "ann",
    apps: [],
  });
  await loop.start(streamOf(name), { kind: "Request", at: Date.now(), intent });
  const facts = async () => (await journal.read(streamOf(name))).map(({ event }) => event as RotationEvent);
  await eventually(async () => (await facts()).some(({ kind }) => kind === "Finished"), "the rotation to end", 200);
  await load.stop();
  await loop.close();
  const told = await facts();
  expect(told.at(-1), JSON.stringify([told.map(({ kind }) => kind), trouble])).toMatchObject({ result: "rotated" });
  expect(load.failed).toEqual([]);
  expect(load.attempts).toBeGreaterThan(200);
  expect([...load.users].sort()).toEqual([
    "exports shop_a",
    "exports shop_b",
    "reports shop_a",
    "reports shop_b",
    "web shop_a",
    "web shop_b",
  ]);
  const app = (await shop.arm("GET", provided("Microsoft.App/containerApps", "web"))).body.properties;
  const seen = await vault.look(credential, never);
  if (!seen.ok) throw new Error(seen.reason);
  expect(app.configuration.secrets.map(({ name: secret }: { name: string }) => secret)).toEqual([
    "database-a",
    "database-b",
  ]);
  for (const [index, slot] of (["a", "b"] as const).entries())
    expect(app.configuration.secrets[index].keyVaultUrl).toContain(seen.value.slots[slot].newest!.version);
  expect(seen.value.published).toMatchObject({ slot: "b", of: seen.value.slots.b.newest!.version });
  const written = JSON.stringify(await Promise.all((await journal.streams({})).map((one) => journal.read(one))));
  for (const password of load.passwords) expect(written).not.toContain(password);
}, 300_000);

it("meets failed logins under the same load in the order of Microsoft's sample, the vault first", async () => {
  const credential = credentialOf();
  const roles = createCredentialRoles({ password: rotatorPassword, tls: "disable" });
  const load = startLoad(credential, async () => (await environmentOf())?.["DATABASE_URL"], published);
  await eventually(async () => load.attempts > 40, "the load to begin", 60);
  expect(load.failed).toEqual([]);
  const url = new URL((await published())!);
  url.password = "Another-Password-1";
  await secrets().setSecret("database", url.href);
  await eventually(async () => load.failed.some((line) => line.startsWith("reports")), "a reader to be refused", 60);
  await roles.setPassword(credential, url.username === "shop_a" ? "a" : "b", "Another-Password-1", always);
  await eventually(async () => load.failed.some((line) => line.startsWith("web")), "a replica to be refused", 60);
  await load.stop();
  expect(load.failed.every((line) => line.includes("password authentication failed"))).toBe(true);
}, 120_000);
