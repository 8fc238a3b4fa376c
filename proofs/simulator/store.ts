// A model of the database: the journal with expected length and fence, claims by the real rule, locks, and the passes
// with their recorded steps. It has one clock, its own.
import { type StoredClaim, taking } from "../../controlplane/runtime/claims.ts";
import type { Appended, Claim } from "../../controlplane/runtime/ports.ts";
import { streamOf } from "../../engines/rollout/names.ts";
import { rollout } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent, RolloutState, Target } from "../../engines/rollout/vocabulary.ts";
import { appKey } from "../../engines/targets.ts";
import { type Cue, createCue, type Loop } from "./loop.ts";

export const target: Target = { resourceGroup: "rg", app: "shop" };
export const streamFor = (revision: string): string => streamOf(target, revision);

/** One fact with the state that it led to, so that states need not be folded from the start. */
export interface Kept {
  readonly event: RolloutEvent;
  readonly epoch: number;
  readonly process: string;
  /** When it was written, by the store's clock. */
  readonly at: number;
  readonly state: RolloutState;
}

/** A pass: open until it is done. Each step's value is recorded once. */
export interface StoredPass {
  done: boolean;
  readonly steps: Map<string, unknown>;
}

/** One stream and its passes, by the length of the journal at which each began. */
export interface Stream {
  readonly facts: Kept[];
  readonly passes: Map<number, StoredPass>;
}

/** The database. */
export interface Store {
  readonly streams: Map<string, Stream>;
  /** Given when the stream grows. */
  readonly grown: (stream: string) => Cue;
  readonly stateAt: (stream: string, length: number) => RolloutState;
  readonly append: (
    stream: string,
    length: number,
    events: readonly RolloutEvent[],
    process: string,
    claim: Claim | undefined,
  ) => Appended;
  readonly take: (stream: string, process: string) => Claim | { readonly heldBy: string };
  readonly renew: (claim: Claim) => boolean;
  readonly release: (claim: Claim) => void;
  readonly stillOurs: (claim: Claim) => boolean;
  /** When a lost claim ended. */
  readonly endedAt: (claim: Claim) => number;
  /** Claims that were taken from a process while they still held. */
  readonly stolen: readonly Claim[];
  /** The claims whose leases have expired. */
  readonly abandoned: () => readonly Claim[];
  /** The claim that a process took last for a stream. */
  readonly lastClaim: (stream: string, process: string) => Claim;
  /** Locks the app; gives undefined if it is already locked. */
  readonly lock: (by: string, seconds: number) => Lock | undefined;
  readonly unlock: (id: string) => void;
  readonly currentLock: () => Lock | undefined;
}

/** A lock on the app, until a moment of the store's clock. */
export interface Lock {
  readonly id: string;
  readonly by: string;
  readonly until: number;
}

type Row = Omit<StoredClaim, "expired"> & { readonly expiresAt: number };

/** Gives the cue of each stream, always the same one. */
function createCues(): Store["grown"] {
  const cues = new Map<string, Cue>();
  return (stream) => {
    const cue = cues.get(stream) ?? createCue();
    cues.set(stream, cue);
    return cue;
  };
}

function createLocks(loop: Loop): Pick<Store, "lock" | "unlock" | "currentLock"> {
  let lock: Lock | undefined;
  let count = 0;
  return {
    lock: (by, seconds) => {
      if (lock !== undefined && lock.until > loop.now()) return undefined;
      lock = { id: `lock-${++count}`, by, until: loop.now() + seconds * 1000 };
      return lock;
    },
    unlock: (id) => {
      if (lock?.id === id) lock = undefined;
    },
    currentLock: () => (lock !== undefined && lock.until > loop.now() ? lock : undefined),
  };
}

/** Makes an empty store. */
export function createStore(loop: Loop, leaseSeconds: number): Store {
  const streams = new Map<string, Stream>();
  const grown = createCues();
  const endings = new Map<number, number>();
  const stolen: Claim[] = [];
  const taken = new Map<string, Claim>();
  let row: Row | undefined;
  const locks = createLocks(loop);

  const stateAt: Store["stateAt"] = (stream, length) =>
    length === 0 ? rollout.initial : streams.get(stream)!.facts[length - 1]!.state;
  const isOurs = ({ holder, process, epoch }: Claim): boolean =>
    row !== undefined && row.holder === holder && row.process === process && row.epoch === epoch;
  const stillOurs = (claim: Claim): boolean => isOurs(claim) && row!.expiresAt > loop.now();
  const end = (): void => {
    if (row !== undefined) endings.set(row.epoch, Math.min(row.expiresAt, loop.now()));
  };
  const put = (next: Row): void => {
    if (next.epoch !== row?.epoch || next.holder === null) end();
    row = next;
  };

  return {
    streams,
    grown,
    stateAt,
    stillOurs,
    stolen,
    append: (name, length, events, process, claim) => {
      if (claim && (claim.holder !== name || !stillOurs(claim))) return "fenced";
      const stream = streams.get(name) ?? { facts: [], passes: new Map<number, StoredPass>() };
      if (stream.facts.length !== length) return "conflict";
      streams.set(name, stream);
      const common = { epoch: claim?.epoch ?? 0, process, at: loop.now() };
      for (const event of events)
        stream.facts.push({ event, ...common, state: rollout.evolve(stateAt(name, stream.facts.length), event) });
      if (events.length > 0) grown(name).give();
      return "appended";
    },
    take: (stream, process) => {
      const granted = taking([row && { ...row, expired: row.expiresAt <= loop.now() }], stream, process);
      if ("heldBy" in granted) return granted;
      if (row?.process && row.process !== process && row.expiresAt > loop.now())
        stolen.push({ targets: [appKey(target)], holder: stream, process: row.process, epoch: row.epoch });
      put({ holder: stream, process, epoch: granted.epoch, expiresAt: loop.now() + leaseSeconds * 1000 });
      const claim = { targets: [appKey(target)], holder: stream, process, epoch: granted.epoch };
      taken.set(`${stream} ${process}`, claim);
      return claim;
    },
    renew: (claim) => {
      if (!stillOurs(claim)) return false;
      row = { ...row!, expiresAt: loop.now() + leaseSeconds * 1000 };
      return true;
    },
    release: (claim) => {
      if (isOurs(claim)) put({ holder: null, process: null, epoch: claim.epoch, expiresAt: loop.now() });
    },
    endedAt: ({ epoch }) => endings.get(epoch) ?? row?.expiresAt ?? 0,
    abandoned: () => {
      if (row === undefined || row.holder === null || row.expiresAt > loop.now()) return [];
      return [{ targets: [appKey(target)], holder: row.holder, process: row.process!, epoch: row.epoch }];
    },
    lastClaim: (stream, process) => taken.get(`${stream} ${process}`)!,
    ...locks,
  };
}
