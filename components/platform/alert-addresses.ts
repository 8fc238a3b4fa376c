// Azure sends no alert to a new address until its owner has entered a one-time code, shows the address as enabled all
// the same, and has no API that tells. So whoever adds an address is told when it is added.
import * as pulumi from "@pulumi/pulumi";
import { logOn, takesHooks } from "../conventions.ts";

interface Receivers {
  readonly emailReceivers?: readonly { readonly emailAddress?: string }[];
}

/** Says what the owners of new addresses must do; undefined if no address is new. */
export function codesNeeded(before: Receivers | undefined, after: Receivers): string | undefined {
  const known = (before?.emailReceivers ?? []).map(({ emailAddress }) => emailAddress?.toLowerCase());
  const added = (after.emailReceivers ?? []).flatMap(({ emailAddress }) =>
    emailAddress === undefined || known.includes(emailAddress.toLowerCase()) ? [] : [emailAddress],
  );
  if (added.length === 0) return undefined;
  return (
    `Azure sends no alert to ${added.join(", ")} until the one-time code in its e-mail has been entered, within 30 ` +
    "minutes of this update. Azure shows the address as enabled all the same, and no API says whether it was entered."
  );
}

/** Returns the hook of an action group that warns of new addresses, at preview and at the update. */
export function warnOfCodes(name: string, parent: pulumi.Resource): pulumi.ResourceHookBinding {
  if (!takesHooks()) return {};
  const warn = async ({ oldInputs, newInputs }: pulumi.ResourceHookArgs): Promise<void> => {
    const message = codesNeeded(oldInputs as Receivers | undefined, newInputs as Receivers);
    if (message !== undefined) await logOn(parent, "warn", message);
  };
  const hook = new pulumi.ResourceHook(`${name}-new-addresses`, warn, { onDryRun: true });
  return { beforeCreate: [hook], beforeUpdate: [hook] };
}
