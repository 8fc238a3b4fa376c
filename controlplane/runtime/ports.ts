// What the engines need of the world. Adapters implement these; the stand-in stands behind the adapters, not here.
// Expected trouble comes back as `Result`; what throws is a mistake of ours or a loss of the journal itself.
import type { Result } from "../../engines/engine.ts";
import type { Notice } from "../../engines/rollout/notifications.ts";
import type {
  AppView,
  Measurement,
  ProbeView,
  RolloutEffect,
  RolloutEvent,
  RolloutOutcome,
  Target,
  TrafficView,
} from "../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../engines/time.ts";

type Effect<Kind extends RolloutEffect["kind"]> = Extract<RolloutEffect, { kind: Kind }>;

/** Asked just before each write is sent: false means that another process owns the target by now, and nothing may be sent. */
export type Fence = () => Promise<boolean>;

/** Container Apps, as far as rollouts need it. Every write polls to its end and reads back before it answers. */
export interface Apps {
  /** Reads who is there and who gets what. */
  readonly inspect: (target: Target, cancel: AbortSignal) => Promise<Result<AppView>>;
  /** Sets the weights and gives what the app shows afterwards. Named revisions only, sum 100. */
  readonly shift: (effect: Effect<"ShiftTraffic">, fence: Fence) => Promise<Result<TrafficView>>;
  readonly readTraffic: (target: Target, cancel: AbortSignal) => Promise<Result<TrafficView>>;
  readonly activate: (effect: Effect<"Activate">, fence: Fence) => Promise<Result<null>>;
  readonly deactivate: (effect: Effect<"Deactivate">, fence: Fence) => Promise<Result<null>>;
  /** Asks the revision's own address, and the platform for its state. No answer is a finding, not a failure. */
  readonly probe: (effect: Effect<"Probe">, cancel: AbortSignal) => Promise<Result<ProbeView>>;
}

/** Request rows, as bins by revision. */
export interface Requests {
  /** Gives the complete bins from `from` on; rows that come after the watermark are left out for ever, never counted twice. */
  readonly measure: (effect: Effect<"Measure">, now: Instant, cancel: AbortSignal) => Promise<Result<Measurement>>;
}

/** Tells the time and waits for it, so that a scenario may bring its own. */
export interface Clock {
  readonly now: () => Instant;
  /** Resolves at that moment, or at once when cancelled. */
  readonly until: (at: Instant, cancel: AbortSignal) => Promise<void>;
}

/** One fact as it lies in the journal. */
export interface Fact {
  readonly stream: string;
  /** From 0, without gaps. */
  readonly index: number;
  readonly event: RolloutEvent;
  /** The process that wrote it. */
  readonly process: string;
  /** The claim's epoch under which it was written; 0 for requests and signals, which need no claim. */
  readonly epoch: number;
  /** Over all of the above and the hash of the fact before; that of the last fact stands for the whole stream. */
  readonly hash: string;
}

/** Who writes: facts of the loop carry the claim that allows them. */
export interface Pen {
  readonly process: string;
  readonly claim?: Claim;
}

/** What came of an append. `conflict`: the stream has grown, read again. `fenced`: the claim is somebody else's by now. */
export type Appended = "appended" | "conflict" | "fenced";

/** What the journal tells of the life of those who write it, for the health page. */
export interface Pulse {
  /** How many streams are unfinished. */
  readonly inFlight: number;
  /** When the last fact of all streams was written, and how long ago by the store's own clock, so that no reader compares two clocks; undefined before the first. */
  readonly lastWrite: { readonly at: Instant; readonly secondsAgo: number } | undefined;
}

/** The one authority on what happened. */
export interface Journal {
  /**
   * Gives all facts of a stream. Those that are `known` are not read again while the stream still goes on from them.
   *
   * @throws journal-fact-unknown when a fact does not have a shape that this code knows, and journal-chain-broken when a fact is not what was written.
   */
  readonly read: (stream: string, known?: readonly Fact[]) => Promise<readonly Fact[]>;
  /** Adds the events if the stream is still just what they were decided `on` and the claim still holds, in one transaction. */
  readonly append: (
    stream: string,
    on: readonly Fact[],
    events: readonly RolloutEvent[],
    pen: Pen,
  ) => Promise<Appended>;
  /** Resolves when the stream is longer than `length`, or at once when cancelled. */
  readonly grown: (stream: string, length: number, cancel: AbortSignal) => Promise<void>;
  /** The streams of a target, or of all, newest first. */
  readonly streams: (filter: { readonly target?: Target; readonly unfinished?: boolean }) => Promise<readonly string[]>;
  readonly pulse: () => Promise<Pulse>;
}

