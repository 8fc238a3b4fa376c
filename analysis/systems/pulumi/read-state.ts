// Reads the resources of a stack from JSON: the output of `pulumi stack export`, a checkpoint of a file backend, and
// the output of `pulumi preview --json`. Each resource stands where its program made it if the folder has that file,
// and else at its URN in the JSON.
import { type Place, structural } from "../../place.ts";
import { ownerOf } from "./names.ts";
import type { Declared, DeclaredStack, Origin } from "./nodes.ts";
import { placeOfPosition } from "./source-position.ts";
import type { Properties } from "./value.ts";
import { isRecord } from "./value.ts";
import { valueOf } from "./wire-values.ts";

type Json = Readonly<Record<string, unknown>>;

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): readonly string[] => list(value).filter((each) => typeof each === "string");

/** What is needed of the folder to find the places of resources. */
export interface Around {
  readonly files: ReadonlySet<string>;
}

/** Whether a JSON value is something that this file reads, and what. */
export function originOf(json: unknown): Origin | undefined {
  if (!isJson(json)) return undefined;
  if (resourcesOfState(json) !== undefined) return "state";
  return Array.isArray(json["steps"]) && (isJson(json["changeSummary"]) || isJson(json["config"]))
    ? "preview"
    : undefined;
}

/** Reads a state or a preview. @returns undefined if it holds no resource */
export function readStack(file: string, text: string, json: unknown, around: Around): DeclaredStack | undefined {
  const origin = originOf(json);
  if (origin === undefined) return undefined;
  const raw = origin === "state" ? resourcesOfState(json as Json)! : resourcesOfPreview(json as Json);
  const lines = linesOfUrns(text);
  const resources = raw.flatMap((each) => declaredOf(each, file, lines, around) ?? []);
  const first = resources[0];
  if (first === undefined) return undefined;
  const { stack, project } = ownerOf(first.urn);
  return { name: stack, project, file, origin, evidence: structural(placeIn(file, 1)), resources };
}

/** Gives a stack that was never updated, or was destroyed. Its state names no resource, and so not the stack either. */
export const emptyStack = (file: string, name: string): DeclaredStack => ({
  name,
  project: "",
  file,
  origin: "state",
  evidence: structural(placeIn(file, 1)),
  resources: [],
});

/** `pulumi stack export` has a deployment; a checkpoint of a file backend has it one level further down. */
function resourcesOfState(json: Json): readonly unknown[] | undefined {
  const checkpoint = isJson(json["checkpoint"]) ? json["checkpoint"]["latest"] : undefined;
  const deployment = json["deployment"] ?? checkpoint;
  if (!isJson(deployment) || !("manifest" in deployment)) return undefined;
  return list(deployment["resources"]).filter((each) => isJson(each) && each["delete"] !== true);
}

/** The states after each step; what is deleted has none. */
const resourcesOfPreview = (json: Json): readonly unknown[] => {
  const byUrn = new Map<unknown, unknown>();
  for (const step of list(json["steps"])) {
    if (!isJson(step)) continue;
    const { op, urn, newState, sourcePosition } = step;
    if (!isJson(newState) || (typeof op === "string" && /^delete|^discard|^remove/.test(op))) continue;
    byUrn.set(urn, { sourcePosition, ...newState });
  }
  return [...byUrn.values()];
};

function declaredOf(
  raw: unknown,
  file: string,
  lines: ReadonlyMap<string, number>,
  { files }: Around,
): Declared | undefined {
  if (!isJson(raw) || typeof raw["urn"] !== "string" || typeof raw["type"] !== "string") return undefined;
  const { urn, type, id, parent, inputs, sourcePosition } = raw;
  const values = valueOf(isJson(inputs) ? inputs : {});
  const folder = file.split("/").slice(0, -1).join("/");
  const place = placeOfPosition(sourcePosition, files, folder) ?? placeIn(file, lines.get(urn) ?? 1);
  return {
    urn,
    token: type,
    isCustom: raw["custom"] === true && raw["external"] !== true,
    physicalId: typeof id === "string" && id !== "" ? id : undefined,
    parent: typeof parent === "string" ? parent : undefined,
    dependencies: texts(raw["dependencies"]),
    propertyDependencies: Object.fromEntries(
      Object.entries(isJson(raw["propertyDependencies"]) ? raw["propertyDependencies"] : {}).map(([key, urns]) => [
        key,
        texts(urns),
      ]),
    ),
    ignoreChanges: texts(raw["ignoreChanges"]),
    inputs: isRecord(values) ? (values as Properties) : {},
    evidence: structural(place),
  };
}

const placeIn = (file: string, line: number): Place => ({ file, line, column: 1, endLine: line, endColumn: 1 });

/** Gives the line of each URN where it names its own resource. */
function linesOfUrns(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let at = 0;
  let line = 1;
  for (const match of text.matchAll(/"urn"\s*:\s*"((?:[^"\\]|\\.)*)"/g)) {
    for (; at < match.index; at += 1) if (text.charCodeAt(at) === 10) line += 1;
    if (!lines.has(match[1]!)) lines.set(match[1]!, line);
  }
  return lines;
}
