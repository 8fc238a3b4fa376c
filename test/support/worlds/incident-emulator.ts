// The cloud of incident scenarios for real: rules of the emulator fire on rows and resolve, the alerts are read through
// the alerts API, restarts and jobs are those of Container Apps, and request rows say whether an action helped; all
// through the shipped adapters. The clock is virtual: the emulator's jumps with it. Runbooks that ask other kinds of
// work, and what scenarios say about budgets and other work, stay plain objects.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createAlerts } from "../../../controlplane/adapters/azure/alerts.ts";
import { restartRevision, startJob } from "../../../controlplane/adapters/azure/runbooks.ts";
import { createSymptoms } from "../../../controlplane/adapters/azure/symptoms.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import type { Alerts, RunbookPort } from "../../../controlplane/performers/remediation-ports.ts";
import { systemTime } from "../../../controlplane/runtime/clock.ts";
import { minuteRule } from "../../../demo/remediation/minute-rule.ts";
import { startEmulator } from "../../../emulator/start.ts";
import { appsShowing } from "../../../engines/remediation/targets.ts";
import type { RunbookName } from "../../../engines/remediation/vocabulary.ts";
import { after, type Instant } from "../../../engines/time.ts";
import { openShop, requestSeconds, type Shop } from "../emulator/azure-shop.ts";
import { eventually } from "../postgres/postgres.ts";
import { type IncidentScenario, isDuring, minute } from "./incident-scenario.ts";
import {
  badPercentAt,
  endlessJob,
  type IncidentPorts,
  isMissing,
  notEnded,
  note,
  sightingsOf,
  type World,
} from "./incident-truth.ts";
import type { OpenCloud } from "./incident-world.ts";

/** What a scenario may ask for that this cloud cannot have, and why. */
export const notStaged: Readonly<
  Record<string, { readonly why: string; readonly isAsked: (of: IncidentScenario) => boolean }>
> = {
  "an alert of another kind": {
    why: "the emulator evaluates log and metric rules only; parse-alert.test.ts reads Microsoft's samples of all kinds",
    isAsked: ({ alerts }) => alerts.some(({ kind }) => kind !== "log"),
  },
  "an alert from the future": {
    why: "alerts and control plane have one clock here",
    isAsked: ({ alerts }) => alerts.some(({ aheadMinutes }) => aheadMinutes > 0),
  },
  "an app that cannot be read": {
    why: "adapters/unread-app.test.ts has the answers of Azure to its reads",
    isAsked: ({ missing }) => missing.some(({ what }) => what === "app"),
  },
  "a restart or a job that does not fit": {
    why: "the apps have two replicas, and the jobs exist; adapters/remediation.test.ts has apps of one replica",
    isAsked: ({ unfit }) => real.some((runbook) => unfit[runbook] !== undefined),
  },
};

const real: readonly RunbookName[] = ["restart-revision", "start-job"];
const apps = ["web", "cart"] as const;
const jobs = ["warm-cache", "drop-cache"] as const;
const patience = patienceOf(requestSeconds);

