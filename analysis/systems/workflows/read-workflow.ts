// Reads one workflow file into nodes: the workflow, its jobs and their steps. It reads leniently, because a file that
// GitHub rejects still has jobs that others wait for. What the texts mean is left to the files beside this one.
import type { Pair, ParsedNode } from "yaml";
import { type Place, structural, type Text } from "../../place.ts";
import { keyOf, type YamlFile } from "../../yaml-file.ts";
import type {
  ActionNode,
  Concurrency,
  Entry,
  Input,
  JobNode,
  Permissions,
  StepNode,
  Strategy,
  Trigger,
  WorkflowNode,
} from "./nodes.ts";

type Value = ParsedNode | null | undefined;
type Pairs = Pair<ParsedNode, ParsedNode | null>;

/** What a workflow file holds. */
export interface ReadWorkflow {
  readonly workflow: WorkflowNode;
  readonly jobs: readonly JobNode[];
  readonly steps: readonly StepNode[];
}

/** Ids of the nodes of a workflow file. */
export const workflowId = (file: string): string => `workflow:${file}`;
const jobId = (file: string, key: string): string => `job:${file}#${key}`;

/** Reads a workflow. Anything that has another form than GitHub's is left out. */
export function readWorkflow(file: string, yaml: YamlFile): ReadWorkflow {
  const { root } = yaml;
  const title = yaml.text(yaml.get(root, "name"))?.text;
  const jobs = yaml.pairs(yaml.get(root, "jobs")).flatMap((pair) => readJob(file, yaml, pair));
  const workflow: WorkflowNode = {
    kind: "workflow",
    system: "github",
    id: workflowId(file),
    name: title ?? file,
    evidence: structural(firstLine(file)),
    file,
    title: title ?? file,
    triggers: readTriggers(yaml, yaml.get(root, "on")),
    inputs: readInputs(yaml, yaml.get(root, "on")),
    concurrency: readConcurrency(yaml, yaml.pair(root, "concurrency")),
    permissions: readPermissions(yaml, yaml.pair(root, "permissions")),
    env: yaml.entries(yaml.get(root, "env")),
    outputs: readCallOutputs(yaml, root),
    templates: yaml
      .pairs(root)
      .filter((pair) => keyOf(pair) !== "jobs")
      .flatMap(({ value }) => yaml.scalars(value))
      .filter(({ text }) => text.includes("${{")),
    isBroken: yaml.complaints.length > 0,
    rejections: [],
  };
  return { workflow, jobs: jobs.map(({ job }) => job), steps: jobs.flatMap(({ steps }) => steps) };
}

const firstLine = (file: string): Place => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 });

/** Reads a composite action; undefined if the file is another kind of action. */
export function readAction(file: string, yaml: YamlFile): ActionNode | undefined {
  const { root } = yaml;
  const runs = yaml.get(root, "runs");
  if (yaml.text(yaml.get(runs, "using"))?.text !== "composite") return undefined;
  const id = `action:${file}`;
  const steps = yaml.items(yaml.get(runs, "steps"));
  const outputs = readOutputs(yaml, yaml.get(root, "outputs"));
  return {
    kind: "action",
    system: "github",
    id,
    name: yaml.text(yaml.get(root, "name"))?.text ?? file,
    evidence: structural(firstLine(file)),
    file,
    inputs: yaml.pairs(yaml.get(root, "inputs")).map(keyOf),
    outputs,
    steps: steps.map((each, index) => readStep(yaml, id, each, index, false)),
    templates: [...templatesOf(yaml, runs), ...outputs.map(({ value }) => value)],
  };
}

function readTriggers(yaml: YamlFile, on: Value): readonly Trigger[] {
  if (!yaml.isMap(on)) return yaml.texts(on).map(({ text, place }) => ({ event: text, place, filters: {} }));
  return yaml.pairs(on).flatMap((pair) => {
    const event = keyOf(pair);
    const place = yaml.place(pair.key);
    if (event === "schedule") {
      const crons = yaml.items(pair.value).flatMap((each) => yaml.text(yaml.get(each, "cron")) ?? []);
      return [{ event, place, filters: { cron: crons } }];
    }
    const lists = yaml
      .pairs(pair.value)
      .filter((each) => !["inputs", "outputs", "secrets"].includes(keyOf(each)))
      .map((each) => [keyOf(each), yaml.texts(each.value)] as const);
    return [{ event, place, filters: Object.fromEntries(lists) }];
  });
}

