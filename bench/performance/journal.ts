// Compares appends to our journal with plain INSERTs of the same bytes and with Emmett's event store, on one
// PostgreSQL server: one fact per transaction, in one stream and in eight streams at once. The three take turns, so
// that a slow phase of the machine hits all.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { chain } from "../../controlplane/adapters/postgres/chain.ts";
import { openClaims } from "../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database, openPool } from "../../controlplane/adapters/postgres/connection.ts";
import { eventsAsText } from "../../controlplane/adapters/postgres/facts.ts";
import { openJournal } from "../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../controlplane/adapters/postgres/migrations.ts";
import type { Fact } from "../../controlplane/runtime/ports.ts";
import { registerKinds } from "../../engines/kind.ts";
import { rolloutKind } from "../../engines/rollout/kind.ts";
import { streamOf, targetOf } from "../../engines/rollout/names.ts";
import type { Bucket, RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import { appKey } from "../../engines/targets.ts";
import type { RunningPostgres } from "../../toolchain/postgres.ts";

/** The stores that are compared. */
export const contenders = ["ours", "plain", "emmett"] as const;
export type Contender = (typeof contenders)[number];

/** Milliseconds per append, one sample per round; absent for a store that could not be installed. */
export type Appends = Partial<Record<Contender, readonly number[]>>;

/** The results of the journal benchmark. */
export interface Journalled {
  readonly rounds: number;
  readonly appendsARound: number;
  /** The mean size of a fact as JSON. */
  readonly factBytes: number;
  readonly one: Appends;
  readonly eight: Appends;
}

/** Opens a stream and gives the function that appends its next fact. */
type Opened = (stream: string) => Promise<(index: number) => Promise<void>>;
interface Contestant extends AsyncDisposable {
  readonly open: Opened;
}

const streamsAtOnce = 8;
const processName = "plane-1-4711-abc";

/** Gives facts as a bake writes them, in turn: a wait, a probe, the buckets of one interval, a read of the traffic. */
function factAt(index: number): RolloutEvent {
  const at = 1_790_000_000_000 + index * 15_000;
  const tally = (requests: number) => ({
    requests,
    failed: 2,
    refused: 11,
    durations: { from: 42, counts: [3, 9, 27, 60, 88, 60, 27, 9, 3, 1, 0, 1] },
  });
  const bucket: Bucket = { at, canary: tally(291), stable: tally(5_530) };
  const kinds: readonly RolloutEvent[] = [
    { kind: "Waited", at },
    { kind: "Probed", at, good: true, detail: "answered 200", running: "Running" },
    { kind: "Measured", at, buckets: [bucket], to: at + 60_000 },
    {
      kind: "TrafficRead",
      at,
      weights: [
        { revision: "storefront--0000001", percent: 95 },
        { revision: "storefront--0000002", percent: 5 },
      ],
    },
  ];
  return kinds[index % kinds.length]!;
}

/** Our journal as the control plane uses it: under a claim, chained, and with notifications to listeners. */
async function openOurs(database: Database, appends: number): Promise<Contestant> {
  const pool = openPool(database, () => undefined);
  await migrate(pool);
  const claims = openClaims(pool, 600);
  const journal = openJournal(pool, connectionOptions(database), registerKinds([rolloutKind]), () => undefined);
  return {
    open: async (stream) => {
      const claimed = await claims.take([appKey(targetOf(stream)!)], stream, processName);
      if (!("claim" in claimed)) throw new Error(`${stream} is claimed by ${claimed.heldBy}`);
      const { claim } = claimed;
      const facts = chain(
        undefined,
        Array.from({ length: appends }, (_, index) => ({
          stream,
          index,
          event: factAt(index),
          process: processName,
          epoch: claim.epoch,
        })),
      ) as readonly Fact<RolloutEvent>[];
      const before = facts.map((_, index) => facts.slice(0, index));
      return async (index) => {
        const result = await journal.append(stream, before[index]!, [factAt(index)], { process: processName, claim });
        if (result !== "appended") throw new Error(`An append ended as ${result}.`);
      };
    },
    [Symbol.asyncDispose]: async () => {
      await journal.close();
      await pool.end();
    },
  };
}

/** A plain INSERT into one table, without claims, chain and listeners. */
async function openPlain(database: Database): Promise<Contestant> {
  const pool = openPool(database, () => undefined);
  await pool.query(
    `create table plain (stream text, index integer, event jsonb not null, process text not null,
      epoch integer not null, written_at timestamptz not null default clock_timestamp(), primary key (stream, index))`,
  );
  return {
    open: async (stream) => async (index) =>
      void (await pool.query("insert into plain (stream, index, event, process, epoch) values ($1, $2, $3, $4, $5)", [
        stream,
        index,
        eventsAsText([factAt(index)]).slice(1, -1),
        processName,
        1,
      ])),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

interface EmmettStore {
  readonly schema: { readonly migrate: () => Promise<unknown> };
  readonly appendToStream: (
    stream: string,
    events: readonly { readonly type: string; readonly data: object }[],
    options: { readonly expectedStreamVersion: bigint | "STREAM_DOES_NOT_EXIST" },
  ) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

const emmettFolder = path.join(import.meta.dirname, "emmett");
const emmettEntry = path.join(emmettFolder, "node_modules/@event-driven-io/emmett-postgresql/dist/index.js");

/**
 * Emmett's store with its own pool, appending at an expected version as ours does; undefined if it cannot be installed.
 */
async function openEmmett(url: string, report: (line: string) => void): Promise<Contestant | undefined> {
  if (!existsSync(emmettEntry)) {
    report("Installing Emmett into bench/performance/emmett");
    const options = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"];
    const { status } = spawnSync("npm", ["install", ...options], {
      cwd: emmettFolder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (status !== 0) return void report("Emmett cannot be installed here and is left out");
  }
  const { getPostgreSQLEventStore } = (await import(emmettEntry)) as {
    readonly getPostgreSQLEventStore: (url: string) => EmmettStore;
  };
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  return {
    open: async (stream) => async (index) => {
      const { kind, ...rest } = factAt(index);
      await store.appendToStream(stream, [{ type: kind, data: rest }], {
        expectedStreamVersion: index === 0 ? "STREAM_DOES_NOT_EXIST" : BigInt(index),
      });
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** Appends facts to new streams, all streams at once, and gives the milliseconds per append. */
async function round({ open }: Contestant, names: readonly string[], appends: number): Promise<number> {
  const streams = await Promise.all(names.map(open));
  const began = performance.now();
  await Promise.all(
    streams.map(async (append) => {
      for (let index = 0; index < appends; index++) await append(index);
    }),
  );
  return (performance.now() - began) / (names.length * appends);
}

/** Measures the stores in turn; each is first equally often. */
async function contest(
  contestants: ReadonlyMap<Contender, Contestant>,
  rounds: number,
  streams: number,
  appends: number,
): Promise<Appends> {
  const taken = new Map([...contestants.keys()].map((name) => [name, [] as number[]]));
  const order = [...contestants];
  for (let number = -1; number < rounds; number++) {
    for (const [name, contestant] of order) {
      const names = Array.from({ length: streams }, (_, index) =>
        streamOf({ resourceGroup: "bench", app: `s${streams}-r${number}-${index}` }, "canary"),
      );
      const milliseconds = await round(contestant, names, appends);
      if (number >= 0) taken.get(name)!.push(milliseconds); // The first round warms up.
    }
    order.push(order.shift()!);
  }
  return Object.fromEntries(taken);
}

/** Measures all stores in a database of their own. */
export async function measureJournal(
  postgres: RunningPostgres,
  rounds: number,
  report: (line: string) => void,
): Promise<Journalled> {
  const name = "bench_journal";
  const appendsARound = 160;
  const admin = new pg.Client({ connectionString: postgres.url("postgres") });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const { host, port, user, password } = postgres;
  const database: Database = { host, port, user, password, name, tls: "disable" };
  await using ours = await openOurs(database, appendsARound);
  await using plain = await openPlain(database);
  await using emmett = await openEmmett(postgres.url(name), report);
  const contestants = new Map<Contender, Contestant>([
    ["ours", ours],
    ["plain", plain],
    ...(emmett ? [["emmett", emmett] as const] : []),
  ]);
  const factBytes = Array.from({ length: 4 }, (_, index) => Buffer.byteLength(JSON.stringify(factAt(index)))).reduce(
    (sum, bytes) => sum + bytes / 4,
    0,
  );
  report("Appends in one stream");
  const one = await contest(contestants, rounds, 1, appendsARound);
  report(`Appends in ${streamsAtOnce} streams at once`);
  return {
    rounds,
    appendsARound,
    factBytes,
    one,
    eight: await contest(contestants, rounds, streamsAtOnce, appendsARound / streamsAtOnce),
  };
}
