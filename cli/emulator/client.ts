// Asks a running `ballast local` cloud: its Resource Manager and its own controls, signed in as its one client. By the address and the
// authority in the folder, so that nothing of the caller's environment can lead elsewhere.
import { readFileSync } from "node:fs";
import https from "node:https";
import type { Command } from "commander";
import type { LocalCloud } from "../../emulator/start.ts";
import { localNotUp, localRefused } from "../../errors/cli.ts";
import { folderNamed, type Running, standingOf } from "./folder.ts";
import { commandLine } from "./lines.ts";

/** What every command of the group may be told. */
export interface LocalOptions {
  readonly folder?: string;
  readonly json?: boolean;
}

/** Adds the options that say which cloud is meant and how to answer. */
export const onFolder = (command: Command): Command =>
  command
    .option("--folder <path>", "the cloud's folder (default: .ballast-local here)")
    .option("--json", "answer in JSON");

/** A cloud that answers. */
export interface LocalClient {
  readonly folder: string;
  readonly running: Running;
  readonly cloud: Omit<LocalCloud, "close">;
  /** Good for an hour at Resource Manager and at the stand-in's controls. */
  readonly token: string;
  /** Asks `path` of Resource Manager's host. @throws cli-local-refused in the stand-in's words. */
  readonly ask: (method: "GET" | "POST", path: string, body?: object) => Promise<any>;
}

const patienceMilliseconds = 15_000;

/** Signs in to the cloud of a folder. @throws cli-local-not-up where none runs on it, or it does not answer. */
export async function localClient(named: string | undefined): Promise<LocalClient> {
  const folder = folderNamed(named);
  const standing = standingOf(folder);
  const absent = () => localNotUp({ folder, start: commandLine(`local up${named ? ` --folder ${named}` : ""}`) });
  if (standing.kind !== "up") throw absent();
  const { running } = standing;
  const cloud = running.cloud!;
  const agent = new https.Agent({ ca: readFileSync(cloud.caFile) });
  const send = async (method: string, path: string, headers: Record<string, string>, body?: string): Promise<any> => {
    const { status, text } = await request(agent, cloud.port, method, path, headers, body);
    const said = text === "" ? undefined : JSON.parse(text);
    if (status >= 400)
      throw localRefused({
        reason: String(said?.error_description ?? said?.error?.message ?? status).replace(/\.?$/, "."),
      });
    return said;
  };
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: cloud.client.id,
    client_secret: cloud.client.secret,
    scope: "https://management.azure.com/.default",
  });
  const signedIn = await send(
    "POST",
    `/${cloud.tenant}/oauth2/v2.0/token`,
    { "content-type": "application/x-www-form-urlencoded" },
    form.toString(),
  ).catch((error: NodeJS.ErrnoException) => {
    throw error.code === undefined ? error : absent();
  });
  const token: string = signedIn.access_token;
  return {
    folder,
    running,
    cloud,
    token,
    ask: (method, path, body) =>
      send(
        method,
        path,
        { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
        body && JSON.stringify(body),
      ),
  };
}

function request(
  agent: https.Agent,
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body = "",
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = https.request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        agent,
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
        timeout: patienceMilliseconds,
      },
      (response) => {
        let text = "";
        response
          .setEncoding("utf8")
          .on("data", (part: string) => {
            text += part;
          })
          .on("end", () => resolve({ status: response.statusCode ?? 0, text }))
          .on("error", reject);
      },
    );
    asked
      .on("timeout", () => asked.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })))
      .on("error", reject)
      .end(body);
  });
}
