// What programs have declared, in PostgreSQL: one row for each target, replaced whole. It holds no secret.
import type pg from "pg";
import type { DeclarationStore } from "../../runtime/ports.ts";

/** Opens the declarations. */
export const openDeclarations = (pool: pg.Pool): DeclarationStore => ({
  all: async () =>
    (await pool.query<{ value: unknown }>("select value from ballast.declarations order by target")).rows.map(
      ({ value }) => value,
    ),
  put: async (target, value) =>
    void (await pool.query(
      `insert into ballast.declarations (target, value) values ($1, $2)
       on conflict (target) do update set value = excluded.value, written_at = clock_timestamp()`,
      [target, JSON.stringify(value)],
    )),
  remove: async (target) =>
    ((await pool.query("delete from ballast.declarations where target = $1", [target])).rowCount ?? 0) > 0,
});
