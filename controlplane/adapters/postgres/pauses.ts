// The pauses of all remediations, in PostgreSQL: one row for each change, so that who paused and who resumed stays
// known. The database's clock says when a pause ends.
import type pg from "pg";
import type { PauseOfAll } from "../../../engines/pause.ts";
import type { Pauses } from "../../runtime/ports.ts";

const untilColumn = "(extract(epoch from until) * 1000)::float8 as until";

/** Opens the pauses. */
export function openPauses(pool: pg.Pool): Pauses {
  const current = async (): Promise<PauseOfAll | null> => {
    const { rows } = await pool.query<PauseOfAll>(
      `select by, message, ${untilColumn}
       from (select * from ballast.pauses order by number desc limit 1) as last where until > clock_timestamp()`,
    );
    return rows[0] ?? null;
  };
  return {
    current,
    begin: async ({ by, message, seconds }) => {
      const { rows } = await pool.query<PauseOfAll>(
        `insert into ballast.pauses (by, message, until)
         values ($1, $2, clock_timestamp() + make_interval(secs => $3)) returning by, message, ${untilColumn}`,
        [by, message, seconds],
      );
      return rows[0]!;
    },
    end: async ({ by, message }) => {
      const wasPaused = (await current()) !== null;
      await pool.query("insert into ballast.pauses (by, message) values ($1, $2)", [by, message]);
      return wasPaused;
    },
  };
}
