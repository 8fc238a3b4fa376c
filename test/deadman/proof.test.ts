// The dead man's switch with everything real around it: a control plane in the middle of a rollout on a real PostgreSQL, users who never
// stop, and a schedule that fires by the stand-in's clock. First nothing is wrong; then the control plane or its database is gone for good.
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { defaultLimits, defaultPace } from "../../engines/rollout/plan.ts";
import { type RunningPostgres, startPostgres } from "../../toolchain/postgres.ts";
import { type Estate, openEstate } from "../support/controlplane/dead-mans-estate.ts";
import { eventually } from "../support/emulator/container-cloud.ts";

let estate: Estate;
let postgres: RunningPostgres;
let stable: string;
let canary: string;
const origin = "https://control-plane.estate.westeurope.ballast.localhost";
const apps = "api-version=2025-07-01";
const inventory = [{ resourceGroup: "estate", app: "storefront" }];
const silenceSeconds = 4;

afterEach(async () => {
  await estate?.close();
  await postgres?.stop();
});

/** Brings everything up to where a canary has a quarter of the users and would keep it for half an hour. */
async function inMidCanary(): Promise<void> {
  [estate, postgres] = await Promise.all([openEstate(), startPostgres()]);
  const client = new pg.Client({ connectionString: postgres.url("postgres") });
  await client.connect();
  await client.query("create database journal");
  await client.end();
  const workspaceId = `${estate.group}/providers/Microsoft.OperationalInsights/workspaces/estate`;
  const { body: workspace } = await estate.ask("PUT", `${workspaceId}?api-version=2023-09-01`, {
    location: "westeurope",
    properties: {},
  });
  await estate.ask(
    "PUT",
    `${estate.environmentId}/providers/Microsoft.Insights/diagnosticSettings/logs?api-version=2021-05-01-preview`,
    { properties: { workspaceId, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] } },
  );
  const { id, clientId, principalId } = await estate.makeIdentity("control-plane");
  await estate.assign(principalId, "358470bc-b998-42bd-ab17-a7e34c199c0f", estate.group);
  await estate.assign(principalId, "73c42c96-874c-492b-b04d-ab87d138a893", workspaceId);
  const variables = {
    BALLAST_SUBSCRIPTION: estate.cloud.subscription,
    BALLAST_TENANT: estate.cloud.tenant,
    BALLAST_AUDIENCE: "api://ballast",
    BALLAST_INVENTORY: JSON.stringify(inventory),
    BALLAST_WORKSPACE: workspace.properties.customerId,
    BALLAST_RESOURCE_MANAGER: "https://management.ballast.localhost",
    BALLAST_LOGS: "https://api.loganalytics.ballast.localhost",
    AZURE_AUTHORITY_HOST: "https://login.ballast.localhost",
    AZURE_CLIENT_ID: clientId,
    BALLAST_DATABASE_HOST: postgres.host,
    BALLAST_DATABASE_PORT: String(postgres.port),
    BALLAST_DATABASE_NAME: "journal",
    BALLAST_DATABASE_USER: postgres.user,
    BALLAST_DATABASE_PASSWORD: postgres.password,
    BALLAST_DATABASE_TLS: "disable",
    BALLAST_LEASE_SECONDS: "6",
    BALLAST_REQUEST_SECONDS: "2",
    BALLAST_INGESTION_SECONDS: "1",
  };
  await estate.settle("PUT", `${estate.group}/providers/Microsoft.App/containerApps/control-plane?${apps}`, {
    location: "westeurope",
    identity: { type: "UserAssigned", userAssignedIdentities: { [id]: {} } },
    properties: {
      managedEnvironmentId: estate.environmentId,
      configuration: { activeRevisionsMode: "Single", ingress: { external: true, targetPort: 8080 } },
      template: {
        containers: [
          {
            name: "control-plane",
            image: "control-plane:1",
            env: Object.entries(variables).map(([name, value]) => ({ name, value })),
          },
        ],
        scale: { minReplicas: 1 },
      },
    },
  });
  await eventually(
    () => health(),
    ({ status }) => status === 200,
    30,
  );
  stable = (await estate.ask("GET", `${estate.group}/providers/Microsoft.App/containerApps/storefront?${apps}`)).body
    .properties.latestRevisionName;
  await estate.setTraffic({ revisionName: stable, weight: 100 });
  canary = await estate.release({ RELEASE: "2" });
  const token = await estate.tokenFor("api://ballast");
  const pace = {
    ...defaultPace,
    weights: [25],
    bakeSeconds: 1_800,
    warmUpSeconds: 0,
    tickSeconds: 1,
    probeSeconds: 1,
    smokeSeconds: 10,
    maximumSeconds: 10_000,
  };
  const asked = await estate.ask(
    "PUT",
    `${origin}/rollouts/estate/storefront/${canary}`,
    { release: "2", pace, limits: defaultLimits, probePath: "/health/ready" },
    { token },
  );
  expect([asked.status, asked.body.phase]).toEqual([202, "inspecting"]);
  await eventually(weights, (shown) => shown === `${stable} 75 stable, ${canary} 25 canary`, 30);
  await estate.putSwitch(
    { BALLAST_HEALTH: `${origin}/health`, BALLAST_DEADMAN_SECONDS: String(silenceSeconds) },
    "* * * * *",
  );
}

