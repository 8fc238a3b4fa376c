// What a credential needs, put up on the emulator as a program would: a vault, a flexible server on the real PostgreSQL
// with the pair of roles, an app with both slots that reads its database, and the declaration by which control planes
// know the credential.
import { randomBytes, randomUUID } from "node:crypto";
import type { KeyVaultSecret, SecretClient } from "@azure/keyvault-secrets";
import pg from "pg";
import { type Connection, type ConnectionSettings, connect } from "../../controlplane/adapters/azure/connection.ts";
import { createVault } from "../../controlplane/adapters/azure/key-vault.ts";
import { patienceOf } from "../../controlplane/adapters/azure/trouble.ts";
import { prepareCredentialRoles } from "../../controlplane/adapters/credentials/prepare-roles.ts";
import { createCredentialRoles } from "../../controlplane/adapters/credentials/roles.ts";
import { read } from "../../engines/form.ts";
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import { completedCredential, type Slot, slots, type Timings } from "../../engines/rotation/declaration.ts";
import type { Credential } from "../../engines/rotation/vocabulary.ts";
import type { RunningPostgres } from "../../toolchain/postgres.ts";
import type { CloudAddress } from "../ground.ts";
import { appBody, putApp, putRelease } from "./app.ts";
import { type Arm, armOf } from "./arm.ts";
import { eventually } from "./eventually.ts";
import { app, type Places, placesIn, resourceGroup, vaultName, versionsOf } from "./places.ts";
import { secretsOf } from "./secrets.ts";

/** Where everything runs. */
export interface Land {
  readonly cloud: CloudAddress;
  readonly postgres: Omit<RunningPostgres, "stop">;
}

/** The estate, and how to look at it. */
export interface Estate extends Land {
  readonly arm: Arm;
  readonly credential: Credential;
  readonly rotatorPassword: string;
  readonly connection: Connection;
  /** The customer id of the workspace with the logs. */
  readonly workspace: string;
  readonly vaultUrl: string;
  readonly secrets: SecretClient;
  /** The address at which users reach the app. */
  readonly origin: string;
  /** Runs a statement as the server's superuser, in the database of the app. */
  readonly admin: (statement: string, values?: readonly unknown[]) => Promise<readonly pg.QueryResultRow[]>;
  /** Makes a revision of the app, which gets no traffic, and gives its name. */
  readonly release: (suffix: string) => Promise<string>;
  /** Gives a revision of the app; undefined if it does not exist. */
  readonly revision: (name: string) => Promise<object | undefined>;
  /** Gives the app's secrets as they are on the wire. */
  readonly appSecrets: () => Promise<readonly { readonly name: string; readonly keyVaultUrl: string }[]>;
  /** Gives every version of one of the credential's secrets. */
  readonly versions: (secret: string) => Promise<readonly KeyVaultSecret[]>;
  readonly close: () => Promise<void>;
}

const database = "shop_data";
/** A person's or a reader's own requests are no part of what is shown, so that a busy machine may be slow. */
const patientSeconds = 15;

/** Azure's built-in roles for secrets. */
const roles = {
  user: "4633458b-17de-408a-b874-0445c86b69e6",
  officer: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
} as const;

/** The times of the demo. On Azure, the quiet time is 35 minutes and the grace an hour. */
const demoTimings = {
  intervalSeconds: 1,
  quietSeconds: 5,
  drainSeconds: 3,
  graceSeconds: 3,
  readersSeconds: 120,
  busySeconds: 120,
};

/** What may differ from the demo. */
export interface EstateOptions {
  /** When the first version expires. @default 60 */
  readonly expiresInDays?: number;
  readonly timings?: Partial<Timings>;
}

