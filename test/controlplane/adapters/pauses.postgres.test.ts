// A pause of all remediations, in PostgreSQL: it holds for every replica and after a restart, and it ends by the clock
// of the database.
import { expect, test } from "vitest";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { openPauses } from "../../../controlplane/adapters/postgres/pauses.ts";
import { postgresForTests } from "../../support/postgres/postgres.ts";

const postgres = postgresForTests();

test("it is seen through every connection, is replaced, ends early or by itself, and each change is kept", async () => {
  const database = await postgres.fresh();
  const pool = postgres.pool(database);
  await migrate(pool);
  const [one, other] = [openPauses(pool), openPauses(postgres.pool(database))];
  expect(await one.current()).toBeNull();
  expect(await one.end({ by: "ann", message: "nothing to end" })).toBe(false);
  const first = await one.begin({ by: "ann", message: "migration", seconds: 7200 });
  expect(await other.current()).toEqual(first);
  const second = await other.begin({ by: "bob", message: "longer", seconds: 9000.5 });
  expect(second.until - first.until).toBeGreaterThan(1_800_000);
  expect(await one.current()).toEqual({ by: "bob", message: "longer", until: second.until });
  expect(await one.end({ by: "ann", message: "done" })).toBe(true);
  expect(await other.current()).toBeNull();
  await one.begin({ by: "ann", message: "again", seconds: 60 });
  await pool.query("update ballast.pauses set until = clock_timestamp() - interval '1 second' where message = 'again'");
  expect(await other.current(), "it has ended by itself").toBeNull();
  const { rows } = await pool.query("select by, message from ballast.pauses order by number");
  expect(rows.map(({ by, message }) => `${by}: ${message}`)).toEqual([
    "ann: nothing to end",
    "ann: migration",
    "bob: longer",
    "ann: done",
    "ann: again",
  ]);
});
