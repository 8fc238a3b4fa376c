// Prepares the database as its administrator: the tables, the role under which the control plane signs in, and the
// rights of that role. It runs in the control plane's own image, so that the tables match exactly that version.
import { ManagedIdentityCredential, type TokenCredential } from "@azure/identity";
import pg from "pg";
import { boundedAnswers } from "../http-answer.ts";
import { prepareCredentialRoles } from "./adapters/credentials/prepare-roles.ts";
import { prepareDbos } from "./adapters/dbos/orchestrations.ts";
import { connectionOptions, type Database, openPool } from "./adapters/postgres/connection.ts";
import { migrate } from "./adapters/postgres/migrations.ts";
import { TokenMissing } from "./adapters/postgres/momentary.ts";
import { grantRights, makeRole } from "./adapters/postgres/role.ts";
import type { DatabaseSettings, Preparation, PreparedRoles } from "./settings.ts";

/** The scope of tokens that Azure's PostgreSQL accepts as passwords. */
const databaseScope = "https://ossrdbms-aad.database.windows.net/.default";

/**
 * Gives the configured password, else a function that fetches a token of the identity for each connection.
 *
 * @throws TokenMissing from that function, if no token can be fetched
 */
export const passwordOf = ({ password }: DatabaseSettings, credential: TokenCredential): Database["password"] =>
  password ??
  (async () => {
    const got = await credential.getToken(databaseScope).catch((error: Error) => error);
    // An empty password would be refused as a wrong one, which does not pass by itself.
    if (got === null || got instanceof Error)
      throw new TokenMissing(`no token for the database: ${got?.message ?? "the identity gave none"}`);
    return got.token;
  });

/** Prepares the database. It is safe to run again at any time, beside a running control plane. */
export async function prepareDatabase(preparation: Preparation): Promise<void> {
  const { clientId, database: settings, grantee, credentials } = preparation;
  const policy = boundedAnswers({ bytesMax: 2 ** 20, seconds: 30, restSecondsMax: 5 });
  const identity = new ManagedIdentityCredential({ clientId, additionalPolicies: [{ policy, position: "perRetry" }] });
  const database: Database = { ...settings, password: passwordOf(settings, identity) };
  if (credentials !== undefined) return preparePairs(database, grantee, credentials);
  await connected({ ...database, name: "postgres" }, (client) => makeRole(client, grantee));
  const pool = openPool(database, () => {});
  await migrate(pool).finally(() => pool.end());
  await prepareDbos(await urlOf(database));
  await connected(database, (client) => grantRights(client, database.name, grantee));
}

/** Makes the roles of credentials. The grantee may change these, for which it needs more than for a journal. */
async function preparePairs(
  database: Database,
  grantee: Preparation["grantee"],
  pairs: readonly PreparedRoles[],
): Promise<void> {
  await connected({ ...database, name: "postgres" }, async (client) => {
    await makeRole(client, grantee, "mighty");
    for (const { migrator } of pairs) if (migrator !== undefined) await makeRole(client, migrator);
  });
  await connected(database, async (client) => {
    for (const { owner, a, b, migrator } of pairs)
      await prepareCredentialRoles(client, { owner, a, b, rotator: grantee.name, migrator: migrator?.name });
  });
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
