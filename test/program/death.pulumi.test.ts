// The Pulumi engine itself dies, by SIGKILL in the middle of an `up`: it leaves a locked stack, a state that knows less than the
// cloud, and the hold that it had taken. Whoever cancels that update and runs the same program again must come to the end to which the
// dead one was on its way. One stack, one death after another; users ask the whole time.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ended } from "../../toolchain/child.ts";
import { eventually } from "../support/postgres/postgres.ts";
import { isAlive } from "../support/processes.ts";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

const pace = {
  weights: [50],
  bakeSeconds: 6,
  warmUpSeconds: 0,
  tickSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 12,
  maximumSeconds: 600,
};
const app = "storefront";
let stack: LocalStack;

beforeAll(async () => {
  stack = await startLocalStack({
    "ballast:pace": pace,
    "ballast:limits": { failurePointsMax: 20, slowdownTolerated: 10 },
  });
  const first = await stack.up();
  expect(first.code, first.output).toBe(0);
}, 180_000);
afterAll(() => stack?.close());

/** Kills the engine that has the stack; its lock says which process that is. */
async function killEngine(): Promise<void> {
  const locks = path.join(stack.folder, "state", ".pulumi", "locks");
  const [lock] = readdirSync(locks, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  const { pid } = JSON.parse(readFileSync(path.join(locks, lock!), "utf8")) as { pid: number };
  process.kill(pid, "SIGKILL");
  await eventually(() => !isAlive(pid), "the engine to be gone");
}

const rolloutsAt = "https://control-plane.apps.westeurope.ballast.localhost/rollouts";
const ask = async (rest: string): Promise<any> =>
  (
    await stack.cloud.ask("GET", `${rolloutsAt}${rest}`, undefined, {
      token: await stack.cloud.tokenFor("api://ballast"),
    })
  ).body;
/** Every rollout of the app, the newest first. */
const rollouts = async (): Promise<readonly any[]> => (await ask(`?resourceGroup=ballast-local&app=${app}`)).rollouts;
const kindsOf = async (revision: string): Promise<readonly string[]> =>
  (await ask(`/ballast-local/${app}/${revision}/journal`)).facts.map(({ event }: any) => event.kind);
const revisions = async (): Promise<readonly string[]> =>
  (await stack.live(app, "/revisions")).value.map(({ name }: any) => name);
/** Who gets how much. */
const trafficOf = async (): Promise<readonly object[]> =>
  (await stack.live(app)).properties.configuration.ingress.traffic
    .filter(({ weight }: any) => weight > 0)
    .map(({ revisionName, weight }: any) => ({ revisionName, weight }));
/** How often the program has written the whole app. */
const puts = async (): Promise<number> =>
  (await stack.cloud.ask("GET", "/_standin/requests")).body.requests.filter(
    ({ method, path: to }: any) => method === "PUT" && to.endsWith(`/containerApps/${app}`),
  ).length;

/** Carries something out while ten users ask the app, and gives the statuses that they got beside what came of it. */
async function amongUsers<Result>(
  act: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly statuses: readonly number[] }> {
  const { storefrontUrl } = await stack.outputs();
  const statuses: number[] = [];
  let over = false;
  const users = Promise.all(
    Array.from({ length: 10 }, async () => {
      for (; !over; await pause(20)) statuses.push(await stack.visit(storefrontUrl!).catch(() => 0));
    }),
  );
  const result = await act().finally(() => {
    over = true;
  });
  await users;
  return { result, statuses };
}

function refused({ code, output }: Ended, words: string): void {
  expect(output).toContain(words);
  expect(code).not.toBe(0);
}

/** Begins an `up`, kills it as soon as something is so, and takes its lock away as a person does. */
async function upKilledWhen(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const update = stack.up();
  await eventually(isSo, what, 90);
  await killEngine();
  expect((await update).code).not.toBe(0);
  refused(await stack.up(), "the stack is currently locked");
  const { code, output } = await stack.onState("cancel", "--yes");
  expect(code, output).toBe(0);
}

const release = (storefront: object): void => stack.configure({ "ballast:storefrontEnvironment": storefront });
const newest = async (known: number): Promise<any> => {
  const all = await rollouts();
  return all.length > known ? all[0] : undefined;
};

/** What must be so once the same program has been run again, whatever was killed on the way. */
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

test("killed after it has put the new revision, an `up` leaves everybody at stable; another release is refused while its hold lasts, and the same program releases that very revision, once", async () => {
  const before = await counts();
  const [old] = await trafficOf();
  release({ RELEASE: "2" });
  const { statuses, result: seconds } = await amongUsers(async () => {
    await upKilledWhen(async () => (await puts()) > before.puts, "the app to be put");
    expect([await trafficOf(), (await rollouts()).length]).toEqual([[old], before.rollouts]);
    release({ RELEASE: "another" });
    refused(await stack.up(), "canary-app-held");
    release({ RELEASE: "2" });
    const from = performance.now();
    const again = await stack.up();
    expect(again.code, again.output).toBe(0);
    return (performance.now() - from) / 1000;
  });
  const { revision } = await newest(before.rollouts);
  expect(await newest(before.rollouts)).toMatchObject({ result: "promoted" });
  await releasedOnce(revision, before);
  expect(await trafficOf()).toEqual([{ revisionName: revision, weight: 100 }]);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect((await stack.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  console.log(
    `the release after the killed one took ${Math.round(seconds)} s, most of it the dead one's hold; ${statuses.length} requests, each answered`,
  );
}, 400_000);

test("killed while it follows a good rollout, an `up` is not missed: the rollout is promoted, the same program takes up that one, and nothing begins anew", async () => {
  const before = await counts();
  stack.configure({ "ballast:pace": { ...pace, bakeSeconds: 15 } });
  release({ RELEASE: "3" });
  const { statuses } = await amongUsers(async () => {
    await upKilledWhen(async () => (await newest(before.rollouts))?.percent === 50, "the first step");
    const again = await stack.up();
    expect([again.code, again.output]).toEqual([0, expect.stringContaining("promoted")]);
  });
  const { revision, result } = await newest(before.rollouts);
  expect(result).toBe("promoted");
  await releasedOnce(revision, before);
  expect(await trafficOf()).toEqual([{ revisionName: revision, weight: 100 }]);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect((await stack.pulumi("preview", "--expect-no-changes")).code).toBe(0);
}, 400_000);

test("killed while it follows a bad rollout, an `up` is not missed either: users are back at stable by themselves, and the same program fails with the judge's sentence", async () => {
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
  const { sentence, revision } = await newest(before.rollouts);
  refused(await stack.up(), `release-rolled-back  ${sentence}`);
  await releasedOnce(revision, before);
  expect(await trafficOf()).toEqual([old]);
}, 400_000);
