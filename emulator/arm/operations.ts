// Long-running operations: what a write has started, its state, and the URLs by which clients poll it. Azure allows one
// write at a time on a resource, and so does this.
import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { region, sameText } from "./bodies.ts";
import {
  ArmError,
  type ArmReply,
  type ArmRequest,
  type Body,
  type Resource,
  type ResourceType,
  toArmError,
} from "./resource.ts";
import type { Place } from "./resource-path.ts";

const keptMax = 10_000;
const endedKeptMax = 200;
const retryAfterSeconds = "1";

/** What a write does, as far as is needed to repeat it. */
export interface Work {
  readonly method: "PUT" | "PATCH" | "DELETE";
  /** The resource before the write. */
  readonly previous?: Resource;
}

/** One write, in progress or ended. */
export interface Operation {
  readonly id: string;
  readonly work: Work;
  readonly resourceId: string;
  readonly startedAt: string;
  endedAt?: string;
  status: "InProgress" | "Succeeded" | "Failed";
  error?: ArmError;
  /** Resolves when the operation has ended, successfully or not. */
  done: Promise<void>;
}

/** An operation in the form in which a cloud keeps it across restarts. */
export interface KeptOperation extends Omit<Operation, "done" | "error"> {
  readonly error?: Pick<ArmError, "status" | "code" | "message">;
}

/** What the starter of an operation hears of it, each once. */
export interface Course {
  /** The operation was not refused at once. */
  readonly accepted: () => void;
  readonly ended: (failed: boolean) => void;
}

/** Starts a write on a resource. */
type Start = (
  resourceType: ResourceType,
  resourceId: string,
  work: Work,
  act: () => Promise<void>,
  course: Course,
  known?: KeptOperation,
) => Promise<Operation>;

type Headers = { readonly [name: string]: string };

/** All operations of one cloud. */
export interface Operations {
  /** @throws ArmError 409 while another write on the resource is in progress */
  readonly refuseWhileBusy: (resourceType: ResourceType, resourceId: string) => void;
  /**
   * Starts a write. A write that was in progress when its cloud was killed is passed as
   * `known`: it keeps its id and cannot be refused.
   *
   * @throws ArmError what a new write threw before it first waited for I/O
   */
  readonly start: Start;
  /** Gives the operations in progress and the latest ended ones, which clients may still poll. */
  readonly kept: () => readonly KeptOperation[];
  /** Gives one of those. */
  readonly keptAs: (id: string) => KeptOperation | undefined;
  /** Adds an operation that ended before its cloud was killed. */
  readonly remember: (ended: KeptOperation) => void;
  readonly asyncOperation: (operation: Operation, request: ArmRequest, place: Place) => Headers;
  readonly location: (operation: Operation, request: ArmRequest, place: Place) => Headers;
  /** Answers a request for a URL that `asyncOperation` or `location` gave; undefined for any other. */
  readonly answer: (
    request: ArmRequest,
    allowed: (resourceType: string, resourceId: string) => void,
    shown: (resourceId: string) => Body | undefined,
  ) => ArmReply | undefined;
}

/**
 * Starts without operations. While `isExclusive` gives false, writes on one resource may overlap. `changed` is called
 * for each operation that starts, ends, or is no longer kept.
 */
export function makeOperations(
  isExclusive: () => boolean,
  changed: (id: string) => void = () => undefined,
): Operations {
  const byId = new Map<string, Operation>();
  const inOrder: string[] = [];
  const keptAs = (id: string): KeptOperation | undefined => {
    const operation = byId.get(id);
    const isKept = operation?.status === "InProgress" || inOrder.indexOf(id, -endedKeptMax) >= 0;
    return operation && isKept ? toKept(operation) : undefined;
  };
  const add = (operation: Operation): void => {
    if (byId.size >= keptMax) byId.delete(inOrder.shift()!);
    byId.set(operation.id, operation);
    inOrder.push(operation.id);
    changed(operation.id);
    const noLonger = inOrder.at(-endedKeptMax - 1);
    if (noLonger !== undefined) changed(noLonger);
  };
  const busy = new Set<string>();
  const refuseWhileBusy = (resourceType: ResourceType, resourceId: string): void => {
    if (busy.has(resourceId.toLowerCase()) && isExclusive()) throw operationInProgress(resourceType, resourceId);
  };
  return {
    refuseWhileBusy,
    start: async (resourceType, resourceId, work, act, course, known) => {
      refuseWhileBusy(resourceType, resourceId);
      const operation = await startOperation(busy, resourceId, work, act, course, known);
      add(operation);
      void operation.done.then(() => changed(operation.id));
      return operation;
    },
    kept: () => inOrder.flatMap((id) => keptAs(id) ?? []),
    keptAs,
    remember: ({ error, ...ended }) =>
      add({
        ...ended,
        done: Promise.resolve(),
        ...(error && { error: new ArmError(error.status, error.code, error.message) }),
      }),
    asyncOperation: (operation, request, place) => ({
      "azure-asyncoperation": urlOf(operation, request, place, "operationStatuses"),
      ...retryAfter(operation),
    }),
    location: (operation, request, place) => ({
      location: urlOf(operation, request, place, "operationResults"),
      ...retryAfter(operation),
    }),
    answer: (request, allowed, shown) => poll(byId, request, allowed, shown),
  };
}

