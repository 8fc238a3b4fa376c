// The time as the database has it: the one clock that all replicas share. What one of them writes at a moment another waits
// for, so that two clocks ten minutes apart would be ten minutes of doing nothing. Between two questions our own steady
// clock counts on, which nobody sets; the wall clock of this machine is never looked at.
import type pg from "pg";
import type { Instant } from "../../../engines/time.ts";

/** The database's time, kept until closed. */
export interface DatabaseTime {
  readonly now: () => Instant;
  readonly close: () => void;
}

const secondsBetweenQuestions = 30;

/**
 * Asks the database for its time, now and every half minute.
 *
 * The answer is taken for the middle of its journey, so that it is wrong by half of that at most; a slow answer therefore
 * corrects nothing, nor does a database that is away.
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
  }, secondsBetweenQuestions * 1000).unref();
  return { now: () => Math.round(known.at + performance.now() - known.counted), close: () => clearInterval(asking) };
}
