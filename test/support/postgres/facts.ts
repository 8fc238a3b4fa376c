// The facts of a stream as they lie in the database, for tests that look past the journal's adapter.
import type pg from "pg";
import type { Fact } from "../../../controlplane/runtime/ports.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";

/** Gives the facts of a rollout, in the order in which they were written. */
export const factsIn = async (pool: pg.Pool, stream: string): Promise<readonly Fact<RolloutEvent>[]> =>
  (await pool.query<Fact<RolloutEvent>>("select * from ballast.facts where stream = $1 order by index", [stream])).rows;
