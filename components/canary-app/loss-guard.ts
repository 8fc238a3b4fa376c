// Keeps an update from taking settings of the live app. The transforms of a stack may add tags or a sidecar, and
// ignoreChanges leaves settings as they are, so the arguments alone do not show what an update sends. A hook of the
// update sees it. It runs exactly when the app will be written: at preview, and again before the first write.
import * as pulumi from "@pulumi/pulumi";
import { canaryAppMayLose } from "../../errors/canary-app.ts";
import { refusal, say, takesHooks } from "../conventions.ts";
import { lossesBy, type Planned, refuseLosses, type Unsaid } from "./adopt.ts";
import { hookNames } from "./hook-names.ts";
import { hole, knownParts } from "./known-parts.ts";
import type { Live } from "./take-over.ts";

/**
 * Returns the hook that refuses an update which would take a setting of the live app.
 *
 * A preview cannot say what a transform adds to an argument that it hides, since a value in it is not known. It then
 * warns of what the program does not say, and the update decides.
 *
 * @throws canary-app-losses, canary-app-scope-changes
 */
export function lossGuard(
  name: string,
  unsaid: Unsaid,
  live: pulumi.Output<Live>,
  parent: pulumi.Resource,
): pulumi.ResourceHookBinding {
  if (!takesHooks()) return {};
  const compare = async ({ newInputs }: pulumi.ResourceHookArgs): Promise<void> => {
    const known = await knownParts({ live, sent: newInputs });
    const { found, planned } = known["live"] as Partial<Live>;
    if (found === undefined || planned === undefined) return;
    const sent = known["sent"] as Planned & { readonly containerAppName?: string };
    const app = sent.containerAppName ?? name;
    refuseLosses(app, found, sent, unsaid);
    const losses = lossesBy(found, withProgram(sent, planned()), unsaid);
    if (losses.length > 0) await say(canaryAppMayLose({ app, losses: losses.flatMap(({ lost }) => lost) }), parent);
  };
  const hook = new pulumi.ResourceHook(
    hookNames(name)("nothing-lost"),
    (args) =>
      compare(args).catch((error) => {
        throw refusal(error);
      }),
    { onDryRun: true },
  );
  return { beforeUpdate: [hook] };
}

/** Gives what is sent, with the program's own arguments in the place of those that a preview hides. */
const withProgram = (sent: Planned, { template, configuration }: Planned): Planned => ({
  ...sent,
  ...(sent.template === hole && { template }),
  ...(sent.configuration === hole && { configuration }),
});
