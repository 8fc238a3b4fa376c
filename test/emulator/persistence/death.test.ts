// The cloud itself is killed during a rollout, by SIGKILL and with every replica, and restarts from its kept state,
// while the control planes and their database keep running. An outage decides nothing: a good release is promoted
// nevertheless, and the users of a bad one return to stable.
import { afterAll, beforeAll, expect, test } from "vitest";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { cloudReturns, openWorld, type World } from "../../../proofs/chaos/world.ts";
import { eventually } from "../../support/postgres/postgres.ts";

const app = "amber";
let world: World;
let stable = "";
let releases = 1;
beforeAll(async () => {
  world = await openWorld({ apps: [app] });
  stable = world.first.get(app)!;
});
afterAll(() => world?.close());

const eventsOf = async (revision: string): Promise<readonly RolloutEvent[]> =>
  (await world.call("GET", `/rollouts/shop/${app}/${revision}/journal`)).body.facts.map(({ event }: any) => event);
const isNoticed = async (revision: string, since: number): Promise<boolean> =>
  (await eventsOf(revision)).some(({ kind, at }) => kind === "AttemptFailed" && at >= since);
const stepReached = (canary: string): Promise<boolean> =>
  eventually(async () => (await eventsOf(canary)).some(({ kind }) => kind === "StepReached"), "the first step", 60);

/**
 * Delays the second write of weights from now on, and resolves when it has been sent. It is chosen before the rollout
 * begins: a bad canary may have lost its users before a test has read that it got any.
 */
async function delaySecondWrite(begin: () => Promise<void>): Promise<void> {
  await world.shop.fault({ method: "PATCH", path: `containerApps/${app}$`, after: 1, times: 1, delaySeconds: 1 });
  await begin();
  await eventually(
    async () => (await world.shop.arm("GET", "/_emulator/faults")).body.faults[0]?.times === 0,
    "a write to be sent",
    60,
  );
}

type Moment = (canary: string, ask: () => Promise<void>) => Promise<unknown>;
const moments: Readonly<
  Record<string, readonly [variables: Readonly<Record<string, string>>, moment: Moment, result: string]>
> = {
  "while a good canary is watched": [
    {},
    async (canary, ask) => {
      await ask();
      await stepReached(canary);
    },
    "promoted",
  ],
  "after it has accepted a write of weights": [
    {},
    async (_, ask) => {
      await world.shop.writes();
      await ask();
      await eventually(
        async () => (await world.shop.writes()).includes(`PATCH ${app} 202`),
        "a write to be accepted",
        60,
      );
    },
    "promoted",
  ],
  // A bad canary answers well a few times, so that it gets users.
  "during the write that takes a bad canary's users away": [
    { FAULT: "errors", FAULT_PERCENT: "100", FAULT_AFTER: "3" },
    (_, ask) => delaySecondWrite(ask),
    "rolled-back",
  ],
};

test.for(Object.entries(moments))(
  "a rollout reaches its correct result when the cloud is killed and restarted %s",
  { timeout: 180_000 },
  async ([, [variables, moment, result]]) => {
    releases += 1;
    const release = String(releases);
    const canary = await world.shop.release(release, [{ revisionName: stable, weight: 100 }], app, variables);
    await moment(canary, () => world.requestRollout(app, canary, release, 6));
    // Which revision has its replica back first is chance. Requests to the later one would count against it alone.
    world.users.away = true;
    const killedAt = Date.now();
    await world.emulator.kill();
    expect(await world.visit(app)).toBe(0);
    await eventually(() => isNoticed(canary, killedAt), "the outage to be in the journal", 60);
    await cloudReturns(world);
    world.users.away = false;
    await eventually(async () => (await world.visit(app)) === 200, "users to be served again", 60);
    const events = await eventually(
      async () => {
        const all = await eventsOf(canary);
        return all.at(-1)?.kind === "Finished" && all;
      },
      "the rollout to end",
      120,
    );
    expect(events.at(-1), JSON.stringify(events.slice(-8))).toMatchObject({ result });
    expect(replay(events)).toBeUndefined();
    if (result === "promoted") stable = canary;
    expect(await world.traffic(app)).toEqual([{ revisionName: stable, weight: 100 }]);
    await eventually(
      async () =>
        (await Promise.all(Array.from({ length: 20 }, () => world.visit(app)))).every((status) => status === 200),
      "every user to be served",
      30,
    );
  },
);
