// Which file Claude Code reads as what, by its place: agents, commands, skills, settings and hooks of a project, at
// any depth, and the same of plugins, whose manifest may move them. Files in `examples`, `templates`, `fixtures` and
// the like are nobody's configuration and are left out. Files where people expect Claude Code to look, and where it
// does not, are named with the reason.
import type { Folder } from "../system.ts";
import { isRecord, parseJson } from "./json.ts";

/** What a file is. `root` is the folder that holds `.claude`, or that of the plugin; it is empty at the top. */
export type Role = NamedRole | ConfigurationRole | MisplacedRole;

/** A Markdown file with the name that its place gives it. */
export interface NamedRole {
  readonly kind: "agent" | "command" | "skill";
  readonly root: string;
  readonly plugin?: string;
  readonly name: string;
  /** Whether it lies among references or examples: then it is an agent only if the runtime takes it for one. */
  readonly isAside?: boolean;
}

export interface ConfigurationRole {
  readonly kind: "settings" | "plugin-hooks" | "manifest";
  readonly root: string;
  readonly plugin?: string;
}

/** A file that nothing reads. Whether that is sure depends on what else it may be. */
export interface MisplacedRole {
  readonly kind: "misplaced";
  readonly root: string;
  readonly reason: "wrong-folder" | "wrong-form";
  readonly because: string;
  readonly isSure: boolean;
}

