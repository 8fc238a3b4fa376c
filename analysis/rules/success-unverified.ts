// A deployment whose failure nobody hears of: the step returns before the platform has done it, and nothing waits or
// looks afterwards; or its failure is swallowed. The run is green whatever becomes of it. Only tools that are known not
// to wait are reported.
import type { Graph } from "../graph.ts";
import type { Place } from "../place.ts";
import type { Draft, Repair, Rule } from "../rule.ts";
import { type Asynchronous, textOf, toolOf } from "../systems/workflows/asynchronous.ts";
import type { Effect } from "../systems/workflows/effects.ts";
import type { JobNode, StepNode } from "../systems/workflows/nodes.ts";
import { changesOf, deploymentsOf, isCheckStep, isProbe, tierOf } from "../systems/workflows/roles.ts";
import { commandsIn, type ShellCommand } from "../systems/workflows/shell.ts";
import { tellsPeople } from "../systems/workflows/swallowed-commands.ts";
import { swallowedDeployments } from "../systems/workflows/swallowed-outcomes.ts";
import { isTestStep } from "../systems/workflows/tests.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const found = changesOf(view, job)
      .filter(({ step }) => step.job === job.id)
      .flatMap((effect) => {
        const tool = toolOf(effect);
        return tool && !isVerified(view, job, effect, tool) ? [{ effect, tool }] : [];
      });
    const swallowed = swallowedDeployments(view, job)[0];
    return [
      ...(found.length === 0 ? [] : [draft(view, job, found)]),
      ...(swallowed ? [swallowedDraft(view, job, swallowed.effect, swallowed.how)] : []),
    ];
  });
}

/** Whether something waits for the result, looks at it, or at least does not call it a success. */
function isVerified(view: WorkflowsView, job: JobNode, effect: Effect, tool: Asynchronous): boolean {
  const steps = view.stepsOf(job);
  const later = steps.slice(steps.indexOf(effect.step));
  const own = [textOf(effect), ...effect.step.with.map(({ key, value }) => `${key.text}=${value.text}`)].join(" ");
  if (tool.waits.test(own)) return true;
  const after = [...later, ...view.descendantsOf(job).flatMap(view.stepsOf)];
  if (view.descendantsOf(job).some(({ uses }) => uses !== undefined)) return true;
  if (after.some(({ run }) => tool.waits.test(run?.text ?? ""))) return true;
  if (after.some((step) => step !== effect.step && looks(step)) || looksInScript(effect)) return true;
  return tool.isUsual && !after.some(announces);
}

const looks = (step: StepNode): boolean =>
  isCheckStep(step) || isTestStep(step) || (step.run !== undefined && commandsIn(step.run.text).some(looksAt));

const looksAt = (command: ShellCommand): boolean => isProbe(command) && !tellsPeople(command);

const looksInScript = ({ step, command }: Effect): boolean =>
  command !== undefined && commandsIn(step.run?.text ?? "").some((each) => each.line > command.line && looksAt(each));

/** A step that says that the deployment succeeded. */
const announces = ({ uses, run, title, condition }: StepNode): boolean => {
  if (/failure\(\)/.test(condition?.text ?? "")) return false;
  if (/action-gh-release|gh release create/.test(`${uses?.text ?? ""} ${run?.text ?? ""}`)) return true;
  const said = `${title?.text ?? ""} ${run?.text ?? ""}`;
  const isSent = /slack|discord|teams|deployment-status|github-deployments|grafana-annotation/i.test(
    `${uses?.text ?? ""} ${run?.text ?? ""}`,
  );
  return isSent
    ? /success|complete|deployed|succeeded|✅|🎉/i.test(said + uses?.text)
    : /deploy\w* (was |is )?(success|complete)/i.test(said);
};

