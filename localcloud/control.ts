// The stand-in's own controls under `/_standin/`: its clock, faults on order, and the log of what clients asked for.
// Nothing here exists in Azure; it lies under a path that Azure does not use, and only the fixed client may call it.
import { setTimeout as sleep } from "node:timers/promises";
import { ArmError, type ArmReply, type ArmRequest } from "./resource.ts";

const requestsKeptMax = 20_000;

/** One trouble on order, spent after `times` requests that match. */
interface Fault {
  readonly method?: string;
  readonly path: RegExp;
  times: number;
  readonly status?: number;
  readonly code: string;
  readonly message: string;
  readonly loseAnswer: boolean;
  readonly delaySeconds: number;
  readonly retryAfterSeconds?: number;
}

/** One management request, as far as tests may look at it: no secrets, no bodies but the traffic of an app. */
export interface SeenRequest {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Whether the answer was sent; false where a fault lost it. */
  readonly answered: boolean;
  readonly traffic?: unknown;
}

/** The controls of one cloud. */
export interface Control {
  readonly clock: { now(): number };
  /** Where the clock was set to stand; undefined while it runs. */
  heldAt: number | undefined;
  /** Answers a route under `/_standin/`; undefined where it is not one of these. */
  readonly answer: (request: ArmRequest) => ArmReply | undefined;
  /** Lets a request meet its fault, if one is on order. `lost` means that the work is done and the answer must not be sent. */
  readonly meetFault: (request: ArmRequest, act: () => Promise<ArmReply>) => Promise<{ readonly reply: ArmReply; readonly lost: boolean }>;
  readonly note: (request: ArmRequest, status: number, answered: boolean) => void;
}

const refuse = (message: string): never => {
  throw new ArmError(400, "InvalidRequestContent", message);
};

function toFault(each: unknown): Fault {
  if (typeof each !== "object" || each === null) return refuse("A fault is an object.");
  const { method, path, times = 1, status, code, message, loseAnswer = false, delaySeconds = 0, retryAfterSeconds, ...unknown } = each as { readonly [key: string]: any };
  if (Object.keys(unknown).length > 0) return refuse(`A fault has no ${Object.keys(unknown).join(", ")}.`);
  if (typeof path !== "string") return refuse("A fault needs a path: a regular expression.");
  return {
    ...(method === undefined ? {} : { method }),
    path: new RegExp(path, "i"),
    times: Number(times),
    ...(status === undefined ? {} : { status: Number(status) }),
    code: code ?? "FaultOnOrder",
    message: message ?? "This failure was ordered from the stand-in cloud.",
    loseAnswer: Boolean(loseAnswer),
    delaySeconds: Number(delaySeconds),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds: Number(retryAfterSeconds) }),
  };
}

/** Starts with a real clock, no fault, and an empty log. */
export function makeControl(): Control {
  let setAt: number | undefined;
  let faults: Fault[] = [];
  const seen: SeenRequest[] = [];
  const now = (): number => setAt ?? Date.now();

  const clockRoute = (request: ArmRequest): ArmReply => {
    if (request.method === "POST") {
      const { at } = request.body ?? {};
      const wanted = at === null ? undefined : typeof at === "string" ? Date.parse(at) : Number(at);
      if (Number.isNaN(wanted)) refuse("The clock takes {at}: milliseconds since 1970, an ISO date, or null for the real time.");
      setAt = wanted;
    }
    return { status: 200, body: { at: new Date(now()).toISOString(), milliseconds: now(), held: setAt !== undefined } };
  };

  const faultsRoute = (request: ArmRequest): ArmReply => {
    // An array in a JSON object, since bodies are objects everywhere; no faults clears them.
    if (request.method === "POST") faults = ((request.body?.["faults"] ?? refuse("Faults are ordered as {faults: [...]}.")) as unknown[]).map(toFault);
    return { status: 200, body: { faults: faults.map(({ path, ...rest }) => ({ path: path.source, ...rest })) } };
  };

  const meetFault: Control["meetFault"] = async (request, act) => {
    const fault = faults.find((each) => each.times > 0 && (each.method ?? request.method) === request.method && each.path.test(request.path));
    if (fault === undefined) return { reply: await act(), lost: false };
    fault.times -= 1;
    if (fault.delaySeconds > 0) await sleep(fault.delaySeconds * 1000, undefined, { ref: false });
    if (fault.status === undefined) return { reply: await act(), lost: fault.loseAnswer };
    if (fault.loseAnswer) return { reply: { status: fault.status }, lost: true };
    throw new ArmError(fault.status, fault.code, fault.message, fault.retryAfterSeconds === undefined ? {} : { "retry-after": String(fault.retryAfterSeconds) });
  };

  return {
    clock: { now },
    get heldAt() { return setAt; },
    set heldAt(at) { setAt = at; },
    answer: (request) => {
      const route = request.path.toLowerCase();
      if (route === "/_standin/clock") return clockRoute(request);
      if (route === "/_standin/faults") return faultsRoute(request);
      if (route === "/_standin/requests") return { status: 200, body: { requests: seen } };
      return undefined;
    },
    meetFault,
    note: (request, status, answered) => {
      if (seen.length >= requestsKeptMax) seen.shift();
      const isWrite = (request.method === "PUT" || request.method === "PATCH") && /\/containerapps\/[^/]+$/i.test(request.path);
      const traffic = isWrite ? request.body?.["properties"]?.configuration?.ingress?.traffic : undefined;
      seen.push({ at: new Date(now()).toISOString(), method: request.method, path: request.path, status, answered, ...(traffic === undefined ? {} : { traffic: structuredClone(traffic) }) });
    },
  };
}
