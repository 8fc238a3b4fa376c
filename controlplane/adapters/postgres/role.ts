// The role under which the control plane signs in, and its rights: exactly what the SQL of the journal, the claims and
// DBOS needs. An administrator runs this before the control plane starts, and may run it again at any time.
import pg from "pg";
import { databaseRoleMighty } from "../../../errors/journal.ts";

/** The role, and the identity that signs in as it. */
export interface Grantee {
  /** The name of the role. On Azure it is the identity's name. */
  readonly name: string;
  /** The identity's object id in Entra. Without one the role is an ordinary one, for a server without Entra. */
  readonly objectId?: string | undefined;
}

/**
 * The rights on each table. Facts and pauses can be read and added only, so that even a hijacked control plane cannot
 * change the past.
 */
const rights = {
  "ballast.migrations": "select",
  "ballast.facts": "select, insert",
  "ballast.streams": "select, insert, update",
  "ballast.claims": "select, insert, update",
  "ballast.notifications": "select, insert, update",
  "ballast.locks": "select, insert, update, delete",
  "ballast.declarations": "select, insert, update, delete",
  "ballast.pauses": "select, insert",
  "all tables in schema dbos": "select, insert, update, delete", // DBOS cleans up its own tables
} as const;

/**
 * Creates the role if it is missing, and assigns it to the identity that now has its name. To Entra, an identity that
 * was deleted and created again under the same name is a different one, and would be locked out.
 *
 * @param client Connected to the database `postgres`, the only one in which Azure provides the functions for this.
 * @param mayBe `mighty` for a rotator, which may change other roles.
 * @throws database-role-mighty if the role already has rights that we cannot revoke.
 */
export async function makeRole(
  client: pg.ClientBase,
  { name, objectId }: Grantee,
  mayBe: "mighty" | "weak" = "weak",
): Promise<void> {
  const {
    rows: [found],
  } = await client.query<{ label: string | null; mighty: boolean }>(
    `select rolsuper or rolcreaterole or rolcreatedb or exists (
         select 1 from pg_auth_members m join pg_roles g on g.oid = m.roleid
         where m.member = r.oid and (
           g.rolsuper or g.rolcreaterole or g.rolcreatedb or g.rolname = 'azure_pg_admin' or g.rolname like 'pg\\_%')
       ) as mighty,
       (select label from pg_shseclabel
        where objoid = r.oid and classoid = 'pg_authid'::regclass and provider = 'pgaadauth') as label
     from pg_roles r where rolname = $1`,
    [name],
  );
  if (found?.mighty && mayBe === "weak") throw databaseRoleMighty({ role: name });
  if (objectId === undefined)
    return found ? undefined : void (await client.query(`create role ${pg.escapeIdentifier(name)} login`));
  if (!found)
    return void (await client.query("select pgaadauth_create_principal_with_oid($1, $2, 'service', false, false)", [
      name,
      objectId,
    ]));
  if (found.label?.toLowerCase().includes(`oid=${objectId.toLowerCase()}`)) return;
  const label = pg.escapeLiteral(`aadauth,oid=${objectId},type=service`);
  await client.query(`security label for "pgaadauth" on role ${pg.escapeIdentifier(name)} is ${label}`);
}

/**
 * Grants a role exactly the rights that it needs in this database, and revokes all others.
 *
 * The tables exist already and belong to the administrator, so that the role can neither change nor drop them. It is
 * one transaction, so that a running control plane never lacks a right in between.
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
