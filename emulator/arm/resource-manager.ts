// Resource Manager: answers GET, PUT, PATCH, DELETE and POST on every served resource type, by Azure's
// rules of existence, versions and permissions. Writes and their operations are in writes.ts, the
// subscription's own routes in subscription.ts.
import { authorize } from "../authorization/roles.ts";
import type { Principal } from "../authorization/tokens.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import { listReply } from "./lists.ts";
import type { Operations } from "./operations.ts";
import { versionsServed } from "./published-types.ts";
import {
  ArmError,
  type ArmReply,
  type ArmRequest,
  type Body,
  type Cloud,
  presented,
  type Resource,
  type ResourceType,
  type Twist,
} from "./resource.ts";
import { actionOf, groupIdOf, notFound, type Place, placeOf, typeNamed } from "./resource-path.ts";
import { schemaOf } from "./schema.ts";
import { answerSubscription, listResources } from "./subscription.ts";
import { subscription } from "./subscription-id.ts";
import { etagOf, put, remove } from "./writes.ts";

/** Answers one request. @throws ArmError */
export type ResourceManager = (request: ArmRequest, principal: Principal) => Promise<ArmReply>;

/** Starts Resource Manager on a cloud's store. */
export function makeResourceManager(
  cloud: Cloud,
  types: readonly ResourceType[],
  operations: Operations,
): ResourceManager {
  return async (request, principal) => {
    const [root, id = ""] = request.path.split("/").filter((part) => part !== "");
    if (root?.toLowerCase() === "subscriptions" && id !== "" && id.toLowerCase() !== subscription) {
      throw new ArmError(
        404,
        "SubscriptionNotFound",
        `The subscription '${id}' could not be found. ` +
          `This is an emulator cloud, which serves the subscription ${subscription} only.`,
      );
    }
    const polled = operations.answer(
      request,
      // Who may read a resource may follow what happens to it.
      (resourceType, id_) => authorize(cloud, principal, `${resourceType}/read`, id_),
      (resourceId) => shown(cloud, types, resourceId),
    );
    if (polled) return polled;
    const ofSubscription = answerSubscription(cloud, types, request, principal);
    if (ofSubscription) return ofSubscription;
    const place = placeOf(request.path, types);
    if (place === undefined) {
      authorize(cloud, principal, "Microsoft.Resources/subscriptions/read", `/subscriptions/${subscription}`);
      throw new ArmError(
        404,
        "InvalidRequestUri",
        `The emulator serves nothing at '${request.method} ${request.path}'.`,
      );
    }
    authorize(cloud, principal, actionOf(place, request.method), place.id);
    requireVersion(place.resourceType, request.apiVersion);
    requireParents(cloud, types, place);
    const reply = await answer(cloud, types, operations, place, request);
    if (cloud.options.onSchemaViolation)
      schemaViolations(place, request, reply).forEach(cloud.options.onSchemaViolation);
    return reply;
  };
}

/** Refuses a version in which a type is not served. @throws ArmError 400 with the list of served versions */
function requireVersion({ type, apiVersions }: ResourceType, apiVersion: string): void {
  const served = versionsServed(type, apiVersions);
  if (served.includes(apiVersion)) return;
  throw new ArmError(
    400,
    "InvalidApiVersionParameter",
    `The api-version '${apiVersion}' is invalid. The supported versions for '${type}' are '${served.join(",")}'.`,
  );
}

/** Lists where an answer violates the schema of the requested version. Each is a bug of the emulator. */
function schemaViolations(place: Place, request: ArmRequest, { status, body }: ArmReply): readonly string[] {
  if (place.rest.length > 0 || body === undefined || status >= 300) return [];
  const bodies = place.collection ? (body as { readonly value: readonly Body[] }).value : [body as Body];
  const schema = schemaOf(place.resourceType.type, request.apiVersion);
  return bodies.flatMap((each) => {
    const problem = schema.refuseAnswer(each);
    return problem === undefined ? [] : [`${request.method} ${each["id"]} in ${request.apiVersion}: ${problem}`];
  });
}

/** Checks that the resource group and the parent resource exist. @throws ArmError 404 */
function requireParents(cloud: Cloud, types: readonly ResourceType[], place: Place): void {
  const group = groupIdOf(place.id);
  const isBelow = place.collection || place.id.length > (group?.length ?? 0);
  if (group !== undefined && isBelow && cloud.store.get(group) === undefined) {
    throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${group.split("/").at(-1)}' could not be found.`);
  }
  const parentIsStored = /^\/subscriptions\/[^/]+\/./i.test(place.parentId);
  if (parentIsStored && cloud.store.get(place.parentId) === undefined && !isChild(cloud, types, place.parentId)) {
    throw new ArmError(
      404,
      "ParentResourceNotFound",
      `Failed to perform the operation on resource(s) of type '${place.resourceType.type}', ` +
        `because the parent resource '${place.parentId}' could not be found.`,
    );
  }
}

