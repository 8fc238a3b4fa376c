// The journal in PostgreSQL. An append is one statement, hence one round trip and one transaction: it compares the end
// of the stream with what was read, checks the claim, and writes all facts or none. Listeners are notified after it.
// facts.ts has the stored form of facts, chain.ts the hashes that link them, and the kind of the stream their meaning.
import type pg from "pg";
import { type AnyEvent, EngineFailed, type Kinds, runEngine } from "../../../engines/kind.ts";
import { type Overlook, overviewsOf } from "../../../engines/overview.ts";
import { BallastError } from "../../../errors/catalogue.ts";
import { journalEngineFailed } from "../../../errors/journal.ts";
import type { Appended, Fact, Journal, Outline, Pen, Place } from "../../runtime/ports.ts";
import { type ChainedFact, chain, continueChain, followChain, type StoredFact, type StoredHead } from "./chain.ts";
import type { Log } from "./connection.ts";
import { eventsAsText, parseFact } from "./facts.ts";
import { openGrowth } from "./growth.ts";
import { listen, openAnnouncer } from "./listen.ts";
import { dueFrom, type Overlooked, openRows, overviewAsText, type Rows } from "./rows.ts";

const channel = "ballast_journal";

// The claim's row stays locked to the end of the transaction, so that no other process can take the claim between the
// check and the facts. A stream of the expected length with another last fact, as in a database restored from a backup,
// is not the stream that the events were decided on. The stream's row shows what it is after the facts, for readers
// that need no journal; a write under a claim is the loop's, and so counts as its look at the stream. Any other write
// is a person's or a program's. If something was due before it and is after it, it is due since then: otherwise signals
// would hide a loop that stands still.
const appendStatement = `
with held as (
  select 1 from ballast.claims
  where target = $6 and holder = $1 and process = $5 and epoch = $7 and expires_at > clock_timestamp() for share
), head as (
  insert into ballast.streams as s (
    stream, length, finished, hash, described, phase, ended, summary, due_at, looked_at)
  select $1, jsonb_array_length($3::jsonb), coalesce($4::boolean, false),
    ($9::text[])[jsonb_array_length($3::jsonb)],
    case when $10::jsonb is not null then jsonb_array_length($3::jsonb) end,
    $10::jsonb->>'phase', nullif($10::jsonb->'ended', 'null'), nullif($10::jsonb->'summary', 'null'),
    ${dueFrom("$10::jsonb")}, case when $6::text is not null then clock_timestamp() end
  where ($2 = 0 or exists (select 1 from ballast.streams where stream = $1))
    and ($6::text is null or exists (select 1 from held))
  on conflict (stream) do update set
    length = s.length + excluded.length, finished = coalesce($4::boolean, s.finished), written_at = clock_timestamp(),
    hash = excluded.hash, described = case when $10::jsonb is not null then s.length + excluded.described end,
    phase = excluded.phase, ended = excluded.ended, summary = excluded.summary,
    due_at = case when $6::text is null and excluded.due_at <= clock_timestamp()
      then least(s.due_at, excluded.due_at) else excluded.due_at end,
    looked_at = coalesce(excluded.looked_at, s.looked_at), stuck = null
    where s.length = $2
      and not exists (select 1 from ballast.facts where stream = $1 and index = $2 - 1 and hash <> $8::text)
  returning s.length
), written as (
  insert into ballast.facts (stream, index, event, process, epoch, hash)
  select $1, $2 + given.place::integer - 1, given.event, $5, coalesce($7::integer, 0), ($9::text[])[given.place]
  from head, jsonb_array_elements($3::jsonb) with ordinality as given (event, place)
)
select exists (select 1 from held) as held, (select length from head) as length`;

// A transaction that notifies holds a server-wide lock until its commit is on disk, so such appends would wait for each
// other and never share a disk write. NOTIFY is therefore a transaction of its own, for everything appended in the
// meantime. It writes nothing, and so waits for no disk.
const announceStatement = `select pg_notify('${channel}', payload) from unnest($1::text[]) as payload`;

// One statement for both, so that the facts and the end of the stream are of one moment.
const readStatement = `
select s.length, s.hash as head, f.index, f.event, f.process, f.epoch, f.hash
from ballast.streams s left join ballast.facts f on f.stream = s.stream and f.index >= $2
where s.stream = $1 order by f.index`;

type ReadRow = Omit<StoredFact, "stream" | "index"> & {
  readonly length: number;
  readonly head: string | null;
  readonly index: number | null;
};