/** Makes the refusal of a write to a flexible server during another, as Azure/azure-postgresql#134 shows it. */
export const serverIsBusy = (id: string): ArmError =>
  new ArmError(
    409,
    "ServerIsBusy",
    `Cannot complete operation while server '${/flexibleServers\/([^/]+)/i.exec(id)?.[1]}' is busy processing ` +
      "another operation. Try again later.",
  );

function operationInProgress(resourceType: ResourceType, resourceId: string): ArmError {
  const [, type = ""] = resourceType.type.split("/");
  if (type === "flexibleServers") return serverIsBusy(resourceId);
  const code = type === "containerApps" ? "ContainerAppOperationInProgress" : "AnotherOperationInProgress";
  return new ArmError(
    409,
    code,
    `Cannot modify '${resourceId.split("/").at(-1)}' because there is another operation in progress on it.`,
  );
}

/**
 * Runs a write and gives its operation once it is accepted. `busy` holds the resource's id until the write has ended.
 */
async function startOperation(
  busy: Set<string>,
  resourceId: string,
  work: Work,
  act: () => Promise<void>,
  course: Course,
  known: KeptOperation | undefined,
): Promise<Operation> {
  const key = resourceId.toLowerCase();
  busy.add(key);
  const operation: Operation = {
    id: known?.id ?? randomUUID(),
    work,
    resourceId,
    startedAt: known?.startedAt ?? new Date().toISOString(),
    status: "InProgress",
    done: Promise.resolve(),
  };
  let accepted = false;
  const end = (error: unknown): void => {
    busy.delete(key);
    operation.status = error === undefined ? "Succeeded" : "Failed";
    operation.endedAt = new Date().toISOString();
    if (error !== undefined) operation.error = toArmError(error);
    if (accepted) course.ended(error !== undefined);
  };
  try {
    operation.done = act().then(() => end(undefined), end);
  } catch (error) {
    end(error);
  }
  // An async function that throws before it waits has rejected by the next turn
  // of the event loop: that is a refusal too.
  await nextTurn();
  if (operation.error && !known) throw operation.error;
  accepted = true;
  course.accepted();
  if (operation.status !== "InProgress") course.ended(operation.error !== undefined);
  return operation;
}

/** Gives the URL by which a client polls an operation. */
function urlOf(
  { id }: Operation,
  { origin, path, apiVersion }: ArmRequest,
  { resourceType }: Place,
  collection: "operationStatuses" | "operationResults",
): string {
  const [subscription, namespace] = [path.split("/")[2], resourceType.type.split("/")[0]];
  const provider = `${origin}/subscriptions/${subscription}/providers/${namespace}`;
  return `${provider}/locations/${region}/${collection}/${id}?api-version=${apiVersion}`;
}

const pollPath =
  /^\/subscriptions\/[^/]+\/providers\/([^/]+)\/locations\/([^/]+)\/(operationStatuses|operationResults)\/([^/]+)$/i;

function poll(
  byId: ReadonlyMap<string, Operation>,
  request: ArmRequest,
  allowed: (resourceType: string, resourceId: string) => void,
  shown: (resourceId: string) => Body | undefined,
): ArmReply | undefined {
  const [, namespace, location, collection, id] = pollPath.exec(request.path) ?? [];
  if (collection === undefined || id === undefined || request.method !== "GET") return undefined;
  const operation = byId.get(id);
  const isOf = operation && sameText(typeOf(operation.resourceId).split("/")[0], namespace);
  if (!isOf || !sameText(location, region))
    throw new ArmError(404, "OperationNotFound", `The operation '${id}' was not found.`);
  allowed(typeOf(operation.resourceId), operation.resourceId);
  if (collection.toLowerCase() === "operationstatuses")
    return { status: 200, body: statusBody(request, operation), headers: retryAfter(operation) };
  if (operation.status === "InProgress")
    return {
      status: 202,
      headers: { location: `${request.origin}${request.path}?${request.query}`, ...retryAfter(operation) },
    };
  if (operation.error) throw operation.error;
  const body = shown(operation.resourceId);
  return body === undefined ? { status: 204 } : { status: 200, body };
}

/** Gives the type of a resource from its id. */
function typeOf(id: string): string {
  const [, below] = /.*\/providers\/(.+)$/i.exec(id) ?? [];
  if (below === undefined) return "Microsoft.Resources/subscriptions/resourceGroups";
  const [namespace, ...rest] = below.split("/");
  return [namespace, ...rest.filter((_, index) => index % 2 === 0)].join("/");
}

const toKept = ({ done: _, error, work, ...operation }: Operation): KeptOperation => ({
  ...operation,
  // Only a write that may have to be repeated needs the previous resource.
  work: operation.status === "InProgress" ? work : { method: work.method },
  ...(error && { error: { status: error.status, code: error.code, message: error.message } }),
});

const retryAfter = ({ status }: Operation): Headers =>
  status === "InProgress" ? { "retry-after": retryAfterSeconds } : {};

const statusBody = (request: ArmRequest, operation: Operation): Body => ({
  id: request.path,
  name: operation.id,
  status: operation.status,
  startTime: operation.startedAt,
  ...(operation.endedAt === undefined ? {} : { endTime: operation.endedAt }),
  ...(operation.error === undefined ? {} : { error: { code: operation.error.code, message: operation.error.message } }),
});
