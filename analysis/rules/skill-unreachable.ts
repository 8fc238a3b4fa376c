// A skill that nobody can start: neither a person, who does not see it, nor the model, which may not. The two fields
// are each useful; together they switch the skill off.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { fieldOf } from "../systems/claude-code/frontmatter.ts";
import { claudeCodeViewOf } from "../systems/claude-code/view.ts";

const check = (graph: Graph): readonly Draft[] =>
  claudeCodeViewOf(graph)
    .prompts.filter(({ userMayCall, modelMayCall }) => !userMayCall && !modelMayCall)
    .map(({ file, name, fields, fieldsAt }) => ({
      severity: "medium",
      known: "structural",
      place: fieldOf(fields, "user-invocable")?.place ?? fieldsAt,
      message: `Nobody can start ${name}: people do not see it, and the model may not call it.`,
      cost: "What it describes never happens.",
      fix: "delete one of user-invocable and disable-model-invocation, or the file",
      subject: `${file} unreachable`,
      related: [
        {
          place: fieldOf(fields, "disable-model-invocation")?.place ?? fieldsAt,
          message: "the model may not call it because of this",
        },
      ],
    }));

const skill = (rest: string): string => `---
name: release-notes
description: Writes the notes of a release.
${rest}
---

Write the notes of the release.
`;

export const skillUnreachable: Rule = {
  id: "skill-unreachable",
  title: "A skill can be started by nobody",
  systems: ["claude-code"],
  antiPattern: 8,
  focus: "resilience",
  why:
    "With user-invocable set to false a person cannot start a skill, and with disable-model-invocation set to true " +
    "the model cannot, nor can an agent load it when it starts. A skill with both never runs.",
  severity: "Medium.",
  fix: "Keep the one of the two fields that says what you mean.",
  limits: "Right by construction.",
  failing: [
    {
      ".claude/skills/release-notes/SKILL.md": skill(
        "disable-model-invocation: true\nuser-invocable: false # <- finding",
      ),
    },
  ],
  nearMisses: [
    {
      files: { ".claude/skills/release-notes/SKILL.md": skill("disable-model-invocation: yes\nuser-invocable: on") },
      because: "A person can start it.",
      edit: { file: ".claude/skills/release-notes/SKILL.md", replace: "user-invocable: on", by: "user-invocable: off" },
    },
  ],
  check,
};
