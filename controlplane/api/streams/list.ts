// GET /<kind>: the streams of a kind, all or those of one place, or only those in flight, newest first, in pages. It
// reads the rows of streams and not their journals, so that readers do not slow the control loop down.
import type { AnyKind } from "../../../engines/kind.ts";
import type { TargetKey } from "../../../engines/targets.ts";
import { callMalformed } from "../../../errors/api.ts";
import { type Answer, answer, declaredTargets, errorBody, refuse, unmanaged } from "../call.ts";
import { cursorAsText, cursorFrom, filterForm, listedMax, readQuery } from "../read-address.ts";

/** Lists streams. One with a broken journal is listed apart, so that it does not hide the others. */
export const listStreams = (kind: AnyKind): Answer => {
  const form = filterForm(kind);
  const names = Object.keys(kind.calls.parts);
  return async ({ query }, { journal, managedTargets, declarations }) => {
    const asked = readQuery(form, query);
    if ("complaints" in asked) return refuse(400, callMalformed(asked));
    const { inFlight, limit, cursor, ...wanted } = asked.value;
    const after = cursor === undefined ? undefined : cursorFrom(cursor);
    if (cursor !== undefined && after === undefined)
      return refuse(400, callMalformed({ complaints: ["cursor is none that a list gave."] }));
    const parts = new Map(
      Object.entries(kind.calls.filters).flatMap(([name, part]) =>
        wanted[name] === undefined ? [] : [[names.indexOf(part), wanted[name].toLowerCase()] as const],
      ),
    );
    const { streams, next } = await journal.list({
      kind: kind.kind,
      parts,
      unfinished: inFlight === "true",
      limit: limit === undefined ? listedMax : Number(limit),
      after,
    });
    const managed = [...managedTargets, ...(await declaredTargets(declarations))];
    const elsewhere = unmanagedPlace(kind, wanted, managed);
    // An app that was managed once keeps its streams.
    if (streams.length === 0 && after === undefined && elsewhere !== undefined)
      return refuse(404, unmanaged(elsewhere, anyPlace));
    return answer(200, {
      [kind.calls.plural]: streams.flatMap((one) => ("overview" in one && one.overview.summary) || []),
      unreadable: streams.flatMap((one) => {
        const error = "error" in one ? one.error : one.stuck;
        return error === undefined ? [] : { id: one.stream, error: errorBody(error) };
      }),
      next: next === undefined ? null : cursorAsText(next),
    });
  };
};

/** Gives the key of the place that filters name, if no managed target is there; undefined if one is, or without any. */
function unmanagedPlace(
  kind: AnyKind,
  wanted: Readonly<Record<string, string | undefined>>,
  managedTargets: readonly TargetKey[],
): TargetKey | undefined {
  const given = Object.entries(kind.calls.filters).flatMap(([name, part]) =>
    wanted[name] === undefined ? [] : [[part, wanted[name]] as const],
  );
  const anywhere = Object.keys(kind.calls.parts).map((part) => [part, anyPlace] as const);
  const [place] = kind.calls.targetsNamed(Object.fromEntries([...anywhere, ...given]));
  if (place === undefined || given.length === 0) return undefined;
  const steps = place.split("/");
  const isThere = (target: TargetKey): boolean => {
    const own = target.split("/");
    return own.length === steps.length && steps.every((step, at) => step === anyPlace || step === own[at]);
  };
  return managedTargets.some(isThere) ? undefined : place;
}

/** No name in Azure has this character. */
const anyPlace = "*";