interface Plugin {
  readonly root: string;
  readonly name: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

const aside =
  /(^|\/)(examples?|fixtures?|testdata|templates?|archived?|samples?|tests?|__\w+__|worktrees|dist|build|out)\//;
/** Folders inside of `.claude` whose files support others. */
const supporting = /(^|\/)(references?|examples?|templates?|assets|archived?|docs|resources|shared|partials)\//;

/** Gives every file that has a role, in the order of the folder. */
export function layoutOf(folder: Folder): ReadonlyMap<string, Role> {
  const plugins = pluginsOf(folder);
  const roles = new Map<string, Role>();
  const known = new Set(folder.files);
  for (const file of folder.files) {
    const role = ofProject(file, known) ?? ofPlugins(file, plugins);
    if (role !== undefined) roles.set(file, role);
  }
  return roles;
}

/** Whether a path may belong to Claude Code, without a look at the folder. */
export const mayBeClaudeCode = (file: string): boolean =>
  !aside.test(file.replace(/\.claude(-plugin)?\/.*$/, "")) &&
  /(^|\/)\.claude(-plugin)?\/(.*\.md|.*\.json|skills\/[^/]+)$/.test(file);

function ofProject(file: string, known: ReadonlySet<string>): Role | undefined {
  const [, before, inner] = /^(.*?)(?:^|\/)?\.claude\/(.+)$/.exec(file) ?? [];
  if (before === undefined || inner === undefined || inner.includes(".claude/")) return undefined;
  const root = before.replace(/\/$/, "");
  if (aside.test(`${root}/`)) return undefined;
  const stem = inner.replace(/^.*\//, "").replace(/\.\w+$/, "");
  if (/^settings(\.local)?\.json$/.test(inner)) return { kind: "settings", root };
  if (/^agents\/.+\.md$/.test(inner)) return { kind: "agent", root, name: stem, isAside: supporting.test(inner) };
  if (/^commands\/.+\.md$/.test(inner)) {
    const name = inner
      .replace(/^commands\//, "")
      .replace(/\.md$/, "")
      .replaceAll("/", ":");
    return { kind: "command", root, name };
  }
  const skill = /^skills\/([^/]+)\/SKILL\.md$/.exec(inner)?.[1];
  if (skill !== undefined) return { kind: "skill", root, name: skill };
  return misplaced(file, inner, root, known);
}

/** Files that look like configuration and that nothing reads. Skills lie one folder deep, in a folder of their own. */
function misplaced(file: string, inner: string, root: string, known: ReadonlySet<string>): Role | undefined {
  const role = (because: string, isSure = true, reason: "wrong-folder" | "wrong-form" = "wrong-folder"): Role => ({
    kind: "misplaced",
    root,
    reason,
    because,
    isSure,
  });
  if (/^skills\/SKILL\.md$/.test(inner)) return role("it lies in skills itself; each skill needs a folder of its own");
  // A name in capitals is that of a document, such as a list of the skills.
  const isDocument = /^skills\/([A-Z\d_-]+|readme[^/]*|index[^/]*|claude[^/]*|agents[^/]*)\.md$/.test(inner);
  if (/^skills\/[^/]+\.md$/.test(inner) && !isDocument)
    return role("it lies in skills itself; a skill is a folder with a file SKILL.md", false);
  const deep = /^(skills\/[^/]+)\/(?:[^/]+\/)+SKILL\.md$/.exec(inner)?.[1];
  if (deep !== undefined && !supporting.test(inner)) {
    const top = file.slice(0, file.length - inner.length) + deep;
    if (known.has(`${top}/SKILL.md`) || known.has(`${top}/.claude-plugin/plugin.json`)) return undefined;
    return role("it lies more than one folder below skills, and Claude Code looks no deeper");
  }
  if (/^settings(\.local)?\.(jsonc|json5|ya?ml|toml)$/.test(inner))
    return role("settings are read from settings.json and settings.local.json only", true, "wrong-form");
  if (/^hooks(\/hooks)?\.json$/.test(inner))
    return role("hooks of a project stand in .claude/settings.json; a hooks.json is read in plugins only");
  const single = /^(agent|command|skill)\/.+\.md$/.exec(inner)?.[1];
  if (single !== undefined) return role(`the folder is named ${single}, and Claude Code reads ${single}s`);
  if (/^agents\/.+\.(ya?ml|mdx|markdown)$/.test(inner) && !supporting.test(inner))
    return role("agents are Markdown files whose name ends in .md", false, "wrong-form");
  return undefined;
}

function ofPlugins(file: string, plugins: readonly Plugin[]): Role | undefined {
  if (/(^|\/)\.claude-plugin\/(plugin|marketplace)\.json$/.test(file) && !aside.test(file))
    return { kind: "manifest", root: file.replace(/\/?\.claude-plugin\/[^/]+$/, "") };
  for (const plugin of plugins) {
    const prefix = plugin.root === "" ? "" : `${plugin.root}/`;
    if (!file.startsWith(prefix)) continue;
    const role = ofPlugin(file.slice(prefix.length), plugin);
    if (role !== undefined) return role;
  }
  return undefined;
}

function ofPlugin(inner: string, { root, name, manifest }: Plugin): Role | undefined {
  const wrong = /^\.claude-plugin\/(agents|commands|skills|hooks)\//.exec(inner)?.[1];
  if (wrong !== undefined) {
    const because = `only manifests are read from .claude-plugin; ${wrong} lie beside it`;
    return { kind: "misplaced", root, reason: "wrong-folder", because, isSure: true };
  }
  const below = (field: string, standard: string): string | undefined => {
    const folders = [...(field === "skills" || !(field in manifest) ? [standard] : []), ...paths(manifest[field])];
    const found = folders.find((path) => inner === path || inner.startsWith(path === "" ? "" : `${path}/`));
    return found === undefined ? undefined : inner.slice(found === inner ? 0 : found.length).replace(/^\//, "");
  };
  const plugin = { root, plugin: name };
  const agent = below("agents", "agents");
  if (agent?.endsWith(".md") && !supporting.test(inner)) {
    const scoped = agent.replace(/\.md$/, "").replace(/^.*\.\w+\//, "");
    return { kind: "agent", ...plugin, name: scoped.replaceAll("/", ":") };
  }
  const command = below("commands", "commands");
  if (command?.endsWith(".md") && !supporting.test(inner))
    return { kind: "command", ...plugin, name: command.replace(/\.md$/, "").replaceAll("/", ":") };
  const skill = /^(?:([^/]+)\/)?SKILL\.md$/.exec(below("skills", "skills") ?? "")?.[1];
  if (skill !== undefined) return { kind: "skill", ...plugin, name: skill };
  if (inner === "hooks/hooks.json" || paths(manifest["hooks"]).includes(inner))
    return { kind: "plugin-hooks", ...plugin };
  return undefined;
}

/** Plugins have a manifest, or are listed by a marketplace of the same repository. Deeper folders come first. */
function pluginsOf(folder: Folder): readonly Plugin[] {
  const found = new Map<string, Plugin>();
  for (const { root, manifest } of folder.files.flatMap((file) => manifestsIn(folder, file))) {
    if (aside.test(`${root}/`)) continue;
    const name = typeof manifest["name"] === "string" ? manifest["name"] : (root.split("/").at(-1) ?? "");
    found.set(root, { root, name, manifest: { ...found.get(root)?.manifest, ...manifest } });
  }
  return [...found.values()].toSorted((one, other) => other.root.length - one.root.length);
}

interface Manifest {
  readonly root: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** Gives the plugins that a file describes. `marketplace.json` sorts before `plugin.json`, which wins. */
function manifestsIn(folder: Folder, file: string): readonly Manifest[] {
  const [, root = "", kind] = /^(?:(.*)\/)?\.claude-plugin\/(plugin|marketplace)\.json$/.exec(file) ?? [];
  if (kind === undefined) return [];
  const content = folder.read(file);
  const json = "text" in content ? parseJson(content.text) : undefined;
  if (!isRecord(json)) return [];
  if (kind === "plugin") return [{ root, manifest: json }];
  const entries = Array.isArray(json["plugins"]) ? json["plugins"].filter(isRecord) : [];
  return entries.flatMap((manifest) => {
    const source = typeof manifest["source"] === "string" ? inside(root, manifest["source"]) : undefined;
    return source === undefined ? [] : [{ root: source, manifest }];
  });
}

/** Joins a path of a manifest to its folder; undefined if it leaves the repository or is an address. */
export function inside(root: string, path: string): string | undefined {
  if (/^([a-z]+:|\/|~)/i.test(path)) return undefined;
  const parts: string[] = [];
  for (const part of `${root}/${path}`.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

const paths = (value: unknown): readonly string[] =>
  [value].flat().flatMap((each) => (typeof each === "string" ? [each.replace(/^\.\//, "").replace(/\/+$/, "")] : []));
