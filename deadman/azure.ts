// The switch's own way out: one request, and Resource Manager asked with the job's identity. It uses Node's own clients and no
// package, since it must work on the day when the control plane, with all its clients, does not.
// Nothing here knows apps, traffic or heartbeats.
import http from "node:http";
import https from "node:https";

/** What came back. A body that is no JSON object is empty. */
export interface Answer {
  readonly status: number;
  readonly body: { readonly [name: string]: any };
  /** When the other side says to come back. */
  readonly retryAfterSeconds: number;
}

/** An answer, or why there is none. */
export type Asked = Answer | { readonly status: undefined; readonly reason: string };

/** Asks Resource Manager about a path; trouble of any kind comes back as a value. */
export type Ask = (method: "GET" | "POST" | "PATCH", path: string, body?: object) => Promise<Asked>;

/** How long one request may take, its body included. */
const requestSeconds = 10;
/** The version of Container Apps that we hold ourselves to. */
const apiVersion = "2025-07-01";

/** Sends one request, once. */
export async function send(
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>> = {},
  body?: object,
): Promise<Asked> {
  const text = body && JSON.stringify(body);
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const client = url.protocol === "http:" ? http : https;
      const sent = {
        ...headers,
        host: url.host,
        ...(text === undefined
          ? {}
          : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }),
      };
      const request = client.request(
        url,
        { method, headers: sent, agent: false, signal: AbortSignal.timeout(requestSeconds * 1000), ...wayTo(url) },
        (response) => {
          let said = "";
          response
            .setEncoding("utf8")
            .on("data", (part: string) => {
              said += part;
            })
            .on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              body: parsed(said),
              retryAfterSeconds: Number(response.headers["retry-after"]) || 0,
            }),
          );
        },
      );
      request.on("error", reject).end(text);
    });
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string };
    return {
      status: undefined,
      reason: name === "AbortError" || name === "TimeoutError" ? `no answer in ${requestSeconds} s` : (code ?? message),
    };
  }
}

/** Gives another address for a host where BALLAST_CONNECT_TO says so (`<suffix>=<host>:<port>`), which it does in the stand-in cloud alone. */
function wayTo({ protocol, hostname }: URL): https.RequestOptions {
  const [, suffix, host, port] = /^([a-z0-9.-]+)=([^:=]+):(\d+)$/.exec(process.env["BALLAST_CONNECT_TO"] ?? "") ?? [];
  const isMeant = suffix !== undefined && protocol === "https:" && `.${hostname}`.endsWith(`.${suffix}`);
  return isMeant ? { hostname: host!, port: Number(port), servername: hostname } : {};
}

function parsed(text: string): Answer["body"] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Says what went wrong in a line, in Azure's own words where there are any. */
export function describeAsked(asked: Asked): string {
  if (asked.status === undefined) return asked.reason;
  const { code, message } = asked.body["error"] ?? {};
  return [asked.status, code, message]
    .filter((part) => part !== undefined)
    .join(" ")
    .replace(/\s+/g, " ")
    .slice(0, 400);
}

/** Signs in with the identity that the container has, at the first question, and asks Resource Manager. */
export function resourceManager(
  origin: string,
  identity: { readonly endpoint: string; readonly header: string; readonly clientId: string },
): Ask {
  let token: string | undefined;
  const signIn = async (): Promise<Asked> => {
    const url = new URL(identity.endpoint);
    for (const [name, value] of Object.entries({
      "api-version": "2019-08-01",
      resource: origin,
      client_id: identity.clientId,
    }))
      url.searchParams.set(name, value);
    return send("GET", url, { "x-identity-header": identity.header });
  };
  return async (method, path, body) => {
    if (token === undefined) {
      const signed = await signIn();
      // What the identity endpoint answers badly now it may answer well in a moment; the reason holds no token, since there was none.
      if (signed.status !== 200 || typeof signed.body["access_token"] !== "string")
        return { status: undefined, reason: `the identity got no token: ${describeAsked(signed)}` };
      token = signed.body["access_token"];
    }
    return send(
      method,
      new URL(`${path}?api-version=${apiVersion}`, origin),
      { authorization: `Bearer ${token}` },
      body,
    );
  };
}
