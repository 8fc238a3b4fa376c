// What a preview says that an update would do, as a reviewer needs it: one change for each resource, what it changes,
// what depends on it, and the releases that it starts. It is read from the output of `pulumi preview --json`. Values
// are shown only where they cannot be secrets.
import { nameOf, ownerOf, typeOf } from "../../analysis/systems/pulumi/names.ts";
import { secretIn } from "../../analysis/systems/pulumi/secret-names.ts";
import { isRecord, Sealed, shown, Unknown, type Value } from "../../analysis/systems/pulumi/value.ts";
import { valueOf } from "../../analysis/systems/pulumi/wire-values.ts";

/** What happens to a resource, the gravest first. */
export const operations = ["delete", "replace", "update", "create", "import"] as const;
export type Operation = (typeof operations)[number];

/** A property that changes. */
export interface PropertyChange {
  readonly path: string;
  /** The values before and after, as a reader may see them; undefined if they may not be shown. */
  readonly values?: { readonly before: string; readonly after: string };
  readonly isReplacing: boolean;
}

/** What happens to one resource. */
export interface Change {
  readonly operation: Operation;
  readonly urn: string;
  readonly name: string;
  readonly type: string;
  readonly properties: readonly PropertyChange[];
  /** Whether it keeps what cannot be made again: a database, a vault, a registry. */
  readonly isStore: boolean;
  readonly isProtected: boolean;
  /** How many other resources depend on it, directly or not; counted up to `dependentsMax`, and not for a new one. */
  readonly dependents: number;
}

/** A release that the update would start. */
export interface ReleasePlan {
  readonly app: string;
  /** Percentages of traffic, step by step; undefined if the preview does not know them. */
  readonly weights: readonly number[] | undefined;
  readonly bakeSeconds: number | undefined;
  /** The percentage that the canary gets only after an approval. */
  readonly gatePercent: number | undefined;
  readonly resourceGroup: string | undefined;
  /** What it would be judged by, as the preview has it. */
  readonly asked: { readonly strategy: unknown; readonly thresholds: unknown };
}

/** A preview, read. */
export interface Changes {
  readonly project: string;
  readonly stack: string;
  readonly changes: readonly Change[];
  /** How many resources stay as they are. */
  readonly unchanged: number;
  readonly releases: readonly ReleasePlan[];
  /** Container apps whose template changes without a release. */
  readonly uncanaried: readonly string[];
  /** What the Pulumi CLI reported as errors. */
  readonly errors: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];

/** One step of a preview, with its states. */
interface Step {
  readonly operation: Operation | "same";
  readonly urn: string;
  readonly before: Json;
  readonly after: Json;
  readonly detailedDiff: Json;
  readonly diffReasons: readonly string[];
}

/** A step that changes something. */
type Changing = Step & { readonly operation: Operation };
const isChanging = (step: Step): step is Changing => step.operation !== "same";

/** Several steps stand for one replacement. Reads and refreshes change nothing. */
const operationOf = (op: unknown): Step["operation"] => {
  const text = String(op);
  if (/replace/.test(text)) return "replace";
  return operations.find((operation) => text.startsWith(operation)) ?? "same";
};

/** Reads a preview. @returns undefined if the value is none */
export function readChanges(json: unknown): Changes | undefined {
  if (!isJson(json) || !Array.isArray(json["steps"])) return undefined;
  const steps = stepsOf(json["steps"]);
  const first = steps[0];
  if (first === undefined) return undefined;
  const owner = ownerOf(first.urn);
  const isOfAnother = ({ urn }: Step): boolean => {
    const { project, stack } = ownerOf(urn);
    return project !== owner.project || stack !== owner.stack;
  };
  if (steps.some(isOfAnother)) return undefined;
  const own = steps.filter(({ urn }) => typeOf(urn.split("::")[2] ?? "") !== "pulumi:pulumi:Stack");
  const changed = own.filter(isChanging);
  const dependents = dependentsOf(own);
  const summary = isJson(json["changeSummary"]) ? json["changeSummary"] : {};
  const stacks = steps.length - own.length;
  const releases = changed.filter(({ urn, operation }) => tokenOf(urn) === releaseToken && operation !== "delete");
  return {
    ...owner,
    changes: changed
      .map((step) => changeOf(step, step.operation === "create" ? 0 : dependents(step.urn)))
      .toSorted(byGravity),
    unchanged: typeof summary["same"] === "number" ? Math.max(0, summary["same"] - stacks) : 0,
    releases: releases.map(releaseOf),
    uncanaried: changed.filter((step) => isUncanaried(step, own)).map(({ urn }) => nameOf(urn)),
    errors: errorsOf(json["diagnostics"]),
  };
}

