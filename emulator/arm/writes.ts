// Writes on resources: what PUT, PATCH and DELETE store, which operation they start, and how a write continues after
// its cloud was killed. The body is checked against the schema of the requested version before anything is stored.
import { createHash } from "node:crypto";
import { carriedOut } from "../controls/faults.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import { regionOf } from "./bodies.ts";
import { inertIn, refuseUnsupportedFields, refuseWrongValues } from "./fields.ts";
import { mergePatch } from "./merge-patch.ts";
import { refuseWrongName } from "./names.ts";
import type { KeptOperation, Operation, Operations } from "./operations.ts";
import { unsupported } from "./refusals.ts";
import { refuseUnknownRegion, refuseWrongTags } from "./regions.ts";
import {
  ArmError,
  type ArmReply,
  type ArmRequest,
  type Body,
  type Cloud,
  type PutContext,
  presented,
  type Resource,
  type ResourceType,
  type Twist,
} from "./resource.ts";
import { groupIdOf, notFound, type Place, typeNamed } from "./resource-path.ts";
import { type Schema, schemaOf } from "./schema.ts";

/** Gives the ETag of a resource, for a cloud in which the quirk `no-if-match` is switched off. */
export const etagOf = ({ body }: Resource): string =>
  `"${createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 16)}"`;

/**
 * Gives the body that a request sends, and what becomes of it: merged into the previous one for a PATCH.
 *
 * @throws ArmError 400 when it violates the schema
 */
function requestedBody(
  cloud: Cloud,
  schema: Schema,
  place: Place,
  request: ArmRequest,
  previous: Resource | undefined,
): { readonly sent: Body; readonly body: Body } {
  const merge = request.method === "PATCH";
  const quirks = quirksOf(cloud);
  const nameProblem = schema.refuseName(place.name);
  if (nameProblem)
    throw new ArmError(400, "InvalidResourceName", `Resource name '${place.name}' is invalid. ${nameProblem}`);
  refuseWrongName(place.resourceType.type, place.name);
  if (request.body === undefined)
    throw new ArmError(
      400,
      "InvalidRequestContent",
      "The request content was invalid and could not be deserialized: 'a body is expected'.",
    );
  place.resourceType.checkSent?.(request.body);
  const accepted = schema.accept(request.body, merge);
  const { type, fields, patches } = place.resourceType;
  if (merge && patches) refuseIgnored(type, patches, accepted);
  if (fields) {
    refuseWrongValues(type, request.apiVersion, fields, accepted);
    refuseUnsupportedFields(fields, accepted);
  }
  const body = merge
    ? (mergePatch(previous!.body, accepted, {
        depth: quirks["patch-merges-deeply"] ? Infinity : 2,
        arraysWhole: quirks["patch-replaces-arrays"] !== false,
      }) as Body)
    : accepted;
  return { sent: accepted, body: structuredClone(body) };
}

/** Refuses what Azure ignores in a PATCH. @throws ArmError 400 */
function refuseIgnored(type: string, patches: readonly string[], { properties, ...sent }: Body): void {
  const names = [...Object.keys(sent), ...Object.keys(properties ?? {}).map((name) => `properties.${name}`)];
  const ignored = names.find((name) => !patches.includes(name));
  if (ignored) throw unsupported(`a PATCH of '${ignored}' of ${type}, which Azure ignores`);
}

/** Gives the whole body to be stored. @throws ArmError */
function wantedBody(cloud: Cloud, place: Place, request: ArmRequest, previous: Resource | undefined): Body {
  const schema = schemaOf(place.resourceType.type, request.apiVersion);
  const { sent, body } = requestedBody(cloud, schema, place, request, previous);
  const [before, after] = [previous?.body["location"], body["location"]];
  if (before !== undefined && after == null)
    throw new ArmError(400, "LocationRequired", "The location property is required for this definition.");
  if (request.method === "PATCH") schema.requireMerged(body, sent);
  refuseUnknownRegion(place.resourceType.type, after);
  refuseWrongTags(body["tags"]);
  if (before !== undefined && after !== undefined && regionOf(before) !== regionOf(after))
    throw new ArmError(
      409,
      "InvalidResourceLocation",
      `The resource '${place.name}' already exists in location '${before}'. ` +
        `A resource with the same name cannot be created in location '${after}'. Please select a new resource name.`,
    );
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
    type: place.resourceType.type,
    properties: { ...body["properties"] },
    ...(schema.envelopeNames.includes("systemData") ? { systemData } : {}),
  };
}

/** Answers a PUT or PATCH. @throws ArmError when the write is refused */
export async function put(
  cloud: Cloud,
  operations: Operations,
  place: Place,
  request: ArmRequest,
  previous: Resource | undefined,
): Promise<ArmReply> {
  const { resourceType } = place;
  operations.refuseWhileBusy(resourceType, place.id);
  const isChild = resourceType.type.split("/").length > 2;
  if (isChild || place.parentId === groupIdOf(place.id)) operations.refuseWhileBusy(resourceType, place.parentId);
  refuseChanged(cloud, place, request, previous);
  const wanted = wantedBody(cloud, place, request, previous);
  const refusal = resourceType.parentMustExist?.(wanted, cloud.store);
  if (refusal) throw refusal;
  const context = {
    id: place.id,
    wanted,
    previous: previous && { ...previous, body: structuredClone(previous.body) },
    merge: request.method === "PATCH",
    ...(request.body === undefined ? {} : { sent: request.body }),
    cloud,
  };
  // A write that a fault prevents leaves the resource as it was, except for the state that a failure leaves.
  const resource: Resource =
    request.twist && previous
      ? previous
      : { id: place.id.toLowerCase(), type: resourceType.type, body: wanted, ...inertOf(place, request, previous) };
  const asynchronous = resourceType.put === "async-operation";
  const hasState = schemaOf(resourceType.type, request.apiVersion).propertyNames.includes("provisioningState");
  const operation = await startPut(operations, resourceType, resource, context, hasState, undefined, request.twist);
  if (!asynchronous) await settled(operation);
  const body = presented(resourceType, resource, cloud);
  const status = previous ? 200 : (resourceType.created ?? 201);
  if (!asynchronous) return { status, body };
  if (context.merge) return { status: 202, headers: operations.location(operation, request, place) };
  return { status, body, headers: operations.asyncOperation(operation, request, place) };
}

