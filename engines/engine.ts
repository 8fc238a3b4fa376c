// The shape that every subsystem of the control plane has. Read this first, then rollout/vocabulary.ts.
// Engines are pure: they know no clock, no randomness, no promises and no package.
import type { Instant } from "./time.ts";

/** What every subsystem is: four pure members; no clock, no randomness, no promises. */
export interface Engine<Observation, Event, State, Effect> {
  /** The state before anything was heard. */
  readonly initial: State;
  /** Answers one observation with the facts it adds to the journal. */
  readonly decide: (state: State, observation: Observation) => readonly Event[];
  /** Adds one fact to the state. Total: every fact ever written folds for ever. */
  readonly evolve: (state: State, event: Event) => State;
  /** Names the one effect that is now missing; `undefined` means finished. Looks at the state, never at the last event. */
  readonly react: (state: State) => Effect | undefined;
}

/** What an effect came to. Expected trouble is data: a reason in words, never an exception. */
export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string };

/** Someone asks for something: the first observation of a stream. */
export interface Request<Intent> {
  readonly kind: "Request";
  readonly at: Instant;
  readonly intent: Intent;
}

/** What an effect came to, `of` being the effect's kind. */
export interface Outcome<Kind extends string, Found> {
  readonly kind: "Outcome";
  readonly of: Kind;
  readonly at: Instant;
  readonly found: Result<Found>;
}

/** Someone interferes, with who and why; both are kept. */
export interface Signal<Name extends string> {
  readonly kind: "Signal";
  readonly at: Instant;
  readonly signal: Name;
  readonly by: string;
  readonly reason: string;
}

/** Adds up the facts of a journal to the state they make. */
export const fold = <Event, State>(
  engine: Pick<Engine<never, Event, State, unknown>, "initial" | "evolve">,
  events: readonly Event[],
): State => events.reduce(engine.evolve, engine.initial);

/**
 * Gives a fold that goes on from where it was, for whoever reads a journal that grows.
 *
 * What the facts up to one add up to is kept with that one fact, as long as somebody has it, and with no other of its journal.
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
