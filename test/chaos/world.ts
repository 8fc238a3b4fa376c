// What chaos is let loose on: the stand-in with apps and their users, a real PostgreSQL, and two control planes as processes.
// Knows how each of these is hurt, not when: that is main.ts, and what must hold all the same is laws.ts.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import https from "node:https";
import { createInterface } from "node:readline";
import { setTimeout as nap } from "node:timers/promises";
import { httpsAgent, parseConnectTo } from "../../connect-to.ts";
import type pg from "pg";
import { openPool, type Database } from "../../controlplane/adapters/postgres/connection.ts";
import { defaultLimits } from "../../controlplane/engines/rollout/plan.ts";
import { openShop, type Shop } from "../support/azure-shop.ts";
import { startPostgres } from "../../toolchain/postgres.ts";

export const leaseSeconds = 4, requestSeconds = 2;
export const apps = ["amber", "birch", "cedar"] as const;
export type App = (typeof apps)[number];

const pace = { weights: [50], bakeSeconds: 2, warmUpSeconds: 0, tickSeconds: 1, probeSeconds: 1, smokeSeconds: 20, maximumSeconds: 600 };
// So that a step needs no more requests than a small machine's users can send it.
const limits = { ...defaultLimits, failurePointsMax: 20, ceilingPercent: 90, ceilingRequests: 10, probeFailuresMax: 8, stableFailurePercentMax: 40 };

/** One control plane, as its platform sees it. */
export interface Plane {
  readonly name: string;
  child: ChildProcess;
  endpoint: string;
}

export interface World {
  readonly shop: Shop;
  readonly planes: readonly Plane[];
  /** The revision with which each app begins. */
  readonly first: ReadonlyMap<App, string>;
  readonly pool: pg.Pool;
  readonly call: (method: string, path: string, body?: object) => Promise<{ readonly status: number; readonly body: any }>;
  readonly startPlane: (plane: Plane) => Promise<void>;
  readonly requestRollout: (app: App, revision: string, release: string) => Promise<void>;
  readonly traffic: (app: App) => Promise<readonly { readonly revisionName: string; readonly weight: number }[]>;
  readonly setTraffic: (app: App, traffic: readonly object[]) => Promise<void>;
  /** Requests that users sent so far, and those that got no answer at all. */
  readonly users: { sent: number; unanswered: number };
  readonly close: () => Promise<void>;
}

/** Brings everything up: each app serves its first revision, and users come. */
export async function openWorld(): Promise<World> {
  const postgres = await startPostgres(), shop = await openShop();
  const database: Database = { host: postgres.host, port: postgres.port, user: postgres.user, password: postgres.password, name: "postgres", tls: "disable" };
  const pool = openPool(database, () => {});
  const first = new Map<App, string>();
  for (const app of apps) first.set(app, await shop.release("1", [{ latestRevision: true, weight: 100 }], app));
  const planes: Plane[] = [], closing = new AbortController(), users = { sent: 0, unanswered: 0 };
  const startPlane = async (plane: Plane): Promise<void> => {
    plane.child = spawn(process.execPath, ["controlplane/functions/main.ts"], { stdio: ["ignore", "pipe", "inherit"], env: environmentOf(shop, database, plane.name) });
    plane.endpoint = await startedAt(plane.child);
  };
  for (const name of ["one", "two"]) {
    const plane = { name } as Plane;
    planes.push(plane);
    await startPlane(plane);
  }
  const call = caller(shop, planes);
  // Whoever looks while the cloud refuses looks again.
  const configurationOf = async (app: App) => {
    for (const deadline = performance.now() + 30_000; performance.now() < deadline; await nap(200)) {
      const shown = (await shop.arm("GET", idOf(shop, app)).catch(() => undefined))?.body?.properties?.configuration;
      if (shown !== undefined) return shown;
    }
    throw new Error(`the cloud did not show ${app} in 30 s`);
  };
  const traffic: World["traffic"] = async (app) => (await configurationOf(app)).ingress.traffic.filter(({ weight }: any) => weight > 0).map((entry: any) => ({ revisionName: entry.revisionName ?? first.get(app), weight: entry.weight }));
  const coming = apps.map(async (app) => visit(shop, (await configurationOf(app)).ingress.fqdn, users, closing.signal));
  return {
    shop, planes, first, pool, call, startPlane, traffic, users,
    setTraffic: async (app, wanted) => void (await shop.arm("PATCH", idOf(shop, app), { properties: { configuration: { ingress: { traffic: wanted } } } })),
    requestRollout: async (app, revision, release) => {
      const { status, body } = await call("PUT", `/rollouts/shop/${app}/${revision}`, { release, pace, limits, probePath: "/health/ready" });
      if (status !== 200 && status !== 202) throw new Error(`${revision} was refused with ${status}: ${JSON.stringify(body)}`);
    },
    close: async () => {
      closing.abort();
      await Promise.all(coming);
      for (const { child } of planes) child.kill("SIGKILL");
      await pool.end().catch(() => undefined);
      await shop.close();
      await postgres.stop();
    },
  };
}

