// Targets: the things that only one stream may change at a time. A key names one by its type and its place, such as
// `app/<resource group>/<name>`; streams of every kind that change the same thing use the same key.

import { number, text } from "./form.ts";

/** Names a target, in lower case. Its first word is the type of the thing. */
export type TargetKey = string;

/** Gives keys in the order in which they are always claimed, each once: a stream may name a target twice. */
export const inOrder = (targets: readonly TargetKey[]): readonly TargetKey[] => [...new Set(targets)].toSorted();

/** A Container App in its resource group. */
export interface AppTarget {
  readonly resourceGroup: string;
  readonly app: string;
}

/** Gives the key of an app. Azure ignores case in names, so the key is in lower case. */
export const appKey = ({ resourceGroup, app }: AppTarget): TargetKey => `app/${resourceGroup}/${app}`.toLowerCase();

/** The parts of an app's address in a path. */
export const appForms = {
  rg: text("a resource group's name", {
    most: 90,
    pattern: "^[\\p{L}\\p{N}_().-]+$",
    description: "The app's resource group.",
  }),
  app: text("an app's name", { most: 64, pattern: "^[A-Za-z][A-Za-z0-9-]*$", description: "The app." }),
};

/** For how long a caller may lock a target. A lock expires by itself, and soon, because its holder may die. */
export const lockSeconds = number({
  above: 0,
  most: 120,
  description: "How long the lock lasts unless it is removed before.",
});

/**
 * Describes a target for people: `the app web in shop`.
 *
 * @param anyPlace What stands in a key for a part that may be anything: `the app web`, or `any app in shop`.
 */
export function describeTarget(target: TargetKey, anyPlace?: string): string {
  const [type = "", ...parts] = target.split("/");
  const name = parts.pop() ?? "";
  const place = parts.filter((part) => part !== anyPlace);
  if (name === anyPlace) return `any ${type} in ${place.join("/")}`;
  return `the ${type} ${name}${place.length === 0 ? "" : ` in ${place.join("/")}`}`;
}