const health = () => estate.ask("GET", `${origin}/health`, undefined, { token: null });
const weights = async (): Promise<string> =>
  (await estate.traffic()).map(({ revisionName, weight, label }) => `${revisionName} ${weight} ${label}`).join(", ");
const setClock = (at: number | null) => estate.ask("POST", "/_standin/clock", { at });

let minute = 0;
/** Sets the stand-in's clock into a minute that it has never shown, so that the schedule fires, and waits for that execution's end. */
async function aMinuteLater() {
  minute = Math.max(minute, Math.floor(Date.now() / 60_000)) + 1;
  const known = (await estate.executions()).length;
  await setClock(minute * 60_000);
  const execution = (
    await eventually(
      () => estate.executions(),
      (found) => found.length > known,
    )
  )[known]!.name;
  await setClock(null);
  return estate.ended(execution);
}

/** Users who ask all the time, five at once; gives which revisions answered the latest fifty of them, and how many were not answered well. */
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
        answered.push(String(reply?.headers["x-localcloud-revision"]));
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

test("a control plane at its rollout is left in peace; killed for good, it loses the app to stable, and no user notices", {
  timeout: 120_000,
}, async () => {
  await inMidCanary();
  const load = users();
  expect(await load.latest()).toEqual(new Set([stable, canary]));
  await estate.writes();
  for (const _ of [1, 2])
    expect(await aMinuteLater()).toMatchObject({ status: "Succeeded", lines: [{ what: "heartbeat" }] });
  expect([await estate.writes(), await weights()]).toEqual([[], `${stable} 75 stable, ${canary} 25 canary`]);
  expect((await health()).body).toMatchObject({ status: "ok", inFlight: 1 });

  const { body } = await estate.ask(
    "GET",
    `${estate.group}/providers/Microsoft.App/containerApps/control-plane/revisions?${apps}`,
  );
  expect(
    (await estate.ask("POST", "/_standin/kill", { app: "control-plane", signal: "SIGKILL" })).body.pids,
  ).toHaveLength(1);
  await estate.ask(
    "POST",
    `${estate.group}/providers/Microsoft.App/containerApps/control-plane/revisions/${body.value[0].name}/deactivate?${apps}`,
  ); // nothing starts it again
  await eventually(health, ({ status }) => status === 503);
  await estate.writes();
  const { status, lines } = await aMinuteLater();
  expect([status, lines.map(({ what }) => what)]).toEqual(["Succeeded", ["silence", "restored"]]);
  expect([await estate.writes(), await weights()]).toEqual([
    ["PATCH storefront 202"],
    `${stable} 100 stable, ${canary} 0 canary`,
  ]);
  expect(await load.latest()).toEqual(new Set([stable]));
  expect(await load.end()).toBe(0);
  expect(await aMinuteLater()).toMatchObject({
    status: "Succeeded",
    lines: [{ what: "silence" }, { what: "left-alone" }],
  });
});

test("a database that is gone for good is a dead control plane, however alive its process is", {
  timeout: 120_000,
}, async () => {
  await inMidCanary();
  const load = users();
  await postgres.stop();
  await eventually(health, ({ status }) => status === 503, 30);
  const { status, lines } = await aMinuteLater();
  expect([status, lines.map(({ what }) => what)]).toEqual(["Succeeded", ["silence", "restored"]]);
  expect(await weights()).toBe(`${stable} 100 stable, ${canary} 0 canary`);
  expect(await load.latest()).toEqual(new Set([stable]));
  expect(await load.end()).toBe(0);
  const { body } = await estate.ask("GET", "/_standin/processes");
  expect(body.processes.filter(({ app, pid }: any) => app === "control-plane" && pid !== null)).toHaveLength(1);
});
