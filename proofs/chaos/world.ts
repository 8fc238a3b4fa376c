// What chaos is let loose on: the stand-in with apps and their users, a real PostgreSQL, and two control planes, each a process of its
// own. Knows how one gets at each of these, not what is done to it, nor when: that is for main.ts and for the tests of single deaths.
// What must hold all the same is laws.ts.
import https from "node:https";
import { setTimeout as nap } from "node:timers/promises";
import type pg from "pg";
import { httpsAgent, parseConnectTo } from "../../connect-to.ts";
import { type Database, openPool } from "../../controlplane/adapters/postgres/connection.ts";
import { defaultLimits } from "../../engines/rollout/plan.ts";
import { type PlaneProcess, startPlane } from "../../test/support/controlplane/plane.ts";
import { openShop, type Shop } from "../../test/support/emulator/azure-shop.ts";
import { type CloudProcess, startCloudProcess } from "../../test/support/emulator/cloud-process.ts";
import { startPostgres } from "../../toolchain/postgres.ts";

export const leaseSeconds = 4,
  requestSeconds = 2;
export const apps = ["amber", "birch", "cedar"] as const;
export type App = (typeof apps)[number];

const pace = {
  weights: [50],
  bakeSeconds: 2,
  warmUpSeconds: 0,
  tickSeconds: 1,
  probeSeconds: 1,
  smokeSeconds: 20,
  maximumSeconds: 600,
};
// So that a step needs no more requests than a small machine's users can send it, and that it is slow now and then is no evidence.
const limits = {
  ...defaultLimits,
  oddsTolerated: 10,
  failurePointsMax: 20,
  ceilingPercent: 90,
  ceilingRequests: 10,
  probeFailuresMax: 8,
  stableFailurePercentMax: 40,
};

/** One control plane, as its platform sees it: it has a name, and a process for as long as that lives. */
export type Plane = { readonly name: string } & { -readonly [key in keyof PlaneProcess]: PlaneProcess[key] };

export interface World {
  readonly shop: Shop;
  /** The cloud's process; a dead one comes back on what it has kept. */
  readonly standIn: CloudProcess;
  readonly planes: readonly Plane[];
  /** The revision with which each app begins. */
  readonly first: ReadonlyMap<App, string>;
  readonly database: Database;
  readonly pool: pg.Pool;
  readonly call: (
    method: string,
    path: string,
    body?: object,
  ) => Promise<{ readonly status: number; readonly body: any }>;
  /** Starts one whose process is dead. */
  readonly startAgain: (plane: Plane) => Promise<void>;
  readonly requestRollout: (app: App, revision: string, release: string, bakeSeconds?: number) => Promise<void>;
  readonly traffic: (app: App) => Promise<readonly { readonly revisionName: string; readonly weight: number }[]>;
  readonly setTraffic: (app: App, traffic: readonly object[]) => Promise<void>;
  /** Asks an app as a user does and gives the status; 0 where nobody answers. */
  readonly visit: (app: App) => Promise<number>;
  /** Requests that users sent so far, and those that got no answer at all. */
  readonly users: { sent: number; unanswered: number };
  readonly close: () => Promise<void>;
}

/** When the cloud was dead or had not all its replicas back. Nobody's release is to blame for what failed then. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/** Kills the cloud, lets it be dead for so long, and waits until it has its replicas again. */
export async function cloudDies({ standIn, shop }: World, milliseconds: number): Promise<Outage> {
  const from = Date.now();
  await standIn.kill();
  await nap(milliseconds);
  await standIn.revive();
  for (const deadline = performance.now() + 60_000; performance.now() < deadline; await nap(100)) {
    const { processes } = (await shop.arm("GET", "/_standin/processes")).body as {
      processes: readonly { ready: boolean }[];
    };
    if (processes.every(({ ready }) => ready)) return { from, to: Date.now() };
  }
  throw new Error("the cloud did not have its replicas back in a minute");
}

/** How a world differs from that of the chaos run. */
export interface Wishes {
  /** @default all */
  readonly apps?: readonly App[];
  /** Where PostgreSQL has its files. @default the temporary folder */
  readonly postgresFolder?: string;
  /** Puts something between the control planes and their database, and gives its address. */
  readonly between?: (database: Database) => Promise<Database>;
}

