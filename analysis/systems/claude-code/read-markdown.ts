// Reads agents, commands and skills: whether Claude Code loads the file, under which name, what its fields restrict,
// and which files of the repository its text needs. The text itself is kept as prose; who it delegates to is found
// once all agents are known.
import { structural } from "../../place.ts";
import type { Folder } from "../system.ts";
import { looksLikeAgent } from "./cues.ts";
import { type Frontmatter, fieldOf, readFrontmatter, toolsOf } from "./frontmatter.ts";
import type { NamedRole } from "./layout.ts";
import { type ProseLine, proseOf } from "./markdown.ts";
import type { AgentNode, NotLoaded, PromptNode } from "./nodes.ts";
import { References } from "./references.ts";
import { isNo, isYes } from "./runtime-facts.ts";

/** A file that was read. Its prose is taken apart again when it is asked for: kept, that of many files is large. */
export interface MarkdownFile<Node> {
  readonly node: Node;
  readonly prose: () => readonly ProseLine[];
}

/** What only the reading of the file needs. */
export interface Reading<Node> {
  readonly kept: MarkdownFile<Node>;
  readonly yaml: Frontmatter["yaml"];
  readonly obstacle: string | undefined;
}

const readingOf = <Node>(node: Node, text: string, { yaml, obstacle, bodyLine }: Frontmatter): Reading<Node> => ({
  kept: { node, prose: () => proseOf(text.split("\n").slice(bodyLine - 1), bodyLine) },
  yaml,
  obstacle,
});

/** Reads an agent. One of a project needs a name and a description; one of a plugin is loaded under its file's name. */
export function readAgent(
  file: string,
  text: string,
  role: NamedRole,
  folder: Folder,
  known: ReadonlySet<string>,
): Reading<AgentNode> {
  const frontmatter = readFrontmatter(file, text);
  const { fields, fault, at } = frontmatter;
  const declared = fieldOf(fields, "name")?.value;
  const isPlugins = role.plugin !== undefined;
  const prose = proseOf(frontmatter.body, frontmatter.bodyLine);
  const own = isPlugins
    ? role.name.replace(/[^:]*$/, () => declared?.text ?? role.name.replace(/^.*:/, ""))
    : declared?.text;
  const name = isPlugins ? `${role.plugin}:${own}` : (own ?? role.name);
  const node: AgentNode = {
    kind: "agent",
    system: "claude-code",
    id: `agent:${file}`,
    name,
    evidence: structural(declared?.place ?? at),
    file,
    plugin: role.plugin,
    root: role.root,
    fields,
    fieldsAt: at,
    ignoredFields: isPlugins && fault?.reason !== "no-frontmatter" ? fault : undefined,
    notLoaded: isPlugins ? undefined : notLoadedAgent(frontmatter),
    isMeant: role.isAside !== true && isMeant(role.name, frontmatter),
    tools: toolsOf(fieldOf(fields, "tools")),
    forbidden: toolsOf(fieldOf(fields, "disallowedTools")) ?? [],
    references: new References(file, role, folder, known).in(prose),
  };
  return readingOf(node, text, frontmatter);
}

/** sub-agents, "Subagent files Claude Code skips". */
function notLoadedAgent({ fields, fault, at }: Frontmatter): NotLoaded | undefined {
  if (fault !== undefined) return fault;
  const name = fieldOf(fields, "name");
  if (name?.value === undefined) return { reason: "no-name", place: at, because: "its frontmatter has no name" };
  const { text, place } = name.value;
  if (/^-|:/.test(text)) {
    const because = `its name is ${text}, and a name may neither begin with - nor contain a colon`;
    return { reason: "bad-name", place, because };
  }
  if (fieldOf(fields, "description")?.items.length) return undefined;
  return { reason: "no-description", place: at, because: "its frontmatter has no description" };
}

/** A name or a heading of a document about agents. */
const document = /\b(usage|guide|readme|index|overview|registry|catalog(ue)?|changelog|how to)\b/i;

/** Whether a file in a folder of agents is an agent and not a document beside them. */
function isMeant(name: string, { fields, fault, body }: Frontmatter): boolean {
  if (fieldOf(fields, "description") !== undefined || fieldOf(fields, "tools") !== undefined) return true;
  if (fieldOf(fields, "name") !== undefined || fieldOf(fields, "model") !== undefined) return true;
  if (fault?.reason === "late-frontmatter" || fault?.reason === "broken-frontmatter") return true;
  const opening = body.filter((line) => line.trim() !== "").slice(0, 12);
  if (document.test(name) || document.test(opening[0] ?? "")) return false;
  if (looksLikeAgent(name)) return true;
  return opening.some((line) =>
    /^(#{1,2} (.*\bagents?\s*$|agents?:)|#+ (role|persona|identity)\b|you are (a|an|the)\b)/i.test(line),
  );
}

/** Reads a command or a skill. Both are loaded even if their fields are refused. */
export function readPrompt(
  file: string,
  text: string,
  role: NamedRole,
  folder: Folder,
  known: ReadonlySet<string>,
): Reading<PromptNode> {
  const frontmatter = readFrontmatter(file, text);
  const { fields, fault, at } = frontmatter;
  const declared = role.kind === "skill" ? fieldOf(fields, "name")?.value : undefined;
  const own = declared?.text ?? role.name;
  const prose = proseOf(frontmatter.body, frontmatter.bodyLine);
  const node: PromptNode = {
    kind: "prompt",
    system: "claude-code",
    id: `prompt:${file}`,
    name: role.plugin === undefined ? own : `${role.plugin}:${own.replace(`${role.plugin}:`, "")}`,
    evidence: structural(declared?.place ?? at),
    file,
    plugin: role.plugin,
    root: role.root,
    fields,
    fieldsAt: at,
    ignoredFields: fault?.reason === "no-frontmatter" ? undefined : fault,
    form: role.kind === "skill" ? "skill" : "command",
    userMayCall: !isNo(fieldOf(fields, "user-invocable")?.value?.text),
    modelMayCall: !isYes(fieldOf(fields, "disable-model-invocation")?.value?.text),
    references: new References(file, role, folder, known).in(prose),
  };
  return readingOf(node, text, frontmatter);
}
