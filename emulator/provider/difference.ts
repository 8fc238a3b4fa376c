// Differences between two values of a resource, and how a change in the cloud is carried over to a program's inputs.
// The rules are those of azure-native (its diff.go), so that a refresh shows drift and nothing else.
import type { Body } from "../arm/resource.ts";

/** One place where two values differ. */
export interface Difference {
  /** The path as the Pulumi CLI writes it: `template.containers[0].image`. */
  readonly path: string;
  /** The path without indices, by which rules are found: `template.containers[].image`. */
  readonly rule: string;
  readonly kind: "add" | "delete" | "update";
}

const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reports whether two values are equal, whatever the order of their properties. */
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

/** Gives `inputs` with the changes from `before` to `after`. */
export function carryOver(inputs: Body, before: Body, after: Body): Body {
  const result: Body = { ...inputs };
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (equal(before[name], after[name])) continue;
    if (after[name] === undefined) delete result[name];
    else
      result[name] =
        inputs[name] === undefined || before[name] === undefined
          ? after[name]
          : carryValue(inputs[name], before[name], after[name]);
  }
  return result;
}

function carryValue(input: unknown, before: unknown, after: unknown): unknown {
  if (isObject(input) && isObject(before) && isObject(after)) return carryOver(input, before, after);
  if (Array.isArray(input) && Array.isArray(before) && Array.isArray(after)) {
    return after.map((each, index) => {
      if (index >= input.length || index >= before.length) return each;
      return equal(before[index], each) ? input[index] : carryValue(input[index], before[index], each);
    });
  }
  return after;
}
