// The rows of streams: what lists, the heartbeat and telemetry show without reading a journal. Each append writes its
// stream's row in the same transaction. A row that does not cover all facts, or whose last fact is not the one that was
// written, is not trusted: then the journal is read, and the row is written again.
import type pg from "pg";
import type { Ended } from "../../../engines/kind.ts";
import type { Overview } from "../../../engines/overview.ts";
import { BallastError, type ErrorFields } from "../../../errors/catalogue.ts";
import type { Journal, Listed, Pulse } from "../../runtime/ports.ts";
import type { Log } from "./connection.ts";

/** What the rows need of the journal. */
export interface RowsSetting {
  readonly pool: pg.Pool;
  /** For the heartbeat alone, which readers must not delay: whoever listens to it would take the loop for dead. */
  readonly heartbeatPool: pg.Pool;
  /** The kinds that this process knows. */
  readonly kinds: readonly string[];
  /** Reads a journal. Gives its length and its overview, or the error of one that cannot be read. */
  readonly overlook: (stream: string) => Promise<Overlooked>;
  readonly log: Log;
}

/** What a journal says about its stream. Without an overview its kind is unknown here. */
export type Overlooked =
  | { readonly length: number; readonly overview: Overview | undefined }
  | { readonly error: BallastError };

/** The part of the journal that reads rows, and the repair of rows of earlier versions. */
export interface Rows extends Pick<Journal, "list" | "show" | "underWay" | "looked" | "stuck" | "pulse"> {
  /** Writes the rows that do not cover all facts of their streams. */
  readonly refresh: (cancel: AbortSignal) => Promise<void>;
  /** Makes the row of a stream untrusted, because its journal could not be read. */
  readonly distrust: (stream: string) => Promise<void>;
}

const columns = `
s.stream, s.length, s.phase, s.ended, s.summary, s.stuck,
case when s.due_at < 'infinity' then (extract(epoch from s.due_at) * 1000)::float8 end as due,
(extract(epoch from s.created_at) * 1000000)::bigint::text as created,
s.described is not distinct from s.length
  and exists (select 1 from ballast.facts f
    where f.stream = s.stream and f.index = s.length - 1 and (f.hash is null or f.hash = s.hash))
  and not exists (select 1 from ballast.facts f where f.stream = s.stream and f.index = s.length) as sound`;

const listStatement = `
select ${columns} from ballast.streams s
where s.kind = $1 and not ($2 and s.finished)
  and not exists (
    select 1 from unnest($3::integer[], $4::text[]) as asked (place, part)
    where split_part(s.stream, '/', asked.place) <> asked.part)
  and ($5::bigint is null
    or s.created_at < timestamptz 'epoch' + $5 * interval '1 microsecond'
    or (s.created_at = timestamptz 'epoch' + $5 * interval '1 microsecond' and s.stream > $6))
order by s.created_at desc, s.stream limit $7`;

const showStatement = `select ${columns} from ballast.streams s where s.stream = $1`;

const refreshStatement = `
update ballast.streams set described = length, phase = $3::jsonb->>'phase', ended = nullif($3::jsonb->'ended', 'null'),
  summary = nullif($3::jsonb->'summary', 'null'), due_at = ${dueFrom("$3::jsonb")}
where stream = $1 and length = $2`;

const staleStatement = `
select stream from ballast.streams
where described is distinct from length and stream > $1 order by stream limit 100`;

const underWayStatement = `
select kind, case when stuck is not null then 'stuck' when described = length then phase else 'unknown' end as phase,
  count(*)::integer as streams
from ballast.streams where not finished group by 1, 2 order by 1, 2`;

const lookedStatement = "update ballast.streams set looked_at = clock_timestamp() where stream = any($1::text[])";

const stuckStatement = "update ballast.streams set stuck = $2 where stream = $1 and stuck is distinct from $2";

// The first query is answered by an index. The second reads the unfinished streams only, by an index too. A row that
// the previous version wrote is due since its last fact. Streams of a kind that this process does not know are another
// version's: it leaves them alone for good, and is no dead loop for that.
const pulseStatement = `
select (extract(epoch from last) * 1000)::float8 as at, extract(epoch from clock_timestamp() - last)::float8 as ago,
  unfinished, stuck, overdue
from (select max(written_at) as last from ballast.streams) as written, (
  select count(*)::integer as unfinished, count(*) filter (where is_stuck)::integer as stuck,
    coalesce(max(extract(epoch from clock_timestamp() - since))
      filter (where since < clock_timestamp() and not is_stuck), 0)::float8 as overdue
  from (
    select greatest(case when described = length then coalesce(due_at, 'infinity') else written_at end, looked_at)
      as since, stuck is not null as is_stuck
    from ballast.streams where not finished and kind = any($1::text[])) as alone) as loop`;

