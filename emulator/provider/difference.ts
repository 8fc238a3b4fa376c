// Differences between two values of a resource, and how a difference that was seen in the cloud is carried over to what the program said.
// Plain values in, plain values out; the rules are azure-native's (its diff.go), so that a refresh shows drift and nothing else.
import type { Body } from "../arm/resource.ts";

/** One place where two values differ, named as the engine names it: `template.containers[0].image`. */
export interface Difference {
  readonly path: string;
  /** The same without indices, to look rules up: `template.containers[].image`. */
  readonly rule: string;
  readonly kind: "add" | "delete" | "update";
}

const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether two values are equal, whatever the order of their properties. */
const equal = (one: unknown, other: unknown): boolean => differences(one, other, "", "").length === 0;

/** Lists where two values differ. */
export function differences(before: unknown, after: unknown, path = "", rule = ""): readonly Difference[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined || before === null)
    return after === undefined || after === null ? [] : [{ path, rule, kind: "add" }];
  if (after === undefined || after === null) return [{ path, rule, kind: "delete" }];
  if (isObject(before) && isObject(after)) {
    const below = (base: string, name: string): string => (base === "" ? name : `${base}.${name}`);
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      differences(before[name], after[name], below(path, name), below(rule, name)),
    );
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }).flatMap((_, index) =>
      differences(before[index], after[index], `${path}[${index}]`, `${rule}[]`),
    );
  }
  return before === after ? [] : [{ path, rule, kind: "update" }];
}

/** Carries over to `said` what changed from `before` to `after`, and leaves alone what did not. */
export function carryOver(said: Body, before: Body, after: Body): Body {
  const result: Body = { ...said };
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (equal(before[name], after[name])) continue;
    if (after[name] === undefined) delete result[name];
    else
      result[name] =
        said[name] === undefined || before[name] === undefined
          ? after[name]
          : carryValue(said[name], before[name], after[name]);
  }
  return result;
}

function carryValue(said: unknown, before: unknown, after: unknown): unknown {
  if (isObject(said) && isObject(before) && isObject(after)) return carryOver(said, before, after);
  if (Array.isArray(said) && Array.isArray(before) && Array.isArray(after)) {
    return after.map((each, index) => {
      if (index >= said.length || index >= before.length) return each;
      return equal(before[index], each) ? said[index] : carryValue(said[index], before[index], each);
    });
  }
  return after;
}
