// What the `ballast` command itself has to say; what the control plane refuses comes with the control plane's own ids.
import { entry } from "./catalogue.ts";

/** Neither an option nor the stack says where the control plane is. */
export const endpointUnknown = entry<{ stack: string; reason: string }>("cli-endpoint-unknown", {
  title: "The control plane's address is not known",
  message: ({ stack, reason }) => `${stack} gives no output controlPlaneEndpoint: ${reason}.`,
  fix: () => "run the command in the program's folder with --stack <name>, or give the address with --endpoint https://<host>",
});

/** A name that is not a rollout's. */
export const rolloutNameUnclear = entry<{ name: string }>("cli-rollout-name-unclear", {
  title: "A rollout is named in a way that is not understood",
  message: ({ name }) => `"${name}" does not name a rollout.`,
  fix: () => "name it <app> for the app's newest, <app>/<revision>, or <resource group>/<app>/<revision>; `ballast release list` shows them",
});

/** A good name, but nobody has it. */
export const rolloutUnknown = entry<{ name: string }>("cli-rollout-unknown", {
  title: "There is no such rollout",
  message: ({ name }) => `The control plane knows no rollout of ${name}.`,
  fix: () => "`ballast release list` shows those it knows",
});

/** Two resource groups have an app of that name. */
export const rolloutAmbiguous = entry<{ name: string; groups: readonly string[] }>("cli-rollout-ambiguous", {
  title: "A rollout's name fits apps of several resource groups",
  message: ({ name, groups }) => `${name} is in the resource groups ${groups.join(" and ")}.`,
  fix: () => "name the rollout in full: <resource group>/<app>/<revision>",
});

/** Today's engine, asked again, decides otherwise than the journal says. */
export const replayDiffers = entry<{ id: string; at: string }>("cli-replay-differs", {
  title: "A journal replayed does not give the same decisions",
  message: ({ id, at }) => `Deciding ${id} again gives other facts than its journal holds: ${at}.`,
  fix: () => "compare the version of this command with that of the control plane that wrote it; with equal versions it is a mistake of ours to report",
  left: () => "nothing was changed: a replay only reads.",
});
