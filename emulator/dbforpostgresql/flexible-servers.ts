// Microsoft.DBforPostgreSQL/flexibleServers and their children, on the one PostgreSQL server of the emulator's options:
// a flexible server is a login role there, and a database is a database of that role. A password reaches PostgreSQL and
// is stored nowhere else. That server cannot verify Entra tokens, so Entra administrators are refused.
import pg from "pg";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import {
  ArmError,
  type ArmReply,
  type Body,
  type Cloud,
  type PutContext,
  type Resource,
  type ResourceType,
} from "../arm/resource.ts";
import { parentIdOf } from "../arm/resource-path.ts";
import { requireSubnet, requireZone } from "../network/networks.ts";
import { makeConfigurationType, overridesOf, restartParameters } from "./configurations.ts";
import { administratorFields, databaseFields, firewallRuleFields, flexibleServerFields } from "./fields.ts";
import { checkLogin, checkPassword, checkServer, isSystemDatabase } from "./server-rules.ts";

const apiVersions = ["2025-08-01"];
const serverType = "Microsoft.DBforPostgreSQL/flexibleServers";
/** What Azure's servers are set to, and what their log depends on. */
const azureSettings = ["log_connections = 'on'", "log_timezone = 'UTC'"];

const missingServer = (): ArmError =>
  new ArmError(
    501,
    "EmulatorUnsupported",
    "This emulator was started without a PostgreSQL server, so it cannot serve flexible servers.",
  );

/**
 * Runs statements on a connection of their own. Calls are rare, and a kept connection
 * would outlive a test that stops the server.
 */
