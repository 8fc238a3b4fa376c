// Resource Manager: PUT, PATCH, GET, DELETE and POST on any kind in the table, with Azure's rules of existence, versions and operations.
// What a kind means is in resource-types.ts and container-apps.ts; who may do what is in roles.ts; HTTP is in server.ts.
import { createHash } from "node:crypto";
import { authorize } from "../authorization/roles.ts";
import type { Principal } from "../authorization/tokens.ts";
import { carriedOut } from "../controls/faults.ts";
import { truthsOf } from "../controls/quirks-in-force.ts";
import type { KeptOperation, Operation, Operations } from "./operations.ts";
import {
  ArmError,
  type ArmReply,
  type ArmRequest,
  type Body,
  type Cloud,
  type PutContext,
  type Resource,
  type ResourceKind,
  type Twist,
} from "./resource.ts";
import { actionOf, groupIdOf, kindOf, type Place, placeOf } from "./resource-path.ts";
import { schemaOf } from "./schema.ts";
import { answerSubscription } from "./subscription.ts";

/** The one subscription of the stand-in. */
export const subscription = "00000000-0000-0000-0000-0000ba11a57e";

/** Answers one request. @throws ArmError */
export type ResourceManager = (request: ArmRequest, principal: Principal) => Promise<ArmReply>;

/** Starts Resource Manager over a cloud's store. */
export function makeResourceManager(
  cloud: Cloud,
  kinds: readonly ResourceKind[],
  operations: Operations,
): ResourceManager {
  return async (request, principal) => {
    const [root, id = ""] = request.path.split("/").filter((part) => part !== "");
    if (root?.toLowerCase() === "subscriptions" && id.toLowerCase() !== subscription) {
      throw new ArmError(
        404,
        "SubscriptionNotFound",
        `The subscription '${id}' could not be found. This is a stand-in cloud, which serves the subscription ${subscription} only.`,
      );
    }
    const operation = operations.answer(request, (resourceId) => shown(cloud, kinds, resourceId));
    if (operation) return operation;
    const ofSubscription = answerSubscription(cloud, kinds, request, principal);
    if (ofSubscription) return ofSubscription;
    const place = placeOf(request.path, kinds);
    if (place === undefined) return answerOutsideKinds(cloud, kinds, request, principal);
    authorize(cloud.store, principal, actionOf(place, request.method), place.id);
    if (!place.kind.apiVersions.includes(request.apiVersion)) throw unsupportedVersion(place.kind, request.apiVersion);
    mustExist(cloud, place);
    const reply = await answer(cloud, kinds, operations, place, request);
    if (cloud.options.untrueAnswer) untruthsOf(place, request, reply).forEach(cloud.options.untrueAnswer);
    return reply;
  };
}

const unsupportedVersion = (kind: ResourceKind, apiVersion: string): ArmError =>
  new ArmError(
    400,
    "InvalidApiVersionParameter",
    `The api-version '${apiVersion}' is invalid. The supported versions for '${kind.type}' are '${kind.apiVersions.join(",")}'.`,
  );

/** Says what of an answer does not fit the schema of the version asked for: mistakes of ours. */
function untruthsOf(place: Place, request: ArmRequest, { status, body }: ArmReply): readonly string[] {
  if (place.rest.length > 0 || body === undefined || status >= 300) return [];
  const shown = place.collection ? (body as { readonly value: readonly Body[] }).value : [body as Body];
  const schema = schemaOf(place.kind.type, request.apiVersion);
  return shown.flatMap((each) => {
    const problem = schema.refuseAnswer(each);
    return problem === undefined ? [] : [`${request.method} ${each["id"]} in ${request.apiVersion}: ${problem}`];
  });
}

const notFound = (place: Place): ArmError => {
  const group = groupIdOf(place.id);
  if (place.id === group)
    return new ArmError(404, "ResourceGroupNotFound", `Resource group '${place.name}' could not be found.`);
  const under = group === undefined ? "" : ` under resource group '${group.split("/").at(-1)}'`;
  return new ArmError(
    404,
    "ResourceNotFound",
    `The Resource '${place.kind.type}/${place.name}'${under} was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
};

/** Holds the resource group and the parent to be there. */
function mustExist(cloud: Cloud, place: Place): void {
  const group = groupIdOf(place.id);
  if (group !== undefined && place.id.length > group.length && cloud.store.get(group) === undefined) {
    throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${group.split("/").at(-1)}' could not be found.`);
  }
  const parentIsStored = /^\/subscriptions\/[^/]+\/./i.test(place.parentId);
  if (parentIsStored && cloud.store.get(place.parentId) === undefined) {
    throw new ArmError(
      404,
      "ParentResourceNotFound",
      `Failed to perform the operation on resource(s) of type '${place.kind.type}', because the parent resource '${place.parentId}' could not be found.`,
    );
  }
}

