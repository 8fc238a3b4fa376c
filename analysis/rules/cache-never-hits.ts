// A cache whose key is new in every run, so that it is saved each time and never restored. A cache that carries files
// between jobs of one run has such a key on purpose: another step names the same key.
import type { Graph } from "../graph.ts";
import type { Place, Text } from "../place.ts";
import type { Draft, Repair, Rule } from "../rule.ts";
import { expressionsIn, pathsIn, piecesOf } from "../systems/workflows/expressions.ts";
import type { StepNode, WorkflowNode } from "../systems/workflows/nodes.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.workflows.flatMap((workflow) => ofWorkflow(view, workflow));
}

interface Cache {
  readonly step: StepNode;
  readonly key: Text;
}

function ofWorkflow(view: WorkflowsView, workflow: WorkflowNode): readonly Draft[] {
  const caches = view.jobsOf(workflow).flatMap(view.stepsOf).flatMap(cacheOf);
  return caches
    .filter(({ step, key }) => differsEachRun(key) && inputOf(step, "restore-keys") === undefined)
    .filter(({ step, key }) => step.via === undefined && !isHandedOver(caches, step, key))
    .map(({ step, key }) => draft(step, key));
}

const inputOf = (step: StepNode, name: string): Text | undefined =>
  step.with.find(({ key }) => key.text === name)?.value;

const cacheOf = (step: StepNode): readonly Cache[] => {
  const key = inputOf(step, "key");
  return /^actions\/cache@/.test(step.uses?.text ?? "") && key ? [{ step, key }] : [];
};

const changing: ReadonlySet<string> = new Set(["sha", "run_id", "run_number", "run_attempt"]);

/** Whether the key names something that no two runs share. Attempts of one run share all but the last. */
const differsEachRun = ({ text }: Text): boolean => expressionsIn(text).flatMap(pathsIn).some(isChanging);

const isChanging = ([context, name]: readonly string[]): boolean => context === "github" && changing.has(name ?? "");

/** Whether another step of the workflow, of whatever job, uses the same key. */
const isHandedOver = (caches: readonly Cache[], step: StepNode, key: Text): boolean =>
  caches.some((other) => other.step !== step && other.key.text === key.text);

function draft(step: StepNode, key: Text): Draft {
  const repair = repairOf(step, key);
  return {
    severity: "low",
    known: "structural",
    place: key.place,
    message: `The key ${key.text} is new in every run, and no restore-keys names an older one, so nothing is restored.`,
    cost: "Every run saves a cache that no run reads, and older caches that help are evicted for it.",
    fix: "use hashFiles of what decides the content in the key, or name the part before it in restore-keys",
    subject: step.id,
    ...(repair && { repair }),
  };
}

/** Names the part before the first changing expression, if there is one and it ends at a separator. */
function repairOf(step: StepNode, key: Text): Repair | undefined {
  const prefix = stablePrefix(key.text);
  const at = step.with.find((entry) => entry.value === key)!.key.place;
  if (prefix === undefined || key.isBlock || at.line === step.uses?.place.line) return undefined;
  const place: Place = { ...at, column: 1, endLine: at.line, endColumn: 1 };
  const text = `${" ".repeat(at.column - 1)}restore-keys: ${prefix}\n`;
  return { title: "Restore the newest cache of the same kind", edits: [{ place, text }] };
}

function stablePrefix(text: string): string | undefined {
  let prefix = "";
  for (const piece of piecesOf(text)) {
    if ("source" in piece && pathsIn(piece.expression).some(isChanging)) break;
    prefix += "source" in piece ? `\${{ ${piece.source} }}` : piece.literal;
  }
  // A plain scalar of YAML must not begin or go on with what YAML reads as its own.
  return /[-_/.]$/.test(prefix) && !/[:#]\s|\s#|^[\s"'[{&*!|>%@`-]/.test(prefix) ? prefix : undefined;
}

const example = (key: string, more = ""): string => `name: ci
on:
  pull_request:
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - uses: actions/cache@v6
        with:
          path: .cache
          key: ${key}${more}
      - run: npm test
`;

export const cacheNeverHits: Rule = {
  id: "cache-never-hits",
  title: "A cache is saved in every run and restored in none",
  systems: ["github"],
  antiPattern: 1,
  focus: "performance",
  why:
    "A cache is found by its key. A key with the commit or the run in it is never asked for again, so each run pays " +
    "for saving and none gains; and because a repository's caches share one quota, the useless ones push out others.",
  severity: "Low.",
  fix: "Build the key of what decides the content, and give restore-keys for the next best.",
  limits: "A key that another step of the workflow uses as well carries files between jobs, and is not reported.",
  failing: [{ ".github/workflows/ci.yml": example("build-${{ github.sha }} # <- finding") }],
  nearMisses: [
    {
      files: { ".github/workflows/ci.yml": example("build-${{ hashFiles('package-lock.json') }}") },
      because: "The key changes only with the lock file.",
      edit: { file: ".github/workflows/ci.yml", replace: "hashFiles('package-lock.json')", by: "github.run_id" },
    },
    {
      files: { ".github/workflows/ci.yml": example("build-${{ github.sha }}", "\n          restore-keys: build-") },
      because: "The newest cache of another commit is restored.",
      edit: { file: ".github/workflows/ci.yml", replace: "\n          restore-keys: build-", by: "" },
    },
  ],
  check,
};
