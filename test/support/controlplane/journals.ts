// A journal in a fresh database with the claims beside it, an append that needs no knowledge of the facts before it,
// and the fact that tests write when its content does not matter.
import type pg from "pg";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal, type PostgresJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import type { Appended, Claims, Journal, Pen } from "../../../controlplane/runtime/ports.ts";
import type { AnyEvent } from "../../../engines/kind.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import type { PostgresForTests } from "../postgres/postgres.ts";
import { rollouts } from "../worlds/rollouts.ts";

/** A journal and the claims under which it is written. */
export interface JournalWithClaims {
  readonly journal: Journal<RolloutEvent>;
  readonly claims: Claims;
}

/** A journal in PostgreSQL. The test closes it; its pool is closed after the file. */
export interface JournalInPostgres extends JournalWithClaims {
  readonly journal: PostgresJournal<RolloutEvent>;
  readonly pool: pg.Pool;
}

/** Opens a journal with leases of 30 seconds on a database, which is a fresh and migrated one by default. */
export async function journalInPostgres(
  postgres: PostgresForTests,
  { database, prepare = migrate }: JournalOptions = {},
): Promise<JournalInPostgres> {
  const used = database ?? (await postgres.fresh());
  const pool = postgres.pool(used);
  await prepare(pool);
  return {
    pool,
    journal: openJournal(pool, connectionOptions(used), rollouts, () => {}),
    claims: openClaims(pool, 30),
  };
}

interface JournalOptions {
  readonly database?: Awaited<ReturnType<PostgresForTests["fresh"]>>;
  /** Creates the tables. @default migrate */
  readonly prepare?: (pool: pg.Pool) => Promise<void>;
}

/** Appends to the present end of a stream. */
export const appendAtEnd = async <Event extends AnyEvent>(
  journal: Journal<Event>,
  stream: string,
  events: readonly Event[],
  by: Pen,
): Promise<Appended> => journal.append(stream, await journal.read(stream), events, by);

export const waited = (at: number): RolloutEvent => ({ kind: "Waited", at });