/** Puts everything up, with both slots seeded and slot a published. */
export async function putUp(land: Land, { expiresInDays = 60, timings = {} }: EstateOptions = {}): Promise<Estate> {
  const { cloud, postgres } = land;
  const arm = armOf(cloud);
  const connection = connect(connectionSettings(cloud), cloud.environment["BALLAST_CONNECT_TO"]);
  const at = placesIn(cloud.subscription);
  const workspace = await putGroup(arm, at);
  const rotatorPassword = randomBytes(18).toString("base64url");
  await putServer(arm, at, postgres, rotatorPassword);
  await putVault(arm, at, connection, cloud.tenant);
  const credential = declarationFor(postgres, { ...demoTimings, ...timings });
  const seeded = await seed(credential, connection, cloud.suffix, rotatorPassword, expiresInDays);
  const body = appBody(at, cloud.suffix, seeded);
  const origin = await putApp(arm, at, body);
  const vaultUrl = `https://${vaultName}.vault.${cloud.suffix}`;
  const secrets = secretsOf(vaultUrl, connection);
  const admin = new pg.Pool({ connectionString: postgres.url(database), max: 2 });
  admin.on("error", () => undefined);
  return {
    ...land,
    arm,
    credential,
    rotatorPassword,
    connection,
    workspace,
    vaultUrl,
    secrets,
    origin,
    admin: async (statement, values = []) => (await admin.query(statement, [...values])).rows,
    revision: (name) => arm.ask("GET", `${at.app}/revisions/${name}`, versionsOf.app).catch(() => undefined),
    appSecrets: async () => (await arm.ask("GET", at.app, versionsOf.app)).properties.configuration.secrets,
    release: (suffix) => putRelease(arm, at, suffix),
    versions: async (secret) => {
      const found: KeyVaultSecret[] = [];
      for await (const { version = "" } of secrets.listPropertiesOfSecretVersions(secret))
        found.push(await secrets.getSecret(secret, { version }));
      return found;
    },
    close: async () => {
      await admin.end();
      await arm.remove(at.group, "2024-03-01");
      connection.close();
    },
  };
}

/** Gives how clients of the emulator sign in. */
export const connectionSettings = (cloud: CloudAddress): ConnectionSettings => ({
  subscription: cloud.subscription,
  tenant: cloud.tenant,
  resourceManager: `https://management.${cloud.suffix}`,
  logs: `https://api.loganalytics.${cloud.suffix}`,
  authority: `https://login.${cloud.suffix}`,
  clientId: cloud.client.id,
  clientSecret: cloud.client.secret,
  requestSeconds: patientSeconds,
});

/** Puts the group, the workspace and an environment whose request rows go there; gives the workspace's customer id. */
async function putGroup(arm: Arm, at: Places): Promise<string> {
  await arm.ask("PUT", at.group, "2024-03-01", { location: "westeurope" });
  const { properties } = await arm.settle(at.workspace, versionsOf.workspace, {
    location: "westeurope",
    properties: {},
  });
  await arm.settle(at.environment, versionsOf.app, {
    location: "westeurope",
    properties: { appLogsConfiguration: { destination: "azure-monitor" } },
  });
  await wire(arm, at, at.environment, "ContainerAppHTTPLogs");
  await arm.control("ingestion", { lagSeconds: 0 });
  // Minutes on Azure; the waits of the demo are seconds.
  await arm.control("quirks", { "server-logs-come-late": false });
  return properties.customerId as string;
}

const wire = (arm: Arm, at: Places, source: string, category: string): Promise<unknown> =>
  arm.ask("PUT", `${source}/providers/Microsoft.Insights/diagnosticSettings/logs`, versionsOf.diagnostics, {
    properties: {
      workspaceId: at.workspace,
      logAnalyticsDestinationType: "Dedicated",
      logs: [{ category, enabled: true }],
    },
  });

async function putServer(arm: Arm, at: Places, postgres: Land["postgres"], rotatorPassword: string): Promise<void> {
  await arm.settle(at.server, versionsOf.server, {
    location: "westeurope",
    sku: { name: "Standard_B1ms", tier: "Burstable" },
    properties: {
      version: "18",
      administratorLogin: "shop_admin",
      administratorLoginPassword: `Aa1-${randomBytes(18).toString("base64url")}`,
    },
  });
  await arm.settle(`${at.server}/databases/${database}`, versionsOf.server, { properties: {} });
  await wire(arm, at, at.server, "PostgreSQLLogs");
  const connected = async (): Promise<pg.Client | undefined> => {
    const made = new pg.Client({ connectionString: postgres.url(database) });
    return made.connect().then(
      () => made,
      () => undefined,
    );
  };
  const client = await eventually(connected, "the database");
  try {
    await prepareCredentialRoles(client, { owner: "shop_owner", a: "shop_a", b: "shop_b", rotator: "rotator" });
    await client.query(`alter role rotator password ${pg.escapeLiteral(rotatorPassword)}`);
    await client.query("create table orders (id int); grant select, insert on orders to shop_owner");
    await client.query("create table invoices (id int); grant select on invoices to shop_a, shop_b");
    await client.query(countedChanges);
    await client.query("create extension pg_stat_statements"); // Azure's servers load it too.
    // The server logs statements about roles, as many do. Passwords must not be in them.
    await client.query("alter system set log_statement = 'ddl'");
    await client.query("select pg_reload_conf()");
  } finally {
    await client.end();
  }
}

