// The port through which a performer asks for work of another kind: it starts a stream on the same loop and reads the
// other one's journal. A stream that it asked for is a stream like any other, with its own targets and its own end.
import { keptFold, type Request, type Result, type Signal } from "../../engines/engine.ts";
import { type AnyEvent, isNameOf, type Kinds } from "../../engines/kind.ts";
import { duration, secondsBetween } from "../../engines/time.ts";
import { BallastError } from "../../errors/catalogue.ts";
import type { Streams } from "./performer.ts";
import type { Clock, Fact, Journal, Time } from "./ports.ts";

/** What asking needs: the loop's own start, and the journal. */
export interface StreamsSetting<Event extends AnyEvent> {
  readonly kinds: Kinds<Event>;
  readonly journal: Pick<Journal<Event>, "read" | "grown">;
  readonly clock: Pick<Clock, "now">;
  readonly time: Time;
  /** Reports whether this process can carry a stream out. */
  readonly knows: (stream: string) => boolean;
  readonly start: (stream: string, request: Request<unknown>) => Promise<"started" | "exists">;
  readonly send: (stream: string, signal: Signal<string>) => Promise<unknown>;
}

/** How often a wait looks at the journal although nothing announced a change. */
const lookMilliseconds = 1_000;

/** Opens the port. */
export function openStreams<Event extends AnyEvent>({
  kinds,
  journal,
  clock,
  time,
  knows,
  start,
  send,
}: StreamsSetting<Event>): Streams {
  return {
    request: async (stream, intent, at) => {
      const kind = kinds.of(stream);
      if (kind === undefined || !knows(stream)) return { ok: false, reason: unknown(stream) };
      if (!isNameOf(kind, stream)) return { ok: false, reason: `${stream} is not a name of a ${kind.kind}` };
      return orReason(start(stream, { kind: "Request", at, intent }));
    },
    signal: async (stream, signal) =>
      knows(stream) ? orReason(send(stream, signal).then(() => null)) : { ok: false, reason: unknown(stream) },
    follow: async (stream, until, cancel) => {
      const kind = kinds.of(stream);
      if (kind === undefined) return { ok: false, reason: unknown(stream) };
      const began = clock.now();
      const stateOf = keptFold(kind.engine);
      let { facts, why } = await readable(journal, stream, []);
      for (;;) {
        const ended = facts.length === 0 ? undefined : kind.calls.ended(stateOf(facts));
        if (ended !== undefined) return { ok: true, value: ended };
        if (cancel.aborted) return { ok: false, reason: "cut short" };
        if (clock.now() >= until)
          return {
            ok: false,
            reason: `${stream} did not end within ${duration(secondsBetween(began, until))}${why && `: ${why}`}`,
          };
        const over = new AbortController();
        const limit = AbortSignal.any([cancel, over.signal]);
        // A journal that cannot be read is longer than what was read of it, so its growth says nothing.
        const grown = why === "" ? [journal.grown(stream, facts.length, limit)] : [];
        await Promise.race([...grown, time.nap(lookMilliseconds, limit)]);
        over.abort();
        ({ facts, why } = await readable(journal, stream, facts));
      }
    },
  };
}

/** Gives what was asked for, or the reason of an error that the caller has to know. */
async function orReason<Value>(asked: Promise<Value>): Promise<Result<Value>> {
  try {
    return { ok: true, value: await asked };
  } catch (error) {
    if (error instanceof BallastError) return { ok: false, reason: error.message };
    throw error;
  }
}

const unknown = (stream: string): string => `${stream} is of a kind that this process does not know`;

/**
 * Reads a journal, or gives why it cannot be read now: another process, of the next version, may still carry the stream
 * out. The wait for it must end at its limit, so this is no error.
 */
async function readable<Event extends AnyEvent>(
  journal: Pick<Journal<Event>, "read">,
  stream: string,
  known: readonly Fact<Event>[],
): Promise<{ readonly facts: readonly Fact<Event>[]; readonly why: string }> {
  try {
    return { facts: await journal.read(stream, known), why: "" };
  } catch (error) {
    if (error instanceof BallastError) return { facts: known, why: error.message };
    throw error;
  }
}
