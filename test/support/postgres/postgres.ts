// A real PostgreSQL for one test file, with fresh databases.
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { type Database, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { type RunningPostgres, startPostgres } from "../../../toolchain/postgres.ts";

export interface PostgresForTests {
  /** Creates an empty database and gives its settings. */
  readonly fresh: () => Promise<Database>;
  /** Opens a pool that is closed after the file. */
  readonly pool: (database: Database) => pg.Pool;
}

/** Starts a server before the tests of a file and stops it after them. */
export function postgresForTests(): PostgresForTests {
  let server: RunningPostgres | undefined;
  let count = 0;
  const pools: pg.Pool[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await server?.stop();
  });
  return {
    fresh: async () => {
      const { host, port, user, password, url } = server!;
      const name = `fresh_${++count}`;
      const client = new pg.Client({ connectionString: url("postgres") });
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return { host, port, user, password, name, tls: "disable" };
    },
    pool: (database) => {
      const pool = openPool(database, () => {});
      pools.push(pool);
      return pool;
    },
  };
}

/** Asks repeatedly until there is an answer, for at most `seconds`. */
export async function eventually<Answer>(
  ask: () => Answer | undefined | false | Promise<Answer | undefined | false>,
  what: string,
  seconds = 60,
): Promise<Answer> {
  const began = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    const waited = performance.now() - began;
    if (waited > seconds * 1000) throw new Error(`waited ${seconds} s in vain for ${what}`);
    // Who has waited for long asks less often, since the asking takes CPU from what is waited for.
    await new Promise((resolve) => setTimeout(resolve, Math.min(100, 20 + waited / 20)));
  }
}
