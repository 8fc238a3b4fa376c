// The cloud itself dies in the middle of a rollout, by SIGKILL with every replica in it, and comes back on what it had kept; the
// control planes and their database live on beside it. An outage is no verdict: a good release is promoted all the same, and a bad one's
// users are with stable again.
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { openWorld, type World } from "../../../proofs/chaos/world.ts";
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
const stepReached = (canary: string): Promise<boolean> =>
  eventually(async () => (await eventsOf(canary)).some(({ kind }) => kind === "StepReached"), "the first step", 60);

/** Makes the next write of weights wait at the door, until it stands there. */
async function holdUpNextWrite(): Promise<void> {
  await world.shop.fault({ method: "PATCH", path: `containerApps/${app}$`, times: 1, delaySeconds: 1 });
  await eventually(
    async () => (await world.shop.arm("GET", "/_standin/faults")).body.faults[0]?.times === 0,
    "a write to be on its way",
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
  // A bad one answers a few times well, so that it meets users.
  "while the write that takes a bad canary's users away is on its way": [
    { FAULT: "errors", FAULT_PERCENT: "100", FAULT_AFTER: "3" },
    async (canary, ask) => {
      await ask();
      await stepReached(canary);
      await holdUpNextWrite();
    },
    "rolled-back",
  ],
};

test.for(Object.entries(moments))(
  "killed %s, the cloud comes back, and the rollout goes on by itself to its right end",
  { timeout: 180_000 },
  async ([, [variables, moment, result]]) => {
    const release = String((releases += 1));
    const canary = await world.shop.release(release, [{ revisionName: stable, weight: 100 }], app, variables);
    await moment(canary, () => world.requestRollout(app, canary, release, 6));
    await world.standIn.kill();
    expect(await world.visit(app)).toBe(0);
    await pause(3000); // An outage that the control planes' next requests cannot miss.
    await world.standIn.revive();
    await eventually(async () => (await world.visit(app)) === 200, "users to be served again", 60);
    const events = await eventually(
      async () => {
        const all = await eventsOf(canary);
        return all.at(-1)?.kind === "Finished" && all;
      },
      "the rollout to end",
      120,
    );
    expect(events.at(-1)).toMatchObject({ result });
    expect(
      events.some(({ kind }) => kind === "AttemptFailed"),
      "the outage is in the journal",
    ).toBe(true);
    expect(replay(events)).toBeUndefined();
    if (result === "promoted") stable = canary;
    expect(await world.traffic(app)).toEqual([{ revisionName: stable, weight: 100 }]);
    await eventually(
      async () =>
        (await Promise.all(Array.from({ length: 20 }, () => world.visit(app)))).every((status) => status === 200),
      "everybody to be served",
      30,
    );
  },
);
