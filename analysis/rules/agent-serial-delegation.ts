// Agents that only read and are called one after another, although none uses what another found. They could run side
// by side in the time of the slowest.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { writingTools } from "../systems/claude-code/runtime-facts.ts";
import { claudeCodeViewOf, type Delegated } from "../systems/claude-code/view.ts";

function check(graph: Graph): readonly Draft[] {
  const steps = claudeCodeViewOf(graph).delegations.filter(
    ({ edge, confidence }) => edge.facts?.["list"] !== undefined && confidence >= 0.7,
  );
  return groupedBy(steps, ({ from, edge }) => `${from.id} ${edge.facts!["list"]}`).flatMap((list) =>
    runsOf(list)
      .filter((run) => run.length > 1)
      .map(draft),
  );
}

/** Splits a list into runs of neighbouring steps of which each could run beside the one before. */
function runsOf(list: readonly Delegated[]): readonly (readonly Delegated[])[] {
  const runs: Delegated[][] = [];
  const byStep = groupedBy(
    list.toSorted((one, other) => indexOf(one) - indexOf(other)),
    (each) => String(indexOf(each)),
  );
  for (const inStep of byStep) {
    const [step] = inStep as [Delegated, ...Delegated[]];
    const isFree = inStep.length === 1 && isIndependent(step);
    const run = runs.at(-1);
    const previous = run?.at(-1);
    const follows = previous !== undefined && indexOf(previous) + 1 === indexOf(step) && previous.to.id !== step.to.id;
    if (isFree && follows && step.edge.facts?.["usesEarlier"] !== true) run!.push(step);
    else if (isFree) runs.push([step]);
    else runs.push([]);
  }
  return runs;
}

const indexOf = ({ edge }: Delegated): number => Number(edge.facts?.["index"] ?? 0);

/** A step that only reads and is not asked to run beside others already. */
const isIndependent = ({ edge: { facts } }: Delegated): boolean =>
  facts?.["isReading"] === true && facts["isParallel"] !== true && facts["isConditional"] !== true;

/** Whether an agent can change no file, by its list of tools. */
const onlyReads = ({ to }: Delegated): boolean =>
  to.kind === "agent" && to.tools !== undefined && !to.tools.some(({ text }) => writingTools.has(text) || text === "*");

function draft(run: readonly Delegated[]): Draft {
  const [first, second] = run as [Delegated, Delegated];
  const isProven = run.every(onlyReads);
  const names = run.map(({ to }) => to.name);
  return {
    severity: run.length >= 4 && isProven ? "high" : "medium",
    known: { inferred: isProven ? 0.8 : 0.6 },
    place: second.edge.evidence.place,
    message: `${first.from.name} calls ${names.join(", ")} one after another, and none uses what another found.`,
    cost: "The command takes as long as all of them together instead of as long as the slowest.",
    fix: `ask for all ${run.length} in a single message, and say that they run in parallel`,
    subject: `${first.from.file} ${names.join(" ")}`,
    related: run
      .filter((each) => each !== second)
      .map(({ edge, to }) => ({ place: edge.evidence.place, message: `${to.name} is called here` })),
    path: run.map(({ to }) => to.id),
  };
}

const reviewer = (name: string): string => `---
name: ${name}-reviewer
description: Reviews the ${name} of a change.
tools: Read, Grep, Bash
---

You review the ${name} of a change. Report what is wrong, with file and line.
`;
const command = (intro: string, second: string): string => `---
description: Reviews a change.
---

${intro}

1. Use the \`access-reviewer\` agent to review access control.
2. Use the \`style-reviewer\` agent to ${second}
3. Write one report.
`;
const agents = {
  ".claude/agents/access-reviewer.md": reviewer("access"),
  ".claude/agents/style-reviewer.md": reviewer("style"),
};

export const agentSerialDelegation: Rule = {
  id: "agent-serial-delegation",
  title: "Agents that could run side by side are called one after another",
  systems: ["claude-code"],
  antiPattern: 1,
  focus: "performance",
  why:
    "Claude Code runs agents in parallel if they are asked for in one message. Numbered steps are carried out one " +
    "after another. Reviews that do not read each other's results lose the time of all but the slowest.",
  severity:
    "Medium, and high for four or more, if the lists of tools show that the agents can change no file. Otherwise " +
    "low, since an agent may leave a file behind that the next one reads.",
  fix: "Ask for the agents in a single message and say that they run in parallel.",
  limits:
    "Prose is read, so the finding is inferred. Steps that write, that name a result, a report or an earlier step, " +
    "or that depend on a condition are taken to need their order.",
  failing: [
    {
      ...agents,
      ".claude/commands/review.md": command("Review the change:", "review names and comments. <!-- <- finding -->"),
    },
  ],
  nearMisses: [
    {
      files: {
        ...agents,
        ".claude/commands/review.md": command("Review the change in parallel:", "review names and comments."),
      },
      because: "The command asks for both at once.",
      edit: { file: ".claude/commands/review.md", replace: " in parallel", by: "" },
    },
    {
      files: {
        ...agents,
        ".claude/commands/review.md": command("Review the change:", "check whether the findings of step 1 are real."),
      },
      because: "The second step reads what the first one found.",
      edit: {
        file: ".claude/commands/review.md",
        replace: "check whether the findings of step 1 are real.",
        by: "check names and comments.",
      },
    },
  ],
  check,
};
