// The roles of a credential on its server, over short connections of the rotator. No statement holds a password: the
// server gets a verifier as a parameter.
import { randomInt } from "node:crypto";
import pg from "pg";
import type { Result } from "../../../engines/engine.ts";
import { valueFor } from "../../../engines/rotation/connection-value.ts";
import { otherSlot, type Slot } from "../../../engines/rotation/declaration.ts";
import { makePassword } from "../../../engines/rotation/password-policy.ts";
import type { Credential, ProofView } from "../../../engines/rotation/vocabulary.ts";
import type { Accepted, Roles, RolesView } from "../../performers/rotation-ports.ts";
import type { Fence } from "../../runtime/ports.ts";
import { type CredentialAccess, connected, describe, optionsOf } from "./connected.ts";
import { passwordIn } from "./password-in.ts";
import { verifierOf } from "./scram.ts";

/** Opens the roles of credentials. */
export function createCredentialRoles(access: CredentialAccess): Roles {
  const asRotator = <Value>(credential: Credential, act: (client: pg.Client) => Promise<Result<Value>>) =>
    connected(optionsOf(credential, access, credential.rotator, access.password), act);
  const write = <Value>(credential: Credential, fence: Fence, act: (client: pg.Client) => Promise<Value>) =>
    asRotator(credential, async (client) =>
      (await fence())
        ? { ok: true, value: await act(client) }
        : { ok: false, reason: "another process now owns the rotation, so nothing was changed" },
    );
  return {
    look: (credential, live) => asRotator(credential, (client) => look(client, credential, live)),
    newValue: async (credential, slot) => ({
      ok: true,
      value: valueFor(credential, slot, makePassword(credential.passwordPolicy, randomInt)),
    }),
    accept: async (credential, slot, version, fence) => {
      const password = passwordOf(credential, version);
      if (!password.ok) return password;
      const verifier = await verifierOf(password.value);
      return write(credential, fence, async (client) => {
        await client.query("select ballast_rotation.set_verifier($1, $2)", [credential.roles[slot], verifier]);
        return null;
      });
    },
    prove: async (credential, slot, version) => {
      const password = passwordOf(credential, version);
      if (!password.ok) return password;
      const options = optionsOf(credential, access, credential.roles[slot], password.value);
      const proof = await connected(options, (client) => checksOf(client, credential));
      if ("refused" in proof) return { ok: true, value: { login: false, missing: [], detail: proof.reason } };
      if (!proof.ok) return proof;
      const seen = await asRotator(credential, (client) => look(client, credential, otherSlot(slot)));
      if (!seen.ok) return seen;
      return { ok: true, value: { ...proof.value, missing: [...seen.value.missing, ...proof.value.missing] } };
    },
    setLogin: (credential, slot, login, fence) =>
      write(credential, fence, async (client) => {
        const role = pg.escapeIdentifier(credential.roles[slot]);
        await client.query(`alter role ${role} with ${login ? "login" : "nologin"}`);
        return null;
      }),
    sessions: (credential, slot) =>
      asRotator(credential, async (client) => ({ ok: true, value: await sessionsOf(client, credential.roles[slot]) })),
    clock: (credential) =>
      asRotator(credential, async (client) => {
        const { rows } = await client.query<{ now: Date }>("select clock_timestamp() as now");
        return { ok: true, value: rows[0]!.now.getTime() };
      }),
    endSessions: (credential, slot, fence) =>
      write(credential, fence, async (client) => {
        const ended = await client.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1 and pid <> pg_backend_pid()",
          [credential.roles[slot]],
        );
        return ended.rowCount ?? 0;
      }),
  };
}

/** Reads the password of a version, also of one that a person wrote. */
function passwordOf({ form }: Credential, { version, value }: Accepted): Result<string> {
  const password = passwordIn(form, value);
  return password === undefined
    ? { ok: false, reason: `version ${version} has no password in the form ${form}` }
    : { ok: true, value: password };
}

/** Runs the declared queries as the role, and undoes what they did. */
async function checksOf(client: pg.Client, { checks }: Credential): Promise<Result<ProofView>> {
  const missing: string[] = [];
  for (const [index, check] of checks.entries()) {
    await client.query("begin read only");
    await client.query(check).catch((error: unknown) => missing.push(`check ${index + 1} (${describe(error)})`));
    await client.query("rollback");
  }
  return { ok: true, value: { login: true, missing, detail: "logged in" } };
}

