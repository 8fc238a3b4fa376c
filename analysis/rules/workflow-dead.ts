// A workflow or a job that never runs: GitHub rejects the file, the workflow that it follows or calls does not exist,
// or no event that starts it can make its condition true.
import type { Graph } from "../graph.ts";
import type { Text } from "../place.ts";
import type { Draft, Rule } from "../rule.ts";
import { holds, unknown } from "../systems/workflows/conditions.ts";
import { isSwitchedOff, parseCondition } from "../systems/workflows/expressions.ts";
import type { JobNode, Rejection, WorkflowNode } from "../systems/workflows/nodes.ts";
import { shipmentsOf } from "../systems/workflows/roles.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { inWorld, type World, worldsOf } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.workflows.flatMap((workflow) => {
    const rejected = rejection(view, workflow);
    if (rejected.length > 0) return rejected;
    return [
      ...followsNobody(view, workflow),
      ...view
        .jobsOf(workflow)
        .flatMap((job) => [
          ...callsNobody(view, job),
          ...callsItself(view, job),
          ...neverTrue(view, job),
          ...stepCallsWorkflow(view, job),
        ]),
    ];
  });
}

/** Others that start or wait when the workflow runs. */
const waiting = (view: WorkflowsView, workflow: WorkflowNode): readonly WorkflowNode[] => {
  const callers = view.callersOf(workflow).map(view.workflowOf);
  const followers = view.workflows.filter(({ triggers }) =>
    triggers.some(
      ({ event, filters }) =>
        event === "workflow_run" && (filters["workflows"] ?? []).some(({ text }) => text === workflow.title),
    ),
  );
  return [...new Set([...callers, ...followers])].filter((each) => each.id !== workflow.id);
};

/** GitHub's parser says at the head of the jobs that none can begin; the reason is a job that does not exist. */
function unknownNeed(view: WorkflowsView, workflow: WorkflowNode): Rejection | undefined {
  const [need] = view
    .jobsOf(workflow)
    .flatMap(({ key, needs }) => needs.filter(({ text }) => !view.job(workflow, text)).map((each) => ({ key, each })));
  return need && { message: `Job ${need.key} needs ${need.each.text}, which does not exist`, place: need.each.place };
}

/** GitHub's parser refuses `uses`; the reason is what stands beside it, and a call cannot have. */
function callWithMore(view: WorkflowsView, workflow: WorkflowNode): Rejection | undefined {
  if (!workflow.rejections.some(({ message }) => /Unexpected value 'uses'/.test(message))) return undefined;
  const found = view
    .jobsOf(workflow)
    .filter(({ uses }) => uses !== undefined)
    .flatMap(({ key, environment, timeoutMinutes, continueOnError, env }) => [
      ...(environment ? [{ key, name: "environment", place: environment.place }] : []),
      ...(timeoutMinutes ? [{ key, name: "timeout-minutes", place: timeoutMinutes.place }] : []),
      ...(continueOnError ? [{ key, name: "continue-on-error", place: continueOnError.place }] : []),
      ...(env[0] ? [{ key, name: "env", place: env[0].key.place }] : []),
    ])
    .toSorted((one, two) => one.place.line - two.place.line)[0];
  return (
    found && {
      message: `Job ${found.key} calls a workflow, and a job that does cannot have ${found.name}`,
      place: found.place,
    }
  );
}

function rejection(view: WorkflowsView, workflow: WorkflowNode): readonly Draft[] {
  const [said, ...more] = workflow.rejections;
  if (said === undefined) return [];
  const first = /at least one job with no dependencies/.test(said.message)
    ? (unknownNeed(view, workflow) ?? said)
    : (callWithMore(view, workflow) ?? said);
  const others = waiting(view, workflow);
  const ships = view.jobsOf(workflow).some((job) => shipmentsOf(view, job).length > 0);
  return [
    {
      severity: ships || others.length > 0 ? "high" : "medium",
      known: "structural",
      place: first.place,
      message:
        `GitHub rejects ${workflow.file}: ${first.message.replace(/\.$/, "")}` +
        `${more.length > 0 ? ` (and ${more.length} more)` : ""}. Nothing in it runs${
          others.length > 0 ? `, and ${others.map(({ title }) => title).join(", ")} wait for it` : ""
        }.`,
      cost: "Pushes show no run or a failed one without jobs; what the workflow should do is not done.",
      fix: "correct the line; the message is that of GitHub's own parser",
      subject: workflow.file,
      related: more.slice(0, 5).map(({ message, place }) => ({ place, message })),
    },
  ];
}

