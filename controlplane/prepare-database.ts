// What is done once by the database's administrator and never by the control plane: the tables, the role under which the control plane
// signs in, and the rights of that role. It runs in the control plane's own image, so that its tables are those of that very version.
import { ManagedIdentityCredential, type TokenCredential } from "@azure/identity";
import pg from "pg";
import { connectionOptions, type Database, openPool } from "./adapters/postgres/connection.ts";
import { migrate } from "./adapters/postgres/migrations.ts";
import { grantRights, makeRole } from "./adapters/postgres/role.ts";
import { prepareTurns } from "./runtime/reconcile.ts";
import type { DatabaseSettings, Preparation } from "./settings.ts";

/** What Azure's PostgreSQL wants a token for, in place of a password. */
const databaseScope = "https://ossrdbms-aad.database.windows.net/.default";

/** Gives the password that was set, else one that is asked of the identity whenever a connection is made. */
export const passwordOf = ({ password }: DatabaseSettings, credential: TokenCredential): Database["password"] =>
  password ?? (async () => (await credential.getToken(databaseScope))?.token ?? "");

/** Prepares the database, or finds that it is. Safe to run again at any moment, beside a control plane at work. */
export async function prepareDatabase({ clientId, database: settings, grantee }: Preparation): Promise<void> {
  const database: Database = {
    ...settings,
    password: passwordOf(settings, new ManagedIdentityCredential({ clientId })),
  };
  await connected({ ...database, name: "postgres" }, (client) => makeRole(client, grantee));
  const pool = openPool(database, () => {});
  await migrate(pool).finally(() => pool.end());
  await prepareTurns(await urlOf(database));
  await connected(database, (client) => grantRights(client, database.name, grantee));
}

async function connected(database: Database, act: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client(connectionOptions(database));
  await client.connect();
  await act(client).finally(() => client.end());
}

async function urlOf({ host, port, name, user, password, tls }: Database): Promise<string> {
  const url = new URL(
    `postgres://${host}:${port}/${encodeURIComponent(name)}?sslmode=${tls === "require" ? "verify-full" : "disable"}`,
  );
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(typeof password === "string" ? password : await password());
  return url.href;
}
