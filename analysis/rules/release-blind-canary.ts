// A canary that nobody looks at: traffic is raised step by step, and between the steps the script only sleeps. It
// gives every user the new version a little later, and finds nothing.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import type { Effect } from "../systems/workflows/effects.ts";
import type { JobNode, StepNode } from "../systems/workflows/nodes.ts";
import { isCheckStep, isProbe, isUndoStep } from "../systems/workflows/roles.ts";
import { commandsIn } from "../systems/workflows/shell.ts";
import { isTest } from "../systems/workflows/tests.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const shifts = view
      .ownEffectsOf(job)
      .filter(
        ({ verb, step }) =>
          verb === "traffic" && !isUndoStep(step, []) && !/failure\(\)/.test(step.condition?.text ?? ""),
      );
    return [...inLoop(job, shifts), ...inSteps(view, job, shifts)];
  });
}

const queries =
  /query|metric|prometheus|datadog|monitor|log-analytics|app-insights|error.?rate|slo|cloudwatch|kayenta|analysis/i;
const looks = (text: string): boolean =>
  queries.test(text) || commandsIn(text).some((each) => isProbe(each) || isTest(each));
const sleeps = (text: string): boolean => commandsIn(text).some(({ words }) => words[0] === "sleep");

/** One script that raises traffic in a loop. */
function inLoop(job: JobNode, shifts: readonly Effect[]): readonly Draft[] {
  const steps = [...new Set(shifts.map(({ step }) => step))];
  return steps.flatMap((step) => {
    const text = step.run?.text ?? "";
    const own = shifts.filter((effect) => effect.step === step);
    const isLoop = /\b(for|while|until)\b/.test(text);
    if (!(isLoop || own.length > 1) || !sleeps(text) || looks(text)) return [];
    return [draft(job, own[0]!, step)];
  });
}

/** Steps that raise traffic one after another. */
function inSteps(view: WorkflowsView, job: JobNode, shifts: readonly Effect[]): readonly Draft[] {
  const steps = view.stepsOf(job);
  const at = [...new Set(shifts.map(({ step }) => steps.indexOf(step)))].filter((index) => index >= 0);
  const first = at[0];
  const last = at.at(-1);
  if (first === undefined || last === undefined || first === last) return [];
  const between = steps.slice(first, last);
  const texts = between.map(({ run, uses, title }) => `${run?.text ?? ""}\n${uses?.text ?? ""}\n${title?.text ?? ""}`);
  if (
    !texts.some(sleeps) ||
    between.some(isCheckStep) ||
    texts.some(looks) ||
    between.some(({ uses }) => uses !== undefined)
  )
    return [];
  return [draft(job, shifts.find(({ step }) => step === steps[last])!, steps[last]!)];
}

const draft = (job: JobNode, effect: Effect, step: StepNode): Draft => ({
  severity: "critical",
  known: "structural",
  place: effect.place,
  message:
    `Job ${job.key} raises the traffic of ${effect.category} after a sleep, and looks at nothing in ` +
    `between ("${step.name}").`,
  cost: "A bad version reaches every user a few minutes later than without a canary.",
  fix:
    "compare failures and latency of the new version before each step, and take the traffic back when " +
    "they are worse",
  subject: step.id,
});

const example = (between: string): string => `name: release
on:
  push:
    branches: [main]
concurrency: shop
jobs:
  canary:
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    steps:
      - name: Shift
        run: |
          for weight in 10 50 100; do
            gcloud run services update-traffic shop --to-tags "canary=$weight"${between}
            sleep 300
          done
`;

export const releaseBlindCanary: Rule = {
  id: "release-blind-canary",
  title: "A canary raises traffic without looking",
  systems: ["github"],
  antiPattern: 7,
  focus: "resilience",
  why:
    "A canary protects users only if something compares the new version with the old one and can stop. " +
    "Waiting without " +
    "looking costs the time of a canary and gives none of its safety.",
  severity: "Critical.",
  fix: "Ask for metrics between the steps, with a way back; or release without steps, which is at least honest.",
  limits: "Any probe, test or query between two steps counts as looking.",
  failing: [
    { ".github/workflows/release.yml": example("").replace('canary=$weight"', 'canary=$weight" # <- finding') },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/release.yml": example("\n            ./error-rate.sh shop || exit 1") },
      because: "The script asks for the error rate before each next step.",
      edit: { file: ".github/workflows/release.yml", replace: "\n            ./error-rate.sh shop || exit 1", by: "" },
    },
  ],
  check,
};
