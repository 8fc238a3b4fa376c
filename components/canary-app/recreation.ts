// Keeps Pulumi from recreating an app that exists, and from releasing another app than the one in its state. Which
// changes replace an app is the provider's to say: another letter in an id is enough. A preview of a replacement runs
// the hooks of a creation, which do not know what they replace. So the app's own name is never sent as a change: the
// state's stays, and the program's is compared with it.
import type { ContainerAppArgs } from "@pulumi/azure-native/app/containerApp.js";
import * as pulumi from "@pulumi/pulumi";
import { canaryAppExists, canaryAppMoved } from "../../errors/canary-app.ts";
import { refusal, takesHooks } from "../conventions.ts";
import { hookNames } from "./hook-names.ts";
import { fromKnownParts, knownParts } from "./known-parts.ts";
import type { KeptSetting } from "./losses.ts";
import type { Live } from "./take-over.ts";

/** The resource group and the name that the program says. */
export type Place = pulumi.Output<readonly [string, string]>;

/**
 * Returns the hooks that refuse to create an app that exists, and to update another app than the program names.
 *
 * The first acts in previews only: in an update, Pulumi has deleted the app before the hook of its creation runs.
 *
 * @throws canary-app-exists, canary-app-moved
 */
export function noRecreation(name: string, place: Place, live: pulumi.Output<Live>): pulumi.ResourceHookBinding {
  if (!takesHooks()) return {};
  const hook = hookNames(name);
  const refuse = async (): Promise<void> => {
    if (pulumi.runtime.isDryRun() && (await exists(live))) throw refusal(canaryAppExists({ app: name }));
  };
  const compare = async ({ id }: pulumi.ResourceHookArgs): Promise<void> => {
    const known = await knownParts({ place });
    refuseOther(name, id, known["place"]);
  };
  return {
    beforeCreate: [new pulumi.ResourceHook(hook("no-recreation"), refuse, { onDryRun: true })],
    beforeUpdate: [new pulumi.ResourceHook(hook("same-app"), compare, { onDryRun: true })],
  };
}

/** A live app that a preview cannot read yet is none. */
async function exists(live: pulumi.Output<Live>): Promise<boolean> {
  const known = (await knownParts({ live })) as { readonly live: Partial<Live> };
  return known.live.found !== undefined;
}

/**
 * Passes a value on if the app in the state is the one that the program names. No hook runs for an app that stays as it
 * is.
 *
 * @throws canary-app-moved
 */
export const ofSameApp = <Value>(
  name: string,
  { id, place }: { readonly id: pulumi.Output<string>; readonly place: Place },
  value: pulumi.Output<Value>,
): pulumi.Output<Value> =>
  fromKnownParts({ id, place }, (known: { readonly id: unknown; readonly place: unknown }) => {
    refuseOther(name, known.id, known.place);
    return value;
  });

/** Refuses a program that names another app than the one of an id. Azure ignores letter case. */
function refuseOther(name: string, id: unknown, place: unknown): void {
  const [, ...found] = /\/resourceGroups\/([^/]+)\/.*\/containerApps\/([^/]+)$/i.exec(String(id)) ?? [];
  const said = Array.isArray(place) ? (place as readonly unknown[]) : [];
  const moves = ["resource group", "name"].flatMap((what, index) => {
    const [is, says] = [found[index], said[index]];
    const isOther = is !== undefined && typeof says === "string" && is.toLowerCase() !== says.toLowerCase();
    return isOther ? [`its ${what} is ${is}, and the program says ${says}`] : [];
  });
  if (moves.length > 0) throw refusal(canaryAppMoved({ app: name, moves }));
}

/** An imported app has these as inputs, since Azure shows them. Removing one would replace the app. */
const shownByAzure = ["environmentId", "managedEnvironmentId", "workloadProfileName"] as const;

/**
 * Lists what an update leaves as it is: the app's name and its group, and what Azure filled in and neither the program
 * nor `keepLive` says.
 */
export const leftAsIs = (args: ContainerAppArgs, keepLive: readonly KeptSetting[]): readonly string[] => [
  "containerAppName",
  "resourceGroupName",
  ...shownByAzure.filter((field) => args[field] === undefined && !(keepLive as readonly string[]).includes(field)),
];
