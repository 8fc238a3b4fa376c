// A job that is silently skipped although what it needs did its part: it has no status function, and some job before
// it, near or far, may be skipped on purpose. The run is green, and nothing was shipped.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { skippedByOtherChange } from "../systems/workflows/changed-parts.ts";
import { hasStatusFunction, isTolerant, parseCondition, pathsIn } from "../systems/workflows/expressions.ts";
import type { JobNode } from "../systems/workflows/nodes.ts";
import { isUndoJob, shipmentsOf } from "../systems/workflows/roles.ts";
import { simulate } from "../systems/workflows/simulate.ts";
import { skippedByHand } from "../systems/workflows/skipped-by-hand.ts";
import { worldWhereSkipped } from "../systems/workflows/tolerated-skips.ts";
import { viewOf, type WorkflowsView } from "../systems/workflows/view.ts";
import { worldsOf } from "../systems/workflows/worlds.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => {
    if (isUndoJob(view, job)) return [];
    const own = job.condition && parseCondition(job.condition.text);
    if (isTolerant(own) || (job.condition && own === undefined)) return [];
    const found = throughTolerant(view, job) ?? neverBoth(view, job) ?? tolerantButNot(view, job);
    return found ?? byHand(view, job) ?? ofOtherChange(view, job);
  });
}

const ships = (view: WorkflowsView, job: JobNode): boolean => shipmentsOf(view, job).length > 0;

function draft(view: WorkflowsView, job: JobNode, message: string, skipped: JobNode): readonly Draft[] {
  return [
    {
      severity: ships(view, job) ? "high" : "medium",
      known: "structural",
      place: job.condition?.place ?? job.place,
      message,
      cost: ships(view, job)
        ? "The run is green, and nothing was shipped."
        : "The run is green, and the job's work was not done.",
      fix: "add a status function and ask for the results, such as !cancelled() && needs.build.result == 'success'",
      subject: job.id,
      related: [{ place: skipped.place, message: `${skipped.key} can be skipped` }],
      path: [skipped.id, ...view.needsOf(job).map(({ id }) => id), job.id],
    },
  ];
}

/** A need tolerates the skip of an earlier job and succeeds, but the skip still reaches this job. */
function throughTolerant(view: WorkflowsView, job: JobNode): readonly Draft[] | undefined {
  for (const need of view.needsOf(job)) {
    if (!hasStatusFunction(need.condition && parseCondition(need.condition.text))) continue;
    for (const skipped of view.ancestorsOf(need)) {
      if (skipped.condition === undefined || job.needs.some(({ text }) => text === skipped.key)) continue;
      const world = worldWhereSkipped(view, job, skipped, need);
      if (world)
        return draft(
          view,
          job,
          `Job ${job.key} is skipped whenever ${skipped.key} is (on ${world.label}), although ${need.key}, which ` +
            "it needs, runs and succeeds: without a status function, every earlier job counts, not only the " +
            "needed one.",
          skipped,
        );
    }
  }
  return undefined;
}

/** Two needs that never run together. */
function neverBoth(view: WorkflowsView, job: JobNode): readonly Draft[] | undefined {
  const workflow = view.workflowOf(job);
  const needs = view.needsOf(job).filter(({ condition }) => condition !== undefined);
  if (needs.length < 2) return undefined;
  const runs = worldsOf(view, workflow).map((world) => simulate(view, workflow, world));
  for (const [at, one] of needs.entries())
    for (const other of needs.slice(at + 1)) {
      const all = runs.map((outcomes) => [outcomes.get(one.key)?.runs, outcomes.get(other.key)?.runs]);
      const isDecided = all.every((pair) => pair.includes(false));
      if (isDecided && all.some(([first]) => first !== false) && all.some(([, second]) => second !== false))
        return draft(
          view,
          job,
          `Job ${job.key} never runs: it needs ${one.key} and ${other.key}, of which one is always skipped.`,
          other,
        );
    }
  return undefined;
}

