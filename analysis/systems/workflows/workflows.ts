// The system of GitHub workflows: which files it reads, and the edges between what they hold. Templates outside of
// `.github/workflows` are not read, because GitHub does not run them.
import type { ParsedNode } from "yaml";
import type { Edge, NotJudged } from "../../graph.ts";
import { compareText, inferred, structural } from "../../place.ts";
import { refusal, YamlFile } from "../../yaml-file.ts";
import type { Folder, System } from "../system.ts";
import { deploying, effectsOf } from "./effects.ts";
import { expressionsIn, pathsIn } from "./expressions.ts";
import { type History, historyFile, measuredOf, readHistory } from "./history.ts";
import { LocalScripts } from "./local-scripts.ts";
import type { JobNode, Rejection, StepNode, TargetNode, WorkflowNode } from "./nodes.ts";
import { rejectionsOf } from "./official.ts";
import { readAction, readStep, readWorkflow, workflowId } from "./read-workflow.ts";
import { triggerEdges } from "./trigger-edges.ts";

const isWorkflow = (file: string): boolean => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(file);
const isAction = (file: string): boolean => /(^|\/)action\.ya?ml$/.test(file);
/** The actions that a repository keeps for itself; others below may be fixtures. */
const isOwnAction = (file: string): boolean => /^(\.github\/.+\/)?action\.ya?ml$/.test(file);

export const workflowsSystem: System = {
  name: "github",
  claims: (file) => isWorkflow(file) || isOwnAction(file),
  read: async (folder, { asksGitHub = true }) => {
    const files = folder.files.filter(isWorkflow).toSorted(compareText);
    // GitHub's parser works in its process while this one reads: it gets at once what is plain, and the rest when the
    // aliases are counted.
    const plain = asksGitHub ? files.flatMap((file) => plainText(folder, file)) : [];
    const early = plain.length > 0 ? [rejectionsOf(plain)] : [];
    const read = files.map((file) => ({ file, ...parsed(folder, file) }));
    const texts = read.flatMap(({ file, text }) => (text === undefined ? [] : [{ file, text }]));
    const sent = new Set(plain.map(({ file }) => file));
    const official = Promise.all([
      ...early,
      rejectionsOf(asksGitHub ? texts.filter(({ file }) => !sent.has(file)) : []),
    ]);
    const parts = read.flatMap(({ file, yaml }) => (yaml ? [readWorkflow(file, yaml)] : []));
    const scripts = new LocalScripts(folder);
    const steps = parts
      .flatMap((part) => part.steps.flatMap((step) => [step, ...innerSteps(folder, step, 0)]))
      .map((step) => withScripts(scripts, step));
    const ownActions = folder.files.filter(isOwnAction).map((file) => ({ file, ...parsed(folder, file) }));
    const actions = ownActions.flatMap(({ file, yaml }) => (yaml && readAction(file, yaml)) ?? []);
    const history = historyIn(folder);
    const jobs = parts.flatMap(({ workflow, jobs: own }) =>
      own.map((job) => ({ ...job, ...(history && { measured: measuredIn(history, workflow, job, own) }) })),
    );
    const answers = await official;
    const rejected = new Map(answers.flatMap((answer) => [...answer.rejected]));
    const workflows = parts.map(({ workflow }) => withRejections(workflow, rejected.get(workflow.file)));
    const unchecked = answers
      .flatMap((answer) => answer.unchecked)
      .filter(({ file }) => parts.some(({ workflow }) => workflow.file === file));
    const effects = effectEdges(steps);
    return {
      nodes: [...workflows, ...jobs, ...steps, ...actions, ...effects.targets],
      edges: [
        ...jobEdges(jobs),
        ...callEdges(jobs, workflows),
        ...triggerEdges(workflows, jobs, steps),
        ...effects.edges,
      ],
      judged: [...parts.map(({ workflow }) => workflow.file), ...actions.map(({ file }) => file)],
      notJudged: [
        ...[...read, ...ownActions].flatMap(({ file, because }) => (because === undefined ? [] : [{ file, because }])),
        ...unchecked,
        ...linkedFolders(folder),
        ...(history === undefined && folder.files.includes(historyFile)
          ? [{ file: historyFile, because: "it is no list of jobs as GitHub's API gives it" }]
          : []),
      ],
    };
  },
};

const measuredIn = (history: History, workflow: WorkflowNode, job: JobNode, all: readonly JobNode[]) =>
  measuredOf(
    history,
    workflow,
    job,
    all.filter(({ key }) => job.needs.some(({ text }) => text === key)),
  );

function historyIn(folder: Folder): History | undefined {
  const content = folder.files.includes(historyFile) ? folder.read(historyFile) : undefined;
  return content && "text" in content ? readHistory(content.text) : undefined;
}

interface Parsed {
  readonly yaml?: YamlFile;
  readonly text?: string;
  readonly because?: string;
}

/** More jobs than people write. Some rules compare each job with each other one. */
const jobsMax = 250;

