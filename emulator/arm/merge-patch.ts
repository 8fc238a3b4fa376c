// JSON Merge Patch (RFC 7396), by which Azure applies a PATCH. When a quirk of patching is switched
// off, it merges in the naive way instead.
import type { Body } from "./resource.ts";

/** How a patch is merged: down to which depth, and whether a list replaces the whole list. */
interface MergeWay {
  readonly depth: number;
  readonly arraysWhole: boolean;
}
const asSpecified: MergeWay = { depth: Infinity, arraysWhole: true };

/** Merges a patch into a value: objects deeply, lists whole, null deletes. */
export function mergePatch(target: unknown, patch: unknown, how: MergeWay = asSpecified): unknown {
  if (!how.arraysWhole && Array.isArray(patch) && Array.isArray(target)) return added(target, patch);
  if (typeof patch !== "object" || patch === null || Array.isArray(patch) || how.depth === 0) return patch;
  const merged: Body = typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value, { ...how, depth: how.depth - 1 });
  }
  return merged;
}

/** Adds entries to a list; an entry replaces the one with its name. A naive cloud does this with a list in a patch. */
function added(list: readonly Body[], entries: readonly Body[]): readonly Body[] {
  const nameOf = ({ name, revisionName, type }: Body): unknown => name ?? revisionName ?? type;
  return [...list.filter((each) => !entries.some((entry) => nameOf(entry) === nameOf(each))), ...entries];
}
