// The provider's own way to Resource Manager: a token by client secret, HTTPS to the management host, and waiting for operations to end.
// It sends what the real provider would send, to the same address as everybody else; it never looks into the stand-in.
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Body } from "../arm/resource.ts";

/** Where the cloud is. */
export interface Connection {
  readonly port: number;
  readonly caPem: string;
  readonly suffix: string;
}

export interface Credentials {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** An answer of Azure that is no success; its text is azure-native's. */
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

/** A write that was accepted and whose operation failed, so that there may be something half done. */
export class OperationFailed extends ServiceError {}

/** Resource Manager, with the identity of one configuration. */
export interface ArmClient {
  readonly get: (id: string, apiVersion: string) => Promise<Body>;
  /** Puts and waits to the end. */
  readonly put: (id: string, apiVersion: string, body: Body) => Promise<void>;
  /** Deletes and waits to the end; what is gone already is fine. */
  readonly remove: (id: string, apiVersion: string) => Promise<void>;
  readonly post: (id: string, apiVersion: string) => Promise<Body>;
  /** Gives what the token says of its holder. */
  readonly claims: () => Promise<Body>;
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Body;
}

// The real provider repeats these statuses after 20, 60 and 120 seconds; the count is kept, the waiting is not.
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

/** Follows whichever header says that the work goes on, to its end. */
async function settle(send: Send, first: Answer): Promise<void> {
  const status = first.headers["azure-asyncoperation"];
  const location = first.headers["location"];
  const url =
    typeof status === "string" ? status : first.status === 202 && typeof location === "string" ? location : undefined;
  if (url === undefined) return;
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

/** Makes a client; it signs in at its first request. */
export function makeArmClient(connection: Connection, credentials: Credentials): ArmClient {
  const agent = new https.Agent({ keepAlive: false, ca: connection.caPem });
  let token: { readonly text: string; readonly until: number } | undefined;

  const signIn = async (): Promise<string> => {
    if (token && token.until > Date.now()) return token.text;
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: credentials.clientId,
      client_secret: credentials.clientSecret,
      scope: "https://management.azure.com/.default",
    });
    const url = new URL(`https://login.${connection.suffix}/${credentials.tenantId}/oauth2/v2.0/token`);
    const { status, body } = await exchange(
      connection,
      agent,
      "POST",
      url,
      { "content-type": "application/x-www-form-urlencoded" },
      form.toString(),
    );
    if (status !== 200) throw new ServiceError(status, body["error"], body["error_description"]);
    token = { text: body["access_token"], until: Date.now() + (body["expires_in"] - 300) * 1000 };
    return token.text;
  };

  const send: Send = async (method, url, body) => {
    for (let attempt = 0; ; attempt++) {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        authorization: `Bearer ${await signIn()}`,
        accept: "application/json",
        ...(text === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
      };
      const outcome = await exchange(connection, agent, method, url, headers, text).catch((error: Error) => error);
      const again = outcome instanceof Error || retriedStatuses.includes(outcome.status);
      const wait = retryMilliseconds[attempt];
      if (!again || wait === undefined) {
        if (outcome instanceof Error) throw outcome;
        if (outcome.status < 400) return outcome;
        throw new ServiceError(
          outcome.status,
          outcome.body["error"]?.code,
          outcome.body["error"]?.message ?? JSON.stringify(outcome.body),
        );
      }
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