/** Reports whether an id is of something below a resource that is not stored itself, such as a secret of a vault. */
function isChild(cloud: Cloud, types: readonly ResourceType[], id: string): boolean {
  const place = placeOf(id, types);
  const resource = place && cloud.store.get(place.id);
  return resource !== undefined && place?.resourceType.hasChild?.(resource, place.rest, cloud) === true;
}

const methodNotAllowed = ({ method, path }: ArmRequest): ArmError =>
  new ArmError(405, "HttpMethodNotAllowed", `The http method '${method}' is not supported at '${path}'.`);

function answer(
  cloud: Cloud,
  types: readonly ResourceType[],
  operations: Operations,
  place: Place,
  request: ArmRequest,
): Promise<ArmReply> | ArmReply {
  if (place.collection) return list(cloud, place, request);
  if (place.rest.length > 0) return below(cloud, place, request);
  place.resourceType.refuseName?.(cloud.store.get(place.parentId), place.name, request.method);
  const stored = cloud.store.get(place.id) ?? unwrittenIn(cloud, place).find(({ id }) => id === place.id.toLowerCase());
  switch (request.method) {
    case "GET":
    case "HEAD":
      if (stored === undefined) throw notFound(place);
      return request.method === "HEAD"
        ? { status: 204 }
        : {
            status: 200,
            body: presented(place.resourceType, stored, cloud),
            ...(quirksOf(cloud)["no-if-match"] ? {} : { headers: { etag: etagOf(stored) } }),
          };
    case "PUT":
      return put(cloud, operations, place, request, stored);
    case "PATCH":
      if (place.resourceType.noPatch) throw methodNotAllowed(request);
      if (stored === undefined) throw notFound(place);
      return put(cloud, operations, place, request, stored);
    case "DELETE":
      if (place.resourceType.unwritten) throw methodNotAllowed(request);
      return remove(cloud, types, operations, place, request, stored);
    default:
      throw methodNotAllowed(request);
  }
}

function shown(cloud: Cloud, types: readonly ResourceType[], id: string): Body | undefined {
  const stored = cloud.store.get(id);
  return stored && presented(typeNamed(types, stored.type)!, stored, cloud);
}

/** Gives what exists below a place's parent although nobody has written it. */
function unwrittenIn({ store }: Cloud, { parentId, resourceType }: Place): readonly Resource[] {
  const parent = store.get(parentId);
  const bodies = (parent && resourceType.unwritten?.(parent)) ?? [];
  return bodies.map((body) => ({ id: String(body["id"]).toLowerCase(), type: resourceType.type, body }));
}

function list(cloud: Cloud, place: Place, request: ArmRequest): ArmReply {
  if (request.method !== "GET") throw methodNotAllowed(request);
  const depth = (id: string): number => id.split("/").length;
  const { resourceType, parentId } = place;
  // A top-level type is listed for the subscription or for a resource group; a child type for its parent alone.
  const child = resourceType.type.split("/").length > 2;
  const found = cloud.store
    .list(parentId)
    .filter((each) => each.type === resourceType.type && (!child || depth(each.id) === depth(parentId) + 2));
  const written = new Set(found.map(({ id }) => id));
  const all = [...found, ...unwrittenIn(cloud, place).filter(({ id }) => !written.has(id))];
  const bodies = all.map((each) => presented(resourceType, each, cloud));
  return listReply(request, [...bodies, ...(resourceType.listed?.others() ?? [])], resourceType.listed);
}

/**
 * Answers what lies below a resource: its actions, its children that are not stored, and a group's list of resources.
 */
async function below(cloud: Cloud, place: Place, request: ArmRequest): Promise<ArmReply> {
  const { id, resourceType, rest } = place;
  const stored = cloud.store.get(id);
  if (stored === undefined) throw notFound(place);
  const [first = ""] = rest;
  const act = rest.length === 1 && request.method === "POST" ? resourceType.actions?.[first.toLowerCase()] : undefined;
  if (act) return act(stored, cloud, request);
  if (request.twist && request.method !== "GET") return twisted(request.twist);
  const isGroupList =
    resourceType.type === "Microsoft.Resources/resourceGroups" &&
    first.toLowerCase() === "resources" &&
    rest.length === 1 &&
    request.method === "GET";
  if (isGroupList) return listResources(cloud, request, id);
  const reply = await resourceType.children?.(stored, rest, request, cloud);
  if (reply) return reply;
  throw new ArmError(404, "ResourceNotFound", `The emulator serves nothing at '${request.method} ${request.path}'.`);
}

/** Answers an action that a fault twists: an action has no operation, so it fails at once, or reports success. */
function twisted(twist: Twist): ArmReply {
  if (twist !== "forgotten") throw twist;
  return { status: 200 };
}
