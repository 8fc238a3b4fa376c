// What remediations ask of Azure, through the real clients against the emulator: alerts by the alerts API, the symptom
// by request rows, the restart of a revision, a job of the user's own, and diagnostics.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAlerts } from "../../../controlplane/adapters/azure/alerts.ts";
import { azureEvidence } from "../../../controlplane/adapters/azure/evidence.ts";
import { restartRevision, startJob } from "../../../controlplane/adapters/azure/runbooks.ts";
import { createSymptoms, failedRequestsQuery } from "../../../controlplane/adapters/azure/symptoms.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import type { RunbookPort } from "../../../controlplane/performers/remediation-ports.ts";
import { systemTime } from "../../../controlplane/runtime/clock.ts";
import { startEmulator } from "../../../emulator/start.ts";
import type { Rung } from "../../../engines/remediation/vocabulary.ts";
import { openShop, requestSeconds, type Shop } from "../../support/emulator/azure-shop.ts";
import { putFailingRule } from "../../support/emulator/failing-rule.ts";
import { eventually } from "../../support/postgres/postgres.ts";
import { incidentOn, policyWith } from "../../support/worlds/incident-scenario.ts";

const patience = patienceOf(requestSeconds);
const uncut = new AbortController().signal;
const ours = async () => true;
const target = "app/shop/storefront";
let shop: Shop;
let folder: string;
let group: string;
let begin: number;

