// Injected faults: what happens to a management request instead of, before or after carrying it out.
// `POST /_emulator/faults {faults: [...]}` replaces all faults; GET shows how often each will still act. A fault
// matches requests by `method` and `path` (a regular expression). The first matching fault that is not used up acts,
// `times` times (once by default), after the first `after` matching requests have passed. Its fields:
//
//   status, code, message, retryAfterSeconds
//                 answered with these and not carried out: 429 for throttling, 409 for a conflict with one of Azure's
//                 codes (ContainerAppOperationInProgress, ContainerAppLockConflict)
//   loseAnswer    carried out, and the connection is cut instead of an answer; with `status`, not carried out
//   neverAnswer   carried out, and the client waits for ever; with `status`, not carried out
//   lateSeconds   not answered, and carried out this many seconds later, when the client has given up
//   failLater     202 (or 200), then the operation fails with `code` and `message`, and nothing changes
//   forget        202 (or 200), then the operation succeeds, and nothing changes
//   lie           a read is answered as before the last write since the fault was set
//   delaySeconds  all of it this much later

import { setTimeout as sleep } from "node:timers/promises";
import { ArmError, type ArmReply, type ArmRequest, type Twist } from "../arm/resource.ts";
import { errorReply } from "../http.ts";
import { refuse } from "./refuse.ts";

/** How a request ended, with or without a fault. */
export interface Met {
  readonly reply: ArmReply;
  /** The client gets the reply, or its connection is cut, or it waits for ever. */
  readonly fate: "answered" | "cut" | "silence";
}

/** Carries out a request. */
export type Act = (request: ArmRequest) => Promise<ArmReply>;

/** The faults of one cloud. */
export interface Faults {
  readonly answer: (request: ArmRequest) => ArmReply;
  /** Carries out a request with the fault that matches it, if one does. @throws what `act` throws */
  readonly meet: (request: ArmRequest, act: Act) => Promise<Met>;
}

interface Fault {
  readonly method?: string;
  readonly path: string;
  times: number;
  after: number;
  readonly status?: number;
  readonly code: string;
  readonly message: string;
  readonly retryAfterSeconds?: number;
  readonly loseAnswer: boolean;
  readonly neverAnswer: boolean;
  readonly lateSeconds?: number;
  readonly failLater: boolean;
  readonly forget: boolean;
  readonly lie: boolean;
  readonly delaySeconds: number;
}

const defaults: Fault = {
  path: "",
  times: 1,
  after: 0,
  code: "FaultOnOrder",
  message: "This is an injected fault of the emulator.",
  loseAnswer: false,
  neverAnswer: false,
  failLater: false,
  forget: false,
  lie: false,
  delaySeconds: 0,
};
const fieldTypes: { readonly [Field in keyof Required<Fault>]: "string" | "number" | "boolean" } = {
  method: "string",
  path: "string",
  times: "number",
  after: "number",
  status: "number",
  code: "string",
  message: "string",
  retryAfterSeconds: "number",
  loseAnswer: "boolean",
  neverAnswer: "boolean",
  lateSeconds: "number",
  failLater: "boolean",
  forget: "boolean",
  lie: "boolean",
  delaySeconds: "number",
};
const rivals = ["status", "failLater", "forget", "lie", "lateSeconds"] as const;

/** Reads a fault. @throws ArmError 400 naming an unknown field, a wrong value, or fields that exclude one another */
function toFault(each: unknown): Fault {
  if (typeof each !== "object" || each === null) return refuse("A fault must be an object.");
  for (const [name, value] of Object.entries(each)) {
    if (!Object.hasOwn(fieldTypes, name))
      refuse(`A fault has no field ${name}. Its fields are: ${Object.keys(fieldTypes).join(", ")}.`);
    const type = fieldTypes[name as keyof Fault];
    if (typeof value !== type || (type === "number" && !(value >= 0)))
      refuse(
        `${name} of a fault must be a ${type === "number" ? "number from 0" : type}, not ${JSON.stringify(value)}.`,
      );
  }
  const fault: Fault = { ...defaults, ...each };
  if (!("path" in each)) refuse("A fault needs a path: a regular expression.");
  const { status = 200 } = fault;
  if (!Number.isInteger(status) || status < 200 || status > 599) refuse("status of a fault must be 200 to 599.");
  const together = rivals.filter((name) => fault[name] !== undefined && fault[name] !== false);
  if (together.length > 1) refuse(`A fault can have only one: ${together.join(" or ")}.`);
  try {
    new RegExp(fault.path);
  } catch (error) {
    refuse(`The path of a fault must be a regular expression. ${(error as Error).message}.`);
  }
  return fault;
}