const sessionsOf = async (client: pg.Client, role: string): Promise<number> =>
  Number(
    (await client.query<{ count: string }>("select count(*) from pg_stat_activity where usename = $1", [role])).rows[0]!
      .count,
  );

/** Rights that the first role has and the second lacks, by a name that a person can grant. */
const missingRights = `
  select format('%s on %s', privilege, relation.oid::regclass) as missing
    from pg_class relation
    join pg_namespace space on space.oid = relation.relnamespace
    cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) privilege
    where relation.relkind in ('r', 'p', 'v', 'm', 'f')
      and space.nspname <> 'information_schema' and space.nspname not like 'pg\\_%'
      and has_table_privilege($1::name, relation.oid, privilege)
      and not has_table_privilege($2::name, relation.oid, privilege)
  union all
  select format('USAGE on sequence %s', sequence.oid::regclass)
    from pg_class sequence
    -- The server may evaluate conditions in any order, and the function refuses what is no sequence.
    where case when sequence.relkind = 'S' then has_sequence_privilege($1::name, sequence.oid, 'USAGE')
      and not has_sequence_privilege($2::name, sequence.oid, 'USAGE') else false end
  union all
  select format('%s on schema %I', privilege, nspname)
    from pg_namespace cross join unnest(array['USAGE', 'CREATE']) privilege
    where has_schema_privilege($1::name, oid, privilege) and not has_schema_privilege($2::name, oid, privilege)
  union all
  select format('CONNECT to database %I', current_database())
    where has_database_privilege($1::name, current_database(), 'CONNECT')
      and not has_database_privilege($2::name, current_database(), 'CONNECT')
  union all
  select format('membership in %I', granted.rolname)
    from pg_auth_members one
    join pg_roles member on member.oid = one.member and member.rolname = $1
    join pg_roles granted on granted.oid = one.roleid
    where not pg_has_role($2::name, granted.oid, 'MEMBER')
  union all
  select format('the setting %s', setting)
    from pg_roles, unnest(rolconfig) setting
    where rolname = $1 and setting <> all (coalesce((select rolconfig from pg_roles where rolname = $2), '{}'))
  order by 1`;

/** Rights that a rotation needs and the rotator, who asks, lacks. Whoever may do everything lacks none. */
const lackingRights = `
  select 'CREATEROLE' as lacking from pg_roles
    where rolname = current_user and not rolcreaterole and not rolsuper
  union all
  select format('ADMIN OPTION on the role %I', rolname) from pg_roles
    where rolname = any($1) and not pg_has_role(current_user, oid, 'MEMBER WITH ADMIN OPTION')
  union all
  select 'EXECUTE on ballast_rotation.set_verifier(text, text)' where not exists (
    select from pg_proc function join pg_namespace space on space.oid = function.pronamespace
      where space.nspname = 'ballast_rotation' and function.proname = 'set_verifier'
        and has_schema_privilege(space.oid, 'USAGE') and has_function_privilege(function.oid, 'EXECUTE'))
  union all
  select 'membership in pg_signal_backend' where not pg_has_role(current_user, 'pg_signal_backend', 'USAGE')`;

async function look(client: pg.Client, { roles, rotator }: Credential, live: Slot): Promise<Result<RolesView>> {
  const other = otherSlot(live);
  const { rows } = await client.query<{ rolname: string; rolcanlogin: boolean }>(
    "select rolname, rolcanlogin from pg_roles where rolname = any($1)",
    [[roles.a, roles.b]],
  );
  const absent = [roles.a, roles.b].find((role) => !rows.some(({ rolname }) => rolname === role));
  if (absent !== undefined) return { ok: false, reason: `the role ${absent} does not exist` };
  const { rows: lacking } = await client.query<{ lacking: string }>(lackingRights, [[roles.a, roles.b]]);
  if (lacking.length > 0)
    return { ok: false, reason: `the role ${rotator} lacks ${lacking.map((row) => row.lacking).join(", ")}` };
  const missing = await client.query<{ missing: string }>(missingRights, [roles[live], roles[other]]);
  const canLogin = (role: string): boolean => rows.some((row) => row.rolname === role && row.rolcanlogin);
  return {
    ok: true,
    value: {
      login: { a: canLogin(roles.a), b: canLogin(roles.b) },
      missing: missing.rows.map((row) => row.missing),
      otherSessions: await sessionsOf(client, roles[other]),
    },
  };
}
