// Workflows that start each other in a circle: by workflow_run, by dispatches, or by a push with a token of their own.
// GitHub ends chains of workflow_run after three levels; the other circles end when the minutes do.
import type { Edge, Graph } from "../graph.ts";
import { weaker } from "../place.ts";
import type { Draft, Rule } from "../rule.ts";
import { parseCondition, pathsIn } from "../systems/workflows/expressions.ts";
import type { WorkflowNode } from "../systems/workflows/nodes.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  const byId = new Map(view.workflows.map((workflow) => [workflow.id, workflow]));
  const edges = graph.edges.filter(({ kind, from, to }) => kind === "triggers" && byId.has(from) && byId.has(to));
  const reported = new Set<string>();
  return view.workflows.flatMap((workflow) => {
    const circle = shortestCircle(edges, workflow.id);
    if (circle === undefined) return [];
    const members = circle.map(({ from }) => from);
    const key = members.toSorted().join(" ");
    if (reported.has(key)) return [];
    reported.add(key);
    return [draft(view, byId, circle, key)];
  });
}

/** Finds the shortest way from a workflow back to itself. */
function shortestCircle(edges: readonly Edge[], start: string): readonly Edge[] | undefined {
  const ahead: (readonly Edge[])[] = edges.filter(({ from }) => from === start).map((edge) => [edge]);
  const seen = new Set<string>();
  for (let way = ahead.shift(); way !== undefined; way = ahead.shift()) {
    const at = way.at(-1)!.to;
    if (at === start) return way;
    if (seen.has(at)) continue;
    seen.add(at);
    ahead.push(...edges.filter(({ from }) => from === at).map((edge) => [...way!, edge]));
  }
  return undefined;
}

function draft(
  view: WorkflowsView,
  byId: ReadonlyMap<string, WorkflowNode>,
  circle: readonly Edge[],
  subject: string,
): Draft {
  const titles = [...circle.map(({ from }) => byId.get(from)!.title), byId.get(circle[0]!.from)!.title];
  const isGuarded = circle.some(({ to }) => guards(view, byId.get(to)!));
  const ends = circle.every(({ label }) => label === "workflow_run");
  const { evidence } = circle[0]!;
  return {
    severity: isGuarded ? "info" : "high",
    known: circle.reduce((known, edge) => weaker(known, edge.evidence.known), evidence.known),
    place: evidence.place,
    message:
      `${titles.map((title) => `"${title}"`).join(" starts ")}: each run starts the next ` +
      `one${isGuarded ? ", unless a condition stops it" : ""}.`,
    cost: ends
      ? "Every push runs each of them several times; GitHub stops after three levels, with half of them done."
      : "Runs go on until the minutes are used up or somebody disables a workflow.",
    fix:
      "remove one of the triggers, or stop the circle with a condition on the actor, the branch or the " +
      "changed files",
    subject,
    related: circle.slice(1).map(({ evidence: { place }, label }) => ({ place, message: `and back by ${label}` })),
    path: [...circle.map(({ from }) => from), circle[0]!.from],
  };
}

/** Whether a condition on who started it, or a filter of files, can stop the circle. */
function guards(view: WorkflowsView, workflow: WorkflowNode): boolean {
  const jobs = view.jobsOf(workflow);
  const isConditional =
    jobs.length > 0 &&
    jobs.every(({ condition }) =>
      pathsIn(condition && parseCondition(condition.text)).some((path) =>
        /actor|sender|head_commit|event\.workflow_run\.(event|head_branch|actor)|event_name|triggering_actor/.test(
          path.join("."),
        ),
      ),
    );
  const isFiltered = workflow.triggers.some(
    ({ event, filters }) => event === "push" && (filters["paths"] ?? filters["paths-ignore"]) !== undefined,
  );
  return isConditional || isFiltered;
}

const follows = (name: string, other: string, job = ""): string => `name: ${name}
on:
  workflow_run:
    workflows: [${other}]
    types: [completed]
jobs:
  work:${job}
    runs-on: ubuntu-24.04
    steps:
      - run: echo ${name}
`;
const guard = "\n    if: github.event.workflow_run.event == 'push'";

export const triggerLoop: Rule = {
  id: "trigger-loop",
  title: "Workflows start each other in a circle",
  systems: ["github"],
  antiPattern: 2,
  focus: "resilience",
  why:
    "Triggers cross files, so nobody sees the circle in one of them. Each run starts the next one, uses minutes and " +
    "holds locks, and the circle is found on the bill.",
  severity: "High. Info if every job of a workflow in the circle has a condition on who or what started it.",
  fix: "Remove one of the triggers, or let one workflow ignore runs that the other one started.",
  limits:
    "A push with GitHub's own token starts nothing and is no edge. Dispatches are found by the name of the " +
    "file or the " +
    "event in the script.",
  failing: [
    {
      ".github/workflows/a.yml": follows("a", "b"),
      ".github/workflows/b.yml": follows("b", "a").replace("[a]", "[a] # <- finding"),
    },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/a.yml": follows("a", "b", guard), ".github/workflows/b.yml": follows("b", "a") },
      because: "The first workflow works only for runs that a push started.",
      edit: { file: ".github/workflows/a.yml", replace: guard, by: "" },
    },
  ],
  check,
};
