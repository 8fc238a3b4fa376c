// The provider's client of Resource Manager: it signs in, sends HTTPS requests to the management host,
// and waits for operations. It sends what the real provider would send, and never reads the emulator's state directly.
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Body } from "../arm/resource.ts";
import type { Credentials } from "./credentials.ts";

/** The address of the cloud. */
export interface Connection {
  readonly port: number;
  readonly caPem: string;
  readonly suffix: string;
}

/** A failed request, with azure-native's text. */
export class ServiceError extends Error {
  readonly status: number;

  constructor(status: number, code: string | undefined, message: string) {
    super(
      code === undefined
        ? `Status=${status} Message="${message}"`
        : `Status=${status} Code="${code}" Message="${message}"`,
    );
    this.status = status;
  }
}

/** A write that was accepted and whose operation failed; the resource may exist. */
export class OperationFailed extends ServiceError {}

/** Resource Manager, with the identity of one configuration. */
export interface ArmClient {
  readonly get: (id: string, apiVersion: string) => Promise<Body>;
  /** Sends a PUT and waits for its operation. */
  readonly put: (id: string, apiVersion: string, body: Body) => Promise<void>;
  /** Sends a DELETE and waits for its operation. A missing resource is a success. */
  readonly remove: (id: string, apiVersion: string) => Promise<void>;
  readonly post: (id: string, apiVersion: string) => Promise<Body>;
  /** Gives the claims of the token. */
  readonly claims: () => Promise<Body>;
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Body;
}

// The real provider retries these statuses after 20, 60 and 120 seconds. The number of retries
// is the same here, the delays are shorter.
const retriedStatuses = [408, 429, 500, 502, 503, 504];
const retryMilliseconds = [100, 300, 900];
const pollMillisecondsMax = 1000;

function exchange(
  connection: Connection,
  agent: https.Agent,
  method: string,
  url: URL,
  headers: Record<string, string>,
  text: string | undefined,
): Promise<Answer> {
  const length = text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) };
  const options = {
    host: "127.0.0.1",
    port: connection.port,
    servername: url.hostname,
    agent,
    method,
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, ...length, host: url.host },
  };
  return new Promise((resolve, reject) => {
    const request = https.request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const said = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: said === "" ? {} : (JSON.parse(said) as Body),
        });
      });
    });
    request.on("error", reject);
    request.end(text);
  });
}

type Send = (method: string, url: URL, body?: Body) => Promise<Answer>;

/** Polls the operation that an answer names until it ends. @throws OperationFailed */
async function settle(send: Send, first: Answer): Promise<void> {
  const status = first.headers["azure-asyncoperation"];
  const location = first.status === 202 ? first.headers["location"] : undefined;
  const url = typeof status === "string" ? status : location;
  if (typeof url !== "string") return;
  for (let wait = 50; ; wait = Math.min(wait * 2, pollMillisecondsMax)) {
    await sleep(wait);
    const answer = await send("GET", new URL(url));
    if (answer.status === 202 || answer.body["status"] === "InProgress") continue;
    if (typeof status === "string" && answer.body["status"] !== "Succeeded")
      throw new OperationFailed(
        answer.status,
        answer.body["error"]?.code,
        answer.body["error"]?.message ?? "The operation did not succeed.",
      );
    return;
  }
}

/** Makes the function that gives a token, new or still valid. */
function makeSignIn(connection: Connection, agent: https.Agent, credentials: Credentials): () => Promise<string> {
  let token: { readonly text: string; readonly until: number } | undefined;
  return async () => {
    if (token && token.until > Date.now()) return token.text;
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: credentials.clientId,
      ...(await credentials.proof()),
      scope: "https://management.azure.com/.default",
    });
    const url = new URL(`https://login.${connection.suffix}/${credentials.tenantId}/oauth2/v2.0/token`);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const { status, body } = await exchange(connection, agent, "POST", url, headers, form.toString());
    if (status !== 200) throw new ServiceError(status, body["error"], body["error_description"]);
    token = { text: body["access_token"], until: Date.now() + (body["expires_in"] - 300) * 1000 };
    return token.text;
  };
}

/** Gives a successful answer. @throws ServiceError for a refusal, or the error of the connection */
function succeeded(outcome: Answer | Error): Answer {
  if (outcome instanceof Error) throw outcome;
  const { status, body } = outcome;
  if (status < 400) return outcome;
  const { code, message } = body["error"] ?? body;
  throw new ServiceError(status, code, message ?? JSON.stringify(body));
}

/** Makes a client. It signs in at its first request. */
export function makeArmClient(connection: Connection, credentials: Credentials): ArmClient {
  const agent = new https.Agent({ keepAlive: false, ca: connection.caPem });
  const signIn = makeSignIn(connection, agent, credentials);

  const send: Send = async (method, url, body) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    for (let tries = 0; ; tries++) {
      const headers = {
        authorization: `Bearer ${await signIn()}`,
        accept: "application/json",
        ...(text === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
      };
      const outcome = await exchange(connection, agent, method, url, headers, text).catch((error: Error) => error);
      const isRetried = outcome instanceof Error || retriedStatuses.includes(outcome.status);
      const wait = retryMilliseconds[tries];
      if (!isRetried || wait === undefined) return succeeded(outcome);
      await sleep(wait);
    }
  };

  const urlOf = (id: string, apiVersion: string): URL => {
    const url = new URL(id, `https://management.${connection.suffix}`);
    url.searchParams.set("api-version", apiVersion);
    return url;
  };

  return {
    get: async (id, apiVersion) => (await send("GET", urlOf(id, apiVersion))).body,
    put: async (id, apiVersion, body) => settle(send, await send("PUT", urlOf(id, apiVersion), body)),
    remove: async (id, apiVersion) => {
      try {
        await settle(send, await send("DELETE", urlOf(id, apiVersion)));
      } catch (error) {
        if (!(error instanceof ServiceError && error.status === 404)) throw error;
      }
    },
    post: async (id, apiVersion) => (await send("POST", urlOf(id, apiVersion), {})).body,
    claims: async () => JSON.parse(Buffer.from((await signIn()).split(".")[1]!, "base64url").toString("utf8")) as Body,
  };
}
