// Faults on order: what a management request meets instead of, before or after being carried out. Ordered by
// `POST /_standin/faults {faults: [...]}`, which replaces what was ordered before; GET tells what is left of each.
// Each names requests by `method` and `path` (a regular expression); the first fault that fits and is not spent is met, `times` times
// (once, if not said), after letting `after` requests that fit pass. What it does:
//
//   status, code, message, retryAfterSeconds   answered so, and not carried out: throttling is 429, a conflict 409 with either of
//                                              Azure's codes (ContainerAppOperationInProgress, ContainerAppLockConflict)
//   loseAnswer        carried out, and the connection is cut instead of an answer; with `status`, not carried out
//   neverAnswer       carried out, and the client waits for ever; with `status`, not carried out
//   lateSeconds       not answered, and carried out so many seconds later, although the client has long given up
//   failLater         202 (or 200), then the operation fails with `code` and `message`; nothing is changed
//   forget            202 (or 200), the operation succeeds, and nothing was changed
//   lie               a read is answered with what it would have said before the last write that came after the order
//   delaySeconds      all of it that much later
import { setTimeout as sleep } from "node:timers/promises";
import { ArmError, type ArmReply, type ArmRequest, type Twist } from "../arm/resource.ts";
import { errorReply } from "../http.ts";

/** How a request ended that may have met a fault. */
export interface Met {
  readonly reply: ArmReply;
  /** Whether the client gets the reply, sees its connection cut, or waits for ever. */
  readonly fate: "answered" | "cut" | "silence";
}

/** Carries a request out, or another in its name. */
export type Act = (request: ArmRequest) => Promise<ArmReply>;

/** The faults of one cloud. */
export interface Faults {
  readonly answer: (request: ArmRequest) => ArmReply;
  /** Lets a request meet its fault, if one is on order. @throws what `act` threw, or the refusal that was ordered. */
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

const refuse = (message: string): never => {
  throw new ArmError(400, "InvalidRequestContent", message);
};

const unordered: Fault = {
  path: "",
  times: 1,
  after: 0,
  code: "FaultOnOrder",
  message: "This failure was ordered from the stand-in cloud.",
  loseAnswer: false,
  neverAnswer: false,
  failLater: false,
  forget: false,
  lie: false,
  delaySeconds: 0,
};
const kinds: { readonly [Field in keyof Required<Fault>]: "string" | "number" | "boolean" } = {
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

/** Reads an order and refuses by name what it does not know, or what cannot be had together. */
function toFault(each: unknown): Fault {
  if (typeof each !== "object" || each === null) return refuse("A fault is an object.");
  for (const [name, value] of Object.entries(each)) {
    if (!Object.hasOwn(kinds, name)) refuse(`A fault has no ${name}. It has: ${Object.keys(kinds).join(", ")}.`);
    const kind = kinds[name as keyof Fault];
    if (typeof value !== kind || (kind === "number" && !(value >= 0)))
      refuse(`${name} of a fault is a ${kind === "number" ? "number from 0" : kind}, not ${JSON.stringify(value)}.`);
  }
  const fault: Fault = { ...unordered, ...each };
  if (!("path" in each)) refuse("A fault needs a path: a regular expression.");
  const together = rivals.filter((name) => fault[name] !== undefined && fault[name] !== false);
  if (together.length > 1) refuse(`A fault has either ${together.join(" or ")}.`);
  try {
    new RegExp(fault.path);
  } catch (error) {
    refuse(`The path of a fault is a regular expression. ${(error as Error).message}.`);
  }
  return fault;
}

/** Starts with no fault on order. */
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

  /** Keeps what reads say before a write, while a lie is on order. */
  const remember = async (request: ArmRequest, act: Act): Promise<void> => {
    if (request.method === "GET" || !faults.some(({ lie, times }) => lie && times > 0)) return;
    for (const path of changedBy(request))
      before.set(path.toLowerCase(), await act({ ...request, method: "GET", path, body: undefined }).catch(errorReply));
  };

  return {
    answer: (request) => {
      if (request.method === "POST") {
        // An array in a JSON object, since bodies are objects everywhere; no faults clears them.
        faults = ((request.body?.["faults"] ?? refuse("Faults are ordered as {faults: [...]}.")) as unknown[]).map(
          toFault,
        );
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
  const fate =
    fault.neverAnswer || (lateSeconds !== undefined && !fault.loseAnswer)
      ? "silence"
      : fault.loseAnswer
        ? "cut"
        : "answered";
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
  const twist: { twist?: Twist } = fault.forget
    ? { twist: "forgotten" }
    : fault.failLater
      ? { twist: new ArmError(400, code, message) }
      : {};
  return { reply: await act({ ...request, ...twist }).catch(errorReply), fate };
}

/** Gives the paths whose reads a write changes: its own; of an action, what it acts upon; the list that holds it; an app's revisions. */
function changedBy({ method, path }: ArmRequest): readonly string[] {
  const parent = (of: string): string => of.slice(0, of.lastIndexOf("/"));
  const own = method === "POST" ? parent(path) : path;
  return [own, ...(method === "POST" ? [parent(own)] : [`${own}/revisions`])];
}

// An operation takes a moment, here as where it is carried out.
const momentMilliseconds = 60;

/** Gives what an operation does: what it is for, or what the twist makes of it. */
export const carriedOut = (twist: Twist | undefined, act: () => Promise<void>): (() => Promise<void>) =>
  twist === undefined
    ? act
    : async () => {
        await sleep(momentMilliseconds);
        if (twist !== "forgotten") throw twist;
      };
