// A command or skill that tells the model to read or run a file of the repository that is not there. The model then
// guesses what the file would have said, or leaves the step out.
import type { Graph } from "../graph.ts";
import { groupedBy } from "../grouped.ts";
import type { Draft, Rule } from "../rule.ts";
import type { PromptNode, Reference } from "../systems/claude-code/nodes.ts";
import { claudeCodeViewOf } from "../systems/claude-code/view.ts";

const check = (graph: Graph): readonly Draft[] =>
  claudeCodeViewOf(graph).prompts.flatMap((prompt) =>
    groupedBy(
      prompt.references.filter(({ exists }) => !exists),
      ({ path }) => path,
    ).map((all) => draft(prompt, all)),
  );

function draft({ name, file }: PromptNode, all: readonly Reference[]): Draft {
  const [{ path, place, use }, ...others] = all as [Reference, ...Reference[]];
  return {
    severity: use === "script" ? "medium" : "low",
    known: { inferred: 0.9 },
    place,
    message: `${name} needs ${path}, which is not in this repository.`,
    cost:
      use === "script"
        ? "The step fails, or the model improvises what the script would have done."
        : "The model works without what the file would have said.",
    fix: "add the file, or correct the path",
    subject: `${file} ${path}`,
    related: others.map((other) => ({ place: other.place, message: "it is needed here too" })),
  };
}

const skill = (path: string): string => `---
name: chart
description: Draws a chart of the last release.
---

Read [the format](references/format.md).
Run \`\${CLAUDE_SKILL_DIR}/${path}\` and show the picture.`;
const rest = {
  ".claude/skills/chart/references/format.md": "# Format\n\nOne line for each release.\n",
  ".claude/skills/chart/scripts/draw.sh": "#!/bin/sh\ngnuplot releases.gp\n",
};

export const promptFileMissing: Rule = {
  id: "prompt-file-missing",
  title: "A command or skill needs a file that is not there",
  systems: ["claude-code"],
  antiPattern: 6,
  focus: "state",
  why:
    "A skill is short because it says where the rest stands. If that file was renamed or never committed, the model " +
    "does not stop: it works without it.",
  severity: "Medium for scripts, low for documents.",
  fix: "Add the file, or correct the path.",
  limits:
    "Links of skills and paths after CLAUDE_SKILL_DIR, CLAUDE_PLUGIN_ROOT and CLAUDE_PROJECT_DIR are looked at. A " +
    "file that a build makes may be missing on purpose, so the finding is inferred.",
  failing: [{ ...rest, ".claude/skills/chart/SKILL.md": `${skill("scripts/plot.sh")} <!-- <- finding -->\n` }],
  nearMisses: [
    {
      files: { ...rest, ".claude/skills/chart/SKILL.md": `${skill("scripts/draw.sh")}\n` },
      because: "Both files are there.",
      edit: { file: ".claude/skills/chart/SKILL.md", replace: "references/format.md", by: "references/formats.md" },
    },
  ],
  check,
};
