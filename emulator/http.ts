// HTTP helpers for every endpoint of the emulator: reading a body, sending JSON, and Azure's error envelope.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ArmError, type ArmReply, toArmError } from "./arm/resource.ts";

const bodyBytesMax = 4 * 1024 * 1024;

/** Reads a whole body as text. @throws ArmError 413 beyond 4 MB, Resource Manager's limit */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > bodyBytesMax)
      throw new ArmError(
        413,
        "RequestContentTooLarge",
        `The request content size exceeds the maximum size of ${bodyBytesMax} bytes.`,
      );
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Reads a JSON object; undefined for an empty body. @throws ArmError 400 for anything else */
export async function readObject(request: IncomingMessage): Promise<{ [key: string]: unknown } | undefined> {
  const text = await readText(request);
  if (text.trim() === "") return undefined;
  const refusal = (reason: string): ArmError =>
    new ArmError(
      400,
      "InvalidRequestContent",
      `The request content was invalid and could not be deserialized: '${reason}'.`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refusal((error as Error).message);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refusal("a JSON object is expected");
  return value as { [key: string]: unknown };
}

/** Sends a reply with the headers that Azure's clients expect. The body is JSON, unless the reply has another type. */
export function send(request: IncomingMessage, response: ServerResponse, reply: ArmReply): void {
  if (response.headersSent || response.destroyed) return;
  const id = randomUUID();
  const clientId = request.headers["x-ms-client-request-id"];
  const headers: Record<string, string> = {
    "x-ms-request-id": id,
    "x-ms-correlation-request-id": id,
    "cache-control": "no-cache",
    ...(typeof clientId === "string" ? { "x-ms-client-request-id": clientId } : {}),
    ...reply.headers,
  };
  if (reply.body === undefined) {
    response.writeHead(reply.status, { ...headers, "content-length": "0" }).end();
    return;
  }
  const isOther = reply.headers?.["content-type"] !== undefined;
  const text = Buffer.from(isOther ? String(reply.body) : JSON.stringify(reply.body));
  response.writeHead(reply.status, {
    "content-type": "application/json; charset=utf-8",
    ...headers,
    "content-length": String(text.length),
  });
  response.end(request.method === "HEAD" ? undefined : text);
}

/**
 * Gives an error as a reply: in its own form if its resource provider has one, or else in Resource Manager's. `uniform`
 * leaves only the latter, as a naive cloud does.
 */
export function errorReply(error: unknown, uniform = false): ArmReply {
  const { status, code, message, headers, body } = toArmError(error);
  return { status, headers, body: (uniform ? undefined : body) ?? { error: { code, message } } };
}

/** Gives scheme and host as the client wrote them, so that the client can reach every URL in an answer. */
export const originOf = (request: IncomingMessage): string =>
  `${"encrypted" in request.socket ? "https" : "http"}://${request.headers.host ?? "localhost"}`;

/** Gives the URL of a request, whose path starts with one slash. @throws ArmError 400 when it is none */
export function urlOf(request: IncomingMessage): URL {
  const [origin, target] = [originOf(request), (request.url ?? "/").replace(/^\/+/, "/")];
  if (URL.canParse(target, origin)) return new URL(target, origin);
  throw new ArmError(400, "InvalidRequestUri", "The request URI, or the header Host, is not well formed.");
}

/** Reports whether a client used the loopback address instead of a host name. */
export const isByAddress = (origin: string): boolean => ["127.0.0.1", "localhost"].includes(new URL(origin).hostname);
