// What Claude Code does with its files, as its documentation says: code.claude.com/docs/en, the pages sub-agents,
// skills, hooks, tools-reference and plugins-reference, in a copy of November 2026 (Claude Code 2.1.286 and later).
// Facts that stand elsewhere name their source beside them. Every fact that a rule rests on is here, so that a new
// version of Claude Code changes one file.

/** hooks, "Hook lifecycle". */
export const hookEvents = [
  "SessionStart",
  "Setup",
  "UserPromptSubmit",
  "UserPromptExpansion",
  "PreToolUse",
  "PermissionRequest",
  "PermissionDenied",
  "PostToolUse",
  "PostToolUseFailure",
  "PostToolBatch",
  "Notification",
  "MessageDisplay",
  "SubagentStart",
  "SubagentStop",
  "TaskCreated",
  "TaskCompleted",
  "Stop",
  "StopFailure",
  "TeammateIdle",
  "InstructionsLoaded",
  "ConfigChange",
  "CwdChanged",
  "DirectoryAdded",
  "FileChanged",
  "WorktreeCreate",
  "WorktreeRemove",
  "PreCompact",
  "PostCompact",
  "PreModelSwitch",
  "PostModelSwitch",
  "Elicitation",
  "ElicitationResult",
  "SessionEnd",
] as const;

/** hooks, "Matcher patterns": these compare the matcher with the name of a tool, and only these read `if`. */
export const toolEvents: ReadonlySet<string> = new Set([
  "PreToolUse",
  "PostToolUse",
  "PostToolUseFailure",
  "PermissionRequest",
  "PermissionDenied",
]);

/** hooks, "Matcher patterns": events that ignore a matcher. */
export const withoutMatcher: ReadonlySet<string> = new Set([
  "UserPromptSubmit",
  "PostToolBatch",
  "Stop",
  "TeammateIdle",
  "TaskCreated",
  "TaskCompleted",
  "WorktreeCreate",
  "WorktreeRemove",
  "MessageDisplay",
  "CwdChanged",
]);

/** hooks, "Matcher patterns": events whose matcher has a closed list of values. */
export const matcherValues: Readonly<Record<string, readonly string[]>> = {
  SessionStart: ["startup", "resume", "clear", "compact", "fork"],
  Setup: ["init", "maintenance"],
  SessionEnd: ["clear", "resume", "logout", "prompt_input_exit", "other"],
  PreCompact: ["manual", "auto"],
  PostCompact: ["manual", "auto"],
  ConfigChange: ["user_settings", "project_settings", "local_settings", "policy_settings", "skills"],
  DirectoryAdded: ["slash_command", "register_repo_root"],
  InstructionsLoaded: ["session_start", "nested_traversal", "path_glob_match", "include", "compact"],
};

/** hooks, "Hook handler fields", and what each kind must have. */
export const hookTypes: Readonly<Record<string, string>> = {
  command: "command",
  http: "url",
  mcp_tool: "tool",
  prompt: "prompt",
  agent: "prompt",
};

/** hooks, "Prompt-based hooks" and "Agent-based hooks": a model answers a question only where the answer decides. */
export const withoutModel: ReadonlySet<string> = new Set([
  "SessionStart",
  "SessionEnd",
  "Setup",
  "Notification",
  "SubagentStart",
  "PreCompact",
  "PostCompact",
  "ConfigChange",
  "InstructionsLoaded",
  "CwdChanged",
  "FileChanged",
  "WorktreeCreate",
  "WorktreeRemove",
  "TeammateIdle",
]);

/** settings, "Available settings": keys that people write into settings and that are read elsewhere. */
export const readElsewhere: Readonly<Record<string, string>> = {
  mcpServers: "servers of a project are read from .mcp.json",
  defaultMode: "it is read below permissions",
  allow: "it is read below permissions",
  deny: "it is read below permissions",
  ask: "it is read below permissions",
  allowedTools: "the list is named allow and is read below permissions",
  disallowedTools: "the list is named deny and is read below permissions",
};

