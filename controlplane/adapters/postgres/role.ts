// The role under which the control plane signs in, and what it may do with its tables: what the SQL of journal, claims and turns needs
// and no more. An administrator runs this, before the control plane starts and as often as wanted; who that is, is not known here.
import pg from "pg";
import { databaseRoleMighty } from "../../../errors/journal.ts";

/** Who signs in as the role. */
export interface Grantee {
  /** The role's name, which on Azure is the identity's. */
  readonly name: string;
  /** The identity's object in Entra. Without one it is a role like any other, for a server that knows no Entra. */
  readonly objectId: string | undefined;
}

/** What the control plane may do with each of its tables. Facts are added and read: whoever takes the control plane over can forge no past. */
const rights = {
  "ballast.migrations": "select",
  "ballast.facts": "select, insert",
  "ballast.streams": "select, insert, update",
  "ballast.claims": "select, insert, update",
  "ballast.notices": "select, insert, update",
  "ballast.holds": "select, insert, update, delete",
  "all tables in schema dbos": "select, insert, update, delete", // the durable engine's own, which it cleans up after itself
} as const;

/**
 * Makes the role where it is missing, and gives it to the identity that has its name now.
 *
 * The client is connected to the database `postgres`, the only one in which Azure has its functions for that. An identity that
 * was made anew under its old name is another one to Entra, and would be locked out until somebody noticed.
 *
 * @throws database-role-mighty where the role may already do what no grant of ours can take away.
 */
export async function makeRole(client: pg.ClientBase, { name, objectId }: Grantee): Promise<void> {
  const {
    rows: [found],
  } = await client.query<{ label: string | null; mighty: boolean }>(
    `select rolsuper or rolcreaterole or rolcreatedb or exists (
         select 1 from pg_auth_members m join pg_roles g on g.oid = m.roleid
         where m.member = r.oid and (g.rolsuper or g.rolcreaterole or g.rolcreatedb or g.rolname = 'azure_pg_admin' or g.rolname like 'pg\\_%')) as mighty,
       (select label from pg_shseclabel where objoid = r.oid and classoid = 'pg_authid'::regclass and provider = 'pgaadauth') as label
     from pg_roles r where rolname = $1`,
    [name],
  );
  if (found?.mighty) throw databaseRoleMighty({ role: name });
  if (objectId === undefined)
    return found ? undefined : void (await client.query(`create role ${pg.escapeIdentifier(name)} login`));
  if (!found)
    return void (await client.query("select pgaadauth_create_principal_with_oid($1, $2, 'service', false, false)", [
      name,
      objectId,
    ]));
  if (found.label?.toLowerCase().includes(`oid=${objectId.toLowerCase()}`)) return;
  await client.query(
    `security label for "pgaadauth" on role ${pg.escapeIdentifier(name)} is ${pg.escapeLiteral(`aadauth,oid=${objectId},type=service`)}`,
  );
}

/**
 * Gives a role exactly the rights that it needs in this database, and takes from it what it had besides.
 *
 * All tables are there already: they are the administrator's, so that the role can neither change nor drop them. It is one
 * transaction, so that a control plane at work never misses a right in between.
 */
export async function grantRights(client: pg.ClientBase, database: string, { name }: Grantee): Promise<void> {
  const [role, own] = [name, database].map((each) => pg.escapeIdentifier(each));
  await client.query(`begin;
    revoke all on database ${own} from public;
    revoke all on database ${own} from ${role};
    grant connect on database ${own} to ${role};
    revoke all on schema ballast, dbos from ${role};
    grant usage on schema ballast, dbos to ${role};
    revoke all on all tables in schema ballast, dbos from ${role};
    ${Object.entries(rights)
      .map(([tables, may]) => `grant ${may} on ${tables} to ${role};`)
      .join("\n    ")}
    grant usage on all sequences in schema dbos to ${role};
    commit`);
}
