// Finds the control plane and the rollout that a command means. The control plane's address and the audience of its
// tokens come from options, or from the stack's outputs through the Pulumi CLI. A rollout may be named as briefly
// as is unambiguous.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Command, Option } from "commander";
import { type ControlPlane, controlPlane, type RolloutName, type RolloutSummary } from "../client/control-plane.ts";
import { tokenFor } from "../client/credential.ts";
import { sameName } from "../engines/rollout/weights.ts";
import { endpointUnknown, rolloutAmbiguous, rolloutNameUnclear, rolloutUnknown } from "../errors/cli.ts";
import { bringPulumi } from "../toolchain/pulumi/bring.ts";

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

/** How a rollout is named in an argument, for help texts. */
export const rolloutNaming = `
<rollout> is <app> for the app's newest rollout, <app>/<revision>, or <resource group>/<app>/<revision>.`;

/**
 * Gives the control plane that the options mean.
 *
 * It fails after five seconds without an answer, since a person is waiting.
 */
export async function reach(options: ReachOptions): Promise<ControlPlane> {
  const found =
    options.endpoint === undefined
      ? await outputsOf(options.stack)
      : { endpoint: options.endpoint, audience: undefined };
  return controlPlane({
    endpoint: found.endpoint,
    token: tokenFor(options.audience ?? found.audience ?? defaultAudience),
    patienceSeconds: 5,
  });
}

/**
 * Finds the rollout that a name means: the newest of an app, the newest of a revision, or exactly one.
 *
 * A short name is looked up in the control plane's list, so it needs to be unambiguous only now, not for ever.
 *
 * @throws cli-rollout-name-unclear, cli-rollout-unknown, cli-rollout-ambiguous, and the error of a journal that cannot
 * be read if it may be the one that is meant
 */
export async function find(plane: ControlPlane, name: string): Promise<RolloutSummary> {
  const parts = name.replace(/^rollout\//, "").split("/");
  if (parts.length > 3 || parts.includes("")) throw rolloutNameUnclear({ name });
  const [resourceGroup, app, revision] = (parts.length === 3 ? parts : [undefined, ...parts]) as [
    string | undefined,
    string,
    string?,
  ];
  if (resourceGroup && revision) {
    const rollout = await plane.show({ resourceGroup, app, revision });
    if (!rollout) throw rolloutUnknown({ name });
    return rollout;
  }
  const { rollouts, unreadable } = await plane.list({ app });
  // An unreadable rollout may be the newest. An older one in its place would be the wrong one.
  const broken = unreadable.find(({ id }) => !revision || sameName(id.split("/").at(-1)!, revision));
  if (broken) throw broken.error;
  const fitting = rollouts.filter((one) => sameName(one.app, app) && (!revision || sameName(one.revision, revision)));
  const groups = [...new Set(fitting.map((one) => one.resourceGroup.toLowerCase()))];
  if (groups.length > 1) throw rolloutAmbiguous({ name, groups });
  const [newest] = fitting;
  if (!newest) throw rolloutUnknown({ name });
  return newest;
}

/** Gives the full name of a rollout, which `find` understands. */
export const nameOf = ({ resourceGroup, app, revision }: RolloutName): string => `${resourceGroup}/${app}/${revision}`;

/** Reads the control plane's address and audience from a stack's outputs. @throws cli-endpoint-unknown */
async function outputsOf(
  stack: string | undefined,
): Promise<{ readonly endpoint: string; readonly audience: string | undefined }> {
  const pulumiCli = await bringPulumi({ report: (line) => void process.stderr.write(`${line}\n`) });
  const unknown = (reason: string): Error =>
    endpointUnknown({ stack: stack ? `The stack ${stack}` : "The stack selected in this folder", reason });
  const running = promisify(execFile)(
    pulumiCli.command,
    ["stack", "output", "--json", "--non-interactive", ...(stack ? ["--stack", stack] : [])],
    { env: { ...process.env, ...pulumiCli.environment } },
  );
  const { stdout } = await running.catch((error: Error & { stderr?: string }) => {
    throw unknown(
      (error.stderr?.trim().split("\n").at(-1) || error.message).replace(/^error: /, "").replace(/\.$/, ""),
    );
  });
  const { controlPlaneEndpoint: endpoint, controlPlaneAudience: audience } = JSON.parse(stdout) as Readonly<
    Record<string, unknown>
  >;
  if (typeof endpoint !== "string") throw unknown("it has not been deployed yet, or its program does not export it");
  return { endpoint, audience: typeof audience === "string" ? audience : undefined };
}
