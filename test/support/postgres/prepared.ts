// A database as on Azure: an administrator who may create roles and owns the database but is no superuser, and the role
// that `prepareDatabase` creates for the control plane.
import pg from "pg";
import { connectionOptions, type Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { prepareDatabase } from "../../../controlplane/prepare-database.ts";

/** Runs SQL on one connection. */
export async function query<Row extends pg.QueryResultRow>(database: Database, text: string): Promise<readonly Row[]> {
  const client = new pg.Client(connectionOptions(database));
  await client.connect();
  return client
    .query<Row>(text)
    .then(({ rows }) => rows)
    .finally(() => client.end());
}

/** Gives a superuser's database to an administrator of its own, and gives the settings for that administrator. */
export async function administered(owner: Database): Promise<Database & { readonly password: string }> {
  const user = `administrator_of_${owner.name}`;
  const password = "administers-it";
  await query(
    owner,
    `create role ${user} login createrole createdb password '${password}';
     alter database ${owner.name} owner to ${user}`,
  );
  return { ...owner, user, password };
}

/** Prepares an empty database as its administrator, and gives the settings for the control plane's role. */
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
