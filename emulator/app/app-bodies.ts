// The bodies of container apps: the defaults that Azure fills in, and a form in which two templates compare. What is
// refused in a body is in contract/.
import type { Body, Resource, Store } from "../arm/resource.ts";

/**
 * Gives the id of an app's or a job's environment, under either of the names that
 * Azure accepts; empty when it names none.
 */
export const environmentIdOf = (body: Body): string =>
  String(body["properties"]?.managedEnvironmentId ?? body["properties"]?.environmentId ?? "");

/** Finds the environment of an app or a job; undefined when the id names none, or a resource of another type. */
export function environmentOf(body: Body, store: Store): Resource | undefined {
  const found = store.get(environmentIdOf(body));
  return found?.type === "Microsoft.App/managedEnvironments" ? found : undefined;
}

/** Fills in Azure's defaults, so that a template that spells out a default equals one that leaves it out. */
export function normaliseTemplate(template: Body): Body {
  const { containers, scale, ...rest } = dropAbsent(template);
  return {
    ...rest,
    revisionSuffix: rest["revisionSuffix"] ?? "",
    containers: ((containers ?? []) as Body[]).map((container) => ({
      ...container,
      resources: { cpu: 0.5, memory: "1Gi", ...container["resources"] },
    })),
    scale: { maxReplicas: 10, cooldownPeriod: 300, pollingInterval: 30, ...scale },
  };
}

/** Gives a deep copy without null, undefined and empty lists, which Azure treats as absent. */
export const dropAbsent = (body: Body): Body => withoutAbsent(body) as Body;

function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent);
  if (typeof value !== "object" || value === null) return value;
  const isAbsent = (each: unknown): boolean => each == null || (Array.isArray(each) && each.length === 0);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (isAbsent(each) ? [] : [[name, withoutAbsent(each)]])),
  );
}

/** Writes a value as text in which the order of members does not matter. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
