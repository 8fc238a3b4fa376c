// The database role of the control plane, created by an administrator who is no superuser, as on Azure: it can do
// everything that the control plane needs and nothing else, and creating it again changes nothing. The contracts of
// journal and claims also run under it, in their own files.

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { openNotifications } from "../../../controlplane/adapters/postgres/notifications.ts";
import { openPauses } from "../../../controlplane/adapters/postgres/pauses.ts";
import { prepareDatabase } from "../../../controlplane/prepare-database.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { registerKinds } from "../../../engines/kind.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { administered, prepared, query } from "../../support/postgres/prepared.ts";
import { cloudInTable, createCloud } from "../../support/worlds/cloud-in-table.ts";
import { rolloutLoop, rollouts } from "../../support/worlds/rollouts.ts";
import { toyEngine, toyRequest } from "../../support/worlds/toy-engine.ts";

const postgres = postgresForTests();
const refused = (database: Database, sql: string): Promise<string> =>
  query(database, sql).then(
    () => "carried out",
    (error: { code: string }) => error.code,
  );
const insufficientPrivilege = "42501";
/** All rights of a role in a database, and the owners of all objects, from the catalogues. */
const rightsIn = (database: Database) =>
  query(
    database,
    `select 'table' as kind, c.oid::regclass::text as name, c.relacl::text as acl, pg_get_userbyid(c.relowner) as owner
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname in ('ballast', 'dbos')
  union all select 'schema', nspname, nspacl::text, pg_get_userbyid(nspowner) from pg_namespace
     where nspname in ('ballast', 'dbos')
  union all select 'database', datname, datacl::text, pg_get_userbyid(datdba) from pg_database
     where datname = current_database()
  union all select 'role', rolname, rolsuper::text || rolcreaterole || rolcreatedb || rolcanlogin, '' from pg_roles
     where rolname !~ '^pg_' order by 1, 2`,
  );

test.each([
  ["drop the database", (name: string) => `drop database ${name}`],
  ["make a role", () => "create role another"],
  ["make a schema", () => "create schema another"],
  ["make a table beside its own", () => "create table ballast.another (a integer)"],
  ["make a table in public", () => "create table public.another (a integer)"],
  ["make a temporary table", () => "create temporary table another (a integer)"],
  ["read the passwords of roles", () => "select * from pg_authid"],
  ["read a file of the server", () => "select pg_read_file('postgresql.conf')"],
  ["run a program", () => "copy (select 1) to program 'true'"],
  ["change a fact", () => "update ballast.facts set event = '{}'"],
  ["take a fact away", () => "delete from ballast.facts"],
  ["empty a table", () => "truncate ballast.facts"],
  ["drop a table", () => "drop table ballast.facts cascade"],
  ["change a table", () => "alter table ballast.facts add column another text"],
  ["take a pause away", () => "delete from ballast.pauses"],
  ["take a stream away", () => "delete from ballast.streams"],
  ["say that a migration was taken", () => "insert into ballast.migrations (number) values (99)"],
  ["become its administrator", (name: string) => `set role administrator_of_${name}`],
])("the role may not %s", async (_what, sql) => {
  const role = await shared();
  expect(await refused(role, sql(role.name))).toBe(insufficientPrivilege);
});

let made: Promise<Database> | undefined;
const shared = (): Promise<Database> => {
  made ??= postgres.fresh().then(prepared);
  return made;
};

test("every table may be read", async () => {
  const role = await shared();
  expect(
    await query(
      role,
      `select c.oid::regclass::text as forgotten from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where nspname = 'ballast' and relkind = 'r' and not has_table_privilege(c.oid, 'select')`,
    ),
  ).toEqual([]);
  expect(await query(role, "select count(*)::integer as migrations from ballast.migrations")).toEqual([
    { migrations: expect.any(Number) },
  ]);
});

test("all remediations are paused and resumed as the role, and the last pause counts", async () => {
  const pauses = openPauses(postgres.pool(await shared()));
  expect(await pauses.current()).toBeNull();
  await pauses.begin({ by: "alice", message: "a storm", seconds: 600 });
  await pauses.begin({ by: "bob", message: "still a storm", seconds: 600 });
  expect(await pauses.current()).toMatchObject({ by: "bob", message: "still a storm" });
  expect(await pauses.end({ by: "alice", message: "it is over" })).toBe(true);
  expect([await pauses.current(), await pauses.end({ by: "alice", message: "again" })]).toEqual([null, false]);
});

