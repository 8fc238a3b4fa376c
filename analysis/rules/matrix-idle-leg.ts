// A leg of a matrix in which every step that works is switched off by a condition: a machine starts, checks out, sets
// up, and does nothing. Only conditions that the values of the matrix decide are judged.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { legsOf } from "../systems/workflows/check-names.ts";
import { holds, unknown } from "../systems/workflows/conditions.ts";
import { parseCondition } from "../systems/workflows/expressions.ts";
import type { JobNode, StepNode } from "../systems/workflows/nodes.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

type Leg = ReadonlyMap<string, string>;

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    const legs = legsOf(job);
    const idle = legs.filter((leg) => isIdle(view, job, leg));
    return idle.length > 0 && idle.length < legs.length ? [draft(view, job, idle)] : [];
  });
}

const preparing =
  /^(actions\/(checkout|setup-|cache)|pnpm\/action-setup|astral-sh\/|step-security\/harden-runner|docker\/setup-)/;
const installing = /^\s*((npm|pnpm|yarn|bun) (ci|install)|corepack enable|pip3? install [^\n]*|uv sync[^\n]*)\s*$/;

const isWork = ({ uses, run }: StepNode): boolean =>
  uses ? !preparing.test(uses.text) : run !== undefined && !installing.test(run.text);

/** Whether the leg has steps that work, and all of them are off. A job that is skipped as a whole costs nothing. */
function isIdle(view: WorkflowsView, job: JobNode, leg: Leg): boolean {
  if (job.condition?.text.includes("matrix.")) return false;
  const work = view.stepsOf(job).filter((step) => step.via === undefined && isWork(step));
  return work.length > 0 && work.every((step) => isOff(step, leg));
}

function isOff({ condition }: StepNode, leg: Leg): boolean {
  const expression = condition && parseCondition(condition.text);
  if (expression === undefined) return false;
  const truth = holds(expression, {
    status: () => unknown,
    lookup: ([context, key]) => (context === "matrix" && key !== undefined ? (leg.get(key) ?? null) : unknown),
  });
  return truth === false;
}

function draft(view: WorkflowsView, job: JobNode, idle: readonly Leg[]): Draft {
  const said = idle.map((leg) => [...leg].map(([key, value]) => `${key}: ${value}`).join(", "));
  const off = view.stepsOf(job).filter(isWork);
  return {
    severity: "low",
    known: "structural",
    place: job.strategy!.place,
    message: `Job ${job.key} does nothing for ${said.join("; ")}: every step that works is switched off there.`,
    cost: "A machine starts, checks out and sets up for nothing in every run.",
    fix: "leave the leg out of the matrix, or write the steps that it lacks",
    subject: `${job.id} idle leg`,
    related: off.slice(0, 3).map((step) => ({ place: step.condition!.place, message: "this is off in the leg" })),
  };
}

const example = (condition: string): string => `name: ci
on:
  pull_request:
jobs:
  test:
    runs-on: \${{ matrix.os }}
    strategy: # <- finding
      matrix:
        os: [ubuntu-24.04, macos-15]
    steps:
      - uses: actions/checkout@v6
      - run: npm ci
      - if: ${condition}
        run: npm test
`;
const quiet = (condition: string): string => example(condition).replace(" # <- finding", "");

export const matrixIdleLeg: Rule = {
  id: "matrix-idle-leg",
  title: "A leg of a matrix does nothing",
  systems: ["github"],
  antiPattern: 1,
  focus: "performance",
  why:
    "Each leg of a matrix takes a machine and its setup. A leg whose steps are all switched off reports success, so " +
    "that nobody notices: neither the cost, nor that the platform is not tested at all.",
  severity: "Low.",
  fix: "Remove the leg, or give it work.",
  limits: "A matrix that an expression makes is not judged, and neither are conditions that look at anything else.",
  failing: [{ ".github/workflows/ci.yml": example("matrix.os == 'ubuntu-24.04'") }],
  nearMisses: [
    {
      files: { ".github/workflows/ci.yml": quiet("github.actor != 'a-bot' || matrix.os == 'ubuntu-24.04'") },
      because: "The other leg has work unless one actor starts the run.",
      edit: {
        file: ".github/workflows/ci.yml",
        replace: "github.actor != 'a-bot' || matrix.os == 'ubuntu-24.04'",
        by: "matrix.os == 'macos-15'",
      },
    },
  ],
  check,
};
