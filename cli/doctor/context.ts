// The context that the checks of `ballast doctor` run in: a stack, and calls to the cloud that it is deployed to. The
// stack is read through the Pulumi CLI without its secrets, and Azure is called as the person who runs the command.
import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { promisify } from "node:util";
import type { Dispatcher } from "undici";
import { tokenFor } from "../../client/credential.ts";
import { reasonOf } from "../../client/requests.ts";
import { parseConfig } from "../../config.ts";
import { fetchDispatcher, fetchLate } from "../../connect-to.ts";
import { doctorAzureUnreachable, doctorStackUnnamed, doctorStackUnreadable } from "../../errors/doctor.ts";
import { textOf } from "../../http-answer.ts";
import type { PulumiCli } from "../../toolchain/pulumi/bring.ts";
import type { Answer } from "./azure-answer.ts";
import { type ReleasedApp, type Stack, stackOfSettings } from "./stack.ts";
import { type StateResource, stackOfState } from "./state.ts";

/**
 * Calls Resource Manager with a path and an API version. A list comes whole, whatever pages Azure gives it in, so that
 * no check takes what a later page has for absent.
 *
 * @throws doctor-azure-unreachable, release-not-signed-in
 */
export type Ask = (method: "GET" | "POST", path: string, version: string, body?: object) => Promise<Answer>;

const pagesMax = 100;

/** Joins the pages of a list; gives another answer as it is, and the first page that cannot be read. */
const withPages =
  (ask: Ask): Ask =>
  async (method, path, version, body) => {
    const found: unknown[] = [];
    let next = path;
    for (let page = 0; page < pagesMax; page++) {
      const answer = await ask(method, next, version, body);
      if (method !== "GET" || answer.status !== 200 || !Array.isArray(answer.body?.value)) return answer;
      found.push(...answer.body.value);
      const link = URL.parse(answer.body.nextLink ?? "");
      if (link === null) return { ...answer, body: { ...answer.body, value: found } };
      // The token goes to no other host, whatever a link says.
      link.searchParams.delete("api-version");
      next = `${link.pathname}${link.search}`;
    }
    throw new Error(`${path} has more than ${pagesMax} pages`);
  };