/** Starts without faults. */
export function makeFaults(): Faults {
  let faults: readonly Fault[] = [];
  const before = new Map<string, ArmReply>();

  const find = (request: ArmRequest): Fault | undefined => {
    const fits = (fault: Fault): boolean => {
      if (
        fault.times === 0 ||
        (fault.method ?? request.method) !== request.method ||
        !new RegExp(fault.path, "i").test(request.path)
      )
        return false;
      if (fault.lie && (request.method !== "GET" || !before.has(request.path.toLowerCase()))) return false;
      if (fault.after === 0) return true;
      fault.after -= 1;
      return false;
    };
    const found = faults.find(fits);
    if (found) found.times -= 1;
    return found;
  };

  /** Keeps the answers of reads before a write, while there is a fault that lies. */
  const remember = async (request: ArmRequest, act: Act): Promise<void> => {
    if (request.method === "GET" || !faults.some(({ lie, times }) => lie && times > 0)) return;
    for (const path of changedBy(request))
      before.set(path.toLowerCase(), await act({ ...request, method: "GET", path, body: undefined }).catch(errorReply));
  };

  return {
    answer: (request) => {
      if (request.method === "POST") {
        // An empty list clears all faults.
        faults = ((request.body?.["faults"] ?? refuse("Faults are set by {faults: [...]}.")) as unknown[]).map(toFault);
        before.clear();
      }
      return { status: 200, body: { faults } };
    },
    async meet(request, act) {
      const fault = find(request);
      const carryOut: Act = async (asked) => {
        await remember(asked, act);
        return act(asked);
      };
      return fault ? meet(fault, request, carryOut, before) : { reply: await carryOut(request), fate: "answered" };
    },
  };
}

async function meet(fault: Fault, request: ArmRequest, act: Act, before: ReadonlyMap<string, ArmReply>): Promise<Met> {
  const { status, lateSeconds, code, message, retryAfterSeconds } = fault;
  const fate = fateOf(fault);
  if (fault.delaySeconds > 0) await sleep(fault.delaySeconds * 1000, undefined, { ref: false });
  if (status !== undefined) {
    const refusal = new ArmError(
      status,
      code,
      message,
      retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) },
    );
    return { reply: errorReply(refusal), fate };
  }
  if (lateSeconds !== undefined) {
    void sleep(lateSeconds * 1000, undefined, { ref: false })
      .then(() => act(request))
      .catch(() => undefined);
    return { reply: { status: 202 }, fate };
  }
  if (fault.lie) return { reply: before.get(request.path.toLowerCase())!, fate };
  const twist = twistOf(fault);
  return { reply: await act(twist === undefined ? request : { ...request, twist }).catch(errorReply), fate };
}

function fateOf({ neverAnswer, lateSeconds, loseAnswer }: Fault): Met["fate"] {
  if (neverAnswer || (lateSeconds !== undefined && !loseAnswer)) return "silence";
  return loseAnswer ? "cut" : "answered";
}

function twistOf({ forget, failLater, code, message }: Fault): Twist | undefined {
  if (forget) return "forgotten";
  return failLater ? new ArmError(400, code, message) : undefined;
}

/**
 * Gives the paths whose reads a write changes: its own path and its revisions; for an action, the
 * resource it acts on and the list of those.
 */
function changedBy({ method, path }: ArmRequest): readonly string[] {
  const parent = (of: string): string => of.slice(0, of.lastIndexOf("/"));
  const own = method === "POST" ? parent(path) : path;
  return [own, ...(method === "POST" ? [parent(own)] : [`${own}/revisions`])];
}

// A twisted operation takes a moment, as one that is carried out does.
const momentMilliseconds = 60;

/** Gives what an operation does: `act`, or what a fault makes of it. */
export const carriedOut = (twist: Twist | undefined, act: () => Promise<void>): (() => Promise<void>) =>
  twist === undefined
    ? act
    : async () => {
        await sleep(momentMilliseconds);
        if (twist !== "forgotten") throw twist;
      };
