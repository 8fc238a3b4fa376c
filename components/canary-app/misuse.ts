// What Azure would refuse of an app minutes later, without the name of the argument: no container, no image, an object
// in place of a list, a name that is missing or there twice, a secret without a value, and the name of a secret or a
// volume that the program does not have. azure-native's own types allow most of it, and plain JavaScript has no types
// at all. What is not known yet is left to the update, which checks again. It is pure.
import type { Problem } from "../../engines/problem.ts";
import { imageName, quotedSecret } from "../shared-forms.ts";
import { isIgnored } from "./ignored.ts";
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

/**
 * Lists what is wrong with an app, whether it exists or not. `isHole` says what is not known yet. What the program
 * ignores is sent as the state has it, so it is not looked into.
 */
export function misuses(
  { configuration, template, keepLive = [] }: Usable,
  isHole: IsHole,
  ignoreChanges: readonly string[] = [],
): readonly Problem[] {
  const listOf = (of: unknown, within: At, name: string): List => ({
    at: [...within, name],
    list: isObject(of) && !isHole(of) ? of[name] : undefined,
  });
  const ofEach = (given: readonly Entry[], name: string): readonly List[] =>
    given.map(({ at, value }) => listOf(value, at, name));
  const each = (given: readonly List[]): readonly Entry[] => entries(given, isHole);
  const containers = listOf(template, ["template"], "containers");
  const both = [containers, listOf(template, ["template"], "initContainers")];
  const volumes = listOf(template, ["template"], "volumes");
  const rules = listOf(isObject(template) ? template["scale"] : undefined, ["template", "scale"], "rules");
  const registries = listOf(configuration, ["configuration"], "registries");
  const secrets = listOf(configuration, ["configuration"], "secrets");
  const started = each(both);
  const [variables, mounts] = [ofEach(started, "env"), ofEach(started, "volumeMounts")];
  const signIns = each([rules]).flatMap(({ at, value }) =>
    ruleKinds.map((kind) => listOf(value[kind], [...at, kind], "auth")),
  );
  const references = [...variables, ...ofEach(each([volumes]), "secrets"), ...signIns];
  const isKept = keepLive.includes("secretsByReference") || isIgnored(ignoreChanges, secrets.at);
  const secretNames = isKept || isHole(configuration) ? undefined : namesIn(secrets, isHole);
  const volumeNames = isHole(template) ? undefined : namesIn(volumes, isHole);
  const unknown = (given: readonly List[], field: string, what: Listed, names: Names): readonly Problem[] =>
    each(given).flatMap(({ at, value }) => absenceProblems([...at, field], value[field], what, names));
  return [
    ...[...both, volumes, rules, ...mounts, ...references, registries, secrets].flatMap((list) =>
      shapeProblems(list, isHole),
    ),
    ...emptyLists(containers),
    ...started.flatMap(({ at, value }) => imageProblems(at, value, isHole)),
    ...[both, [secrets], ...variables.map((list) => [list])].flatMap((lists) => nameProblems(each(lists), isHole)),
    ...each([secrets]).flatMap(({ at, value }) => valueProblems(at, value)),
    ...unknown(references, "secretRef", "secret", secretNames),
    ...unknown([registries], "passwordSecretRef", "secret", secretNames),
    ...unknown(mounts, "volumeName", "volume", volumeNames),
  ].filter(({ at }) => !isIgnored(ignoreChanges, at));
}

/** What a scale rule may scale by, each with secrets of its own. */
const ruleKinds = ["azureQueue", "custom", "http", "tcp"];

/** Where the lists are that things are looked up in by name. */
const listsOf = { secret: "configuration.secrets", volume: "template.volumes" } as const;
type Listed = keyof typeof listsOf;

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
  if (isHole(image) || (typeof image === "string" && isImageName.test(image))) return [];
  const what = "must be an image's name, such as example.azurecr.io/shop:1.";
  return [problem([...at, "image"], image === undefined ? `it is missing; it ${what}` : `it ${what}`)];
}

const isImageName = new RegExp(String(imageName.schema["pattern"]));

/** Finds what has no name, and what has the name of another one before it. */
function nameProblems(given: readonly Entry[], isHole: IsHole): readonly Problem[] {
  const names = given.map(({ value }) => value["name"]);
  return given.flatMap(({ at }, place) => {
    const name = names[place];
    if (isHole(name)) return [];
    if (typeof name !== "string" || name === "") return [problem([...at, "name"], "it must be a name.")];
    const isTwice = names.indexOf(name) !== place;
    return isTwice ? [problem([...at, "name"], `it is "${name}", which is the name of another one.`)] : [];
  });
}

/** A secret is a value, or a reference with the identity that reads it. No message has the value. */
function valueProblems(at: At, { value, keyVaultUrl, identity }: Known): readonly Problem[] {
  if (isAbsent(keyVaultUrl)) return isAbsent(value) ? [problem([...at, "value"], "it is missing or empty.")] : [];
  if (!isAbsent(value)) return [problem(at, "it has both a value and keyVaultUrl: delete one of the two.")];
  return isAbsent(identity)
    ? [problem([...at, "identity"], "it is missing; it must be the identity that reads keyVaultUrl.")]
    : [];
}

/** Names that are known; undefined if some are not. */
type Names = ReadonlySet<string> | undefined;

function namesIn({ list }: List, isHole: IsHole): Names {
  if (list === undefined) return new Set();
  if (!Array.isArray(list) || isHole(list)) return undefined;
  const names = list.map((each: unknown) => (isObject(each) && !isHole(each) ? each["name"] : undefined));
  return names.every((name) => typeof name === "string") ? new Set(names as string[]) : undefined;
}

function absenceProblems(at: At, name: unknown, what: Listed, names: Names): readonly Problem[] {
  if (names === undefined || typeof name !== "string" || name === "" || names.has(name)) return [];
  const has = names.size === 0 ? "has none" : `has ${[...names].join(", ")}`;
  const named = what === "secret" ? quotedSecret(name) : `the ${what} "${name}"`;
  return [problem(at, `it names ${named}, which does not exist: ${listsOf[what]} ${has}.`)];
}