/** A stack, and the calls that its checks make. */
export interface Context {
  readonly stack: Stack;
  readonly ask: Ask;
  /** Runs a query over a workspace's rows. */
  readonly query: (workspace: string, kql: string) => Promise<Answer>;
  /** Sends one request to an app, as a user would, and gives its status. */
  readonly visit: (url: string) => Promise<number>;
  /** Resolves a host name on this machine; gives no addresses if it does not resolve. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

/** The context for the checks of one of the stack's apps. */
export interface AppContext extends Context {
  readonly app: ReleasedApp;
}

/** Gives a source of tokens for an audience. */
export type Tokens = (audience: string) => () => Promise<string>;

const patienceSeconds = 15;
const answerBytesMax = 64 * 2 ** 20;
/** A stack's state can exceed the output that a child process may write by default. */
const stateBytesMax = 256 * 2 ** 20;

/** Makes the context of a stack. BALLAST_TOKEN is for the control plane only, so it is never sent to Azure. */
export function contextOf(
  stack: Stack,
  tokens: Tokens = (audience) => tokenFor(audience, { ...process.env, BALLAST_TOKEN: "" }),
): Context {
  const dispatcher = fetchDispatcher();
  const { resourceManager, logs } = stack.endpoints;
  const [armToken, logsToken] = [tokens(resourceManager), tokens(logs)];
  const ask = async (method: string, url: string, token: () => Promise<string>, body?: object): Promise<Answer> => {
    const authorization = `Bearer ${await token()}`;
    const headers = { authorization, ...(body && { "content-type": "application/json" }) };
    return await send(dispatcher, method, url, headers, body);
  };
  return {
    stack,
    ask: withPages((method, path, version, body) =>
      ask(method, `${resourceManager}${path}${path.includes("?") ? "&" : "?"}api-version=${version}`, armToken, body),
    ),
    query: (workspace, kql) => ask("POST", `${logs}/v1/workspaces/${workspace}/query`, logsToken, { query: kql }),
    visit: async (url) => (await send(dispatcher, "GET", url, {})).status,
    resolve: async (host) => (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address),
  };
}

async function send(
  dispatcher: Dispatcher,
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: object,
): Promise<Answer> {
  try {
    const response = await fetchLate(url, {
      method,
      headers,
      dispatcher,
      redirect: "manual",
      signal: AbortSignal.timeout(patienceSeconds * 1000),
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await textOf(response.body, { bytesMax: answerBytesMax, seconds: patienceSeconds });
    return {
      status: response.status,
      body: /json/.test(response.headers.get("content-type") ?? "") && text !== "" ? JSON.parse(text) : undefined,
    };
  } catch (error) {
    throw doctorAzureUnreachable({ host: new URL(url).host, reason: reasonOf(error) });
  }
}

/**
 * Gives the name of the stack that a person means without naming one: the selected one, or the only one.
 *
 * @throws doctor-stack-unnamed, doctor-stack-unreadable
 */
export async function chosenStack(pulumiCli: PulumiCli): Promise<string> {
  const stacks = JSON.parse(await pulumi(pulumiCli, undefined, ["stack", "ls", "--json"])) as readonly {
    readonly name: string;
    readonly current: boolean;
  }[];
  const chosen = stacks.find(({ current }) => current) ?? (stacks.length === 1 ? stacks[0] : undefined);
  if (chosen === undefined) throw doctorStackUnnamed({ stacks: stacks.map(({ name }) => name) });
  return chosen.name;
}

/**
 * Reads a stack through the Pulumi CLI.
 *
 * A stack with configuration of this repository's own program is read from that, which is complete before the first
 * `pulumi up`. A stack of any other program is read from its state.
 *
 * @throws doctor-stack-unreadable, doctor-plane-undeployed, and the errors that a preview gives
 * for invalid configuration
 */
export async function stackNamed(pulumiCli: PulumiCli, name: string, configFile?: string): Promise<Stack> {
  const file = configFile === undefined ? [] : ["--config-file", configFile];
  const config = JSON.parse(await pulumi(pulumiCli, name, ["config", "--json", ...file])) as Readonly<
    Record<string, { readonly value?: string; readonly secret: boolean }>
  >;
  if (!Object.keys(config).some((key) => key.startsWith("ballast:"))) {
    const { deployment } = JSON.parse(await pulumi(pulumiCli, name, ["stack", "export"])) as {
      readonly deployment: { readonly resources?: readonly StateResource[] };
    };
    return stackOfState(name, deployment.resources ?? []);
  }
  const outputs = JSON.parse(await pulumi(pulumiCli, name, ["stack", "output", "--json"])) as Readonly<
    Record<string, unknown>
  >;
  const { controlPlaneEndpoint: endpoint, controlPlaneBinding: binding } = outputs;
  const secrets = Object.keys(config).filter((key) => config[key]!.secret);
  // The checks need to know that a secret is set, not its value, which the Pulumi CLI leaves out.
  const values = Object.entries(config).map(([key, { value }]) => [key, value ?? "not shown"]);
  return stackOfSettings(
    parseConfig(Object.fromEntries(values), secrets),
    typeof endpoint === "string" ? endpoint : undefined,
    typeof binding === "string" ? binding : undefined,
  );
}

/** Runs the Pulumi CLI on a stack and gives its output. @throws doctor-stack-unreadable */
async function pulumi(pulumiCli: PulumiCli, stack: string | undefined, args: readonly string[]): Promise<string> {
  try {
    return (
      await promisify(execFile)(
        pulumiCli.command,
        [...args, ...(stack === undefined ? [] : ["--stack", stack]), "--non-interactive"],
        {
          env: { ...process.env, ...pulumiCli.environment },
          maxBuffer: stateBytesMax,
        },
      )
    ).stdout;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw doctorStackUnreadable({
      stack: stack === undefined ? "of this folder" : stack,
      reason: (stderr?.trim().split("\n").at(-1) || message).replace(/^error: /, "").replace(/\.$/, ""),
    });
  }
}