/** A condition that accepts other results than success, but has no status function, so that it is never asked. */
function tolerantButNot(view: WorkflowsView, job: JobNode): readonly Draft[] | undefined {
  const expression = job.condition && parseCondition(job.condition.text);
  const asked = pathsIn(expression)
    .filter(([context, , field]) => context === "needs" && field === "result")
    .map(([, key]) => key!);
  const text = job.condition?.text ?? "";
  const accepts = /!= *'(failure|cancelled)'|== *'skipped'/.test(text) || (/\|\|/.test(text) && asked.length > 1);
  if (!accepts) return undefined;
  const skipped = [...view.needsOf(job), ...view.ancestorsOf(job)].find(
    (each) => (asked.includes(each.key) || asked.length > 0) && canBeSkipped(view, each),
  );
  if (skipped === undefined) return undefined;
  return draft(
    view,
    job,
    `The condition of job ${job.key} means to run it when ${skipped.key} is skipped, but it has no status function, ` +
      "so success() is implied and the job is skipped too.",
    skipped,
  );
}

const canBeSkipped = (view: WorkflowsView, job: JobNode): boolean => {
  if (job.condition === undefined) return false;
  const workflow = view.workflowOf(job);
  return worldsOf(view, workflow).some((world) => {
    const runs = simulate(view, workflow, world).get(job.key)?.runs;
    return runs !== true;
  });
};

/** A start by hand that asks for the job, and skips one that it needs. */
function byHand(view: WorkflowsView, job: JobNode): readonly Draft[] | undefined {
  const found = skippedByHand(view, job);
  return found && draft(view, job, found.message, found.skipped);
}

/** A need that runs for another part of the repository than the job itself. */
function ofOtherChange(view: WorkflowsView, job: JobNode): readonly Draft[] {
  const found = skippedByOtherChange(view, job);
  if (found === undefined) return [];
  const { skipped, changed } = found;
  const [one] = draft(
    view,
    job,
    `Job ${job.key} is skipped when only ${changed.join(" and ")} changed, although its own condition then holds: it ` +
      `waits for ${skipped.key}, which is skipped then.`,
    skipped,
  );
  return [{ ...one!, place: job.place, known: { inferred: 0.8 } }];
}

const example = (condition: string): string => `name: release
on:
  workflow_dispatch:
    inputs:
      skip-tests: { type: boolean, default: false }
concurrency: release
jobs:
  test:
    if: \${{ !inputs.skip-tests }}
    runs-on: ubuntu-24.04
    steps:
      - run: npm test
  build:
    needs: test
    if: \${{ !cancelled() && needs.test.result != 'failure' }}
    runs-on: ubuntu-24.04
    outputs:
      digest: \${{ steps.build.outputs.digest }}
    steps:
      - id: build
        run: echo "digest=abc" >> "$GITHUB_OUTPUT"
  deploy:
    needs: build${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    steps:
      - run: kubectl set image deployment/shop shop="shop@$DIGEST"
        env:
          DIGEST: \${{ needs.build.outputs.digest }}
`;

const either = (condition: string): string => `name: pages
on:
  push:
    branches: [main]
  workflow_dispatch:
concurrency: pages
jobs:
  draft:
    if: github.event_name == 'workflow_dispatch'
    runs-on: ubuntu-24.04
    steps:
      - run: make drafts
  final:
    if: github.event_name == 'push'
    runs-on: ubuntu-24.04
    steps:
      - run: make final
  publish:
    needs: [draft, final]
    if: ${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
      - run: aws s3 sync site s3://shop-site
`;

const parts = (condition: string, mark: string): string => `name: ci
on:
  pull_request:
jobs:
  changes:
    runs-on: ubuntu-24.04
    outputs:
      web: \${{ steps.filter.outputs.web }}
      api: \${{ steps.filter.outputs.api }}
    steps:
      - id: filter
        uses: dorny/paths-filter@v3
        with:
          filters: |
            web: ['web/**']
            api: ['api/**']
  api:
    needs: changes
    if: needs.changes.outputs.api == 'true'
    runs-on: ubuntu-24.04
    steps:
      - run: make api
      - uses: actions/upload-artifact@v7
        with: { name: api, path: api.tar }
  web:${mark}
    needs: [api, changes]
    if: ${condition}
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/download-artifact@v8
        with: { name: api }
      - run: make web
`;

