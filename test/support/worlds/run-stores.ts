// Where the runs of scenarios keep their journal, claims and passes: in memory, or as a control plane does, in
// PostgreSQL with DBOS.
import type pg from "pg";
import { openOrchestrations } from "../../../controlplane/adapters/dbos/orchestrations.ts";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import type { Claims, Journal, Orchestrations } from "../../../controlplane/runtime/ports.ts";
import type { AnyEvent, Kinds } from "../../../engines/kind.ts";
import type { Instant } from "../../../engines/time.ts";
import { type CountedIo, countIo } from "./counted-io.ts";
import { durablePasses } from "./durable-passes.ts";
import { memoryClaims, memoryJournal, memoryOrchestrations } from "./memory.ts";

/** What outlives a process. */
export interface RunStores {
  readonly journal: Journal<AnyEvent>;
  readonly claims: Claims;
  /** Gives the passes as the next process sees them. */
  readonly passesOf: () => Orchestrations;
  readonly close: () => Promise<void>;
}

/** Stores in memory, which a long run keeps small. */
export interface MemoryStores extends RunStores {
  /** Forgets a stream that has ended and that nobody asks about any more. */
  readonly drop: (stream: string) => void;
  /** How many streams are kept. */
  readonly kept: () => number;
}

/** Opens empty stores for a run. */
export interface OpenStores<Stores extends RunStores = RunStores> {
  /** The calls of real stores, which take no virtual time; undefined for stores in memory. */
  readonly io: CountedIo | undefined;
  readonly open: (kinds: Kinds, leaseSeconds: number, now: () => Instant) => Promise<Stores>;
}

/** Keeps everything in memory. Passes outlive their process if one is to die. */
export const storesInMemory = (outlives: boolean): OpenStores<MemoryStores> => ({
  io: undefined,
  open: async (kinds, leaseSeconds, now) => {
    const claims = memoryClaims(leaseSeconds, now);
    const journal = memoryJournal<AnyEvent>(kinds, claims.stillOurs, now);
    return {
      claims,
      journal,
      drop: journal.drop,
      kept: journal.kept,
      passesOf: outlives ? durablePasses() : memoryOrchestrations,
      close: async () => undefined,
    };
  },
});

/** Keeps everything in one database, which each run empties. A process has one DBOS, so the runs share it. */
export async function storesInPostgres(
  pool: pg.Pool,
  database: Database,
): Promise<OpenStores & { readonly close: () => Promise<void> }> {
  await migrate(pool);
  const io = countIo();
  const shared = openOrchestrations({ pool, process: "worlds", log: () => undefined });
  let body: Parameters<Orchestrations["launch"]>[0];
  await shared.launch((...pass) => body(...pass));
  const passes: Orchestrations = {
    ...shared,
    launch: async (pass) => {
      body = pass;
    },
    close: async () => undefined,
  };
  return {
    io,
    open: async (kinds, leaseSeconds) => {
      await pool.query("truncate ballast.streams, ballast.facts, ballast.claims cascade");
      const journal = openJournal<AnyEvent>(pool, connectionOptions(database), kinds, () => undefined);
      return {
        journal: io.countedJournal(journal),
        claims: io.counted(openClaims(pool, leaseSeconds)),
        passesOf: () => io.counted(passes),
        close: journal.close,
      };
    },
    close: shared.close,
  };
}