/** The right to act on a target for a stream. It is one process's at a time; each change of hands raises the epoch. */
export interface Claim {
  readonly target: string;
  /** The stream for which the target is held. */
  readonly holder: string;
  readonly process: string;
  readonly epoch: number;
}

/** What came of taking a target: the claim, or the stream that has it. */
export type Claimed = { readonly claim: Claim } | { readonly heldBy: string };

/** A short hold on a target by a `pulumi up` that is about to write the app. */
export interface Hold {
  readonly id: string;
  readonly by: string;
  /** How long it still lasts, counted from the answer. A moment would be one of the store's clock, which is not the reader's. */
  readonly seconds: number;
}

/** One holder a target. Expiry is by the database's clock, so that skew between machines does not matter. */
export interface Claims {
  /** Takes the target for the stream: when it is free, when it is ours, or when the same stream's lease has expired. */
  readonly take: (target: Target, stream: string, process: string) => Promise<Claimed>;
  /** Prolongs the lease; false when the claim is no longer ours. */
  readonly renew: (claim: Claim) => Promise<boolean>;
  /** Gives the target free, since the stream has finished. */
  readonly release: (claim: Claim) => Promise<void>;
  /** Lets the lease run out now: the target stays the stream's, and another process may carry on with it at once. */
  readonly lapse: (claim: Claim) => Promise<void>;
  /** Streams whose claim has expired and whose process may therefore be presumed dead. */
  readonly expired: () => Promise<readonly Claim[]>;
  /** Streams that another process than this one keeps its claim on, so that nobody need try to take them. */
  readonly keptElsewhere: (process: string) => Promise<readonly string[]>;
  readonly hold: (target: Target, by: string, seconds: number) => Promise<Hold | { readonly heldBy: string }>;
  readonly unhold: (target: Target, id: string) => Promise<void>;
  readonly held: (target: Target) => Promise<Hold | undefined>;
}

/** What came of telling a channel. `refused`: this notice will never be taken. `later`: somebody should try again, after so many seconds where it says so. */
export type Told =
  | { readonly kind: "told" }
  | { readonly kind: "refused" | "later"; readonly reason: string; readonly afterSeconds?: number };

/** Somebody outside who is told of rollouts. */
export interface Channel {
  /** `webhook`, `slack`, `teams` or `github`; it is what the store knows it by. */
  readonly name: string;
  /** Tells it one notice. Trouble is an answer, whose reason names neither the address nor a secret. */
  readonly tell: (notice: Notice, cancel: AbortSignal) => Promise<Told>;
}

/** A stream of which a channel has been told the facts before `told`. */
export interface Untold {
  readonly stream: string;
  readonly told: number;
  /** Failures in a row. */
  readonly failures: number;
}

/** How far each channel has been told of each stream. */
export interface Notices {
  /** Makes a channel known. What was written before its first time is no news to it. */
  readonly register: (channel: string) => Promise<void>;
  /** Lends a stream with facts that the channel has not been told; for `seconds` nobody else gets it. */
  readonly borrow: (channel: string, seconds: number) => Promise<Untold | undefined>;
  /** Keeps that the channel was told, and gives the stream back. */
  readonly advance: (channel: string, stream: string, told: number) => Promise<void>;
  /** Keeps that it failed, and gives the stream back after a while. */
  readonly postpone: (channel: string, stream: string, seconds: number) => Promise<void>;
}

/** One effect that was carried out, or cut short. */
export interface TurnTaken {
  readonly stream: string;
  /** The journal that asked for it. */
  readonly facts: readonly Fact[];
  readonly effect: RolloutEffect;
  /** What it came to; undefined where a signal cut it short. */
  readonly outcome: RolloutOutcome | undefined;
  readonly began: Instant;
  readonly seconds: number;
}

/** Is told of the loop's work while it happens. Nothing waits for it, and it does not throw. */
export interface Telemetry {
  readonly turned: (turn: TurnTaken) => void;
  readonly tookOver: (stream: string) => void;
}
