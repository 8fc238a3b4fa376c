// What Azure would refuse of an app minutes later, without the name of the argument: no container, no image, an object
// in place of a list, and the name of a secret that the program does not have. azure-native's own types allow most of
// it, and plain JavaScript has no types at all. What is not known yet is left to the update, which checks again. It is
// pure.
import type { Problem } from "../../engines/problem.ts";
import type { KeptSetting } from "./losses.ts";

/** The arguments that are looked into. Values that are not known yet are holes. */
export interface Usable {
  readonly configuration?: unknown;
  readonly template?: unknown;
  readonly environmentId?: unknown;
  readonly managedEnvironmentId?: unknown;
  /** The live app may have secrets that are kept, whose names the program does not say. */
  readonly keepLive?: readonly KeptSetting[] | undefined;
}

type Known = Readonly<Record<string, unknown>>;
type At = Problem["at"];
type IsHole = (value: unknown) => boolean;

const problem = (at: At, message: string): Problem => ({ kind: "contradiction", at, message });
const isObject = (value: unknown): value is Known =>
  typeof value === "object" && value !== null && Object.prototype.toString.call(value) === "[object Object]";

/** Lists what is wrong with an app, whether it exists or not. `isHole` says what is not known yet. */
export function misuses({ configuration, template, keepLive = [] }: Usable, isHole: IsHole): readonly Problem[] {
  const names = keepLive.includes("secretsByReference") ? undefined : secretNames(configuration, isHole);
  const listOf = (of: unknown, within: string, name: string): List => ({
    at: [within, name],
    list: isObject(of) && !isHole(of) ? of[name] : undefined,
  });
  const ofEach = (given: readonly Entry[], name: string): readonly List[] =>
    given.map(({ at, value }) => ({ at: [...at, name], list: value[name] }));
  const containers = listOf(template, "template", "containers");
  const both = [containers, listOf(template, "template", "initContainers")];
  const volumes = listOf(template, "template", "volumes");
  const registries = listOf(configuration, "configuration", "registries");
  const started = entries(both, isHole);
  const named = [...ofEach(started, "env"), ...ofEach(entries([volumes], isHole), "secrets")];
  const lists = [...both, volumes, ...named, registries, listOf(configuration, "configuration", "secrets")];
  const unknownSecrets = (given: readonly List[], field: string): readonly Problem[] =>
    entries(given, isHole).flatMap(({ at, value }) => secretProblems([...at, field], value[field], names));
  return [
    ...lists.flatMap((each) => shapeProblems(each, isHole)),
    ...emptyLists(containers),
    ...started.flatMap(({ at, value }) => imageProblems(at, value, isHole)),
    ...unknownSecrets(named, "secretRef"),
    ...unknownSecrets([registries], "passwordSecretRef"),
  ];
}

/**
 * Lists what an app lacks that Azure would not make up. One that exists is no exception: a look at the live app would
 * take longer than a person waits for such a word. A program may leave out the environment if it ignores its changes.
 */
export const lacks = (
  { template, environmentId, managedEnvironmentId }: Usable,
  ignoreChanges: readonly string[],
  isHole: IsHole,
): readonly Problem[] => [
  ...([environmentId, managedEnvironmentId].every(isAbsent) && !ignoreChanges.some(isEnvironment)
    ? [problem(["environmentId"], "it is missing; it must be the id of the app's environment.")]
    : []),
  ...(isAbsent(template) || (isObject(template) && !isHole(template) && isAbsent(template["containers"]))
    ? [problem(["template", "containers"], "it is missing; it must have at least one container.")]
    : []),
];

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === "";
const isEnvironment = (path: string): boolean => /^(?:managedE|e)nvironmentId$/.test(path);

/** A list of the arguments, which plain JavaScript may have given another shape. */
interface List {
  readonly at: At;
  readonly list: unknown;
}

interface Entry {
  readonly at: At;
  readonly value: Known;
}

/** Gives the known objects of lists with their places. */
const entries = (lists: readonly List[], isHole: IsHole): readonly Entry[] =>
  lists.flatMap(({ at, list }) =>
    !Array.isArray(list) || isHole(list)
      ? []
      : list.flatMap((value: unknown, index) =>
          isObject(value) && !isHole(value) ? [{ at: [...at, index], value }] : [],
        ),
  );

/** Finds what is no list of objects: an object in its place, or a text in it. */
function shapeProblems({ at, list }: List, isHole: IsHole): readonly Problem[] {
  if (list === undefined || list === null || isHole(list)) return [];
  if (!Array.isArray(list)) return [problem(at, "it must be a list of objects.")];
  return list.flatMap((value: unknown, index) =>
    isObject(value) || isHole(value) ? [] : [problem([...at, index], "it must be an object.")],
  );
}

const emptyLists = ({ at, list }: List): readonly Problem[] =>
  Array.isArray(list) && list.length === 0 ? [problem(at, "it must have at least one container.")] : [];

function imageProblems(at: At, { image }: Known, isHole: IsHole): readonly Problem[] {
  if (isHole(image) || (typeof image === "string" && /^\S+$/.test(image))) return [];
  const what = "must be an image's name, such as example.azurecr.io/shop:1.";
  return [problem([...at, "image"], image === undefined ? `it is missing; it ${what}` : `it ${what}`)];
}

/** Gives the names of the app's secrets; undefined if they are not all known. */
function secretNames(configuration: unknown, isHole: IsHole): ReadonlySet<string> | undefined {
  if (isHole(configuration)) return undefined;
  const secrets = isObject(configuration) ? configuration["secrets"] : undefined;
  if (secrets === undefined) return new Set();
  if (!Array.isArray(secrets) || isHole(secrets)) return undefined;
  const names = secrets.map((secret: unknown) => (isObject(secret) && !isHole(secret) ? secret["name"] : undefined));
  return names.every((name) => typeof name === "string") ? new Set(names as string[]) : undefined;
}

function secretProblems(at: At, name: unknown, names: ReadonlySet<string> | undefined): readonly Problem[] {
  if (names === undefined || typeof name !== "string" || name === "" || names.has(name)) return [];
  const has = names.size === 0 ? "has none" : `has ${[...names].join(", ")}`;
  return [problem(at, `it names the secret "${name}", which does not exist: configuration.secrets ${has}.`)];
}
