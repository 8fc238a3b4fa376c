// The ports: what the runtime needs from the world, implemented by the adapters. Expected trouble is returned as a
// `Result`. A port throws only for a bug of ours or when the journal itself is lost.
import type { AnyEffect, AnyEvent, AnyOutcome, Notification } from "../../engines/kind.ts";
import type { Overview } from "../../engines/overview.ts";
import type { PauseOfAll } from "../../engines/pause.ts";
import type { TargetKey } from "../../engines/targets.ts";
import type { Instant } from "../../engines/time.ts";
import type { BallastError } from "../../errors/catalogue.ts";

/**
 * Asked just before each write is sent. False means that another process now owns the target, and nothing may be sent.
 */
export type Fence = () => Promise<boolean>;

/** The time. It is a port so that a test scenario can bring its own. */
export interface Clock {
  readonly now: () => Instant;
  /** Resolves at that moment, or at once when cancelled. */
  readonly until: (at: Instant, cancel: AbortSignal) => Promise<void>;
}

/** How the loop measures time and waits: by the machine, or virtually in a simulation. */
export interface Time {
  /** Milliseconds by a clock that is never set back. */
  readonly steady: () => number;
  /** Resolves after this many milliseconds, or at once when cancelled. */
  readonly nap: (milliseconds: number, cancel: AbortSignal) => Promise<void>;
  /** Acts again and again, first after one interval. The result ends that. */
  readonly every: (milliseconds: number, act: () => void) => () => void;
  /** Gives a signal that fires after this many milliseconds. */
  readonly deadline: (milliseconds: number) => AbortSignal;
}

/** How often a failed step is repeated, and how long it rests before. Each rest is longer by the backoff rate. */
export interface Patience {
  readonly attemptsMax: number;
  readonly firstRestSeconds: number;
  readonly backoffRate: number;
}

/** Performs a step of a pass. If a process before this one recorded its value, that is given and nothing performed. */
export type Step = <Value>(name: string, act: () => Promise<Value>, patience?: Patience) => Promise<Value>;

/**
 * Passes that survive the death of their process, each identified by its stream and by the length of the journal at
 * which it begins. A pass that never resolves stays open for the next process.
 */
