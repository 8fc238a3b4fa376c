// An agent whose instructions hand work to another agent, and whose list of tools leaves out the tool that starts one.
// It can do nothing but do the work itself, without the other's instructions.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import { addTool } from "../patches/frontmatter-repair.ts";
import type { Draft, Rule } from "../rule.ts";
import { fieldOf } from "../systems/claude-code/frontmatter.ts";
import type { AgentNode } from "../systems/claude-code/nodes.ts";
import { claudeCodeViewOf, type Delegated, mayDelegate } from "../systems/claude-code/view.ts";

function check(graph: Graph): readonly Draft[] {
  const asking = claudeCodeViewOf(graph).delegations.filter(
    ({ from, confidence }) =>
      from.kind === "agent" && from.notLoaded === undefined && confidence >= 0.85 && !mayDelegate(from),
  );
  return groupedBy(asking, ({ from }) => from.id).map(draft);
}

function draft(all: readonly Delegated[]): Draft {
  const [{ edge, from, to }, ...others] = all as [Delegated, ...Delegated[]];
  const agent = from as AgentNode;
  const tools = fieldOf(agent.fields, "tools");
  const names = [...new Set([to.name, ...others.map((each) => each.to.name)])];
  return {
    severity: edge.facts?.["isConditional"] === true ? "low" : "medium",
    known: edge.evidence.known,
    place: edge.evidence.place,
    message: `The agent ${agent.name} should hand work to ${names.join(", ")}, and it does not have the tool Agent.`,
    cost: "It does the work itself, without the other's instructions and in its own context.",
    fix: "add Agent to its tools, or let the command that calls it call the other agent too",
    subject: `${agent.file} cannot delegate`,
    related: [{ place: tools?.place ?? agent.fieldsAt, message: "its tools are listed here" }],
    repair: tools === undefined || agent.forbidden.length > 0 ? undefined : addTool(tools, "Agent"),
  };
}

const lead = (tools: string): string => `---
name: release-lead
description: Leads a release.
${tools}
---

You lead a release.
Use the \`access-reviewer\` agent to review the change.`;
const reviewer = `---
name: access-reviewer
description: Reviews a change for mistakes in access control.
tools: Read, Grep
---

You are a reviewer. Report what an attacker could use.
`;

export const agentCannotDelegate: Rule = {
  id: "agent-cannot-delegate",
  title: "An agent should delegate, and does not have the tool for it",
  systems: ["claude-code"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "A list of tools is complete: an agent whose list leaves out Agent cannot start another agent. Its instructions " +
    "say otherwise, so it answers for work that nobody did as intended.",
  severity: "Medium. Low if the request depends on a condition.",
  fix: "Add Agent to the tools of the agent, or move the request to the command that calls both.",
  limits: "Requests are prose, so the finding is inferred. Descriptions of other agents are not requests.",
  failing: [
    {
      ".claude/agents/release-lead.md": `${lead("tools: Read, Bash")} <!-- <- finding -->\n`,
      ".claude/agents/access-reviewer.md": reviewer,
    },
  ],
  nearMisses: [
    {
      files: {
        ".claude/agents/release-lead.md": `${lead("tools: Read, Bash, Agent")}\n`,
        ".claude/agents/access-reviewer.md": reviewer,
      },
      because: "The agent has the tool Agent.",
      edit: { file: ".claude/agents/release-lead.md", replace: ", Agent", by: "" },
    },
    {
      files: {
        ".claude/agents/release-lead.md": `${lead("model: opus")}\n`,
        ".claude/agents/access-reviewer.md": reviewer,
      },
      because: "An agent without a list of tools inherits all of them.",
      edit: { file: ".claude/agents/release-lead.md", replace: "model: opus", by: "disallowedTools: Agent" },
    },
  ],
  check,
};
