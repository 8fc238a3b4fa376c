// Claims and holds in PostgreSQL. Each is one statement on one row, and every lease is judged by the database's clock.
// The rules are those of runtime/claims.ts, said in SQL; one contract holds both to each other.
import type pg from "pg";
import { targetKey } from "../../../engines/rollout/names.ts";
import type { Claim, Claims, Hold } from "../../runtime/ports.ts";

const takeStatement = `
insert into ballast.claims as c (target, holder, process, epoch, expires_at)
values ($1, $2, $3, 1, clock_timestamp() + make_interval(secs => $4))
on conflict (target) do update set
  holder = excluded.holder, process = excluded.process, expires_at = excluded.expires_at,
  epoch = case when c.holder = $2 and c.process = $3 and c.expires_at > clock_timestamp() then c.epoch else c.epoch + 1 end
  where c.holder is null or c.holder = $2 and (c.process = $3 or c.expires_at <= clock_timestamp())
returning epoch`;

const holdStatement = `
insert into ballast.holds as h (target, by, until) values ($1, $2, clock_timestamp() + make_interval(secs => $3))
on conflict (target) do update set id = gen_random_uuid(), by = excluded.by, until = excluded.until where h.until <= clock_timestamp()
returning id, by, extract(epoch from until - clock_timestamp())::float8 as seconds`;

const ours = "target = $1 and holder = $2 and process = $3 and epoch = $4";
const keysOf = (claim: Claim): readonly unknown[] => [claim.target, claim.holder, claim.process, claim.epoch];

/** Opens the claims, each with a lease of so many seconds. */
export function openClaims(pool: pg.Pool, leaseSeconds: number): Claims {
  const query = async <Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
  ): Promise<readonly Row[]> => (await pool.query<Row>(text, [...values])).rows;

  const held: Claims["held"] = async (target) => {
    const [hold] = await query<Hold & pg.QueryResultRow>(
      "select id, by, extract(epoch from until - clock_timestamp())::float8 as seconds from ballast.holds where target = $1 and until > clock_timestamp()",
      [targetKey(target)],
    );
    return hold;
  };

  const take: Claims["take"] = async (target, stream, process) => {
    const [taken] = await query<{ epoch: number }>(takeStatement, [targetKey(target), stream, process, leaseSeconds]);
    if (taken) return { claim: { target: targetKey(target), holder: stream, process, epoch: taken.epoch } };
    const [row] = await query<{ holder: string | null }>("select holder from ballast.claims where target = $1", [
      targetKey(target),
    ]);
    return row?.holder ? { heldBy: row.holder } : take(target, stream, process); // It was given free in between.
  };

  return {
    take,
    renew: async (claim) =>
      (
        await query(
          `update ballast.claims set expires_at = clock_timestamp() + make_interval(secs => $5) where ${ours} and expires_at > clock_timestamp() returning 1`,
          [...keysOf(claim), leaseSeconds],
        )
      ).length > 0,
    release: async (claim) =>
      void (await query(
        `update ballast.claims set holder = null, process = null, expires_at = clock_timestamp() where ${ours}`,
        keysOf(claim),
      )),
    lapse: async (claim) =>
      void (await query(`update ballast.claims set expires_at = clock_timestamp() where ${ours}`, keysOf(claim))),
    expired: async () =>
      query<Claim & pg.QueryResultRow>(
        "select target, holder, process, epoch from ballast.claims where holder is not null and expires_at <= clock_timestamp() order by target",
        [],
      ),
    keptElsewhere: async (process) =>
      (
        await query<{ holder: string }>(
          "select holder from ballast.claims where holder is not null and process <> $1 and expires_at > clock_timestamp()",
          [process],
        )
      ).map(({ holder }) => holder),
    hold: async (target, by, seconds) => {
      const [hold] = await query<Hold & pg.QueryResultRow>(holdStatement, [targetKey(target), by, seconds]);
      return hold ?? { heldBy: (await held(target))?.by ?? by };
    },
    unhold: async (target, id) =>
      void (await query("delete from ballast.holds where target = $1 and id::text = $2", [targetKey(target), id])),
    held,
  };
}
