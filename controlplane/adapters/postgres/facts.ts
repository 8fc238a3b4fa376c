// The stored form of facts: how events are written as text, and how each is read by the codec of its kind.
import { type AnyEvent, engineFailed, type Kinds, Misshapen } from "../../../engines/kind.ts";
import { journalFactUnknown } from "../../../errors/journal.ts";
import type { Fact } from "../../runtime/ports.ts";
import type { ChainedFact } from "./chain.ts";

/**
 * Checks a fact that the store returned.
 *
 * @throws journal-fact-unknown if this code does not know its shape, or its kind of work at all; EngineFailed if the
 *   kind fails to read it
 */
export function parseFact<Event extends AnyEvent>(stored: ChainedFact, kinds: Kinds<Event>): Fact<Event> {
  const { stream, index, process, epoch, hash } = stored;
  try {
    const kind = kinds.of(stream);
    if (kind === undefined) throw new Misshapen("this version does not know its kind of work");
    return { stream, index, event: kind.facts.read(stored.event), process, epoch, hash };
  } catch (error) {
    if (!(error instanceof Misshapen)) throw engineFailed(error);
    throw journalFactUnknown({ stream, index, why: error.message });
  }
}

/**
 * Writes events as text that PostgreSQL accepts. Texts from outside may contain lone surrogates or NUL;
 * PostgreSQL rejects both.
 */
export const eventsAsText = (events: readonly AnyEvent[]): string =>
  JSON.stringify(events, (_, value: unknown) =>
    typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\uFFFD") : value,
  );