function answer(
  cloud: Cloud,
  kinds: readonly ResourceKind[],
  operations: Operations,
  place: Place,
  request: ArmRequest,
): Promise<ArmReply> | ArmReply {
  if (place.collection) return list(cloud, place, request);
  if (place.rest.length > 0) return below(cloud, place, request);
  const stored = cloud.store.get(place.id);
  switch (request.method) {
    case "GET":
    case "HEAD":
      if (stored === undefined) throw notFound(place);
      return request.method === "HEAD"
        ? { status: 204 }
        : {
            status: 200,
            body: present(cloud, place.kind, stored),
            ...(truthsOf(cloud)["no-if-match"] ? {} : { headers: { etag: etagOf(stored) } }),
          };
    case "PUT":
      return put(cloud, operations, place, request, stored);
    case "PATCH":
      if (stored === undefined) throw notFound(place);
      return put(cloud, operations, place, request, stored);
    case "DELETE":
      return remove(cloud, kinds, operations, place, request, stored);
    default:
      throw new ArmError(
        405,
        "HttpMethodNotAllowed",
        `The http method '${request.method}' is not supported at '${request.path}'.`,
      );
  }
}

const present = (cloud: Cloud, kind: ResourceKind, stored: Resource): Body =>
  kind.present?.(stored, cloud) ?? stored.body;

function shown(cloud: Cloud, kinds: readonly ResourceKind[], id: string): Body | undefined {
  const stored = cloud.store.get(id);
  return stored && present(cloud, kindOf(kinds, stored.type)!, stored);
}

function list(cloud: Cloud, place: Place, request: ArmRequest): ArmReply {
  if (request.method !== "GET")
    throw new ArmError(
      405,
      "HttpMethodNotAllowed",
      `The http method '${request.method}' is not supported at '${request.path}'.`,
    );
  const depth = (id: string): number => id.split("/").length;
  // A type's collection may be asked of the subscription and of a resource group; a child's only of its parent.
  const child = place.kind.type.split("/").length > 2;
  const found = cloud.store
    .list(place.parentId)
    .filter((each) => each.type === place.kind.type && (!child || depth(each.id) === depth(place.parentId) + 2));
  return { status: 200, body: { value: found.map((each) => present(cloud, place.kind, each)) } };
}

async function below(cloud: Cloud, place: Place, request: ArmRequest): Promise<ArmReply> {
  const stored = cloud.store.get(place.id);
  if (stored === undefined) throw notFound(place);
  const [first = ""] = place.rest;
  const act =
    place.rest.length === 1 && request.method === "POST" ? place.kind.actions?.[first.toLowerCase()] : undefined;
  if (act) return act(stored, cloud, request);
  if (request.twist && request.method !== "GET") return forsworn(request.twist);
  const resources =
    place.kind.type === "Microsoft.Resources/resourceGroups" &&
    first.toLowerCase() === "resources" &&
    request.method === "GET";
  if (resources)
    return {
      status: 200,
      body: {
        value: cloud.store
          .list(place.id)
          .map(({ body: { id, name, type, location, tags } }) => ({ id, name, type, location, tags })),
      },
    };
  const reply = await place.kind.children?.(stored, place.rest, request, cloud);
  if (reply) return reply;
  throw new ArmError(404, "ResourceNotFound", `The stand-in has nothing at '${request.method} ${request.path}'.`);
}

/** An action has no operation to fail later: it is refused, or said to be done. */
function forsworn(twist: Twist): ArmReply {
  if (twist !== "forgotten") throw twist;
  return { status: 200 };
}

/** Merges as RFC 7396 says: objects deeply, arrays whole, null takes away. `how` is another way only where a truth is switched off. */
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

interface MergeWay {
  readonly depth: number;
  readonly arraysWhole: boolean;
}
const asSpecified: MergeWay = { depth: Infinity, arraysWhole: true };

/** Adds entries to a list, each in the place of its namesake: what a naive cloud makes of a list in a patch. */
function added(list: readonly Body[], entries: readonly Body[]): readonly Body[] {
  const nameOf = ({ name, revisionName, type }: Body): unknown => name ?? revisionName ?? type;
  return [...list.filter((each) => !entries.some((entry) => nameOf(entry) === nameOf(each))), ...entries];
}

