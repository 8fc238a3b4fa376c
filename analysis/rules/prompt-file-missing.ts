// A command, a skill or an agent that tells the model to read or run a file of the repository that is not there. The
// model then guesses what the file would have said, or leaves the step out.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { AgentNode, PromptNode, Reference } from "../systems/claude-code/nodes.ts";
import { claudeCodeViewOf } from "../systems/claude-code/view.ts";

function check(graph: Graph): readonly Draft[] {
  const { agents, prompts } = claudeCodeViewOf(graph);
  return [...agents, ...prompts].flatMap((node) =>
    groupedBy(
      node.references.filter(({ exists }) => !exists),
      ({ use }) => use,
    ).map((all) => draft(node, all)),
  );
}

/** One finding for the scripts of a file, and one for its documents: an index that moved misses many at once. */
function draft({ name, file }: AgentNode | PromptNode, all: readonly Reference[]): Draft {
  const [{ place, use }, ...others] = all as [Reference, ...Reference[]];
  const paths = [...new Set(all.map(({ path }) => path))];
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : "";
  return {
    severity: use === "script" ? "medium" : "low",
    known: { inferred: 0.9 },
    place,
    message: `${name} needs ${paths.slice(0, 3).join(", ")}${more}: not in this repository.`,
    cost:
      use === "script"
        ? "The step fails, or the model improvises what the script would have done."
        : "The model works without what the file would have said.",
    fix: paths.length > 1 ? "add the files, or correct the paths" : "add the file, or correct the path",
    subject: `${file} ${use} ${paths[0]}`,
    related: others.map(({ place: other, path }) => ({ place: other, message: `${path} is needed here` })),
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
  title: "A command, a skill or an agent needs a file that is not there",
  systems: ["claude-code"],
  antiPattern: 6,
  focus: "state",
  why:
    "A skill is short because it says where the rest stands. If that file was renamed or never committed, the model " +
    "does not stop: it works without it.",
  severity: "Medium for scripts, low for documents.",
  fix: "Add the file, or correct the path.",
  limits:
    "Links, files attached with @, paths below .claude, and paths after CLAUDE_SKILL_DIR, CLAUDE_PLUGIN_ROOT and " +
    "CLAUDE_PROJECT_DIR are looked at. A file that something makes may be missing on purpose, so the finding is " +
    "inferred. All missing documents of a file are one finding.",
  failing: [
    {
      ".claude/commands/audit.md":
        "Follow the instructions in .claude/agents/auditor.md and report. <!-- <- finding -->\n",
    },
    { ...rest, ".claude/skills/chart/SKILL.md": `${skill("scripts/plot.sh")} <!-- <- finding -->\n` },
  ],
  nearMisses: [
    {
      files: { ...rest, ".claude/skills/chart/SKILL.md": `${skill("scripts/draw.sh")}\n` },
      because: "Both files are there.",
      edit: { file: ".claude/skills/chart/SKILL.md", replace: "references/format.md", by: "references/formats.md" },
    },
  ],
  check,
};
