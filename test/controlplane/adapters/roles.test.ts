// Least privilege: what the control plane's identity may do on Azure with the roles that
// components/platform/control-plane.ts gives it, and what fails without each of them and without each action.
import { readFileSync } from "node:fs";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { controlPlaneActions, runbookActions } from "../../../components/platform/control-plane-rights.ts";
import { type Connection, connect } from "../../../controlplane/adapters/azure/connection.ts";
import { createContainerApps } from "../../../controlplane/adapters/azure/container-apps.ts";
import { createRequestRows } from "../../../controlplane/adapters/azure/request-rows.ts";
import { restartRevision, startJob } from "../../../controlplane/adapters/azure/runbooks.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import type { Apps, Requests } from "../../../controlplane/performers/rollout-ports.ts";
import { systemTime } from "../../../controlplane/runtime/clock.ts";
import type { Result } from "../../../engines/engine.ts";
import type { Incident } from "../../../engines/remediation/vocabulary.ts";
import { type CloudForTests, management, startCloudForTests } from "../../support/emulator/cloud.ts";
import { eventually } from "../../support/postgres/postgres.ts";

const authorization = "providers/Microsoft.Authorization";

describe("the control plane's identity on Azure", () => {
  const version = "api-version=2025-07-01";
  const target = { resourceGroup: "shop", app: "api" };
  const roleIds = {
    apps: "00000000-0000-4000-8000-0000000000a1",
    logs: "73c42c96-874c-492b-b04d-ab87d138a893",
    operator: "f3bd1b5c-91fa-40e7-afe7-0c11d331232c",
    reader: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    monitoring: "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
  };
  let at: CloudForTests;
  let group: string;
  let workspace: string;
  let identity: { readonly id: string; readonly clientId: string; readonly principalId: string };
  let connection: Connection;
  let apps: Apps;
  let requests: Requests;
  let stable: string;
  let idle: string;
  let asleep: string;
  const appId = (name: string): string => `${group}/providers/Microsoft.App/containerApps/${name}`;
  const settled = async (method: string, to: string, body: object): Promise<any> => {
    const reply = await at.settle(method, to, body);
    if (reply.status >= 400) throw new Error(`${method} ${to} came to ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  };

  beforeAll(async () => {
    at = await startCloudForTests();
    tls.setDefaultCACertificates([...tls.getCACertificates("default"), readFileSync(at.cloud.caFile, "utf8")]);
    const { subscription, tenant, suffix } = at.cloud;
    group = `/subscriptions/${subscription}/resourceGroups/shop`;
    workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/shop`;
    const managedEnvironmentId = `${group}/providers/Microsoft.App/managedEnvironments/shop`;
    await settled("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
    const empty = { location: "westeurope", properties: {} };
    const { customerId } = (await at.ask("PUT", `${workspace}?api-version=2023-09-01`, empty)).body.properties;
    await settled("PUT", `${managedEnvironmentId}?${version}`, {
      location: "westeurope",
      properties: { appLogsConfiguration: { destination: "azure-monitor" } },
    });
    await at.ask(
      "PUT",
      `${managedEnvironmentId}/providers/Microsoft.Insights/diagnosticSettings/logs?api-version=2021-05-01-preview`,
      { properties: { workspaceId: workspace, logs: [{ category: "ContainerAppHTTPLogs", enabled: true }] } },
    );
    const made = (
      await at.ask(
        "PUT",
        `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/control-plane?api-version=2023-01-31`,
        { location: "westeurope" },
      )
    ).body;
    identity = { id: made.id, ...made.properties };
    const put = async (
      app: string,
      traffic: readonly object[],
      release: string,
      more: object = {},
    ): Promise<string> => {
      await settled("PUT", `${appId(app)}?${version}`, {
        location: "westeurope",
        ...more,
        properties: {
          managedEnvironmentId,
          configuration: { activeRevisionsMode: "Multiple", ingress: { external: true, targetPort: 8080, traffic } },
          template: {
            containers: [{ name: "web", image: "web:1", env: [{ name: "RELEASE", value: release }] }],
            scale: { minReplicas: app === "pair" ? 2 : 1 },
          },
        },
      });
      return eventually(async () => {
        const { latestRevisionName, latestReadyRevisionName } = (await at.ask("GET", `${appId(app)}?${version}`)).body
          .properties;
        return latestRevisionName === latestReadyRevisionName && (latestRevisionName as string);
      }, `release ${release} of ${app}`);
    };
    // A replica reports its identity endpoint; the adapters then get tokens as the control plane does.
    await put("teller", [{ latestRevision: true, weight: 100 }], "1", {
      identity: { type: "UserAssigned", userAssignedIdentities: { [identity.id]: {} } },
    });
    const environment = (await at.ask("GET", `https://teller.shop.westeurope.${suffix}/environment`)).body;
    for (const name of ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"]) vi.stubEnv(name, environment[name]);
    stable = await put(target.app, [{ latestRevision: true, weight: 100 }], "1");
    [idle, asleep] = [
      await put(target.app, [{ revisionName: stable, weight: 100 }], "2"),
      await put(target.app, [{ revisionName: stable, weight: 100 }], "3"),
    ];
    await put("pair", [{ latestRevision: true, weight: 100 }], "1");
    connection = connect(
      {
        subscription,
        tenant,
        resourceManager: management,
        logs: `https://api.loganalytics.${suffix}`,
        authority: `https://login.${suffix}`,
        clientId: identity.clientId,
        requestSeconds: 1,
      },
      at.cloud.environment["BALLAST_CONNECT_TO"],
    );
    [apps, requests] = [
      createContainerApps(connection, patienceOf(1)),
      createRequestRows(connection, patienceOf(1), customerId, 0),
    ];
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    connection?.close();
    await at?.close();
  });

  /** Defines the component's custom role with these actions. */
  const define = async (actions: readonly string[]): Promise<void> => {
    const to = `${group}/${authorization}/roleDefinitions/${roleIds.apps}?api-version=2022-05-01-preview`;
    const permissions = [{ actions }];
    const properties = { roleName: "Ballast", type: "CustomRole", permissions, assignableScopes: [group] };
    expect((await at.ask("PUT", to, { properties })).status).toBeLessThan(300);
  };

  /** Gives the identity exactly these roles, each where the component assigns it, and resets the app. */
  async function arrange(...roles: readonly (keyof typeof roleIds)[]): Promise<void> {
    for (const [index, role] of (Object.keys(roleIds) as (keyof typeof roleIds)[]).entries()) {
      const scope = role === "logs" || role === "monitoring" ? workspace : group;
      const name = `00000000-0000-0000-0000-00000000000${index}`;
      const to = `${scope}/${authorization}/roleAssignments/${name}?api-version=2022-04-01`;
      await at.ask("DELETE", to);
      if (!roles.includes(role)) continue;
      const { status } = await at.ask("PUT", to, {
        properties: {
          principalId: identity.principalId,
          principalType: "ServicePrincipal",
          roleDefinitionId: `/subscriptions/${at.cloud.subscription}/${authorization}/roleDefinitions/${roleIds[role]}`,
        },
      });
      expect([role, status]).toEqual([role, 201]);
    }
    await settled("PATCH", `${appId(target.app)}?${version}`, {
      properties: { configuration: { ingress: { traffic: [{ revisionName: stable, weight: 100 }] } } },
    });
    for (const [name, verb] of [
      [idle, "activate"],
      [asleep, "deactivate"],
    ] as const)
      await at.ask("POST", `${appId(target.app)}/revisions/${name}/${verb}?${version}`);
  }

  /** Performs everything that a rollout asks of Azure, and gives each result: fine, or the reason. */
  async function tryAll(): Promise<Readonly<Record<string, string>>> {
    const never = new AbortController().signal;
    const fence = async (): Promise<boolean> => true;
    const now = Date.now();
    const weights = [
      { revision: stable, percent: 50 },
      { revision: idle, percent: 50 },
    ];
    const back = [{ revision: stable, percent: 100 }];
    const probe = { kind: "Probe", target, revision: idle, path: "/", timeoutSeconds: 2 } as const;
    const work: Readonly<Record<string, () => Promise<Result<unknown>>>> = {
      inspect: () => apps.inspect({ target }, never),
      readTraffic: () => apps.readTraffic(target, never),
      probe: () => apps.probe(probe, never),
      restarts: async () => {
        const answer = await apps.probe(probe, never);
        if (!answer.ok) return answer;
        return answer.value.restarts ? { ok: true, value: null } : { ok: false, reason: "its replicas are not shown" };
      },
      measure: () =>
        requests.measure(
          { kind: "Measure", target, canary: idle, stable, from: now - 60_000, intervalSeconds: 1 },
          now,
          never,
        ),
      shift: async () => {
        const shifted = await apps.shift(
          { kind: "ShiftTraffic", target, weights, labels: {}, overrideLock: false },
          fence,
        );
        return shifted.ok
          ? apps.shift({ kind: "ShiftTraffic", target, weights: back, labels: {}, overrideLock: false }, fence)
          : shifted;
      },
      activate: () => apps.activate({ kind: "Activate", target, revision: asleep }, fence),
      deactivate: () => apps.deactivate({ kind: "Deactivate", target, revision: idle }, fence),
    };
    const came: Record<string, string> = {};
    for (const [name, act] of Object.entries(work)) {
      const result = await act();
      came[name] = result.ok ? "fine" : result.reason;
    }
    return came;
  }

  const unread = expect.stringMatching(/AuthorizationFailed.*'Microsoft\.App\/containerApps\/(revisions\/)?read'/s);
  const unasked = expect.stringContaining("request rows cannot be read: 403 InsufficientAccessError");
  // A paged list fails with the client's own message, which does not name the missing right.
  const blind = {
    inspect: unread,
    readTraffic: unread,
    probe: unread,
    restarts: unread,
    measure: unasked,
    shift: expect.stringContaining("403 AuthorizationFailed"),
    activate: unread,
    deactivate: unread,
  };
  const may = (action: string) =>
    expect.stringMatching(new RegExp(`AuthorizationFailed.*'Microsoft\\.App/containerApps/${action}'`, "s"));
  const allFine = {
    inspect: "fine",
    readTraffic: "fine",
    probe: "fine",
    restarts: "fine",
    measure: "fine",
    shift: "fine",
    activate: "fine",
    deactivate: "fine",
  };
  const reading = {
    ...allFine,
    shift: may("write"),
    activate: may("revisions/activate/action"),
    deactivate: may("revisions/deactivate/action"),
  };

  test.each<readonly [string, readonly (keyof typeof roleIds)[], object]>([
    ["both of its roles does everything that a rollout asks", ["apps", "logs"], allFine],
    ["no role does nothing", [], blind],
    [
      "Log Analytics Reader alone measures, and can neither see nor move the app",
      ["logs"],
      { ...blind, measure: "fine" },
    ],
    [
      "its role at the apps alone moves traffic blindly: it measures nothing",
      ["apps"],
      { ...allFine, measure: unasked },
    ],
    [
      "Container Apps Operator in place of its role at the apps wakes revisions, and cannot move traffic",
      ["operator", "logs"],
      { ...allFine, shift: may("write") },
    ],
    ["Reader in place of its role at the apps looks on", ["reader", "logs"], reading],
    ["Monitoring Reader in place of Log Analytics Reader measures too", ["apps", "monitoring"], allFine],
  ])("with %s", async (_what, roles, expected) => {
    await define(controlPlaneActions);
    await arrange(...roles);
    const came = await tryAll();
    expect(came).toEqual(expected);
    expect(JSON.stringify(came)).not.toContain("eyJ");
  });

  const without: Readonly<Record<(typeof controlPlaneActions)[number], object>> = {
    "Microsoft.App/containerApps/read": {
      inspect: unread,
      readTraffic: unread,
      shift: may("read"),
      deactivate: unread,
    },
    "Microsoft.App/containerApps/write": { shift: may("write") },
    "Microsoft.App/containerApps/revisions/read": {
      ...blind,
      inspect: expect.stringContaining("403 AuthorizationFailed"),
      measure: "fine",
    },
    "Microsoft.App/containerApps/revisions/activate/action": { activate: may("revisions/activate/action") },
    "Microsoft.App/containerApps/revisions/deactivate/action": { deactivate: may("revisions/deactivate/action") },
    "Microsoft.App/containerApps/revisions/replicas/read": { restarts: "its replicas are not shown" },
  };
  test.each(controlPlaneActions)(
    "without %s one thing or more fails that a rollout needs, and no other",
    async (removed) => {
      await define(controlPlaneActions.filter((action) => action !== removed));
      await arrange("apps", "logs");
      expect(await tryAll()).toEqual({ ...allFine, ...without[removed] });
    },
  );

  const putJob = (): Promise<unknown> =>
    settled("PUT", `${group}/providers/Microsoft.App/jobs/tool?${version}`, {
      location: "westeurope",
      properties: {
        environmentId: `${group}/providers/Microsoft.App/managedEnvironments/shop`,
        configuration: { triggerType: "Manual", replicaTimeout: 60, replicaRetryLimit: 0 },
        template: { containers: [{ name: "tool", image: "web:1" }] },
      },
    });

  /** Carries out the runbooks that Azure itself carries out, and gives each result: fine, or the reason. */
  async function tryRunbooks(key: string): Promise<Readonly<Record<string, string>>> {
    await putJob();
    const cloud = { ...connection, patience: patienceOf(1) };
    const never = new AbortController().signal;
    const incident = { target: "app/shop/pair", alert: { id: "a", rule: "failing" }, message: "failing" } as Incident;
    const runbooks = {
      restart: { port: restartRevision(cloud), rung: { runbook: "restart-revision", approval: "none" } },
      job: {
        port: startJob(cloud, systemTime, Date.now),
        rung: { runbook: "start-job", approval: "none", job: "tool" },
      },
    } as const;
    const came: Record<string, string> = {};
    for (const [name, { port, rung }] of Object.entries(runbooks)) {
      const planned = await port.plan(incident.target, rung, incident, never);
      const refusal = planned.ok ? planned.value.message : planned.reason;
      came[`${name} planned`] = planned.ok && planned.value.fits ? "fine" : refusal;
      const effect = { kind: "Act", target: incident.target, rung, key, since: 0, drill: false, incident } as const;
      const acted = await port.act(effect, async () => true);
      came[name] = acted.ok ? "fine" : acted.reason;
      const halted = await port.halt?.({ ...effect, kind: "Halt", follow: undefined }, async () => true);
      if (halted !== undefined) came[`${name} halted`] = halted.ok ? "fine" : halted.reason;
    }
    return came;
  }

  const tried = ["restart planned", "restart", "job planned", "job", "job halted"];
  const bothRun = Object.fromEntries(tried.map((each) => [each, "fine"]));
  const mayRun = (action: string) =>
    expect.stringMatching(new RegExp(`AuthorizationFailed.*'Microsoft\\.App/jobs/${action}'`, "s"));
  const withoutRunbook: Readonly<Record<(typeof runbookActions)[number], object>> = {
    "Microsoft.App/containerApps/revisions/restart/action": { restart: may("revisions/restart/action") },
    "Microsoft.App/jobs/read": { "job planned": mayRun("read"), job: mayRun("read") },
    "Microsoft.App/jobs/start/action": { job: mayRun("start/action") },
    "Microsoft.App/jobs/executions/read": {
      job: expect.stringContaining("the executions of tool cannot be read: 403"),
      "job halted": expect.stringContaining("the executions of tool cannot be read: 403"),
    },
    "Microsoft.App/jobs/stop/execution/action": { "job halted": mayRun("stop/execution/action") },
  };
  test.each(["none", ...runbookActions] as const)(
    "without %s of the actions for runbooks, no other runbook fails than those that need it",
    async (removed) => {
      await define([...controlPlaneActions, ...runbookActions].filter((action) => action !== removed));
      await arrange("apps", "logs");
      const failing = removed === "none" ? {} : withoutRunbook[removed];
      expect(await tryRunbooks(`remediation/app/shop/pair/a#${removed}`)).toEqual({ ...bothRun, ...failing });
    },
  );

  test("the actions of releases alone carry no runbook out", async () => {
    await define(controlPlaneActions);
    await arrange("apps", "logs");
    expect(await tryRunbooks("remediation/app/shop/pair/a#releases")).toEqual({
      "restart planned": "fine",
      restart: may("revisions/restart/action"),
      "job planned": mayRun("read"),
      job: expect.stringContaining("403"),
      "job halted": expect.stringContaining("403"),
    });
  });

  test("the control plane's role neither reads secrets nor deletes, and has no wildcard", async () => {
    await define([...controlPlaneActions, ...runbookActions]);
    await arrange("apps", "logs");
    await putJob();
    const { access_token: token } = (await (
      await fetch(
        `${process.env["IDENTITY_ENDPOINT"]}?resource=${encodeURIComponent("https://management.azure.com/")}` +
          `&api-version=2019-08-01&client_id=${identity.clientId}`,
        { headers: { "x-identity-header": process.env["IDENTITY_HEADER"]! } },
      )
    ).json()) as { readonly access_token: string };
    for (const [method, to] of [
      ["POST", `${appId(target.app)}/listSecrets?${version}`],
      ["DELETE", `${appId(target.app)}?${version}`],
      ["POST", `${appId(target.app)}/stop?${version}`],
      ["DELETE", `${group}/providers/Microsoft.App/jobs/tool?${version}`],
      ["POST", `${group}/providers/Microsoft.App/jobs/tool/listSecrets?${version}`],
      ["POST", `${group}/providers/Microsoft.App/jobs/tool/stop?${version}`],
    ] as const)
      expect([to, (await at.ask(method, to, undefined, { token })).status]).toEqual([to, 403]);
    const all = [...controlPlaneActions, ...runbookActions];
    expect(all.filter((action) => /\*|secret|delete/i.test(action))).toEqual([]);
  });
});
