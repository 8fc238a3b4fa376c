// Journal, claims and passes in memory, for the scenarios' pure world. They keep the same contracts as PostgreSQL and
// DBOS, within one process.
import { type ChainedFact, chain } from "../../../controlplane/adapters/postgres/chain.ts";
import { eventsAsText, parseFact } from "../../../controlplane/adapters/postgres/facts.ts";
import { type StoredClaim, taking } from "../../../controlplane/runtime/claims.ts";
import type {
  Claim,
  Claims,
  Fact,
  Journal,
  Listed,
  Lock,
  Orchestrations,
  Pulse,
  Step,
} from "../../../controlplane/runtime/ports.ts";
import { type AnyEvent, EngineFailed, type Kinds, runEngine } from "../../../engines/kind.ts";
import { type Overview, overviewsOf } from "../../../engines/overview.ts";
import { inOrder, type TargetKey } from "../../../engines/targets.ts";
import type { Instant } from "../../../engines/time.ts";
import type { BallastError } from "../../../errors/catalogue.ts";
import { journalEngineFailed } from "../../../errors/journal.ts";

interface Stored {
  readonly facts: ChainedFact[];
  /** The facts as their readers get them. They are made once, because readers keep what they folded up to each. */
  readonly shown: Fact[];
  readonly createdAt: number;
  finished: boolean;
  /** What PostgreSQL keeps as a row. Here it is made when it is asked for, because most runs never ask. */
  readonly overview: () => Overview | undefined;
  writtenAt: Instant;
  lookedAt: Instant;
  /** Since when it was due when another than the loop wrote to it last; `Infinity` after a write of the loop. */
  dueBefore: Instant;
  stuck: BallastError | undefined;
}

const newStream = (createdAt: number, overview: Stored["overview"]): Stored => ({
  facts: [],
  shown: [],
  finished: false,
  createdAt,
  overview,
  writtenAt: 0,
  lookedAt: 0,
  dueBefore: Number.POSITIVE_INFINITY,
  stuck: undefined,
});

/** Keeps facts in memory, as text, so that nothing is shared with the writer. */
export function memoryJournal<Event extends AnyEvent>(
  kinds: Kinds<Event>,
  stillOurs: (claim: Claim) => boolean = () => true,
  now: () => Instant = Date.now,
): Journal<Event> & { readonly drop: (stream: string) => void; readonly kept: () => number } {
  const streams = new Map<string, Stored>();
  let count = 0;
  const waiting = new Set<() => void>();
  const overlook = overviewsOf(kinds);
  const factsOf = (stream: string): Fact<Event>[] => {
    const stored = streams.get(stream);
    if (stored === undefined) return [];
    for (const fact of stored.facts.slice(stored.shown.length)) stored.shown.push(parseFact(fact, kinds));
    return [...stored.shown] as Fact<Event>[];
  };
  const listedOf = (stream: string, stored: Stored): Listed =>
    listedFrom(stream, stored, () => overlook(stream, factsOf(stream))!);
  // As in PostgreSQL, facts of which no overview can be made are kept all the same.
  const overviewOf = (stream: string): Overview | undefined => {
    try {
      return overlook(stream, factsOf(stream));
    } catch {
      return undefined;
    }
  };
  const lengthOf = (stream: string): number => streams.get(stream)?.facts.length ?? 0;
  return {
    read: async (stream) => factsOf(stream),
    after: async (stream, { index, hash }) => {
      const facts = factsOf(stream);
      const place = facts[index];
      return place === undefined || (hash !== undefined && place.hash !== hash) ? undefined : facts.slice(index + 1);
    },
    ...memoryRows(streams, listedOf, now, (stream) => kinds.of(stream) !== undefined),
    append: async (stream, on, events, { process, claim }) => {
      if (events.length === 0) return "appended";
      if (claim && (claim.holder !== stream || !stillOurs(claim))) return "fenced";
      if (lengthOf(stream) !== on.length || streams.get(stream)?.facts.at(-1)?.hash !== on.at(-1)?.hash)
        return "conflict";
      const text = runEngine(() => eventsAsText(events));
      const finished = runEngine(() => kinds.of(stream)?.finishes(events));
      const stored = streams.get(stream) ?? newStream(++count, () => overviewOf(stream));
      stored.dueBefore = claim || on.length === 0 ? Number.POSITIVE_INFINITY : dueSince(stored);
      streams.set(stream, stored);
      const facts = (JSON.parse(text) as unknown[]).map((event, offset) => ({
        stream,
        index: on.length + offset,
        event,
        process,
        epoch: claim?.epoch ?? 0,
      }));
      stored.facts.push(...chain(on.at(-1)?.hash, facts));
      stored.finished = finished ?? stored.finished;
      stored.writtenAt = now();
      stored.stuck = undefined;
      if (claim) stored.lookedAt = now();
      for (const wake of waiting) wake();
      return "appended";
    },
    drop: (stream) => void streams.delete(stream),
    kept: () => streams.size,
    outlines: outlinesOf(streams, factsOf),
    grown: grownWith(waiting, lengthOf),
  };
}