const etagOf = ({ body }: Resource): string =>
  `"${createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 16)}"`;

const sameRegion = (one: unknown, other: unknown): boolean =>
  String(one).toLowerCase().replaceAll(" ", "") === String(other).toLowerCase().replaceAll(" ", "");

/** Gives the whole body to be stored, held to the schema of the version asked for. */
function wantedBody(cloud: Cloud, place: Place, request: ArmRequest, previous: Resource | undefined): Body {
  const merge = request.method === "PATCH";
  const truths = truthsOf(cloud);
  const schema = schemaOf(place.kind.type, request.apiVersion);
  const nameProblem = schema.refuseName(place.name);
  if (nameProblem)
    throw new ArmError(400, "InvalidResourceName", `Resource name '${place.name}' is invalid. ${nameProblem}`);
  if (request.body === undefined)
    throw new ArmError(
      400,
      "InvalidRequestContent",
      "The request content was invalid and could not be deserialized: 'a body is expected'.",
    );
  const accepted = schema.accept(request.body, merge);
  const body = structuredClone(
    merge
      ? (mergePatch(previous!.body, accepted, {
          depth: truths["patch-merges-deeply"] ? Infinity : 2,
          arraysWhole: truths["patch-replaces-arrays"] !== false,
        }) as Body)
      : accepted,
  );
  if (
    previous &&
    previous.body["location"] !== undefined &&
    body["location"] !== undefined &&
    !sameRegion(previous.body["location"], body["location"])
  ) {
    throw new ArmError(
      409,
      "InvalidResourceLocation",
      `The resource '${place.name}' already exists in location '${previous.body["location"]}'. A resource with the same name cannot be created in location '${body["location"]}'. Please select a new resource name.`,
    );
  }
  const now = new Date(cloud.clock.now()).toISOString();
  const systemData = {
    createdAt: now,
    ...previous?.body["systemData"],
    lastModifiedAt: now,
    lastModifiedByType: "Application",
  };
  return {
    ...body,
    id: previous?.body["id"] ?? place.id,
    name: previous?.body["name"] ?? place.name,
    type: place.kind.type,
    properties: { ...body["properties"] },
    ...(schema.envelopeNames.includes("systemData") ? { systemData } : {}),
  };
}

async function put(
  cloud: Cloud,
  operations: Operations,
  place: Place,
  request: ArmRequest,
  previous: Resource | undefined,
): Promise<ArmReply> {
  operations.refuseWhileBusy(place.kind, place.id);
  const isChild = place.kind.type.split("/").length > 2;
  if (isChild || place.parentId === groupIdOf(place.id)) operations.refuseWhileBusy(place.kind, place.parentId);
  if (
    request.ifMatch !== undefined &&
    !truthsOf(cloud)["no-if-match"] &&
    (previous === undefined || etagOf(previous) !== request.ifMatch)
  ) {
    throw new ArmError(
      412,
      "PreconditionFailed",
      `The condition specified by If-Match was not met: '${place.name}' has changed.`,
    );
  }
  const wanted = wantedBody(cloud, place, request, previous);
  const refusal = place.kind.parentMustExist?.(wanted, cloud.store);
  if (refusal) throw refusal;
  const context = {
    id: place.id,
    wanted,
    previous: previous && { ...previous, body: structuredClone(previous.body) },
    merge: request.method === "PATCH",
    cloud,
  };
  // What a fault keeps from being carried out leaves the resource as it was, but for the state that a failure leaves.
  const resource: Resource =
    request.twist && previous ? previous : { id: place.id.toLowerCase(), type: place.kind.type, body: wanted };
  const asynchronous = place.kind.put === "async-operation";
  const hasState = schemaOf(place.kind.type, request.apiVersion).propertyNames.includes("provisioningState");
  const operation = await startPut(operations, place.kind, resource, context, hasState, undefined, request.twist);
  if (!asynchronous) await settled(operation);
  const body = present(cloud, place.kind, resource);
  if (!asynchronous) return { status: previous ? 200 : 201, body };
  if (context.merge) return { status: 202, headers: operations.location(operation, request, place) };
  return { status: previous ? 200 : 201, body, headers: operations.asyncOperation(operation, request, place) };
}