/** The SQL of the moment at which a stream is due, from its overview as JSON. */
export function dueFrom(overview: string): string {
  return `coalesce(to_timestamp((${overview}->>'dueAt')::float8 / 1000), 'infinity')`;
}

/** Writes an overview as the JSON that the statements take. PostgreSQL takes no lone surrogate and no NUL. */
export const overviewAsText = (overview: Overview | undefined): string | null =>
  overview === undefined
    ? null
    : JSON.stringify(overview, (_, value: unknown) =>
        typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\uFFFD") : value,
      );

const errorAsText = (error: BallastError | undefined): string | null => {
  if (error === undefined) return null;
  const { id, message, fix, left, severity, exitCode } = error;
  return JSON.stringify({ id, message, fix, left, severity, exitCode }).replaceAll("\\u0000", "");
};

interface Row {
  readonly stream: string;
  readonly length: number;
  readonly phase: string | null;
  readonly ended: Ended | null;
  readonly summary: object | null;
  readonly stuck: ErrorFields | null;
  readonly due: number | null;
  readonly created: string;
  readonly sound: boolean;
}

/** Opens the rows. */
export function openRows(setting: RowsSetting): Rows {
  const { pool, heartbeatPool } = setting;
  return {
    list: async ({ kind, unfinished = false, parts = new Map(), limit, after }) => {
      const places = [...parts.keys()].map((place) => place + 2); // counted from 1, after the kind
      const values = [kind, unfinished, places, [...parts.values()], after?.createdAt, after?.stream, limit + 1];
      const { rows } = await pool.query<Row>({ name: "ballast-list", text: listStatement, values });
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      const streams: Listed[] = [];
      for (const row of shown) streams.push(await listed(row, setting));
      return {
        streams,
        next: rows.length > limit && last ? { createdAt: last.created, stream: last.stream } : undefined,
      };
    },
    show: async (stream) => {
      const { rows } = await pool.query<Row>({ name: "ballast-show", text: showStatement, values: [stream] });
      return rows[0] && listed(rows[0], setting);
    },
    underWay: async () => (await pool.query<{ kind: string; phase: string; streams: number }>(underWayStatement)).rows,
    looked: async (streams) => {
      const values = [streams];
      if (streams.length > 0) await heartbeatPool.query({ name: "ballast-looked", text: lookedStatement, values });
    },
    stuck: async (stream, why) =>
      void (await pool.query({ name: "ballast-stuck", text: stuckStatement, values: [stream, errorAsText(why)] })),
    pulse: () => readPulse(setting),
    refresh: (cancel) => refreshAll(setting, cancel),
    distrust: async (stream) =>
      void (await pool.query("update ballast.streams set described = null where stream = $1", [stream])),
  };
}

/** Shows a row. If it cannot be trusted, it shows the journal and writes the row again. */
async function listed({ sound, ...row }: Row, setting: RowsSetting): Promise<Listed> {
  const { stream, length, phase, ended, summary, due, stuck } = row;
  const shown: Listed = sound
    ? { stream, facts: length, overview: { phase: phase ?? "", ended, summary, dueAt: due } }
    : await refreshOne(stream, setting);
  return stuck === null || "error" in shown ? shown : { ...shown, stuck: new BallastError(stuck) };
}

async function refreshOne(stream: string, { pool, overlook }: RowsSetting): Promise<Listed> {
  const overlooked = await overlook(stream);
  if ("error" in overlooked) return { stream, error: overlooked.error };
  const { length, overview } = overlooked;
  if (overview === undefined) throw new Error(`${stream} is of a kind that this process does not know`);
  await pool.query({
    name: "ballast-refresh",
    text: refreshStatement,
    values: [stream, length, overviewAsText(overview)],
  });
  return { stream, facts: length, overview };
}

/** One stream after the other, so that the loop has the processor in between. */
async function refreshAll(setting: RowsSetting, cancel: AbortSignal): Promise<void> {
  let last = "";
  while (!cancel.aborted) {
    const { rows } = await setting.pool.query<{ stream: string }>(staleStatement, [last]);
    if (rows.length === 0) return;
    for (const { stream } of rows) {
      if (cancel.aborted) return;
      last = stream;
      await refreshOne(stream, setting).catch((error: unknown) =>
        setting.log(`the row of ${stream} could not be brought up to date: ${String(error)}`),
      );
    }
  }
}

async function readPulse({ heartbeatPool, kinds }: RowsSetting): Promise<Pulse> {
  const { rows } = await heartbeatPool.query<{
    at: number | null;
    ago: number;
    unfinished: number;
    stuck: number;
    overdue: number;
  }>(pulseStatement, [kinds]);
  const { at = null, ago = 0, unfinished = 0, stuck = 0, overdue = 0 } = rows[0] ?? {};
  return {
    inFlight: unfinished,
    overdueSeconds: overdue,
    stuck,
    lastWrite: at === null ? undefined : { at: Math.round(at), secondsAgo: Math.max(0, ago) },
  };
}
