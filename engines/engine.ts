// The shape of every engine of the control plane. Read this first, then rollout/vocabulary.ts.
// Engines are pure: no clock, no randomness, no promises, no packages.
import type { Instant } from "./time.ts";

/** Four pure members that decide everything about one kind of work. */
export interface Engine<Observation, Event, State, Effect> {
  /** The state before any observation. */
  readonly initial: State;
  /** Answers one observation with the facts it adds to the journal. */
  readonly decide: (state: State, observation: Observation) => readonly Event[];
  /** Adds one fact to the state. Total: every fact ever written can be folded for ever. */
  readonly evolve: (state: State, event: Event) => State;
  /** Names the next effect; `undefined` means finished. It looks at the state only, never at the last event. */
  readonly react: (state: State) => Effect | undefined;
}

/** What an effect returned. Expected failures are data, with a reason for people; they are never exceptions. */
export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | {
      readonly ok: false;
      readonly reason: string;
      /** What the other side asked to wait before another try. */
      readonly retryAfterSeconds?: number | undefined;
      /** Whether the other side has answered, so that another try would get the same answer. */
      readonly definite?: boolean;
    };

/** Gives a value as the result that it is. */
export const found = <Value>(value: Value): Result<Value> => ({ ok: true, value });

/** Someone asks for something: the first observation of a stream. */
export interface Request<Intent> {
  readonly kind: "Request";
  readonly at: Instant;
  readonly intent: Intent;
  /** Whether a finished stream begins again, because the world is no longer as its end left it. */
  readonly again?: boolean;
}

/** The result of an effect; `of` is the kind of the effect. */
export interface Outcome<Kind extends string, Found> {
  readonly kind: "Outcome";
  readonly of: Kind;
  readonly at: Instant;
  readonly found: Result<Found>;
}

/** Someone intervenes; who and why are kept. */
export interface Signal<Name extends string> {
  readonly kind: "Signal";
  readonly at: Instant;
  readonly signal: Name;
  /** The sender's id. */
  readonly by: string;
  /** The sender's name, for people; names are neither unique nor permanent. */
  readonly byName?: string;
  readonly message: string;
  /** What it is about, if it is about something else than the stream, such as another revision of its app. */
  readonly about?: string;
  /** Whether the sender has the right to approve; absent means no. */
  readonly mayApprove?: boolean;
}

/**
 * Gives when the loop must act next: a wait at its end, and any other effect now; undefined if only a signal, or
 * nothing, can move the stream. Every effect with an `until` is a wait. One that counted as due before would be a
 * standstill to the dead man's switch.
 */
export function dueOf(
  effect: { readonly kind: string; readonly until?: Instant } | undefined,
  now: Instant,
): Instant | undefined {
  if (effect === undefined || effect.kind === "AwaitSignal") return undefined;
  return effect.until ?? now;
}

/** Folds the facts of a journal into the state. */
export const fold = <Event, State>(
  engine: Pick<Engine<never, Event, State, unknown>, "initial" | "evolve">,
  events: readonly Event[],
): State => events.reduce(engine.evolve, engine.initial);

/**
 * Gives a fold that continues where it stopped, for readers of a journal that grows.
 *
 * It keeps one state for each journal, with the last fact that was folded, and
 * forgets it once nothing refers to that fact.
 */
export function keptFold<Event, State>(
  engine: Pick<Engine<never, Event, State, unknown>, "initial" | "evolve">,
): (journal: readonly { readonly event: Event }[]) => State {
  const states = new WeakMap<object, State>();
  return (journal) => {
    const folded = journal.findLastIndex((fact) => states.has(fact));
    const known = journal[folded];
    const last = journal.at(-1);
    const state = journal
      .slice(folded + 1)
      .reduce(
        (before, { event }) => engine.evolve(before, event),
        known === undefined ? engine.initial : states.get(known)!,
      );
    if (last === undefined || known === last) return state;
    if (known !== undefined) states.delete(known);
    states.set(last, state);
    return state;
  };
}
