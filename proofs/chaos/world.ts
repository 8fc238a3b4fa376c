// The world of the chaos run: the emulator with apps and their users, a real PostgreSQL, and two control planes, each
// in a process of its own. This file starts them and gives access to them. main.ts and the tests of single deaths
// inject the faults; laws.ts says what must hold.
import https from "node:https";
import { setTimeout as nap } from "node:timers/promises";
import type pg from "pg";
import { httpsAgent, parseConnectTo } from "../../connect-to.ts";
import { type Database, openPool } from "../../controlplane/adapters/postgres/connection.ts";
import { defaultThresholds } from "../../engines/rollout/plan.ts";
import { type PlaneProcess, startPlane } from "../../test/support/controlplane/plane.ts";
import { openShop, type Shop } from "../../test/support/emulator/azure-shop.ts";
import { type CloudProcess, startCloudProcess } from "../../test/support/emulator/cloud-process.ts";
import { startPostgres } from "../../toolchain/postgres.ts";

export const leaseSeconds = 4;
export const requestSeconds = 2;
export const apps = ["amber", "birch", "cedar"] as const;
export type App = (typeof apps)[number];

const strategy = {
  weights: [50],
  bakeSeconds: 2,
  warmUpSeconds: 0,
  intervalSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 20,
  maximumSeconds: 600,
};
// With these a step needs no more requests than users can send on a small
// machine, and occasional slowness is no evidence.
const thresholds = {
  ...defaultThresholds,
  oddsTolerated: 10,
  slowdownTolerated: 10,
  failurePointsMax: 20,
  ceilingPercent: 90,
  ceilingRequests: 10,
  probeFailuresMax: 8,
  stableFailurePercentMax: 40,
};

/** One control plane as its platform sees it: a name, and the process that currently runs under it. */
export type Plane = { readonly name: string } & { -readonly [key in keyof PlaneProcess]: PlaneProcess[key] };

/** Everything that runs, and how to reach it. */
export interface World {
  readonly shop: Shop;
  /** The emulator's process; after a kill it restarts with the state that it saved. */
  readonly emulator: CloudProcess;
  readonly planes: readonly Plane[];
  /** The first revision of each app. */
  readonly first: ReadonlyMap<App, string>;
  readonly database: Database;
  readonly pool: pg.Pool;
  readonly call: (
    method: string,
    path: string,
    body?: object,
    // biome-ignore lint/suspicious/noExplicitAny: the callers check what they read from the answer
  ) => Promise<{ readonly status: number; readonly body: any }>;
  /** Starts one more control plane. */
  readonly addPlane: () => Promise<void>;
  /** Starts a control plane whose process is dead. */
  readonly startAgain: (plane: Plane) => Promise<void>;
  readonly requestRollout: (app: App, revision: string, release: string, bakeSeconds?: number) => Promise<void>;
  readonly traffic: (app: App) => Promise<readonly { readonly revisionName: string; readonly weight: number }[]>;
  readonly setTraffic: (app: App, traffic: readonly object[]) => Promise<void>;
  /** Sends an app one request as a user and gives the status; 0 if there is no answer. */
  readonly visit: (app: App) => Promise<number>;
  readonly users: Users;
  readonly close: () => Promise<void>;
}

/** The users of all apps: how many requests they have sent, and how many of them got no answer. */
export interface Users {
  sent: number;
  unanswered: number;
  /** While it is true, they send nothing. */
  away: boolean;
}

/** When the emulator was dead or some of its replicas were. No release is to blame for requests that failed then. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/** Kills the emulator, restarts it after a while, and waits until its replicas are back. */
export async function cloudDies(world: World, milliseconds: number): Promise<Outage> {
  const from = Date.now();
  await world.emulator.kill();
  await nap(milliseconds);
  await cloudReturns(world);
  return { from, to: Date.now() };
}

/** Restarts the emulator, and waits until its replicas are back. */
export async function cloudReturns({ emulator, shop }: World): Promise<void> {
  await emulator.revive();
  for (const deadline = performance.now() + 60_000; performance.now() < deadline; await nap(100)) {
    const { processes } = (await shop.arm("GET", "/_emulator/processes")).body as {
      processes: readonly { ready: boolean }[];
    };
    if (processes.every(({ ready }) => ready)) return;
  }
  throw new Error("The emulator did not get its replicas back within a minute.");
}

/** Options of `openWorld`; the chaos run uses the defaults. */
export interface WorldOptions {
  /** @default all */
  readonly apps?: readonly App[];
  /** How many control planes there are at first. @default 2 */
  readonly planes?: number;
  /** Further settings of the control planes. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Where PostgreSQL keeps its files. @default the temporary folder */
  readonly postgresFolder?: string;
  /** Puts a proxy between the control planes and their database, and gives its address. */
  readonly between?: (database: Database) => Promise<Database>;
}