/** Two parts are deployed if they changed, then both are tested, and then the shop goes live. */
const twoParts = (condition: string): string => `name: deploy
on:
  push:
    branches: [main]
concurrency: deploy
jobs:
  changes:
    runs-on: ubuntu-24.04
    outputs:
      web: \${{ steps.filter.outputs.web }}
      api: \${{ steps.filter.outputs.api }}
    steps:
      - id: filter
        uses: dorny/paths-filter@v3
        with:
          filters: |
            web: ['web/**']
            api: ['api/**']
${["api", "web"]
  .map(
    (part) => `  ${part}:
    needs: changes
    if: needs.changes.outputs.${part} == 'true'
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    steps:
      - run: fly deploy --app ${part}-staging
`,
  )
  .join("")}  e2e:
    needs: [api, web]
    if: always() && (needs.api.result == 'success' || needs.web.result == 'success')
    runs-on: ubuntu-24.04
    steps:
      - run: npx playwright test
  live:
    needs: e2e
    if: ${condition}
    runs-on: ubuntu-24.04
    timeout-minutes: 20
    steps:
      - run: fly deploy --app shop
`;

export const releaseSilentlySkipped: Rule = {
  id: "release-silently-skipped",
  title: "A job is silently skipped although it should run",
  systems: ["github"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "A job without a status function implies success(), and success() is false if any earlier job was skipped, also " +
    "one that the job does not need itself. A job in between that runs all the same does not change that. So one " +
    "optional job can switch off a release, and the run stays green.",
  severity: "High if the job ships something, else medium.",
  fix: "Give the job a status function, and ask for the results that it really depends on.",
  limits:
    "Whether a job should run although a part that it waits for did not change is inferred from its condition. A " +
    "skip that the files only suggest, such as one that depends on an output, counts as possible.",
  failing: [
    { ".github/workflows/deploy.yml": twoParts("vars.LIVE == 'true' # <- finding") },
    { ".github/workflows/ci.yml": parts("needs.changes.outputs.web == 'true'", " # <- finding") },
    {
      ".github/workflows/release.yml": example("").replace("  deploy:\n", "  deploy: # <- finding\n"),
    },
    {
      ".github/workflows/pages.yml": either(
        "needs.draft.result == 'success' || needs.final.result == 'success' # <- finding",
      ),
    },
  ],
  nearMisses: [
    {
      files: { ".github/workflows/deploy.yml": twoParts("${{ !failure() && !cancelled() && vars.LIVE == 'true' }}") },
      because: "The condition has status functions, so a part that did not change does not skip the job.",
      edit: { file: ".github/workflows/deploy.yml", replace: "!failure() && !cancelled() && ", by: "" },
    },
    {
      files: {
        ".github/workflows/ci.yml": parts(
          "needs.changes.outputs.web == 'true' && needs.changes.outputs.api == 'true'",
          "",
        ),
      },
      because: "The job asks for both parts, so what it needs runs whenever it should.",
      edit: { file: ".github/workflows/ci.yml", replace: " && needs.changes.outputs.api == 'true'", by: "" },
    },
    {
      files: {
        ".github/workflows/release.yml": example("\n    if: ${{ !cancelled() && needs.build.result == 'success' }}"),
      },
      because: "The job has a status function and asks for the result that it depends on.",
      edit: {
        file: ".github/workflows/release.yml",
        replace: "\n    if: ${{ !cancelled() && needs.build.result == 'success' }}",
        by: "",
      },
    },
    {
      files: {
        ".github/workflows/pages.yml": either(
          "${{ !cancelled() && !failure() && (needs.draft.result == 'success' || needs.final.result == 'success') }}",
        ),
      },
      because: "The condition has status functions, so a skipped job does not decide it.",
      edit: {
        file: ".github/workflows/pages.yml",
        replace:
          "${{ !cancelled() && !failure() && (needs.draft.result == 'success' || needs.final.result == 'success') }}",
        by: "needs.draft.result == 'success' || needs.final.result == 'success'",
      },
    },
  ],
  check,
};