function readInputs(yaml: YamlFile, on: Value): readonly Input[] {
  return (["workflow_dispatch", "workflow_call"] as const).flatMap((event) =>
    yaml.pairs(yaml.get(yaml.get(on, event), "inputs")).map((pair) => ({
      event,
      name: keyOf(pair),
      place: yaml.place(pair.key),
      type: yaml.text(yaml.get(pair.value, "type"))?.text ?? "string",
      isRequired: yaml.text(yaml.get(pair.value, "required"))?.text === "true",
      fallback: yaml.text(yaml.get(pair.value, "default"))?.text,
      options: yaml.texts(yaml.get(pair.value, "options")).map(({ text }) => text),
    })),
  );
}

const readCallOutputs = (yaml: YamlFile, root: Value): readonly Entry[] =>
  readOutputs(yaml, yaml.get(yaml.get(yaml.get(root, "on"), "workflow_call"), "outputs"));

const readOutputs = (yaml: YamlFile, outputs: Value): readonly Entry[] =>
  yaml.pairs(outputs).flatMap((pair) => {
    const key = yaml.text(pair.key);
    const value = yaml.text(yaml.get(pair.value, "value"));
    return key && value ? [{ key, value }] : [];
  });

function readConcurrency(yaml: YamlFile, pair: Pairs | undefined): Concurrency | undefined {
  if (pair === undefined) return undefined;
  const place = yaml.pairPlace(pair);
  const group = yaml.isMap(pair.value) ? yaml.text(yaml.get(pair.value, "group")) : yaml.text(pair.value);
  if (group === undefined) return undefined;
  const part = (key: string): Text | undefined =>
    yaml.isMap(pair.value) ? yaml.text(yaml.get(pair.value, key)) : undefined;
  return { place, group, cancelInProgress: part("cancel-in-progress"), queue: part("queue") };
}

function readPermissions(yaml: YamlFile, pair: Pairs | undefined): Permissions | undefined {
  if (pair === undefined) return undefined;
  const place = yaml.pairPlace(pair);
  const word = yaml.text(pair.value)?.text;
  if (word === "read-all") return { place, all: "read", scopes: {} };
  if (word === "write-all") return { place, all: "write", scopes: {} };
  const scopes = yaml.entries(pair.value).map(({ key, value }) => [key.text, value.text] as const);
  return { place, all: scopes.length === 0 ? "none" : undefined, scopes: Object.fromEntries(scopes) };
}

function readJob(
  file: string,
  yaml: YamlFile,
  pair: Pairs,
): readonly { readonly job: JobNode; readonly steps: readonly StepNode[] }[] {
  if (!yaml.isMap(pair.value)) return [];
  const key = keyOf(pair);
  const body = pair.value;
  const id = jobId(file, key);
  const place = yaml.place(pair.key);
  const text = (name: string): Text | undefined => yaml.text(yaml.get(body, name));
  const needs = yaml.pair(body, "needs");
  const environment = yaml.get(body, "environment");
  const title = text("name");
  const job: JobNode = {
    kind: "job",
    system: "github",
    id,
    name: key,
    evidence: structural(place),
    workflow: workflowId(file),
    key,
    place,
    bodyAt: yaml.place(yaml.pairs(body)[0]?.key ?? body),
    title,
    needs: yaml.texts(needs?.value),
    needsPlace: needs && yaml.pairPlace(needs),
    condition: text("if"),
    environment: yaml.isMap(environment) ? yaml.text(yaml.get(environment, "name")) : yaml.text(environment),
    concurrency: readConcurrency(yaml, yaml.pair(body, "concurrency")),
    timeoutMinutes: text("timeout-minutes"),
    permissions: readPermissions(yaml, yaml.pair(body, "permissions")),
    runsOn: yaml.texts(yaml.get(body, "runs-on")).map((each) => each.text),
    outputs: yaml.entries(yaml.get(body, "outputs")),
    env: yaml.entries(yaml.get(body, "env")),
    strategy: readStrategy(yaml, yaml.pair(body, "strategy")),
    continueOnError: text("continue-on-error"),
    uses: text("uses"),
    with: yaml.entries(yaml.get(body, "with")),
    templates: templatesOf(yaml, body),
    hasServices: yaml.get(body, "services") !== undefined,
  };
  const steps = flattened(yaml, yaml.get(body, "steps"), false);
  return [{ job, steps: steps.map((each, index) => readStep(yaml, id, each.step, index, each.isBackground)) }];
}

