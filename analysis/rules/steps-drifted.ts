// Jobs with the same steps, copied from one another, of which one copy uses an older version of an action than the
// others. Copies alone are a matter of taste; a copy that was forgotten when the others were renewed is not.

import { groupedBy } from "../../engines/grouped.ts";
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { JobNode, StepNode } from "../systems/workflows/nodes.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

const stepsMin = 4;
const copiesMin = 3;

interface Copy {
  readonly job: JobNode;
  readonly steps: readonly StepNode[];
}

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const copies = view.jobs
    .map((job): Copy => ({ job, steps: ownSteps(view, job) }))
    .filter(({ steps }) => steps.length >= stepsMin);
  return groupedBy(copies, ({ steps }) => steps.map(formOf).join("\n"))
    .filter((all) => all.length >= copiesMin)
    .flatMap((all) => all[0]!.steps.flatMap((_step, at) => ofStep(all, at)));
}

const ownSteps = (view: WorkflowsView, job: JobNode): readonly StepNode[] =>
  view.stepsOf(job).filter(({ via }) => via === undefined);

/** A step without the version of its action and without what its expressions are. */
const formOf = ({ uses, run, with: inputs }: StepNode): string =>
  JSON.stringify([
    uses?.text.split("@")[0] ?? "",
    run?.text.replaceAll(/\$\{\{.*?\}\}/gs, "*") ?? "",
    inputs.map(({ key }) => key.text),
  ]);

const versionOf = ({ uses }: StepNode): string => uses?.text.split("@")[1] ?? "";

/** One version that stands alone against one that all other copies have. */
function ofStep(all: readonly Copy[], at: number): readonly Draft[] {
  const byVersion = groupedBy(all, ({ steps }) => versionOf(steps[at]!));
  const [odd] = byVersion.filter((each) => each.length === 1);
  const [usual] = byVersion.filter((each) => each.length > 1);
  if (byVersion.length !== 2 || odd === undefined || usual === undefined) return [];
  const step = odd[0]!.steps[at]!;
  const other = usual[0]!.steps[at]!;
  if (step.uses === undefined || other.uses === undefined) return [];
  return [
    {
      severity: "low",
      known: "structural",
      place: step.uses.place,
      message:
        `Job ${odd[0]!.job.key} has the same ${all[0]!.steps.length} steps as ${all.length - 1} other jobs, but ` +
        `${step.uses.text} where they have @${versionOf(other)}.`,
      cost: "A copy was forgotten when the others were renewed, and the next change will forget one again.",
      fix: `use ${other.uses.text} here too, and move the steps to a composite action or a called workflow`,
      subject: `${step.id} drifted`,
      related: usual.map(({ job, steps }) => ({ place: steps[at]!.uses!.place, message: `the copy in ${job.key}` })),
      repair: {
        title: "Use the version that the other copies have",
        edits: [{ place: step.uses.place, text: other.uses.text }],
      },
    },
  ];
}

const copyOf = (key: string, version: string): string => `  ${key}:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - uses: actions/setup-node@${version}
      - run: npm ci
      - run: npm run check -- \${{ github.job }}
`;
const example = (version: string): string =>
  `name: ci\non:\n  pull_request:\njobs:\n${copyOf("api", "v6")}${copyOf("web", "v6")}${copyOf("worker", version)}`;

export const stepsDrifted: Rule = {
  id: "steps-drifted",
  title: "A copy of the same steps was forgotten",
  systems: ["github"],
  antiPattern: 5,
  focus: "conflicts",
  why:
    "Steps that are copied from job to job must be changed in every copy. One copy with an older version shows that " +
    "this already went wrong once, and jobs that should do the same do not.",
  severity: "Low. Copies that are all alike are not reported.",
  fix: "Give the copy the version of the others, and keep the steps in one place, such as a composite action.",
  limits: "At least three jobs with the same four steps or more are compared, and only versions of actions.",
  failing: [{ ".github/workflows/ci.yml": example("v4 # <- finding") }],
  nearMisses: [
    {
      files: { ".github/workflows/ci.yml": example("v6") },
      because: "All copies are alike.",
      edit: {
        file: ".github/workflows/ci.yml",
        replace: `${copyOf("web", "v6")}${copyOf("worker", "v6")}`,
        by: `${copyOf("web", "v6")}${copyOf("worker", "v5")}`,
      },
    },
  ],
  check,
};
