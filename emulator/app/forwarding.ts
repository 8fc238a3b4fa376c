// The way of one request through the ingress: forwarded to a replica, its answer streamed back, and a row written when
// it is over. Answers of the ingress itself have the wording of the platform's proxy.
import { randomUUID } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Cloud } from "../arm/resource.ts";
import { forwardedCertificate } from "./admission.ts";
import { bindingHeaders } from "./affinity.ts";
import { crossOriginHeaders } from "./cors.ts";
import type { Replica } from "./replicas.ts";
import { requestRows } from "./request-rows.ts";
import type { AppRuntime, Revision } from "./revisions.ts";

/** As many bytes of headers as Envoy, the platform's proxy, takes by default, from clients and from replicas. */
export const headerBytesMax = 60 * 1024;

/** The platform's limit for a request. It cannot be configured there. */
export const requestMilliseconds = 240_000;

/** One request on its way, from its arrival. */
export interface Passage {
  readonly cloud: Cloud;
  readonly agent: http.Agent;
  readonly app: AppRuntime;
  readonly revision: Revision | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly at: number;
  readonly started: number;
}

/** How a request ended, in the words of its row. */
interface Ending {
  readonly status: number;
  readonly details: string;
  readonly flags: string;
  readonly bytesSent: number;
}

/** A passage with its id and what ends it. */
interface Tracked extends Passage {
  readonly requestId: string;
  /** Writes the request's row. */
  readonly finish: (ending: Ending) => void;
}

/** Forwards a request to a replica; without one the ingress answers 503. */
export function forward(passage: Passage, replica: Replica | undefined): void {
  const { revision, request, response } = passage;
  const tracked = track(passage, replica);
  if (response.destroyed)
    return tracked.finish({ status: 0, details: "downstream_remote_disconnect", flags: "DC", bytesSent: 0 });
  if (revision && replica) return toReplica({ ...tracked, revision }, replica);
  request.resume();
  answer(tracked, { status: 503, details: "no_healthy_upstream", flags: "UH", text: "no healthy upstream" });
}

/** Answers a request for the ingress itself, before it has a replica. */
export function answerDirectly(passage: Passage, answered: Answer): void {
  passage.request.resume();
  answer(track(passage, undefined), answered);
}

function track(passage: Passage, replica: Replica | undefined): Tracked {
  const { cloud, revision, request } = passage;
  const requestId = String(request.headers["x-request-id"] ?? randomUUID());
  const writeRow = rowWriter(passage, replica, requestId);
  return {
    ...passage,
    requestId,
    finish: (ending) => {
      if (revision) revision.usedAt = cloud.clock.now();
      writeRow(ending);
    },
  };
}

/** An answer of the ingress itself. */
interface Answer {
  readonly status: number;
  readonly details: string;
  readonly flags: string;
  readonly text: string;
  /** Names and values in turn. */
  readonly headers?: readonly string[];
}

/** Gives the port of this machine that stands for the target port; 0 when nothing does. */
function portOf({ configuration, quirks }: AppRuntime, replica: Replica): number {
  if (!quirks["wrong-port-never-healthy"]) return replica.containers.find(({ isInit }) => !isInit)?.port ?? 0;
  return replica.ports.get(Number(configuration["ingress"]?.targetPort ?? 80)) ?? 0;
}

/** Answers for the ingress itself. */
function answer(
  { app, request, revision, response, requestId, finish }: Tracked,
  { status, details, flags, text, headers = crossOriginHeaders(app, request) }: Answer,
): void {
  finish({ status, details, flags, bytesSent: text.length });
  if (response.headersSent) return void response.destroy();
  const named = revision ? ["x-emulator-revision", revision.name] : [];
  const length = ["content-type", "text/plain", "content-length", String(text.length)];
  response.writeHead(status, [...length, "server", "envoy", "x-request-id", requestId, ...named, ...headers]);
  response.end(text);
}

