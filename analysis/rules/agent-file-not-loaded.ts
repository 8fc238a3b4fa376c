// A file that a person wrote for Claude Code and that Claude Code does not load: an agent without a name, frontmatter
// that is no YAML or begins too late, a skill in the wrong folder, settings that are no JSON. Claude Code says nothing
// about it outside of its debug log, and the work goes to another agent.
import type { Graph } from "../graph.ts";
import { nameRepair } from "../patches/frontmatter-repair.ts";
import type { Draft, Rule } from "../rule.ts";
import type { AgentNode, UnloadedNode } from "../systems/claude-code/nodes.ts";
import { type ClaudeCodeView, claudeCodeViewOf } from "../systems/claude-code/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = claudeCodeViewOf(graph);
  return [
    ...view.agents.flatMap((agent) => (agent.notLoaded === undefined ? [] : agentDraft(view, agent))),
    ...view.unloaded.filter(({ notLoaded: { reason } }) => reason !== "unread-key").map(fileDraft),
  ];
}

function agentDraft(view: ClaudeCodeView, agent: AgentNode): readonly Draft[] {
  const { file, notLoaded, isMeant } = agent;
  const caller = view.surestTo(agent.id);
  if (!isMeant && caller === undefined) return [];
  const { reason, place, because } = notLoaded!;
  const stem = file.replace(/^.*\//, "").replace(/\.md$/, "");
  const isPlain = reason === "no-frontmatter" && caller === undefined;
  const asked = caller === undefined ? "" : ` ${caller.from.name} delegates to it.`;
  return [
    {
      severity: caller === undefined ? "medium" : "high",
      known: isPlain ? { inferred: 0.8 } : "structural",
      place,
      message: `Claude Code does not load this agent, since ${because}.${asked}`,
      cost: "The agent is never offered; its work is done without its instructions, or by another agent.",
      fix: fixes[reason] ?? `begin the file with frontmatter that has a name (${stem}) and a description`,
      subject: `agent ${file} ${reason}`,
      related: caller === undefined ? [] : [{ place: caller.edge.evidence.place, message: "it is called for here" }],
      repair: reason === "no-name" ? nameRepair(agent, stem) : undefined,
    },
  ];
}

const fixes: Readonly<Record<string, string>> = {
  "late-frontmatter":
    "move the line of --- to the first line of the file, and what stands above it below the frontmatter",
  "broken-frontmatter": "correct the YAML, for example with quotes around the whole value",
  "bad-name": "use lower-case letters and hyphens for the name",
  "no-description": "add a description that says when to delegate to the agent",
};

const fileDraft = ({ file, notLoaded: { reason, place, because }, evidence }: UnloadedNode): Draft => ({
  severity: reason === "broken-json" ? "high" : "medium",
  known: evidence.known,
  place,
  message: `Claude Code does not load ${file.replace(/^.*\//, "")}, since ${because}.`,
  cost:
    reason === "broken-json"
      ? "None of its permissions, hooks and settings apply, also those that forbid something."
      : "What it says never reaches Claude Code.",
  fix:
    reason === "broken-json"
      ? "correct the JSON; comments and trailing commas are not allowed"
      : "move it to where it is read, or delete it",
  subject: `file ${file} ${reason}`,
});

const agentText = (opening: string): string => `${opening}
description: Reviews a change for mistakes in access control.
tools: Read, Grep
---

You are a reviewer. Report what an attacker could use.
`;
const command = `---
description: Reviews the change.
---

Use the \`access-reviewer\` agent to review the change.
`;
const skill = (opening: string): string => `${opening}
description: Deploys the shop.
---

Run the deployment script and report its answer.
`;
const settings = (rest: string): string => `{
  "permissions": { "deny": ["Read(.env)"] }${rest}
}
`;

export const agentFileNotLoaded: Rule = {
  id: "agent-file-not-loaded",
  title: "Claude Code does not load a file that was written for it",
  systems: ["claude-code"],
  antiPattern: 5,
  focus: "resilience",
  why:
    "Claude Code skips an agent without a name or a description, with frontmatter that is not YAML, or with " +
    "frontmatter below the first line. It says so only in its debug log. Skills that lie too deep, hooks outside of " +
    "the settings and settings that are not JSON count for nothing either.",
  severity:
    "High if something delegates to the agent, or if settings are not JSON. Otherwise medium. A file without any " +
    "frontmatter is reported only if it speaks to an agent or something delegates to it.",
  fix:
    "Give every agent a name and a description in frontmatter that begins on the first line, and put files where " +
    "they are read.",
  limits:
    "Files outside of .claude and of plugins are not judged, nor are folders such as references and examples. Agents " +
    "of plugins are loaded under their file's name, so they are not reported. Whether a plugin is enabled is not " +
    "known.",
  failing: [
    { ".claude/agents/access-reviewer.md": agentText("---\nmodel: opus # <- finding") },
    {
      ".claude/agents/access-reviewer.md": agentText(
        "<!-- Of the security team. <- finding -->\n---\nname: access-reviewer",
      ),
      ".claude/commands/review.md": command,
    },
    {
      ".claude/agents/access-reviewer.md": agentText('---\nname: access-reviewer\nmodel: "opus" (<- finding)'),
    },
    { ".claude/skills/shop/deploy/SKILL.md": skill("--- # <- finding\nname: deploy") },
    { ".claude/hooks/hooks.json": '{ "hooks": {}, "description": "<- finding" }\n' },
    { ".claude/settings.jsonc": "{} // <- finding\n" },
    { ".claude/settings.json": settings(",\n  // <- finding") },
  ],
  nearMisses: [
    {
      files: {
        ".claude/agents/access-reviewer.md": agentText("---\nname: access-reviewer"),
        ".claude/agents/README.md": "# Agents\n\nThe agent access-reviewer looks at access control.\n",
      },
      because: "The agent has a name and a description, and a file without frontmatter that is no agent is a document.",
      edit: { file: ".claude/agents/access-reviewer.md", replace: "name: access-reviewer\n", by: "" },
    },
    {
      files: {
        ".claude/agents/access-reviewer.md": agentText("---\nname: access-reviewer\nmodel: opus: the large one"),
      },
      because: "Claude Code puts a value that YAML refuses into quotes and reads it again.",
      edit: {
        file: ".claude/agents/access-reviewer.md",
        replace: "model: opus: the large one",
        by: "model: opus\n  the: large one",
      },
    },
    {
      files: { ".claude/skills/deploy/SKILL.md": skill("---\nname: deploy"), ".claude/settings.json": settings("") },
      because: "The skill lies in a folder of its own, and the settings are JSON.",
      edit: { file: ".claude/settings.json", replace: '["Read(.env)"]', by: '["Read(.env)"],' },
    },
  ],
  check,
};
