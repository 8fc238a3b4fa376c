// What `ballast doctor` looks at: a stack, as the Pulumi engine tells of it, and the cloud that it names. It reads the stack's configuration and state
// without their secrets, and asks Azure as whoever runs it. Nothing is judged here.
import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { promisify } from "node:util";
import { type Dispatcher, fetch } from "undici";
import { tokenFor } from "../../client/credential.ts";
import { reasonOf } from "../../client/requests.ts";
import { parseConfig } from "../../config.ts";
import { fetchDispatcher } from "../../connect-to.ts";
import { doctorAzureUnreachable, doctorStackUnreadable } from "../../errors/doctor.ts";
import type { PulumiEngine } from "../../toolchain/pulumi/bring.ts";
import { type ReleasedApp, type Stack, stackOfSettings } from "./stack.ts";
import { type StateResource, stackOfState } from "./state.ts";

/** What Azure answered, refusals included. */
export interface Answer {
  readonly status: number;
  readonly body: any;
}

/** Asks Resource Manager by a path and a version. @throws doctor-azure-unreachable, release-not-signed-in */
export type Ask = (method: "GET" | "POST", path: string, version: string, body?: object) => Promise<Answer>;

/** A stack and the ways to what it deploys. */
export interface Patient {
  readonly stack: Stack;
  readonly ask: Ask;
  /** Runs a query over a workspace's rows. */
  readonly query: (workspace: string, kql: string) => Promise<Answer>;
  /** Sends one request to an app, as a user does, and gives its status. */
  readonly visit: (url: string) => Promise<number>;
  /** Gives the addresses that a name leads to from here; none where it is not known here. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

/** One of the stack's apps, and the same ways. */
export interface AppPatient extends Patient {
  readonly app: ReleasedApp;
}

/** Who is asked for tokens, by their audience. */
export type Tokens = (audience: string) => () => Promise<string>;

const patienceMilliseconds = 15_000;
/** A state is longer than what a child may say by default. */
const stateBytesMax = 256 * 2 ** 20;

/** Gives the patient that a stack is. BALLAST_TOKEN is the control plane's alone and is not shown to Azure. */
export function patientOf(
  stack: Stack,
  tokens: Tokens = (audience) => tokenFor(audience, { ...process.env, BALLAST_TOKEN: "" }),
): Patient {
  const dispatcher = fetchDispatcher();
  const { resourceManager, logs } = stack.doors;
  const [armToken, logsToken] = [tokens(resourceManager), tokens(logs)];
  const asked = async (method: string, url: string, token: () => Promise<string>, body?: object): Promise<Answer> => {
    const authorization = `Bearer ${await token()}`;
    return await reached(
      dispatcher,
      method,
      url,
      { authorization, ...(body && { "content-type": "application/json" }) },
      body,
    );
  };
  return {
    stack,
    ask: (method, path, version, body) =>
      asked(method, `${resourceManager}${path}?api-version=${version}`, armToken, body),
    query: (workspace, kql) => asked("POST", `${logs}/v1/workspaces/${workspace}/query`, logsToken, { query: kql }),
    visit: async (url) => (await reached(dispatcher, "GET", url, {})).status,
    resolve: async (host) => (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address),
  };
}

async function reached(
  dispatcher: Dispatcher,
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: object,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method,
      headers,
      dispatcher,
      redirect: "manual",
      signal: AbortSignal.timeout(patienceMilliseconds),
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: /json/.test(response.headers.get("content-type") ?? "") && text !== "" ? JSON.parse(text) : undefined,
    };
  } catch (error) {
    throw doctorAzureUnreachable({ host: new URL(url).host, reason: reasonOf(error) });
  }
}

/**
 * Reads a stack by the engine: by its settings where it has settings of this repository's own program, which say all before the first `pulumi up`, else by its state.
 *
 * @throws doctor-stack-unreadable, doctor-plane-undeployed, and what a preview would refuse of its configuration
 */
export async function stackNamed(engine: PulumiEngine, name: string): Promise<Stack> {
  const config = JSON.parse(await told(engine, name, ["config", "--json"])) as Readonly<
    Record<string, { readonly value?: string; readonly secret: boolean }>
  >;
  if (!Object.keys(config).some((key) => key.startsWith("ballast:"))) {
    const { deployment } = JSON.parse(await told(engine, name, ["stack", "export"])) as {
      readonly deployment: { readonly resources?: readonly StateResource[] };
    };
    return stackOfState(name, deployment.resources ?? []);
  }
  const outputs = JSON.parse(await told(engine, name, ["stack", "output", "--json"])) as Readonly<
    Record<string, unknown>
  >;
  const endpoint = outputs["controlPlaneEndpoint"];
  const secrets = Object.keys(config).filter((key) => config[key]!.secret);
  // A secret is not shown and need not be: that there is one is all that is asked.
  return stackOfSettings(
    parseConfig(
      Object.fromEntries(Object.entries(config).map(([key, { value }]) => [key, value ?? "not shown"])),
      secrets,
    ),
    typeof endpoint === "string" ? endpoint : undefined,
  );
}

async function told(engine: PulumiEngine, stack: string, args: readonly string[]): Promise<string> {
  try {
    return (
      await promisify(execFile)(engine.command, [...args, "--stack", stack, "--non-interactive"], {
        env: { ...process.env, ...engine.environment },
        maxBuffer: stateBytesMax,
      })
    ).stdout;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw doctorStackUnreadable({
      stack,
      reason: (stderr?.trim().split("\n").at(-1) || message).replace(/^error: /, "").replace(/\.$/, ""),
    });
  }
}