const releaseToken = "ballast:index:Release";
const tokenOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";

function stepsOf(raw: readonly unknown[]): readonly Step[] {
  const byUrn = new Map<string, Step>();
  for (const each of raw) {
    if (!isJson(each) || typeof each["urn"] !== "string") continue;
    const { urn, op } = each;
    const before = byUrn.get(urn);
    const step: Step = {
      operation: operationOf(op),
      urn,
      before: isJson(each["oldState"]) ? each["oldState"] : (before?.before ?? {}),
      after: isJson(each["newState"]) ? each["newState"] : (before?.after ?? {}),
      detailedDiff: isJson(each["detailedDiff"]) ? each["detailedDiff"] : (before?.detailedDiff ?? {}),
      diffReasons: texts(each["diffReasons"] ?? each["replaceReasons"]),
    };
    byUrn.set(urn, step);
  }
  return [...byUrn.values()];
}

const byGravity = (one: Change, other: Change): number =>
  operations.indexOf(one.operation) - operations.indexOf(other.operation) ||
  Number(other.isStore) - Number(one.isStore) ||
  (one.urn < other.urn ? -1 : 1);

const storeModules =
  "dbfor\\w+|sql|documentdb|storage|keyvault|cache|containerregistry|operationalinsights|servicebus|eventhub";
/** A rule or a setting of a store can be made again. */
const stores = new RegExp(`^(${storeModules}):(?!.*(Rule|Configuration|Administrator|Replication)$)`, "i");

function changeOf(step: Changing, dependents: number): Change {
  const { operation, urn, before, after } = step;
  const type = typeOf(tokenOf(urn));
  return {
    operation,
    urn,
    name: nameOf(urn),
    type,
    properties: operation === "update" || operation === "replace" ? propertiesOf(step, type) : [],
    isStore: stores.test(type),
    isProtected: before["protect"] === true && after["protect"] !== false,
    dependents,
  };
}

function propertiesOf({ before, after, detailedDiff, diffReasons }: Step, type: string): readonly PropertyChange[] {
  const inputs = [before, after].map((state) => valueOf(isJson(state["inputs"]) ? state["inputs"] : {}));
  const named = Object.entries(detailedDiff);
  const all = named.length > 0 ? named : diffReasons.map((path) => [path, {}] as const);
  return all.map(([path, diff]) => {
    const [old, now] = inputs.map((root) => lookUp(root, path));
    const isHidden = hides(type, path) || [old, now].some((each) => each?.isHidden);
    const isReplacing = isJson(diff) && String(diff["kind"]).endsWith("replace");
    if (isHidden || old === undefined || now === undefined) return { path, isReplacing };
    return { path, isReplacing, values: { before: old.text, after: now.text } };
  });
}

/** Names of what may be a secret; a property below them is never shown. */
const telling = /pass|pwd|secret|token|credential|key|sas|cert|connection|private|signature/i;
const hides = (type: string, path: string): boolean => telling.test(path) || type === "keyvault:Secret";

/** What is shown for a value that the preview does not know. */
export const unknownText = "known after the update";

/** A value as a reader may see it. */
interface Shown {
  readonly text: string;
  readonly isHidden: boolean;
}

