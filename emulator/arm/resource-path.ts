// Reads Resource Manager paths: which kind of resource a path names, under what, and what lies below.
// It knows the grammar of ids and the table of kinds it is given, never what is stored.
import { ArmError, type ResourceKind } from "./resource.ts";

/** What a path names. */
export interface Place {
  readonly kind: ResourceKind;
  /** The id as the client spelt it; of a collection, the id of what contains it. */
  readonly id: string;
  readonly name: string;
  /** The id that must exist for this one to: a resource group, a parent resource, or the resource that an extension extends. */
  readonly parentId: string;
  /** Whether the path ends in a type and so names all resources of that type under `parentId`. */
  readonly collection: boolean;
  /** Segments after the id, as the client spelt them. */
  readonly rest: readonly string[];
}

/** Gives the kind of this type without regard to case. */
export const kindOf = (kinds: readonly ResourceKind[], type: string): ResourceKind | undefined =>
  kinds.find((each) => each.type.toLowerCase() === type.toLowerCase());

const groupType = "Microsoft.Resources/resourceGroups";

/** Gives the resource group's id in a path; undefined where there is none. */
export const groupIdOf = (path: string): string | undefined =>
  /^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+/i.exec(path)?.[0];

/**
 * Finds what a path names; undefined where it names nothing that Resource Manager has.
 *
 * @throws ArmError 400 NoRegisteredProviderFound for a provider's type that is not served.
 */
export function placeOf(path: string, kinds: readonly ResourceKind[]): Place | undefined {
  const segments = path.split("/").filter((segment) => segment !== "");
  const lower = segments.map((segment) => segment.toLowerCase());
  const provider = lower.lastIndexOf("providers");
  if (lower[0] !== "subscriptions" || segments.length < 3) return undefined;
  if (provider < 0) {
    if (lower[2] !== "resourcegroups") return undefined;
    const kind = kindOf(kinds, groupType)!;
    const parentId = `/${segments.slice(0, 2).join("/")}`;
    if (segments.length === 3) return { kind, id: parentId, name: "", parentId, collection: true, rest: [] };
    return {
      kind,
      id: `/${segments.slice(0, 4).join("/")}`,
      name: segments[3]!,
      parentId,
      collection: false,
      rest: segments.slice(4),
    };
  }
  const scope = provider === 0 ? "" : `/${segments.slice(0, provider).join("/")}`;
  return placeUnderProvider(scope, segments[provider + 1] ?? "", segments.slice(provider + 2), kinds);
}

/** The longest type wins: what is left over is an action, or a child that is not stored. */
function placeUnderProvider(
  scope: string,
  namespace: string,
  segments: readonly string[],
  kinds: readonly ResourceKind[],
): Place {
  const types = segments.filter((_, index) => index % 2 === 0);
  for (let depth = types.length; depth > 0; depth--) {
    const kind = kindOf(kinds, [namespace, ...types.slice(0, depth)].join("/"));
    if (kind === undefined) continue;
    // A role definition belongs to the directory: whatever scope it is put at, its id says the subscription and no more.
    const home =
      kind.type === "Microsoft.Authorization/roleDefinitions" ? scope.split("/").slice(0, 3).join("/") : scope;
    const base = `${home}/providers/${namespace}`;
    const parentId = depth === 1 ? home : `${base}/${segments.slice(0, depth * 2 - 2).join("/")}`;
    if (segments.length < depth * 2) return { kind, id: parentId, name: "", parentId, collection: true, rest: [] };
    return {
      kind,
      id: `${base}/${segments.slice(0, depth * 2).join("/")}`,
      name: segments[depth * 2 - 1]!,
      parentId,
      collection: false,
      rest: segments.slice(depth * 2),
    };
  }
  const served = kinds.map((each) => each.type).join(", ");
  throw new ArmError(
    400,
    "NoRegisteredProviderFound",
    `No registered resource provider found for type '${[namespace, ...types].join("/")}'. The stand-in serves: ${served}.`,
  );
}

/** Gives the action that a request performs, in the words of role definitions: `Microsoft.App/containerApps/revisions/read`. */
export function actionOf(place: Place, method: string): string {
  const types = place.rest.filter((_, index) => index % 2 === 0);
  const type = [place.kind.type, ...types].join("/");
  if (method === "POST") return `${type}/action`;
  if (method === "DELETE") return `${type}/delete`;
  return `${type}/${method === "GET" || method === "HEAD" ? "read" : "write"}`;
}
