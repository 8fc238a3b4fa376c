// From what a person types to the control plane and the rollout they mean. The address comes from an option, else from
// the stack's output by way of the Pulumi engine; the rollout by as much of its name as is needed.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Option, type Command } from "commander";
import { endpointUnknown, rolloutAmbiguous, rolloutNameUnclear, rolloutUnknown } from "../errors/cli.ts";
import { controlPlane, type ControlPlane, type RolloutName, type Shown } from "../provider/control-plane.ts";
import { tokenFor } from "../provider/credential.ts";
import { bringEngine } from "../toolchain/engine.ts";

/** What every command may be told of the control plane that it means. */
export interface ReachOptions {
  readonly endpoint?: string;
  readonly stack?: string;
  readonly audience: string;
  readonly json?: boolean;
}

/** Adds the options that say where the control plane is and how to answer. */
export const reachable = (command: Command): Command => command
  .addOption(new Option("--endpoint <url>", "the control plane's address (default: output controlPlaneEndpoint of the stack)").env("BALLAST_ENDPOINT"))
  .option("--stack <name>", "the Pulumi stack that deployed it (default: the one selected in this folder)")
  .option("--audience <uri>", "whom its tokens are for", "api://ballast")
  .option("--json", "answer in JSON");

/** Gives the control plane that the options mean. A person is waiting, so an absent one is given up after five seconds. */
export async function reach(options: ReachOptions): Promise<ControlPlane> {
  const endpoint = options.endpoint ?? (await endpointOfStack(options.stack));
  return controlPlane({ endpoint, token: tokenFor(options.audience), patienceSeconds: 5 });
}

/**
 * Finds the rollout that a name means: the newest of an app, the one of a revision, or exactly one.
 *
 * A short name is looked up among those that the control plane lists, so that it need not be unique for ever, only now.
 */
export async function find(plane: ControlPlane, name: string): Promise<Shown> {
  const parts = name.replace(/^rollout\//, "").split("/");
  if (parts.length > 3 || parts.includes("")) throw rolloutNameUnclear({ name });
  const [resourceGroup, app, revision] = (parts.length === 3 ? parts : [undefined, ...parts]) as [string | undefined, string, string?];
  if (resourceGroup && revision) {
    const shown = await plane.show({ resourceGroup, app, revision });
    if (!shown) throw rolloutUnknown({ name });
    return shown;
  }
  const { rollouts, unreadable } = await plane.list({ app });
  // One that cannot be read may be the one that is meant, and an older one in its place would be the wrong one.
  const broken = unreadable.find(({ id }) => !revision || same(id.split("/").at(-1)!, revision));
  if (broken) throw broken.error;
  const fitting = rollouts.filter((one) => same(one.app, app) && (!revision || same(one.revision, revision)));
  const groups = [...new Set(fitting.map((one) => one.resourceGroup.toLowerCase()))];
  if (groups.length > 1) throw rolloutAmbiguous({ name, groups });
  const [newest] = fitting;
  if (!newest) throw rolloutUnknown({ name });
  return newest;
}

/** Names a rollout as `find` understands it. */
export const nameOf = ({ resourceGroup, app, revision }: RolloutName): string => `${resourceGroup}/${app}/${revision}`;

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

async function endpointOfStack(stack: string | undefined): Promise<string> {
  const engine = await bringEngine({ report: (line) => void process.stderr.write(`${line}\n`) });
  const args = ["stack", "output", "controlPlaneEndpoint", "--non-interactive", ...(stack ? ["--stack", stack] : [])];
  try {
    const { stdout } = await promisify(execFile)(engine.command, args, { env: { ...process.env, ...engine.environment } });
    return stdout.trim();
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const reason = (stderr?.trim().split("\n").at(-1) || message).replace(/^error: /, "").replace(/\.$/, "");
    throw endpointUnknown({ stack: stack ? `The stack ${stack}` : "The stack selected in this folder", reason });
  }
}
