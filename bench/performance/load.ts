// Many rollouts at once: real control planes with a real PostgreSQL carry out healthy releases on the cheap Azure of azure.ts, and journal, database
// and operating system tell what that took. How many are played, and what is made of the figures, is said elsewhere.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as nap } from "node:timers/promises";
import tls from "node:tls";
import pg from "pg";
import { fetch } from "undici";
import { replicaSizes } from "../../components/conventions.ts";
import { fetchDispatcher } from "../../connect-to.ts";
import { defaultLimits } from "../../engines/rollout/plan.ts";
import type { Pace, RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import type { RunningPostgres } from "../../toolchain/postgres.ts";
import type { Asked, AzureAddress } from "./azure.ts";
import { type Told, tell } from "./lags.ts";
import { end, parentOf, peakBytesOf, secondsBelow, secondsOf } from "./processes.ts";

/** So many rollouts on so many control planes, at a tick. */
export interface Cell {
  readonly rollouts: number;
  readonly planes: number;
  readonly tickSeconds: number;
}

/** What one cell came to. */
export interface Loaded extends Cell {
  /** From the first call to the last rollout's end. */
  readonly seconds: number;
  /** How many rollouts ended how. */
  readonly results: Readonly<Record<string, number>>;
  /** Milliseconds from the moment that was waited for until its observation was in the journal, in order of size. */
  readonly lags: readonly number[];
  readonly planeSeconds: number;
  readonly databaseSeconds: number;
  readonly peakBytes: readonly number[];
  readonly transactions: number;
  /** Facts, and bytes of the journal's tables with their indexes. */
  readonly facts: number;
  readonly journalBytes: number;
  /** Rows that the durable engine wrote, changed and deleted; bytes of its tables at the end. */
  readonly turnRows: number;
  readonly turnBytes: number;
  /** What went into the write-ahead log, which backups keep. */
  readonly walBytes: number;
  readonly asked: Asked;
}

/** The default pace's shape, shortened: one step before 100 percent, and everything a tick long. */
export const paceOf = (tickSeconds: number): Pace => ({
  weights: [50],
  bakeSeconds: tickSeconds,
  warmUpSeconds: 0,
  tickSeconds,
  probeSeconds: tickSeconds / 2,
  smokeSeconds: 60,
  maximumSeconds: 40 * tickSeconds,
});
const limits = { ...defaultLimits, falsePromotionPercentMax: 20, failurePointsMax: 5 };
const ingestionSeconds = 1;
const finishSeconds = 600;
/** Half of the memory, as V8 takes for its heap where the process may have so much. */
export const heapMegabytes = replicaSizes.controlPlane.gib * 512;
const resourceGroup = "bench";
const audience = "api://ballast";
const subscription = "00000000-0000-0000-0000-00000000be9c";
const appName = (index: number): string => `app-${index}`;

interface Estate extends AsyncDisposable {
  readonly azure: ChildProcess;
  readonly address: AzureAddress;
  readonly planes: readonly { readonly child: ChildProcess; readonly endpoint: string }[];
}

/** Plays one cell to its end in a database of its own, and leaves neither process nor folder. `profiles`: where each control plane leaves a processor profile. */
export async function play(cell: Cell, postgres: RunningPostgres, profiles?: string): Promise<Loaded> {
  const name = `load_${cell.rollouts}_${cell.planes}`;
  const admin = new pg.Client({ connectionString: postgres.url("postgres") });
  await admin.connect();
  await admin.query(`drop database if exists ${name} with (force)`);
  await admin.query(`create database ${name}`);
  const client = new pg.Client({ connectionString: postgres.url(name) });
  try {
    await using estate = await openEstate(cell, postgres, name, profiles);
    await client.connect();
    return await underLoad(cell, estate, client);
  } finally {
    await client.end();
    await admin.query(`drop database if exists ${name} with (force)`).finally(() => admin.end());
  }
}

/** Starts the cheap Azure and the control planes; what has started is ended where something does not start. */
async function openEstate(
  cell: Cell,
  postgres: RunningPostgres,
  database: string,
  profiles: string | undefined,
): Promise<Estate> {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-load-"));
  const children: ChildProcess[] = [];
  const dieWithUs = (): void => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", dieWithUs);
  const close = async (): Promise<void> => {
    await Promise.all(children.slice(1).map((child) => end(child)));
    process.off("exit", dieWithUs);
    dieWithUs();
  };
  try {
    const azure = fork(path.join(import.meta.dirname, "azure.ts"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    children.push(azure);
    const address = await messageOf<AzureAddress>(azure);
    writeFileSync(path.join(folder, "ca.pem"), address.caPem);
    tls.setDefaultCACertificates([...tls.getCACertificates("default"), address.caPem]);
    const starting = Array.from({ length: cell.planes }, (_, index) => {
      const child = spawn(
        process.execPath,
        [
          `--max-old-space-size=${heapMegabytes}`,
          ...(profiles === undefined
            ? []
            : ["--cpu-prof", `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${database}-${index + 1}.cpuprofile`]),
          path.join(import.meta.dirname, "../../controlplane/main.ts"),
        ],
        {
          stdio: ["ignore", "pipe", "inherit"],
          env: environmentOf(
            address,
            path.join(folder, "ca.pem"),
            postgres,
            database,
            cell.rollouts,
            `plane-${index + 1}`,
          ),
        },
      );
      children.push(child);
      return startedAt(child).then((endpoint) => ({ child, endpoint }));
    });
    return { azure, address, planes: await Promise.all(starting), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

const environmentOf = (
  { suffix, port, tenant, client }: AzureAddress,
  caFile: string,
  { host, port: databasePort, user, password }: RunningPostgres,
  database: string,
  rollouts: number,
  name: string,
): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  NODE_EXTRA_CA_CERTS: caFile,
  BALLAST_CONNECT_TO: `${suffix}=127.0.0.1:${port}`,
  BALLAST_SUBSCRIPTION: subscription,
  BALLAST_TENANT: tenant,
  BALLAST_AUDIENCE: audience,
  BALLAST_WORKSPACE: "workspace",
  BALLAST_INVENTORY: JSON.stringify(
    Array.from({ length: rollouts }, (_, index) => ({ resourceGroup, app: appName(index) })),
  ),
  BALLAST_RESOURCE_MANAGER: `https://management.${suffix}`,
  BALLAST_LOGS: `https://api.loganalytics.${suffix}`,
  AZURE_AUTHORITY_HOST: `https://login.${suffix}`,
  AZURE_CLIENT_ID: client.id,
  AZURE_CLIENT_SECRET: client.secret,
  BALLAST_DATABASE_HOST: host,
  BALLAST_DATABASE_PORT: String(databasePort),
  BALLAST_DATABASE_NAME: database,
  BALLAST_DATABASE_USER: user,
  BALLAST_DATABASE_PASSWORD: password,
  BALLAST_DATABASE_TLS: "disable",
  BALLAST_INGESTION_SECONDS: String(ingestionSeconds),
  PORT: "0",
  CONTAINER_APP_REPLICA_NAME: name,
});

const messageOf = <Message>(child: ChildProcess): Promise<Message> =>
  new Promise((resolve, reject) => {
    child
      .once("message", (message) => resolve(message as Message))
      .once("exit", (code) => reject(new Error(`the cheap Azure ended with ${code}`)));
  });

async function startedAt(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const said = JSON.parse(line) as { readonly what: string; readonly address?: { readonly port: number } };
    if (said.what !== "started") continue;
    child.stdout!.resume();
    return `http://127.0.0.1:${said.address!.port}`;
  }
  throw new Error(`a control plane ended before it had started, with ${child.exitCode ?? child.signalCode}`);
}

async function underLoad(cell: Cell, { azure, address, planes }: Estate, client: pg.Client): Promise<Loaded> {
  const {
    rows: [backend],
  } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  const postmaster = parentOf(backend!.pid);
  const pids = planes.map(({ child }) => child.pid!);
  const books = async () => ({
    plane: pids.reduce((sum, pid) => sum + secondsOf(pid), 0),
    database: secondsBelow(postmaster),
    ...(await databaseBooks(client)),
  });
  const before = await books();
  const began = performance.now();
  await askFor(
    cell,
    planes.map(({ endpoint }) => endpoint),
    address,
  );
  await untilFinished(cell.rollouts, client, planes);
  const seconds = (performance.now() - began) / 1000;
  const after = await books();
  const told = await readJournals(client);
  const peakBytes = pids.map(peakBytesOf);
  azure.send("count");
  return {
    ...cell,
    seconds,
    peakBytes,
    asked: await messageOf<Asked>(azure),
    lags: told.flatMap(({ lags }) => lags.map(Math.round)).sort((a, b) => a - b),
    results: countBy(told.map(({ result }) => result)),
    planeSeconds: after.plane - before.plane,
    databaseSeconds: after.database - before.database,
    transactions: after.transactions - before.transactions,
    facts: after.facts,
    journalBytes: after.journalBytes,
    turnRows: after.turnRows - before.turnRows,
    turnBytes: after.turnBytes,
    walBytes: after.wal - before.wal,
  };
}

/** Asks for all releases at once, each of its own control plane in turn, as many `pulumi up` would. */
async function askFor(
  { rollouts, tickSeconds }: Cell,
  endpoints: readonly string[],
  { suffix, port, tenant, client }: AzureAddress,
): Promise<void> {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: client.id,
    client_secret: client.secret,
    scope: `${audience}/.default`,
  });
  await using dispatcher = {
    way: fetchDispatcher({ suffix, host: "127.0.0.1", port }),
    async [Symbol.asyncDispose]() {
      await this.way.close();
    },
  };
  const signedIn = await fetch(`https://login.${suffix}/${tenant}/oauth2/v2.0/token`, {
    method: "POST",
    body: form,
    dispatcher: dispatcher.way,
  });
  const { access_token: token } = (await signedIn.json()) as { readonly access_token: string };
  const body = JSON.stringify({ release: "bench", pace: paceOf(tickSeconds), limits, probePath: "/" });
  await Promise.all(
    Array.from({ length: rollouts }, async (_, index) => {
      const answer = await fetch(
        `${endpoints[index % endpoints.length]}/rollouts/${resourceGroup}/${appName(index)}/${appName(index)}--2`,
        {
          method: "PUT",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body,
        },
      );
      if (answer.status !== 202) throw new Error(`a release was answered ${answer.status}: ${await answer.text()}`);
      await answer.arrayBuffer();
    }),
  );
}

async function untilFinished(rollouts: number, client: pg.Client, planes: Estate["planes"]): Promise<void> {
  for (const deadline = performance.now() + finishSeconds * 1000; performance.now() < deadline; await nap(500)) {
    const {
      rows: [counted],
    } = await client.query<{ finished: number }>(
      "select count(*)::integer as finished from ballast.streams where finished",
    );
    if (counted!.finished === rollouts) return;
    const dead = planes.find(({ child }) => child.exitCode !== null || child.signalCode !== null);
    if (dead)
      throw new Error(`a control plane ended in the middle, with ${dead.child.exitCode ?? dead.child.signalCode}`);
  }
}

/** What the database has counted so far. Its counts come a second late at the most, since backends tell them then. */
async function databaseBooks(client: pg.Client) {
  await nap(1100);
  const {
    rows: [books],
  } = await client.query<{
    readonly transactions: number;
    readonly facts: number;
    readonly journalBytes: number;
    readonly turnRows: number;
    readonly turnBytes: number;
    readonly wal: number;
  }>(`
    select (select (xact_commit + xact_rollback)::float8 from pg_stat_database where datname = current_database()) as transactions,
      (select count(*)::float8 from ballast.facts) as facts,
      (select sum(pg_total_relation_size(relid))::float8 from pg_stat_user_tables where schemaname = 'ballast' and relname in ('facts', 'streams')) as "journalBytes",
      (select sum(n_tup_ins + n_tup_upd + n_tup_del)::float8 from pg_stat_user_tables where schemaname = 'dbos') as "turnRows",
      (select sum(pg_total_relation_size(relid))::float8 from pg_stat_user_tables where schemaname = 'dbos') as "turnBytes",
      pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal`);
  return books!;
}

async function readJournals(client: pg.Client): Promise<readonly Told[]> {
  const { rows } = await client.query<{
    readonly stream: string;
    readonly event: RolloutEvent;
    readonly writtenAt: number;
  }>(
    `select stream, event, (extract(epoch from written_at) * 1000)::float8 as "writtenAt" from ballast.facts order by stream, index`,
  );
  return [...Map.groupBy(rows, ({ stream }) => stream).values()].map(tell);
}

const countBy = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
