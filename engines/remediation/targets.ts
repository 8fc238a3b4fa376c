// What remediations act on: the declared targets with what they depend on, and which of them an alert names.
import { list, type ObjectOf, object, oneOf, text } from "../form.ts";
import type { TargetKey } from "../targets.ts";
import type { Alert } from "./alerts/alert.ts";

/** The types of targets, each with the type of resource that Azure calls it. */
const resourceTypes = {
  app: "microsoft.app/containerapps",
  server: "microsoft.dbforpostgresql/flexibleservers",
  vault: "microsoft.keyvault/vaults",
} as const;

export type TargetType = keyof typeof resourceTypes;
const targetTypes = Object.keys(resourceTypes) as readonly TargetType[];

/** The parts of the name of a target in a path. */
export const targetForms = {
  type: oneOf(targetTypes, { description: "The type of the target." }),
  rg: text("a resource group's name", {
    most: 90,
    pattern: "^[\\p{L}\\p{N}_().-]+$",
    description: "The target's resource group.",
  }),
  name: text("a resource's name", { most: 64, pattern: "^[A-Za-z][A-Za-z0-9-]*$", description: "The target." }),
};

/** Gives the key of a target. The key of an app is that of its rollouts. */
export const targetKey = ({ type, rg, name }: { type: string; rg: string; name: string }): TargetKey =>
  `${type}/${rg}/${name}`.toLowerCase();

const prefix = "incident/";

/**
 * Gives the key under which a target has one remediation at a time. It is not the target's own key: a remediation asks
 * a rollout to move traffic, and that rollout claims the app.
 */
export const incidentKey = (target: TargetKey): TargetKey => `${prefix}${target}`;

const declaredFields = {
  target: text("a target's key", { description: "The target, such as `app/shop/web`." }),
  dependsOn: list(text("a target's key"), { description: "The targets that it cannot do without." }),
};
export const declaredForm = object(declaredFields);

/** A target that remediations may act on, and what it depends on. */
export interface Declared extends ObjectOf<typeof declaredFields> {}

/** Gives all targets that a target depends on, directly or not, in the order of their keys. */
export function dependenciesOf(target: TargetKey, graph: readonly Declared[]): readonly TargetKey[] {
  const edges = new Map(graph.map((declared) => [declared.target, declared.dependsOn]));
  const found = new Set<TargetKey>();
  const visit = (at: TargetKey): void => {
    for (const next of edges.get(at) ?? [])
      if (next !== target && !found.has(next)) {
        found.add(next);
        visit(next);
      }
  };
  visit(target);
  return [...found].toSorted();
}

/** Gives the apps in which a target's trouble shows: an app itself, and of anything else those that depend on it. */
export const appsShowing = (target: TargetKey, graph: readonly Declared[]): readonly TargetKey[] =>
  target.startsWith("app/")
    ? [target]
    : graph
        .map((declared) => declared.target)
        .filter((each) => each.startsWith("app/") && dependenciesOf(each, graph).includes(target));

/** The dimensions that may name an app; a log rule on a workspace has its target in no other place. */
const appDimensions = ["containerappname", "containerapp", "app"];

/**
 * Gives the declared target that an alert is about; undefined if it names none, or more than one.
 *
 * A dimension that names an app counts before the resources that the rule watches: those are often the workspace. Azure
 * writes ids and names in any letter case.
 */
export function targetOf(alert: Pick<Alert, "dimensions" | "resources">, graph: readonly Declared[]) {
  const named = Object.entries(alert.dimensions)
    .filter(([name]) => appDimensions.includes(name.toLowerCase()))
    .flatMap(([, value]) => graph.filter(({ target }) => isNamed(target, value.toLowerCase())));
  const watched = alert.resources.flatMap((resource) =>
    graph.filter(({ target }) => target === keyOfResource(resource)),
  );
  const found = new Set((named.length > 0 ? named : watched).map(({ target }) => target));
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

const isNamed = (target: TargetKey, name: string): boolean =>
  target.startsWith("app/") && target.split("/").at(-1) === name;

/** Gives the key of the target that a resource's id names; undefined if it is of another type. */
function keyOfResource(id: string): TargetKey | undefined {
  const found = id.match(/^\/subscriptions\/[^/]+\/resourcegroups\/([^/]+)\/providers\/([^/]+\/[^/]+)\/([^/]+)$/i);
  if (found === null) return undefined;
  const [, rg = "", resourceType = "", name = ""] = found;
  const type = targetTypes.find((each) => resourceTypes[each] === resourceType.toLowerCase());
  return type && targetKey({ type, rg, name });
}
