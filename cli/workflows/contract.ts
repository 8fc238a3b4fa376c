// What a reusable workflow promises to its callers: inputs, secrets, outputs, and the permissions that a caller must
// grant. It is read from the file as GitHub reads it.
import type { ParsedNode } from "yaml";
import { keyOf, YamlFile } from "../../analysis/yaml-file.ts";

/** An input of a reusable workflow. */
export interface InputContract {
  readonly type: string;
  readonly isRequired: boolean;
  readonly fallback: string | undefined;
  readonly description: string;
}

/** A secret or an output. */
export interface NamedContract {
  readonly isRequired: boolean;
  readonly description: string;
  /** The expression of an output; empty for a secret. */
  readonly value: string;
}

export const levels = ["none", "read", "write"] as const;
export type Level = (typeof levels)[number];

/** What a reusable workflow promises. */
export interface Contract {
  readonly name: string;
  /** The comment at the head of the file, without its signs. */
  readonly purpose: string;
  readonly inputs: ReadonlyMap<string, InputContract>;
  readonly secrets: ReadonlyMap<string, NamedContract>;
  readonly outputs: ReadonlyMap<string, NamedContract>;
  /** By scope; undefined if a job takes whatever the caller has. */
  readonly permissions: ReadonlyMap<string, Level> | undefined;
}

type Value = ParsedNode | null | undefined;

/** Reads a workflow's contract. @returns undefined if no other workflow can call it */
export function readContract(file: string, text: string): Contract | undefined {
  const yaml = new YamlFile(file, text);
  if (yaml.obstacle !== undefined) return undefined;
  const on = yaml.get(yaml.root, "on");
  const called = yaml.pair(on, "workflow_call");
  const isBare = !yaml.isMap(on) && yaml.texts(on).some((each) => each.text === "workflow_call");
  if (called === undefined && !isBare) return undefined;
  const part = (name: string): readonly (readonly [string, (key: string) => string | undefined])[] =>
    yaml
      .pairs(yaml.get(called?.value, name))
      .map((pair) => [keyOf(pair), (key) => yaml.text(yaml.get(pair.value, key))?.text.trim()]);
  const named = (name: string): ReadonlyMap<string, NamedContract> =>
    new Map(
      part(name).map(([key, field]) => [
        key,
        {
          isRequired: field("required") === "true",
          description: field("description") ?? "",
          value: field("value") ?? "",
        },
      ]),
    );
  return {
    name: yaml.text(yaml.get(yaml.root, "name"))?.text ?? file,
    purpose: headComment(text),
    inputs: new Map(
      part("inputs").map(([key, field]) => [
        key,
        {
          type: field("type") ?? "string",
          isRequired: field("required") === "true",
          fallback: field("default"),
          description: field("description") ?? "",
        },
      ]),
    ),
    secrets: named("secrets"),
    outputs: named("outputs"),
    permissions: permissionsOf(yaml),
  };
}

const headComment = (text: string): string =>
  (/^(?:#.*\n)+/.exec(text)?.[0] ?? "").replaceAll(/^# ?/gm, "").replaceAll("\n", " ").trim();

/** Gives the most that any job has. A job without permissions has the workflow's, or the caller's. */
function permissionsOf(yaml: YamlFile): Contract["permissions"] {
  const all = new Map<string, Level>();
  const own = yaml.pair(yaml.root, "permissions");
  for (const job of yaml.pairs(yaml.get(yaml.root, "jobs"))) {
    const pair = yaml.pair(job.value, "permissions") ?? own;
    if (pair === undefined) return undefined;
    for (const [scope, level] of scopesOf(yaml, pair.value)) {
      const known = all.get(scope) ?? "none";
      if (levels.indexOf(level) >= levels.indexOf(known)) all.set(scope, level);
    }
  }
  return new Map([...all].filter(([, level]) => level !== "none"));
}

/** `read-all` and `write-all` stand for every scope at once. */
function scopesOf(yaml: YamlFile, value: Value): readonly (readonly [string, Level])[] {
  const word = yaml.text(value)?.text;
  if (word === "read-all" || word === "write-all") return [["all", word === "read-all" ? "read" : "write"]];
  return yaml.entries(value).map(({ key, value: level }) => [key.text, level.text as Level]);
}
