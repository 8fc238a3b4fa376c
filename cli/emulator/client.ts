// A client of a running emulator: calls its Resource Manager API and its own controls, signed in as its one
// client. It uses the address and the certificate authority in the folder, so that nothing in the caller's
// environment can lead elsewhere.
import { readFileSync } from "node:fs";
import https from "node:https";
import type { Command } from "commander";
import type { RunningEmulator } from "../../emulator/start.ts";
import { emulatorNotUp, emulatorRefused } from "../../errors/cli.ts";
import { textOf } from "../../http-answer.ts";
import { folderNamed, folderStateOf, type Running } from "./folder.ts";
import { upCommandLine } from "./lines.ts";

/** The options of every command of the group. */
export interface FolderOptions {
  readonly folder?: string;
  readonly json?: boolean;
}

/** Adds the options that name the emulator's folder and the output format. */
export const withFolderOptions = (command: Command): Command =>
  command
    .option("--folder <path>", "folder of the emulator (default: .ballast-emulator)")
    .option("--json", "print JSON");

/** Calls `path` on the emulator's host. @throws cli-emulator-refused with the emulator's message */
// biome-ignore lint/suspicious/noExplicitAny: each path has its own answer, of which a command reads a few fields.
export type EmulatorCall = (method: "GET" | "POST", path: string, body?: object) => Promise<any>;

/** A running emulator, and the means to call it. */
export interface EmulatorClient {
  readonly folder: string;
  readonly running: Running;
  readonly cloud: Omit<RunningEmulator, "close">;
  /** Valid for an hour at Resource Manager and at the emulator's controls. */
  readonly token: string;
  readonly ask: EmulatorCall;
}

const patienceSeconds = 15;
/** The emulator answers with at most 20,000 rows or lines of logs. */
const answerBytesMax = 256 * 2 ** 20;

/** Signs in to the emulator of a folder. @throws cli-emulator-not-up if none is running on it, or it does not answer */
export async function emulatorClient(named: string | undefined): Promise<EmulatorClient> {
  const folder = folderNamed(named);
  const state = folderStateOf(folder);
  const notUp = () => emulatorNotUp({ folder, start: upCommandLine(named) });
  if (state.kind !== "up") throw notUp();
  const { running } = state;
  const cloud = running.cloud!;
  const agent = new https.Agent({ ca: readFileSync(cloud.caFile) });
  const send = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
    const { status, text } = await request(agent, cloud.port, method, path, headers, body);
    const answer = text === "" ? undefined : JSON.parse(text);
    if (status >= 400)
      throw emulatorRefused({
        reason: String(answer?.error_description ?? answer?.error?.message ?? status).replace(/\.?$/, "."),
      });
    return answer;
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
    throw error.code === undefined ? error : notUp();
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
    const sent = https.request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        agent,
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
        timeout: patienceSeconds * 1000,
      },
      (response) =>
        void textOf(response, { bytesMax: answerBytesMax, seconds: patienceSeconds }).then(
          (text) => resolve({ status: response.statusCode ?? 0, text }),
          reject,
        ),
    );
    sent
      .on("timeout", () => sent.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })))
      .on("error", reject)
      .end(body);
  });
}
