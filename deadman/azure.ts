// The dead man's switch's own HTTP client: sends one request, and calls Resource Manager with the job's identity.
// It uses only Node's own modules and no package, because it must work when the control plane, with all its
// clients, does not.
import http from "node:http";
import https from "node:https";

/** One answer. A body that is not a JSON object is empty. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of Azure has no types here, and this folder may import none
  readonly body: { readonly [name: string]: any };
  /** When the server asks to retry; 0 if it does not ask. */
  readonly retryAfterSeconds: number;
}

/** An answer, or why there is none. */
export type Asked = Answer | { readonly status: undefined; readonly reason: string };

/** Sends a request to Resource Manager. Trouble of any kind is a value. */
export type Ask = (method: "GET" | "POST" | "PATCH", path: string, body?: object) => Promise<Asked>;

/** The limit of one request, its body included. */
const requestSeconds = 10;
/** The most of an answer that is read: many times an app's. */
const answerBytesMax = 4 * 2 ** 20;
/** The API version of Container Apps. */
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
              if (said.length > answerBytesMax)
                response.destroy(new Error(`its answer has more than ${answerBytesMax / 2 ** 20} MiB`));
            })
            .on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              body: parsed(said),
              retryAfterSeconds: retryAfter(response.headers["retry-after"]),
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

/**
 * Gives another address for a host if BALLAST_CONNECT_TO (`<suffix>=<host>:<port>`) names one. Only the
 * emulator sets it.
 */
function wayTo({ protocol, hostname }: URL): https.RequestOptions {
  const [, suffix, host, port] = /^([a-z0-9.-]+)=([^:=]+):(\d+)$/.exec(process.env["BALLAST_CONNECT_TO"] ?? "") ?? [];
  const isMeant = suffix !== undefined && protocol === "https:" && `.${hostname}`.endsWith(`.${suffix}`);
  return isMeant ? { hostname: host!, port: Number(port), servername: hostname } : {};
}

/** The longest rest that is understood. A wrong answer must not cost the whole patience. */
const retryAfterSecondsMax = 30;

/** Reads Retry-After, in seconds or as a date. */
function retryAfter(text = ""): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Math.min(retryAfterSecondsMax, Math.max(0, seconds || 0));
}

function parsed(text: string): Answer["body"] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Describes a failed request in one line, with Azure's own message if there is one. */
export function describeAsked(asked: Asked): string {
  if (asked.status === undefined) return asked.reason;
  // Some of Azure's resource providers answer with the code and the message alone, or with a title.
  const { code, message, title } = asked.body["error"] ?? asked.body;
  return [asked.status, code, message ?? title]
    .filter((part) => part !== undefined)
    .join(" ")
    .replace(/\s+/g, " ")
    .slice(0, 400);
}

/** Gives a client of Resource Manager that signs in with the container's identity at the first request. */
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
      // The identity endpoint may succeed a moment later. The reason contains no token, because there was none.
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