/** Brings everything up: each app serves its first revision, and users come. */
export async function openWorld({ apps: here = apps, postgresFolder, between }: Wishes = {}): Promise<World> {
  let standIn: CloudProcess;
  const postgres = await startPostgres(postgresFolder === undefined ? {} : { folder: postgresFolder });
  const shop = await openShop(async (options) => (standIn = await startCloudProcess(options)));
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
  const planes: Plane[] = [];
  const closing = new AbortController();
  const users = { sent: 0, unanswered: 0 };
  // One that cannot start, since its database is away, is started once more, as a platform does.
  const startAgain = async (plane: Plane): Promise<void> => {
    const start = () => startPlane(shop, seenByPlanes, { name: plane.name, apps: here, leaseSeconds, requestSeconds });
    Object.assign(
      plane,
      await start()
        .catch(() => nap(1000).then(start))
        .catch(() => nap(5000).then(start)),
    );
  };
  for (const name of ["one", "two"]) {
    const plane = { name } as Plane;
    planes.push(plane);
    await startAgain(plane);
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
  const traffic: World["traffic"] = async (app) =>
    (await configurationOf(app)).ingress.traffic
      .filter(({ weight }: any) => weight > 0)
      .map((entry: any) => ({ revisionName: entry.revisionName ?? first.get(app), weight: entry.weight }));
  const agent = httpsAgent(parseConnectTo(shop.cloud.environment["BALLAST_CONNECT_TO"]!));
  const hosts = new Map<App, string>();
  for (const app of here) hosts.set(app, (await configurationOf(app)).ingress.fqdn);
  const visit: World["visit"] = (app) =>
    new Promise((resolve) => {
      https
        .get(`https://${hosts.get(app)}/`, { agent, timeout: 10_000 }, (response) =>
          response.resume().once("close", () => resolve(response.statusCode!)),
        )
        .on("error", () => resolve(0));
    });
  // One request of each app's users each 40 ms, sent when it is due whatever became of those before.
  const coming = here.map(async (app) => {
    for (; !closing.signal.aborted; await nap(40, undefined, { signal: closing.signal }).catch(() => undefined)) {
      users.sent++;
      void visit(app).then((status) => {
        if (status === 0 && !closing.signal.aborted) users.unanswered++;
      });
    }
  });
  return {
    shop,
    standIn: standIn!,
    planes,
    first,
    database,
    pool,
    call,
    startAgain,
    traffic,
    visit,
    users,
    setTraffic: async (app, wanted) =>
      void (await shop.arm("PATCH", idOf(shop, app), {
        properties: { configuration: { ingress: { traffic: wanted } } },
      })),
    requestRollout: async (app, revision, release, bakeSeconds = pace.bakeSeconds) => {
      const { status, body } = await call("PUT", `/rollouts/shop/${app}/${revision}`, {
        release,
        pace: { ...pace, bakeSeconds },
        limits,
        probePath: "/health/ready",
      });
      if (status !== 200 && status !== 202)
        throw new Error(`${revision} was refused with ${status}: ${JSON.stringify(body)}`);
    },
    close: async () => {
      closing.abort();
      await Promise.all(coming);
      agent.destroy();
      for (const { child } of planes) child.kill("SIGKILL");
      await pool.end().catch(() => undefined);
      await shop.close();
      await postgres.stop();
    },
  };
}

const idOf = ({ cloud }: Shop, app: string): string =>
  `/subscriptions/${cloud.subscription}/resourceGroups/shop/providers/Microsoft.App/containerApps/${app}`;

/** Asks one control plane after the other until one answers, as a caller behind an ingress does; a refusal is an answer, trouble is not. */
const caller =
  (shop: Shop, planes: readonly Plane[]): World["call"] =>
  async (method, path, body) => {
    const token = (await shop.connection.credential.getToken("api://ballast/.default"))!.token;
    for (let attempt = 0; attempt < 120; attempt++) {
      const plane = planes[attempt % planes.length]!;
      const answer = await fetch(`${plane.endpoint}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        signal: AbortSignal.timeout(3000),
        ...(body && { body: JSON.stringify(body) }),
      }).catch(() => undefined);
      if (answer !== undefined && answer.status < 500 && !(method === "PUT" && answer.status === 409))
        return { status: answer.status, body: await answer.json().catch(() => undefined) };
      await nap(250);
    }
    throw new Error(`no control plane answered ${method} ${path} for half a minute`);
  };