export interface Orchestrations {
  /** Begins to keep passes. Each runs `pass`, also one that another process began. */
  readonly launch: (pass: (stream: string, length: number, step: Step) => Promise<void>) => Promise<void>;
  /**
   * Runs a pass to its end (`done`), unless it exists: left `open` by another process, or `ended` before.
   *
   * @throws what the pass throws
   */
  readonly begin: (stream: string, length: number) => Promise<"done" | "open" | "ended">;
  /** Continues a pass that another process left open, to its end. */
  readonly resume: (stream: string, length: number) => Promise<void>;
  /** Gives the passes of a stream that are open, by their lengths, in order. */
  readonly open: (stream: string) => Promise<readonly number[]>;
  readonly forget: (stream: string, length: number) => Promise<void>;
  readonly forgetAll: (stream: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** One fact as stored in the journal. */
export interface Fact<Event extends AnyEvent = AnyEvent> {
  readonly stream: string;
  /** From 0, without gaps. */
  readonly index: number;
  readonly event: Event;
  /** The process that wrote it. */
  readonly process: string;
  /** The claim's epoch under which it was written; 0 for signals to a stream in flight, which need no claim. */
  readonly epoch: number;
  /** Covers all of the above and the hash of the fact before. The last fact's hash stands for the whole stream. */
  readonly hash: string;
}

/** Who writes. Facts of the control loop carry the claim that allows them. */
export interface Pen {
  readonly process: string;
  readonly claim?: Claim;
}

/**
 * The result of an append. `conflict`: the stream has grown; read it again. `fenced`: the claim now belongs to another.
 */
export type Appended = "appended" | "conflict" | "fenced";

/** Signs of life of the loop, for the health page. */
export interface Pulse {
  /** The number of unfinished streams of the kinds that this process knows; the others are another version's. */
  readonly inFlight: number;
  /**
   * For how long the loop has left alone the unfinished stream that it left alone longest: the time since the stream
   * was due and last looked at, by the store's own clock. 0 if the loop is behind with none. Streams that are stuck do
   * not count: the loop lives, and a switch that acted for one of them would take the traffic of all others.
   */
  readonly overdueSeconds: number;
  /** The number of unfinished streams that are stuck. */
  readonly stuck: number;
  /**
   * When the last fact of all streams was written, and how long ago by the store's own clock, so that no reader
   * compares two clocks. Undefined before the first fact.
   */
  readonly lastWrite: { readonly at: Instant; readonly secondsAgo: number } | undefined;
}

/**
 * One stream of a list, as its row shows it. The error is that of a journal that cannot be read; `stuck` is why the
 * loop cannot go on with a stream.
 */
export type Listed =
  | { readonly stream: string; readonly facts: number; readonly overview: Overview; readonly stuck?: BallastError }
  | { readonly stream: string; readonly error: BallastError };

/** A stream's place in a list. It never changes, so paging misses and repeats nothing while streams start and end. */
export interface Cursor {
  /** When the stream was created, in microseconds of the store's clock. */
  readonly createdAt: string;
  readonly stream: string;
}

/** Selects the streams of a list. */
export interface Selection {
  readonly kind: string;
  /** The parts of the names that must be equal, by their places after the kind, from 0. */
  readonly parts?: ReadonlyMap<number, string>;
  readonly unfinished?: boolean;
  readonly limit: number;
  /** Where the page before ended. @default the newest */
  readonly after?: Cursor | undefined;
}

/** One page of a list, newest first. */
export interface Page {
  readonly streams: readonly Listed[];
  /** Where the next page begins; undefined after the last one. */
  readonly next: Cursor | undefined;
}

/** What programs have declared, by the key of its target. Values are those of the declarations' own forms. */
export interface DeclarationStore {
  readonly all: () => Promise<readonly unknown[]>;
  readonly put: (target: TargetKey, value: object) => Promise<void>;
  /** Gives whether there was one. */
  readonly remove: (target: TargetKey) => Promise<boolean>;
}

/** The pauses of all remediations. They hold for every replica, and every change of them is kept. */
export interface Pauses {
  /** Gives the pause that is in force; null if there is none. */
  readonly current: () => Promise<PauseOfAll | null>;
  /** Begins a pause, or replaces the one that is in force. */
  readonly begin: (pause: Omit<PauseOfAll, "until"> & { readonly seconds: number }) => Promise<PauseOfAll>;
  /** Ends the one that is in force, and gives whether there was one. */
  readonly end: (ended: Pick<PauseOfAll, "by" | "message">) => Promise<boolean>;
}

/** A place in a stream: the index of a fact and its hash. Without the hash the store's own is taken. */
export interface Place {
  readonly index: number;
  readonly hash?: string | undefined;
}

/** One stream by what never changes, its first event, and by where it stands. */
export interface Outline<Event extends AnyEvent = AnyEvent> {
  readonly stream: string;
  readonly first: Event;
  readonly finished: boolean;
  /** The moment of its last event. */
  readonly lastAt: Instant;
}

/** The only authority on what happened. */
export interface Journal<Event extends AnyEvent = AnyEvent> {
  /**
   * Gives all facts of a stream. The `known` ones are not read again as long as the stream still continues from them.
   *
   * @throws journal-fact-unknown when this code does not know the shape of a fact.
   * @throws journal-chain-broken when a fact is not what was written.
   */
  readonly read: (stream: string, known?: readonly Fact<Event>[]) => Promise<readonly Fact<Event>[]>;
  /**
   * Gives the facts after a place; undefined if the stream does not continue from there.
   *
   * @throws journal-fact-unknown
   */
  readonly after: (stream: string, place: Place) => Promise<readonly Fact<Event>[] | undefined>;
  /**
   * Adds the events in one transaction, if the stream is still exactly what they were decided `on` and the
   * claim is valid.
   */
  readonly append: (
    stream: string,
    on: readonly Fact<Event>[],
    events: readonly Event[],
    pen: Pen,
  ) => Promise<Appended>;
  /** Resolves when the stream is longer than `length`, or at once when cancelled. */
  readonly grown: (stream: string, length: number, cancel: AbortSignal) => Promise<void>;
  /** Gives one page of a list. It reads rows, and journals only of streams whose rows cannot be trusted. */
  readonly list: (selection: Selection) => Promise<Page>;
  /** Gives one stream as a list shows it; undefined if there is none. */
  readonly show: (stream: string) => Promise<Listed | undefined>;
  /** The number of unfinished streams by kind and phase; the phase of those that are stuck is `stuck`. */
  readonly underWay: () => Promise<
    readonly { readonly kind: string; readonly phase: string; readonly streams: number }[]
  >;
  /** Records that this process looks at streams now. It is the loop's heartbeat for work that writes no fact. */
  readonly looked: (streams: readonly string[]) => Promise<void>;
  /** Records why the loop cannot go on with a stream, or that it can again. The next fact says the latter by itself. */
  readonly stuck: (stream: string, why: BallastError | undefined) => Promise<void>;
  /**
   * The streams of a kind, or of all, newest first. With `since` those that finished before that moment are left out,
   * with `prefix` those whose names do not begin with it; the store finds them without reading a journal.
   */
  readonly streams: (filter: {
    readonly kind?: string;
    readonly unfinished?: boolean;
    readonly since?: Instant;
    readonly prefix?: string;
  }) => Promise<readonly string[]>;
  /**
   * The outlines of the streams of a kind, newest first, without those that finished before a moment. It costs two
   * facts for each, however long their journals are.
   *
   * @throws journal-fact-unknown, and journal-chain-broken when one of the two is missing
   */
  readonly outlines: (filter: { readonly kind: string; readonly since: Instant }) => Promise<readonly Outline<Event>[]>;
  readonly pulse: () => Promise<Pulse>;
}

/**
 * The right of a stream to act on its targets. One process has it at a time; each change of process raises the epoch.
 */
export interface Claim {
  /** In the order of their keys. */
  readonly targets: readonly TargetKey[];
  /** The stream that holds the targets. */
  readonly holder: string;
  readonly process: string;
  /** One for the stream: above the highest that any of its targets ever had. */
  readonly epoch: number;
}

/** The claim that was taken, or the stream that holds one of the targets. Then none of them was taken. */
export type Claimed = { readonly claim: Claim } | { readonly heldBy: string };

/** A short lock on a target by a client that is about to write it, such as a `pulumi up`. */
export interface Lock {
  readonly id: string;
  readonly by: string;
  /** How long it still lasts, from the answer on. It is no moment, because the reader's clock is not the store's. */
  readonly seconds: number;
}

/**
 * Claims and locks. A target has one holder. Leases expire by the database's clock, so skew between
 * machines is harmless.
 */
export interface Claims {
  /**
   * Claims all the targets for the stream, or none: each must be free, ours, or the same stream's with an expired
   * lease.
   */
  readonly take: (targets: readonly TargetKey[], stream: string, process: string) => Promise<Claimed>;
  /** Renews the lease. False if the claim is no longer ours. */
  readonly renew: (claim: Claim) => Promise<boolean>;
  /** Releases the targets, because the stream has finished. */
  readonly release: (claim: Claim) => Promise<void>;
  /** Lets the lease expire now. The stream keeps its targets, and another process can continue it at once. */
  readonly lapse: (claim: Claim) => Promise<void>;
  /** Claims that have expired, so that their processes may be presumed dead. */
  readonly expired: () => Promise<readonly Claim[]>;
  /** Streams with a live claim of another process than this one, which recovery can skip. */
  readonly keptElsewhere: (process: string) => Promise<readonly string[]>;
  /** Gives the streams that hold these targets. */
  readonly holders: (targets: readonly TargetKey[]) => Promise<readonly string[]>;
  /** Locks the target, or gives who has locked it. A lock with the same id is renewed. */
  readonly lock: (
    target: TargetKey,
    by: string,
    seconds: number,
    id?: string,
  ) => Promise<Lock | { readonly heldBy: string }>;
  readonly unlock: (target: TargetKey, id: string) => Promise<void>;
  /** Gives the lock on a target; undefined if it is not locked. */
  readonly lockOn: (target: TargetKey) => Promise<Lock | undefined>;
}

/**
 * The result of one delivery. `refused`: the notifier will never accept this notification. `later`: retry, after
 * `afterSeconds` if the notifier gave a time.
 */
export type Delivery =
  | { readonly kind: "delivered" }
  | { readonly kind: "refused" | "later"; readonly reason: string; readonly afterSeconds?: number };

/** An outside service that receives rollout notifications. */
export interface Notifier {
  /** `webhook`, `slack`, `teams`, `github` or `github-issues`. The store keeps its progress under this name. */
  readonly name: string;
  /** Delivers one notification. Trouble is a result; its reason contains neither the address nor a secret. */
  readonly deliver: (notification: Notification, cancel: AbortSignal) => Promise<Delivery>;
}

/** A stream with facts that a notifier has not received. */
export interface Undelivered {
  readonly stream: string;
  /** The number of facts from the first on whose notifications were delivered. */
  readonly delivered: number;
  /** Failures in a row. */
  readonly failures: number;
}

/** How much of each stream each notifier has received. */
export interface Notifications {
  /** Registers a notifier. Facts written before its first registration are not sent to it. */
  readonly register: (notifier: string) => Promise<void>;
  /** Lends a stream with undelivered facts. No other replica gets it for `seconds`. */
  readonly borrow: (notifier: string, seconds: number) => Promise<Undelivered | undefined>;
  /** Records what was delivered, and returns the stream. */
  readonly advance: (notifier: string, stream: string, delivered: number) => Promise<void>;
  /** Records a failure, and returns the stream after `seconds`. */
  readonly postpone: (notifier: string, stream: string, seconds: number) => Promise<void>;
}

/** One effect that was performed, or cut short. */
export interface Pass {
  readonly stream: string;
  /** The journal that asked for it. */
  readonly facts: readonly Fact[];
  readonly effect: AnyEffect;
  /** Undefined if a signal cut it short. */
  readonly outcome: AnyOutcome | undefined;
  readonly began: Instant;
  readonly seconds: number;
}

/** Receives reports of the control loop's work as it happens. Nothing waits for it, and it does not throw. */
export interface Telemetry {
  readonly reconciled: (pass: Pass) => void;
  readonly recovered: (stream: string) => void;
}

/**
 * Whether the end of a finished stream still describes the world; whether it begins again if it is asked for; or why
 * neither is right.
 */
export type Standing = "stands" | "again" | { readonly why: string };
