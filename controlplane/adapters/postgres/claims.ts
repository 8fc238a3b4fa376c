// Claims and locks in PostgreSQL. Every lease is judged by the database's clock, and rows are always locked in the
// order of their keys, so that two claims of several targets cannot wait for each other. The rules of taking are those
// of runtime/claims.ts as a function in the database (migrations.ts); one contract test runs against both.
import type pg from "pg";
import { inOrder } from "../../../engines/targets.ts";
import type { Claim, Claims, Lock } from "../../runtime/ports.ts";

const takeStatement = "select held_by, epoch from ballast.take($1::text[], $2, $3, $4)";

const lockStatement = `
insert into ballast.locks as l (target, by, until, id)
values ($1, $2, clock_timestamp() + make_interval(secs => $3), coalesce($4::uuid, gen_random_uuid()))
on conflict (target) do update set id = excluded.id, by = excluded.by, until = excluded.until
  where l.until <= clock_timestamp() or (l.id = excluded.id and l.by = excluded.by)
returning id, by, extract(epoch from until - clock_timestamp())::float8 as seconds`;

const lockOnStatement = `
select id, by, extract(epoch from until - clock_timestamp())::float8 as seconds
from ballast.locks where target = $1 and until > clock_timestamp()`;

/** The rows of a claim, locked in the order of their keys. */
const ours = `
with ours as (
  select target from ballast.claims
  where target = any($1::text[]) and holder = $2 and process = $3 and epoch = $4 order by target for update
)
update ballast.claims c`;
const ofOurs = "from ours where c.target = ours.target";
const renewStatement = `${ours} set expires_at = clock_timestamp() + make_interval(secs => $5)
${ofOurs} and expires_at > clock_timestamp() returning 1`;
const releaseStatement = `${ours} set holder = null, process = null, expires_at = clock_timestamp() ${ofOurs}`;
const lapseStatement = `${ours} set expires_at = clock_timestamp() ${ofOurs}`;
const expiredStatement = `
select array_agg(target order by target) as targets, holder, process, epoch from ballast.claims
where holder is not null and expires_at <= clock_timestamp() group by holder, process, epoch order by 1`;
const keptElsewhereStatement = `
select distinct holder from ballast.claims
where holder is not null and process <> $1 and expires_at > clock_timestamp()`;

const holdersStatement = `
select distinct holder from ballast.claims where target = any($1::text[]) and holder is not null order by holder`;

const keysOf = (claim: Claim): readonly unknown[] => [claim.targets, claim.holder, claim.process, claim.epoch];

/** Opens the claims. Each has a lease of `leaseSeconds`. */
export function openClaims(pool: pg.Pool, leaseSeconds: number): Claims {
  const query = async <Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
  ): Promise<readonly Row[]> => (await pool.query<Row>(text, [...values])).rows;

  const lockOn: Claims["lockOn"] = async (target) =>
    (await query<Lock & pg.QueryResultRow>(lockOnStatement, [target]))[0];

  return {
    take: async (targets, stream, process) => {
      const keys = inOrder(targets);
      const [taken] = await query<{ held_by: string | null; epoch: number }>(takeStatement, [
        keys,
        stream,
        process,
        leaseSeconds,
      ]);
      const { held_by: heldBy, epoch } = taken!;
      return heldBy === null ? { claim: { targets: keys, holder: stream, process, epoch } } : { heldBy };
    },
    renew: async (claim) =>
      (await query(renewStatement, [...keysOf(claim), leaseSeconds])).length === claim.targets.length,
    release: async (claim) => void (await query(releaseStatement, keysOf(claim))),
    lapse: async (claim) => void (await query(lapseStatement, keysOf(claim))),
    expired: async () => query<Claim & pg.QueryResultRow>(expiredStatement, []),
    keptElsewhere: async (process) =>
      (await query<{ holder: string }>(keptElsewhereStatement, [process])).map(({ holder }) => holder),
    holders: async (targets) =>
      (await query<{ holder: string }>(holdersStatement, [targets])).map(({ holder }) => holder),
    lock: async (target, by, seconds, id) => {
      const [lock] = await query<Lock & pg.QueryResultRow>(lockStatement, [target, by, seconds, id]);
      return lock ?? { heldBy: (await lockOn(target))?.by ?? by };
    },
    unlock: async (target, id) =>
      void (await query("delete from ballast.locks where target = $1 and id::text = $2", [target, id])),
    lockOn,
  };
}
