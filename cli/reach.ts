// From what a person types to the control plane and the rollout they mean. Its address and whom its tokens are for come from options, else from
// the stack's outputs by way of the Pulumi engine; the rollout by as much of its name as is needed.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Command, Option } from "commander";
import { type ControlPlane, controlPlane, type RolloutName, type Shown } from "../client/control-plane.ts";
import { tokenFor } from "../client/credential.ts";
import { endpointUnknown, rolloutAmbiguous, rolloutNameUnclear, rolloutUnknown } from "../errors/cli.ts";
import { bringEngine } from "../toolchain/pulumi/bring.ts";

/** What every command may be told of the control plane that it means. */
export interface ReachOptions {
  readonly endpoint?: string;
  readonly stack?: string;
  readonly audience?: string;
  readonly json?: boolean;
}

/** Whom tokens are for where nobody says it. */
const usualAudience = "api://ballast";

/** Adds the options that say where the control plane is and how to answer. */
export const reachable = (command: Command): Command =>
  command
    .addOption(
      new Option(
        "--endpoint <url>",
        "the control plane's address (default: output controlPlaneEndpoint of the stack)",
      ).env("BALLAST_ENDPOINT"),
    )
    .option("--stack <name>", "the Pulumi stack that deployed it (default: the one selected in this folder)")
    .addOption(
      new Option(
        "--audience <uri>",
        `whom its tokens are for (default: output controlPlaneAudience of the stack, else ${usualAudience})`,
      ).env("BALLAST_AUDIENCE"),
    )
    .option("--json", "answer in JSON");

/** Gives the control plane that the options mean. A person is waiting, so an absent one is given up after five seconds. */
export async function reach(options: ReachOptions): Promise<ControlPlane> {
  const told =
    options.endpoint === undefined
      ? await outputsOf(options.stack)
      : { endpoint: options.endpoint, audience: undefined };
  return controlPlane({
    endpoint: told.endpoint,
    token: tokenFor(options.audience ?? told.audience ?? usualAudience),
    patienceSeconds: 5,
  });
}

/**
 * Finds the rollout that a name means: the newest of an app, the one of a revision, or exactly one.
 *
 * A short name is looked up among those that the control plane lists, so that it need not be unique for ever, only now.
 */
export async function find(plane: ControlPlane, name: string): Promise<Shown> {
  const parts = name.replace(/^rollout\//, "").split("/");
  if (parts.length > 3 || parts.includes("")) throw rolloutNameUnclear({ name });
  const [resourceGroup, app, revision] = (parts.length === 3 ? parts : [undefined, ...parts]) as [
    string | undefined,
    string,
    string?,
  ];
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

/** Reads what a stack tells of its control plane. A program that does not say whom tokens are for has the usual audience. */
async function outputsOf(
  stack: string | undefined,
): Promise<{ readonly endpoint: string; readonly audience: string | undefined }> {
  const engine = await bringEngine({ report: (line) => void process.stderr.write(`${line}\n`) });
  const unknown = (reason: string): Error =>
    endpointUnknown({ stack: stack ? `The stack ${stack}` : "The stack selected in this folder", reason });
  const asked = promisify(execFile)(
    engine.command,
    ["stack", "output", "--json", "--non-interactive", ...(stack ? ["--stack", stack] : [])],
    { env: { ...process.env, ...engine.environment } },
  );
  const { stdout } = await asked.catch((error: Error & { stderr?: string }) => {
    throw unknown(
      (error.stderr?.trim().split("\n").at(-1) || error.message).replace(/^error: /, "").replace(/\.$/, ""),
    );
  });
  const { controlPlaneEndpoint: endpoint, controlPlaneAudience: audience } = JSON.parse(stdout) as Readonly<
    Record<string, unknown>
  >;
  if (typeof endpoint !== "string") throw unknown("its program has not been deployed yet, or does not export it");
  return { endpoint, audience: typeof audience === "string" ? audience : undefined };
}
