// The dead man's switch with everything real around it: a control plane during a rollout on a real PostgreSQL, users
// who never stop, and a schedule by the emulator's clock. First all is well; then the control plane or its database is
// gone for good.
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import { type RunningPostgres, startPostgres } from "../../toolchain/postgres.ts";
import { type Estate, openEstate } from "../support/controlplane/dead-mans-estate.ts";
import { eventually } from "../support/emulator/container-cloud.ts";

let estate: Estate;
let postgres: RunningPostgres;
let stable: string;
let canary: string;
const origin = "https://control-plane.estate.westeurope.ballast.localhost";
const apps = "api-version=2025-07-01";
const managedTargets = [{ resourceGroup: "estate", app: "storefront" }];
const silenceSeconds = 4;

afterEach(async () => {
  await estate?.close();
  await postgres?.stop();
});

/** Starts everything, up to a canary with a quarter of the users for the next half hour. */
async function inMidCanary(): Promise<void> {
  [estate, postgres] = await Promise.all([openEstate(), startPostgres()]);
  await createDatabase();
  await startControlPlane(await openWorkspace());
  await startCanary();
  await estate.putSwitch(
    { BALLAST_HEALTH: `${origin}/health`, BALLAST_DEADMAN_SECONDS: String(silenceSeconds) },
    "* * * * *",
  );
}

async function createDatabase(): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url("postgres") });
  await client.connect();
  await client.query("create database journal");
  await client.end();
}

/** Creates a workspace that gets the request rows. */
async function openWorkspace(): Promise<{ readonly id: string; readonly customerId: string }> {
  const id = `${estate.group}/providers/Microsoft.OperationalInsights/workspaces/estate`;
  const { body } = await estate.ask("PUT", `${id}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
  await estate.ask(
    "PUT",
    `${estate.environmentId}/providers/Microsoft.Insights/diagnosticSettings/logs?api-version=2021-05-01-preview`,
    { properties: { workspaceId: id, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] } },
  );
  return { id, customerId: body.properties.customerId };
}

/** Deploys a control plane with the roles that it needs, and waits until it answers. */
async function startControlPlane(workspace: { readonly id: string; readonly customerId: string }): Promise<void> {
  const { id, clientId, principalId } = await estate.makeIdentity("control-plane");
  await estate.assign(principalId, "358470bc-b998-42bd-ab17-a7e34c199c0f", estate.group);
  await estate.assign(principalId, "73c42c96-874c-492b-b04d-ab87d138a893", workspace.id);
  const variables = {
    BALLAST_SUBSCRIPTION: estate.cloud.subscription,
    BALLAST_TENANT: estate.cloud.tenant,
    BALLAST_AUDIENCE: "api://ballast",
    BALLAST_MANAGED_TARGETS: JSON.stringify(managedTargets),
    BALLAST_WORKSPACE: workspace.customerId,
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
}

/** Starts a rollout whose canary has a quarter of the users for the next half hour. */
async function startCanary(): Promise<void> {
  stable = (await estate.ask("GET", `${estate.group}/providers/Microsoft.App/containerApps/storefront?${apps}`)).body
    .properties.latestRevisionName;
  await estate.setTraffic({ revisionName: stable, weight: 100 });
  canary = await estate.release({ RELEASE: "2" });
  const token = await estate.tokenFor("api://ballast");
  const strategy = {
    ...defaultStrategy,
    weights: [25],
    bakeSeconds: 1_800,
    warmUpSeconds: 0,
    intervalSeconds: 1,
    probeSeconds: 1,
    smokeSeconds: 10,
    maximumSeconds: 10_000,
  };
  const asked = await estate.ask(
    "PUT",
    `${origin}/rollouts/estate/storefront/${canary}`,
    { release: "2", strategy, thresholds: defaultThresholds, probePath: "/health/ready" },
    { token },
  );
  expect([asked.status, asked.body.phase]).toEqual([202, "inspecting"]);
  await eventually(weights, (shown) => shown === `${stable} 75 stable, ${canary} 25 canary`, 30);
}

const health = () => estate.ask("GET", `${origin}/health`, undefined, { token: null });
const weights = async (): Promise<string> =>
  (await estate.traffic()).map(({ revisionName, weight, label }) => `${revisionName} ${weight} ${label}`).join(", ");
const setClock = (at: number | null) => estate.ask("POST", "/_emulator/clock", { at });

let minute = 0;
/** Moves the emulator's clock into a new minute, so that the schedule fires, and waits for that execution to end. */
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
    expect(await aMinuteLater()).toMatchObject({ status: "Succeeded", lines: [{ what: "heartbeat" }] });
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

test("a control plane whose database is gone for good counts as dead, although its process lives", {
  timeout: 120_000,
}, async () => {
  await inMidCanary();
  const load = users();
  await postgres.stop();
  await eventually(health, (answered) => answered.status === 503, 30);
  const { status, lines } = await aMinuteLater();
  expect([status, lines.map(({ what }) => what)]).toEqual(["Succeeded", ["silence", "restored"]]);
  expect(await weights()).toBe(`${stable} 100 stable, ${canary} 0 canary`);
  expect(await load.latest()).toEqual(new Set([stable]));
  expect(await load.end()).toBe(0);
  const { body } = await estate.ask("GET", "/_emulator/processes");
  expect(body.processes.filter(({ app, pid }: any) => app === "control-plane" && pid !== null)).toHaveLength(1);
});