function followsNobody(view: WorkflowsView, workflow: WorkflowNode): readonly Draft[] {
  const titles = new Set(view.workflows.map(({ title }) => title));
  return workflow.triggers
    .filter(({ event }) => event === "workflow_run")
    .flatMap(({ filters }) => {
      const names = (filters["workflows"] ?? []).filter(({ text }) => !/[*$]/.test(text));
      const missing = names.filter(({ text }) => !titles.has(text));
      if (missing.length === 0) return [];
      const isAll = missing.length === names.length && workflow.triggers.length === 1;
      const near = [...titles].find((title) => title.toLowerCase() === missing[0]!.text.toLowerCase());
      return [
        {
          severity: isAll ? ("high" as const) : ("medium" as const),
          known: "structural" as const,
          place: missing[0]!.place,
          message:
            `${workflow.title} follows ${missing.map(({ text }) => `"${text}"`).join(", ")}, but no workflow of this ` +
            `repository has that name${near ? `; "${near}" differs in case` : ""}.`,
          cost: isAll ? "It never starts." : "It does not start after that workflow.",
          fix: near ? `write "${near}"` : "use the name: of the workflow, not the name of its file",
          subject: `${workflow.id} follows`,
        },
      ];
    });
}

function callsNobody(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const { uses } = job;
  if (uses === undefined || !/^(\.|\$)\//.test(uses.text) || view.calleeOf(job) !== undefined) return [];
  return [
    {
      severity: "high",
      known: "structural",
      place: uses.place,
      message: `Job ${job.key} calls ${uses.text}, which is not a workflow of this repository.`,
      cost: "GitHub refuses the whole run, so the other jobs do not run either.",
      fix: "correct the path; a called workflow lies directly in .github/workflows",
      subject: `${job.id} calls`,
    },
  ];
}

/** A step can only use an action: the runner looks for an action.yml below the path, and the step fails each time. */
const stepCallsWorkflow = (view: WorkflowsView, job: JobNode): readonly Draft[] =>
  view
    .stepsOf(job)
    .filter(({ uses }) => /^[^@]*\.github\/workflows\/[^/@]+\.ya?ml(@|$)/.test(uses?.text ?? ""))
    .map(({ uses, id, name }) => ({
      severity: "high",
      known: "structural",
      place: uses!.place,
      message: `The step "${name}" of job ${job.key} uses ${uses!.text}, a workflow; only a job can call a workflow.`,
      cost: "The step fails in every run, and nothing after it is done.",
      fix: "call the workflow with uses: at the level of a job, and pass its inputs there",
      subject: `${id} uses a workflow`,
    }));

/** A call that leads back to its own workflow, directly or through others. */
function callsItself(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const home = view.workflowOf(job);
  const seen = new Map<string, readonly WorkflowNode[]>();
  const ahead: WorkflowNode[][] = [view.calleeOf(job) ?? []].flat().map((each) => [each]);
  for (let at = ahead.shift(); at !== undefined; at = ahead.shift()) {
    const last = at.at(-1)!;
    if (last.id === home.id) return [circle(job, at)];
    if (seen.has(last.id)) continue;
    seen.set(last.id, at);
    for (const next of view.jobsOf(last).flatMap((each) => view.calleeOf(each) ?? [])) ahead.push([...at, next]);
  }
  return [];
}

const circle = (job: JobNode, way: readonly WorkflowNode[]): Draft => ({
  severity: "high",
  known: "structural",
  place: job.uses!.place,
  message: `Job ${job.key} calls its own workflow${
    way.length > 1
      ? ` by way of ${way
          .slice(0, -1)
          .map(({ file }) => file)
          .join(", ")}`
      : ""
  }, and GitHub refuses calls that go in a circle.`,
  cost: "GitHub refuses the whole run, so the other jobs do not run either.",
  fix: "move the jobs that both need to a workflow that calls neither",
  subject: `${job.id} circle`,
});

/** Jobs whose own condition is false on every event that starts them, and steps of others that ship and never run. */
function neverTrue(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const worlds = worldsOf(view, view.workflowOf(job));
  const isCalled = worlds.length === 0 || worlds.some(({ event }) => event === "workflow_call");
  if (isCalled) return [];
  if (worlds.every((world) => isFalse(job.condition, world)))
    return [neverDraft(worlds, job.condition!, `job ${job.key}`, job.id, shipmentsOf(view, job).length > 0)];
  const steps = shipmentsOf(view, job).map(({ step }) => step);
  return [...new Set(steps)]
    .filter(({ condition, via }) => via === undefined && worlds.every((world) => isFalse(condition, world)))
    .map(({ condition, name, id }) => neverDraft(worlds, condition!, `the step "${name}"`, id, true));
}

/** Whether a condition is false in a situation. Who switches something off with a plain `false` means it. */
function isFalse(condition: Text | undefined, world: World): boolean {
  const expression = condition && parseCondition(condition.text);
  if (expression === undefined || isSwitchedOff(expression)) return false;
  return holds(expression, { status: () => unknown, lookup: (path) => inWorld(world, path) }) === false;
}

function neverDraft(worlds: readonly World[], { place }: Text, of: string, id: string, ships: boolean): Draft {
  const events = [...new Set(worlds.map(({ event }) => event))];
  return {
    severity: ships ? "high" : "medium",
    known: "structural",
    place,
    message: `The condition of ${of} is never true: its workflow starts on ${events.join(", ")} only.`,
    cost: ships ? "It is always skipped, and nothing is shipped." : "It is always skipped.",
    fix: "add the event to on:, or correct the condition",
    subject: `${id} never`,
  };
}

const example = (condition: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  deploy:
    if: ${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy
`;
const follower = (name: string): string => `name: after
on:
  workflow_run:
    workflows: [${name}]
    types: [completed]
jobs:
  tell:
    runs-on: ubuntu-24.04
    steps:
      - run: echo done
`;

const calling = (callee: string, mark: string): string => `name: calls ${callee}
on:
  workflow_call:
  workflow_dispatch:
jobs:
  next:
    uses: ./.github/workflows/${callee}.yml${mark}
`;
const other = "runs-on: ubuntu-24.04\n    steps:\n      - run: make";

const shipping = (more: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  ship:
    ${more}
    uses: ./.github/workflows/ship.yml
`;
const called = example("inputs.environment != 'none'")
  .replace("concurrency: main\n", "")
  .replace(
    "  push:\n    branches: [main]\n",
    "  workflow_call:\n    inputs:\n      environment: { type: string, default: live }\n",
  );

const stepped = (used: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  ship:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6
      - uses: ${used}
`;

export const workflowDead: Rule = {
  id: "workflow-dead",
  title: "A workflow or a job never runs",
  systems: ["github"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "What never runs fails nobody. A rejected file shows as a failed run without jobs, a wrong name in workflow_run " +
    "shows as nothing at all, and a job whose condition is never true is shown as skipped, as so many are.",
  severity:
    "High if the job ships something, if others wait for the workflow, or if a whole run is refused. Otherwise medium.",
  fix: "Correct what the message names.",
  limits:
    "Files are checked by GitHub's own parser. What variables, outputs and fields of an event say is not judged, " +
    "only that variables and outputs are texts, and which fields an event has.",
  failing: [
    {
      ".github/workflows/main.yml": stepped("./.github/workflows/ship.yml # <- finding"),
      ".github/workflows/ship.yml": called,
    },
    {
      ".github/workflows/main.yml": shipping("environment: live # <- finding"),
      ".github/workflows/ship.yml": called,
    },
    {
      ".github/workflows/a.yml": calling("b", " # <- finding"),
      ".github/workflows/b.yml": calling("a", " # <- finding"),
    },
    {
      ".github/workflows/main.yml": example('github.ref == "refs/heads/main" # <- finding'),
    },
    { ".github/workflows/main.yml": example("github.event_name == 'release' # <- finding") },
    {
      ".github/workflows/main.yml": example("github.ref == 'refs/heads/main'"),
      ".github/workflows/after.yml": follower("Main").replace("[Main]", "[Main] # <- finding"),
    },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/main.yml": stepped("./.github/actions/ship"),
        ".github/actions/ship/action.yml": "name: ship\nruns:\n  using: composite\n  steps: []\n",
      },
      because: "The step uses an action.",
      edit: {
        file: ".github/workflows/main.yml",
        replace: "./.github/actions/ship",
        by: "./.github/workflows/main.yml",
      },
    },
    {
      files: {
        ".github/workflows/main.yml": shipping("with:\n      environment: live"),
        ".github/workflows/ship.yml": called,
      },
      because: "The environment is an input of the called workflow.",
      edit: {
        file: ".github/workflows/main.yml",
        replace: "with:\n      environment: live",
        by: "environment: live",
      },
    },
    {
      files: {
        ".github/workflows/a.yml": calling("b", ""),
        ".github/workflows/b.yml": calling("a", "").replace("uses: ./.github/workflows/a.yml", other),
      },
      because: "The called workflow calls no other.",
      edit: { file: ".github/workflows/b.yml", replace: other, by: "uses: ./.github/workflows/a.yml" },
    },
    {
      files: { ".github/workflows/main.yml": example("github.ref == 'refs/heads/main'") },
      because: "Pushes to main make the condition true.",
      edit: { file: ".github/workflows/main.yml", replace: "refs/heads/main", by: "refs/heads/master" },
    },
    {
      files: {
        ".github/workflows/main.yml": example("github.ref == 'refs/heads/main'"),
        ".github/workflows/after.yml": follower("main"),
      },
      because: "A workflow of that name exists.",
      edit: { file: ".github/workflows/after.yml", replace: "[main]", by: "[deploy]" },
    },
  ],
  check,
};