/** Gives the streams that a filter by their ends leaves, newest first. */
const standing = (
  streams: ReadonlyMap<string, Stored>,
  { unfinished = false, since = 0 }: { readonly unfinished?: boolean; readonly since?: Instant },
): readonly (readonly [string, Stored])[] =>
  [...streams]
    .reverse()
    .filter(([, { finished, writtenAt }]) => !(unfinished && finished) && (!finished || writtenAt >= since));

const outlinesOf =
  <Event extends AnyEvent>(
    streams: ReadonlyMap<string, Stored>,
    factsOf: (stream: string) => readonly Fact<Event>[],
  ): Journal<Event>["outlines"] =>
  async ({ kind, since }) =>
    standing(streams, { since })
      .filter(([stream]) => stream.startsWith(`${kind}/`))
      .map(([stream, { finished }]) => {
        const events = factsOf(stream).map(({ event }) => event);
        return { stream, first: events[0]!, finished, lastAt: events.at(-1)!.at };
      });

/** Shows a stream; `overlook` makes the overview of one whose row has none. */
function listedFrom(stream: string, { facts, overview, stuck }: Stored, overlook: () => Overview): Listed {
  try {
    const shown = overview() ?? runEngine(overlook);
    return { stream, facts: facts.length, overview: shown, ...(stuck && { stuck }) };
  } catch (error) {
    if (!(error instanceof EngineFailed)) throw error;
    return { stream, error: journalEngineFailed({ stream, why: error.message }) };
  }
}

/** Waits for the growth of a stream; each append wakes all who wait. */
const grownWith =
  (waiting: Set<() => void>, lengthOf: (stream: string) => number): Journal["grown"] =>
  (stream, length, cancel) =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!cancel.aborted && lengthOf(stream) <= length) return;
        waiting.delete(look);
        cancel.removeEventListener("abort", look);
        resolve();
      };
      waiting.add(look);
      cancel.addEventListener("abort", look);
      look();
    });

/** The part of a journal in memory that PostgreSQL answers from the rows of streams. */
function memoryRows(
  streams: ReadonlyMap<string, Stored>,
  shown: (stream: string, stored: Stored) => Listed,
  now: () => Instant,
  knows: (stream: string) => boolean,
): Pick<Journal, "streams" | "list" | "show" | "underWay" | "looked" | "stuck" | "pulse"> {
  const lastWriteAt = () => Math.max(0, ...[...streams.values()].map(({ writtenAt }) => writtenAt));
  return {
    streams: async ({ kind, prefix = "", ...filter }) =>
      standing(streams, filter)
        .filter(([stream]) => (!kind || stream.startsWith(`${kind}/`)) && stream.startsWith(prefix))
        .map(([stream]) => stream),
    list: async ({ kind, unfinished, parts = new Map(), limit, after }) => {
      const found = [...streams].toReversed().filter(([stream, { finished, createdAt }]) => {
        const [first, ...rest] = stream.split("/");
        return (
          first === kind &&
          !(unfinished && finished) &&
          (after === undefined || createdAt < Number(after.createdAt)) &&
          [...parts].every(([place, part]) => rest[place] === part)
        );
      });
      const page = found.slice(0, limit);
      const [last, { createdAt: lastAt } = { createdAt: 0 }] = page.at(-1) ?? [""];
      return {
        streams: page.map(([stream, stored]) => shown(stream, stored)),
        next: found.length > limit ? { createdAt: String(lastAt), stream: last } : undefined,
      };
    },
    show: async (stream) => {
      const stored = streams.get(stream);
      return stored && shown(stream, stored);
    },
    underWay: async () => {
      const under = [...streams].filter(([, { finished }]) => !finished);
      const groups = Map.groupBy(
        under,
        ([stream, { overview, stuck }]) => `${stream.split("/")[0]} ${stuck ? "stuck" : (overview()?.phase ?? "")}`,
      );
      return [...groups].map(([key, of]) => {
        const [kind = "", phase = ""] = key.split(" ");
        return { kind, phase, streams: of.length };
      });
    },
    looked: async (names) => {
      for (const name of names) streams.get(name)!.lookedAt = now();
    },
    stuck: async (stream, why) => {
      const stored = streams.get(stream);
      if (stored !== undefined) stored.stuck = why;
    },
    pulse: async () =>
      pulseOf(
        [...streams].filter(([name, { finished }]) => !finished && knows(name)).map(([, stored]) => stored),
        lastWriteAt(),
        now(),
      ),
  };
}

/** Since when a stream is due. What another than the loop writes does not end that, unless nothing is due after it. */
function dueSince({ overview, writtenAt, dueBefore }: Stored): Instant {
  const row = overview();
  if (row === undefined) return writtenAt;
  const due = row.dueAt ?? Number.POSITIVE_INFINITY;
  return due <= writtenAt ? Math.min(due, dueBefore) : due;
}

