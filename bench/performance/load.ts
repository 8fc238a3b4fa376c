// Measures many rollouts at once: real control planes with a real PostgreSQL carry out healthy releases on the fake
// Azure of azure.ts. The figures come from the journal, the database and the operating system.
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
import { defaultThresholds } from "../../engines/rollout/plan.ts";
import type { RolloutEvent, Strategy } from "../../engines/rollout/vocabulary.ts";
import type { RunningPostgres } from "../../toolchain/postgres.ts";
import type { Asked, AzureAddress } from "./azure.ts";
import { type Lagged, lagsOf } from "./lags.ts";
import { end, parentOf, peakBytesOf, secondsBelow, secondsOf } from "./processes.ts";

/** How many rollouts run on how many control planes, and at which interval. */
export interface Cell {
  readonly rollouts: number;
  readonly planes: number;
  readonly intervalSeconds: number;
}

/** The results of one cell. */
export interface Loaded extends Cell {
  /** From the first call to the end of the last rollout. */
  readonly seconds: number;
  /** The number of rollouts by their result. */
  readonly results: Readonly<Record<string, number>>;
  /** Milliseconds from the end of a wait until its observation was in the journal, sorted. */
  readonly lags: readonly number[];
  readonly planeSeconds: number;
  readonly databaseSeconds: number;
  readonly peakBytes: readonly number[];
  readonly transactions: number;
  /** The number of facts, and the bytes of the journal's tables with their indexes. */
  readonly facts: number;
  readonly journalBytes: number;
  /** The rows that DBOS inserted, updated and deleted, and the bytes of its tables at the end. */
  readonly passRows: number;
  readonly passBytes: number;
  /** The bytes written to the write-ahead log, which backups keep. */
  readonly walBytes: number;
  readonly asked: Asked;
}

/** A strategy of the default's shape, but shorter: one step before 100 percent, and a bake of one interval. */
export const strategyOf = (intervalSeconds: number): Strategy => ({
  weights: [50],
  bakeSeconds: intervalSeconds,
  warmUpSeconds: 0,
  intervalSeconds,
  probeSeconds: intervalSeconds / 2,
  smokeSeconds: 60,
  maximumSeconds: 40 * intervalSeconds,
});
const thresholds = { ...defaultThresholds, falsePromotionPercentMax: 20, failurePointsMax: 5 };
const ingestionSeconds = 1;
const finishSeconds = 600;
/** Half of the memory, which is the heap that V8 takes by default. */
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

/**
 * Runs one cell in a database of its own, and leaves no process and no folder behind. With `profiles` each control
 * plane writes a processor profile into that folder.
 */
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

/** Starts the fake Azure and the control planes. If one does not start, the others are ended. */
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
  BALLAST_MANAGED_TARGETS: JSON.stringify(
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
      .once("exit", (code) => reject(new Error(`The fake Azure ended with ${code}.`)));
  });

async function startedAt(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const entry = JSON.parse(line) as { readonly what: string; readonly address?: { readonly port: number } };
    if (entry.what !== "started") continue;
    child.stdout!.resume();
    return `http://127.0.0.1:${entry.address!.port}`;
  }
  throw new Error(`A control plane ended during its start, with ${child.exitCode ?? child.signalCode}.`);
}

async function underLoad(cell: Cell, { azure, address, planes }: Estate, client: pg.Client): Promise<Loaded> {
  const {
    rows: [backend],
  } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  const postmaster = parentOf(backend!.pid);
  const pids = planes.map(({ child }) => child.pid!);
  const counts = async () => ({
    plane: pids.reduce((sum, pid) => sum + secondsOf(pid), 0),
    database: secondsBelow(postmaster),
    ...(await databaseCounts(client)),
  });
  const before = await counts();
  const began = performance.now();
  await requestAll(
    cell,
    planes.map(({ endpoint }) => endpoint),
    address,
  );
  await untilFinished(cell.rollouts, client, planes);
  const seconds = (performance.now() - began) / 1000;
  const after = await counts();
  const journals = await readJournals(client);
  const peakBytes = pids.map(peakBytesOf);
  azure.send("count");
  return {
    ...cell,
    seconds,
    peakBytes,
    asked: await messageOf<Asked>(azure),
    lags: journals.flatMap(({ lags }) => lags.map(Math.round)).sort((a, b) => a - b),
    results: countBy(journals.map(({ result }) => result)),
    planeSeconds: after.plane - before.plane,
    databaseSeconds: after.database - before.database,
    transactions: after.transactions - before.transactions,
    facts: after.facts,
    journalBytes: after.journalBytes,
    passRows: after.passRows - before.passRows,
    passBytes: after.passBytes,
    walBytes: after.wal - before.wal,
  };
}

/** Requests all releases at once, from the control planes in turn, as many `pulumi up` would. */
async function requestAll(
  { rollouts, intervalSeconds }: Cell,
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
  const body = JSON.stringify({ release: "bench", strategy: strategyOf(intervalSeconds), thresholds, probePath: "/" });
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
      if (answer.status !== 202) throw new Error(`A release was answered ${answer.status}: ${await answer.text()}`);
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
      throw new Error(`A control plane ended during the run, with ${dead.child.exitCode ?? dead.child.signalCode}.`);
  }
}

/** Reads the counts of the database. Backends report theirs up to a second late. */
async function databaseCounts(client: pg.Client) {
  await nap(1100);
  const {
    rows: [counts],
  } = await client.query<{
    readonly transactions: number;
    readonly facts: number;
    readonly journalBytes: number;
    readonly passRows: number;
    readonly passBytes: number;
    readonly wal: number;
  }>(`
    select (select (xact_commit + xact_rollback)::float8 from pg_stat_database
        where datname = current_database()) as transactions,
      (select count(*)::float8 from ballast.facts) as facts,
      (select sum(pg_total_relation_size(relid))::float8 from pg_stat_user_tables
        where schemaname = 'ballast' and relname in ('facts', 'streams')) as "journalBytes",
      (select sum(n_tup_ins + n_tup_upd + n_tup_del)::float8 from pg_stat_user_tables
        where schemaname = 'dbos') as "passRows",
      (select sum(pg_total_relation_size(relid))::float8 from pg_stat_user_tables
        where schemaname = 'dbos') as "passBytes",
      pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal`);
  return counts!;
}

async function readJournals(client: pg.Client): Promise<readonly Lagged[]> {
  const { rows } = await client.query<{
    readonly stream: string;
    readonly event: RolloutEvent;
    readonly writtenAt: number;
  }>(
    `select stream, event, (extract(epoch from written_at) * 1000)::float8 as "writtenAt"
      from ballast.facts order by stream, index`,
  );
  return [...Map.groupBy(rows, ({ stream }) => stream).values()].map(lagsOf);
}

const countBy = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
