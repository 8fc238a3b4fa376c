// The options of a CanaryApp. A program gives those that it gave to its ContainerApp. Pulumi passes only a few of a
// component's options on to its children; every other one that means the app goes to the child here.
import * as pulumi from "@pulumi/pulumi";
import { formerPlaces } from "./former-places.ts";
import { pathsOf, refuseIgnored } from "./ignored.ts";

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
  const ignoreChanges = pathsOf(options.ignoreChanges);
  refuseIgnored(name, ignoreChanges);
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
    app: {
      ...app,
      ...(ignoreChanges.length > 0 && { ignoreChanges }),
      aliases: [
        { name, parent },
        ...formerPlaces(name, parent),
        ...aliases.flatMap((alias) => aliasesOfApp(name, alias, parent)),
      ] as (string | pulumi.Alias)[],
    },
  };
}

/**
 * Gives each alias also with the types that azure-native gives a ContainerApp as earlier ones, such as
 * `azure-native:app/v20240301:ContainerApp`. azure-native names them alone, which Pulumi reads as the name and the
 * parent that the app has now; before it was a CanaryApp's it had others.
 */
export const withVersionedTypes: pulumi.ResourceTransformation = ({ props, opts }) => {
  const aliases = (opts.aliases ?? []) as readonly pulumi.Input<string | pulumi.Alias>[];
  const types = aliases.flatMap((each) => (isObject(each) && isTypeAlone(each) ? [each.type] : []));
  const typed = aliases.flatMap((each) =>
    isObject(each) && each.type === undefined ? types.map((earlier) => ({ ...each, type: earlier })) : [],
  );
  return { props, opts: { ...opts, aliases: [...aliases, ...typed] as pulumi.Alias[] } };
};

const isTypeAlone = (alias: pulumi.Alias): boolean => Object.keys(alias).join() === "type";

const isObject = (alias: pulumi.Input<string | pulumi.Alias>): alias is pulumi.Alias =>
  typeof alias === "object" && !pulumi.Output.isInstance(alias) && !(alias instanceof Promise);

/** Reports whether an alias may be one of a CanaryApp. Pulumi then gives the children their aliases below it. */
const isOfComponents = (alias: pulumi.Input<string | pulumi.Alias>): boolean =>
  isObject(alias) ? alias.type === undefined || alias.type === type : String(alias).includes(`${type}::`);

/**
 * Gives what an alias means for the app. The SDK would read a name without the field `parent` as one below the
 * component; an undefined parent means the stack.
 */
function aliasesOfApp(
  name: string,
  alias: pulumi.Input<string | pulumi.Alias>,
  outer: pulumi.Resource | undefined,
): readonly pulumi.Input<string | pulumi.Alias>[] {
  if (!isObject(alias)) return isOfComponents(alias) ? [] : [alias];
  if (alias.type === type) return [];
  const parent = "parent" in alias ? alias.parent : outer;
  return [{ ...alias, name: alias.name ?? name, parent } as pulumi.Alias];
}
