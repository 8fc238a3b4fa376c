// Two files of which only one is loaded: agents of the same name in one folder, or a command beside a skill of its
// name. Which agent wins depends on the order in which the file system lists them.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { AgentNode, PromptNode } from "../systems/claude-code/nodes.ts";
import { claudeCodeViewOf } from "../systems/claude-code/view.ts";

function check(graph: Graph): readonly Draft[] {
  const { agents, prompts } = claudeCodeViewOf(graph);
  const loaded = agents.filter(({ notLoaded }) => notLoaded === undefined);
  const groups = groupedBy(loaded, ({ root, plugin, name }) => `${root} ${plugin ?? ""} ${name}`);
  return [...groups.filter((group) => group.length > 1).flatMap(sameName), ...shadowed(prompts)];
}

function sameName(group: readonly AgentNode[]): readonly Draft[] {
  const [first, ...others] = group.toSorted((one, other) => (one.file < other.file ? -1 : 1)) as [
    AgentNode,
    ...AgentNode[],
  ];
  return others.map((agent) => ({
    severity: "medium",
    known: "structural",
    place: agent.evidence.place,
    message: `${agent.file} and ${first.file} both define the agent ${agent.name}, and Claude Code loads one of them.`,
    cost: "Which instructions and which tools count depends on the machine.",
    fix: "give one of them a name of its own, or delete it",
    subject: `agent ${agent.name} ${agent.file}`,
    related: [{ place: first.evidence.place, message: "the same name is defined here" }],
  }));
}

/** A skill wins over a command that is named like its folder (skills, "Resolve skills that share a name"). */
function shadowed(prompts: readonly PromptNode[]): readonly Draft[] {
  const key = (prompt: PromptNode, name: string): string => `${prompt.root} ${prompt.plugin ?? ""} ${name}`;
  const skills = new Map(
    prompts.flatMap((skill) =>
      skill.form === "skill" ? [[key(skill, skill.file.split("/").at(-2) ?? ""), skill] as const] : [],
    ),
  );
  return prompts.flatMap((command) => {
    const own = command.name.slice(command.plugin === undefined ? 0 : command.plugin.length + 1);
    const skill = skills.get(key(command, own));
    if (command.form !== "command" || skill === undefined) return [];
    return [
      {
        severity: "medium",
        known: "structural",
        place: command.fieldsAt,
        message: `The command ${command.file} is never run, since the skill ${skill.file} has the same name and wins.`,
        cost: "Changes of the command have no effect.",
        fix: "delete the command, or move what it says into the skill",
        subject: `command ${command.file}`,
        related: [{ place: skill.fieldsAt, message: "this skill is run instead" }],
      } satisfies Draft,
    ];
  });
}

const agentText = (name: string, tools: string): string => `---
name: ${name}
description: Reviews a change.
tools: ${tools}
---

You are a reviewer. Report what is wrong.
`;
const promptText = (description: string): string => `---
description: ${description}
---

Read the change and report what is wrong.
`;

export const agentDuplicate: Rule = {
  id: "agent-duplicate",
  title: "Two definitions share a name, and one of them counts for nothing",
  systems: ["claude-code"],
  antiPattern: 3,
  focus: "conflicts",
  why:
    "If two files below one folder of agents declare the same name, Claude Code loads one of them, chosen by the " +
    "order in which the file system lists them. A command beside a skill of the same name is never run.",
  severity: "Medium.",
  fix: "Keep one definition, or give each its own name.",
  limits:
    "Agents of different folders in a monorepo may share a name on purpose: the nearest one wins. They are not " +
    "reported. Agents and skills in a user's own folder are not known.",
  failing: [
    {
      ".claude/agents/reviewer.md": agentText("reviewer", "Read, Grep"),
      ".claude/agents/web/reviewer.md": agentText("reviewer # <- finding", "Read, Grep, Edit"),
    },
    {
      ".claude/commands/review.md": promptText("Reviews the change. # <- finding"),
      ".claude/skills/review/SKILL.md": promptText("Reviews the change carefully."),
    },
  ],
  nearMisses: [
    {
      files: {
        ".claude/agents/reviewer.md": agentText("reviewer", "Read, Grep"),
        "web/.claude/agents/reviewer.md": agentText("reviewer", "Read, Grep, Edit"),
        ".claude/agents/web/reviewer.md": agentText("web-reviewer", "Read"),
      },
      because: "One folder declares each name once; the agent of web is meant for sessions that are started there.",
      edit: { file: ".claude/agents/web/reviewer.md", replace: "web-reviewer", by: "reviewer" },
    },
    {
      files: {
        ".claude-plugin/plugin.json": '{ "name": "team", "commands": "./prompts" }\n',
        "prompts/audit.md": promptText("Audits the repository."),
        "commands/review.md": promptText("Reviews the change."),
        "skills/review/SKILL.md": promptText("Reviews the change carefully."),
      },
      because: "The manifest says that commands lie in prompts, so the other folder is not read.",
      edit: { file: ".claude-plugin/plugin.json", replace: "./prompts", by: "./commands" },
    },
  ],
  check,
};
