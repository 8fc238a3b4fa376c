// The journal in PostgreSQL. An append is one statement and so one round trip and one transaction: it compares the
// stream's end with what was read, checks the claim and writes the facts, or none of these. Whoever listens is told after it.
// What facts mean is the engine's business; their shape is in facts.ts, what holds them together in chain.ts.
import type pg from "pg";
import { targetKey } from "../../../engines/rollout/names.ts";
import type { Appended, Fact, Journal } from "../../runtime/ports.ts";
import { chain, followChain, goOn, type StoredFact, type StoredHead } from "./chain.ts";
import type { Log } from "./connection.ts";
import { eventsAsText, finishes, parseFact } from "./facts.ts";
import { openGrowth } from "./growth.ts";
import { listen, openTelling } from "./listen.ts";

const channel = "ballast_journal";

// The claim's row is locked until the end, so that no take-over can happen between the check and the facts. A stream of the
// expected length whose last fact is another, as in a database that was put back from a copy, is not what was decided on.
const appendStatement = `
with held as (
  select 1 from ballast.claims
  where target = $6 and holder = $1 and process = $5 and epoch = $7 and expires_at > clock_timestamp() for share
), head as (
  insert into ballast.streams as s (stream, target, length, finished, hash)
  select $1, $8, jsonb_array_length($3::jsonb), coalesce($4::boolean, false), ($10::text[])[jsonb_array_length($3::jsonb)]
  where ($2 = 0 or exists (select 1 from ballast.streams where stream = $1)) and ($6::text is null or exists (select 1 from held))
  on conflict (stream) do update set
    length = s.length + excluded.length, finished = coalesce($4::boolean, s.finished), written_at = clock_timestamp(), hash = excluded.hash
    where s.length = $2 and not exists (select 1 from ballast.facts where stream = $1 and index = $2 - 1 and hash <> $9::text)
  returning s.length
), written as (
  insert into ballast.facts (stream, index, event, process, epoch, hash)
  select $1, $2 + given.place::integer - 1, given.event, $5, coalesce($7::integer, 0), ($10::text[])[given.place]
  from head, jsonb_array_elements($3::jsonb) with ordinality as given (event, place)
)
select exists (select 1 from held) as held, (select length from head) as length`;

// A transaction that notifies holds a lock of the whole server until it is on the disk, so that such appends would wait for one another and never
// share a write. Hence it is one of its own, for all that was appended meanwhile; it writes nothing, and so waits for no disk.
const tellStatement = `select pg_notify('${channel}', told) from unnest($1::text[]) as told`;

// Both in one statement, so that facts and head are of one moment.
const readStatement = `
select s.length, s.hash as head, f.index, f.event, f.process, f.epoch, f.hash
from ballast.streams s left join ballast.facts f on f.stream = s.stream and f.index >= $2 where s.stream = $1 order by f.index`;

type ReadRow = Omit<StoredFact, "stream" | "index"> & {
  readonly length: number;
  readonly head: string | null;
  readonly index: number | null;
};

// Two questions that an index answers each; a count over all streams would read them all, every few seconds.
const pulseStatement = `
select (extract(epoch from last) * 1000)::float8 as at, extract(epoch from clock_timestamp() - last)::float8 as ago,
  (select count(*)::integer from ballast.streams where not finished) as flying
from (select max(written_at) as last from ballast.streams) as written`;

/** A stream's name holds its target between its kind and its revision. */
const targetKeyOf = (stream: string): string => stream.split("/").slice(1, -1).join("/");

/** A journal that must be closed, since it keeps one connection that listens. */
export interface PostgresJournal extends Journal {
  readonly close: () => Promise<void>;
}

/** Opens the journal. Waiting for growth falls back on looking every `pollSeconds`, should a notice ever be lost. */
export function openJournal(pool: pg.Pool, listening: pg.ClientConfig, log: Log, pollSeconds = 5): PostgresJournal {
  const growth = openGrowth(async (streams) => {
    const { rows } = await pool.query<{ stream: string; length: number }>({
      name: "ballast-lengths",
      text: "select stream, length from ballast.streams where stream = any($1::text[])",
      values: [streams],
    });
    return new Map(rows.map(({ stream, length }) => [stream, length]));
  }, pollSeconds);
  const listener = listen(listening, channel, log, (payload) => {
    if (payload === undefined) growth.lookAtAll();
    const [, length, stream] = /^(\d+) (.*)$/s.exec(payload ?? "") ?? [];
    if (stream !== undefined) growth.noticed(stream, Number(length));
  });
  const others = openTelling((told) => pool.query({ name: "ballast-tell", text: tellStatement, values: [told] }));

  /** Reads the facts from an index on, and where the stream ends. */
  async function readFrom(
    stream: string,
    index: number,
  ): Promise<{ readonly head: StoredHead; readonly stored: readonly StoredFact[] } | undefined> {
    const { rows } = await pool.query<ReadRow>({ name: "ballast-read", text: readStatement, values: [stream, index] });
    const [first] = rows;
    return (
      first && {
        head: { length: first.length, hash: first.head },
        stored: rows.flatMap(({ index, event, process, epoch, hash }) =>
          index === null ? [] : [{ stream, index, event, process, epoch, hash }],
        ),
      }
    );
  }

  return {
    read: async (stream, known = []) => {
      const found = await readFrom(stream, known.length);
      const more = found && goOn(known.at(-1), known.length, found.head, found.stored);
      if (more) return more.length === 0 ? known : [...known, ...more.map(parseFact)];
      const whole = known.length === 0 ? found : await readFrom(stream, 0);
      return whole === undefined ? [] : followChain(stream, whole.head, whole.stored).map(parseFact);
    },
    append: async (stream, on, events, { process, claim }): Promise<Appended> => {
      if (events.length === 0) return "appended";
      if (claim && claim.holder !== stream) return "fenced";
      const before = on.at(-1)?.hash;
      const text = eventsAsText(events);
      const facts = chain(
        before,
        (JSON.parse(text) as unknown[]).map((event, offset) => ({
          stream,
          index: on.length + offset,
          event,
          process,
          epoch: claim?.epoch ?? 0,
        })),
      );
      const {
        rows: [came],
      } = await pool.query<{ held: boolean; length: number | null }>({
        name: "ballast-append",
        text: appendStatement,
        values: [
          stream,
          on.length,
          text,
          finishes(events) ?? null,
          process,
          claim?.target ?? null,
          claim?.epoch ?? null,
          targetKeyOf(stream),
          before ?? null,
          facts.map(({ hash }) => hash),
        ],
      });
      if (came?.length == null) return claim && !came?.held ? "fenced" : "conflict";
      growth.knows(stream, came.length);
      others.tell(stream, `${came.length} ${stream}`);
      return "appended";
    },
    grown: growth.grown,
    streams: async ({ target, unfinished }) => {
      const { rows } = await pool.query<Pick<Fact, "stream">>(
        `select stream from ballast.streams where ($1::text is null or target = $1) and not ($2 and finished) order by created_at desc, stream`,
        [target ? targetKey(target) : null, unfinished ?? false],
      );
      return rows.map((row) => row.stream);
    },
    pulse: async () => {
      const { rows } = await pool.query<{ at: number | null; ago: number; flying: number }>(pulseStatement);
      const { at = null, ago = 0, flying = 0 } = rows[0] ?? {};
      return {
        inFlight: flying,
        lastWrite: at === null ? undefined : { at: Math.round(at), secondsAgo: Math.max(0, ago) },
      };
    },
    close: async () => {
      growth.close();
      await others.close();
      await listener.close();
    },
  };
}
