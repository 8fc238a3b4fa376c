// The database's time: the one clock that all replicas share. One replica writes a time that another waits for, so with
// local clocks ten minutes apart a rollout would stand still for ten minutes. Between two queries our own monotonic
// clock counts on; the wall clock of this machine is never used.
import type pg from "pg";
import type { Instant } from "../../../engines/time.ts";

/** The database's time, kept until closed. */
export interface DatabaseTime {
  readonly now: () => Instant;
  readonly close: () => void;
}

const secondsBetweenQueries = 30;

/**
 * Reads the database's time, now and every half minute.
 *
 * The answer is assumed to be from the middle of the round trip, so it is wrong by at most half of it. A slow answer is
 * therefore ignored. While the database is unreachable, the last answer counts on.
 */
export async function openTime(pool: pg.Pool): Promise<DatabaseTime> {
  const ask = async () => {
    const askedAt = performance.now();
    const { rows } = await pool.query<{ at: number }>(
      "select (extract(epoch from clock_timestamp()) * 1000)::float8 as at",
    );
    const journey = performance.now() - askedAt;
    return { at: rows[0]!.at, counted: askedAt + journey / 2, journey };
  };
  let known = await ask();
  const asking = setInterval(() => {
    ask().then(
      (answer) => {
        if (answer.journey <= Math.max(100, known.journey)) known = answer;
      },
      () => undefined,
    );
  }, secondsBetweenQueries * 1000).unref();
  return { now: () => Math.round(known.at + performance.now() - known.counted), close: () => clearInterval(asking) };
}