test("no other role may connect to the database, although PostgreSQL allows it by default", async () => {
  const owner = await postgres.fresh();
  await prepared(owner);
  const stranger = { ...owner, user: `stranger_to_${owner.name}`, password: "strange" };
  await query(owner, `create role ${stranger.user} login password 'strange'`);
  expect(await refused(stranger, "select 1")).toBe(insufficientPrivilege);
});

test("the control loop runs as the role, from a request to its end, and its notifications are delivered", async () => {
  const owner = await postgres.fresh();
  const database = await prepared(owner);
  const pool = postgres.pool(database);
  await createCloud(postgres.pool(owner));
  for (const { tablename } of await query<{ tablename: string }>(
    owner,
    "select tablename from pg_tables where schemaname = 'public'",
  ))
    await query(owner, `grant all on public."${tablename}" to ${database.user}`);
  await migrate(pool);
  const journal = openJournal(pool, connectionOptions(database), rollouts, () => {});
  const { apps, requests } = cloudInTable(pool);
  const notifications = openNotifications(pool);
  const troubles: string[] = [];
  const orchestrator = rolloutLoop({
    ports: { apps, requests, journal, claims: openClaims(pool, 30), clock: clockOf(Date.now) },
    kinds: registerKinds([{ ...rolloutKind, engine: toyEngine }]),
    pool,
    process: "as-the-role",
    leaseSeconds: 30,
    requestSeconds: 10,
    log: (message) => troubles.push(message),
  });
  onTestFinished(async () => {
    await orchestrator.close();
    await journal.close();
  });
  await orchestrator.launch();
  await notifications.register("chat");
  const web = { resourceGroup: "rg", app: "web" };
  const stream = streamOf(web, "web--1");
  await orchestrator.start(stream, toyRequest(web, "web--1", [10, 100], 0.01));
  await eventually(
    async () => (await journal.read(stream)).at(-1)?.event.kind === "Finished",
    "the rollout to end",
    60,
  );
  await eventually(
    async () => (await query(owner, "select 1 from dbos.workflow_status")).length === 0,
    "its passes to be forgotten",
    60,
  );
  expect(troubles).toEqual([]);
  expect(await notifications.borrow("chat", 30)).toMatchObject({ stream, delivered: 0 });
  await notifications.postpone("chat", stream, 0);
  expect(await notifications.borrow("chat", 30)).toMatchObject({ stream, failures: 1 });
  await notifications.advance("chat", stream, (await journal.read(stream)).length);
  expect(await notifications.borrow("chat", 30)).toBeUndefined();
}, 120_000);

test("preparing again changes nothing, and revokes rights that were granted by hand", async () => {
  const owner = await postgres.fresh();
  const administrator = await administered(owner);
  const name = `plane_of_${owner.name}`;
  const prepare = () =>
    prepareDatabase({ clientId: "none", database: administrator, grantee: { name, objectId: undefined } });
  await prepare();
  const before = await rightsIn(owner);
  expect(before.length).toBeGreaterThan(15);
  await prepare();
  expect(await rightsIn(owner)).toEqual(before);
  await query(
    administrator,
    `grant update, delete on ballast.facts to ${name};
     grant create on schema ballast to ${name};
     grant create, temporary on database ${owner.name} to ${name};
     grant connect on database ${owner.name} to public`,
  );
  expect(await rightsIn(owner)).not.toEqual(before);
  await prepare();
  expect(await rightsIn(owner)).toEqual(before);
});

test("a control plane on an unprepared database does not start, and names the job to start", async () => {
  const owner = await postgres.fresh();
  const user = `early_in_${owner.name}`;
  await expect(migrate(postgres.pool({ ...owner, user, password: "early" }))).rejects.toMatchObject({
    id: "database-unprepared",
  });
  await query(owner, `create role ${user} login password 'early'`);
  await expect(migrate(postgres.pool({ ...owner, user, password: "early" }))).rejects.toMatchObject({
    id: "database-unprepared",
    message: expect.stringContaining(user),
    fix: expect.stringContaining("database-role"),
  });
});

