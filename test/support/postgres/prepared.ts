// A database as Azure would have it: an administrator who may make roles and owns the database but is no superuser, and the role that
// `prepareDatabase` makes for the control plane. It does not know what either may do; that is in the tests.
import pg from "pg";
import { connectionOptions, type Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { prepareDatabase } from "../../../controlplane/prepare-database.ts";

/** Carries SQL out under one connection. */
export async function query<Row extends pg.QueryResultRow>(database: Database, text: string): Promise<readonly Row[]> {
  const client = new pg.Client(connectionOptions(database));
  await client.connect();
  return client
    .query<Row>(text)
    .then(({ rows }) => rows)
    .finally(() => client.end());
}

/** Gives a database of a superuser to an administrator of its own, and gives its address for that one. */
export async function administered(owner: Database): Promise<Database & { readonly password: string }> {
  const user = `administrator_of_${owner.name}`;
  const password = "administers-it";
  await query(
    owner,
    `create role ${user} login createrole createdb password '${password}'; alter database ${owner.name} owner to ${user}`,
  );
  return { ...owner, user, password };
}

/** Has the administrator of an empty database prepare it, and gives its address for the role that is to use it. */
export async function prepared(owner: Database): Promise<Database> {
  const user = `plane_of_${owner.name}`;
  const password = "uses-it";
  await prepareDatabase({
    clientId: "none",
    database: await administered(owner),
    grantee: { name: user, objectId: undefined },
  });
  await query(owner, `alter role ${user} password '${password}'`);
  return { ...owner, user, password };
}
