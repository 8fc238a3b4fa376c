// The folder of the program that is judged: where its project file is, what its settings file and baseline say, and its
// sources. The Pulumi CLI starts the pack in the folder of the program's entry, which may lie below the project.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openFolder } from "../analysis/folder.ts";
import type { Place } from "../analysis/place.ts";
import { fragmentOf } from "../analysis/systems/pulumi/fragment.ts";
import type { ResourceNode, Setting } from "../analysis/systems/pulumi/nodes.ts";
import { isYamlProgram, readProgram, readSettings } from "../analysis/systems/pulumi/read-program.ts";
import type { Folder } from "../analysis/systems/system.ts";
import { YamlFile } from "../analysis/yaml-file.ts";
import { policyBaselineUnreadable, policySettingsRefused } from "../errors/policies.ts";
import { type BaselineEntry, baselineName, readBaseline } from "./baseline.ts";
import { isRefused, noSettings, type PolicySettings, readPolicySettings, settingsName } from "./settings.ts";

/** A program's folder. */
export interface ProgramFolder {
  readonly root: string;
  /** The project file, relative; undefined if there is none. */
  readonly project: string | undefined;
  readonly folder: () => Folder;
  /** Where a resource has no other place. */
  readonly otherwise: Place;
}

const projectNames = ["Pulumi.yaml", "Pulumi.yml"];

/** Finds the folder of the project that a folder belongs to; the folder itself if it belongs to none. */
export function programFolder(start: string): ProgramFolder {
  const has = (at: string): string | undefined => projectNames.find((name) => existsSync(join(at, name)));
  let root = start;
  while (has(root) === undefined && dirname(root) !== root) root = dirname(root);
  const project = has(root);
  if (project === undefined) root = start;
  let opened: Folder | undefined;
  const folder = (): Folder => {
    opened ??= openFolder(root);
    return opened;
  };
  const file = project ?? "Pulumi.yaml";
  return { root, project, folder, otherwise: { file, line: 1, column: 1, endLine: 1, endColumn: 1 } };
}

const textOf = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, "utf8") : undefined);

/** Reads the settings; all defaults if there is no file. @throws policy-settings-refused */
export function settingsIn(root: string, ruleIds: ReadonlySet<string>): PolicySettings {
  const text = textOf(join(root, settingsName));
  if (text === undefined) return noSettings;
  const read = readPolicySettings(text, ruleIds);
  if (!isRefused(read)) return read;
  const complaints = read.map(({ place, message }) => `${place.file}:${place.line} ${message}`);
  throw policySettingsRefused({ file: settingsName, complaints });
}

/** Reads the baseline; empty if there is no file. @throws policy-baseline-unreadable */
export function baselineIn(root: string): readonly BaselineEntry[] {
  const text = textOf(join(root, baselineName));
  const read = text === undefined ? [] : readBaseline(text);
  if (read === undefined) throw policyBaselineUnreadable({ file: baselineName });
  return read;
}

/** The settings of a stack, as its file beside the project has them. */
export function stackSettings({ root, project }: ProgramFolder, stack: string): readonly Setting[] {
  const file = [`Pulumi.${stack}.yaml`, `Pulumi.${stack}.yml`].find((name) => existsSync(join(root, name)));
  if (file === undefined || project === undefined || stack.includes("/")) return [];
  const yaml = new YamlFile(file, readFileSync(join(root, file), "utf8"));
  return yaml.obstacle === undefined ? (readSettings(file, yaml, stack, "")?.settings ?? []) : [];
}

/** The resources of a program in YAML with their places, by type and name; nothing for other programs. */
export function writtenResources({ root, project }: ProgramFolder): ReadonlyMap<string, ResourceNode> {
  const text = project === undefined ? undefined : textOf(join(root, project));
  if (project === undefined || text === undefined) return new Map();
  const yaml = new YamlFile(project, text);
  if (yaml.obstacle !== undefined || !isYamlProgram(yaml)) return new Map();
  const { nodes } = fragmentOf(readProgram(project, yaml));
  return new Map(nodes.flatMap((node) => (node.kind === "resource" ? [[`${node.token} ${node.name}`, node]] : [])));
}
