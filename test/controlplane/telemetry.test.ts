// What the emulator's Application Insights receives of a real control plane's work and of a real storefront's requests:
// spans, metrics, their sender, and no secret. telemetry-outage.test.ts has an ingestion that fails.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { telemetryColumns } from "../../emulator/insights/telemetry-rows.ts";
import { quarterStrategy } from "../support/controlplane/deploy-plane.ts";
import { describedMetrics } from "../support/controlplane/described-metrics.ts";
import {
  notifierSecret,
  openWatchedEstate,
  thresholds,
  usersOf,
  type WatchedEstate,
} from "../support/controlplane/watched-estate.ts";
import { eventually } from "../support/emulator/container-cloud.ts";
import { findSecrets } from "../support/secret-scan.ts";

const planted = "planted-in-a-reason-4711";
let estate: WatchedEstate;
let users: { readonly end: () => Promise<void> };

beforeAll(async () => {
  estate = await openWatchedEstate(3000); // what one sending may take, too: a count that is lost does not come again
  users = usersOf(estate, "storefront");
  await estate.inMidCanary();
  await eventually(
    () => named("ballast.interval.lag"),
    (rows) => rows > 0,
    30,
  );
  await estate.signalPlane("SIGKILL"); // its platform starts it again, and the rollout is recovered
  await eventually(
    () => named("ballast.recoveries"),
    (rows) => rows > 0,
    60,
  );
  await estate.plane("POST", `/rollouts/estate/storefront/${estate.canary}/signals`, {
    signal: "abort",
    message: planted,
  });
  await eventually(
    () => named("ballast.rollouts.ended"),
    (rows) => rows > 0,
    60,
  );
  await users.end(); // without whom a short bake ends in a verdict that concludes nothing
  const next = await estate.release({ RELEASE: "3" });
  await estate.plane("PUT", `/rollouts/estate/storefront/${next}`, {
    release: "3",
    strategy: { ...quarterStrategy, bakeSeconds: 1 },
    thresholds,
    probePath: "/health/ready",
  });
  await eventually(
    () => named("ballast.verdicts"),
    (rows) => rows > 0,
    60,
  );
}, 240_000);
afterAll(async () => {
  await users?.end();
  await estate?.close();
});

const named = async (name: string): Promise<number> =>
  (await estate.query(`AppMetrics | where Name == "${name}" | summarize rows = count()`))[0]!["rows"];

test("every pass of an attempt is a span of one trace, whichever process ran it", async () => {
  const passes = await estate.query(
    `AppDependencies | where tostring(Properties.stream) endswith "${estate.canary}"
     | extend stream = tostring(Properties.stream), result = tostring(Properties.result),
       attempt = tostring(Properties.attempt), phase = tostring(Properties.phase)`,
  );
  expect(new Set(passes.map(({ stream }) => stream))).toEqual(new Set([`rollout/estate/storefront/${estate.canary}`]));
  expect(new Set(passes.map(({ OperationId, attempt }) => `${OperationId} ${attempt}`)).size).toBe(1);
  expect(new Set(passes.map(({ Name }) => Name))).toEqual(
    new Set(["Inspect", "Probe", "ShiftTraffic", "VerifyTraffic", "Wait", "Measure", "Deactivate"]),
  );
  expect(passes.find(({ Name }) => Name === "ShiftTraffic")).toMatchObject({
    AppRoleName: "control-plane",
    AppVersion: expect.stringMatching(/^control-plane--/),
    result: "ok",
    Success: true,
    phase: "shifting",
  });
  expect(passes.find(({ Name, phase }) => Name === "ShiftTraffic" && phase === "reverting")).toMatchObject({
    result: "ok",
    attempt: "1",
  });
});

test("a call is a span with its path as described, and a failed one is marked as failed", async () => {
  const calls = await estate.query("AppRequests | where AppRoleName == 'control-plane'");
  expect(calls).toContainEqual(
    expect.objectContaining({
      Name: "PUT /rollouts/{rg}/{app}/{revision}",
      ResultCode: "202",
      Success: true,
      DurationMs: expect.any(Number),
    }),
  );
  expect(calls).toContainEqual(
    expect.objectContaining({ Name: "GET /rollouts/{rg}/{app}/{revision}", ResultCode: "404" }),
  );
});

// Nothing is rotated and no alert fires here.
const ofRollouts = describedMetrics.filter(({ name }) => !/^ballast\.(rotation|remediation)s?\./.test(name));

