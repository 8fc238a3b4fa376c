// Two control planes on one database that get the same alerts in the same millisecond, and one that is killed between
// an effect and its record. Each alert leads to one stream, and each action has one effect.
import type pg from "pg";
import { beforeEach, expect, test } from "vitest";
import type { Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { read } from "../../../engines/form.ts";
import { completedPolicyForm } from "../../../engines/remediation/declaration.ts";
import type { Policy, Sighting } from "../../../engines/remediation/vocabulary.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import type { IncidentCommand, IncidentReplicaSetting } from "../../support/worlds/incident-replica.ts";
import { type Replica, startReplica } from "../../support/worlds/replicas.ts";

const postgres = postgresForTests();
const program = new URL("../../support/worlds/incident-replica.ts", import.meta.url).pathname;
let database: Database;
let pool: pg.Pool;
beforeEach(async () => {
  database = await postgres.fresh();
  pool = postgres.pool(database);
  await migrate(pool);
  await pool.query("create table public.effects (key text, target text, process text)");
});

const targetsOf = (count: number) => Array.from({ length: count }, (_, index) => `app/shop/app-${index}`);
function policyFor(runbook: string, targets: readonly string[]): Policy {
  const parsed = read(completedPolicyForm, {
    rule: "app-failing",
    owner: "shop team",
    targets: targets.slice(0, 100),
    ladder: [{ runbook }],
    verification: { delaySeconds: 0, windowSeconds: 1, intervalSeconds: 1, samplesMin: 1 },
    limits: { settleSeconds: 0, stormTargetsMax: 1000, blastRadiusMax: 1000 },
  });
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  return { ...parsed.value, targets: [...targets] };
}
const sightingsOf = (targets: readonly string[]): readonly Sighting[] =>
  targets.map((target, index) => ({
    id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
    kind: "log",
    rule: "app-failing",
    severity: 2,
    target,
    covered: true,
    firedAt: Date.now(),
    resolvedAt: null,
  }));

const replica = (name: string, policy: Policy, more: Partial<IncidentReplicaSetting> = {}): Promise<Replica> =>
  startReplica({ database, name, leaseSeconds: 10, policy, diesAfterEffect: false, ...more } as never, { program });
const tell = ({ tell: say }: Replica, command: IncidentCommand): void => say(command);

const numberOf = async (statement: string): Promise<number> => Number((await pool.query(statement)).rows[0].count);
const ended = () => numberOf("select count(*) from ballast.streams where finished");

test("200 deliveries that two control planes get in the same millisecond are each acted on once", {
  timeout: 240_000,
}, async () => {
  const targets = targetsOf(200);
  const policy = policyFor("collect-diagnostics", targets);
  const lasting = { leaseSeconds: 60 }; // Nobody dies here, and a slow machine must not look like a death.
  const both = await Promise.all([replica("first", policy, lasting), replica("second", policy, lasting)]);
  const command: IncidentCommand = { take: sightingsOf(targets), at: Date.now() + 500 };
  for (const each of both) tell(each, command);
  await eventually(async () => (await ended()) === 200, "200 remediations to end", 200);
  expect(await numberOf("select count(*) from ballast.streams")).toBe(200);
  const effects = await pool.query("select target, count(*)::int as times from public.effects group by target");
  expect(effects.rows).toHaveLength(200);
  expect(effects.rows.filter(({ times }) => times !== 1)).toEqual([]);
  const reported = "select count(*) from ballast.facts where event->>'kind' = 'Reported'";
  expect(await numberOf(reported), "each was reported once").toBe(200);
  const started = both.flatMap(({ said }) => said.flatMap(({ came }) => (came === undefined ? [] : [Number(came)])));
  expect(
    started.reduce((sum, each) => sum + each, 0),
    "the two have started them between them",
  ).toBe(200);
});

test("a control plane that is killed between an effect and its record repeats no effect", {
  timeout: 120_000,
}, async () => {
  const targets = targetsOf(1);
  const policy = policyFor("restart-revision", targets);
  const dying = await replica("dying", policy, { diesAfterEffect: true });
  const command: IncidentCommand = { take: sightingsOf(targets), at: 0 };
  tell(dying, command);
  await eventually(() => dying.isDead(), "the first to die after its effect", 60);
  expect(await numberOf("select count(*) from public.effects")).toBe(1);
  expect(
    await numberOf("select count(*) from ballast.facts where event->>'kind' = 'Acted'"),
    "it is not recorded",
  ).toBe(0);
  const next = await replica("next", policy);
  await pool.query("update ballast.claims set expires_at = clock_timestamp()");
  tell(next, command); // It knows the alert, as after a poll, and the stream exists.
  tell(next, { recover: true });
  await eventually(async () => (await ended()) === 1, "the remediation to end", 60);
  expect((await pool.query("select process from public.effects")).rows).toEqual([{ process: "dying" }]);
  const last = await pool.query("select event from ballast.facts order by index desc limit 1");
  expect(last.rows[0].event).toMatchObject({ kind: "Finished", result: "repaired" });
});
