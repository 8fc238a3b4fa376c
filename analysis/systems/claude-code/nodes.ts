// The nodes that the reading of Claude Code files adds to the graph: agents, commands and skills (one kind, `prompt`,
// since Claude Code treats them alike), hooks, files that nothing loads, and names of agents that no file defines.
// They hold what the files say with the place of every text; prose is read in `delegation.ts` and is always inferred.
import type { Evidence, Place, Text } from "../../place.ts";

interface Base<Kind extends string> {
  readonly kind: Kind;
  readonly system: "claude-code";
  readonly id: string;
  readonly name: string;
  readonly evidence: Evidence;
  readonly file: string;
}

/** One field of a frontmatter. */
export interface Field {
  readonly key: Text;
  /** Its text if it is a scalar. */
  readonly value: Text | undefined;
  /** Its items if it is a list; the one scalar otherwise. */
  readonly items: readonly Text[];
  readonly place: Place;
}

/** Why Claude Code does not load a file. */
export type Reason =
  | "no-frontmatter"
  | "late-frontmatter"
  | "broken-frontmatter"
  | "no-name"
  | "bad-name"
  | "no-description"
  | "wrong-folder"
  | "wrong-form"
  | "broken-json"
  | "unread-key";

/** A file, or a part of one, that Claude Code does not load. */
export interface NotLoaded {
  readonly reason: Reason;
  readonly place: Place;
  /** A clause that begins with "it" or "its", for messages. */
  readonly because: string;
}

/** Text that names a file of the repository. */
export interface Reference {
  readonly path: string;
  readonly place: Place;
  /** `script` if it is run, `document` if it is read. */
  readonly use: "script" | "document";
  readonly exists: boolean;
}

/** What agents and prompts have in common. */
interface Described {
  /** The plugin that ships the file; undefined for the files of a project. */
  readonly plugin: string | undefined;
  readonly fields: readonly Field[];
  /** Where the first field stands, or the first line. */
  readonly fieldsAt: Place;
  /** Why the fields count for nothing although the file is loaded. */
  readonly ignoredFields: NotLoaded | undefined;
  readonly references: readonly Reference[];
  /** The folder for which it is loaded: the one that holds `.claude`, or the root of the plugin. */
  readonly root: string;
}

/** A subagent. */
export interface AgentNode extends Base<"agent">, Described {
  readonly notLoaded: NotLoaded | undefined;
  /** Whether a person would take the file for an agent: it has fields of one, or speaks to one. */
  readonly isMeant: boolean;
  /** The tools that it may use; undefined if it inherits all. */
  readonly tools: readonly Text[] | undefined;
  readonly forbidden: readonly Text[];
}

/** A command or a skill. */
export interface PromptNode extends Base<"prompt">, Described {
  readonly form: "command" | "skill";
  readonly userMayCall: boolean;
  readonly modelMayCall: boolean;
}

/** A file that a hook replaces while it runs. */
export interface Write {
  /** A path of the repository, or `*edited*` for the file that the tool has just changed. */
  readonly target: string;
  /** The languages of the files that it rewrites; empty if it rewrites any. */
  readonly languages: readonly string[];
  /** What writes it, for messages. */
  readonly by: string;
}

/** One hook: what runs on an event. */
export interface HookNode extends Base<"hook"> {
  readonly event: Text;
  readonly matcher: Text | undefined;
  /** `command`, `http`, `mcp_tool`, `prompt` or `agent`; undefined if it is missing. */
  readonly type: Text | undefined;
  readonly command: Text | undefined;
  /** The permission rule that filters calls further. */
  readonly condition: Text | undefined;
  /** What Claude Code cannot read in its entry. */
  readonly malformed: NotLoaded | undefined;
  /** The file that its command runs, if it is one of the repository. */
  readonly script: { readonly path: string; readonly exists: boolean } | undefined;
  readonly writes: readonly Write[];
  /** Whether its command or script takes a lock of its own. */
  readonly isLocked: boolean;
  /** Hooks with the same scope run for the same session. */
  readonly scope: string;
  /** Where `disableAllHooks` switches it off. */
  readonly disabledAt: Place | undefined;
  readonly place: Place;
}

/** A file that lies where Claude Code loads nothing from. */
export interface UnloadedNode extends Base<"unloaded-file"> {
  readonly notLoaded: NotLoaded;
}

/** The name of an agent that no loaded file defines. */
export interface AgentNameNode extends Base<"agent-name"> {
  /** `external` names belong to a plugin that is not in this repository. */
  readonly origin: "built-in" | "external" | "unknown";
  /** The file that was probably meant, and why it does not answer to the name. */
  readonly near: { readonly file: string; readonly name: string } | undefined;
}

export type ClaudeCodeNode = AgentNode | PromptNode | HookNode | UnloadedNode | AgentNameNode;
