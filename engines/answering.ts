// How a decider answers: fact by fact, each in the state that holds those before it.
import type { Instant } from "./time.ts";

/** The facts of one answer so far, and the state that holds them. */
export interface Answer<State, Added, Event> {
  readonly facts: readonly Event[];
  /** Gives the state after the facts so far. */
  readonly state: () => State;
  /** Adds a fact, and folds it at once. */
  readonly add: (added: Added) => void;
}

/** Begins the answer to an observation. Its facts are never older than the state: time does not go back. */
export function answering<State extends { readonly now: Instant }, Added extends object, Event extends Added>(
  evolve: (state: State, event: Event) => State,
  before: State,
  observedAt: Instant,
): Answer<State, Added, Event> {
  const at = Math.max(before.now, observedAt);
  const facts: Event[] = [];
  let state = before;
  return {
    facts,
    state: () => state,
    add: (added) => {
      const event = { ...added, at } as unknown as Event;
      facts.push(event);
      state = evolve(state, event);
    },
  };
}