const idOf = ({ cloud }: Shop, app: string): string => `/subscriptions/${cloud.subscription}/resourceGroups/shop/providers/Microsoft.App/containerApps/${app}`;

function environmentOf({ cloud, settings, workspace }: Shop, database: Database, name: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"], BALLAST_CONNECT_TO: cloud.environment["BALLAST_CONNECT_TO"], NODE_EXTRA_CA_CERTS: cloud.caFile,
    BALLAST_SUBSCRIPTION: cloud.subscription, BALLAST_TENANT: cloud.tenant, BALLAST_AUDIENCE: "api://ballast", BALLAST_INVENTORY: JSON.stringify(apps.map((app) => ({ resourceGroup: "shop", app }))), BALLAST_WORKSPACE: workspace,
    BALLAST_RESOURCE_MANAGER: settings.resourceManager, BALLAST_LOGS: settings.logs, AZURE_AUTHORITY_HOST: settings.authority, AZURE_CLIENT_ID: settings.clientId, AZURE_CLIENT_SECRET: settings.clientSecret,
    BALLAST_DATABASE_HOST: database.host, BALLAST_DATABASE_PORT: String(database.port), BALLAST_DATABASE_NAME: database.name, BALLAST_DATABASE_USER: database.user, BALLAST_DATABASE_PASSWORD: database.password as string, BALLAST_DATABASE_TLS: "disable",
    BALLAST_LEASE_SECONDS: String(leaseSeconds), BALLAST_REQUEST_SECONDS: String(requestSeconds), BALLAST_INGESTION_SECONDS: "1", PORT: "0", CONTAINER_APP_REPLICA_NAME: `plane-${name}`,
  };
}

async function startedAt(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const said = JSON.parse(line) as { what: string; address?: { port: number } };
    if (said.what !== "started") continue;
    child.stdout!.resume();
    return `http://127.0.0.1:${said.address!.port}`;
  }
  throw new Error(`a control plane ended before it had started, with ${child.exitCode ?? child.signalCode}`);
}

/** Asks one control plane after the other until one answers, as a caller behind an ingress does; a refusal is an answer, trouble is not. */
const caller = (shop: Shop, planes: readonly Plane[]): World["call"] => async (method, path, body) => {
  const token = (await shop.connection.credential.getToken("api://ballast/.default"))!.token;
  for (let attempt = 0; attempt < 120; attempt++) {
    const plane = planes[attempt % planes.length]!;
    const answer = await fetch(`${plane.endpoint}${path}`, { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, signal: AbortSignal.timeout(3000), ...(body && { body: JSON.stringify(body) }) }).catch(() => undefined);
    if (answer !== undefined && answer.status < 500 && !(method === "PUT" && answer.status === 409)) return { status: answer.status, body: await answer.json().catch(() => undefined) };
    await nap(250);
  }
  throw new Error(`no control plane answered ${method} ${path} for half a minute`);
};

/** Users of an app: one request each 40 ms, sent when it is due whatever became of those before. */
async function visit({ cloud }: Shop, host: string, users: World["users"], end: AbortSignal): Promise<void> {
  const agent = httpsAgent(parseConnectTo(cloud.environment["BALLAST_CONNECT_TO"]!));
  while (!end.aborted) {
    users.sent++;
    const request = https.get(`https://${host}/`, { agent, timeout: 10_000 }, (response) => void response.resume()).on("error", () => { if (!end.aborted) users.unanswered++; });
    void once(request, "close");
    await nap(40, undefined, { signal: end }).catch(() => undefined);
  }
  agent.destroy();
}
