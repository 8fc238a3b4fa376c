// The files of all kinds of scenarios. Each is a YAML file of three documents: what is asked or declared, what the
// world does and when, and the expected journal, which `UPDATE=1` rewrites.
import fs from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";

type Kind = "rollout" | "rotation" | "remediation";

/** A scenario as its file has it. */
export interface ScenarioFile {
  readonly file: string;
  readonly name: string;
  /** The comment on the first line. */
  readonly why: string;
  readonly asked: Readonly<Record<string, any>>;
  readonly world: Readonly<Record<string, any>>;
  readonly expected: string;
}

const folderOf = (kind: Kind): string => path.join(import.meta.dirname, "..", "..", "scenarios", kind);

/** Reads every scenario of a kind, in the order of their names. */
export const readScenarios = (kind: Kind): readonly ScenarioFile[] =>
  fs
    .readdirSync(folderOf(kind))
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => readScenario(kind, file));

/** Reads one scenario. */
export function readScenario(kind: Kind, file: string): ScenarioFile {
  const text = fs.readFileSync(path.join(folderOf(kind), file), "utf8");
  const [asked, world, expected] = parseAllDocuments(text).map((document) => document.toJS());
  return {
    file,
    name: file.replace(".yaml", ""),
    why: text.split("\n")[0]!.replace(/^# /, ""),
    asked: asked ?? {},
    world: world ?? {},
    expected: typeof expected === "string" ? expected : "",
  };
}

/** Refuses a misspelt key, which would otherwise change nothing. */
export function refuseUnknown(file: string, given: object, known: readonly string[]): void {
  for (const key of Object.keys(given))
    if (!known.includes(key)) throw new Error(`${file}: unknown key ${key}; the known keys are ${known.join(", ")}.`);
}

/** Replaces the third document by an actual journal, for `UPDATE=1`. */
export function rewriteScenario(kind: Kind, name: string, journal: string): void {
  const file = path.join(folderOf(kind), `${name}.yaml`);
  const [asked, world] = fs.readFileSync(file, "utf8").split(/^---\n/m);
  fs.writeFileSync(file, `${asked}---\n${world}---\n|2\n${journal.replaceAll(/^/gm, "  ").trimEnd()}\n`);
}
