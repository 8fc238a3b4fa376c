// A whole stand-in cloud for one test file, asked over its own TLS port with raw requests: SDKs hide and add fields, so what the
// server really says is looked at here. Nothing is shared between files, and nothing is left when it is closed.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { httpsAgent } from "../../../connect-to.ts";
import type { LocalCloudOptions } from "../../../emulator/arm/resource.ts";
import { type LocalCloud, startLocalCloud } from "../../../emulator/start.ts";

export interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: any;
}

export interface CloudForTests {
  readonly cloud: LocalCloud;
  /** An agent that knows the way and trusts the cloud's CA; for SDK clients. */
  readonly agent: https.Agent;
  readonly folder: string;
  /** Sends one request, with the fixed client's token unless another (or none) is given. */
  readonly ask: (
    method: string,
    url: string,
    body?: unknown,
    how?: { readonly token?: string | null; readonly headers?: Record<string, string> },
  ) => Promise<Reply>;
  /** Puts, patches or deletes and follows the operation to its end; gives the last answer. */
  readonly settle: (method: string, url: string, body?: unknown, token?: string) => Promise<Reply>;
  readonly tokenFor: (resource: string) => Promise<string>;
  /** Ends it. @throws when an answer of its Resource Manager did not fit Azure's schemas, whether a test looked at it or not. */
  readonly close: () => Promise<void>;
}

export const management = "https://management.ballast.localhost";

// Answers with its revision, so that a test sees which one it met; healthy at once.
const web = `import http from "node:http";
http.createServer((request, response) => response.end(JSON.stringify(request.url === "/environment" ? process.env : { revision: process.env.CONTAINER_APP_REVISION, pid: process.pid }))).listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

/** An app may answer with anything, the ingress with plain text. */
function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

/** Writes the image `web` into a folder and gives it as options name it. */
export function webImage(folder: string): LocalCloudOptions["images"] {
  mkdirSync(path.join(folder, "web"));
  writeFileSync(path.join(folder, "web", "main.mjs"), web);
  return { web: { folder: path.join(folder, "web"), entry: "main.mjs" } };
}

/** Starts a cloud with the image `web`. */
export async function startCloudForTests(options: Partial<LocalCloudOptions> = {}): Promise<CloudForTests> {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-cloud-"));
  const untruths: string[] = [];
  const cloud = await startLocalCloud({
    untrueAnswer: (problem) => untruths.push(problem),
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
      if (untruths.length > 0)
        throw new Error(`answers of the stand-in were not Azure's: ${[...new Set(untruths)].join("\n")}`);
    },
  };
}

/** Signs in to a cloud, wherever it runs, and asks it. */
export async function rawClient(
  cloud: Omit<LocalCloud, "close">,
): Promise<Pick<CloudForTests, "agent" | "ask" | "settle" | "tokenFor">> {
  const agent = httpsAgent({ suffix: cloud.suffix, host: "127.0.0.1", port: cloud.port });
  agent.options.ca = readFileSync(cloud.caFile, "utf8");

  const send = (
    method: string,
    url: string,
    headers: Record<string, string>,
    text: string | undefined,
  ): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const request = https.request(
        url,
        {
          method,
          agent,
          headers: { ...headers, ...(text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) }) },
        },
        (response) => {
          let said = "";
          response
            .setEncoding("utf8")
            .on("data", (part: string) => {
              said += part;
            })
            .on("error", reject);
          response.on("end", () =>
            resolve({ status: response.statusCode!, headers: response.headers, body: parsed(said) }),
          );
        },
      );
      request.on("error", reject).end(text);
    });

  const tokenFor = async (resource: string): Promise<string> => {
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: cloud.client.id,
      client_secret: cloud.client.secret,
      scope: `${resource}/.default`,
    });
    const reply = await send(
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
    return send(
      method,
      url.startsWith("https:") ? url : `${management}${url}`,
      headers,
      body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    );
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
