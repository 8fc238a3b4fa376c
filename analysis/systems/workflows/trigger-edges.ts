// Edges by which one workflow starts another: `workflow_run` by name, dispatches by file or event type, and pushes
// that are made with a token of their own. What the default token pushes starts nothing, so such a push has no edge.
import type { Edge } from "../../graph.ts";
import { inferred, structural } from "../../place.ts";
import { effectsOf } from "./effects.ts";
import type { JobNode, StepNode, WorkflowNode } from "./nodes.ts";
import { commandsIn } from "./shell.ts";

/** Gives the edges; each is from the workflow that starts to the one that is started. */
export function triggerEdges(
  workflows: readonly WorkflowNode[],
  jobs: readonly JobNode[],
  steps: readonly StepNode[],
): readonly Edge[] {
  const workflowOf = new Map(jobs.map((job) => [job.id, job.workflow]));
  return [
    ...workflows.flatMap((started) => runEdges(workflows, started)),
    ...steps.flatMap((step) => {
      const from = workflowOf.get(step.job);
      return from === undefined ? [] : [...dispatchEdges(workflows, step, from), ...pushEdges(workflows, step, from)];
    }),
  ];
}

const runEdges = (workflows: readonly WorkflowNode[], started: WorkflowNode): readonly Edge[] =>
  started.triggers
    .filter(({ event }) => event === "workflow_run")
    .flatMap(({ filters }) => filters["workflows"] ?? [])
    .flatMap(({ text, place }) =>
      workflows
        .filter(({ title }) => title === text)
        .map(
          (source): Edge => ({
            kind: "triggers",
            from: source.id,
            to: started.id,
            label: "workflow_run",
            evidence: structural(place),
          }),
        ),
    );

/** Dispatches by `gh workflow run`, the REST API and the usual actions. */
function dispatchEdges(workflows: readonly WorkflowNode[], step: StepNode, from: string): readonly Edge[] {
  const script = [step.run?.text, ...step.with.map(({ value }) => value.text)].join("\n");
  const place = step.run?.place ?? step.uses?.place ?? step.place;
  const started = (event: string) => workflows.filter(({ triggers }) => triggers.some((each) => each.event === event));
  const byFile = started("workflow_dispatch").filter((workflow) => dispatches(step, script, workflow));
  const types = dispatchedTypes(step, script);
  const byType = started("repository_dispatch").filter(({ triggers }) =>
    triggers.some(
      ({ event, filters }) =>
        event === "repository_dispatch" &&
        types.some((type) => filters["types"] === undefined || filters["types"].some(({ text }) => text === type)),
    ),
  );
  return [
    ...byFile.map((to) => ["workflow_dispatch", to] as const),
    ...byType.map((to) => ["repository_dispatch", to] as const),
  ].map(([label, to]): Edge => ({ kind: "triggers", from, to: to.id, label, evidence: inferred(place, 0.9) }));
}

function dispatches(step: StepNode, script: string, workflow: WorkflowNode): boolean {
  const base = workflow.file.split("/").at(-1)!;
  const names = [base, workflow.title];
  const byCommand = commandsIn(step.run?.text ?? "").some(
    ({ words }) => words[0] === "gh" && words[1] === "workflow" && words[2] === "run" && names.includes(words[3] ?? ""),
  );
  const byApi = script.includes(`workflows/${base}/dispatches`);
  const byScript = /createWorkflowDispatch/.test(script) && script.includes(base);
  const byAction =
    /^(benc-uk\/workflow-dispatch|convictional\/trigger-workflow-and-wait)@/.test(step.uses?.text ?? "") &&
    step.with.some(({ value }) => names.includes(value.text));
  return byCommand || byApi || byScript || byAction;
}

function dispatchedTypes(step: StepNode, script: string): readonly string[] {
  if (step.uses?.text.startsWith("peter-evans/repository-dispatch@"))
    return step.with.flatMap(({ key, value }) => (key.text === "event-type" ? [value.text] : []));
  if (!/\/dispatches\b|createDispatchEvent/.test(script)) return [];
  return [...script.matchAll(/event_type["']?\s*[=:]\s*["']?([\w.-]+)/g)].map(([, type]) => type!);
}

/** A push starts workflows only if it is made with a token of its own: a PAT, an app's token or a deploy key. */
function pushEdges(workflows: readonly WorkflowNode[], step: StepNode, from: string): readonly Edge[] {
  const push = effectsOf(step).find(({ verb }) => verb === "push");
  if (push === undefined || !hasOwnToken(step)) return [];
  const self = workflows.filter(({ id, triggers }) => id === from && triggers.some(startsOnBranches));
  return self.map(
    (to): Edge => ({
      kind: "triggers",
      from,
      to: to.id,
      label: "push",
      evidence: inferred(push.place, 0.8),
    }),
  );
}

const startsOnBranches = ({ event, filters }: WorkflowNode["triggers"][number]): boolean =>
  event === "push" && (filters["tags"] === undefined || filters["branches"] !== undefined);

const hasOwnToken = (step: StepNode): boolean =>
  [...step.env, ...step.with].some(({ value }) =>
    /secrets\.(?!GITHUB_TOKEN\b)\w+|steps\.[\w-]+\.outputs\.token/.test(value.text),
  ) || /secrets\.(?!GITHUB_TOKEN\b)\w+/.test(step.run?.text ?? "");
