// The cloud of rotation scenarios for real: versions and the published secret in a vault of the emulator, apps whose
// revisions name a slot of it, and the two login roles on a real PostgreSQL, all through the shipped adapters. Each
// revision logs in with what its platform fetched. Clock, log of logins and judges stay plain objects.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { httpsAgent, parseConnectTo } from "../../../connect-to.ts";
import { createConsumers } from "../../../controlplane/adapters/azure/consumers.ts";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { createVault } from "../../../controlplane/adapters/azure/key-vault.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import { prepareCredentialRoles } from "../../../controlplane/adapters/credentials/prepare-roles.ts";
import { createCredentialRoles } from "../../../controlplane/adapters/credentials/roles.ts";
import { verifierOf } from "../../../controlplane/adapters/credentials/scram.ts";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import type { Roles, Vault } from "../../../controlplane/performers/rotation-ports.ts";
import type { Streams } from "../../../controlplane/runtime/performer.ts";
import { startEmulator } from "../../../emulator/start.ts";
import type { Result } from "../../../engines/engine.ts";
import type { ReleaseIntent } from "../../../engines/rollout/vocabulary.ts";
import { type Slot, slotSecret, slots } from "../../../engines/rotation/declaration.ts";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";
import { openShop, type Shop } from "../emulator/azure-shop.ts";
import { send, webImage } from "../emulator/cloud.ts";
import { clientObjectId, giveRole, vaultBody } from "../emulator/vault.ts";
import { eventually } from "../postgres/postgres.ts";
import { countIo } from "./counted-io.ts";
import type { OpenRotationCloud, RotationPorts } from "./rotation-run.ts";
import type { RotationScenario } from "./rotation-scenario.ts";
import { note, type RotationWorld } from "./rotation-world.ts";
import { type OpenStores, storesInMemory } from "./run-stores.ts";

