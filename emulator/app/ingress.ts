// The ingress of the environments: picks a revision by weight or by host name, hands the request to one of its ready replicas,
// streams the answer back and leaves a row. Its answers of its own are worded as the platform's proxy words them.
// Knows nothing of health or of why weights are as they are; it looks both up for each request, so a change holds at once.
import { randomUUID } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Body, Cloud } from "../arm/resource.ts";
import { listeningPort, runtimeOf } from "./app-runtime.ts";
import type { Replica } from "./replicas.ts";
import { requestRows } from "./request-rows.ts";
import {
  type AppRuntime,
  appHost,
  findRevision,
  isSingle,
  type Revision,
  readyReplicas,
  trafficOf,
  zoneOf,
} from "./revisions.ts";
import { mustWake, startScaling, wake } from "./scaling.ts";

export interface Ingress {
  /** Serves the request if its Host is an app's or a revision's; false leaves it to the caller. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Breaks off what is under way, and ends every replica. */
  readonly close: () => Promise<void>;
}

// The platform's own limit; it cannot be configured there.
const requestMilliseconds = 240_000;

/** Starts the ingress of a cloud. The weighted choice is drawn from a fixed seed, so that it is the same in every run. */
export function ingress(cloud: Cloud): Ingress {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 256 });
  const draw = randomFrom(1);
  const endScaling = startScaling(cloud);
  return {
    handle(request, response) {
      const host = (request.headers.host ?? "").toLowerCase().replace(/:\d+$/, "");
      const found = findApp(cloud, host);
      if (!found) return false;
      const revision = found.prefix === undefined ? pick(found.app, draw) : byPrefix(found.app, found.prefix);
      void receive({
        cloud,
        agent,
        app: found.app,
        revision,
        request,
        response,
        at: cloud.clock.now(),
        started: performance.now(),
      });
      return true;
    },
    async close() {
      endScaling();
      agent.destroy();
      await runtimeOf(cloud).close();
    },
  };
}

/** Finds the app of a host name: its own, or `<app>--<suffix>` and `<app>---<label>` before the same domain. */
function findApp(
  cloud: Cloud,
  host: string,
): { readonly app: AppRuntime; readonly prefix: string | undefined } | undefined {
  for (const app of runtimeOf(cloud).apps.values()) {
    if (!host.startsWith(app.name) || !app.configuration["ingress"]) continue;
    if (host === appHost(app)) return { app, prefix: undefined };
    const zone = zoneOf(app);
    const prefix = host.endsWith(`.${zone}`) ? host.slice(0, -zone.length - 1) : "";
    if (prefix.startsWith(`${app.name}--`)) return { app, prefix };
  }
  return undefined;
}

function byPrefix(app: AppRuntime, prefix: string): Revision | undefined {
  const label = `${app.name}---`;
  return prefix.startsWith(label)
    ? trafficOf(app).find((entry) => entry.label === prefix.slice(label.length))?.revision
    : findRevision(app, prefix);
}

function pick(app: AppRuntime, draw: () => number): Revision | undefined {
  const all = trafficOf(app);
  const ready = app.truths["names-do-not-wait"]
    ? []
    : all.filter(({ revision, weight }) => weight > 0 && readyReplicas(revision).length > 0);
  const among = ready.length > 0 ? ready : all;
  let left = draw() * among.reduce((sum, { weight }) => sum + weight, 0);
  for (const { revision, weight } of among) {
    left -= weight;
    if (left < 0) return revision;
  }
  return undefined;
}

const turns = new WeakMap<Revision, number>();

const affinityCookie = "acaAffinity";
const isSticky = (app: AppRuntime): boolean =>
  String(app.configuration["ingress"]?.stickySessions?.affinity).toLowerCase() === "sticky" &&
  (isSingle(app) || !app.truths["affinity-in-single-only"]);