const streamsStatement = `
select stream from ballast.streams
where ($1::text is null or starts_with(stream, $1 || '/')) and not ($2 and finished)
  and ($3::bigint is null or not finished or written_at >= to_timestamp($3 / 1000.0))
  and ($4::text is null or starts_with(stream, $4))
order by created_at desc, stream`;

const outlinesStatement = `
select s.stream, s.finished, first.event, first.process, first.epoch, first.hash,
  case when first.event is not null then (last.event->>'at')::float8 end as "lastAt"
from ballast.streams s
left join ballast.facts first on first.stream = s.stream and first.index = 0
left join ballast.facts last on last.stream = s.stream and last.index = s.length - 1
where s.kind = $1 and (not s.finished or s.written_at >= to_timestamp($2::bigint / 1000.0))
order by s.created_at desc, s.stream`;

type OutlineRow = Omit<StoredFact, "index"> & Pick<Outline, "finished"> & { readonly lastAt: number | null };

/** A journal that must be closed, because it keeps a connection that listens. */
export interface PostgresJournal<Event extends AnyEvent> extends Journal<Event>, Pick<Rows, "refresh"> {
  readonly close: () => Promise<void>;
}

/**
 * Opens the journal of the streams of these kinds. `grown` also reads lengths every `pollSeconds`, in case a
 * notification is lost. The heartbeat has the connections of `heartbeatPool`, so that no number of readers delays it.
 */
export function openJournal<Event extends AnyEvent>(
  pool: pg.Pool,
  listening: pg.ClientConfig,
  kinds: Kinds<Event>,
  log: Log,
  pollSeconds = 5,
  heartbeatPool: pg.Pool = pool,
): PostgresJournal<Event> {
  const growth = openGrowth((streams) => lengthsOf(pool, streams), pollSeconds);
  const listener = listen(listening, channel, log, (payload) => {
    if (payload === undefined) growth.lookAtAll();
    const [, length, stream] = /^(\d+) (.*)$/s.exec(payload ?? "") ?? [];
    if (stream !== undefined) growth.noticed(stream, Number(length));
  });
  const others = openAnnouncer((payloads) =>
    pool.query({ name: "ballast-announce", text: announceStatement, values: [payloads] }),
  );
  const overviews = overviewsOf(kinds);
  // The facts count even if no overview can be made of them. The row is then not trusted.
  const overlook: Overlook<Event> = (...of) => {
    try {
      return runEngine(() => overviews(...of));
    } catch (error) {
      log(`the row of ${of[0]} shows nothing: ${String(error)}`);
      return undefined;
    }
  };
  const readWhole = async (stream: string, known: readonly Fact<Event>[] = []) => {
    try {
      return await read(pool, kinds, stream, known);
    } catch (error) {
      if (isUnreadable(error)) await distrust(stream).catch(() => undefined);
      throw error;
    }
  };
  const { distrust, ...shown } = openRows({
    pool,
    heartbeatPool,
    kinds: kinds.all.map(({ kind }) => kind),
    log,
    overlook: overlookedBy(readWhole, overviews),
  });
  return {
    ...shown,
    read: readWhole,
    after: (stream, place) => after(pool, kinds, stream, place),
    append: async (stream, on, events, pen) => {
      if (events.length === 0) return "appended";
      if (pen.claim && pen.claim.holder !== stream) return "fenced";
      const { result, length } = await append({ pool, kinds, overlook }, stream, on, events, pen);
      if (length !== undefined) {
        growth.knows(stream, length);
        others.announce(stream, `${length} ${stream}`);
      }
      return result;
    },
    grown: growth.grown,
    outlines: (filter) => readOutlines(pool, kinds, readWhole, filter),
    streams: (filter) => readStreams(pool, filter),
    close: async () => {
      growth.close();
      await others.close();
      await listener.close();
    },
  };
}

async function readStreams(
  pool: pg.Pool,
  { kind, unfinished, since, prefix }: Parameters<Journal["streams"]>[0],
): Promise<readonly string[]> {
  const { rows } = await pool.query<Pick<Fact, "stream">>(streamsStatement, [
    kind ?? null,
    unfinished ?? false,
    since === undefined ? null : Math.floor(since),
    prefix ?? null,
  ]);
  return rows.map(({ stream }) => stream);
}

async function readOutlines<Event extends AnyEvent>(
  pool: pg.Pool,
  kinds: Kinds<Event>,
  readWhole: Journal<Event>["read"],
  { kind, since }: Parameters<Journal["outlines"]>[0],
): Promise<readonly Outline<Event>[]> {
  const values = [kind, Math.floor(since)];
  const { rows } = await pool.query<OutlineRow>({ name: "ballast-outlines", text: outlinesStatement, values });
  for (const { stream, lastAt } of rows) if (lastAt === null) await readWhole(stream); // It says what is missing.
  return rows.map(({ finished, lastAt, hash, ...fact }) => {
    const first = parseFact({ ...fact, index: 0, hash: hash ?? "" }, kinds).event;
    return { stream: fact.stream, first, finished, lastAt: lastAt ?? first.at };
  });
}