function parsed(folder: Folder, file: string): Parsed {
  const content = folder.read(file);
  if ("because" in content) return content;
  const because = refusal(content.text);
  if (because) return { because };
  const yaml = new YamlFile(file, content.text);
  const obstacle = yaml.obstacle;
  if (obstacle) return { because: obstacle };
  const jobs = yaml.pairs(yaml.get(yaml.root, "jobs")).length;
  if (jobs > jobsMax) return { because: `it has ${jobs} jobs; more than ${jobsMax} are not judged` };
  return { yaml, text: content.text };
}

/** The folders above the workflows, if they are links: what lies behind them is not read. */
const linkedFolders = (folder: Folder): readonly NotJudged[] =>
  [".github", ".github/workflows"].flatMap((file) => {
    const read = folder.files.includes(file) ? folder.read(file) : undefined;
    return read && "because" in read ? [{ file, because: read.because }] : [];
  });

const plainMax = 50_000;

/** A short text without anchors and without deep nesting, which no parser takes long for. */
function plainText(folder: Folder, file: string): readonly { readonly file: string; readonly text: string }[] {
  const content = folder.read(file);
  if ("because" in content || refusal(content.text) !== undefined) return [];
  const isSuspect =
    content.text.length > plainMax || /(^|[\s[{,])[&*][\w-]|[[{]{8}|!{8}|[^\n]{5000}/.test(content.text);
  return isSuspect ? [] : [{ file, text: content.text }];
}

const withRejections = (workflow: WorkflowNode, rejections: readonly Rejection[] | undefined): WorkflowNode =>
  rejections === undefined ? workflow : { ...workflow, rejections };

function withScripts(local: LocalScripts, step: StepNode): StepNode {
  const scripts = local.of(step);
  return scripts.length === 0 ? step : { ...step, scripts };
}

/** Reads the steps of a local composite action that a step uses. Actions that use each other end after four. */
function innerSteps(folder: Folder, step: StepNode, depth: number): readonly StepNode[] {
  const path = /^(?:\.|\$)\/(.+?)\/?$/.exec(step.uses?.text ?? "")?.[1];
  if (path === undefined || depth > 3) return [];
  const file = folder.files.find((each) => isAction(each) && each.startsWith(`${path}/action.`));
  if (file === undefined) return [];
  const { yaml } = parsed(folder, file);
  if (yaml === undefined) return [];
  const steps = yaml.items(yaml.get(yaml.get(yaml.root, "runs"), "steps")) as readonly ParsedNode[];
  return steps.flatMap((each, index) => {
    const inner = readStep(yaml, step.job, each, index, false, step.id);
    return [inner, ...innerSteps(folder, inner, depth + 1)];
  });
}

/** Edges between jobs of one workflow: what waits for what, and what reads what. */
function jobEdges(jobs: readonly JobNode[]): readonly Edge[] {
  const ids = new Set(jobs.map(({ id }) => id));
  return jobs.flatMap((job) => {
    const of = (key: string): string => job.id.replace(/#.*/s, `#${key}`);
    const needs = job.needs
      .filter(({ text }) => ids.has(of(text)))
      .map(({ text, place }): Edge => ({ kind: "needs", from: job.id, to: of(text), evidence: structural(place) }));
    const reads = job.templates.flatMap((template) =>
      expressionsIn(template.text, true)
        .flatMap(pathsIn)
        .filter(([context, key]) => context === "needs" && key !== undefined && ids.has(of(key)))
        .map(
          ([, key, ...rest]): Edge => ({
            kind: "reads",
            from: job.id,
            to: of(key!),
            label: rest.join("."),
            evidence: structural(template.place),
          }),
        ),
    );
    return [...needs, ...reads];
  });
}

/** Edges from jobs to the reusable workflows of this repository that they call. */
function callEdges(jobs: readonly JobNode[], workflows: readonly WorkflowNode[]): readonly Edge[] {
  const files = new Set(workflows.map(({ file }) => file));
  return jobs.flatMap(({ id, uses }) => {
    const file = /^(?:\.|\$)\/(.+)$/.exec(uses?.text ?? "")?.[1];
    if (uses === undefined || file === undefined || !files.has(file)) return [];
    return [{ kind: "calls", from: id, to: workflowId(file), evidence: structural(uses.place) }];
  });
}

function effectEdges(steps: readonly StepNode[]): {
  readonly targets: readonly TargetNode[];
  readonly edges: readonly Edge[];
} {
  const effects = steps.flatMap(effectsOf);
  const targets = new Map<string, TargetNode>();
  const edges = effects.map((effect): Edge => {
    const { step, category, named, verb, place, known } = effect;
    const id = `target:${category}:${named ?? "?"}`;
    const evidence = named === undefined ? inferred(place, 0.6) : { place, known };
    if (!targets.has(id))
      targets.set(id, { kind: "target", system: "github", id, name: named ?? category, category, named, evidence });
    return { kind: "writes", from: step.id, to: id, label: verb, evidence, facts: { deploys: deploying.has(verb) } };
  });
  return { targets: [...targets.values()], edges };
}
