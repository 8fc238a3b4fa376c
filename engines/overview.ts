// What a stream's row shows beside its facts, so that lists, the heartbeat and telemetry need not read journals. Every
// append makes it again from the state up to the new facts, at the cost of the new facts alone.
import { keptFold } from "./engine.ts";
import type { AnyEvent, Ended, Kinds } from "./kind.ts";
import type { Instant } from "./time.ts";

/** A stream's row as its kind fills it in. */
export interface Overview {
  readonly phase: string;
  /** Null while the stream is in flight. */
  readonly ended: Ended | null;
  /** What lists show; null if the journal does not begin with a request. */
  readonly summary: object | null;
  /** When the loop must act next; null if only a signal can move the stream, or nothing can. */
  readonly dueAt: Instant | null;
}

/** Gives the overview of a stream after `more` events; undefined if this process does not know its kind. */
export type Overlook<Event extends AnyEvent> = (
  stream: string,
  journal: readonly { readonly event: Event }[],
  more?: readonly Event[],
) => Overview | undefined;

/** Makes the overviews of streams of these kinds. It keeps the states of the journals that it was given. */
export function overviewsOf<Event extends AnyEvent>(kinds: Kinds<Event>): Overlook<Event> {
  const folds = new Map(kinds.all.map((kind) => [kind.kind, keptFold(kind.glance)]));
  return (stream, journal, more = []) => {
    const kind = kinds.of(stream);
    if (kind === undefined) return undefined;
    const seen = more.reduce((before, event) => kind.glance.evolve(before, event), folds.get(kind.kind)!(journal));
    return {
      phase: kind.telemetry.phaseOf(seen.state),
      ended: kind.calls.ended(seen.state) ?? null,
      summary: kind.calls.summaryOf(stream, seen) ?? null,
      dueAt: kind.dueAt(seen.state) ?? null,
    };
  };
}
