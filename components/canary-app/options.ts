// The options of a CanaryApp. A program gives those that it gave to its ContainerApp. Pulumi passes only a few of a
// component's options on to its children; every other one that means the app goes to the child here.
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../../engines/problem.ts";
import { canaryAppIgnoredTemplate, canaryAppOwnedField } from "../../errors/canary-app.ts";
import { refusal } from "../conventions.ts";
import { type KeptSetting, placeOf } from "./losses.ts";

/** What Pulumi takes as options of a ContainerApp, and of a component. */
export interface CanaryAppOptions extends pulumi.ComponentResourceOptions, pulumi.CustomResourceOptions {}

/** The options that mean the app alone. A component would apply its transforms to the release as well. */
const ofTheApp = [
  "additionalSecretOutputs",
  "customTimeouts",
  "deleteBeforeReplace",
  "hideDiffs",
  "hooks",
  "ignoreChanges",
  "import",
  "pluginDownloadURL",
  "protect",
  "replaceOnChanges",
  "replaceWith",
  "replacementTrigger",
  "transformations",
  "transforms",
  "version",
] as const satisfies readonly (keyof CanaryAppOptions)[];

/** The options that mean the app and its component alike. */
const ofBoth = ["deletedWith", "retainOnDelete"] as const satisfies readonly (keyof CanaryAppOptions)[];

/** What the control plane owns. An update must send it as the component says, not as the state has it. */
const owned = [
  ["configuration", "activeRevisionsMode"],
  ["configuration", "ingress", "traffic"],
] as const;

/** The options of the component and of the app below it. */
export interface SplitOptions {
  readonly component: pulumi.ComponentResourceOptions;
  /** Without the parent, which does not exist yet. */
  readonly app: pulumi.CustomResourceOptions;
}

const type = "ballast:index:CanaryApp";

/**
 * Divides the options of a CanaryApp.
 *
 * The app gets an alias for the ContainerApp that the program declared before, so that Pulumi neither deletes nor
 * recreates it. An alias of the program's own names an earlier ContainerApp or an earlier CanaryApp. Only the app is
 * protected, since the component and the release are deleted when a program goes back to a ContainerApp.
 *
 * @throws canary-app-ignored-template, canary-app-owned-field
 */
export function splitOptions(name: string, options: CanaryAppOptions): SplitOptions {
  refuseIgnored(name, options.ignoreChanges ?? []);
  const { aliases = [], ...rest } = options;
  const parent = options.parent ?? pulumi.rootStackResource;
  const component = Object.fromEntries(
    Object.entries(rest).filter(([option]) => !(ofTheApp as readonly string[]).includes(option)),
  );
  const app = Object.fromEntries(
    [...ofTheApp, ...ofBoth].flatMap((option) => (options[option] === undefined ? [] : [[option, options[option]]])),
  );
  const ofComponents = aliases.filter(isOfComponents);
  return {
    component: { ...component, ...(ofComponents.length > 0 && { aliases: ofComponents }) },
    app: { ...app, aliases: [{ name, parent }, ...aliases.flatMap((alias) => aliasesOfApp(name, alias, parent))] },
  };
}

const isObject = (alias: pulumi.Input<string | pulumi.Alias>): alias is pulumi.Alias =>
  typeof alias === "object" && !pulumi.Output.isInstance(alias) && !(alias instanceof Promise);

/** Reports whether an alias may be one of a CanaryApp. Pulumi then gives the children their aliases below it. */
const isOfComponents = (alias: pulumi.Input<string | pulumi.Alias>): boolean =>
  isObject(alias) ? alias.type === undefined || alias.type === type : String(alias).includes(`${type}::`);

/** Gives what an alias means for the app. The SDK would read a name without a parent as one below the component. */
function aliasesOfApp(
  name: string,
  alias: pulumi.Input<string | pulumi.Alias>,
  outer: pulumi.Resource | undefined,
): readonly pulumi.Input<string | pulumi.Alias>[] {
  if (!isObject(alias)) return isOfComponents(alias) ? [] : [alias];
  if (alias.type === type) return [];
  return [{ ...alias, name: alias.name ?? name, ...(alias.parent === undefined && outer && { parent: outer }) }];
}

/** Splits a property path: `template.containers[0]`, `["template"]`, `*`. */
const stepsOf = (path: string): readonly string[] =>
  path
    .replaceAll(/\[["']?([^\]"']*)["']?\]/g, ".$1")
    .split(".")
    .filter((step) => step !== "");

/** Reports whether one path is within the other, or the other way round. */
const meet = (one: readonly string[], other: readonly string[]): boolean =>
  one.slice(0, other.length).every((step, place) => step === "*" || other[place] === "*" || step === other[place]);

/**
 * Lists the settings that are kept and ignored at once. One that is ignored is sent as the state has it, so what
 * somebody added since would be lost.
 */
export const keptAndIgnored = (
  keepLive: readonly KeptSetting[],
  ignoreChanges: readonly string[],
): readonly Problem[] =>
  keepLive.flatMap((setting, place) => {
    const paths = ignoreChanges.filter((path) => meet(stepsOf(path), placeOf(setting)));
    return paths.map((path) => {
      const ignored = `ignoreChanges has "${path}", which sends it as the state has it: delete one of the two.`;
      const message = `it keeps ${setting} as the live app has it, and ${ignored}`;
      return { kind: "contradiction", at: ["keepLive", place], message } as const;
    });
  });

function refuseIgnored(name: string, paths: readonly string[]): void {
  const ofTemplate = paths.filter((path) => meet(stepsOf(path), ["template"]));
  if (ofTemplate.length > 0) throw refusal(canaryAppIgnoredTemplate({ name, paths: ofTemplate }));
  const ofOwned = paths.filter((path) => owned.some((each) => meet(stepsOf(path), each)));
  if (ofOwned.length > 0)
    throw refusal(canaryAppOwnedField({ name, lines: ofOwned.map((path) => `"${path}" in ignoreChanges`) }));
}
