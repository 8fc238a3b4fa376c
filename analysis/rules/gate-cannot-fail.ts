// A gate that passes whatever it finds: its failure is swallowed by `|| true` or continue-on-error, a loop ends
// without a verdict, a request is made without asking for its status, or its condition is never true. What stands
// behind the gate ships all the same.
import type { Graph } from "../graph.ts";
import type { Draft, Rule } from "../rule.ts";
import { type DeafGate, deafGates } from "../systems/workflows/gates.ts";
import { viewOf } from "../systems/workflows/view.ts";

function check(graph: Graph): readonly Draft[] {
  const view = viewOf(graph);
  return view.jobs.flatMap((job) => deafGates(view, job).map(draft));
}

const draft = ({ shipped, severity = "high", ...gate }: DeafGate): Draft => ({
  ...gate,
  severity,
  known: "structural",
  cost: "What the gate should stop reaches users, and the run is green.",
  fix: gate.fix ?? "let the failure fail the step; if it may be ignored, remove the gate from the way of the release",
  related: [{ place: shipped, message: "this ships all the same" }],
});

const example = (test: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - run: ${test}
  deploy:
    needs: test
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy
`;
const refused = (condition: string): string =>
  example("npm test").replace(
    "      - run: fly deploy",
    `      - name: Only the main branch
        if: ${condition}
        run: exit 1
      - run: fly deploy`,
  );
const checked = (script: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy --strategy bluegreen
      - name: Smoke test
        run: |
          for attempt in 1 2 3; do
            curl -fsS https://shop.example/health && break${script}
            sleep 5
          done
      - name: Roll back
        if: failure()
        run: fly releases rollback
`;

const measured = (query: string): string => `name: main
on:
  push:
    branches: [main]
concurrency: main
jobs:
  deploy:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - run: fly deploy --strategy bluegreen
      - name: Watch errors
        run: |
          ERRORS=$(curl -fsS https://metrics.example/errors${query}
          if [ "$ERRORS" -gt 5 ]; then exit 1; fi
      - name: Roll back
        if: failure()
        run: fly releases rollback
`;
const generated = (command: string): string => `name: ci
on:
  push:
    branches: [main]
jobs:
  docs:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - name: Check that the generated files are committed
        run: |
          npm run generate
          ${command}
`;
const follower = `name: ship
on:
  workflow_run:
    workflows: [ci]
    types: [completed]
    branches: [main]
concurrency: ship
jobs:
  ship:
    if: github.event.workflow_run.conclusion == 'success'
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: actions/checkout@v6
        with:
          ref: \${{ github.event.workflow_run.head_sha }}
      - run: fly deploy
`;

const scripted = (...lines: readonly string[]): string => example(["|", "set +e", ...lines].join("\n          "));
const scanned = (code: string): string =>
  example("npm test").replace(
    "      - run: npm test",
    `      - run: npm test
      - uses: aquasecurity/trivy-action@0.33.1
        with:
          image-ref: shop:new
          exit-code: ${code}`,
  );
const answered = (otherwise: string): string =>
  checked("").replace(
    /for attempt[^]*done\n/,
    `STATUS=$(curl -s -o /dev/null -w "%{http_code}" https://shop.example/health)
          if [ "$STATUS" != 200 ]; then
            ${otherwise}
          fi
`,
  );
const started = (look: string): string =>
  example("npm test").replace(
    "      - run: fly deploy",
    `      - name: Test that the image starts
        run: |
          docker run -d --name shop shop:new # <- finding
          sleep 5
          ${look}
          docker rm -f shop
      - run: fly deploy`,
  );

/** A check of the deployment whose outcome a later step reads. */
const told = (later: string): string =>
  checked("").replace(
    / {8}run: \|[^]*/,
    `        id: smoke
        continue-on-error: true # <- finding
        run: curl -fsS https://shop.example/health
      - ${later}
`,
  );

export const gateCannotFail: Rule = {
  id: "gate-cannot-fail",
  title: "A gate passes whatever it finds",
  systems: ["github"],
  antiPattern: 4,
  focus: "resilience",
  why:
    "A gate exists to stop something. If its failure is swallowed, the run is green, and what stands behind it " +
    "ships: worse than no gate, because everybody believes in it.",
  severity: "High if something ships after it. Medium if it checks what was shipped before.",
  fix: "Let the failure fail the step. End a loop of attempts with exit 1, and ask curl for --fail.",
  limits: "A gate is reported only if something ships after it. A step whose outcome is asked for later is quiet.",
  failing: [
    { ".github/workflows/main.yml": told('run: echo "smoke ${{ steps.smoke.outcome }}" >> "$GITHUB_STEP_SUMMARY"') },
    { ".github/workflows/main.yml": example("npm test | tee log.txt # <- finding") },
    { ".github/workflows/main.yml": example("npm test | tee log.txt || true # <- finding") },
    { ".github/workflows/main.yml": example("'if ! npm test; then echo failed; fi' # <- finding") },
    { ".github/workflows/main.yml": scripted("npm test # <- finding", "echo done") },
    { ".github/workflows/main.yml": scanned('"0" # <- finding') },
    { ".github/workflows/main.yml": example("npm test || true # <- finding") },
    { ".github/workflows/main.yml": checked(" # <- finding") },
    { ".github/workflows/main.yml": refused("github.ref == 'main' # <- finding") },
    { ".github/workflows/main.yml": example("docker run --rm shop npm test || echo failed # <- finding") },
    { ".github/workflows/main.yml": measured(" || echo 0) # <- finding") },
    { ".github/workflows/main.yml": answered("echo unhealthy").replace("health)", "health) # <- finding") },
    {
      ".github/workflows/main.yml": answered("PASSED=false")
        .replace("STATUS=", "URLS=(\n            https://shop.example/health\n          )\n          STATUS=")
        .replace("health)", "health) # <- finding"),
    },
    {
      ".github/workflows/main.yml": answered("PASSED=false")
        .replace("health)", "health) # <- finding")
        .replace("Smoke test", "Test the shop")
        .replace("fly deploy --strategy bluegreen", "fly deploy"),
    },
    { ".github/workflows/main.yml": started("docker logs shop").replace("-d --name", "--detach --name") },
    {
      ".github/workflows/ci.yml": generated("git diff # <- finding"),
      ".github/workflows/ship.yml": follower,
    },
  ],
  nearMisses: [
    {
      files: {
        ".github/workflows/main.yml": told(
          "if: steps.smoke.outcome == 'failure'\n        run: fly releases rollback && exit 1",
        ).replace(" # <- finding", ""),
      },
      because: "A later step goes back when the check failed.",
      edit: {
        file: ".github/workflows/main.yml",
        replace: "if: steps.smoke.outcome == 'failure'\n        run: fly releases rollback && exit 1",
        by: 'run: echo "${{ steps.smoke.outcome }}"',
      },
    },
    {
      files: { ".github/workflows/main.yml": example("npm test | tee log.txt\n        shell: bash") },
      because: "A shell that is named runs with pipefail.",
      edit: { file: ".github/workflows/main.yml", replace: "\n        shell: bash", by: "" },
    },
    {
      files: { ".github/workflows/main.yml": scripted("npm test", "exit $?") },
      because: "The script ends with the result of the tests.",
      edit: { file: ".github/workflows/main.yml", replace: "exit $?", by: "echo done" },
    },
    {
      files: { ".github/workflows/main.yml": scanned('"1"') },
      because: "The scan fails if it finds something.",
      edit: { file: ".github/workflows/main.yml", replace: '"1"', by: '"0"' },
    },
    {
      files: { ".github/workflows/main.yml": answered("exit 1") },
      because: "An answer other than 200 fails the step.",
      edit: { file: ".github/workflows/main.yml", replace: "exit 1", by: "echo unhealthy" },
    },
    {
      files: {
        ".github/workflows/main.yml": started("docker exec shop ./check.sh").replace(" # <- finding", ""),
      },
      because: "A command in the container fails if it does not run.",
      edit: { file: ".github/workflows/main.yml", replace: "docker exec shop ./check.sh", by: "docker logs shop" },
    },
    {
      files: { ".github/workflows/main.yml": refused("github.ref == 'refs/heads/main' && github.actor == 'a-bot'") },
      because: "The guard stops runs of one actor.",
      edit: {
        file: ".github/workflows/main.yml",
        replace: "'refs/heads/main' && github.actor == 'a-bot'",
        by: "'main'",
      },
    },
    {
      files: { ".github/workflows/main.yml": measured(")") },
      because: "A query that fails ends the step.",
      edit: { file: ".github/workflows/main.yml", replace: "errors)", by: 'errors || echo "0")' },
    },
    {
      files: {
        ".github/workflows/ci.yml": generated("git diff --exit-code"),
        ".github/workflows/ship.yml": follower,
      },
      because: "The comparison fails when it finds a difference.",
      edit: { file: ".github/workflows/ci.yml", replace: " --exit-code", by: "" },
    },
    {
      files: { ".github/workflows/main.yml": example("npm test") },
      because: "A failing test fails the job.",
      edit: { file: ".github/workflows/main.yml", replace: "npm test", by: 'npm test || echo "flaky"' },
    },
    {
      files: {
        ".github/workflows/main.yml": checked("").replace(
          "          done\n",
          "            [ $attempt = 3 ] && exit 1\n          done\n",
        ),
      },
      because: "The last attempt fails the step.",
      edit: { file: ".github/workflows/main.yml", replace: "            [ $attempt = 3 ] && exit 1\n", by: "" },
    },
  ],
  check,
};