/** Starts everything: each app serves its first revision, and users send requests. */
export async function openWorld({
  apps: here = apps,
  planes: count = 2,
  variables = {},
  postgresFolder,
  between,
}: WorldOptions = {}): Promise<World> {
  let emulator: CloudProcess;
  const postgres = await startPostgres(postgresFolder === undefined ? {} : { folder: postgresFolder });
  const shop = await openShop(async (options) => {
    emulator = await startCloudProcess(options);
    return emulator;
  });
  const database: Database = {
    host: postgres.host,
    port: postgres.port,
    user: postgres.user,
    password: postgres.password,
    name: "postgres",
    tls: "disable",
  };
  const seenByPlanes = (await between?.(database)) ?? database;
  const pool = openPool(database, () => {});
  const first = new Map<App, string>();
  for (const app of here) first.set(app, await shop.release("1", [{ latestRevision: true, weight: 100 }], app));
  const { planes, addPlane, startAgain } = openPlanes(shop, seenByPlanes, here, variables);
  while (planes.length < count) await addPlane();
  const call = caller(shop, planes);
  const { visit, users, close: closeUsers } = await openUsers(shop, here);
  return {
    shop,
    emulator: emulator!,
    planes,
    first,
    database,
    pool,
    call,
    addPlane,
    startAgain,
    traffic: async (app) =>
      (await ingressOf(shop, app)).traffic
        .filter(({ weight }) => weight > 0)
        .map(({ revisionName = first.get(app)!, weight }) => ({ revisionName, weight })),
    visit,
    users,
    setTraffic: async (app, wanted) =>
      void (await shop.arm("PATCH", idOf(shop, app), {
        properties: { configuration: { ingress: { traffic: wanted } } },
      })),
    requestRollout: async (app, revision, release, bakeSeconds = strategy.bakeSeconds) => {
      const { status, body } = await call("PUT", `/rollouts/shop/${app}/${revision}`, {
        release,
        strategy: { ...strategy, bakeSeconds },
        thresholds,
        probePath: "/health/ready",
      });
      if (status !== 200 && status !== 202)
        throw new Error(`The control plane refused ${revision} with ${status}: ${JSON.stringify(body)}`);
    },
    close: async () => {
      await closeUsers();
      for (const { child } of planes) child.kill("SIGKILL");
      await pool.end().catch(() => undefined);
      await shop.close();
      await postgres.stop();
    },
  };
}

/** Starts control planes, and starts them again. */
function openPlanes(
  shop: Shop,
  database: Database,
  here: readonly App[],
  variables: Readonly<Record<string, string>>,
): Pick<World, "planes" | "addPlane" | "startAgain"> {
  const planes: Plane[] = [];
  // A control plane that cannot start because its database is down is started again, as a platform does.
  const startAgain = async (plane: Plane): Promise<void> => {
    const setting = { name: plane.name, apps: here, leaseSeconds, requestSeconds, variables };
    const start = () => startPlane(shop, database, setting);
    Object.assign(
      plane,
      await start()
        .catch(() => nap(1000).then(start))
        .catch(() => nap(5000).then(start)),
    );
  };
  const addPlane = async (): Promise<void> => {
    const plane = { name: String(planes.length + 1) } as Plane;
    await startAgain(plane);
    planes.push(plane);
  };
  return { planes, addPlane, startAgain };
}

const idOf = ({ cloud }: Shop, app: string): string =>
  `/subscriptions/${cloud.subscription}/resourceGroups/shop/providers/Microsoft.App/containerApps/${app}`;

interface Ingress {
  readonly fqdn: string;
  readonly traffic: readonly { readonly revisionName?: string; readonly weight: number }[];
}

/** Reads an app's ingress. It retries, because the emulator may be refusing requests at the moment. */
async function ingressOf(shop: Shop, app: App): Promise<Ingress> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await nap(200)) {
    const answer = await shop.arm("GET", idOf(shop, app)).catch(() => undefined);
    const ingress: Ingress | undefined = answer?.body?.properties?.configuration?.ingress;
    if (ingress !== undefined) return ingress;
  }
  throw new Error(`The emulator did not show ${app} within 30 s.`);
}

/** Sends each app one user request every 40 ms, without waiting for the answers to earlier ones. */
async function openUsers(shop: Shop, here: readonly App[]) {
  const agent = httpsAgent(parseConnectTo(shop.cloud.environment["BALLAST_CONNECT_TO"]!));
  const hosts = new Map<App, string>();
  for (const app of here) hosts.set(app, (await ingressOf(shop, app)).fqdn);
  const visit: World["visit"] = (app) =>
    new Promise((resolve) => {
      https
        .get(`https://${hosts.get(app)}/`, { agent, timeout: 10_000 }, (response) =>
          response.resume().once("close", () => resolve(response.statusCode!)),
        )
        .on("error", () => resolve(0));
    });
  const closing = new AbortController();
  const users: Users = { sent: 0, unanswered: 0, away: false };
  const coming = here.map(async (app) => {
    for (; !closing.signal.aborted; await nap(40, undefined, { signal: closing.signal }).catch(() => undefined)) {
      if (users.away) continue;
      users.sent++;
      void visit(app).then((status) => {
        if (status === 0 && !closing.signal.aborted) users.unanswered++;
      });
    }
  });
  const close = async (): Promise<void> => {
    closing.abort();
    await Promise.all(coming);
    agent.destroy();
  };
  return { visit, users, close };
}

/**
 * Makes the call of a control plane: it asks one after the other until one answers, as a caller behind an ingress does.
 * A refusal is an answer; a failure is not.
 */
const caller =
  (shop: Shop, planes: readonly Plane[]): World["call"] =>
  async (method, path, body) => {
    for (let attempt = 0; attempt < 120; attempt++) {
      const plane = planes[attempt % planes.length]!;
      const sent = async (): Promise<Response> => {
        const { token } = (await shop.connection.credential.getToken("api://ballast/.default"))!;
        return fetch(`${plane.endpoint}${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          signal: AbortSignal.timeout(3000),
          ...(body && { body: JSON.stringify(body) }),
        });
      };
      const answer = await sent().catch(() => undefined);
      if (answer !== undefined && answer.status < 500 && !(method === "PUT" && answer.status === 409))
        return { status: answer.status, body: await answer.json().catch(() => undefined) };
      await nap(250);
    }
    throw new Error(`No control plane answered ${method} ${path} for half a minute.`);
  };
