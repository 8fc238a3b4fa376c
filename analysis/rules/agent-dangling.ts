// Work that is handed to an agent that does not exist. Claude Code answers an unknown type with an error, or the model
// does the work itself without the instructions that were meant for it.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import { weaker } from "../place.ts";
import type { Draft, Rule, Severity } from "../rule.ts";
import type { AgentNameNode } from "../systems/claude-code/nodes.ts";
import { claudeCodeViewOf, type Delegated } from "../systems/claude-code/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = claudeCodeViewOf(graph);
  const shipsAgents = view.agents.length > 0;
  const dangling = view.delegations.filter(({ to }) => to.kind === "agent-name" && to.origin === "unknown");
  return groupedBy(dangling, ({ from, to }) => `${from.id} ${to.id}`).map((all) => draft(all, shipsAgents));
}

/** One finding for each name in a file, at the surest place. */
function draft(all: readonly Delegated[], shipsAgents: boolean): Draft {
  const inOrder = all.toSorted((one, other) => other.confidence - one.confidence);
  const [surest, ...others] = inOrder as [Delegated, ...Delegated[]];
  const { from, to, edge, confidence } = surest;
  const { near, name } = to as AgentNameNode;
  const hint = near === undefined ? "" : ` ${near.file} declares the name ${near.name}.`;
  return {
    severity: severityOf(shipsAgents, confidence),
    known: weaker(edge.evidence.known, { inferred: 0.95 }),
    place: edge.evidence.place,
    message: `${from.name} hands work to the agent ${name}, which no file of this repository defines.${hint}`,
    cost: "The call fails, or the work is done without the instructions of the agent that was meant.",
    fix:
      near === undefined
        ? `add .claude/agents/${name.replace(/^.*:/, "")}.md, or name an agent that exists`
        : `call it ${near.name}, or rename the agent in ${near.file}`,
    subject: `${from.file} ${name}`,
    related: others.map((each) => ({ place: each.edge.evidence.place, message: `${name} is named here too` })),
  };
}

/** A repository without agents may rely on those of its users, so nothing is said loudly there. */
function severityOf(shipsAgents: boolean, confidence: number): Severity {
  if (!shipsAgents) return "info";
  return confidence >= 0.85 ? "high" : "medium";
}

const reviewer = `---
name: access-reviewer
description: Reviews a change for mistakes in access control.
tools: Read, Grep
---

You are a reviewer. Report what an attacker could use.
`;
const command = (name: string): string => `---
description: Reviews the change before it is released.
---

Read the change with \`git diff\`.
Use the \`${name}\` agent to review the change. <!-- <- finding -->
`;

export const agentDangling: Rule = {
  id: "agent-dangling",
  title: "Work is handed to an agent that does not exist",
  systems: ["claude-code"],
  antiPattern: 8,
  focus: "resilience",
  why:
    "An agent is found by the name in its frontmatter, not by its file. A call of a name that no agent has fails, or " +
    "the model quietly does the work itself. A command that was copied without its agents looks complete and is not.",
  severity:
    "High if the name is given as a type or in an explicit request, medium for rosters. Info if the repository has " +
    "no agent at all, since its users may bring their own.",
  fix: "Add the agent, correct the name, or let a built-in agent such as general-purpose do the work.",
  limits:
    "Delegation is prose, so every finding is inferred. Names that do not look like the name of an agent, names of " +
    "plugins outside of the repository, examples and code that shows data are left out.",
  failing: [
    { ".claude/agents/access-reviewer.md": reviewer, ".claude/commands/review.md": command("access-review") },
    {
      ".claude/agents/access-reviewer.md": reviewer,
      ".claude/skills/release/SKILL.md": `---
name: release
description: Prepares a release.
---

Start a check: Agent({ subagent_type: "changelog-writer", prompt: "List what changed." }) <!-- <- finding -->
`,
    },
  ],
  nearMisses: [
    {
      files: {
        ".claude/agents/access-reviewer.md": reviewer,
        ".claude/commands/review.md": command("access-reviewer").replace(" <!-- <- finding -->", ""),
      },
      because: "An agent of that name exists.",
      edit: { file: ".claude/agents/access-reviewer.md", replace: "name: access-reviewer", by: "name: access-control" },
    },
    {
      files: {
        ".claude/agents/access-reviewer.md": reviewer,
        ".claude/commands/review.md": command("general-purpose").replace(" <!-- <- finding -->", ""),
      },
      because: "The agent general-purpose is built in.",
      edit: { file: ".claude/commands/review.md", replace: "general-purpose", by: "general-reviewer" },
    },
  ],
  check,
};
