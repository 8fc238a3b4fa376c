// The sessions of a database on a real PostgreSQL, as the rotator sees and ends them: the culprit is ended, its victims
// and idle bystanders are not, and no text of a statement is read.
import pg from "pg";
import { beforeAll, expect, test } from "vitest";
import { prepareCredentialRoles } from "../../../controlplane/adapters/credentials/prepare-roles.ts";
import { createSessions } from "../../../controlplane/adapters/credentials/sessions.ts";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { endBlockingSession } from "../../../controlplane/performers/end-blocking-session.ts";
import { read } from "../../../engines/form.ts";
import type { Incident, Rung } from "../../../engines/remediation/vocabulary.ts";
import { completedCredential } from "../../../engines/rotation/declaration.ts";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";

const { fresh, pool } = postgresForTests();
const uncut = new AbortController().signal;
const target = "app/shop/web";
const rung: Rung = { runbook: "end-blocking-session", approval: "none", credential: "kv/database" };
const act = { kind: "Act", target, rung, key: "k", since: 0, drill: false, incident: {} as Incident } as const;
let database: Database;
let credential: Credential;
let admin: pg.Pool;

beforeAll(async () => {
  database = await fresh();
  admin = pool(database);
  const client = await admin.connect();
  await prepareCredentialRoles(client, { owner: "s_owner", a: "s_a", b: "s_b", rotator: "s_rotator" });
  client.release();
  await admin.query("alter role s_rotator password 'r'; alter role s_a password 'a'");
  await admin.query("create table locked (id int); grant all on locked to s_owner");
  const parsed = read(completedCredential, {
    vault: "kv",
    credential: "database",
    server: database.host,
    port: database.port,
    database: database.name,
    tls: "disable",
    roles: { a: "s_a", b: "s_b" },
    rotator: "s_rotator",
    consumers: [{ resourceGroup: "shop", app: "web" }],
  });
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  credential = parsed.value;
});

const runbook = () => endBlockingSession(async () => [credential], createSessions({ password: "r", tls: "disable" }));
const plan = () => runbook().plan(target, rung, {} as Incident, uncut);

async function session(name: string): Promise<pg.Client> {
  const { host, port, name: of } = database;
  const client = new pg.Client({ host, port, database: of, user: "s_a", password: "a", application_name: name });
  client.on("error", () => undefined); // it may be ended from outside
  await client.connect();
  return client;
}

test("ends the idle session that blocks the others, and nobody else", { timeout: 60_000 }, async () => {
  expect(await plan()).toMatchObject({ value: { fits: false, message: "no idle session blocks another one" } });
  const [culprit, bystander, ...victims] = await Promise.all(["forgotten", "idle", "one", "two"].map(session));
  await culprit!.query("begin; lock table locked in access exclusive mode");
  await bystander!.query("begin; select 'the password of mallory'");
  const waits = victims.map((each) => each.query("select count(*) from locked"));
  // The culprit counts only once it has been idle for a while.
  const whole = /^end session \d+ of s_a \(forgotten\), idle .*, which blocks 2 sessions$/;
  const seen = async () => {
    const planned = await plan();
    return planned.ok && whole.test(planned.value.plan);
  };
  await eventually(seen, "the culprit to have been idle for a while and to block both", 40);
  const sessions = createSessions({ password: "r", tls: "disable" });
  const others = await sessions.end(credential, [], async () => true);
  expect(others, "only sessions that were counted before are ended").toEqual({ ok: true, value: [] });
  const refused = await runbook().act(act, async () => false);
  expect(refused, "another process owns the incident").toMatchObject({ ok: false });
  const evidence = await sessions.evidence(credential);
  expect(evidence).toMatchObject({ ok: true, value: expect.arrayContaining([expect.stringMatching(/idle in trans/)]) });
  expect(JSON.stringify(evidence)).not.toContain("mallory");
  expect(await runbook().act(act, async () => true)).toMatchObject({
    ok: true,
    value: { message: expect.stringContaining("ended session") },
  });
  await Promise.all(waits);
  await expect(culprit!.query("select 1"), "the culprit is gone").rejects.toThrow();
  expect((await bystander!.query("select 1")).rowCount, "an idle session that blocks nobody stays").toBe(1);
  expect(await runbook().act(act, async () => true), "a repetition ends nobody").toMatchObject({
    value: { message: "no idle session blocks another one any more" },
  });
  await Promise.all([bystander!, ...victims].map((each) => each.end()));
});

test.each([
  ["a credential that is not declared", "app/shop/web", "kv/other", "the credential kv/other is not declared"],
  ["an app that does not use it", "app/shop/cart", "kv/database", "does not use the credential"],
  ["another server", "server/shop/other", "kv/database", "does not use the credential"],
])("%s: it does not fit", async (_what, other, named, message) => {
  const planned = await runbook().plan(other, { ...rung, credential: named }, {} as Incident, uncut);
  expect(planned).toMatchObject({ value: { fits: false, message: expect.stringContaining(message) } });
});
