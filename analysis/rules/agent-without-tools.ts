// An agent whose list of tools names no tool that an agent can have. Claude Code refuses to start it.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { fieldOf } from "../systems/claude-code/frontmatter.ts";
import type { AgentNode } from "../systems/claude-code/nodes.ts";
import { neverForAgents, tools } from "../systems/claude-code/runtime-facts.ts";
import { claudeCodeViewOf } from "../systems/claude-code/view.ts";

const check = (graph: Graph): readonly Draft[] =>
  claudeCodeViewOf(graph)
    .agents.filter((agent) => agent.notLoaded === undefined && hasNone(agent))
    .map((agent) => {
      const written = agent.tools!.map(({ text }) => text);
      const near = tools.find((tool) => written.some((text) => text.toLowerCase() === tool.toLowerCase()));
      return {
        severity: "high",
        known: { inferred: 0.9 },
        place: fieldOf(agent.fields, "tools")?.place ?? agent.fieldsAt,
        message: `The agent ${agent.name} has no tool, since ${written.join(", ")} names none that an agent can have.`,
        cost: "Claude Code refuses to start the agent.",
        fix:
          near === undefined
            ? "list tools of Claude Code, such as Read and Grep, or delete the field to inherit all"
            : `write the tools as Claude Code names them, such as ${near}`,
        subject: `${agent.file} tools`,
      };
    });

/** Tools of servers and of versions to come may exist, so one unknown name of that form is enough to say nothing. */
function hasNone({ tools: listed }: AgentNode): boolean {
  if (listed === undefined || listed.length === 0) return false;
  return listed.every(({ text }) => {
    const name = text.replace(/\(.*$/s, "");
    if (name === "*" || name === "Task" || name.startsWith("mcp__")) return false;
    return neverForAgents.has(name) || !(tools as readonly string[]).includes(name);
  });
}

const agentText = (line: string): string => `---
name: access-reviewer
description: Reviews a change for mistakes in access control.
${line}
---

You are a reviewer. Report what an attacker could use.
`;

export const agentWithoutTools: Rule = {
  id: "agent-without-tools",
  title: "An agent has no tool and cannot start",
  systems: ["claude-code"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "Claude Code looks each entry of an agent's tools up by its exact name. If none of them is a tool that an agent " +
    "can have, it refuses to start the agent, and the work that was meant for it is not done.",
  severity: "High.",
  fix: "Name the tools as Claude Code does, or leave the field out.",
  limits:
    "The list of tools is that of November 2026, so the finding is inferred. A list with one known tool, or with a " +
    "tool of a server, is not reported.",
  failing: [
    { ".claude/agents/access-reviewer.md": agentText("tools: read_file, search # <- finding") },
    { ".claude/agents/access-reviewer.md": agentText("tools: [AskUserQuestion] # <- finding") },
  ],
  nearMisses: [
    {
      files: { ".claude/agents/access-reviewer.md": agentText("tools: read_file, Read") },
      because: "One of the tools exists; the other is left out.",
      edit: { file: ".claude/agents/access-reviewer.md", replace: "read_file, Read", by: "read_file" },
    },
    {
      files: { ".claude/agents/access-reviewer.md": agentText("tools: mcp__database__query") },
      because: "Tools of servers are known only while Claude Code runs.",
      edit: { file: ".claude/agents/access-reviewer.md", replace: "mcp__database__query", by: "database_query" },
    },
  ],
  check,
};