function toReplica(passage: Tracked & { readonly revision: Revision }, replica: Replica): void {
  const { agent, request, response, requestId, finish } = passage;
  replica.inFlight += 1;
  let bytesSent = 0;
  let over = false;
  let isAnswered = false;
  const upstream = http.request({
    agent,
    host: "127.0.0.1",
    port: portOf(passage.app, replica),
    method: request.method,
    path: request.url,
    setHost: false,
    timeout: requestMilliseconds,
    maxHeaderSize: headerBytesMax,
    headers: forwardedHeaders(passage.app, request, requestId),
  });
  /** Gives true for whoever ends the request first. */
  const leave = (): boolean => {
    if (over) return false;
    over = true;
    replica.inFlight -= 1;
    return true;
  };
  const breakOff = (): void => {
    if (leave()) answerFailure(passage, protocolError);
    upstream.destroy();
  };
  upstream.on("response", (reply) => {
    isAnswered = true;
    // Node reads statuses that it does not write.
    if ((reply.statusCode ?? 0) < 200) return breakOff();
    const status = beginReply(passage, replica, reply);
    reply.on("data", (chunk: Buffer) => {
      bytesSent += chunk.length;
    });
    reply.on("aborted", () => {
      if (!leave()) return;
      finish({ status, details: "upstream_reset_after_response_started", flags: "UC", bytesSent });
      response.destroy();
    });
    reply.pipe(response);
    response.on("finish", () => {
      if (leave()) finish({ status, details: "via_upstream", flags: "-", bytesSent });
    });
  });
  upstream.on("timeout", () => {
    if (leave())
      answer(passage, { status: 504, details: "response_timeout", flags: "UT", text: "upstream request timeout" });
    upstream.destroy();
  });
  upstream.on("error", (error: NodeJS.ErrnoException) => {
    if (leave()) answerFailure(passage, error);
  });
  // Also where there is neither an answer nor an error, as after an upgrade that nobody asked for.
  upstream.on("close", () => {
    if (!isAnswered) breakOff();
  });
  response.on("close", () => {
    if (!leave()) return;
    const status = response.headersSent ? response.statusCode : 0;
    finish({ status, details: "downstream_remote_disconnect", flags: "DC", bytesSent });
    upstream.destroy();
  });
  if (request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined)
    upstream.end();
  else request.pipe(upstream);
}

/** Sends the head of a replica's answer; gives its status. */
function beginReply(
  { app, request, revision, response }: Tracked & { readonly revision: Revision },
  replica: Replica,
  reply: IncomingMessage,
): number {
  const status = reply.statusCode ?? 502;
  const crossOrigin = crossOriginHeaders(app, request);
  // The proxy writes the phrase of the status itself.
  response.writeHead(status, [
    ...passedOn(reply.rawHeaders, crossOrigin),
    "x-emulator-revision",
    revision.name,
    ...bindingHeaders(app, replica),
    ...crossOrigin,
  ]);
  // A stream must flow from its first byte; a whole answer leaves in one piece with its headers.
  if (reply.headers["content-length"] === undefined) response.flushHeaders();
  return status;
}

const protocolError: NodeJS.ErrnoException = Object.assign(new Error("protocol error"), { code: "HPE_RESPONSE" });

/** Gives the proxy's words for how a connection failed: the reason, and its flag in the request's row. */
function failureOf({ code = "" }: NodeJS.ErrnoException): readonly [reason: string, flags: string] {
  if (code === "ECONNREFUSED") return ["connection failure", "UF"];
  // Node's parser names so what is no HTTP.
  return code.startsWith("HPE_") ? ["protocol error", "UPE"] : ["connection termination", "UC"];
}

/** Answers when the replica refused or broke the connection, or did not speak HTTP. */
function answerFailure(passage: Tracked, error: NodeJS.ErrnoException): void {
  const [reason, flags] = failureOf(error);
  answer(passage, {
    status: 503,
    details: `upstream_reset_before_response_started{${reason.replace(" ", "_")}}`,
    flags,
    text: `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`,
  });
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

// Only the ingress may say which certificate a client has, so what a client says of itself is dropped.
const certificateHeader = "x-forwarded-client-cert";

function forwardedHeaders(app: AppRuntime, request: IncomingMessage, requestId: string): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && !hopByHop.has(name) && name !== certificateHeader) headers[name] = value;
  if (request.headers["transfer-encoding"]) headers["transfer-encoding"] = "chunked";
  const client = request.socket.remoteAddress ?? "";
  const before = request.headers["x-forwarded-for"];
  const certificate = forwardedCertificate(app, request);
  return {
    ...headers,
    ...(certificate === undefined ? {} : { [certificateHeader]: certificate }),
    "x-request-id": requestId,
    "x-forwarded-proto": "https",
    "x-forwarded-for": before ? `${String(before)}, ${client}` : client,
  };
}

/** Gives the headers of a replica's answer that reach the client. Those that the ingress sets itself do not. */
function passedOn(raw: readonly string[], set: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!hopByHop.has(name.toLowerCase()) && !set.includes(name.toLowerCase())) kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
}

/** Makes the function that writes a request's row when it is over. */
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
      UpstreamHost: replica ? `127.0.0.1:${portOf(app, replica)}` : "",
      UpstreamRequestAttemptCount: replica ? 1 : 0,
      BytesReceived: Number(request.headers["content-length"] ?? 0),
      BytesSent: bytesSent,
      UserAgent: request.headers["user-agent"] ?? "",
      XForwardedFor: String(request.headers["x-forwarded-for"] ?? ""),
    });
  };
}
