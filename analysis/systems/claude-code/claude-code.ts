// The system of Claude Code: agents, commands, skills, hooks, settings and plugins, each judged by whether the runtime
// loads it at all. Delegation is prose, so its edges are inferred with a confidence. Nothing is run, and no file
// outside of the folder is read.
import type { Edge } from "../../graph.ts";
import { inferred, structural } from "../../place.ts";
import { refusal, YamlFile } from "../../yaml-file.ts";
import type { FileRead, Folder, System } from "../system.ts";
import { delegationEdges } from "./delegation-edges.ts";
import { fieldOf, placeIn } from "./frontmatter.ts";
import { faultOfJson, isRecord, parseJson } from "./json.ts";
import { layoutOf, mayBeClaudeCode, type Role } from "./layout.ts";
import type { AgentNode, HookNode, NotLoaded, PromptNode, UnloadedNode } from "./nodes.ts";
import { type HookSource, readHooks } from "./read-hooks.ts";
import { type MarkdownFile, type Reading, readAgent, readPrompt } from "./read-markdown.ts";
import { readElsewhere } from "./runtime-facts.ts";

/** What is gathered while the files are read. */
interface Gathered {
  readonly agents: MarkdownFile<AgentNode>[];
  readonly prompts: MarkdownFile<PromptNode>[];
  readonly hooks: HookNode[];
  readonly unloaded: UnloadedNode[];
  readonly judged: string[];
  readonly notJudged: { file: string; because: string }[];
}

export const claudeCodeSystem: System = {
  name: "claude-code",
  claims: mayBeClaudeCode,
  read: (folder) => {
    const known = new Set(folder.files);
    const gathered: Gathered = { agents: [], prompts: [], hooks: [], unloaded: [], judged: [], notJudged: [] };
    for (const [file, role] of layoutOf(folder)) readFile(folder, known, file, role, gathered);
    for (const file of linksOf(folder))
      gathered.notJudged.push({ file, because: "it is a link, and links are not followed" });
    const { agents, prompts, hooks, unloaded, judged, notJudged } = gathered;
    const delegation = delegationEdges(agents, prompts);
    return {
      nodes: [
        ...agents.map(({ node }) => node),
        ...prompts.map(({ node }) => node),
        ...hooks,
        ...unloaded,
        ...delegation.names,
      ],
      edges: [...delegation.edges, ...preloads(agents, prompts)],
      judged,
      notJudged,
    };
  },
};

function readFile(folder: Folder, known: ReadonlySet<string>, file: string, role: Role, to: Gathered): void {
  const content: FileRead = folder.read(file);
  const because = "because" in content ? content.because : refusal(content.text);
  if (because !== undefined || !("text" in content)) {
    to.notJudged.push({ file, because: because ?? "it cannot be read" });
    return;
  }
  const obstacle = readText(folder, known, file, content.text, role, to);
  if (obstacle === undefined) to.judged.push(file);
  else to.notJudged.push({ file, because: obstacle });
}

/** Reads a text by its role, and gives the reason if it cannot be judged. */
function readText(
  folder: Folder,
  known: ReadonlySet<string>,
  file: string,
  text: string,
  role: Role,
  to: Gathered,
): string | undefined {
  if (role.kind === "agent") {
    const agent = readAgent(file, text, role, folder, known);
    if (agent.obstacle !== undefined) return agent.obstacle;
    to.agents.push(agent.kept);
    if (role.plugin === undefined) to.hooks.push(...hooksOfMarkdown(folder, known, agent));
  } else if (role.kind === "command" || role.kind === "skill") {
    const prompt = readPrompt(file, text, role, folder, known);
    if (prompt.obstacle !== undefined) return prompt.obstacle;
    to.prompts.push(prompt.kept);
    to.hooks.push(...hooksOfMarkdown(folder, known, prompt));
  } else if (role.kind === "misplaced") {
    const { reason, because, isSure } = role;
    to.unloaded.push(unloaded(file, { reason, place: placeIn(file, 1), because }, isSure));
  } else return readJson(folder, known, file, text, role, to);
  return undefined;
}

