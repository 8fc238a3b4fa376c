// A job that waits for another one without using anything of it. The edge is called needless only if it is proven: no
// output, artifact, cache or file passes, the earlier job changes nothing outside, and it guards nothing that ships.
import type { Graph } from "../graph.ts";
import type { Place } from "../place.ts";
import type { Draft, Repair, Rule } from "../rule.ts";
import { criticalPath, timeOf } from "../systems/workflows/critical-path.ts";
import { hasStatusFunction, parseCondition } from "../systems/workflows/expressions.ts";
import { isHarmlessJob, passesBetween } from "../systems/workflows/hand-over.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { isApproval, isGate, titleOf } from "../systems/workflows/roles.ts";
import { commandsIn } from "../systems/workflows/shell.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) =>
    isGathering(view, job)
      ? []
      : view.needsOf(job).flatMap((need) => (isNeedless(view, need, job) ? [draft(view, need, job)] : [])),
  );
}

/** A job of many needs and no work of its own only gathers their results. */
const isGathering = (view: WorkflowsView, job: JobNode): boolean =>
  (job.needs.length > 1 && view.stepsOf(job).every(({ uses }) => uses === undefined) && view.stepsOf(job).length < 3) ||
  hasStatusFunction(job.condition && parseCondition(job.condition.text));

function isNeedless(view: WorkflowsView, need: JobNode, job: JobNode): boolean {
  if (need.environment !== undefined || isApproval(view, need) || /approv|gate|confirm|wait|lock/i.test(titleOf(need)))
    return false;
  if (passesBetween(view, need, job)) return false;
  if (onlySetsItself(view, need)) return true;
  if (!isHarmlessJob(view, need)) return false;
  // What the later job or one after it changes outside may be guarded by the earlier one.
  const guarded = [job, ...view.descendantsOf(job)].filter((each) => changesOutside(view, each));
  return guarded.every((each) => isGuardedOtherwise(view, need, job, each));
}

/** A job that masks values or sets variables, and nothing else: both end with it, and it cannot fail. */
const onlySetsItself = (view: WorkflowsView, job: JobNode): boolean => {
  const scripts = view.stepsOf(job).map(({ run }) => run?.text);
  if (job.uses || job.condition || job.outputs.length > 0 || job.needs.length > 0) return false;
  return (
    scripts.some((script) => /::add-mask::|GITHUB_ENV/.test(script ?? "")) &&
    scripts.every(
      (script) =>
        script !== undefined &&
        !script.includes("$(") &&
        commandsIn(script).every(({ words }) => /^(echo|printf)$/.test(words[0] ?? "")),
    )
  );
};

const changesOutside = (view: WorkflowsView, job: JobNode): boolean =>
  job.uses !== undefined ||
  job.environment !== undefined ||
  view.effectsOf(job).length > 0 ||
  !isHarmlessJob(view, job);

/** Whether a job that changes something waits for the need also on a way that does not use the edge. */
function isGuardedOtherwise(view: WorkflowsView, need: JobNode, job: JobNode, guarded: JobNode): boolean {
  if (guarded.id === job.id) return false;
  const seen = new Set<string>();
  const ahead = [guarded];
  for (let at = ahead.pop(); at !== undefined; at = ahead.pop()) {
    for (const before of view.needsOf(at)) {
      if (at.id === job.id && before.id === need.id) continue;
      if (before.id === need.id) return true;
      if (!seen.has(before.id)) ahead.push(before);
      seen.add(before.id);
    }
  }
  return false;
}

function draft(view: WorkflowsView, need: JobNode, job: JobNode): Draft {
  const place = job.needs.find(({ text }) => text === need.key)!.place;
  // A cheap check before a large matrix saves minutes of runners; that is a choice, not a mistake.
  const isFailFast = isGate(view, need) && job.strategy !== undefined;
  const repair = repairOf(need, job);
  const saved = savedBy(view, need, job);
  return {
    severity: isFailFast || saved?.seconds === 0 ? "info" : "low",
    known: "structural",
    place,
    message:
      `Job ${job.key} waits for ${need.key}, but uses nothing of it: no output, artifact, cache or file, ` +
      `and ${need.key} ` +
      `changes nothing that ${job.key} could see.`,
    cost: saved
      ? `Every run takes ${timeOf(saved.seconds)} longer (measured, from medians of ${saved.runs} runs).`
      : "Every run takes longer by the time of the shorter of the two, as far as nothing else is slower.",
    fix: `remove ${need.key} from the needs of ${job.key}`,
    subject: `${job.id} ${need.key}`,
    related: [{ place: need.place, message: "this is waited for" }],
    path: [need.id, job.id],
    ...(repair && { repair }),
  };
}