test("every metric of the loop and of rollouts arrives under its name and with its attributes", async () => {
  await eventually(
    () => named("ballast.notifications.undelivered"),
    (rows) => rows > 0,
    30,
  );
  const arrived = await estate.query("AppMetrics | summarize rows = count(), some = take_any(Properties) by Name");
  expect(arrived.map(({ Name }) => Name as string).sort()).toEqual(ofRollouts.map(({ name }) => name).sort());
  for (const { name, says } of ofRollouts) {
    const [, attribute] = /by `(\w+)`|with whether its `(\w+)`/.exec(says)?.filter((each) => each !== undefined) ?? [];
    if (attribute !== undefined)
      expect([name, Object.keys(JSON.parse(arrived.find(({ Name }) => Name === name)!["some"]))]).toEqual([
        name,
        expect.arrayContaining([attribute]),
      ]);
  }
  expect(
    await estate.query(
      'AppMetrics | where Name == "ballast.rollouts.ended" ' +
        "| project result = tostring(Properties.result), app = tostring(Properties.app), Sum",
    ),
  ).toEqual([{ result: "rolled-back", app: "storefront", Sum: 1 }]);
});

test("docs/guides/telemetry.md has every metric with its unit and meaning", () => {
  const rows = readFileSync("docs/guides/telemetry.md", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `ballast."));
  expect(rows).toEqual(
    describedMetrics.map(({ name, kind, unit, says }) => `| \`${name}\` | ${kind} | ${unit} | ${says} |`),
  );
});

test("the storefront's requests arrive under its revision, and a span counts those that were not sent", async () => {
  const { identity, connectionString } = estate.sender;
  const app = `${estate.group}/providers/Microsoft.App/containerApps/shop?api-version=2025-07-01`;
  const env = Object.entries({
    RELEASE: "9",
    FAULT: "errors",
    FAULT_PERCENT: "30",
    TELEMETRY_IDENTITY: identity,
    OTEL_TRACES_SAMPLER_ARG: "0.5",
    OTEL_METRIC_EXPORT_INTERVAL: "500",
  }).map(([name, value]) => ({ name, value }));
  await estate.settle("PUT", app, {
    location: "westeurope",
    identity: { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } },
    properties: {
      managedEnvironmentId: estate.environmentId,
      configuration: {
        ingress: { external: true, targetPort: 8080 },
        secrets: [{ name: "telemetry", value: connectionString }],
      },
      template: {
        containers: [
          {
            name: "shop",
            image: "storefront:1",
            env: [...env, { name: "APPLICATIONINSIGHTS_CONNECTION_STRING", secretRef: "telemetry" }],
          },
        ],
        scale: { minReplicas: 1 },
      },
    },
  });
  const shop = usersOf(estate, "shop");
  const spans = () =>
    estate.query(
      "AppRequests | where AppRoleName == 'shop' | project Name, AppVersion, ItemCount, ResultCode, Success",
    );
  const seen = await eventually(spans, (rows) => rows.length > 20, 40);
  const [total] = await eventually(
    () =>
      estate.query(
        "AppMetrics | where Name == 'http.server.request.duration' and AppRoleName == 'shop' " +
          "| summarize requests = sum(ItemCount), " +
          "failed = sum(iff(tostring(Properties[\"http.response.status_code\"]) == '500', ItemCount, 0))",
      ),
    ([row]) => row!["failed"] > 5,
    20,
  );
  await shop.end();
  expect(new Set(seen.map(({ Name, AppVersion, ItemCount }) => `${Name} ${AppVersion} ${ItemCount}`))).toEqual(
    new Set([`GET /products/{id} ${(await estate.ask("GET", app)).body.properties.latestRevisionName} 2`]),
  );
  expect(new Set(seen.map(({ ResultCode, Success }) => `${ResultCode} ${Success}`))).toEqual(
    new Set(["200 true", "500 false"]),
  );
  expect(total!["requests"]).toBeGreaterThan(total!["failed"]);
});

test("telemetry contains no secret, no token and no text that a person wrote", async () => {
  const rows = await Promise.all(
    Object.keys(telemetryColumns).map(async (table) => ({
      name: table,
      text: JSON.stringify(await estate.query(table)),
    })),
  );
  // Neither exceptions nor traces have been sent; all other tables have rows to search.
  const filled = rows.filter(({ text }) => text.length > 1000).map(({ name }) => name);
  expect(filled.sort()).toEqual(["AppDependencies", "AppMetrics", "AppRequests"]);
  // The search works: it finds a text that is there.
  expect(findSecrets(rows, { revision: estate.canary })).toEqual(["revision in AppDependencies"]);
  expect(
    findSecrets(rows, {
      "the database's password": estate.postgres.password,
      "the notifier's address": notifierSecret,
      "the client's secret": estate.cloud.client.secret,
      "a reason": planted,
    }),
  ).toEqual([]);
});