/** Counts the changes of passwords on the server, whoever asked for them. */
const countedChanges = `
  create table ballast_rotation.changes (role text, at timestamptz default clock_timestamp());
  grant insert on ballast_rotation.changes to rotator;
  alter function ballast_rotation.set_verifier(text, text) rename to set_verifier_uncounted;
  create function ballast_rotation.set_verifier(login_role text, verifier text)
    returns void language plpgsql security invoker as $function$
  begin
    perform ballast_rotation.set_verifier_uncounted(login_role, verifier);
    insert into ballast_rotation.changes (role) values (login_role);
  end $function$;
  grant execute on function ballast_rotation.set_verifier(text, text) to rotator;`;

async function putVault(arm: Arm, at: Places, connection: Connection, tenant: string): Promise<void> {
  const { properties } = await arm.settle(at.reader, versionsOf.identity, { location: "westeurope" });
  await arm.settle(at.vault, versionsOf.vault, {
    location: "westeurope",
    properties: { tenantId: tenant, sku: { family: "A", name: "standard" }, enableRbacAuthorization: true },
  });
  const { token } = (await connection.credential.getToken("https://vault.azure.net/.default"))!;
  const { oid } = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString("utf8")) as { oid: string };
  for (const [role, principalId] of [
    [roles.officer, oid],
    [roles.user, properties.principalId as string],
  ] as const)
    await arm.ask(
      "PUT",
      `${at.vault}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`,
      versionsOf.role,
      {
        properties: {
          roleDefinitionId: `${at.roleDefinitions}/${role}`,
          principalId,
          principalType: "ServicePrincipal",
        },
      },
    );
}

/** How the app's releases are judged, cut-overs included: by few requests, because the demo's times are seconds. */
export const judging = {
  probePath: "/",
  strategy: {
    ...defaultStrategy,
    weights: [50],
    bakeSeconds: 1,
    warmUpSeconds: 0,
    intervalSeconds: 1,
    probeSeconds: 1,
    smokeSeconds: 60,
    maximumSeconds: 900,
  },
  thresholds: {
    ...defaultThresholds,
    falsePromotionPercentMax: 50,
    oddsTolerated: 10,
    slowdownTolerated: 10,
    failurePointsMax: 20,
    // A busy machine is slow to answer a probe, and that is no fault of the canary.
    probeFailuresMax: 20,
    stableFailurePercentMax: 40,
  },
};

function declarationFor({ host, port }: Land["postgres"], timings: Timings): Credential {
  const parsed = read(completedCredential, {
    vault: vaultName,
    credential: "database",
    server: host,
    port,
    database,
    roles: { a: "shop_a", b: "shop_b" },
    rotator: "rotator",
    checks: ["select count(*) from orders"],
    consumers: [{ resourceGroup, app, ...judging }],
    timings,
  });
  if ("value" in parsed) return parsed.value;
  throw new Error(parsed.complaints.join(" "));
}

/** Gives both slots a version and their roles its password, and publishes slot a. Gives the versions' addresses. */
async function seed(
  credential: Credential,
  connection: Connection,
  suffix: string,
  rotatorPassword: string,
  expiresInDays: number,
): Promise<Readonly<Record<Slot, string>>> {
  const vault = createVault({ connection, patience: patienceOf(patientSeconds), suffix: `vault.${suffix}` });
  const pair = createCredentialRoles({ password: rotatorPassword, tls: "disable" });
  const always = async (): Promise<boolean> => true;
  const must = <Value>(result: { ok: true; value: Value } | { ok: false; reason: string }): Value => {
    if (result.ok) return result.value;
    throw new Error(result.reason);
  };
  const urls = { a: "", b: "" };
  const none = async () => ({ ok: true, value: null }) as const;
  for (const slot of slots) {
    const expiresAt = Date.now() + expiresInDays * 86_400_000;
    const value = must(await pair.newValue(credential, slot, none, always));
    const making = { rotation: "seed", generation: 1, expiresAt, value: async () => ({ ok: true, value }) as const };
    const { version, url } = must(await vault.make(credential, slot, making, always));
    must(await pair.accept(credential, slot, { version, url, value }, always));
    urls[slot] = url;
    if (slot === "a") must(await vault.publish(credential, "a", version, "seed", always));
  }
  return urls;
}

/** The audience of the control planes' tokens. */
export const audience = "api://ballast";