/** How much shorter the longest chain is without the edge. */
function savedBy(
  view: WorkflowsView,
  earlier: JobNode,
  later: JobNode,
): { readonly seconds: number; readonly runs: number } | undefined {
  const workflow = view.workflowOf(later);
  const before = criticalPath(view, workflow);
  const after = criticalPath(view, workflow, { earlier, later });
  return before && after ? { seconds: before.seconds - after.seconds, runs: before.runs } : undefined;
}

function repairOf(need: JobNode, job: JobNode): Repair | undefined {
  const { needsPlace } = job;
  if (needsPlace === undefined) return undefined;
  const title = "Let both jobs run at once";
  const rest = job.needs.filter(({ text }) => text !== need.key);
  if (rest.length === 0) {
    const from: Place = { ...needsPlace, column: 1, endLine: needsPlace.endLine + 1, endColumn: 1 };
    const isBlock = needsPlace.endLine > needsPlace.line && needsPlace.endColumn === 1;
    return { title, edits: [{ place: isBlock ? { ...from, endLine: needsPlace.endLine } : from, text: "" }] };
  }
  if (needsPlace.line !== needsPlace.endLine) return undefined;
  return { title, edits: [{ place: needsPlace, text: `needs: [${rest.map(({ text }) => text).join(", ")}]` }] };
}

const example = (needs: string, after = ""): string => `name: ci
on:
  pull_request:
jobs:
  lint:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - run: npm ci
      - run: npm run lint
  test:
    needs: ${needs}
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - run: npm ci
      - run: npm test
${after}`;
const report = `  report:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - run: npm run build
      - uses: actions/upload-artifact@v7
        with:
          name: site
          path: dist
`;

const masked = (command: string): string => `name: ci
on:
  push:
    branches: [main]
concurrency: main
jobs:
  ship:
    needs: mask
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6
      - run: fly deploy
  mask:
    runs-on: ubuntu-24.04
    steps:
      - run: ${command}
`;

export const workflowNeedlessNeeds: Rule = {
  id: "workflow-needless-needs",
  title: "A job waits for another one without need",
  systems: ["github"],
  antiPattern: 1,
  focus: "performance",
  why:
    "Each job starts on a fresh machine. If it reads nothing that the earlier job made, and nothing that " +
    "ships depends " +
    "on the order, waiting only makes every run longer.",
  severity:
    "Low. Info if a cheap check stands before a matrix, which saves minutes of runners, or if the run history says " +
    "that a run would not be shorter.",
  fix: "Remove the need. If it should guard a deployment, give it to the deploying job.",
  limits:
    "An edge is reported only if every step of the earlier job is known to change nothing outside. The time is not " +
    "estimated without a run history.",
  failing: [
    { ".github/workflows/ci.yml": example("lint # <- finding") },
    {
      ".github/workflows/ci.yml": masked('echo "::add-mask::${{ secrets.ROLE }}"').replace("mask", "mask # <- finding"),
    },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/ci.yml": masked('test -n "::add-mask::${{ secrets.ROLE }}"') },
      because: "The earlier job can fail, and then nothing is deployed.",
      edit: { file: ".github/workflows/ci.yml", replace: "test -n", by: "echo" },
    },
    {
      files: {
        ".github/workflows/ci.yml": example("report", report).replace(
          "- run: npm test",
          "- uses: actions/download-artifact@v8\n      - run: npm test",
        ),
      },
      because: "An artifact passes between the jobs.",
      edit: { file: ".github/workflows/ci.yml", replace: "- uses: actions/download-artifact@v8\n      ", by: "" },
    },
    {
      files: {
        ".github/workflows/ci.yml": example(
          "report",
          report.replace("report:", "report:\n    outputs:\n      size: ${{ steps.size.outputs.size }}"),
        )
          .replace("- run: npm test", "- run: npm test -- --budget ${{ needs.report.outputs.size }}")
          .replace("- run: npm run build", "- id: size\n        run: npm run build"),
      },
      because: "An output passes between the jobs.",
      edit: { file: ".github/workflows/ci.yml", replace: " -- --budget ${{ needs.report.outputs.size }}", by: "" },
    },
  ],
  check,
};
