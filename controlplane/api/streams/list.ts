// GET /<kind>: the streams of a kind, all or those of one place, or only those in flight, newest first.
import { type AnyKind, partsOf } from "../../../engines/kind.ts";
import { callMalformed } from "../../../errors/api.ts";
import { BallastError } from "../../../errors/catalogue.ts";
import type { Journal } from "../../runtime/ports.ts";
import { type Answer, answer, errorBody, refuse } from "../call.ts";
import { filterForm, readQuery } from "../read-address.ts";
import { summaryOf } from "./show.ts";

/** The most streams of one answer. Older ones can be listed by their filters. */
export const listedMax = 100;

/** A stream whose journal cannot be read, with the error. */
interface Unreadable {
  readonly id: string;
  readonly error: ReturnType<typeof errorBody>;
}

/** Lists streams. One with a broken journal is listed apart, so that it does not hide the others. */
export const listStreams = (kind: AnyKind): Answer => {
  const form = filterForm(kind);
  const filters = Object.entries(kind.calls.filters);
  return async ({ query }, { journal }) => {
    const asked = readQuery(form, query);
    if ("complaints" in asked) return refuse(400, callMalformed(asked));
    const { inFlight, ...wanted } = asked.value;
    const isAsked = (stream: string): boolean => {
      const parts = partsOf(kind, stream);
      return (
        parts !== undefined &&
        filters.every(([name, part]) => wanted[name] === undefined || wanted[name].toLowerCase() === parts[part])
      );
    };
    const streams = (await journal.streams({ kind: kind.kind, unfinished: inFlight === "true" }))
      .filter(isAsked)
      .slice(0, listedMax);
    const found = await Promise.all(streams.map((stream) => readOne(kind, stream, journal)));
    return answer(200, {
      [kind.calls.plural]: found.filter((one) => one !== undefined && !("error" in one)),
      unreadable: found.filter((one) => one !== undefined && "error" in one),
    });
  };
};

async function readOne(kind: AnyKind, stream: string, journal: Journal): Promise<object | Unreadable | undefined> {
  try {
    return summaryOf(kind, stream, await journal.read(stream));
  } catch (thrown) {
    if (
      thrown instanceof BallastError &&
      (thrown.id === "journal-fact-unknown" || thrown.id === "journal-chain-broken")
    )
      return { id: stream, error: errorBody(thrown) };
    throw thrown;
  }
}
