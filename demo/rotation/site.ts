// What is there before a credential comes under rotation: an environment whose request rows go to a workspace, and a
// flexible server on the real PostgreSQL with the pair of roles. It is put up on the emulator by requests; the vault,
// the credential and the app are the program's.
import { randomBytes } from "node:crypto";
import pg from "pg";
import { type Connection, type ConnectionSettings, connect } from "../../controlplane/adapters/azure/connection.ts";
import { prepareCredentialRoles } from "../../controlplane/adapters/credentials/prepare-roles.ts";
import type { RunningPostgres } from "../../toolchain/postgres.ts";
import type { CloudAddress, Ground } from "../ground.ts";
import { type Arm, armOf } from "./arm.ts";
import { eventually } from "./eventually.ts";
import { type Places, placesIn, versionsOf } from "./places.ts";

/** Where everything runs. */
export interface Land extends Pick<Ground, "pulumiCli" | "folder"> {
  readonly cloud: CloudAddress;
  readonly postgres: Omit<RunningPostgres, "stop">;
}

/** What is there already. */
export interface Site extends Land {
  readonly arm: Arm;
  readonly at: Places;
  readonly connection: Connection;
  readonly rotatorPassword: string;
  /** The customer id of the workspace with the logs. */
  readonly workspace: string;
  /** Where the control planes send their telemetry. */
  readonly telemetry: string;
  /** Runs a statement as the server's superuser, in the database of the app. */
  readonly admin: (statement: string, values?: readonly unknown[]) => Promise<readonly pg.QueryResultRow[]>;
  readonly close: () => Promise<void>;
}

export const database = "shop_data";
export const roles = { a: "shop_a", b: "shop_b" };
export const rotator = "rotator";
/** The audience of the control planes' tokens. */
export const audience = "api://ballast";
/** A person's or a reader's own requests are no part of what is shown, so that a busy machine may be slow. */
const patientSeconds = 15;

/** Puts it up. */
export async function putSite(land: Land): Promise<Site> {
  const { cloud, postgres } = land;
  const arm = armOf(cloud);
  const connection = connect(connectionSettings(cloud), cloud.environment["BALLAST_CONNECT_TO"]);
  const at = placesIn(cloud.subscription);
  const { workspace, telemetry } = await putGroup(arm, at);
  const rotatorPassword = randomBytes(18).toString("base64url");
  await putServer(arm, at, postgres, rotatorPassword);
  const admin = new pg.Pool({ connectionString: postgres.url(database), max: 2 });
  admin.on("error", () => undefined);
  return {
    ...land,
    arm,
    at,
    connection,
    rotatorPassword,
    workspace,
    telemetry,
    admin: async (statement, values = []) => (await admin.query(statement, [...values])).rows,
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

/** Puts the group, the workspace, and an environment and a component whose rows go there. */
async function putGroup(arm: Arm, at: Places): Promise<Pick<Site, "workspace" | "telemetry">> {
  await arm.ask("PUT", at.group, "2024-03-01", { location: "westeurope" });
  const { properties } = await arm.settle(at.workspace, versionsOf.workspace, {
    location: "westeurope",
    properties: {},
  });
  const component = await arm.settle(at.component, versionsOf.component, {
    location: "westeurope",
    kind: "web",
    properties: { Application_Type: "web", WorkspaceResourceId: at.workspace },
  });
  await arm.settle(at.environment, versionsOf.app, {
    location: "westeurope",
    properties: { appLogsConfiguration: { destination: "azure-monitor" } },
  });
  await wire(arm, at, at.environment, "ContainerAppHTTPLogs");
  await arm.control("ingestion", { lagSeconds: 0 });
  // Minutes on Azure; the waits of the demo are seconds.
  await arm.control("quirks", { "server-logs-come-late": false });
  return { workspace: properties.customerId, telemetry: component.properties.ConnectionString };
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
    await prepareCredentialRoles(client, { owner: "shop_owner", ...roles, rotator });
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
