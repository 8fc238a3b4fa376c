// The way of one request through the ingress: forwarded to a replica, its answer streamed back, and a row written when
// it is over. Answers of the ingress itself have the wording of the platform's proxy.
import { randomUUID } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Cloud } from "../arm/resource.ts";
import { bindingHeaders } from "./affinity.ts";
import type { Replica } from "./replicas.ts";
import { requestRows } from "./request-rows.ts";
import type { AppRuntime, Revision } from "./revisions.ts";

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
  const { cloud, revision, request, response } = passage;
  const requestId = String(request.headers["x-request-id"] ?? randomUUID());
  const writeRow = rowWriter(passage, replica, requestId);
  const finish = (ending: Ending): void => {
    if (revision) revision.usedAt = cloud.clock.now();
    writeRow(ending);
  };
  const tracked: Tracked = { ...passage, requestId, finish };
  if (response.destroyed)
    return finish({ status: 0, details: "downstream_remote_disconnect", flags: "DC", bytesSent: 0 });
  if (revision && replica) return toReplica({ ...tracked, revision }, replica);
  request.resume();
  answer(tracked, 503, "no_healthy_upstream", "UH", "no healthy upstream");
}

/** Answers for the ingress itself. */
function answer(
  { revision, response, requestId, finish }: Tracked,
  status: number,
  details: string,
  flags: string,
  text: string,
): void {
  finish({ status, details, flags, bytesSent: text.length });
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, {
    "content-type": "text/plain",
    "content-length": text.length,
    server: "envoy",
    "x-request-id": requestId,
    ...(revision ? { "x-emulator-revision": revision.name } : {}),
  });
  response.end(text);
}

function toReplica(passage: Tracked & { readonly revision: Revision }, replica: Replica): void {
  const { agent, request, response, requestId, finish } = passage;
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
  /** Gives true for whoever ends the request first. */
  const leave = (): boolean => {
    if (over) return false;
    over = true;
    replica.inFlight -= 1;
    return true;
  };
  upstream.on("response", (reply) => {
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
    if (leave()) answer(passage, 504, "response_timeout", "UT", "upstream request timeout");
    upstream.destroy();
  });
  upstream.on("error", (error: NodeJS.ErrnoException) => {
    if (leave()) answerFailure(passage, error);
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
  { app, revision, response }: Tracked & { readonly revision: Revision },
  replica: Replica,
  reply: IncomingMessage,
): number {
  const status = reply.statusCode ?? 502;
  response.writeHead(status, reply.statusMessage, [
    ...withoutHopByHop(reply.rawHeaders),
    "x-emulator-revision",
    revision.name,
    ...bindingHeaders(app, replica),
  ]);
  // A stream must flow from its first byte; a whole answer leaves in one piece with its headers.
  if (reply.headers["content-length"] === undefined) response.flushHeaders();
  return status;
}

/** Answers when the replica refused or broke the connection. */
function answerFailure(passage: Tracked, { code }: NodeJS.ErrnoException): void {
  const [reason, flags] = code === "ECONNREFUSED" ? ["connection failure", "UF"] : ["connection termination", "UC"];
  answer(
    passage,
    503,
    `upstream_reset_before_response_started{${reason!.replace(" ", "_")}}`,
    flags!,
    `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`,
  );
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
      UpstreamHost: replica ? `127.0.0.1:${replica.port}` : "",
      UpstreamRequestAttemptCount: replica ? 1 : 0,
      BytesReceived: Number(request.headers["content-length"] ?? 0),
      BytesSent: bytesSent,
      UserAgent: request.headers["user-agent"] ?? "",
      XForwardedFor: String(request.headers["x-forwarded-for"] ?? ""),
    });
  };
}
