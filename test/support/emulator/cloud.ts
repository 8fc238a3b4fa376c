// A whole emulator for one test file, called over its TLS port with raw requests, since SDKs hide and add fields. Files
// share nothing, and closing it leaves nothing behind.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { httpsAgent } from "../../../connect-to.ts";
import type { EmulatorOptions } from "../../../emulator/arm/resource.ts";
import { type RunningEmulator, startEmulator } from "../../../emulator/start.ts";

export interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: any;
}

export interface CloudForTests {
  readonly cloud: RunningEmulator;
  /** An agent for SDK clients that connects to the cloud and trusts its CA. */
  readonly agent: https.Agent;
  readonly folder: string;
  /** Sends one request, with the fixed client's token unless another (or none) is given. */
  readonly ask: (
    method: string,
    url: string,
    body?: unknown,
    how?: { readonly token?: string | null; readonly headers?: Record<string, string> },
  ) => Promise<Reply>;
  /** Sends a PUT, PATCH or DELETE and polls its operation to the end; gives the last answer. */
  readonly settle: (method: string, url: string, body?: unknown, token?: string) => Promise<Reply>;
  readonly tokenFor: (resource: string) => Promise<string>;
  /**
   * Ends the cloud.
   *
   * @throws when an answer of its Resource Manager violated Azure's schemas, even one that no test looked at
   */
  readonly close: () => Promise<void>;
}

export const management = "https://management.ballast.localhost";

// A program that answers with its revision, so that a test sees which one it reached. It is ready at once.
const web = `import http from "node:http";
const description = { revision: process.env.CONTAINER_APP_REVISION, pid: process.pid };
http.createServer((request, response) =>
  response.end(JSON.stringify(request.url === "/environment" ? process.env : description))
).listen(Number(process.env.PORT), "127.0.0.1", () => console.log("web is listening"));
process.on("SIGTERM", () => process.exit(0));
`;

/** Reads JSON, and gives any other text as it is: apps and the ingress answer with plain text too. */
function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

const textOf = (body: unknown): string | undefined =>
  body === undefined || typeof body === "string" ? body : JSON.stringify(body);

/** Writes the image `web` into a folder and gives it in the form of the emulator's options. */
export function webImage(folder: string): EmulatorOptions["images"] {
  mkdirSync(path.join(folder, "web"));
  writeFileSync(path.join(folder, "web", "main.mjs"), web);
  return { web: { folder: path.join(folder, "web"), entry: "main.mjs" } };
}

/** Starts a cloud with the image `web`. */
export async function startCloudForTests(options: Partial<EmulatorOptions> = {}): Promise<CloudForTests> {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-cloud-"));
  const violations: string[] = [];
  const cloud = await startEmulator({
    onSchemaViolation: (problem) => violations.push(problem),
    folder: path.join(folder, "cloud"),
    images: webImage(folder),
    ...options,
  });
  const client = await rawClient(cloud);
  return {
    ...client,
    cloud,
    folder,
    close: async () => {
      client.agent.destroy();
      await cloud.close();
      rmSync(folder, { recursive: true, force: true });
      if (violations.length > 0)
        throw new Error(`answers of the emulator violated Azure's schemas: ${[...new Set(violations)].join("\n")}`);
    },
  };
}

/** Sends one request over TLS and reads its whole answer. */
export function send(
  agent: https.Agent,
  method: string,
  url: string,
  headers: Record<string, string>,
  text: string | undefined,
): Promise<Reply> {
  const length = text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) };
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, agent, headers: { ...headers, ...length } }, (response) => {
      let answer = "";
      response
        .setEncoding("utf8")
        .on("data", (part: string) => {
          answer += part;
        })
        .on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: parsed(answer) }),
      );
    });
    request.on("error", reject).end(text);
  });
}

/** Makes a raw client of a cloud, which may run in another process. */
export async function rawClient(
  cloud: Omit<RunningEmulator, "close">,
): Promise<Pick<CloudForTests, "agent" | "ask" | "settle" | "tokenFor">> {
  const agent = httpsAgent({ suffix: cloud.suffix, host: "127.0.0.1", port: cloud.port });
  agent.options.ca = readFileSync(cloud.caFile, "utf8");

  const tokenFor = async (resource: string): Promise<string> => {
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: cloud.client.id,
      client_secret: cloud.client.secret,
      scope: `${resource}/.default`,
    });
    const reply = await send(
      agent,
      "POST",
      `https://login.ballast.localhost/${cloud.tenant}/oauth2/v2.0/token`,
      { "content-type": "application/x-www-form-urlencoded" },
      form.toString(),
    );
    return reply.body.access_token;
  };
  const own = await tokenFor("https://management.azure.com");

  const ask: CloudForTests["ask"] = (method, url, body, how = {}) => {
    const token = how.token === undefined ? own : how.token;
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...how.headers,
    };
    return send(agent, method, url.startsWith("https:") ? url : `${management}${url}`, headers, textOf(body));
  };
  const settle: CloudForTests["settle"] = async (method, url, body, token) => {
    const how = token === undefined ? {} : { token };
    let reply = await ask(method, url, body, how);
    const next = String(
      reply.headers["azure-asyncoperation"] ?? (reply.status === 202 ? reply.headers["location"] : "") ?? "",
    );
    const deadline = Date.now() + 20_000;
    while (next !== "" && reply.status < 400) {
      reply = await ask("GET", next, undefined, how);
      if (reply.status !== 202 && reply.body?.status !== "InProgress") break;
      if (Date.now() > deadline) throw new Error(`${method} ${url} did not end`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return reply;
  };
  return { agent, ask, settle, tokenFor };
}
