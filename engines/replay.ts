// Decides a journal again: every fact that holds an observation gives it back, and today's decisions are compared with
// those that were written.
import { canonical } from "./canonical.ts";
import type { Engine } from "./engine.ts";

/** The first difference between a journal and today's decisions. */
export interface Divergence<Event> {
  readonly index: number;
  readonly written: Event | undefined;
  readonly decided: Event | undefined;
}

/**
 * Decides a journal again from the observations it holds, and gives the first place where today's decisions differ,
 * byte for byte; undefined means that all are equal.
 *
 * @param observationOf Gives the observation that a fact holds; undefined for a decision.
 */
export function replay<Observation, Event extends { readonly kind: string }, State>(
  { initial, decide, evolve }: Engine<Observation, Event, State, unknown>,
  observationOf: (event: Event) => Observation | undefined,
  journal: readonly Event[],
): Divergence<Event> | undefined {
  let state = initial;
  for (let index = 0; index < journal.length; ) {
    const observation = observationOf(journal[index]!);
    const decided = observation === undefined ? [journal[index]!] : decide(state, observation);
    for (const [offset, event] of decided.entries()) {
      const written = journal[index + offset];
      if (canonical(written) !== canonical(event)) return { index: index + offset, written, decided: event };
      state = evolve(state, event);
    }
    index += decided.length;
    const next = journal[index];
    if (next !== undefined && observationOf(next) === undefined && next.kind !== "Disregarded")
      return { index, written: next, decided: undefined };
  }
  return undefined;
}
