// The Pulumi CLI is killed with SIGKILL during an `up`. It leaves a locked stack, a state behind the cloud, and
// its lock on the app. After the update is cancelled, the same program must reach the same result. The tests
// share one stack; users send requests all the time.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ended } from "../../toolchain/child.ts";
import { quickStrategy, wideThresholds } from "../support/controlplane/quick-strategy.ts";
import { underUsers } from "../support/emulator/users.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { isAlive } from "../support/processes.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const strategy = { ...quickStrategy, bakeSeconds: 6, maximumSeconds: 600 };
const app = "storefront";
let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack({
    "ballast:strategy": strategy,
    "ballast:thresholds": wideThresholds,
  });
  const first = await stack.up();
  expect(first.code, first.output).toBe(0);
}, 180_000);
afterAll(() => stack?.close());

/** Kills the Pulumi CLI that has locked the stack; the lock names its process. */
async function killPulumi(): Promise<void> {
  const locks = path.join(stack.folder, "state", ".pulumi", "locks");
  const [lock] = readdirSync(locks, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  const { pid } = JSON.parse(readFileSync(path.join(locks, lock!), "utf8")) as { pid: number };
  process.kill(pid, "SIGKILL");
  await eventually(() => !isAlive(pid), "the Pulumi CLI to be gone");
}

const rolloutsAt = "https://control-plane.apps.westeurope.ballast.localhost/rollouts";
const ask = async (rest: string): Promise<any> =>
  (
    await stack.cloud.ask("GET", `${rolloutsAt}${rest}`, undefined, {
      token: await stack.cloud.tokenFor("api://ballast"),
    })
  ).body;
/** Returns every rollout of the app, the newest first. */
const rollouts = async (): Promise<readonly any[]> => (await ask(`?resourceGroup=ballast-local&app=${app}`)).rollouts;
const kindsOf = async (revision: string): Promise<readonly string[]> =>
  (await ask(`/ballast-local/${app}/${revision}/journal`)).facts.map(({ event }: any) => event.kind);
const revisions = async (): Promise<readonly string[]> =>
  (await stack.live(app, "/revisions")).value.map(({ name }: any) => name);
/** Returns the weights above 0. */
const trafficOf = async (): Promise<readonly object[]> =>
  (await stack.live(app)).properties.configuration.ingress.traffic
    .filter(({ weight }: any) => weight > 0)
    .map(({ revisionName, weight }: any) => ({ revisionName, weight }));
/** Returns how often the program has written the app. */
const puts = async (): Promise<number> =>
  (await stack.cloud.ask("GET", "/_emulator/requests")).body.requests.filter(
    ({ method, path: to }: any) => method === "PUT" && to.endsWith(`/containerApps/${app}`),
  ).length;

/** Does something while ten users send requests to the app, and returns its result with the answers they got. */
async function amongUsers<Value>(act: () => Promise<Value>): ReturnType<typeof underUsers<Value>> {
  const { storefrontUrl } = await stack.outputs();
  return underUsers(
    Array.from({ length: 10 }, () => () => stack.visit(storefrontUrl!)),
    act,
  );
}

function refused({ code, output }: Ended, words: string): void {
  expect(output).toContain(words);
  expect(code).not.toBe(0);
}

/** Starts an `up`, kills it as soon as a condition holds, and cancels the update as a person does. */
async function upKilledWhen(holds: () => Promise<boolean>, what: string): Promise<void> {
  const update = stack.up();
  await eventually(holds, what, 90);
  await killPulumi();
  expect((await update).code).not.toBe(0);
  refused(await stack.up(), "the stack is currently locked");
  const { code, output } = await stack.onState("cancel", "--yes");
  expect(code, output).toBe(0);
}

/** Runs SQL on the stack's server, in the database that holds the control plane's tables. */
async function onJournal(statement: string): Promise<number> {
  const on = async (database: string, text: string): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: stack.postgres.url(database) });
    await client.connect();
    return client.query(text).finally(() => client.end());
  };
  const { rows } = await on("postgres", "select datname from pg_database where not datistemplate");
  for (const { datname } of rows)
    if ((await on(datname, "select to_regclass('ballast.locks') as found")).rows[0].found !== null)
      return (await on(datname, statement)).rowCount ?? 0;
  throw new Error("no database has the control plane's tables");
}

