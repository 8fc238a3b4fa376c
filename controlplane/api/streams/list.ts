// GET /<kind>: the streams of a kind, all or those of one place, or only those in flight, newest first.
import { type AnyKind, partsOf } from "../../../engines/kind.ts";
import { describeTarget, type TargetKey } from "../../../engines/targets.ts";
import { callMalformed, targetUnknown } from "../../../errors/api.ts";
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
  return async ({ query }, { journal, managedTargets }) => {
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
    const unmanaged = unmanagedPlace(kind, wanted, managedTargets);
    const streams = (await journal.streams({ kind: kind.kind, unfinished: inFlight === "true" }))
      .filter(isAsked)
      .slice(0, listedMax);
    // An app that was managed once keeps its streams.
    if (streams.length === 0 && unmanaged !== undefined) return refuse(404, targetUnknown({ what: unmanaged }));
    const found = await Promise.all(streams.map((stream) => readOne(kind, stream, journal)));
    return answer(200, {
      [kind.calls.plural]: found.filter((one) => one !== undefined && !("error" in one)),
      unreadable: found.filter((one) => one !== undefined && "error" in one),
    });
  };
};

/** Describes the place that filters name, if no managed target is there; undefined if one is, or without filters. */
function unmanagedPlace(
  kind: AnyKind,
  wanted: Readonly<Record<string, string | undefined>>,
  managedTargets: readonly TargetKey[],
): string | undefined {
  const parts = Object.entries(kind.calls.filters).map(([name, part]) => [part, wanted[name] ?? anyPlace] as const);
  const [place] = kind.calls.targetsNamed(Object.fromEntries(parts));
  if (place === undefined || parts.every(([, value]) => value === anyPlace)) return undefined;
  const steps = place.split("/");
  const isThere = (target: TargetKey): boolean => {
    const own = target.split("/");
    return own.length === steps.length && steps.every((step, at) => step === anyPlace || step === own[at]);
  };
  return managedTargets.some(isThere) ? undefined : describeTarget(place, anyPlace);
}

/** No name in Azure has this character. */
const anyPlace = "*";

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