/** Texts with an expression: those with `${{`, and every `if`, which needs no braces. */
function templatesOf(yaml: YamlFile, body: Value): readonly Text[] {
  const conditions = (value: Value): readonly Text[] =>
    yaml.pairs(value).flatMap((pair) => (keyOf(pair) === "if" ? (yaml.text(pair.value) ?? []) : []));
  const steps = flattened(yaml, yaml.get(body, "steps"), false).map(({ step }) => step);
  const all = [
    ...yaml.scalars(body).filter(({ text }) => text.includes("${{")),
    ...[body, ...steps].flatMap(conditions),
  ];
  const unique = new Map(all.map((text) => [`${text.place.line}:${text.place.column}`, text]));
  return [...unique.values()];
}

/** Steps in order. Those under `parallel:` stand for themselves; all but their last run beside the next. */
function flattened(
  yaml: YamlFile,
  steps: Value,
  isParallel: boolean,
): readonly { readonly step: Value; readonly isBackground: boolean }[] {
  return yaml.items(steps).flatMap((step) => {
    const parallel = yaml.get(step, "parallel");
    if (parallel !== undefined) return flattened(yaml, parallel, true);
    return [{ step, isBackground: isParallel || yaml.text(yaml.get(step, "background"))?.text === "true" }];
  });
}

/** Reads a step. The steps of a local composite action have the id of the step that uses it before their own. */
export function readStep(
  yaml: YamlFile,
  job: string,
  step: Value,
  index: number,
  isBackground: boolean,
  via?: string,
): StepNode {
  const text = (name: string): Text | undefined => yaml.text(yaml.get(step, name));
  const place = yaml.place(step);
  const key = text("id")?.text;
  const jobOf = yaml.get(yaml.get(yaml.root, "jobs"), job.slice(job.lastIndexOf("#") + 1));
  const byDefault = (name: string): Text | undefined =>
    defaultOf(yaml, jobOf, name) ?? defaultOf(yaml, yaml.root, name);
  return {
    kind: "step",
    system: "github",
    id: via === undefined ? `step:${job.slice("job:".length)}/${index}` : `${via}/${index}`,
    name: text("name")?.text ?? key ?? text("uses")?.text ?? `step ${index + 1}`,
    evidence: structural(place),
    job,
    index,
    place,
    key,
    title: text("name"),
    uses: text("uses"),
    with: yaml.entries(yaml.get(step, "with")),
    run: text("run"),
    env: yaml.entries(yaml.get(step, "env")),
    condition: text("if"),
    continueOnError: text("continue-on-error"),
    timeoutMinutes: text("timeout-minutes"),
    workingDirectory: text("working-directory") ?? (text("run") && byDefault("working-directory")),
    shell: text("shell") ?? byDefault("shell"),
    isBackground,
    via,
  };
}

/** What a job or a workflow sets for its scripts where a step says nothing. */
const defaultOf = (yaml: YamlFile, of: Value, name: string): Text | undefined =>
  yaml.text(yaml.get(yaml.get(yaml.get(of, "defaults"), "run"), name));

function readStrategy(yaml: YamlFile, pair: Pairs | undefined): Strategy | undefined {
  if (pair === undefined) return undefined;
  const matrix = yaml.get(pair.value, "matrix");
  const axes = yaml
    .pairs(matrix)
    .filter((each) => !["include", "exclude"].includes(keyOf(each)))
    .map(
      (each) =>
        [
          keyOf(each),
          yaml.isSequence(each.value) ? yaml.items(each.value).map((value) => yaml.text(value)?.text ?? "") : undefined,
        ] as const,
    );
  const include = yaml
    .items(yaml.get(matrix, "include"))
    .map((each) => Object.fromEntries(yaml.entries(each).map(({ key, value }) => [key.text, value.text])));
  return {
    place: yaml.pairPlace(pair),
    axes: Object.fromEntries(axes),
    include,
    isDynamic: !yaml.isMap(matrix) || axes.some(([, values]) => values === undefined),
    maxParallel: yaml.text(yaml.get(pair.value, "max-parallel")),
  };
}
