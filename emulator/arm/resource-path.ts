// Reads Resource Manager paths: which resource type a path names, its parent, and what comes after the id. Depends only
// on the grammar of ids and on the table of resource types.
import { refusedToo } from "./refusals.ts";
import { ArmError, type ResourceType } from "./resource.ts";

/** What a path names. */
export interface Place {
  readonly resourceType: ResourceType;
  /** The id as the client spelled it; for a collection, the id of its parent. */
  readonly id: string;
  readonly name: string;
  /**
   * The id that must exist first: the resource group, the parent resource, or the resource that an extension extends.
   */
  readonly parentId: string;
  /** True when the path ends in a type and so names all resources of that type below `parentId`. */
  readonly collection: boolean;
  /** Segments after the id, as the client spelled them. */
  readonly rest: readonly string[];
}

/** Finds a resource type by its name, without regard to case. */
export const typeNamed = (types: readonly ResourceType[], name: string): ResourceType | undefined =>
  types.find(({ type }) => type.toLowerCase() === name.toLowerCase());

const groupType = "Microsoft.Resources/resourceGroups";

/** Gives the resource group's id in a path; undefined when it has none. */
export const groupIdOf = (path: string): string | undefined =>
  /^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+/i.exec(path)?.[0];

/** Gives the id of the resource of which an id names a child: the id without its last type and name. */
export const parentIdOf = (childId: string): string => childId.split("/").slice(0, -2).join("/");

/** Gives the resource group's name in a path; undefined when it has none. */
export const groupNameOf = (path: string): string | undefined => groupIdOf(path)?.split("/").at(-1);

/** Gives the type of a resource of a group by its id, as the id writes it; a child's is that of its parent. */
export const typeOf = (id: string): string => id.split("/").slice(6, 8).join("/");

/**
 * Finds what a path names; undefined for a path without a resource.
 *
 * @throws ArmError 400 NoRegisteredProviderFound for a resource type that is not served, and for a place where its type
 * has no resources.
 */
export function placeOf(path: string, types: readonly ResourceType[]): Place | undefined {
  const segments = path.split("/").filter((segment) => segment !== "");
  const lower = segments.map((segment) => segment.toLowerCase());
  // A resource group may be called so too.
  const provider = lower.lastIndexOf("providers") === 3 && segments.length === 4 ? -1 : lower.lastIndexOf("providers");
  if (lower[0] !== "subscriptions" || segments.length < 3) return undefined;
  if (provider < 0) {
    if (lower[2] !== "resourcegroups") return undefined;
    const resourceType = typeNamed(types, groupType)!;
    const parentId = `/${segments.slice(0, 2).join("/")}`;
    if (segments.length === 3) return { resourceType, id: parentId, name: "", parentId, collection: true, rest: [] };
    return {
      resourceType,
      id: `/${segments.slice(0, 4).join("/")}`,
      name: segments[3]!,
      parentId,
      collection: false,
      rest: segments.slice(4),
    };
  }
  const scope = provider === 0 ? "" : `/${segments.slice(0, provider).join("/")}`;
  return placeUnderProvider(scope, segments[provider + 1] ?? "", segments.slice(provider + 2), types);
}

/** Takes the longest type that is served; the segments after it are an action, or a child that is not stored. */
function placeUnderProvider(
  scope: string,
  namespace: string,
  segments: readonly string[],
  types: readonly ResourceType[],
): Place {
  const typeNames = segments.filter((_, index) => index % 2 === 0);
  for (let depth = typeNames.length; depth > 0; depth--) {
    const resourceType = typeNamed(types, [namespace, ...typeNames.slice(0, depth)].join("/"));
    if (resourceType === undefined) continue;
    requireScope(resourceType, scope, segments.length < 2);
    // A role definition belongs to the directory: whatever scope a client puts it
    // at, its id names the subscription alone.
    const home =
      resourceType.type === "Microsoft.Authorization/roleDefinitions" ? scope.split("/").slice(0, 3).join("/") : scope;
    const base = `${home}/providers/${namespace}`;
    const parentId = depth === 1 ? home : `${base}/${segments.slice(0, depth * 2 - 2).join("/")}`;
    if (segments.length < depth * 2)
      return { resourceType, id: parentId, name: "", parentId, collection: true, rest: [] };
    return {
      resourceType,
      id: `${base}/${segments.slice(0, depth * 2).join("/")}`,
      name: segments[depth * 2 - 1]!,
      parentId,
      collection: false,
      rest: segments.slice(depth * 2),
    };
  }
  const asked = [namespace, ...typeNames].join("/");
  const served = types.map((each) => each.type).join(", ");
  throw new ArmError(
    400,
    "NoRegisteredProviderFound",
    `No registered resource provider found for type '${asked}'. The emulator serves: ${served}.`,
  );
}

/** Refuses a place where no resource of a type can be. @throws ArmError 400 */
function requireScope({ type, isExtension }: ResourceType, scope: string, isList: boolean): void {
  if (isExtension || scope.toLowerCase() === groupIdOf(scope)?.toLowerCase()) return;
  if (isList && /^\/subscriptions\/[^/]+$/i.test(scope)) return;
  throw refusedToo(`A resource of the type ${type} is in a resource group, and not at '${scope}'.`);
}

/** Gives Azure's refusal for a resource that does not exist. */
export function notFound(place: Place): ArmError {
  const group = groupIdOf(place.id);
  if (place.id === group)
    return new ArmError(404, "ResourceGroupNotFound", `Resource group '${place.name}' could not be found.`);
  const under = group === undefined ? "" : ` under resource group '${group.split("/").at(-1)}'`;
  return new ArmError(
    404,
    "ResourceNotFound",
    `The Resource '${place.resourceType.type}/${place.name}'${under} was not found. ` +
      "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
  );
}

/**
 * Gives the action that a request performs, in the words of role definitions:
 * `Microsoft.App/containerApps/revisions/read`.
 */
export function actionOf(place: Place, method: string): string {
  const named = place.resourceType.actionBelow?.(place.rest, method);
  if (named !== undefined) return `${place.resourceType.type}/${named}`;
  const below = place.rest.filter((_, index) => index % 2 === 0);
  const type = [place.resourceType.type, ...below].join("/");
  if (method === "POST") return `${type}/action`;
  if (method === "DELETE") return `${type}/delete`;
  return `${type}/${method === "GET" || method === "HEAD" ? "read" : "write"}`;
}
