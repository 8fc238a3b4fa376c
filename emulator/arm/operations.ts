// Long-running operations: what a write has started, how far it is, and how clients ask for it.
// One write a resource at a time, as in Azure; what the write does is its caller's.
import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  ArmError,
  type ArmReply,
  type ArmRequest,
  type Body,
  type Resource,
  type ResourceKind,
  toArmError,
} from "./resource.ts";
import type { Place } from "./resource-path.ts";

const keptMax = 10_000;
const endedKeptMax = 200;
const retryAfterSeconds = "1";

/** What a write is about, as far as it takes to do it again. */
export interface Work {
  readonly method: "PUT" | "PATCH" | "DELETE";
  /** What was there before. */
  readonly previous?: Resource;
}

/** One write under way or ended. */
export interface Operation {
  readonly id: string;
  readonly work: Work;
  readonly resourceId: string;
  readonly startedAt: string;
  endedAt?: string;
  status: "InProgress" | "Succeeded" | "Failed";
  error?: ArmError;
  /** Resolves when it has ended, whether well or not. */
  done: Promise<void>;
}

/** An operation as a cloud keeps it over its own death. */
export interface KeptOperation extends Omit<Operation, "done" | "error"> {
  readonly error?: Pick<ArmError, "status" | "code" | "message">;
}

/** What the starter of an operation is told, each once. */
export interface Course {
  /** It was not refused at once. */
  readonly accepted: () => void;
  readonly ended: (failed: boolean) => void;
}

/** All operations of one cloud. */
export interface Operations {
  /** @throws ArmError 409 while another write to the resource is under way. */
  readonly refuseWhileBusy: (kind: ResourceKind, resourceId: string) => void;
  /**
   * Starts a write. One that was `known` before its cloud died goes on under its own name, and was accepted long ago.
   *
   * @throws ArmError what a write that is not known threw before it first waited for I/O.
   */
  readonly start: (
    kind: ResourceKind,
    resourceId: string,
    work: Work,
    act: () => Promise<void>,
    course: Course,
    known?: KeptOperation,
  ) => Promise<Operation>;
  /** Gives what is under way and the latest that have ended, for somebody may still be asking for them. */
  readonly kept: () => readonly KeptOperation[];
  /** Takes over one that ended before its cloud died. */
  readonly remember: (ended: KeptOperation) => void;
  readonly asyncOperation: (
    operation: Operation,
    request: ArmRequest,
    place: Place,
  ) => { readonly [name: string]: string };
  readonly location: (operation: Operation, request: ArmRequest, place: Place) => { readonly [name: string]: string };
  /** Answers where the path is one that `asyncOperation` or `location` gave. */
  readonly answer: (request: ArmRequest, shown: (resourceId: string) => Body | undefined) => ArmReply | undefined;
}

/** Starts with no operation. While `isExclusive` says no, writes to one resource are not kept apart. */
export function makeOperations(isExclusive: () => boolean): Operations {
  const byId = new Map<string, Operation>();
  const busy = new Set<string>();

  const refuseWhileBusy = (kind: ResourceKind, resourceId: string): void => {
    if (!busy.has(resourceId.toLowerCase()) || !isExclusive()) return;
    const [, type = ""] = kind.type.split("/");
    const code = type === "containerApps" ? "ContainerAppOperationInProgress" : "AnotherOperationInProgress";
    throw new ArmError(
      409,
      code,
      `Cannot modify '${resourceId.split("/").at(-1)}' because there is another operation in progress on it.`,
    );
  };

  const start: Operations["start"] = async (kind, resourceId, work, act, course, known) => {
    const key = resourceId.toLowerCase();
    refuseWhileBusy(kind, resourceId);
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
    // An async function that throws before it waits has rejected by the next turn of the loop: that is a refusal too.
    await nextTurn();
    if (operation.error && !known) throw operation.error;
    accepted = true;
    course.accepted();
    if (operation.status !== "InProgress") course.ended(operation.error !== undefined);
    if (byId.size >= keptMax) byId.delete(byId.keys().next().value!);
    byId.set(operation.id, operation);
    return operation;
  };

  const link = (operation: Operation, request: ArmRequest, place: Place, what: string): string => {
    const [subscription, namespace] = [request.path.split("/")[2], place.kind.type.split("/")[0]];
    return `${request.origin}/subscriptions/${subscription}/providers/${namespace}/locations/westeurope/${what}/${operation.id}?api-version=${request.apiVersion}`;
  };

  const answer: Operations["answer"] = (request, shown) => {
    const [, what, id] =
      /^\/subscriptions\/[^/]+\/providers\/[^/]+\/locations\/[^/]+\/(operationStatuses|operationResults)\/([^/]+)$/i.exec(
        request.path,
      ) ?? [];
    if (what === undefined || id === undefined || request.method !== "GET") return undefined;
    const operation = byId.get(id);
    if (operation === undefined) throw new ArmError(404, "OperationNotFound", `The operation '${id}' was not found.`);
    if (what.toLowerCase() === "operationstatuses")
      return { status: 200, body: statusBody(request, operation), headers: waiting(operation) };
    if (operation.status === "InProgress")
      return {
        status: 202,
        headers: { location: `${request.origin}${request.path}?${request.query}`, ...waiting(operation) },
      };
    if (operation.error) throw operation.error;
    const body = shown(operation.resourceId);
    return body === undefined ? { status: 204 } : { status: 200, body };
  };

  return {
    refuseWhileBusy,
    start,
    kept: () =>
      [...byId.values()]
        .filter(({ status }, index) => status === "InProgress" || index >= byId.size - endedKeptMax)
        .map(toKept),
    remember: ({ error, ...ended }) =>
      void byId.set(ended.id, {
        ...ended,
        done: Promise.resolve(),
        ...(error && { error: new ArmError(error.status, error.code, error.message) }),
      }),
    asyncOperation: (operation, request, place) => ({
      "azure-asyncoperation": link(operation, request, place, "operationStatuses"),
      ...waiting(operation),
    }),
    location: (operation, request, place) => ({
      location: link(operation, request, place, "operationResults"),
      ...waiting(operation),
    }),
    answer,
  };
}

const toKept = ({ done: _, error, work, ...operation }: Operation): KeptOperation => ({
  ...operation,
  // What was there before is needed only by a write that may have to be done again.
  work: operation.status === "InProgress" ? work : { method: work.method },
  ...(error && { error: { status: error.status, code: error.code, message: error.message } }),
});

const waiting = ({ status }: Operation): { readonly [name: string]: string } =>
  status === "InProgress" ? { "retry-after": retryAfterSeconds } : {};

const statusBody = (request: ArmRequest, operation: Operation): Body => ({
  id: request.path,
  name: operation.id,
  status: operation.status,
  startTime: operation.startedAt,
  ...(operation.endedAt === undefined ? {} : { endTime: operation.endedAt }),
  ...(operation.error === undefined ? {} : { error: { code: operation.error.code, message: operation.error.message } }),
});