/** Gives the value at a path of Pulumi's, such as `template.containers[0].image`; undefined if it has parts. */
function lookUp(root: Value, path: string): Shown | undefined {
  const keys = [...path.matchAll(/([^.[\]"]+)|\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]/g)].map(
    ([, key, quoted, index]) => key ?? quoted ?? index!,
  );
  let value: Value | undefined = root;
  let around: Value | undefined = root;
  for (const key of keys) {
    if (value instanceof Sealed || value instanceof Unknown) break;
    around = value;
    value = partOf(value, key);
  }
  if (value === undefined || value === null) return { text: "", isHidden: false };
  if (value instanceof Sealed) return { text: "", isHidden: true };
  if (value instanceof Unknown) return { text: unknownText, isHidden: false };
  if (typeof value === "object") return undefined;
  const text = String(value);
  // A variable of a container has its name beside its value.
  const name = isRecord(around) ? around["name"] : undefined;
  return { text: shown(text), isHidden: secretIn(text) !== undefined || telling.test(String(name ?? "")) };
}

function partOf(value: Value | undefined, key: string): Value | undefined {
  if (Array.isArray(value)) return value[Number(key)] as Value | undefined;
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Gives a function that counts what depends on a resource. */
/** Beyond this, how many resources depend on another is said as "or more": a long chain would be walked for ever. */
export const dependentsMax = 1000;

function dependentsOf(steps: readonly Step[]): (urn: string) => number {
  const direct = new Map<string, string[]>();
  for (const { urn, before, after } of steps) {
    const state = Object.keys(after).length > 0 ? after : before;
    for (const each of new Set(texts(state["dependencies"]))) {
      const known = direct.get(each);
      if (known === undefined) direct.set(each, [urn]);
      else known.push(urn);
    }
  }
  return (urn) => {
    const reached = new Set<string>();
    const ahead = [urn];
    for (let at = ahead.pop(); at !== undefined && reached.size <= dependentsMax; at = ahead.pop())
      for (const next of direct.get(at) ?? []) if (!reached.has(next) && reached.add(next)) ahead.push(next);
    reached.delete(urn);
    return Math.min(dependentsMax, reached.size);
  };
}

const numberIn = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

function releaseOf({ urn, after }: Step): ReleasePlan {
  const inputs = isJson(after["inputs"]) ? after["inputs"] : {};
  const { app, resourceGroup, strategy, thresholds, gate } = inputs;
  const { weights, bakeSeconds } = isJson(strategy) ? strategy : {};
  const isKnown = Array.isArray(weights) && weights.every((each) => typeof each === "number");
  return {
    app: typeof app === "string" && valueOf(app) === app ? app : nameOf(urn),
    weights: isKnown ? [...weights, 100] : undefined,
    bakeSeconds: numberIn(bakeSeconds),
    gatePercent: isJson(gate) ? numberIn(gate["beforePercent"]) : undefined,
    resourceGroup:
      typeof resourceGroup === "string" && valueOf(resourceGroup) === resourceGroup ? resourceGroup : undefined,
    asked: { strategy, thresholds },
  };
}

/** Whether it is an app that serves a new template at once, because no release has it. */
function isUncanaried({ urn, operation, after, detailedDiff, diffReasons }: Step, all: readonly Step[]): boolean {
  if (typeOf(tokenOf(urn)) !== "app:ContainerApp" || operation === "create" || operation === "delete") return false;
  const paths = [...Object.keys(detailedDiff), ...diffReasons];
  if (!paths.some((path) => /^template\b/.test(path))) return false;
  const inputs = isJson(after["inputs"]) ? after["inputs"] : {};
  return !all
    .filter((step) => tokenOf(step.urn) === releaseToken)
    .some((step) => [inputs["containerAppName"], nameOf(urn)].includes(releaseOf(step).app));
}

/** The Pulumi CLI writes what a program prints before it fails as `info#err`. */
function errorsOf(diagnostics: unknown): readonly string[] {
  const all = Array.isArray(diagnostics) ? diagnostics.filter(isJson) : [];
  const grave = all.filter(({ severity }) => severity === "error");
  const found = grave.length > 0 ? grave : all.filter(({ severity }) => severity === "info#err");
  return found.map(({ message }) => String(message)).filter((message) => message.trim() !== "");
}