function readJson(
  folder: Folder,
  known: ReadonlySet<string>,
  file: string,
  text: string,
  role: Role,
  to: Gathered,
): string | undefined {
  const fault = faultOfJson(text);
  if (fault !== undefined) {
    const place = placeIn(file, fault.line, fault.column);
    const because = `it is not JSON (it has ${fault.what})`;
    to.unloaded.push(unloaded(file, { reason: "broken-json", place, because }, true));
    return undefined;
  }
  const yaml = new YamlFile(file, text);
  const json = parseJson(text);
  if (yaml.obstacle !== undefined) return yaml.obstacle;
  if (!isRecord(json)) return undefined;
  if (role.kind === "settings") to.unloaded.push(...unreadKeys(file, yaml));
  const off = yaml.pair(yaml.root, "disableAllHooks");
  const plugin = role.kind === "settings" ? undefined : role.root;
  const hooks = yaml.get(yaml.root, "hooks");
  const source: HookSource = {
    file,
    yaml,
    hooks: yaml.isMap(yaml.get(hooks, "hooks")) ? yaml.get(hooks, "hooks") : hooks,
    scope: plugin === undefined ? `project ${role.root}` : `plugin ${plugin}`,
    roots: { project: role.root, plugin },
    disabledAt: json["disableAllHooks"] === true && off !== undefined ? yaml.pairPlace(off) : undefined,
  };
  to.hooks.push(...readHooks(folder, known, source));
  return undefined;
}

/** Keys of settings that stand where nothing reads them. */
const unreadKeys = (file: string, yaml: YamlFile): readonly UnloadedNode[] =>
  Object.entries(readElsewhere).flatMap(([key, because]) => {
    const pair = yaml.pair(yaml.root, key);
    if (pair === undefined) return [];
    const node = unloaded(file, { reason: "unread-key", place: yaml.pairPlace(pair), because }, true);
    return [{ ...node, id: `${node.id}#${key}`, name: key }];
  });

const hooksOfMarkdown = (
  folder: Folder,
  known: ReadonlySet<string>,
  { kept: { node }, yaml }: Reading<AgentNode | PromptNode>,
): readonly HookNode[] =>
  yaml === undefined
    ? []
    : readHooks(folder, known, {
        file: node.file,
        yaml,
        hooks: yaml.get(yaml.root, "hooks"),
        scope: node.file,
        roots: { project: node.root, plugin: node.plugin === undefined ? undefined : node.root },
        disabledAt: undefined,
      });

const unloaded = (file: string, notLoaded: NotLoaded, isSure: boolean): UnloadedNode => ({
  kind: "unloaded-file",
  system: "claude-code",
  id: `unloaded-file:${file}`,
  name: file.replace(/^.*\//, ""),
  evidence: isSure ? structural(notLoaded.place) : inferred(notLoaded.place, 0.8),
  file,
  notLoaded,
});

/** Links in the folders that Claude Code reads. They would be followed by the runtime, and are not here. */
const linksOf = (folder: Folder): readonly string[] =>
  folder.files.filter((file) => {
    if (!/(^|\/)\.claude(\/(agents|commands|skills)(\/[^/]+)?)?$/.test(file)) return false;
    const content = folder.read(file);
    return "because" in content && content.because.includes("link");
  });

/** Edges from agents to the skills that they load when they start. */
function preloads(
  agents: readonly MarkdownFile<AgentNode>[],
  prompts: readonly MarkdownFile<PromptNode>[],
): readonly Edge[] {
  return agents.flatMap(({ node }) =>
    (fieldOf(node.fields, "skills")?.items ?? []).flatMap((item) => {
      const names = item.text.split(",").map((name) => name.trim());
      return prompts
        .filter((prompt) => prompt.node.form === "skill" && names.includes(prompt.node.name))
        .map(
          ({ node: skill }): Edge => ({
            kind: "reads",
            from: node.id,
            to: skill.id,
            label: "skills",
            evidence: structural(item.place),
          }),
        );
    }),
  );
}
