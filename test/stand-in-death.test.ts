// The cloud itself dies in the middle of a rollout, by SIGKILL with every replica in it, and comes back on what it had kept; the
// control plane and its database live on beside it. An outage is no verdict: a good release is promoted all the same, and a bad one's
// users are with stable again.
import type { ChildProcess } from "node:child_process";
import https from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { httpsAgent, parseConnectTo } from "../connect-to.ts";
import { defaultLimits } from "../controlplane/engines/rollout/plan.ts";
import { replay } from "../controlplane/engines/rollout/rollout.ts";
import type { RolloutEvent } from "../controlplane/engines/rollout/vocabulary.ts";
import { openShop, target, type Shop } from "./support/azure-shop.ts";
import { startCloudProcess, type CloudProcess } from "./support/cloud-process.ts";
import { startPlane } from "./support/plane.ts";
import { eventually, postgresForTests } from "./support/postgres.ts";

const postgres = postgresForTests(), { app } = target;
const pace = { weights: [50], bakeSeconds: 6, warmUpSeconds: 0, tickSeconds: 1, probeSeconds: 1, smokeSeconds: 20, maximumSeconds: 600 };
const limits = { ...defaultLimits, failurePointsMax: 20, slowPointsMax: 50, slowMilliseconds: 5000 };
let shop: Shop, standIn: CloudProcess, plane: ChildProcess, agent: https.Agent, token = "", endpoint = "", stable = "", over = false, users: Promise<unknown>;

beforeAll(async () => {
  shop = await openShop(async (options) => (standIn = await startCloudProcess(options)));
  agent = httpsAgent(parseConnectTo(shop.cloud.environment["BALLAST_CONNECT_TO"]!));
  const database = await postgres.fresh();
  ({ child: plane, endpoint } = await startPlane(shop, database, { name: "beside", apps: [app], leaseSeconds: 6, requestSeconds: 4 }));
  token = (await shop.connection.credential.getToken("api://ballast/.default"))!.token;
  stable = await shop.release("1", [{ latestRevision: true, weight: 100 }]);
  users = Promise.all(Array.from({ length: 5 }, async () => { while (!over) await visit().then(() => pause(20)); }));
});
afterAll(async () => {
  over = true;
  await users;
  plane?.kill("SIGKILL");
  agent?.destroy();
  await shop?.close();
});

/** Asks the app as a user does and gives the status; 0 where nobody answers. */
const visit = (): Promise<number> => new Promise((resolve) => {
  https.get(`https://${app}.shop.westeurope.${shop.cloud.suffix}/`, { agent, timeout: 5000 }, (response) => resolve(response.resume().statusCode!)).on("error", () => resolve(0));
});

const call = async (method: string, rest: string, body?: object): Promise<any> => {
  const answer = await fetch(`${endpoint}/rollouts/shop/${app}/${rest}`, { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, ...(body && { body: JSON.stringify(body) }) });
  expect(answer.status).toBeLessThan(300);
  return answer.json();
};
const eventsOf = async (revision: string): Promise<readonly RolloutEvent[]> => (await call("GET", `${revision}/journal`)).facts.map(({ event }: any) => event);
const traffic = async (): Promise<readonly any[]> => (await shop.app()).properties.configuration.ingress.traffic.filter(({ weight }: any) => weight > 0).map(({ revisionName, weight }: any) => ({ revisionName, weight }));
const faultMet = async (): Promise<boolean> => (await shop.arm("GET", "/_standin/faults")).body.faults[0]?.times === 0;

const stepReached = (canary: string): Promise<boolean> => eventually(async () => (await eventsOf(canary)).some(({ kind }) => kind === "StepReached"), "the first step", 60);
/** Makes the next write of weights wait at the door, and gives a wait until it stands there. */
async function holdUpNextWrite(): Promise<() => Promise<boolean>> {
  await shop.fault({ method: "PATCH", path: `containerApps/${app}$`, times: 1, delaySeconds: 1 });
  return () => eventually(async () => (await shop.arm("GET", "/_standin/faults")).body.faults[0]?.times === 0, "a write to be on its way", 60);
}

type Moment = (canary: string, ask: () => Promise<void>) => Promise<unknown>;
const moments: Readonly<Record<string, readonly [variables: Readonly<Record<string, string>>, moment: Moment, result: string]>> = {
  "while a good canary is watched": [{}, async (canary, ask) => {
    await ask();
    await stepReached(canary);
  }, "promoted"],
  "after it has accepted a write of weights": [{}, async (_, ask) => {
    await shop.writes();
    await ask();
    await eventually(async () => (await shop.writes()).some((write) => write === `PATCH ${app} 202`), "a write to be accepted", 60);
  }, "promoted"],
  // A bad one answers a few times well, so that it meets users.
  "while the write that takes a bad canary's users away is on its way": [{ FAULT: "errors", FAULT_PERCENT: "100", FAULT_AFTER: "3" }, async (canary, ask) => {
    await ask();
    await stepReached(canary);
    await (await holdUpNextWrite())();
  }, "rolled-back"],
};

let releases = 1;
test.for(Object.entries(moments))("killed %s, the cloud comes back, and the rollout goes on by itself to its right end", { timeout: 180_000 }, async ([, [variables, moment, result]]) => {
  const release = String(releases += 1), canary = await shop.release(release, [{ revisionName: stable, weight: 100 }], app, variables);
  await moment(canary, async () => void (await call("PUT", canary, { release, pace, limits, probePath: "/" })));
  await standIn.kill();
  expect(await visit()).toBe(0);
  await pause(3000); // An outage that the control plane's next requests cannot miss.
  await standIn.revive();
  await eventually(async () => (await visit()) === 200, "users to be served again", 60);
  const events = await eventually(async () => { const all = await eventsOf(canary); return all.at(-1)?.kind === "Finished" && all; }, "the rollout to end", 120);
  expect(events.at(-1)).toMatchObject({ result });
  expect(events.some(({ kind }) => kind === "AttemptFailed"), "the outage is in the journal").toBe(true);
  expect(replay(events)).toBeUndefined();
  if (result === "promoted") stable = canary;
  expect(await traffic()).toEqual([{ revisionName: stable, weight: 100 }]);
  await eventually(async () => (await Promise.all(Array.from({ length: 20 }, visit))).every((status) => status === 200), "everybody to be served", 30);
});
