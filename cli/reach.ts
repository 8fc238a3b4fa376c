// Finds the control plane that a command means. Its address and the audience of its tokens come together: from options,
// from variables, or from the stack's outputs through the Pulumi CLI, which a binding holds together. An address from
// one place never gets a token for an audience from another.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { type Command, Option } from "commander";
import { bindAudience } from "../bind-audience.ts";
import { tokenFor } from "../client/credential.ts";
import type { Access } from "../client/requests.ts";
import { endpointUnbound, endpointUnknown } from "../errors/cli.ts";
import { findPulumi } from "../toolchain/pulumi/bring.ts";

/** The options of every command that calls the control plane. */
export interface ReachOptions {
  readonly endpoint?: string;
  readonly stack?: string;
  readonly audience?: string;
  readonly json?: boolean;
}

/** An address and the audience of its tokens. */
interface Pair {
  readonly endpoint: string;
  readonly audience: string;
}

/** Adds the options that say where the control plane is and how to print the answer. */
export const withReachOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        "--endpoint <url>",
        "address of the control plane (default: output controlPlaneEndpoint of the stack)",
      ).env("BALLAST_ENDPOINT"),
    )
    .option("--stack <name>", "Pulumi stack that deployed the control plane (default: the one selected in this folder)")
    .addOption(
      new Option(
        "--audience <uri>",
        "audience of the token, given with --endpoint (default: output controlPlaneAudience of the stack)",
      ).env("BALLAST_AUDIENCE"),
    )
    .option("--json", "print JSON")
    .hook("preAction", refuseMixedSources);

/**
 * Refuses an address and an audience of which one is an option and the other a variable.
 *
 * A variable that is left from other work would get the token of another control plane sent to this one. A caller's own
 * token in BALLAST_TOKEN has its audience in it, so none is asked for.
 */
function refuseMixedSources(command: Command): void {
  // A pipeline sets the variables of what it does not have to nothing.
  for (const name of ["endpoint", "audience"])
    if (command.getOptionValueSource(name) === "env" && command.getOptionValue(name) === "")
      command.setOptionValueWithSource(name, undefined, undefined);
  if (process.env["BALLAST_TOKEN"]) return;
  const { endpoint, audience } = command.opts<ReachOptions>();
  if (endpoint === undefined || audience === undefined) return;
  if (command.getOptionValueSource("endpoint") !== command.getOptionValueSource("audience"))
    throw endpointUnbound({ endpoint, audience, why: "mixed" });
}

/**
 * Gives access to the control plane that the options mean.
 *
 * A call fails after five seconds without an answer, since a person is waiting.
 *
 * @throws cli-endpoint-unbound, cli-endpoint-unknown
 */
export async function reach(options: ReachOptions): Promise<Access> {
  const { endpoint, audience } = await pairOf(options);
  return { endpoint, token: tokenFor(audience), patienceSeconds: 5 };
}

async function pairOf({ endpoint, audience, stack }: ReachOptions): Promise<Pair> {
  if (endpoint === undefined) return await pairOfStack(stack, audience);
  if (audience === undefined && !process.env["BALLAST_TOKEN"]) throw endpointUnbound({ endpoint, why: "no audience" });
  return { endpoint, audience: audience ?? "" };
}

/** Reads the pair of a stack, of which the audience may be repeated by an option. */
async function pairOfStack(stack: string | undefined, audience: string | undefined): Promise<Pair> {
  const outputs = await outputsOf(stack);
  const found = boundPair({ ...outputs, ...(audience === undefined ? {} : { controlPlaneAudience: audience }) });
  if (found !== undefined) return found;
  throw endpointUnknown({
    stack: stackNamed(stack),
    reason: "it has not been deployed yet, or its program does not export it",
    isRead: true,
  });
}

/**
 * Gives the pair in a stack's outputs if their binding holds it together; undefined if there is no address.
 *
 * @throws cli-endpoint-unbound
 */
export function boundPair(outputs: Readonly<Record<string, unknown>>): Pair | undefined {
  const { controlPlaneEndpoint: endpoint, controlPlaneAudience: audience, controlPlaneBinding: binding } = outputs;
  if (typeof endpoint !== "string") return undefined;
  if (typeof audience !== "string" || typeof binding !== "string")
    throw endpointUnbound({ endpoint, why: "no binding" });
  if (bindAudience(endpoint, audience) !== binding) throw endpointUnbound({ endpoint, audience, why: "changed" });
  return { endpoint, audience };
}

const stackNamed = (stack: string | undefined): string =>
  stack ? `the stack ${stack}` : "the stack selected in this folder";

/** Where the demo and the emulator leave the settings of their stack. */
const lentSettings = [".ballast/environment", ".ballast-emulator/environment"];

/** Reads a stack's outputs. @throws cli-endpoint-unknown */
async function outputsOf(stack: string | undefined): Promise<Readonly<Record<string, unknown>>> {
  const pulumiCli = await findPulumi();
  const running = promisify(execFile)(
    pulumiCli.command,
    ["stack", "output", "--json", "--non-interactive", ...(stack ? ["--stack", stack] : [])],
    { env: { ...process.env, ...pulumiCli.environment } },
  );
  const { stdout } = await running.catch((error: Error & { stderr?: string }) => {
    const reason = (error.stderr?.trim().split("\n").at(-1) || error.message)
      .replace(/^error: /, "")
      .replace(/\.$/, "");
    const settings = process.env["PULUMI_BACKEND_URL"] ? undefined : lentSettings.find(existsSync);
    throw endpointUnknown({ stack: stackNamed(stack), reason, isRead: false, settings });
  });
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}