/** tools-reference, and sub-agents, "Available tools". */
export const tools = [
  "Agent",
  "Artifact",
  "AskUserQuestion",
  "Bash",
  "CronCreate",
  "CronDelete",
  "CronList",
  "Edit",
  "EndConversation",
  "EnterPlanMode",
  "EnterWorktree",
  "ExitPlanMode",
  "ExitWorktree",
  "Glob",
  "Grep",
  "LSP",
  "ListAgents",
  "ListMcpResourcesTool",
  "Monitor",
  "NotebookEdit",
  "PowerShell",
  "PushNotification",
  "Read",
  "ReadMcpResourceTool",
  "RemoteTrigger",
  "ReportFindings",
  "ScheduleWakeup",
  "SendFeedback",
  "SendMessage",
  "SendUserFile",
  "ShareOnboardingGuide",
  "Skill",
  "SubagentHandback",
  "TaskCreate",
  "TaskGet",
  "TaskList",
  "TaskOutput",
  "TaskStop",
  "TaskUpdate",
  "TodoWrite",
  "ToolSearch",
  "WaitForMcpServers",
  "WebFetch",
  "WebSearch",
  "Workflow",
  "Write",
] as const;

/** sub-agents, "Available tools": tools that no agent gets, even if its list names them. */
export const neverForAgents: ReadonlySet<string> = new Set([
  "AskUserQuestion",
  "EndConversation",
  "EnterPlanMode",
  "ScheduleWakeup",
  "WaitForMcpServers",
  "Workflow",
]);

/** Names that older versions had (`Task` is an alias of `Agent` since 2.1.63). A matcher of one is old, not wrong. */
export const formerTools = [
  "Task",
  "MultiEdit",
  "NotebookRead",
  "LS",
  "TodoRead",
  "BashOutput",
  "KillShell",
  "KillBash",
  "SlashCommand",
  "TeamCreate",
  "TeamDelete",
  "AgentOutputTool",
] as const;

/** Tools that change files of the repository. `Bash` can, and is not one: reviewers have it to read. */
export const writingTools: ReadonlySet<string> = new Set(["Edit", "Write", "NotebookEdit", "MultiEdit"]);

/** sub-agents, "Built-in subagents", and names that older versions had. */
export const builtInAgents: ReadonlySet<string> = new Set([
  "general-purpose",
  "explore",
  "plan",
  "claude",
  "statusline-setup",
  "output-style-setup",
  "claude-code-guide",
  "fork",
]);

/** sub-agents, "Frontmatter reference". */
export const agentFields = [
  "name",
  "description",
  "tools",
  "disallowedTools",
  "model",
  "permissionMode",
  "maxTurns",
  "skills",
  "mcpServers",
  "hooks",
  "memory",
  "background",
  "omitClaudeMd",
  "effort",
  "isolation",
  "color",
  "initialPrompt",
  "experimental",
] as const;

/** sub-agents, "Choose the subagent scope": fields that an agent of a plugin may have and that count for nothing. */
export const ignoredInPlugins: ReadonlySet<string> = new Set(["hooks", "mcpServers", "permissionMode"]);

/** skills, "Frontmatter reference". Command files accept the same, except `name` and `paths`. */
export const promptFields = [
  "name",
  "description",
  "when_to_use",
  "argument-hint",
  "arguments",
  "disable-model-invocation",
  "user-invocable",
  "allowed-tools",
  "disallowed-tools",
  "model",
  "effort",
  "context",
  "agent",
  "background",
  "hooks",
  "paths",
  "shell",
  "metadata",
  "license",
  "compatibility",
] as const;

/** skills, "Frontmatter reference": booleans in any letter case. */
export const isYes = (text: string | undefined): boolean => /^(true|yes|on|1)$/i.test(text ?? "");
export const isNo = (text: string | undefined): boolean => /^(false|no|off|0)$/i.test(text ?? "");

/**
 * Whether a matcher lets a value through (hooks, "Matcher patterns"): exact names if it holds letters, digits,
 * `_`, `-`, spaces, `,` and `|` only, a regular expression that is not anchored otherwise. One that does not compile
 * lets nothing through.
 */
export function matches(matcher: string | undefined, value: string): boolean {
  if (matcher === undefined || matcher === "" || matcher === "*") return true;
  const names = exactNames(matcher);
  if (names !== undefined) return names.includes(value);
  if (isCostly(matcher)) return true;
  try {
    return new RegExp(matcher).test(value);
  } catch {
    return false;
  }
}

/** Whether an expression may take very long on a short text. Such an expression is not tried; it counts as matching. */
const isCostly = (pattern: string): boolean =>
  pattern.length > 200 || /\)[*+{]/.test(pattern) || (pattern.match(/[*+{]/g) ?? []).length > 6;

/** Gives the names of a matcher that is a list of exact names; undefined if it is a regular expression. */
export const exactNames = (matcher: string): readonly string[] | undefined =>
  /^[\w\- ,|]+$/.test(matcher)
    ? matcher
        .split(/[|,]/)
        .map((name) => name.trim())
        .filter((name) => name !== "")
    : undefined;
