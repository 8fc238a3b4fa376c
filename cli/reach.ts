// Finds the control plane that a command means. Its address and the audience of its tokens come from options, or from
// the stack's outputs through the Pulumi CLI.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Command, Option } from "commander";
import { tokenFor } from "../client/credential.ts";
import type { Access } from "../client/requests.ts";
import { endpointUnknown } from "../errors/cli.ts";
import { findPulumi } from "../toolchain/pulumi/bring.ts";

/** The options of every command that calls the control plane. */
export interface ReachOptions {
  readonly endpoint?: string;
  readonly stack?: string;
  readonly audience?: string;
  readonly json?: boolean;
}

/** The audience if neither an option nor the stack names one. */
const defaultAudience = "api://ballast";

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
        `audience of the token (default: output controlPlaneAudience of the stack, else ${defaultAudience})`,
      ).env("BALLAST_AUDIENCE"),
    )
    .option("--json", "print JSON");

/**
 * Gives access to the control plane that the options mean.
 *
 * A call fails after five seconds without an answer, since a person is waiting.
 */
export async function reach(options: ReachOptions): Promise<Access> {
  const found =
    options.endpoint === undefined
      ? await outputsOf(options.stack)
      : { endpoint: options.endpoint, audience: undefined };
  return {
    endpoint: found.endpoint,
    token: tokenFor(options.audience ?? found.audience ?? defaultAudience),
    patienceSeconds: 5,
  };
}

/** Reads the control plane's address and audience from a stack's outputs. @throws cli-endpoint-unknown */
async function outputsOf(
  stack: string | undefined,
): Promise<{ readonly endpoint: string; readonly audience: string | undefined }> {
  const pulumiCli = await findPulumi();
  const unknown = (reason: string, isRead: boolean): Error =>
    endpointUnknown({ stack: stack ? `the stack ${stack}` : "the stack selected in this folder", reason, isRead });
  const running = promisify(execFile)(
    pulumiCli.command,
    ["stack", "output", "--json", "--non-interactive", ...(stack ? ["--stack", stack] : [])],
    { env: { ...process.env, ...pulumiCli.environment } },
  );
  const { stdout } = await running.catch((error: Error & { stderr?: string }) => {
    throw unknown(
      (error.stderr?.trim().split("\n").at(-1) || error.message).replace(/^error: /, "").replace(/\.$/, ""),
      false,
    );
  });
  const { controlPlaneEndpoint: endpoint, controlPlaneAudience: audience } = JSON.parse(stdout) as Readonly<
    Record<string, unknown>
  >;
  if (typeof endpoint !== "string")
    throw unknown("it has not been deployed yet, or its program does not export it", true);
  return { endpoint, audience: typeof audience === "string" ? audience : undefined };
}