function startPut(
  operations: Operations,
  kind: ResourceKind,
  resource: Resource,
  context: PutContext,
  hasState: boolean,
  known?: KeptOperation,
  twist?: Twist,
): Promise<Operation> {
  const { id, previous, merge, cloud } = context;
  const showState = (state: string): void => {
    if (hasState && twist !== "forgotten") resource.body["properties"].provisioningState = state;
  };
  return operations.start(
    kind,
    id,
    { method: merge ? "PATCH" : "PUT", ...(previous && { previous }) },
    carriedOut(twist, () => kind.onPut?.(context) ?? Promise.resolve()),
    {
      accepted: () => {
        showState("InProgress");
        if (twist !== "forgotten") cloud.store.put(resource);
      },
      ended: (failed) => showState(failed ? "Failed" : "Succeeded"),
    },
    known,
  );
}

/** Does again what was under way when a cloud died: writes are absolute, so that one half done comes to its end. */
export async function takeUp(
  cloud: Cloud,
  kinds: readonly ResourceKind[],
  operations: Operations,
  known: KeptOperation,
): Promise<void> {
  const {
    resourceId: id,
    work: { method, previous },
  } = known;
  const resource = cloud.store.get(id);
  const kind = resource && kindOf(kinds, resource.type);
  if (!kind) return operations.remember({ ...known, status: "Succeeded" });
  if (method === "DELETE") await startRemoval(cloud, kinds, operations, kind, id, resource, known);
  else
    await startPut(
      operations,
      kind,
      resource,
      { id, wanted: resource.body, previous, merge: method === "PATCH", cloud },
      resource.body["properties"].provisioningState !== undefined,
      known,
    );
}

async function settled(operation: Operation): Promise<void> {
  await operation.done;
  if (operation.error) throw operation.error;
}

async function remove(
  cloud: Cloud,
  kinds: readonly ResourceKind[],
  operations: Operations,
  place: Place,
  request: ArmRequest,
  stored: Resource | undefined,
): Promise<ArmReply> {
  // Azure answers 404 for a missing group and 204 for anything else that is missing.
  if (stored === undefined) {
    if (place.id === groupIdOf(place.id)) throw notFound(place);
    return { status: 204 };
  }
  const operation = await startRemoval(
    cloud,
    kinds,
    operations,
    place.kind,
    place.id,
    stored,
    undefined,
    request.twist,
  );
  if (isRemovedByAndBy(place.kind, place.id))
    return { status: 202, headers: operations.location(operation, request, place) };
  await settled(operation);
  return { status: 200 };
}

const isRemovedByAndBy = (kind: ResourceKind, id: string): boolean =>
  kind.put === "async-operation" || id === groupIdOf(id);

function startRemoval(
  cloud: Cloud,
  kinds: readonly ResourceKind[],
  operations: Operations,
  kind: ResourceKind,
  id: string,
  stored: Resource,
  known?: KeptOperation,
  twist?: Twist,
): Promise<Operation> {
  const takeDown = async (): Promise<void> => {
    // What was made last goes first, so that apps go before their environment.
    for (const each of [...cloud.store.list(id)].reverse().concat(stored)) {
      await kindOf(kinds, each.type)?.onDelete?.(each, cloud);
      cloud.store.remove(each.id);
    }
  };
  return operations.start(
    kind,
    id,
    { method: "DELETE" },
    carriedOut(twist, takeDown),
    {
      accepted: () => {
        if (isRemovedByAndBy(kind, id)) stored.body["properties"].provisioningState = "Deleting";
      },
      ended: (failed) => {
        if (failed) stored.body["properties"].provisioningState = "Failed";
      },
    },
    known,
  );
}

/** What Resource Manager answers beside resources: the subscription itself. */
function answerOutsideKinds(
  cloud: Cloud,
  kinds: readonly ResourceKind[],
  request: ArmRequest,
  principal: Principal,
): ArmReply {
  const [, , ...rest] = request.path.split("/").filter((part) => part !== "");
  if (/^\/subscriptions\/[^/]+$/i.test(request.path) && request.method === "GET") {
    authorize(cloud.store, principal, "Microsoft.Resources/subscriptions/read", request.path);
    return {
      status: 200,
      body: {
        id: `/subscriptions/${subscription}`,
        subscriptionId: subscription,
        displayName: "Ballast stand-in",
        state: "Enabled",
      },
    };
  }
  if (rest.join("/").toLowerCase() === "resources" && request.method === "GET") {
    authorize(cloud.store, principal, "Microsoft.Resources/subscriptions/resources/read", request.path);
    return {
      status: 200,
      body: {
        value: cloud.store
          .list()
          .filter((each) => each.type !== kinds[0]!.type)
          .map(({ body: { id, name, type, location, tags } }) => ({ id, name, type, location, tags })),
      },
    };
  }
  throw new ArmError(404, "InvalidRequestUri", `The stand-in has nothing at '${request.method} ${request.path}'.`);
}
