// The dead man's switch with everything real around it: a control plane during a rollout on a real PostgreSQL, users
// who never stop, and a schedule by the emulator's clock. First all is well; then the control plane or its database is
// gone for good.
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { defaultThresholds } from "../../engines/rollout/plan.ts";
import type { RunningPostgres } from "../../toolchain/postgres.ts";
import { type Estate, openEstate } from "../support/controlplane/dead-mans-estate.ts";
import {
  deployPlane,
  healthOf,
  openWorkspace,
  pinTraffic,
  planeOrigin,
  quarterStrategy,
  startJournalServer,
} from "../support/controlplane/deploy-plane.ts";
import { eventually } from "../support/emulator/container-cloud.ts";

let estate: Estate;
let postgres: RunningPostgres;
let stable: string;
let canary: string;
const apps = "api-version=2025-07-01";
const silenceSeconds = 4;

afterEach(async () => {
  await estate?.close();
  await postgres?.stop();
});

/** Starts everything, up to a canary with a quarter of the users for the next half hour. */
async function inMidCanary(): Promise<void> {
  [estate, postgres] = await Promise.all([openEstate(), startJournalServer()]);
  await deployPlane(estate, postgres, await openWorkspace(estate, "ContainerAppHTTPLogs"));
  await startCanary();
  await estate.putSwitch(
    { BALLAST_HEALTH: `${planeOrigin}/health`, BALLAST_DEADMAN_SECONDS: String(silenceSeconds) },
    `${minuteOfTheHour} * * * *`,
  );
}

/** Starts a rollout whose canary has a quarter of the users for the next half hour. */
async function startCanary(): Promise<void> {
  stable = await pinTraffic(estate);
  canary = await estate.release({ RELEASE: "2" });
  const token = await estate.tokenFor("api://ballast");
  const asked = await estate.ask(
    "PUT",
    `${planeOrigin}/rollouts/estate/storefront/${canary}`,
    { release: "2", strategy: quarterStrategy, thresholds: defaultThresholds, probePath: "/health/ready" },
    { token },
  );
  expect([asked.status, asked.body.phase]).toEqual([202, "inspecting"]);
  await eventually(weights, (shown) => shown === `${stable} 75 stable, ${canary} 25 canary`, 30);
}

const health = () => healthOf(estate);
const weights = async (): Promise<string> =>
  (await estate.traffic()).map(({ revisionName, weight, label }) => `${revisionName} ${weight} ${label}`).join(", ");
const setClock = (at: number | null) => estate.ask("POST", "/_emulator/clock", { at });

const hour = 3_600_000;
/** Half an hour from now, so that the schedule fires only when a test moves the clock, and never by real time. */
const minuteOfTheHour = new Date(Date.now() + hour / 2).getUTCMinutes();
let hours = 0;
/** Moves the emulator's clock to the next time of the schedule, so that it fires, and waits for the execution's end. */
async function anHourLater() {
  hours = Math.max(hours, Math.floor(Date.now() / hour)) + 1;
  const known = (await estate.executions()).length;
  await setClock(hours * hour + minuteOfTheHour * 60_000);
  const execution = (
    await eventually(
      () => estate.executions(),
      (found) => found.length > known,
    )
  )[known]!.name;
  await setClock(null);
  return estate.ended(execution);
}

/**
 * Five concurrent users who never stop. Gives the revisions of the latest fifty answers, and the number of bad ones.
 */
function users() {
  const answered: string[] = [];
  let failed = 0;
  let over = false;
  const asking = Promise.all(
    Array.from({ length: 5 }, async () => {
      while (!over) {
        const reply = await estate
          .ask("GET", `https://storefront.${estate.domain}/`, undefined, { token: null })
          .catch(() => undefined);
        if (reply?.status !== 200) failed += 1;
        answered.push(String(reply?.headers["x-emulator-revision"]));
        await pause(20); // a user reads; without it, five of them would take a whole core
      }
    }),
  );
  return {
    latest: async () => {
      const from = answered.length + 5; // what was under way before does not count
      await eventually(
        () => answered.length,
        (count) => count >= from + 50,
      );
      return new Set(answered.slice(from));
    },
    end: async () => {
      over = true;
      await asking;
      return failed;
    },
  };
}

test("a live control plane is left alone; after its death the app returns to stable, and no user notices", {
  timeout: 120_000,
}, async () => {
  await inMidCanary();
  const load = users();
  expect(await load.latest()).toEqual(new Set([stable, canary]));
  await estate.writes();
  for (const _ of [1, 2])
    expect(await anHourLater()).toMatchObject({ status: "Succeeded", lines: [{ what: "heartbeat" }] });
  expect([await estate.writes(), await weights()]).toEqual([[], `${stable} 75 stable, ${canary} 25 canary`]);
  expect((await health()).body).toMatchObject({ status: "ok", inFlight: 1 });

  const { body } = await estate.ask(
    "GET",
    `${estate.group}/providers/Microsoft.App/containerApps/control-plane/revisions?${apps}`,
  );
  expect(
    (await estate.ask("POST", "/_emulator/kill", { app: "control-plane", signal: "SIGKILL" })).body.pids,
  ).toHaveLength(1);
  await estate.ask(
    "POST",
    `${estate.group}/providers/Microsoft.App/containerApps/control-plane/revisions/${body.value[0].name}` +
      `/deactivate?${apps}`,
  ); // nothing starts it again
  await eventually(health, (answered) => answered.status === 503);
  await estate.writes();
  const { status, lines } = await anHourLater();
  expect([status, lines.map(({ what }) => what)]).toEqual(["Succeeded", ["silence", "restored"]]);
  expect([await estate.writes(), await weights()]).toEqual([
    ["PATCH storefront 202"],
    `${stable} 100 stable, ${canary} 0 canary`,
  ]);
  expect(await load.latest()).toEqual(new Set([stable]));
  expect(await load.end()).toBe(0);
  expect(await anHourLater()).toMatchObject({
    status: "Succeeded",
    lines: [{ what: "silence" }, { what: "left-alone" }],
  });
});

test("a control plane whose database is gone for good counts as dead, although its process lives", {
  timeout: 120_000,
}, async () => {
  await inMidCanary();
  const load = users();
  await postgres.stop();
  await eventually(health, (answered) => answered.status === 503, 30);
  const { status, lines } = await anHourLater();
  expect([status, lines.map(({ what }) => what)]).toEqual(["Succeeded", ["silence", "restored"]]);
  expect(await weights()).toBe(`${stable} 100 stable, ${canary} 0 canary`);
  expect(await load.latest()).toEqual(new Set([stable]));
  expect(await load.end()).toBe(0);
  const { body } = await estate.ask("GET", "/_emulator/processes");
  expect(body.processes.filter(({ app, pid }: any) => app === "control-plane" && pid !== null)).toHaveLength(1);
});
