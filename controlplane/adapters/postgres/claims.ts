// Claims and locks in PostgreSQL. Each operation is one statement on one row, and every lease is judged by the
// database's clock. The rules are those of runtime/claims.ts in SQL; one contract test runs against both.
import type pg from "pg";
import { targetKey } from "../../../engines/rollout/names.ts";
import type { Claim, Claims, Lock } from "../../runtime/ports.ts";

const takeStatement = `
insert into ballast.claims as c (target, holder, process, epoch, expires_at)
values ($1, $2, $3, 1, clock_timestamp() + make_interval(secs => $4))
on conflict (target) do update set
  holder = excluded.holder, process = excluded.process, expires_at = excluded.expires_at,
  epoch = case
    when c.holder = $2 and c.process = $3 and c.expires_at > clock_timestamp() then c.epoch
    else c.epoch + 1
  end
  where c.holder is null or c.holder = $2 and (c.process = $3 or c.expires_at <= clock_timestamp())
returning epoch`;

const lockStatement = `
insert into ballast.locks as l (target, by, until) values ($1, $2, clock_timestamp() + make_interval(secs => $3))
on conflict (target) do update set id = gen_random_uuid(), by = excluded.by, until = excluded.until
  where l.until <= clock_timestamp()
returning id, by, extract(epoch from until - clock_timestamp())::float8 as seconds`;

const lockOnStatement = `
select id, by, extract(epoch from until - clock_timestamp())::float8 as seconds
from ballast.locks where target = $1 and until > clock_timestamp()`;

const ours = "target = $1 and holder = $2 and process = $3 and epoch = $4";
const renewStatement = `
update ballast.claims set expires_at = clock_timestamp() + make_interval(secs => $5)
where ${ours} and expires_at > clock_timestamp() returning 1`;
const releaseStatement = `
update ballast.claims set holder = null, process = null, expires_at = clock_timestamp() where ${ours}`;
const expiredStatement = `
select target, holder, process, epoch from ballast.claims
where holder is not null and expires_at <= clock_timestamp() order by target`;
const keptElsewhereStatement = `
select holder from ballast.claims where holder is not null and process <> $1 and expires_at > clock_timestamp()`;

const keysOf = (claim: Claim): readonly unknown[] => [claim.target, claim.holder, claim.process, claim.epoch];

/** Opens the claims. Each has a lease of `leaseSeconds`. */
export function openClaims(pool: pg.Pool, leaseSeconds: number): Claims {
  const query = async <Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
  ): Promise<readonly Row[]> => (await pool.query<Row>(text, [...values])).rows;

  const lockOn: Claims["lockOn"] = async (target) =>
    (await query<Lock & pg.QueryResultRow>(lockOnStatement, [targetKey(target)]))[0];

  const take: Claims["take"] = async (target, stream, process) => {
    const [taken] = await query<{ epoch: number }>(takeStatement, [targetKey(target), stream, process, leaseSeconds]);
    if (taken) return { claim: { target: targetKey(target), holder: stream, process, epoch: taken.epoch } };
    const [row] = await query<{ holder: string | null }>("select holder from ballast.claims where target = $1", [
      targetKey(target),
    ]);
    return row?.holder ? { heldBy: row.holder } : take(target, stream, process); // It was released in between.
  };

  return {
    take,
    renew: async (claim) => (await query(renewStatement, [...keysOf(claim), leaseSeconds])).length > 0,
    release: async (claim) => void (await query(releaseStatement, keysOf(claim))),
    lapse: async (claim) =>
      void (await query(`update ballast.claims set expires_at = clock_timestamp() where ${ours}`, keysOf(claim))),
    expired: async () => query<Claim & pg.QueryResultRow>(expiredStatement, []),
    keptElsewhere: async (process) =>
      (await query<{ holder: string }>(keptElsewhereStatement, [process])).map(({ holder }) => holder),
    lock: async (target, by, seconds) => {
      const [lock] = await query<Lock & pg.QueryResultRow>(lockStatement, [targetKey(target), by, seconds]);
      return lock ?? { heldBy: (await lockOn(target))?.by ?? by };
    },
    unlock: async (target, id) =>
      void (await query("delete from ballast.locks where target = $1 and id::text = $2", [targetKey(target), id])),
    lockOn,
  };
}
