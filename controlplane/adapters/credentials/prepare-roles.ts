// What an administrator prepares once for a credential: an owner without login, the pair of login roles that act as it,
// and the rotator, which may change these two roles and nothing else. It may be run again at any time.
import pg from "pg";

/** The roles of a credential. */
export interface CredentialRoles {
  /** Owns what the pair creates, and has its rights. */
  readonly owner: string;
  readonly a: string;
  readonly b: string;
  /** The role as which the control plane signs in. */
  readonly rotator: string;
  /** The role as which the schema is changed, if a job does that. It must exist. */
  readonly migrator?: string | undefined;
}

/**
 * The function that sets a verifier.
 *
 * A statement with a password in it may be logged and is shown to others; parameters of a function are not. Its
 * handler raises the error anew, because PostgreSQL logs the statement within a function that failed.
 *
 * A new password has a new life, which the vault's version limits: an old `VALID UNTIL` would refuse it at once.
 */
const setVerifier = `create or replace function ballast_rotation.set_verifier(login_role text, verifier text)
  returns void language plpgsql security invoker set search_path = pg_catalog as $function$
begin
  if verifier !~ '^SCRAM-SHA-256[$][0-9]+:[A-Za-z0-9+/=]+[$][A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' then
    raise exception using errcode = '22023', message = 'not a verifier';
  end if;
  execute format('alter role %I with login password %L valid until %L', login_role, verifier, 'infinity');
exception when others then
  raise exception using errcode = sqlstate, message = 'the verifier could not be set (' || sqlstate || ')';
end $function$`;

/** Prepares the roles, and the function in this database. The pair keeps the passwords that it has. */
export async function prepareCredentialRoles(client: pg.ClientBase, roles: CredentialRoles): Promise<void> {
  const { owner, a, b, rotator, migrator } = roles;
  const known = new Set(
    (
      await client.query<{ rolname: string }>("select rolname from pg_roles where rolname = any($1)", [
        [owner, a, b, rotator],
      ])
    ).rows.map(({ rolname }) => rolname),
  );
  const named = (name: string): string => pg.escapeIdentifier(name);
  const create = (name: string, how: string): readonly string[] =>
    known.has(name) ? [] : [`create role ${named(name)} ${how}`];
  const actingAsOwner = (name: string): readonly string[] => [
    `grant ${named(owner)} to ${named(name)} with inherit true, set true`,
    // What the one creates belongs to the owner, so that the other one may use it.
    `alter role ${named(name)} set role = ${pg.escapeLiteral(owner)}`,
  ];
  const statements = [
    ...create(owner, "nologin"),
    ...[a, b].flatMap((name) => [...create(name, "login"), ...actingAsOwner(name)]),
    ...(migrator === undefined
      ? []
      : [...actingAsOwner(migrator), `grant usage, create on schema public to ${named(owner)}`]),
    ...create(rotator, "login"),
    `grant ${named(a)}, ${named(b)} to ${named(rotator)} with admin option, inherit false, set false`,
    `alter role ${named(rotator)} createrole`,
    `grant pg_signal_backend, pg_read_all_stats to ${named(rotator)}`,
    "create schema if not exists ballast_rotation",
    setVerifier,
    "revoke all on function ballast_rotation.set_verifier(text, text) from public",
    `grant usage on schema ballast_rotation to ${named(rotator)}`,
    `grant execute on function ballast_rotation.set_verifier(text, text) to ${named(rotator)}`,
  ];
  await client.query(["begin", ...statements, "commit"].join(";\n"));
}
