// Keeps Pulumi from recreating an app that exists. Which changes replace an app is the provider's to say: another
// letter in an id is enough. A preview of a replacement runs the hooks of a creation.
import * as pulumi from "@pulumi/pulumi";
import { canaryAppExists } from "../../errors/canary-app.ts";
import { refusal, takesHooks } from "../conventions.ts";
import { hookNames } from "./hook-names.ts";
import { fromKnownParts } from "./known-parts.ts";
import type { Live } from "./take-over.ts";

/**
 * Returns the hook that refuses to create an app that exists.
 *
 * It acts in previews only: in an update, Pulumi has deleted the app before the hook of its creation runs.
 *
 * @throws canary-app-exists
 */
export function noRecreation(name: string, live: pulumi.Output<Live>): pulumi.ResourceHookBinding {
  if (!takesHooks()) return {};
  const refuse = async (): Promise<void> => {
    if (pulumi.runtime.isDryRun() && (await exists(live))) throw refusal(canaryAppExists({ app: name }));
  };
  return { beforeCreate: [new pulumi.ResourceHook(hookNames(name)("no-recreation"), refuse, { onDryRun: true })] };
}

/** A live app that a preview cannot read yet is none. */
const exists = (live: pulumi.Output<Live>): Promise<boolean> =>
  new Promise(
    (resolve) => void fromKnownParts({ live }, (known: { live: Partial<Live> }) => resolve(known.live.exists === true)),
  );