/** Gives the replica that a client's cookie holds it to; undefined where it has none, or where that replica is gone. */
function heldReplica(
  app: AppRuntime,
  request: IncomingMessage,
): { readonly revision: Revision; readonly replica: Replica } | undefined {
  const [, name] = new RegExp(`(?:^|; *)${affinityCookie}="?([^;"]+)`).exec(request.headers.cookie ?? "") ?? [];
  if (name === undefined || !isSticky(app)) return undefined;
  for (const { revision, weight } of trafficOf(app)) {
    const replica = weight > 0 ? readyReplicas(revision).find((each) => each.name === name) : undefined;
    if (revision && replica) return { revision, replica };
  }
  return undefined;
}

/** Whether anybody listens where the ingress asks. A container that never listened on its target port may run, and is reached by nobody. */
const isReachable = (app: AppRuntime, revision: Revision): boolean => {
  const targetPort = Number(app.configuration["ingress"]?.targetPort ?? 80);
  return (
    !app.truths["wrong-port-never-healthy"] ||
    listeningPort(revision.template["containers"]?.[0] as Body, targetPort) === targetPort
  );
};

function nextReplica(app: AppRuntime, revision: Revision | undefined): Replica | undefined {
  const ready = readyReplicas(revision);
  if (!revision || ready.length === 0 || !isReachable(app, revision)) return undefined;
  const turn = turns.get(revision) ?? 0;
  turns.set(revision, turn + 1);
  return ready[turn % ready.length];
}

/** What there is to say of a request when it is over. */
interface Ending {
  readonly status: number;
  readonly details: string;
  readonly flags: string;
  readonly bytesSent: number;
}

/** One request on its way, from the moment of its coming. */
interface Passage {
  readonly cloud: Cloud;
  readonly agent: http.Agent;
  readonly app: AppRuntime;
  readonly revision: Revision | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly at: number;
  readonly started: number;
}

/** Holds a request to a revision at zero until a replica is up, as the platform does, and passes it on. */
async function receive(passage: Passage): Promise<void> {
  const held = heldReplica(passage.app, passage.request);
  const revision = held?.revision ?? passage.revision;
  if (mustWake(revision)) {
    const gone = new AbortController();
    passage.response.once("close", () => gone.abort());
    await wake(
      passage.cloud,
      passage.app,
      revision,
      AbortSignal.any([gone.signal, AbortSignal.timeout(requestMilliseconds)]),
    );
  }
  forward({ ...passage, revision }, held?.replica ?? nextReplica(passage.app, revision));
}