test("a control plane that is newer than its tables does not start, and an older one does", async () => {
  const owner = await postgres.fresh();
  const pool = postgres.pool(await prepared(owner));
  await query(owner, "insert into ballast.migrations (number) values (99)");
  await migrate(pool);
  await query(owner, "delete from ballast.migrations where number > 1");
  await expect(migrate(pool)).rejects.toMatchObject({ id: "database-unprepared" });
});

test.each([
  ["an administrator", "alter role plane createrole"],
  ["of those who read all tables", "grant pg_read_all_data to plane"],
  ["of the roles of whoever may make databases", "create role maker createdb; grant maker to plane"],
])("a role that is already %s is refused, and gets no rights", async (_what, sql) => {
  const owner = await postgres.fresh();
  const administrator = await administered(owner);
  const name = `plane_${owner.name}`;
  await query(owner, `create role ${name}; ${sql.replaceAll(/\b(plane|maker)\b/g, (word) => `${word}_${owner.name}`)}`);
  await expect(
    prepareDatabase({ clientId: "none", database: administrator, grantee: { name, objectId: undefined } }),
  ).rejects.toMatchObject({ id: "database-role-mighty" });
  expect(await query(owner, "select 1 from pg_namespace where nspname = 'ballast'")).toEqual([]);
});

test("on a server with Entra the role is created once, and reassigned to a later object of that name", async () => {
  const owner = await postgres.fresh();
  const administrator = await administered(owner);
  const name = `control-plane of ${owner.name}`;
  // The function of Azure that we call in `postgres`: it creates the role and labels it with its object. There is no
  // label provider here, so labelling it again fails, and the error names it.
  await query(
    { ...owner, name: "postgres" },
    `create or replace function pg_catalog.pgaadauth_create_principal_with_oid(
       role text, object text, kind text, is_admin boolean, is_mfa boolean)
     returns text language plpgsql security definer as $$
    begin
      if is_admin or is_mfa or kind <> 'service' then
        raise exception 'not for a service that signs in by itself';
      end if;
      execute format('create role %I login', role);
      set local allow_system_table_mods = on;
      insert into pg_shseclabel
         select oid, 'pg_authid'::regclass, 'pgaadauth', 'aadauth,oid=' || object || ',type=' || kind
         from pg_roles where rolname = role;
      return 'Created role for ' || role;
    end $$`,
  );
  const [first, second] = ["11111111-2222-3333-4444-555555555555", "66666666-2222-3333-4444-555555555555"];
  const prepare = (objectId: string) =>
    prepareDatabase({ clientId: "none", database: administrator, grantee: { name, objectId } });
  await prepare(first!);
  expect(
    await query(owner, `select label from pg_shseclabel join pg_roles r on r.oid = objoid where rolname = '${name}'`),
  ).toEqual([{ label: `aadauth,oid=${first},type=service` }]);
  const before = await rightsIn(owner);
  await prepare(first!.toUpperCase());
  expect(await rightsIn(owner)).toEqual(before);
  await expect(prepare(second!)).rejects.toThrow('security label provider "pgaadauth" is not loaded');
});

test("the control plane's program prepares the database for a grantee, and logs no password", async () => {
  const owner = await postgres.fresh();
  const { host, port, name, user, password } = await administered(owner);
  const role = `plane_of_${owner.name}`;
  const child = spawn(process.execPath, ["controlplane/main.ts"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      AZURE_CLIENT_ID: "none",
      BALLAST_DATABASE_GRANTEE: role,
      BALLAST_DATABASE_HOST: host,
      BALLAST_DATABASE_PORT: String(port),
      BALLAST_DATABASE_NAME: name,
      BALLAST_DATABASE_USER: user,
      BALLAST_DATABASE_PASSWORD: password,
      BALLAST_DATABASE_TLS: "disable",
    },
  });
  const [said, complained, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once("exit", resolve)),
  ]);
  expect([code, complained]).toEqual([0, ""]);
  expect(JSON.parse(said.trim().split("\n").at(-1)!)).toMatchObject({ what: "prepared", role, database: name });
  expect(said).not.toContain(password);
  expect(
    await query(
      owner,
      `select has_table_privilege('${role}', 'ballast.facts', 'insert') as may,
         has_table_privilege('${role}', 'ballast.facts', 'update') as forges`,
    ),
  ).toEqual([{ may: true, forges: false }]);
}, 60_000);
