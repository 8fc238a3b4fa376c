// Journal and claims in memory, for the scenarios' pure world. They keep the same contracts as PostgreSQL,
// within one process.
import { type ChainedFact, chain } from "../../../controlplane/adapters/postgres/chain.ts";
import { eventsAsText, finishes, parseFact } from "../../../controlplane/adapters/postgres/facts.ts";
import { type StoredClaim, taking } from "../../../controlplane/runtime/claims.ts";
import type { Claim, Claims, Journal, Lock } from "../../../controlplane/runtime/ports.ts";
import { streamOf, targetKey } from "../../../engines/rollout/names.ts";
import type { Instant } from "../../../engines/time.ts";

interface Stored {
  readonly facts: ChainedFact[];
  finished: boolean;
}

/** Keeps facts in memory, as text, so that nothing is shared with the writer. */
export function memoryJournal(
  stillOurs: (claim: Claim) => boolean = () => true,
  now: () => Instant = Date.now,
): Journal {
  const streams = new Map<string, Stored>();
  const waiting = new Set<() => void>();
  let lastWriteAt: Instant | undefined;
  const lengthOf = (stream: string): number => streams.get(stream)?.facts.length ?? 0;
  return {
    read: async (stream) => (streams.get(stream)?.facts ?? []).map(parseFact),
    append: async (stream, on, events, { process, claim }) => {
      if (events.length === 0) return "appended";
      if (claim && (claim.holder !== stream || !stillOurs(claim))) return "fenced";
      if (lengthOf(stream) !== on.length || streams.get(stream)?.facts.at(-1)?.hash !== on.at(-1)?.hash)
        return "conflict";
      const stored = streams.get(stream) ?? { facts: [], finished: false };
      streams.set(stream, stored);
      const facts = (JSON.parse(eventsAsText(events)) as unknown[]).map((event, offset) => ({
        stream,
        index: on.length + offset,
        event,
        process,
        epoch: claim?.epoch ?? 0,
      }));
      stored.facts.push(...chain(on.at(-1)?.hash, facts));
      stored.finished = finishes(events) ?? stored.finished;
      lastWriteAt = now();
      for (const wake of waiting) wake();
      return "appended";
    },
    grown: (stream, length, cancel) =>
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
      }),
    streams: async ({ target, unfinished }) =>
      [...streams]
        .reverse()
        .filter(
          ([stream, { finished }]) => !(unfinished && finished) && (!target || stream.startsWith(streamOf(target, ""))),
        )
        .map(([stream]) => stream),
    pulse: async () => ({
      inFlight: [...streams.values()].filter(({ finished }) => !finished).length,
      lastWrite: lastWriteAt === undefined ? undefined : { at: lastWriteAt, secondsAgo: (now() - lastWriteAt) / 1000 },
    }),
  };
}

/** Keeps claims in memory, by the caller's clock. `stillOurs` is for the journal's fence. */
export function memoryClaims(
  leaseSeconds: number,
  now: () => Instant = Date.now,
): Claims & { readonly stillOurs: (claim: Claim) => boolean } {
  const rows = new Map<string, Omit<StoredClaim, "expired"> & { readonly expiresAt: Instant }>();
  const locks = new Map<string, Lock & { readonly until: Instant }>();
  let count = 0;
  const stillOurs = ({ target, holder, process, epoch }: Claim): boolean => {
    const row = rows.get(target);
    return row?.holder === holder && row.process === process && row.epoch === epoch && row.expiresAt > now();
  };
  const isOurs = ({ target, holder, process, epoch }: Claim): boolean => {
    const row = rows.get(target);
    return row?.holder === holder && row.process === process && row.epoch === epoch;
  };
  const lockAt = (key: string): Lock | undefined => {
    const { id, by, until = 0 } = locks.get(key) ?? {};
    return id !== undefined && by !== undefined && until > now()
      ? { id, by, seconds: (until - now()) / 1000 }
      : undefined;
  };
  return {
    stillOurs,
    take: async (target, stream, process) => {
      const key = targetKey(target);
      const row = rows.get(key);
      const taken = taking(row && { ...row, expired: row.expiresAt <= now() }, stream, process);
      if ("heldBy" in taken) return taken;
      rows.set(key, { holder: stream, process, epoch: taken.epoch, expiresAt: now() + leaseSeconds * 1000 });
      return { claim: { target: key, holder: stream, process, epoch: taken.epoch } };
    },
    renew: async (claim) => {
      if (!stillOurs(claim)) return false;
      rows.set(claim.target, { ...rows.get(claim.target)!, expiresAt: now() + leaseSeconds * 1000 });
      return true;
    },
    release: async (claim) =>
      void (
        isOurs(claim) && rows.set(claim.target, { holder: null, process: null, epoch: claim.epoch, expiresAt: now() })
      ),
    lapse: async (claim) =>
      void (isOurs(claim) && rows.set(claim.target, { ...rows.get(claim.target)!, expiresAt: now() })),
    expired: async () =>
      [...rows].flatMap(([target, { holder, process, epoch, expiresAt }]) =>
        holder !== null && process !== null && expiresAt <= now() ? [{ target, holder, process, epoch }] : [],
      ),
    keptElsewhere: async (process) =>
      [...rows.values()].flatMap((row) =>
        row.holder !== null && row.process !== process && row.expiresAt > now() ? [row.holder] : [],
      ),
    lock: async (target, by, seconds) => {
      const other = lockAt(targetKey(target));
      if (other) return { heldBy: other.by };
      const lock = { id: `lock-${++count}`, by, seconds };
      locks.set(targetKey(target), { ...lock, until: now() + seconds * 1000 });
      return lock;
    },
    unlock: async (target, id) => void (locks.get(targetKey(target))?.id === id && locks.delete(targetKey(target))),
    lockOn: async (target) => lockAt(targetKey(target)),
  };
}
