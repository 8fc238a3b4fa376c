// A control plane with canned answers, for the tests of its callers. It serves the real HTTP API without TLS on
// loopback, decides nothing, and can be stopped and started again in the middle of an answer.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { signalDisregarded, streamInFlight, streamUnknown, tokenRefused } from "../../../errors/api.ts";
import type { BallastError } from "../../../errors/catalogue.ts";

/** The course of one release's rollout. With `pausesAt`, the facts from there on wait for `goOn`. */
export interface Script {
  readonly facts: readonly { readonly kind: string; readonly message: string; readonly event?: object }[];
  readonly result: string;
  /** @default "worse-than-stable" */
  readonly reason?: string;
  readonly message: string;
  readonly pausesAt?: number;
  readonly evidence?: object;
}

interface Rollout {
  readonly id: string;
  readonly release: string;
  readonly target: object;
  readonly revision: string;
  script: Script;
  open: number;
  readonly intent: Record<string, unknown>;
}

export interface FakeControlPlane {
  readonly endpoint: string;
  /** Every request as `METHOD /path`, in order, except follows, which may repeat. */
  readonly asked: string[];
  /** The `from` of every follow. */
  readonly followedFrom: number[];
  /** The scripts by release hash. A release without one is promoted at once. */
  readonly scripts: Map<string, Script>;
  readonly rollouts: Map<string, Rollout>;
  readonly goOn: (id: string) => void;
  /** Answers every request in place of the fake; undefined switches it off. */
  answerInstead: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Breaks every connection and keeps listening. */
  readonly cut: () => void;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

export const token = "a-token-for-tests";
const promoted: Script = {
  facts: [{ kind: "Planned", message: "canary at 5, 100 percent" }],
  result: "promoted",
  reason: "every-step-passed",
  message: "promoted: nothing was wrong",
};

/** Gives a refusal as the control plane answers it. */
export const envelope = ({ id, message, fix, left }: BallastError): object => ({
  error: { id, message, fix, ...(left === undefined ? {} : { left }) },
});

export async function startFakeControlPlane(): Promise<FakeControlPlane> {
  let server: Server;
  let port = 0;
  const wake = new Set<() => void>();
  const plane: FakeControlPlane = {
    get endpoint() {
      return `http://127.0.0.1:${port}`;
    },
    asked: [],
    followedFrom: [],
    scripts: new Map(),
    rollouts: new Map(),
    answerInstead: undefined,
    goOn: (id) => {
      plane.rollouts.get(id)!.open = Infinity;
      for (const each of wake) each();
    },
    cut: () => server.closeAllConnections(),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
    start: async () => {
      server = createServer(
        (request, response) =>
          void answer(plane, wake, request, response).catch((error: unknown) => response.destroy(error as Error)),
      );
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      port = (server.address() as AddressInfo).port;
    },
  };
  await plane.start();
  return plane;
}

async function answer(
  plane: FakeControlPlane,
  wake: Set<() => void>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://fake");
  const [collection, ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
  const send = (status: number, sent: unknown, headers = {}): void =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(sent));
  const refuse: Refuse = (status, error, headers) => send(status, envelope(error), headers);
  if (rest[3] === "follow") plane.followedFrom.push(Number(url.searchParams.get("from")));
  else plane.asked.push(`${request.method} ${url.pathname}`);
  if (plane.answerInstead) return plane.answerInstead(request, response);
  if (collection === "health")
    return send(200, {
      status: "ok",
      process: "p1",
      inFlight: [...plane.rollouts.values()].filter((one) => !ended(one)).length,
      overdueSeconds: 0,
      lastWriteAt: null,
      lastWriteSecondsAgo: 1,
    });
  if (request.headers.authorization !== `Bearer ${token}`)
    return refuse(401, tokenRefused({ why: "it is not one of ours" }));
  const body = JSON.parse((await bodyOf(request)) || "{}") as Record<string, unknown>;
  if (collection === "locks" && rest[1] === "taken") return send(409, { heldBy: "rollout/rg/taken/r1" });
  if (collection === "locks")
    return request.method === "POST" ? send(200, { id: "lock-1", until: 1_000 }) : void response.writeHead(204).end();
  if (rest.length === 0) {
    const wanted = url.searchParams.get("app");
    const fits = (one: ReturnType<typeof shown>) =>
      (!wanted || (one.target as { app: string }).app === wanted) && !(url.searchParams.get("inFlight") && one.result);
    return send(200, { rollouts: [...plane.rollouts.values()].reverse().map(shown).filter(fits) });
  }
  const [resourceGroup, app, revision, verb] = rest as [string, string, string, string?];
  const id = `rollout/${resourceGroup}/${app}/${revision}`.toLowerCase();
  const found = plane.rollouts.get(id);
  if (request.method === "PUT") return put(plane, { id, target: { resourceGroup, app }, revision, body }, send, refuse);
  if (!found) return refuse(404, streamUnknown({ kind: "rollout", stream: id }));
  if (verb === undefined) return send(200, shown(found));
  if (verb === "journal")
    return send(200, {
      facts: facts(found).map(({ message, event }, index) => ({
        stream: id,
        index,
        event,
        message,
        process: "p1",
        epoch: 1,
      })),
    });
  if (verb === "signals") return signal(found, body, wake, send, refuse);
  return tellOn(found, Number(url.searchParams.get("from")), wake, response);
}

type Send = (status: number, body: unknown, headers?: object) => void;
type Refuse = (status: number, error: BallastError, headers?: object) => void;

function put(
  plane: FakeControlPlane,
  { id, target, revision, body }: { id: string; target: object; revision: string; body: Record<string, unknown> },
  send: Send,
  refuse: Refuse,
): void {
  const existing = plane.rollouts.get(id);
  if (existing) return send(200, shown(existing));
  const other = [...plane.rollouts.values()].find((one) => !ended(one));
  if (other) {
    const superseded = body["whenInFlight"] === "supersede";
    if (superseded) abort(other, "superseded");
    return refuse(
      409,
      streamInFlight({ stream: other.id, answer: superseded ? "ending" : "refused" }),
      superseded ? { "retry-after": "0" } : {},
    );
  }
  const script = plane.scripts.get(String(body["release"])) ?? promoted;
  const rollout = {
    id,
    target,
    revision,
    release: String(body["release"]),
    script,
    open: script.pausesAt ?? Infinity,
    intent: body,
  };
  plane.rollouts.set(id, rollout);
  send(202, { ...shown(rollout), result: null });
}

function signal(
  rollout: Rollout,
  body: Record<string, unknown>,
  wake: Set<() => void>,
  send: Send,
  refuse: Refuse,
): void {
  if (ended(rollout) && body["signal"] !== "retry")
    return refuse(
      409,
      signalDisregarded({ kind: "rollout", why: `${String(body["signal"])} came too late: the rollout has ended` }),
    );
  if (body["signal"] === "abort") abort(rollout, String(body["message"]));
  for (const each of wake) each();
  send(202, { accepted: true, message: `${String(body["signal"])} by tests: ${String(body["message"])}` });
}

function abort(rollout: Rollout, message: string): void {
  const shown = rollout.script.facts.slice(0, rollout.open);
  rollout.script = {
    facts: [...shown, { kind: "Signalled", message: `abort by tests: ${message}` }],
    result: "rolled-back",
    reason: "aborted-by-signal",
    message: `aborted: ${message}`,
  };
  rollout.open = Infinity;
}

const ended = (rollout: Rollout): boolean => rollout.open === Infinity;
const facts = (rollout: Rollout): Script["facts"] => rollout.script.facts.slice(0, rollout.open);
const reasonOf = ({ script }: Rollout): string => script.reason ?? "worse-than-stable";
const shown = (one: Rollout) => ({
  id: one.id,
  target: one.target,
  revision: one.revision,
  release: one.release,
  phase: ended(one) ? "finished" : "baking",
  percent: ended(one) ? 100 : 25,
  attempt: 1,
  result: ended(one) ? one.script.result : null,
  reason: ended(one) ? reasonOf(one) : null,
  message: ended(one) ? one.script.message : "watching 25 percent",
  startedAt: 1_700_000_000_000,
  facts: facts(one).length,
  evidence: one.script.evidence ?? null,
});

async function tellOn(rollout: Rollout, from: number, wake: Set<() => void>, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.write("{}\n");
  for (let next = from; ; ) {
    for (const { kind, message } of facts(rollout).slice(next))
      response.write(
        `${JSON.stringify({
          index: next++,
          at: 1_700_000_000_000 + next,
          kind,
          message,
          isNoteworthy: !["Waited", "Measured"].includes(kind) && !(kind === "Probed" && !message.includes("failed")),
          process: "p1",
          epoch: 1,
        })}\n`,
      );
    if (ended(rollout)) {
      const { result, message } = rollout.script;
      return void response.end(`${JSON.stringify({ result, reason: reasonOf(rollout), message })}\n`);
    }
    const woken = await new Promise<boolean>((resolve) => {
      wake.add(() => resolve(true));
      response.once("close", () => resolve(false));
    });
    if (!woken) return;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