function forward(passage: Passage, replica: Replica | undefined): void {
  const { cloud, agent, app, revision, request, response } = passage;
  const requestId = String(request.headers["x-request-id"] ?? randomUUID());
  const writeRow = rowWriter(passage, replica, requestId);
  const finish = (ending: Ending): void => {
    if (revision) revision.usedAt = cloud.clock.now();
    writeRow(ending);
  };
  if (response.destroyed)
    return finish({ status: 0, details: "downstream_remote_disconnect", flags: "DC", bytesSent: 0 });
  const answer = (status: number, details: string, flags: string, text: string): void => {
    finish({ status, details, flags, bytesSent: text.length });
    if (response.headersSent) return void response.destroy();
    response.writeHead(status, {
      "content-type": "text/plain",
      "content-length": text.length,
      server: "envoy",
      "x-request-id": requestId,
      ...(revision ? { "x-localcloud-revision": revision.name } : {}),
    });
    response.end(text);
  };
  if (!revision || !replica) {
    request.resume();
    return answer(503, "no_healthy_upstream", "UH", "no healthy upstream");
  }

  replica.inFlight += 1;
  let bytesSent = 0;
  let over = false;
  const upstream = http.request({
    agent,
    host: "127.0.0.1",
    port: replica.port,
    method: request.method,
    path: request.url,
    setHost: false,
    timeout: requestMilliseconds,
    headers: forwardedHeaders(request, requestId),
  });
  const leave = (): boolean => {
    if (over) return false;
    over = true;
    replica.inFlight -= 1;
    return true;
  };
  upstream.on("response", (reply) => {
    const status = reply.statusCode ?? 502;
    response.writeHead(status, reply.statusMessage, [
      ...withoutHopByHop(reply.rawHeaders),
      "x-localcloud-revision",
      revision.name,
      ...(isSticky(app) ? ["set-cookie", `${affinityCookie}="${replica.name}"; Path=/; HttpOnly`] : []),
    ]);
    // A stream must flow from its first byte; a whole answer goes out in one piece with its headers.
    if (reply.headers["content-length"] === undefined) response.flushHeaders();
    reply.on("data", (chunk: Buffer) => {
      bytesSent += chunk.length;
    });
    reply.on("aborted", () => {
      if (leave()) {
        finish({ status, details: "upstream_reset_after_response_started", flags: "UC", bytesSent });
        response.destroy();
      }
    });
    reply.pipe(response);
    response.on("finish", () => {
      if (leave()) finish({ status, details: "via_upstream", flags: "-", bytesSent });
    });
  });
  upstream.on("timeout", () => {
    if (leave()) answer(504, "response_timeout", "UT", "upstream request timeout");
    upstream.destroy();
  });
  upstream.on("error", (error: NodeJS.ErrnoException) => {
    if (!leave()) return;
    const refused = error.code === "ECONNREFUSED";
    answer(
      503,
      refused
        ? "upstream_reset_before_response_started{connection_failure}"
        : "upstream_reset_before_response_started{connection_termination}",
      refused ? "UF" : "UC",
      `upstream connect error or disconnect/reset before headers. reset reason: ${refused ? "connection failure" : "connection termination"}`,
    );
  });
  response.on("close", () => {
    if (!leave()) return;
    finish({
      status: response.headersSent ? response.statusCode : 0,
      details: "downstream_remote_disconnect",
      flags: "DC",
      bytesSent,
    });
    upstream.destroy();
  });
  if (request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined)
    upstream.end();
  else request.pipe(upstream);
}

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "proxy-connection",
  "upgrade",
  "te",
  "trailer",
]);

function forwardedHeaders(request: IncomingMessage, requestId: string): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && !hopByHop.has(name)) headers[name] = value;
  if (request.headers["transfer-encoding"]) headers["transfer-encoding"] = "chunked";
  const client = request.socket.remoteAddress ?? "";
  const before = request.headers["x-forwarded-for"];
  return {
    ...headers,
    "x-request-id": requestId,
    "x-forwarded-proto": "https",
    "x-forwarded-for": before ? `${String(before)}, ${client}` : client,
  };
}

function withoutHopByHop(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
}

/** Gives the function that writes the request's one row when it is over. */
function rowWriter(
  { cloud, app, revision, request, at: startedAt, started }: Passage,
  replica: Replica | undefined,
  requestId: string,
): (ending: Ending) => void {
  const rows = requestRows(cloud);
  return ({ status, details, flags, bytesSent }) => {
    const duration = Math.round(performance.now() - started);
    rows.add(app.environmentId, {
      TimeGenerated: Math.max(cloud.clock.now(), startedAt),
      StartTime: startedAt,
      ContainerAppName: app.name,
      RevisionName: revision?.name ?? "",
      ReplicaName: replica?.name ?? "",
      EnvironmentName: app.environmentName,
      Method: request.method ?? "",
      Path: request.url ?? "",
      Authority: request.headers.host ?? "",
      Protocol: `HTTP/${request.httpVersion}`,
      StatusCode: status,
      ResponseCodeDetails: details,
      ResponseFlags: flags,
      RequestDuration: duration,
      RequestId: requestId,
      UpstreamHost: replica ? `127.0.0.1:${replica.port}` : "",
      UpstreamRequestAttemptCount: replica ? 1 : 0,
      BytesReceived: Number(request.headers["content-length"] ?? 0),
      BytesSent: bytesSent,
      UserAgent: request.headers["user-agent"] ?? "",
      XForwardedFor: String(request.headers["x-forwarded-for"] ?? ""),
    });
  };
}

/** Gives numbers from 0 to 1, always the same ones for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