// A job that shows its incident in its exit: it succeeds only if it was told which rule fired.
const tool = 'process.exitCode = process.env.BALLAST_RULE === "app-failing" ? 0 : 3;\n';

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "ballast-runbooks-"));
  writeFileSync(path.join(folder, "main.mjs"), tool);
  shop = await openShop((options) =>
    startEmulator({ ...options, images: { ...options.images, tool: { folder, entry: "main.mjs" } } }),
  );
  group = `/subscriptions/${shop.cloud.subscription}/resourceGroups/shop`;
  await shop.release("1", [{ latestRevision: true, weight: 100 }]);
});
afterAll(async () => {
  await shop?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Stores rows of requests to the app, some of them failed, in the minute after a moment. */
const storeRows = (from: number, requests: number, failed: number) =>
  shop.arm("POST", "/_emulator/rows", {
    rows: Array.from({ length: requests }, (_, index) => ({
      TenantId: shop.workspace,
      ContainerAppName: "storefront",
      RevisionName: "storefront--1",
      Path: "/cart",
      StatusCode: index < failed ? 500 : 200,
      TimeGenerated: new Date(from + index * 10).toISOString(),
      visibleAt: new Date(from + index * 10).toISOString(),
    })),
  });

describe("alerts", () => {
  const policies = [policyWith({ rule: "app-failing", targets: [target] })];
  const graph = [{ target, dependsOn: [] }];
  const logged: string[] = [];
  const list = (since: number) =>
    createAlerts({
      connection: shop.connection,
      patience,
      resourceManager: shop.settings.resourceManager,
      subscription: shop.cloud.subscription,
      graph,
      policies,
      now: () => begin + 3_600_000,
      log: (message) => void logged.push(message),
    }).list(since, uncut);

  test("are listed with the target that their dimension names, and with their end", async () => {
    begin = Date.parse("2031-01-01T12:00:00Z");
    await shop.arm("POST", "/_emulator/clock", { at: begin });
    await putFailingRule(shop, "App-Failing", 5);
    await storeRows(begin + 60_000, 10, 5);
    await shop.arm("POST", "/_emulator/clock", { at: begin + 300_000 });
    const fired = await list(begin);
    expect(fired).toMatchObject({
      ok: true,
      value: {
        leftOut: 0,
        alerts: [
          {
            kind: "log",
            rule: "app-failing",
            severity: 1,
            target,
            covered: true,
            firedAt: begin + 300_000,
            resolvedAt: null,
          },
        ],
      },
    });
    await shop.arm("POST", "/_emulator/clock", { at: begin + 3_600_000 });
    expect(await list(begin)).toMatchObject({ value: { alerts: [{ resolvedAt: begin + 1_200_000 }] } });
    expect(logged).toEqual([]);
  });

  test("that cannot be read are no alerts, and never an empty list", async () => {
    await shop.fault({ path: "/alerts", status: 403, code: "AuthorizationFailed", times: 9 });
    expect(await list(begin)).toEqual({
      ok: false,
      definite: true,
      reason: expect.stringContaining("the alerts cannot be read: 403"),
    });
    await shop.fault();
  });
});

describe("the symptom", () => {
  const graph = [
    { target, dependsOn: ["server/shop/db"] },
    { target: "server/shop/db", dependsOn: [] },
    { target: "vault/shop/kv", dependsOn: [] },
  ];
  const rows = (from: number, now: number, of = target) =>
    createSymptoms(shop.connection, patience, shop.workspace, 60, { objectives: [], targets: graph }).rows(
      { kind: "Measure", target: of, measure: "requests", from },
      now,
      uncut,
    );

  test("is counted from rows since the action that have arrived", async () => {
    const from = begin + 2_000_000;
    await storeRows(from - 1000, 50, 50);
    await storeRows(from, 100, 7);
    expect(await rows(from, from + 120_000)).toEqual({ ok: true, value: { samples: 100, bad: 7, to: from + 60_000 } });
    expect(await rows(from, from + 30_000)).toEqual({ ok: true, value: { samples: 0, bad: 0, to: from } });
  });

  test("of a server shows in the apps that depend on it, and of what nothing depends on in none", async () => {
    const from = begin + 3_000_000;
    await storeRows(from, 40, 4);
    expect(await rows(from, from + 120_000, "server/shop/db")).toMatchObject({ value: { samples: 40, bad: 4 } });
    expect(await rows(from, from + 120_000, "vault/shop/kv")).toEqual({
      ok: false,
      reason: "no declared app depends on vault/shop/kv",
    });
  });

  test("leaves a part of the error budget: unknown without a request, whole without an objective", async () => {
    const objective = { target, measures: "availability" as const, goodPercent: 90, periodDays: 1, failuresMin: 10 };
    const left = (now: number, objectives: readonly (typeof objective)[]) =>
      createSymptoms(shop.connection, patience, shop.workspace, 60, { objectives, targets: graph }).budgetLeftPercent(
        target,
        now,
        uncut,
      );
    const from = begin - 40 * 86_400_000;
    await storeRows(from, 200, 5);
    expect(await left(from + 60_000, [objective])).toEqual({ ok: true, value: 75 });
    expect(await left(from + 60_000, [])).toEqual({ ok: true, value: 100 });
    expect(await left(from + 10 * 86_400_000, [objective])).toMatchObject({
      ok: false,
      reason: "no request of the period was logged, so the budget is unknown",
    });
  });

  test("is asked for with the app's name as a literal", () =>
    expect(failedRequestsQuery(['app/shop/we"b'], 0, 1)).toContain('ContainerAppName in ("we\\"b")'));
});

/** Fired after the apps of this file were made, whatever the emulator's clock showed then. */
const incident = incidentOn(target, { firedAt: Date.parse("2100-01-01T00:00:00Z") });

const act = (port: RunbookPort, rung: Rung, where = target, key = "remediation/app/shop/storefront/a#0@1") =>
  port.act({ kind: "Act", target: where, rung, key, since: 0, drill: false, incident }, ours);

describe("the restart of a revision", () => {
  const rung: Rung = { runbook: "restart-revision", approval: "none" };
  const restart = () => restartRevision({ ...shop.connection, patience });

  test("does not fit a revision whose one replica is all the capacity", async () => {
    expect(await restart().plan(target, rung, incident, uncut)).toMatchObject({
      value: { fits: false, message: expect.stringContaining("all the capacity") },
    });
    expect(await act(restart(), rung)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("all the capacity"),
    });
  });

  test("restarts the replicas of the revision that serves, unless the claim is lost", async () => {
    const id = `${group}/providers/Microsoft.App/containerApps/pair`;
    const { properties } = (await shop.arm("GET", `${group}/providers/Microsoft.App/containerApps/storefront`)).body;
    await shop.arm("PUT", id, {
      location: "westeurope",
      properties: {
        managedEnvironmentId: properties.managedEnvironmentId,
        configuration: { ingress: { external: true, targetPort: 8080 } },
        template: { containers: properties.template.containers, scale: { minReplicas: 2, maxReplicas: 2 } },
      },
    });
    const pair = "app/shop/pair";
    await eventually(async () => {
      const planned = await restart().plan(pair, rung, incident, uncut);
      return planned.ok && planned.value.fits;
    }, "two replicas to run");
    const lost = await restart().act(
      { kind: "Act", target: pair, rung, key: "k", since: 0, drill: false, incident },
      async () => false,
    );
    expect(lost.ok).toBe(false);
    await shop.writes();
    expect(await act(restart(), rung, pair)).toMatchObject({ ok: true });
    expect(await shop.writes()).toEqual([expect.stringMatching(/^POST .*restart 200$/)]);
  });
});

describe("a job", () => {
  const rung: Rung = { runbook: "start-job", approval: "none", job: "warm-cache" };
  const job = () => startJob({ ...shop.connection, patience }, systemTime, Date.now);

  test("that does not exist is a definite answer, which leaves the rung", async () =>
    expect(await job().plan(target, { ...rung, job: "none" }, incident, uncut)).toMatchObject({
      ok: false,
      definite: true,
      reason: expect.stringContaining("the job none cannot be read: 404"),
    }));

  test("is started once for each key, with the incident in its environment, and its exit is the outcome", async () => {
    await shop.arm("POST", "/_emulator/clock", { at: null });
    const { properties } = (await shop.arm("GET", `${group}/providers/Microsoft.App/containerApps/storefront`)).body;
    await shop.arm("PUT", `${group}/providers/Microsoft.App/jobs/warm-cache`, {
      location: "westeurope",
      properties: {
        environmentId: properties.managedEnvironmentId,
        configuration: { triggerType: "Manual", replicaTimeout: 60, replicaRetryLimit: 0 },
        template: { containers: [{ name: "tool", image: "registry.example/tool:1" }] },
      },
    });
    const first = await act(job(), rung);
    const again = await act(job(), rung);
    if (!first.ok) throw new Error(first.reason);
    expect(first).toMatchObject({ ok: true, value: { follow: expect.stringMatching(/^warm-cache\//) } });
    expect(again).toEqual(first);
    const follow = first.ok ? first.value.follow! : "";
    expect(await job().follow!({ kind: "Follow", target, rung, follow, until: Date.now() + 60_000 }, uncut)).toEqual({
      ok: true,
      value: { good: true, message: "the job warm-cache succeeded" },
    });
  });
});

test("diagnostics have the revision, its replicas, the paths that fail and the exceptions", async () => {
  const now = Date.now();
  await storeRows(now - 60_000, 20, 5);
  expect(await azureEvidence(shop.connection, patience, shop.workspace)(target, uncut)).toEqual([
    expect.stringMatching(/^storefront--\S+ serves; replicas: 1, restarts: 0$/),
    "5 requests of storefront--1 to /cart answered 500",
  ]);
});