/** Gives the fields without effect that a client has set; a PATCH adds to those of before. */
function inertOf({ resourceType: { fields } }: Place, { method, body = {} }: ArmRequest, previous?: Resource) {
  if (!fields) return {};
  const before = method === "PATCH" ? (previous?.inert ?? []) : [];
  const inert = [...new Set([...before, ...inertIn(fields, body)])];
  return inert.length === 0 ? {} : { inert };
}

/**
 * Refuses a write whose condition is not met. Most types have no conditional writes on Azure; the quirk `no-if-match`
 * says so.
 */
function refuseChanged(cloud: Cloud, place: Place, request: ArmRequest, previous: Resource | undefined): void {
  const { ifMatch, ifNoneMatch } = request;
  if (place.resourceType.conditional) {
    if (ifMatch !== undefined && ifMatch !== "*") throw unsupported("writes with the ETag of a resource (If-Match)");
    if ((ifNoneMatch === "*" && previous) || (ifMatch === "*" && !previous))
      throw new ArmError(
        412,
        "PreconditionFailed",
        `The condition of the request was not met: '${place.name}' ${previous ? "exists" : "does not exist"}.`,
      );
    return;
  }
  if (ifMatch === undefined || quirksOf(cloud)["no-if-match"]) return;
  if (previous !== undefined && etagOf(previous) === ifMatch) return;
  throw new ArmError(
    412,
    "PreconditionFailed",
    `The condition specified by If-Match was not met: '${place.name}' has changed.`,
  );
}

/** Puts a resource that was changed in place, unless it is gone. */
function restore({ store }: Cloud, resource: Resource): void {
  if (store.get(resource.id) === resource) store.put(resource);
}

function startPut(
  operations: Operations,
  resourceType: ResourceType,
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
    resourceType,
    id,
    { method: merge ? "PATCH" : "PUT", ...(previous && { previous }) },
    carriedOut(twist, () => resourceType.onPut?.(context) ?? Promise.resolve()),
    {
      accepted: () => {
        showState("InProgress");
        if (twist !== "forgotten") cloud.store.put(resource);
      },
      ended: (failed) => {
        showState(failed ? "Failed" : "Succeeded");
        restore(cloud, resource);
      },
    },
    known,
  );
}

/**
 * Repeats a write that was in progress when the cloud was killed. A write is absolute,
 * so repeating a half-done one completes it.
 */
export async function resumeWrite(
  cloud: Cloud,
  types: readonly ResourceType[],
  operations: Operations,
  known: KeptOperation,
): Promise<void> {
  const {
    resourceId: id,
    work: { method, previous },
  } = known;
  const resource = cloud.store.get(id);
  const resourceType = resource && typeNamed(types, resource.type);
  if (!resourceType) return operations.remember({ ...known, status: "Succeeded" });
  if (method === "DELETE") await startRemoval(cloud, types, operations, resourceType, id, resource, known);
  else
    await startPut(
      operations,
      resourceType,
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

/** Answers a DELETE. @throws ArmError */
export async function remove(
  cloud: Cloud,
  types: readonly ResourceType[],
  operations: Operations,
  place: Place,
  request: ArmRequest,
  stored: Resource | undefined,
): Promise<ArmReply> {
  const { id, resourceType } = place;
  // Azure answers 404 for a missing group and 204 for any other missing resource.
  if (stored === undefined) {
    if (id === groupIdOf(id)) throw notFound(place);
    return { status: 204 };
  }
  resourceType.checkDelete?.(stored, cloud);
  const operation = await startRemoval(cloud, types, operations, resourceType, id, stored, undefined, request.twist);
  if (isRemovedLater(resourceType, id)) return { status: 202, headers: operations.location(operation, request, place) };
  await settled(operation);
  return { status: 200 };
}

/** Reports whether a DELETE is answered before the removal has ended. */
const isRemovedLater = ({ put: how }: ResourceType, id: string): boolean =>
  how === "async-operation" || id === groupIdOf(id);

function startRemoval(
  cloud: Cloud,
  types: readonly ResourceType[],
  operations: Operations,
  resourceType: ResourceType,
  id: string,
  stored: Resource,
  known?: KeptOperation,
  twist?: Twist,
): Promise<Operation> {
  const takeDown = async (): Promise<void> => {
    // The newest goes first, so that apps go before their environment.
    for (const each of [...cloud.store.list(id)].reverse().concat(stored)) {
      await typeNamed(types, each.type)?.onDelete?.(each, cloud);
      cloud.store.remove(each.id);
    }
  };
  return operations.start(
    resourceType,
    id,
    { method: "DELETE" },
    carriedOut(twist, takeDown),
    {
      accepted: () => {
        if (isRemovedLater(resourceType, id)) stored.body["properties"].provisioningState = "Deleting";
        restore(cloud, stored);
      },
      ended: (failed) => {
        if (failed) stored.body["properties"].provisioningState = "Failed";
        restore(cloud, stored);
      },
    },
    known,
  );
}