/** Opens the emulator with what the scenarios need, and gives the cloud of each run. */
export async function openIncidentShop(): Promise<{ readonly cloud: OpenCloud; readonly close: () => Promise<void> }> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ballast-tool-"));
  writeFileSync(path.join(folder, "main.mjs"), "if (process.env.ENDLESS) setInterval(() => undefined, 1000);");
  const shop = await openShop((options) =>
    startEmulator({ ...options, images: { ...options.images, tool: { folder, entry: "main.mjs" } } }),
  );
  await shop.arm("POST", "/_emulator/clock", { at: longAgo });
  await putResources(shop);
  return {
    cloud: (world, plain) => openRun(shop, world, plain),
    close: async () => {
      await shop.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The apps are older than any alert. */
const longAgo: Instant = Date.parse("2020-01-01T00:00:00Z");

const groupOf = ({ cloud }: Shop): string => `/subscriptions/${cloud.subscription}/resourceGroups/shop`;

/** Puts apps of two replicas, which a restart leaves with capacity, jobs that end well, and one that never ends. */
async function putResources(shop: Shop): Promise<void> {
  const provider = providerOf(shop);
  for (const app of apps) await putApp(shop, app);
  for (const job of [...jobs, endlessJob])
    await shop.arm("PUT", `${provider}/jobs/${job}`, {
      location: "westeurope",
      properties: {
        environmentId: `${provider}/managedEnvironments/shop`,
        configuration: { triggerType: "Manual", replicaTimeout: 1800, replicaRetryLimit: 0 },
        template: {
          containers: [
            {
              name: "tool",
              image: "registry.example/tool:1",
              env: job === endlessJob ? [{ name: "ENDLESS", value: "1" }] : [],
            },
          ],
        },
      },
    });
  for (const app of apps) await bothRun(shop, app);
}

const providerOf = (shop: Shop): string => `${groupOf(shop)}/providers/Microsoft.App`;

const putApp = (shop: Shop, app: string): Promise<unknown> =>
  shop.arm("PUT", `${providerOf(shop)}/containerApps/${app}`, {
    location: "westeurope",
    properties: {
      managedEnvironmentId: `${providerOf(shop)}/managedEnvironments/shop`,
      configuration: { ingress: { external: true, targetPort: 8080 } },
      template: {
        revisionSuffix: "1",
        containers: [{ name: "app", image: "registry.example/storefront:1" }],
        scale: { minReplicas: 2, maxReplicas: 2 },
      },
    },
  });

async function deleteApp(shop: Shop, app: string): Promise<void> {
  const id = `${providerOf(shop)}/containerApps/${app}`;
  await shop.arm("DELETE", id);
  await eventually(async () => (await shop.arm("GET", id)).status === 404, `${app} to be deleted`);
}

/** Waits for both replicas of an app: processes take real time to start, which the virtual clock does not show. */
const bothRun = async (shop: Shop, app: string): Promise<unknown> =>
  eventually(async () => {
    const { containerApps, containerAppsRevisionReplicas } = shop.connection.apps;
    if ((await containerApps.get("shop", app)).latestReadyRevisionName !== `${app}--1`) return false;
    const { value = [] } = await containerAppsRevisionReplicas.listReplicas("shop", app, `${app}--1`);
    return value.length === 2 && value.every(({ runningState }) => runningState === "Running");
  }, `two replicas of ${app} to run`);

/** How long before a scenario's beginning its first alert may have fired. */
const earlierMinutes = 100;

/** Opens the cloud of one run. Each run begins days after the one before, so that no list of alerts reaches back. */
async function openRun(shop: Shop, world: World, plain: IncidentPorts): ReturnType<OpenCloud> {
  const { scenario, now } = world;
  let shown = minute(scenario, -earlierMinutes);
  let judgedTo = shown;
  await shop.arm("DELETE", "/_emulator/rows");
  await shop.arm("POST", "/_emulator/clock", { at: shown });
  const rules = new Map(scenario.alerts.map(({ rule, severity }) => [rule, severity]));
  for (const [rule, severity] of rules) await putRule(shop, rule, severity);
  const deleted = new Set<string>();
  const makeAgain = async (app: string): Promise<void> => {
    if (!deleted.delete(app)) return;
    await putApp(shop, app);
    await bothRun(shop, app);
  };
  const deleteAndMake = async (): Promise<void> => {
    for (const span of scenario.gone) {
      const app = nameOf(span.target);
      if (!isDuring(scenario, span, now())) await makeAgain(app);
      else if (!deleted.has(app)) await deleteApp(shop, app).then(() => deleted.add(app));
    }
  };
  /** Sets the emulator's clock to now, with the rows on which its rules fire in each minute up to now. */
  const sync = async (): Promise<void> => {
    if (now() === shown) return;
    shown = now();
    const rows: object[] = [];
    for (; after(judgedTo, 60) <= shown; judgedTo = after(judgedTo, 60))
      rows.push(...signsAt(world, after(judgedTo, 60)));
    await putRows(shop, rows);
    await shop.arm("POST", "/_emulator/clock", { at: shown });
    await deleteAndMake();
  };
  const close = async (): Promise<void> => {
    await deleteRules(shop, [...rules.keys()]);
    await shop.arm("POST", "/_emulator/clock", { at: longAgo });
    for (const app of [...deleted]) await makeAgain(app);
  };
  return { ports: portsOf(shop, world, plain, sync), close };
}

const nameOf = (target: string): string => target.split("/").at(-1)!;

const ruleOf = (shop: Shop, rule: string): string =>
  `${groupOf(shop)}/providers/Microsoft.Insights/scheduledQueryRules/${rule}`;
const ruleVersion = "2025-01-01-preview";

/** Puts a rule that fires in each minute that has a sign of it, and resolves in the first that has none. */
async function putRule(shop: Shop, rule: string, severity: number): Promise<void> {
  const workspaceId = `${groupOf(shop)}/providers/Microsoft.OperationalInsights/workspaces/shop`;
  const query = `ContainerAppHTTPLogs | where Path == "/signs/${rule}" | project ContainerAppName`;
  const wanted = minuteRule(workspaceId, query, severity);
  const { status, body } = await shop.arm("PUT", ruleOf(shop, rule), wanted, ruleVersion);
  if (status >= 300) throw new Error(`The rule ${rule} was refused: ${JSON.stringify(body)}`);
}

async function deleteRules(shop: Shop, rules: readonly string[]): Promise<void> {
  for (const rule of rules) await shop.arm("DELETE", ruleOf(shop, rule), undefined, ruleVersion);
}

/** Gives a row for each alert that is fired at a minute. It is no request of a user: its host is a revision's own. */
const signsAt = (world: World, at: Instant): readonly object[] =>
  sightingsOf(world, at)
    .filter(({ resolvedAt }) => resolvedAt === null)
    .map(({ rule, target }) => {
      const app = target === null ? "unheard-of" : nameOf(target);
      return { ContainerAppName: app, Authority: `${app}--1`, Path: `/signs/${rule}`, StatusCode: 200, at: at - 1 };
    });

async function putRows(shop: Shop, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return;
  const kept = rows.map(({ at, ...row }: any) => ({
    TenantId: shop.workspace,
    TimeGenerated: at,
    visibleAt: at,
    ...row,
  }));
  const { status, body } = await shop.arm("POST", "/_emulator/rows", { rows: kept });
  if (status !== 200) throw new Error(`The emulator refused the rows: ${JSON.stringify(body)}`);
}

/** Joins the shipped adapters to the emulator; what a scenario says cannot be read, or fails, does so before them. */
function portsOf(shop: Shop, world: World, plain: IncidentPorts, sync: () => Promise<void>): IncidentPorts {
  const { connection, settings, cloud, workspace } = shop;
  const { scenario, now } = world;
  const alerts = createAlerts({
    connection,
    patience,
    resourceManager: settings.resourceManager,
    subscription: cloud.subscription,
    graph: scenario.graph,
    policies: scenario.policies,
    now,
    log: () => undefined,
  });
  const symptoms = createSymptoms(connection, patience, workspace, 0, { objectives: [], targets: scenario.graph });
  const rowsTo = new Map<string, Instant>();
  /** Puts the requests of whole minutes since an action, up to now. */
  const putRequests = async (target: string, from: Instant): Promise<void> => {
    const rows: object[] = [];
    let at = rowsTo.get(`${target} ${from}`) ?? from;
    for (; after(at, 60) <= now(); at = after(at, 60)) rows.push(...requestsIn(world, target, at));
    rowsTo.set(`${target} ${from}`, at);
    await putRows(shop, rows);
  };
  const own = { ...connection, patience };
  return {
    ...plain,
    alerts: { list: listedOnce(world, plain.alerts, { list: (...asked) => sync().then(() => alerts.list(...asked)) }) },
    symptoms: {
      ...plain.symptoms,
      rows: async (effect, moment, cancel) => {
        if (isMissing(world, "rows")) return plain.symptoms.rows(effect, moment, cancel);
        await sync();
        for (const app of appsShowing(effect.target, scenario.graph)) await putRequests(app, effect.from);
        return symptoms.rows(effect, moment, cancel);
      },
    },
    runbooks: {
      ...plain.runbooks,
      "restart-revision": joined(shop, world, "restart-revision", restartRevision(own), sync),
      "start-job": joined(shop, world, "start-job", jobOf(own, now), sync),
    },
  };
}

/** Lists alerts once for each moment: several ask at the same one, and the rules are evaluated between two. */
function listedOnce(world: World, plain: Alerts, shipped: Alerts): Alerts["list"] {
  let known: { readonly of: string; readonly answer: ReturnType<Alerts["list"]> } | undefined;
  return (since) => {
    if (isMissing(world, "alerts")) return plain.list(since, uncut);
    const of = `${world.now()} ${since}`;
    if (known?.of !== of) known = { of, answer: shipped.list(since, uncut) };
    return known.answer;
  };
}

const uncut = new AbortController().signal;

/** The requests of one minute to an app, as its scenario has them: first the bad ones. */
function requestsIn(world: World, target: string, from: Instant): readonly object[] {
  const perMinute = world.scenario.symptoms[target]?.rowsPerMinute ?? 600;
  const bad = Math.round((perMinute * badPercentAt(world, target, from)) / 100);
  const app = nameOf(target);
  return Array.from({ length: perMinute }, (_, index) => ({
    ContainerAppName: app,
    Authority: `${app}.example.test`,
    Path: "/",
    StatusCode: index < bad ? 500 : 200,
    at: from + Math.floor((index * 60_000) / perMinute),
  }));
}

/** A job whose end is looked for once in each call: the virtual clock goes on only while none is under way. */
function jobOf(own: Parameters<typeof startJob>[0], now: () => Instant): RunbookPort {
  const follow: RunbookPort["follow"] = async (effect) => {
    const cut = new AbortController();
    const lookOnce = startJob(own, { ...systemTime, nap: async () => cut.abort() }, now);
    const ended = await lookOnce.follow!(effect, cut.signal);
    return ended.ok ? ended : notEnded(ended.reason, effect.until, now());
  };
  return { ...startJob(own, systemTime, now), follow };
}

/** A runbook of Container Apps that notes what it did, and answers or fails as its scenario says. */
function joined(
  shop: Shop,
  world: World,
  runbook: RunbookName,
  port: RunbookPort,
  sync: () => Promise<void>,
): RunbookPort {
  const { failing, lostAnswers } = world.scenario;
  const settled = async (target: string): Promise<void> => {
    if (runbook === "restart-revision") await bothRun(shop, nameOf(target));
    else await jobsEnded(shop);
  };
  return {
    ...port,
    plan: async (...asked) => {
      await sync();
      return port.plan(...asked);
    },
    act: async (effect, fence) => {
      const why = failing[runbook];
      if (why !== undefined) return { ok: false, reason: why };
      await sync();
      const done = await port.act(effect, fence);
      if (!done.ok) return done;
      await settled(effect.target);
      const isFirst = await note(world, effect.key, { target: effect.target, runbook });
      return isFirst && lostAnswers.includes(runbook) ? { ok: false, reason: "no answer" } : done;
    },
    ...(port.halt && {
      halt: async (effect, fence) => {
        if (failing.halt !== undefined) return { ok: false, reason: failing.halt };
        await sync();
        const done = await port.halt!(effect, fence);
        if (done.ok) await note(world, `halt ${effect.key}`, { target: effect.target, runbook: "halt" });
        return done;
      },
    }),
    ...(port.undo && {
      undo: async (effect, fence) => {
        if (failing.undo !== undefined) return { ok: false, reason: failing.undo };
        await sync();
        const done = await port.undo!(effect, fence);
        if (!done.ok) return done;
        await settled(effect.target);
        await note(world, `undo ${effect.key}`, { target: effect.target, runbook: "undo" });
        return done;
      },
    }),
  };
}

/** Waits until no execution of a job runs, so that the virtual clock need not wait for a real process. */
const jobsEnded = async (shop: Shop): Promise<unknown> =>
  eventually(async () => {
    for (const job of jobs)
      for await (const { status } of shop.connection.apps.jobsExecutions.list("shop", job))
        if (status !== "Succeeded") return false;
    return true;
  }, "the jobs to end");