/** The pulse of these streams in flight. */
function pulseOf(inFlight: readonly Stored[], lastWriteAt: Instant, now: Instant): Pulse {
  const alone = inFlight
    .filter(({ stuck }) => !stuck)
    .map((stored) => (now - Math.max(dueSince(stored), stored.lookedAt)) / 1000);
  return {
    inFlight: inFlight.length,
    overdueSeconds: Math.max(0, ...alone),
    stuck: inFlight.filter(({ stuck }) => stuck !== undefined).length,
    lastWrite: lastWriteAt === 0 ? undefined : { at: lastWriteAt, secondsAgo: (now - lastWriteAt) / 1000 },
  };
}

/** Keeps claims in memory, by the caller's clock. `stillOurs` is for the journal's fence. */
export function memoryClaims(
  leaseSeconds: number,
  now: () => Instant = Date.now,
): Claims & { readonly stillOurs: (claim: Claim) => boolean } {
  type Row = Omit<StoredClaim, "expired"> & { readonly expiresAt: Instant };
  const rows = new Map<TargetKey, Row>();
  const locks = new Map<string, Lock & { readonly until: Instant }>();
  let count = 0;
  const isOurs = ({ targets, holder, process, epoch }: Claim): boolean =>
    targets.every((target) => {
      const row = rows.get(target);
      return row?.holder === holder && row.process === process && row.epoch === epoch;
    });
  const stillOurs = (claim: Claim): boolean =>
    isOurs(claim) && claim.targets.every((target) => rows.get(target)!.expiresAt > now());
  const put = (targets: readonly TargetKey[], change: Partial<Row>): void => {
    for (const target of targets)
      rows.set(target, { ...(rows.get(target) ?? { holder: null, process: null, epoch: 0, expiresAt: 0 }), ...change });
  };
  const lockAt = (key: string): Lock | undefined => {
    const { id, by, until = 0 } = locks.get(key) ?? {};
    return id !== undefined && by !== undefined && until > now()
      ? { id, by, seconds: (until - now()) / 1000 }
      : undefined;
  };
  return {
    stillOurs,
    take: async (targets, stream, process) => {
      const keys = inOrder(targets);
      const held = keys.map((key) => rows.get(key)).map((row) => row && { ...row, expired: row.expiresAt <= now() });
      const taken = taking(held, stream, process);
      if ("heldBy" in taken) return taken;
      const { epoch } = taken;
      put(keys, { holder: stream, process, epoch, expiresAt: now() + leaseSeconds * 1000 });
      return { claim: { targets: keys, holder: stream, process, epoch } };
    },
    renew: async (claim) => {
      if (!stillOurs(claim)) return false;
      put(claim.targets, { expiresAt: now() + leaseSeconds * 1000 });
      return true;
    },
    release: async (claim) =>
      void (isOurs(claim) && put(claim.targets, { holder: null, process: null, expiresAt: now() })),
    lapse: async (claim) => void (isOurs(claim) && put(claim.targets, { expiresAt: now() })),
    expired: async () => {
      const found = [...rows].filter(([, { holder, expiresAt }]) => holder !== null && expiresAt <= now());
      const byHolder = Map.groupBy(found, ([, { holder, process, epoch }]) => `${holder} ${process} ${epoch}`);
      return [...byHolder.values()].map((of) => {
        const [, { holder, process, epoch }] = of[0]!;
        return { targets: of.map(([target]) => target).toSorted(), holder: holder!, process: process!, epoch };
      });
    },
    holders: async (targets) => [...new Set(targets.flatMap((target) => rows.get(target)?.holder ?? []))].toSorted(),
    keptElsewhere: async (process) =>
      [...rows.values()].flatMap((row) =>
        row.holder !== null && row.process !== process && row.expiresAt > now() ? [row.holder] : [],
      ),
    lock: async (target, by, seconds, id) => {
      const other = lockAt(target);
      if (other && !(other.id === id && other.by === by)) return { heldBy: other.by };
      const lock = { id: id ?? `lock-${++count}`, by, seconds };
      locks.set(target, { ...lock, until: now() + seconds * 1000 });
      return lock;
    },
    unlock: async (target, id) => void (locks.get(target)?.id === id && locks.delete(target)),
    lockOn: async (target) => lockAt(target),
  };
}

/** Keeps the passes of one process in memory. None outlives it, so none is ever found open. */
export function memoryOrchestrations(): Orchestrations {
  const ended = new Set<string>();
  let body: Parameters<Orchestrations["launch"]>[0];
  const step: Step = (_, act) => act();
  const nameOf = (stream: string, length: number): string => `${stream}#${length}`;
  return {
    launch: async (pass) => {
      body = pass;
    },
    begin: async (stream, length) => {
      if (ended.has(nameOf(stream, length))) return "ended";
      ended.add(nameOf(stream, length));
      await body(stream, length, step);
      return "done";
    },
    resume: async () => undefined,
    open: async () => [],
    forget: async (stream, length) => void ended.delete(nameOf(stream, length)),
    forgetAll: async () => ended.clear(),
    close: async () => undefined,
  };
}