function draft(
  view: WorkflowsView,
  job: JobNode,
  found: readonly { readonly effect: Effect; readonly tool: Asynchronous }[],
): Draft {
  const [{ effect, tool } = found[0]!] = found;
  const repair = repairOf(effect);
  return {
    severity: tierOf(job, deploymentsOf(view, job)) === "lesser" ? "low" : "medium",
    known: effect.known,
    place: effect.place,
    message:
      `Job ${job.key} asks for the deployment of ${effect.category} ${effect.named ?? ""}`.trim() +
      " and does not wait for it, and nothing looks at the result afterwards.",
    cost: "The run is green although the new version never started, and the next job builds on it.",
    fix: tool.fix,
    subject: `${job.id} unverified`,
    related: found.slice(1).map((each) => ({ place: each.effect.place, message: "nor is this waited for" })),
    ...(repair && { repair }),
  };
}

/** A deployment whose failure nobody hears of. */
const swallowedDraft = (view: WorkflowsView, job: JobNode, effect: Effect, how: string): Draft => ({
  severity: tierOf(job, deploymentsOf(view, job)) === "lesser" ? "low" : "medium",
  known: effect.known,
  place: effect.step.continueOnError?.place ?? effect.place,
  message: `Job ${job.key} is green also when its deployment (${effect.category}) fails: ${how}.`,
  cost: "The run is green although the old version runs, or half of the new one.",
  fix: "let the failure fail the step, or ask for its outcome in a later one",
  subject: `${job.id} swallowed`,
});

/** The action for ECS waits if it is told so. */
function repairOf({ step }: Effect): Repair | undefined {
  const first = step.with[0];
  const isEcs = step.uses?.text.startsWith("aws-actions/amazon-ecs-deploy-task-definition@") === true;
  if (!isEcs || first === undefined || first.key.place.line === step.uses?.place.line) return undefined;
  const { line, column } = first.key.place;
  const place: Place = { ...first.key.place, column: 1, endLine: line, endColumn: 1 };
  const text = `${" ".repeat(column - 1)}wait-for-service-stability: true\n`;
  return { title: "Wait until the service is stable", edits: [{ place, text }] };
}

const example = (more: string, mark = ""): string => `name: deploy
on:
  push:
    branches: [main]
concurrency: shop
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - uses: aws-actions/amazon-ecs-deploy-task-definition@v2${mark}
        with:
          task-definition: task.json
          service: shop
          cluster: shop${more}
`;
const helm = (options: string, mark = ""): string => `name: deploy
on:
  push:
    branches: [main]
concurrency: shop
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - run: helm upgrade shop ./chart${options}${mark}
      - name: Deployed successfully
        uses: slackapi/slack-github-action@v2
`;

export const successUnverified: Rule = {
  id: "success-unverified",
  title: "A deployment is called a success before it has happened",
  systems: ["github"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "Many tools only hand the new version over and return. If the version does not start, the platform keeps the old " +
    "one or restarts the new one again and again, and the run is green. So it is if continue-on-error or `|| true` " +
    "swallows the failure. Whoever waits for the run believes it.",
  severity: "Medium. Low in lesser environments.",
  fix: "Let the tool wait with a timeout, or look at the result in a later step.",
  limits:
    "Only tools that are known not to wait are reported. kubectl, helm and addresses that deploy are used without a " +
    "wait so often that they are reported only if a later step says that the deployment succeeded, or if curl is not " +
    "told to fail.",
  failing: [
    { ".github/workflows/deploy.yml": example("", " # <- finding") },
    { ".github/workflows/deploy.yml": helm("", " # <- finding") },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/deploy.yml": example("\n          wait-for-service-stability: true") },
      because: "The action waits until the service is stable.",
      edit: { file: ".github/workflows/deploy.yml", replace: "\n          wait-for-service-stability: true", by: "" },
    },
    {
      files: { ".github/workflows/deploy.yml": helm(" --wait --timeout 10m") },
      because: "Helm waits for the new version.",
      edit: { file: ".github/workflows/deploy.yml", replace: " --wait --timeout 10m", by: "" },
    },
  ],
  check,
};
