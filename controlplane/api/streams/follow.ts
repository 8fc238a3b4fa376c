// GET /<kind>/<name>/follow: one line of JSON for each fact as it is written, and one line at the end.
// An empty object every few seconds keeps the connection open and shows the reader that the control plane is alive.
import { keptFold } from "../../../engines/engine.ts";
import type { AnyKind } from "../../../engines/kind.ts";
import { callMalformed } from "../../../errors/api.ts";
import type { Fact, Journal } from "../../runtime/ports.ts";
import { type Answer, refuse } from "../call.ts";
import { followForm, readQuery } from "../read-address.ts";
import { factsOfCall, refuseStream } from "./show.ts";

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
    const { stream, facts } = await factsOfCall(kind, call, parts);
    if (facts.length === 0) return refuseStream(kind, stream);
    const left = new AbortController();
    const ended = AbortSignal.any([left.signal, call.gone, parts.closing]);
    const lines = linesOf(kind, stream, facts, asked.value.from, parts.journal, ended);
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

async function* linesOf(
  { engine, calls, messages }: AnyKind,
  stream: string,
  first: readonly Fact[],
  from: number,
  journal: Journal,
  ended: AbortSignal,
): AsyncGenerator<object, void> {
  const stateOf = keptFold(engine);
  let facts = first;
  let next = from;
  while (!ended.aborted) {
    for (const { index, event, process, epoch } of facts.slice(next))
      yield {
        index,
        at: event.at,
        kind: event.kind,
        message: messages.messageOf(event),
        isNoteworthy: messages.isNoteworthy(event),
        process,
        epoch,
      };
    next = Math.max(next, facts.length);
    const end = calls.ended(stateOf(facts));
    if (end !== undefined) return yield { result: end.result, reason: end.reason, message: end.message };
    const waited = AbortSignal.any([ended, AbortSignal.timeout(heartbeatMilliseconds)]);
    await journal.grown(stream, facts.length, waited);
    if (ended.aborted) return;
    if (waited.aborted) yield {};
    facts = await journal.read(stream, facts);
  }
}