const release = (storefront: object): void => stack.configure({ "ballast:storefrontEnvironment": storefront });
const newest = async (known: number): Promise<any> => {
  const all = await rollouts();
  return all.length > known ? all[0] : undefined;
};

/** Checks what must hold after the same program has run again, whatever was killed before. */
async function releasedOnce(
  revision: string,
  before: { readonly rollouts: number; readonly revisions: number; readonly puts: number },
): Promise<void> {
  expect([(await rollouts()).length, (await revisions()).length, await puts()]).toEqual([
    before.rollouts + 1,
    before.revisions + 1,
    before.puts + 1,
  ]);
  expect((await kindsOf(revision)).filter((kind) => kind === "Planned" || kind === "Finished")).toEqual([
    "Planned",
    "Finished",
  ]);
}
const counts = async () => ({
  rollouts: (await rollouts()).length,
  revisions: (await revisions()).length,
  puts: await puts(),
});

test("an `up` killed after it wrote the app moves no traffic; repeated, it releases that revision once", async () => {
  const before = await counts();
  const [old] = await trafficOf();
  release({ RELEASE: "2" });
  const { answers, value: seconds } = await amongUsers(async () => {
    await upKilledWhen(async () => (await puts()) > before.puts, "the app to be put");
    expect([await trafficOf(), (await rollouts()).length]).toEqual([[old], before.rollouts]);
    release({ RELEASE: "another" });
    refused(await stack.up(), "canary-app-locked");
    release({ RELEASE: "2" });
    // The killed `up` left its lock for two minutes; ten seconds show as well that the release waits for its end.
    expect(
      await onJournal(
        "update ballast.locks set until = clock_timestamp() + interval '10 s' where until > clock_timestamp()",
      ),
    ).toBe(1);
    const from = performance.now();
    const again = await stack.up();
    expect(again.code, again.output).toBe(0);
    return (performance.now() - from) / 1000;
  });
  const { revision } = await newest(before.rollouts);
  expect(await newest(before.rollouts)).toMatchObject({ result: "promoted" });
  await releasedOnce(revision, before);
  expect(await trafficOf()).toEqual([{ revisionName: revision, weight: 100 }]);
  expect(answers.filter((answer) => answer !== 200)).toEqual([]);
  expect((await stack.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  console.log(
    `the release after the killed one took ${Math.round(seconds)} s, most of it waiting for the lock to expire; ` +
      `${answers.length} requests, each answered`,
  );
}, 400_000);

test("an `up` killed during a good rollout does not stop it; repeated, it reports the promotion", async () => {
  const before = await counts();
  stack.configure({ "ballast:strategy": { ...strategy, bakeSeconds: 15 } });
  release({ RELEASE: "3" });
  const { answers } = await amongUsers(async () => {
    await upKilledWhen(async () => (await newest(before.rollouts))?.percent === 50, "the first step");
    const again = await stack.up();
    expect([again.code, again.output]).toEqual([0, expect.stringContaining("promoted")]);
  });
  const { revision, result } = await newest(before.rollouts);
  expect(result).toBe("promoted");
  await releasedOnce(revision, before);
  expect(await trafficOf()).toEqual([{ revisionName: revision, weight: 100 }]);
  expect(answers.filter((answer) => answer !== 200)).toEqual([]);
  expect((await stack.pulumi("preview", "--expect-no-changes")).code).toBe(0);
}, 400_000);

test("an `up` killed during a bad rollout does not stop its rollback; repeated, it reports it", async () => {
  const before = await counts();
  const [old] = await trafficOf();
  release({ RELEASE: "bad", FAULT: "errors", FAULT_PERCENT: 100, FAULT_AFTER: 1 });
  await upKilledWhen(async () => (await newest(before.rollouts)) !== undefined, "the rollout to begin");
  await eventually(
    async () => (await newest(before.rollouts)).result === "rolled-back",
    "the rollout to be rolled back",
    90,
  );
  expect(await trafficOf()).toEqual([old]);
  const { message, revision } = await newest(before.rollouts);
  refused(await stack.up(), `release-rolled-back  ${message}`);
  await releasedOnce(revision, before);
  expect(await trafficOf()).toEqual([old]);
}, 400_000);
