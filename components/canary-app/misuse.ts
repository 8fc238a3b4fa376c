// What Azure would refuse of an app minutes later, without the name of the argument: no container, no image, and the
// name of a secret that the program does not have. azure-native's own types allow each, and plain JavaScript has no
// types at all. What is not known yet is left to the update, which checks again. It is pure.
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

const problem = (at: At, message: string): Problem => ({ kind: "contradiction", at, message });
const isObject = (value: unknown): value is Known =>
  typeof value === "object" && value !== null && Object.prototype.toString.call(value) === "[object Object]";

/** Lists what is wrong with an app, whether it exists or not. `isHole` says what is not known yet. */
export function misuses(
  { configuration, template, keepLive = [] }: Usable,
  isHole: (value: unknown) => boolean,
): readonly Problem[] {
  const names = keepLive.includes("secretsByReference") ? undefined : secretNames(configuration, isHole);
  const part = (of: unknown, name: string): unknown => (isObject(of) && !isHole(of) ? of[name] : undefined);
  const containers = (["containers", "initContainers"] as const).flatMap((list) =>
    entries(part(template, list), ["template", list], isHole),
  );
  return [
    ...emptyLists(part(template, "containers")),
    ...containers.flatMap(({ at, value }) => imageProblems(at, value, isHole)),
    ...[
      ...containers.flatMap(({ at, value }) => entries(value["env"], [...at, "env"], isHole)),
      ...entries(part(template, "volumes"), ["template", "volumes"], isHole).flatMap(({ at, value }) =>
        entries(value["secrets"], [...at, "secrets"], isHole),
      ),
    ].flatMap(({ at, value }) => secretProblems([...at, "secretRef"], value["secretRef"], names)),
    ...entries(part(configuration, "registries"), ["configuration", "registries"], isHole).flatMap(({ at, value }) =>
      secretProblems([...at, "passwordSecretRef"], value["passwordSecretRef"], names),
    ),
  ];
}

/** Lists what an app lacks that does not exist yet. One that exists may leave both to what Azure shows. */
export const lacksForCreation = (
  { template, environmentId, managedEnvironmentId }: Usable,
  isHole: (value: unknown) => boolean,
): readonly Problem[] => [
  ...(environmentId === undefined && managedEnvironmentId === undefined
    ? [problem(["managedEnvironmentId"], "it is missing, and the app does not exist yet.")]
    : []),
  ...(template === undefined || (isObject(template) && !isHole(template) && template["containers"] === undefined)
    ? [problem(["template", "containers"], "it is missing, and the app does not exist yet.")]
    : []),
];

interface Entry {
  readonly at: At;
  readonly value: Known;
}

/** Gives the known objects of a list with their places. */
const entries = (list: unknown, at: At, isHole: (value: unknown) => boolean): readonly Entry[] =>
  !Array.isArray(list) || isHole(list)
    ? []
    : list.flatMap((value: unknown, index) =>
        isObject(value) && !isHole(value) ? [{ at: [...at, index], value }] : [],
      );

const emptyLists = (containers: unknown): readonly Problem[] =>
  Array.isArray(containers) && containers.length === 0
    ? [problem(["template", "containers"], "it must have at least one container.")]
    : [];

function imageProblems(at: At, { image }: Known, isHole: (value: unknown) => boolean): readonly Problem[] {
  if (isHole(image) || (typeof image === "string" && /^\S+$/.test(image))) return [];
  const what = "must be an image's name, such as example.azurecr.io/shop:1.";
  return [problem([...at, "image"], image === undefined ? `it is missing; it ${what}` : `it ${what}`)];
}

/** Gives the names of the app's secrets; undefined if they are not all known. */
function secretNames(configuration: unknown, isHole: (value: unknown) => boolean): ReadonlySet<string> | undefined {
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
