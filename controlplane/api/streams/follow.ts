// GET /<kind>/<name>/follow: one line of JSON for each fact as it is written, and one line at the end.
// Only new facts are read, and nothing is folded, however long the stream is. An empty object every few seconds keeps
// the connection open and shows the reader that the control plane is alive.
import { type AnyKind, streamOf } from "../../../engines/kind.ts";
import { callMalformed } from "../../../errors/api.ts";
import type { Fact, Journal, Place } from "../../runtime/ports.ts";
import { type Answer, refuse } from "../call.ts";
import { followForm, readQuery } from "../read-address.ts";
import { refuseStream } from "./show.ts";

const heartbeatMilliseconds = 10_000;

/**
 * Sends the facts of a stream from one on. It ends when the stream has finished, the reader disconnects, or
 * the service stops.
 */
export const followStream =
  (kind: AnyKind): Answer =>
  async (call, parts) => {
    const asked = readQuery(followForm, call.query);
    if ("complaints" in asked) return refuse(400, callMalformed(asked));
    const stream = streamOf(kind, call.path);
    const first = await factsFrom(stream, asked.value.from, parts.journal);
    if (first === undefined) return refuseStream(kind, stream);
    const left = new AbortController();
    const ended = AbortSignal.any([left.signal, call.gone, parts.closing]);
    const lines = linesOf(kind, stream, first, parts.journal, ended);
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await lines.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
        },
        cancel: () => left.abort(),
      },
      { highWaterMark: 0 },
    );
    return new Response(body, {
      headers: { "content-type": "application/x-ndjson", "cache-control": "no-store", "x-accel-buffering": "no" },
    });
  };

/** New facts to send, and the place of the last fact that is known; undefined before the first one. */
interface Found {
  readonly facts: readonly Fact[];
  readonly last: Place | undefined;
}

/** Gives the facts from an index on; undefined if there is no such stream. Earlier facts are not read if possible. */
async function factsFrom(stream: string, from: number, journal: Journal): Promise<Found | undefined> {
  const later = from === 0 ? undefined : await journal.after(stream, { index: from - 1 });
  if (later !== undefined) return { facts: later, last: later.at(-1) ?? { index: from - 1 } };
  const all = await journal.read(stream);
  return all.length === 0 ? undefined : { facts: all.slice(from), last: all.at(-1) };
}

async function* linesOf(
  { messages }: AnyKind,
  stream: string,
  first: Found,
  journal: Journal,
  ended: AbortSignal,
): AsyncGenerator<object, void> {
  let { facts, last } = first;
  while (!ended.aborted) {
    for (const { index, event, process, epoch } of facts)
      yield {
        index,
        at: event.at,
        kind: event.kind,
        message: messages.messageOf(event),
        isNoteworthy: messages.isNoteworthy(event),
        process,
        epoch,
      };
    const length = last === undefined ? 0 : last.index + 1;
    const shown = await journal.show(stream);
    if (shown !== undefined && "error" in shown) throw shown.error;
    const end = shown?.overview.ended;
    if (end && shown.facts <= length) return yield { result: end.result, reason: end.reason, message: end.message };
    if (!shown || shown.facts <= length) {
      const waited = AbortSignal.any([ended, AbortSignal.timeout(heartbeatMilliseconds)]);
      await journal.grown(stream, length, waited);
      if (ended.aborted) return;
      if (waited.aborted) yield {};
    }
    ({ facts, last } = await factsAfter(stream, last, journal));
  }
}

/** Gives the facts after the last one. If the journal was replaced, as by a restore, it is read again. */
async function factsAfter(stream: string, last: Place | undefined, journal: Journal): Promise<Found> {
  const more = last && (await journal.after(stream, last));
  if (more !== undefined) return { facts: more, last: more.at(-1) ?? last };
  const all = await journal.read(stream);
  return { facts: all.slice(last === undefined ? 0 : last.index + 1), last: all.at(-1) };
}