async function lengthsOf(pool: pg.Pool, streams: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ stream: string; length: number }>({
    name: "ballast-lengths",
    text: "select stream, length from ballast.streams where stream = any($1::text[])",
    values: [streams],
  });
  return new Map(rows.map(({ stream, length }) => [stream, length]));
}

/** Reports whether an error is that of a journal that cannot be read, however often one tries. */
const isUnreadable = (error: unknown): error is BallastError =>
  error instanceof BallastError && (error.id === "journal-fact-unknown" || error.id === "journal-chain-broken");

const overlookedBy =
  <Event extends AnyEvent>(readWhole: Journal<Event>["read"], overlook: Overlook<Event>) =>
  async (stream: string): Promise<Overlooked> => {
    try {
      const facts = await readWhole(stream);
      return { length: facts.length, overview: runEngine(() => overlook(stream, facts)) };
    } catch (error) {
      if (error instanceof EngineFailed) return { error: journalEngineFailed({ stream, why: error.message }) };
      if (!isUnreadable(error)) throw error;
      return { error };
    }
  };

/** Reads the facts after a place. Without its hash, the stored one of the fact there is where the chain continues. */
async function after<Event extends AnyEvent>(
  pool: pg.Pool,
  kinds: Kinds<Event>,
  stream: string,
  { index, hash }: Place,
): Promise<readonly Fact<Event>[] | undefined> {
  const found = await readFrom(pool, stream, hash === undefined ? index : index + 1);
  if (found === undefined) return undefined;
  const [first, ...rest] = found.stored;
  const base = hash ?? (first?.index === index ? first.hash : null);
  if (base == null) return undefined;
  const more = continueChain({ hash: base }, index + 1, found.head, hash === undefined ? rest : found.stored);
  return more?.map((fact) => parseFact(fact, kinds));
}

/** Reads the facts after the known ones if they continue them, else the whole stream. */
async function read<Event extends AnyEvent>(
  pool: pg.Pool,
  kinds: Kinds<Event>,
  stream: string,
  known: readonly Fact<Event>[],
): Promise<readonly Fact<Event>[]> {
  const parse = (fact: ChainedFact) => parseFact(fact, kinds);
  const found = await readFrom(pool, stream, known.length);
  const more = found && continueChain(known.at(-1), known.length, found.head, found.stored);
  if (more) return more.length === 0 ? known : [...known, ...more.map(parse)];
  const whole = known.length === 0 ? found : await readFrom(pool, stream, 0);
  return whole === undefined ? [] : followChain(stream, whole.head, whole.stored).map(parse);
}

/** Reads the facts from an index on, and the end of the stream. */
async function readFrom(
  pool: pg.Pool,
  stream: string,
  from: number,
): Promise<{ readonly head: StoredHead; readonly stored: readonly StoredFact[] } | undefined> {
  const { rows } = await pool.query<ReadRow>({ name: "ballast-read", text: readStatement, values: [stream, from] });
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

/** Appends events and gives the result, with the new length of the stream if they were written. */
async function append<Event extends AnyEvent>(
  { pool, kinds, overlook }: { pool: pg.Pool; kinds: Kinds<Event>; overlook: Overlook<Event> },
  stream: string,
  on: readonly Fact<Event>[],
  events: readonly Event[],
  { process, claim }: Pen,
): Promise<{ readonly result: Appended; readonly length?: number }> {
  const before = on.at(-1)?.hash;
  const text = runEngine(() => eventsAsText(events));
  const epoch = claim?.epoch ?? 0;
  const facts = chain(
    before,
    (JSON.parse(text) as unknown[]).map((event, offset) => ({
      stream,
      index: on.length + offset,
      event,
      process,
      epoch,
    })),
  );
  const { rows } = await pool.query<{ held: boolean; length: number | null }>({
    name: "ballast-append",
    text: appendStatement,
    values: [
      stream,
      on.length,
      text,
      runEngine(() => kinds.of(stream)?.finishes(events) ?? null),
      process,
      claim?.targets[0] ?? null,
      claim?.epoch ?? null,
      before ?? null,
      facts.map(({ hash }) => hash),
      overviewAsText(overlook(stream, on, events)),
    ],
  });
  const [answer] = rows;
  if (answer?.length == null) return { result: claim && !answer?.held ? "fenced" : "conflict" };
  return { result: "appended", length: answer.length };
}
