// How the loop carries out the effects of a kind. There is one performer for each kind, in performers/; it knows the
// kind's ports, and the loop knows only this file.
import type { Result, Signal } from "../../engines/engine.ts";
import type { AnyEffect, AnyOutcome, Ended } from "../../engines/kind.ts";
import type { Instant } from "../../engines/time.ts";
import type { Fence } from "./ports.ts";

/** The pass in which an effect is performed. */
export interface Within {
  readonly stream: string;
  /** The length of the journal that asks for the effect. Stream and length together name the pass for all time. */
  readonly length: number;
  readonly fence: Fence;
  /** Cuts a read short. A write runs to its end. */
  readonly cancel: AbortSignal;
}

/** Carries out the effects of one kind of work. */
export interface Performer<Effect extends AnyEffect = AnyEffect, Outcome extends AnyOutcome = AnyOutcome> {
  /** Reports whether an effect changes the world. A write is never cut short: it ends by its answer or at its limit. */
  readonly isWrite: (effect: Effect) => boolean;
  /**
   * The limit of an effect in seconds. As long as it lasts no longer, the stream counts as looked at; 0 for a wait,
   * which is due at its own end.
   */
  readonly limitSeconds: (effect: Effect) => number;
  /** Resolves when an effect may begin, or at once when cancelled. */
  readonly ready: (effect: Effect, cancel: AbortSignal) => Promise<void>;
  /**
   * Performs an effect and gives its outcome.
   *
   * Trouble with the world is an outcome. Trouble with the journal's database is thrown, because then nothing can be
   * concluded, not even that the effect failed. Just before each write is sent, the performer asks the fence.
   */
  readonly perform: (effect: Effect, within: Within) => Promise<Outcome>;
}

/** How a stream of one kind asks for work of another, and learns how it ended. */
export interface Streams {
  /**
   * Starts a stream, unless it exists already, so that the request may be repeated. A target that another stream holds
   * is a failure whose reason names the holder.
   */
  readonly request: (stream: string, intent: unknown, at: Instant) => Promise<Result<"started" | "exists">>;
  /** Sends a signal to a stream. One that it does not follow now is no failure: what became of it stands there. */
  readonly signal: (stream: string, signal: Signal<string>) => Promise<Result<null>>;
  /** Waits until a stream has ended, or until a moment; then it fails, and the reason says what was waited for. */
  readonly follow: (stream: string, until: Instant, cancel: AbortSignal) => Promise<Result<Ended>>;
}

/** Makes the performers of all kinds, by the names of the kinds. */
// biome-ignore lint/suspicious/noExplicitAny: each performer knows the effects of its own kind only.
export type Performers = (streams: Streams) => Readonly<Record<string, Performer<any, any>>>;