async function onServer<Result>(cloud: Cloud, act: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const given = cloud.options.postgres;
  if (given === undefined) throw missingServer();
  const client = new pg.Client({
    host: given.host,
    port: given.port,
    user: given.user,
    password: given.password,
    database: "postgres",
    connectionTimeoutMillis: 60_000, // A server that is down refuses at once; one on a busy machine takes its time.
  });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

const name = pg.escapeIdentifier;
const literal = pg.escapeLiteral;

const isPrivate = ({ body }: { readonly body: Body }): boolean =>
  Boolean(body["properties"].network?.delegatedSubnetResourceId);

/**
 * Checks how a server is reached: through a delegated subnet with a private DNS zone,
 * or publicly. Neither can become the other.
 *
 * @throws ArmError
 */
function keepNetwork({ id, wanted, previous, cloud }: PutContext): void {
  const {
    delegatedSubnetResourceId: subnet,
    privateDnsZoneArmResourceId: zone,
    publicNetworkAccess,
  } = wanted["properties"].network ?? {};
  if (previous && isPrivate(previous) !== Boolean(subnet))
    throw new ArmError(
      400,
      "ServerNetworkCannotBeChanged",
      `The server '${wanted["name"]}' was created with ${isPrivate(previous) ? "private" : "public"} access, ` +
        "which cannot be changed.",
    );
  if (!subnet) return;
  requireSubnet(cloud, subnet, serverType, id);
  if (!zone)
    throw new ArmError(
      400,
      "PrivateDnsZoneRequired",
      "A server with a delegated subnet needs a privateDnsZoneArmResourceId.",
    );
  requireZone(cloud, zone, ".postgres.database.azure.com", id);
  if (publicNetworkAccess === "Enabled")
    throw new ArmError(
      400,
      "InvalidParameterValue",
      "publicNetworkAccess cannot be Enabled when the server has a delegated subnet.",
    );
  wanted["properties"].network.publicNetworkAccess = "Disabled";
}

async function putServer(context: PutContext): Promise<void> {
  const { id, wanted, previous, cloud } = context;
  if (cloud.options.postgres === undefined) throw missingServer();
  keepNetwork(context);
  checkServer(wanted, previous?.body);
  const days: unknown = wanted["properties"].backup?.backupRetentionDays;
  if (days !== undefined && !(Number(days) >= 7 && Number(days) <= 35))
    throw refusedToo(`backupRetentionDays must be 7 to 35, not ${String(days)}.`);
  const properties: Body = wanted["properties"];
  const { administratorLoginPassword: password } = properties;
  const login: unknown = properties["administratorLogin"] ?? previous?.body["properties"].administratorLogin;
  // The stored body must not contain the password; from here on only this function has it.
  delete properties["administratorLoginPassword"];
  if (typeof login !== "string" || (!previous && typeof password !== "string"))
    throw new ArmError(
      400,
      "InvalidParameterValue",
      "administratorLogin and administratorLoginPassword are needed to create a server.",
    );
  checkLogin(login);
  if (typeof password === "string") checkPassword(password, login);
  if (login === cloud.options.postgres.user)
    throw new ArmError(400, "ReservedLoginName", `The login name '${login}' is reserved.`);
  if (previous && login !== previous.body["properties"].administratorLogin)
    throw new ArmError(400, "InvalidParameterValue", "administratorLogin cannot be changed.");
  const other = cloud.store
    .list()
    .find(
      (each) =>
        each.type === serverType &&
        each.id !== id.toLowerCase() &&
        each.body["properties"].administratorLogin === login,
    );
  if (other)
    throw new ArmError(
      409,
      "LoginNameTaken",
      `All servers of the emulator share one PostgreSQL, ` +
        `where '${login}' is already the login of '${other.body["name"]}'.`,
    );
  properties["administratorLogin"] = login;
  Object.assign(properties, {
    version: properties["version"] ?? "18",
    state: "Updating",
    fullyQualifiedDomainName: cloud.options.postgres.host,
  });
  await onServer(cloud, async (client) => {
    const { rowCount } = await client.query("select 1 from pg_roles where rolname = $1", [login]);
    const secret = typeof password === "string" ? ` password ${literal(password)}` : "";
    await client.query(`${rowCount ? "alter" : "create"} role ${name(login)} with login createdb createrole${secret}`);
    for (const setting of azureSettings) await client.query(`alter system set ${setting}`);
    await client.query("select pg_reload_conf()");
  });
  properties["state"] = "Ready";
}

async function deleteServer(resource: Resource, cloud: Cloud): Promise<void> {
  const login: string = resource.body["properties"].administratorLogin;
  await onServer(cloud, async (client) => {
    for (const database of await databasesOf(client, resource))
      await client.query(`drop database if exists ${name(database)} with (force)`);
    await client.query(`drop role if exists ${name(login)}`);
  });
}

async function putDatabase({ id, wanted, cloud }: PutContext): Promise<void> {
  const properties: Body = wanted["properties"];
  // Azure's default collation is accepted and shown; text is sorted by the collation of the emulator's PostgreSQL.
  const { charset = "UTF8", collation = "en_US.utf8" } = properties;
  if (charset.toUpperCase() !== "UTF8" || collation !== "en_US.utf8")
    throw new ArmError(
      400,
      "EmulatorUnsupported",
      "The emulator serves only databases in UTF8 with the collation en_US.utf8.",
    );
  Object.assign(properties, { charset, collation });
  const database: string = wanted["name"];
  const server = cloud.store.get(parentIdOf(id))!;
  const login: string = server.body["properties"].administratorLogin;
  await onServer(cloud, async (client) => {
    const { rows } = await client.query<{ owner: string }>(
      "select pg_get_userbyid(datdba) as owner from pg_database where datname = $1",
      [database],
    );
    if (rows[0] && rows[0].owner !== login)
      throw new ArmError(
        409,
        "DatabaseNameTaken",
        `All servers of the emulator share one PostgreSQL, ` +
          `which already has a database '${database}' of '${rows[0].owner}'.`,
      );
    if (!rows[0]) await client.query(`create database ${name(database)} owner ${name(login)}`);
    for (const { name: parameter, value, parameter: known } of overridesOf(cloud, server))
      if (known.effect === "sessions") await setFor(client, database, parameter, value);
  });
}

/** Sets a parameter for the new sessions of a database, or takes it back. Its name is one of a table. */
const setFor = (client: pg.Client, database: string, parameter: string, value: string | undefined): Promise<unknown> =>
  client.query(
    value === undefined
      ? `alter database ${name(database)} reset ${parameter}`
      : `alter database ${name(database)} set ${parameter} = ${literal(value)}`,
  );

/** Names the databases of a server: those that its administrator owns. */
const databasesOf = async (client: pg.Client, server: Resource): Promise<readonly string[]> =>
  (
    await client.query<{ datname: string }>(
      "select datname from pg_database where datdba = (select oid from pg_roles where rolname = $1)",
      [server.body["properties"].administratorLogin],
    )
  ).rows.map(({ datname }) => datname);

const configurations = makeConfigurationType((cloud, server, parameter, value) =>
  onServer(cloud, async (client) => {
    for (const database of await databasesOf(client, server)) await setFor(client, database, parameter, value);
  }),
);

/** Restarts a server: its sessions end, and static parameters take effect. */
async function restart(server: Resource, cloud: Cloud): Promise<ArmReply> {
  await onServer(cloud, async (client) => {
    const databases = await databasesOf(client, server);
    await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = any($1)", [databases]);
  });
  restartParameters(cloud, server);
  return { status: 200 };
}

const deleteDatabase = (resource: Resource, cloud: Cloud): Promise<void> =>
  onServer(
    cloud,
    async (client) => void (await client.query(`drop database if exists ${name(resource.body["name"])} with (force)`)),
  );

/** Flexible servers, their databases, firewall rules and administrators, as Resource Manager serves them. */
export const flexibleServerTypes: readonly ResourceType[] = [
  {
    type: serverType,
    apiVersions,
    fields: flexibleServerFields,
    put: "async-operation",
    onPut: putServer,
    onDelete: deleteServer,
    actions: { restart },
  },
  {
    type: `${serverType}/databases`,
    apiVersions,
    fields: databaseFields,
    noPatch: true,
    refuseName: (_server, database) => {
      if (isSystemDatabase(database)) throw unsupported(`the database '${database}' that every server has`);
    },
    put: "async-operation",
    onPut: putDatabase,
    onDelete: deleteDatabase,
  },
  configurations,
  // Firewall rules are stored and shown. On loopback they open and close nothing.
  {
    type: `${serverType}/firewallRules`,
    apiVersions,
    fields: firewallRuleFields,
    noPatch: true,
    put: "async-operation",
    parentMustExist: ({ id }: Body, store) =>
      isPrivate(store.get(parentIdOf(id))!)
        ? new ArmError(
            400,
            "FirewallRulesNotAllowed",
            "Firewall rule operations cannot be requested for a private access enabled server.",
          )
        : undefined,
    onPut: async ({ wanted: { properties } }) => {
      const [from, to] = [properties.startIpAddress, properties.endIpAddress].map((address: string) =>
        address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0),
      );
      if (from! > to!)
        throw refusedToo(`The range ${properties.startIpAddress} to ${properties.endIpAddress} is empty.`);
    },
  },
  {
    type: `${serverType}/administrators`,
    apiVersions,
    fields: administratorFields,
    noPatch: true,
    put: "async-operation",
    parentMustExist: () =>
      new ArmError(
        501,
        "EmulatorUnsupported",
        "The PostgreSQL server behind the emulator cannot verify Entra tokens; sign in with a password.",
      ),
  },
];