/** The shop of the rotations. */
export interface RotationShop {
  readonly shop: Shop;
  readonly stores: OpenStores;
  readonly cloud: OpenRotationCloud;
  /** Gives a scenario with a vault of its own and the real server. The apps of the run before are deleted. */
  readonly staged: (scenario: RotationScenario) => RotationScenario;
  /** Logs in as each revision of an app would if it woke now. Gives the role of each, or the server's refusal. */
  readonly loginsOf: (app: string) => Promise<Readonly<Record<string, string>>>;
  /** Sends a request to a revision, or to the app, which wakes it, and logs in with what its replica was given. */
  readonly loginOfReplica: (name: string) => Promise<string>;
  /** Lets the cool-down of an app pass, until these revisions have no replica. */
  readonly sleeps: (app: string, revisions: readonly string[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

const patience = patienceOf(10);
const always = async (): Promise<boolean> => true;
const rotatorPassword = "a-password-of-this-test-alone";
const domain = "shop.westeurope.ballast.localhost";
const variable = "DATABASE_URL";

/** Opens the emulator with an identity that reads vaults, and prepares the roles. */
export async function openRotationShop(database: Database, admin: pg.Pool): Promise<RotationShop> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ballast-web-"));
  const shop = await openShop((options) =>
    startEmulator({ ...options, images: { ...options.images, ...webImage(folder) } }),
  );
  const agent = httpsAgent(parseConnectTo(shop.cloud.environment["BALLAST_CONNECT_TO"]!));
  await prepareRoles(admin);
  const io = countIo();
  let runs = 0;
  const apps = new Set<string>();
  const loginsOf: RotationShop["loginsOf"] = async (app) => {
    const { body } = await shop.arm("POST", `${idOf(shop, app)}/listSecrets`);
    const fetched = new Map<string, string>(body.value.map((each: any) => [each.name, each.value]));
    const revisions = (await shop.arm("GET", `${idOf(shop, app)}/revisions`)).body.value;
    const logins = revisions.map(async ({ name, properties }: any) => {
      const { secretRef } = properties.template.containers[0].env.find((each: any) => each.name === variable);
      return [name, await roleIn(fetched.get(secretRef) ?? "")];
    });
    return Object.fromEntries(await Promise.all(logins));
  };
  return {
    shop,
    stores: { ...storesInMemory(true), io },
    staged: (scenario) => {
      const { host: server, port, name } = database;
      const { credential } = scenario;
      const own = { vault: `kv${++runs}`, server, port, database: name, tls: "disable" } as const;
      return { ...scenario, credential: { ...credential, ...own } };
    },
    cloud: async (world, scenario, plain) => {
      for (const app of apps) await shop.connection.apps.containerApps.delete("shop", app).pollUntilDone();
      apps.clear();
      for (const { app } of scenario.credential.consumers) apps.add(app);
      return portsOf(shop, world, scenario, plain, io.counted, loginsOf);
    },
    loginsOf,
    loginOfReplica: async (name) => {
      const given = await eventually(async () => {
        const { body } = await send(agent, "GET", `https://${name}.${domain}/environment`, {}, undefined);
        return (body as Readonly<Record<string, string>> | undefined)?.[variable];
      }, `a replica of ${name}`);
      return roleIn(given);
    },
    sleeps: async (app, revisions) => {
      const { containerAppsRevisionReplicas } = shop.connection.apps;
      await eventually(
        async () => {
          // A replica is idle from when it was ready, which the clock of the emulator may say after it was set.
          await shop.arm("POST", "/_emulator/clock", { rate: 1, advanceSeconds: 400 });
          const replicas = await Promise.all(
            revisions.map((revision) => containerAppsRevisionReplicas.listReplicas("shop", app, revision)),
          );
          return replicas.every(({ value = [] }) => value.length === 0);
        },
        `${revisions.join(" and ")} to have no replica`,
      );
    },
    close: async () => {
      agent.destroy();
      await shop.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function prepareRoles(admin: pg.Pool): Promise<void> {
  const client = await admin.connect();
  await prepareCredentialRoles(client, { owner: "shop_owner", a: "shop_a", b: "shop_b", rotator: "ballast_rotator" });
  await client.query(`alter role ballast_rotator password '${await verifierOf(rotatorPassword)}'`);
  client.release();
}

/** Logs in with a URI. */
async function roleIn(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString });
  try {
    await client.connect();
    return (await client.query<{ role: string }>("select session_user::text as role")).rows[0]!.role;
  } catch (thrown) {
    return (thrown as { readonly code?: string }).code ?? String(thrown);
  } finally {
    await client.end();
  }
}

const groupOf = ({ cloud }: Shop): string => `/subscriptions/${cloud.subscription}/resourceGroups/shop`;
const idOf = (shop: Shop, app: string): string => `${groupOf(shop)}/providers/Microsoft.App/containerApps/${app}`;

/** Gives the value of a result that must be one. */
function must<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

/** Stages the beginning of a run, and joins the shipped adapters to what the scenario says. */
async function portsOf(
  shop: Shop,
  world: RotationWorld,
  scenario: RotationScenario,
  plain: RotationPorts,
  counted: <Port extends object>(port: Port) => Port,
  loginsOf: RotationShop["loginsOf"],
): Promise<RotationPorts> {
  const { connection } = shop;
  const { credential } = scenario;
  const reader = await openVault(shop, credential.vault);
  const vault = createVault({ connection, patience, suffix: `vault.${shop.cloud.suffix}` });
  const roles = createCredentialRoles({ password: rotatorPassword, tls: "disable" });
  if (scenario.world.before === "seeded") {
    const urls = await seed(world, credential, vault, roles);
    for (const { app } of credential.consumers) await putApp(shop, app, urls, reader);
  }
  const consumers = createConsumers(connection, patience);
  return {
    vault: counted(vaultNoted(world, vault)),
    roles: { ...counted(rolesNoted(roles, plain.roles)), clock: plain.roles.clock },
    logins: plain.logins,
    consumers: counted({
      ...consumers,
      moveSecret: async (consumer, secret, url, fence) => {
        const moved = await consumers.moveSecret(consumer, secret, url, fence);
        return moved.ok ? plain.consumers.moveSecret(consumer, secret, url, fence) : moved;
      },
    }),
    woken: counted({
      login: async (app) => {
        const role = (await loginsOf(app))[`${app}--1`]!;
        return role === credential.roles.a ? undefined : role;
      },
      serve: async (app) => {
        await giveTraffic(shop, app, `${app}--1`);
        await plain.woken.serve(app);
      },
    }),
    streamsBy: (clock) => streamsNoted(counted(cutOvers(shop)), plain.streamsBy(clock)),
  };
}

/** Makes a vault, and gives the identity that may read it. */
async function openVault(shop: Shop, name: string): Promise<string> {
  const vaultId = `${groupOf(shop)}/providers/Microsoft.KeyVault/vaults/${name}`;
  const reader = `${groupOf(shop)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reader`;
  const tokenFor = async (resource: string): Promise<string> =>
    (await shop.connection.credential.getToken(`${resource}/.default`))!.token;
  const ask = async (method: string, url: string, body?: unknown) => {
    const { status, body: answer } = await shop.arm(method, url.split("?")[0]!, body, "2022-04-01");
    return { status, body: answer, headers: {} };
  };
  const identity = await shop.arm("PUT", reader, { location: "westeurope" }, "2023-01-31");
  await shop.arm("PUT", vaultId, vaultBody(shop), "2024-11-01");
  const may = { ask, cloud: shop.cloud };
  await giveRole(may, vaultId, "officer", await clientObjectId({ tokenFor }));
  await giveRole(may, vaultId, "user", identity.body.properties.principalId);
  return reader;
}

/** Gives both slots a version and a role that accepts it, and publishes the first one. */
async function seed(
  world: RotationWorld,
  credential: Credential,
  vault: Vault,
  roles: Roles,
): Promise<Readonly<Record<Slot, string>>> {
  const urls = { a: "", b: "" };
  for (const slot of slots) {
    const value = must(await roles.newValue(credential, slot, async () => ({ ok: true, value: null }), always));
    const expiresAt = world.loop.now() + 30 * 86_400_000;
    const making = { rotation: "seed", generation: 1, expiresAt, value: async () => ({ ok: true, value }) as const };
    const { version, url } = must(await vault.make(credential, slot, making, always));
    must(await roles.accept(credential, slot, { version, url, value }, always));
    urls[slot] = url;
    world.versions[slot].splice(0, 1, { version, rotation: "seed", generation: 1 });
    world.passwords[slot].splice(0, 1, { at: 0, value: version });
    for (const { secrets } of world.apps.values()) secrets[slot] = version;
  }
  const of = world.versions.a[0]!.version;
  const version = must(await vault.publish(credential, "a", of, "seed", always));
  world.published.splice(0, 1, { at: 0, value: { slot: "a", version, of } });
  return urls;
}

/** The vault, which the world of plain objects hears about. */
const vaultNoted = (world: RotationWorld, vault: Vault): Vault => ({
  ...vault,
  make: async (credential, slot, making, fence) => {
    const made = await vault.make(credential, slot, making, fence);
    const { rotation, generation } = making;
    if (made.ok && !world.versions[slot].some(({ version }) => version === made.value.version))
      world.versions[slot].push({ version: made.value.version, rotation, generation });
    return made;
  },
  publish: async (credential, slot, of, rotation, fence) => {
    const published = await vault.publish(credential, slot, of, rotation, fence);
    if (published.ok && world.published.at(-1)?.value?.of !== of)
      note(world, world.published, { slot, version: published.value, of });
    return published;
  },
});

/** The roles, likewise. What the scenario says of sessions is so. */
const rolesNoted = (roles: Roles, plain: Roles): Roles => ({
  ...roles,
  look: async (credential, live, cancel) => {
    const [seen, said] = [await roles.look(credential, live, cancel), await plain.look(credential, live, cancel)];
    return seen.ok && said.ok ? { ok: true, value: { ...seen.value, otherSessions: said.value.otherSessions } } : seen;
  },
  accept: async (credential, slot, version, fence) => {
    const accepted = await roles.accept(credential, slot, version, fence);
    return accepted.ok ? plain.accept(credential, slot, { ...version, value: version.version }, fence) : accepted;
  },
  setLogin: async (credential, slot, login, fence) => {
    const set = await roles.setLogin(credential, slot, login, fence);
    return set.ok ? plain.setLogin(credential, slot, login, fence) : set;
  },
  sessions: plain.sessions,
  endSessions: plain.endSessions,
});

/** Puts an app whose first revision serves from slot a. */
async function putApp(shop: Shop, app: string, urls: Readonly<Record<Slot, string>>, reader: string): Promise<void> {
  const secrets = slots.map((slot) => ({
    name: slotSecret("database", slot),
    keyVaultUrl: urls[slot],
    identity: reader,
  }));
  const { status, body } = await shop.arm("PUT", idOf(shop, app), {
    location: "westeurope",
    identity: { type: "UserAssigned", userAssignedIdentities: { [reader]: {} } },
    properties: {
      managedEnvironmentId: `${groupOf(shop)}/providers/Microsoft.App/managedEnvironments/shop`,
      configuration: { activeRevisionsMode: "Multiple", ingress: { external: true, targetPort: 8080 }, secrets },
      template: {
        revisionSuffix: "1",
        containers: [
          {
            name: "web",
            image: "registry.example/web:1",
            env: [{ name: variable, secretRef: slotSecret("database", "a") }],
            probes: [{ type: "Readiness", tcpSocket: { port: 8080 }, periodSeconds: 1 }],
          },
        ],
        scale: { minReplicas: 0, maxReplicas: 1 },
      },
    },
  });
  if (status >= 300) throw new Error(`The app ${app} was refused: ${JSON.stringify(body)}`);
  await isReady(shop, app, `${app}--1`);
  await giveTraffic(shop, app, `${app}--1`);
}

const isReady = (shop: Shop, app: string, revision: string): Promise<unknown> =>
  eventually(async () => {
    const { latestReadyRevisionName, provisioningState } = await shop.connection.apps.containerApps.get("shop", app);
    return provisioningState === "Succeeded" && latestReadyRevisionName === revision;
  }, `${revision} to be ready`);

/** Gives a revision all traffic and the label of what is stable. */
async function giveTraffic(shop: Shop, app: string, revisionName: string): Promise<void> {
  const { containerApps } = shop.connection.apps;
  const traffic = [{ revisionName, weight: 100, label: "stable" }];
  const configuration = { ingress: { external: true, targetPort: 8080, traffic } };
  await containerApps.update("shop", app, { location: "westeurope", configuration }).pollUntilDone();
}

/** What a rollout of a rotation does to its app. */
interface CutOvers {
  readonly begin: (intent: ReleaseIntent) => Promise<void>;
  readonly end: (intent: ReleaseIntent, result: string) => Promise<void>;
}

const cutOvers = (shop: Shop): CutOvers => {
  const apps = createContainerApps(shop.connection, patience);
  const { containerApps, containerAppsRevisions } = shop.connection.apps;
  return {
    begin: async ({ target, revision, purpose }) => {
      must(await apps.repoint({ kind: "Repoint", target, revision, purpose: purpose! }, always));
      await isReady(shop, target.app, revision);
    },
    end: async ({ target: { app }, revision }, result) => {
      const { configuration } = await containerApps.get("shop", app);
      const before = configuration?.ingress?.traffic?.find(({ weight }) => weight === 100)?.revisionName ?? "";
      if (result === "promoted") await giveTraffic(shop, app, revision);
      await containerAppsRevisions.deactivateRevision("shop", app, result === "promoted" ? before : revision);
    },
  };
};

/** Rollouts that end as the scenario says, with what each does to its app. */
function streamsNoted({ begin, end }: CutOvers, plain: Streams): Streams {
  const intents = new Map<string, ReleaseIntent>();
  return {
    ...plain,
    request: async (stream, intent, at) => {
      const asked = await plain.request(stream, intent, at);
      if (!asked.ok || asked.value === "exists") return asked;
      intents.set(stream, intent as ReleaseIntent);
      await begin(intent as ReleaseIntent);
      return asked;
    },
    follow: async (stream, until, cancel) => {
      const ended = await plain.follow(stream, until, cancel);
      const intent = intents.get(stream);
      if (ended.ok && intent !== undefined) await end(intent, ended.value.result);
      return ended;
    },
  };
}
