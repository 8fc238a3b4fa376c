// Kinds of checks that pass whatever they find, of starts by hand that ship nothing, and of ways back that nobody hears
// of: each once with its defect and once cured, and what is near to them and right.
import { expect, test } from "vitest";
import {
  deploy,
  type Files,
  findingsIn,
  head,
  job,
  type Kind,
  main,
  one,
  script,
  testKinds,
} from "../support/analysis/kinds.ts";

/** Tests before a deployment. */
const tested = (...steps: readonly string[]): Files => main(job("ship", "", ...steps, deploy));
const told = (name: string, command: string, strict: string): Kind => ({
  name: `${name} that is told to pass`,
  rule: "gate-cannot-fail",
  files: tested(`run: ${command}`),
  cure: [command, strict],
});

const kinds: readonly Kind[] = [
  told("a linter", "flake8 src --exit-zero", "flake8 src"),
  told("a limit of zero", "python -m pylint --fail-under=0 src", "python -m pylint --fail-under=8 src"),
  told("a scanner", "checkov -d . --soft-fail", "checkov -d ."),
  told("a scanner of images", "trivy image --exit-code 0 shop:1", "trivy image --exit-code 1 shop:1"),
  told("a scanner with a report", "tfsec . --soft-fail", "tfsec . --soft-fail --format sarif"),
  told("a build with tests", "./mvnw verify -Dmaven.test.failure.ignore=true", "./mvnw verify"),
  {
    name: "an action that is told to pass",
    rule: "gate-cannot-fail",
    files: tested("uses: bridgecrewio/checkov-action@v12\n        with: { directory: ., soft_fail: true }"),
    cure: ["soft_fail: true", "soft_fail: false"],
  },
  {
    name: "a tolerant run of a tool that also runs strictly",
    rule: "gate-cannot-fail",
    files: tested("run: flake8 src --exit-zero", "run: echo flake8 src --select=E9"),
    cure: ["echo flake8", "flake8"],
  },
  {
    name: "a question in a session on a host behind the deployment",
    rule: "gate-cannot-fail",
    files: main(
      job(
        "ship",
        "",
        script(
          "Ship",
          "ssh root@shop.example << 'END'",
          "docker compose up -d",
          "curl -f http://localhost/health || echo 'not healthy'",
          "END",
        ),
      ),
    ),
    cure: ["|| echo 'not healthy'", "|| exit 1"],
  },
  {
    name: "a deployment that is skipped with the tests that somebody skips",
    rule: "release-silently-skipped",
    files: main(
      job("test", "    if: ${{ !inputs.skip }}\n", "run: npm test"),
      job("deploy", "    needs: test\n", deploy),
    ),
    cure: [
      "    needs: test\n",
      "    needs: test\n    if: ${{ !cancelled() && (needs.test.result == 'success' || inputs.skip) }}\n",
    ],
  },
  {
    name: "a start by hand that is skipped with the approval of the other starts",
    rule: "release-silently-skipped",
    files: main(
      job("build", "", "run: make"),
      job("approval", "    needs: build\n    if: github.event_name == 'push'\n", "run: echo approved"),
      job("deploy", "    needs: approval\n", deploy),
    ),
    cure: ["    if: github.event_name == 'push'\n", ""],
  },
  {
    name: "a deployment that somebody chooses and that needs the one that was not chosen",
    rule: "release-silently-skipped",
    files: one(
      head("main", { input: "to: { type: choice, options: [test, live] }" }) +
        job("trial", "    if: inputs.to == 'test'\n", "run: fly deploy -a trial") +
        job("live", "    needs: trial\n    if: inputs.to == 'live'\n", deploy),
    ),
    cure: ["    needs: trial\n", ""],
  },
  {
    name: "a choice that only names a lock",
    rule: "release-dead-choice",
    files: one(
      head("main", { input: "to: { type: choice, options: [test, live] }", lock: "shop-${{ inputs.to }}" }) +
        job("deploy", "", deploy),
    ),
    cure: ["run: fly deploy", 'run: fly deploy -a "${{ inputs.to }}"'],
  },
  {
    name: "an order to check that prints a list",
    rule: "gate-cannot-fail",
    files: main(
      job(
        "deploy",
        "",
        script(
          "Verify that the checks passed",
          'CHECKS=("unit tests" "lint")',
          'for each in "${CHECKS[@]}"; do',
          '  echo "✅ $each"',
          "done",
        ),
        deploy,
      ),
    ),
    cure: ["done", "done\n          npm test"],
  },
  {
    name: "a validation of inputs that prints them",
    rule: "gate-cannot-fail",
    files: main(job("deploy", "", script("Validate inputs", 'echo "skip: ${{ inputs.skip }}"'), deploy)),
    cure: ['echo "skip: ${{ inputs.skip }}"', 'test "${{ inputs.skip }}" = false'],
  },
  {
    name: "a question on the host that is deployed to, in the script that deploys",
    rule: "gate-cannot-fail",
    files: main(
      job(
        "deploy",
        "",
        [
          "uses: appleboy/ssh-action@v1\n        with:\n          host: shop.example\n          script: |",
          "docker compose up -d",
          "curl -fsS http://localhost/health || echo unhealthy",
        ].join("\n            "),
      ),
    ),
    cure: [" || echo unhealthy", ""],
  },
  {
    name: "a rollout that the deploying script itself does not hear of",
    rule: "gate-cannot-fail",
    files: main(
      job("deploy", "", script("Ship", "kubectl apply -f shop.yaml", "kubectl rollout status deployment/shop || true")),
    ),
    cure: [" || true", ""],
  },
  {
    name: "a test in PowerShell before another program",
    rule: "gate-cannot-fail",
    files: main(job("deploy", "", script("Test", "npm test", "npm run build\n        shell: pwsh"), deploy)),
    cure: ["npm test\n", "npm test\n          if ($LASTEXITCODE) { exit 1 }\n"],
  },
  {
    name: "a test in a shell that does not stop",
    rule: "gate-cannot-fail",
    files: main(job("deploy", "", script("Test", "npm test", "echo done\n        shell: bash {0}"), deploy)),
    cure: ["bash {0}", "bash -e {0}"],
  },
  {
    name: "a way back whose command may fail",
    rule: "rollback-unsound",
    files: one(head("rollback") + job("rollback", "", "run: helm rollback shop || echo failed")),
    cure: [" || echo failed", ""],
  },
  {
    name: "an app's old deployment that is deleted with the switch",
    rule: "rollback-target-removed",
    files: main(
      job(
        "switch",
        "",
        script("Switch", "az spring app set-deployment -d green -n shop", "az spring app deployment delete -n blue"),
      ),
    ),
    cure: ["deployment delete -n blue", "deployment show -n blue"],
  },
];

const quiet: readonly (readonly [name: string, rule: string, files: Files])[] = [
  [
    "a checkout whose files nothing reads",
    "workflow-run-wrong-commit",
    {
      ".github/workflows/ship.yml": `name: ship
on:
  workflow_run: { workflows: [main], types: [completed] }
concurrency: shop
jobs:
${job(
  "ship",
  "    if: github.event.workflow_run.conclusion == 'success'\n",
  "uses: actions/checkout@v6",
  'run: curl --fail -X POST "${{ secrets.RENDER_DEPLOY_HOOK_URL }}"',
)}`,
      ...main(job("test", "", "run: npm test")),
    },
  ],
  [
    "a way back that may fail and that a later step asks",
    "rollback-unsound",
    one(
      head("rollback") +
        job(
          "rollback",
          "",
          "id: back\n        run: helm rollback shop\n        continue-on-error: true",
          "if: steps.back.outcome == 'failure'\n        run: exit 1",
        ),
    ),
  ],
  [
    "a first attempt that a second one follows",
    "success-unverified",
    main(job("deploy", "", "run: pulumi up --yes || true", "run: pulumi up --yes")),
  ],
  [
    "an approval that the environment asks for",
    "gate-cannot-fail",
    main(
      job(
        "approve",
        "    environment: production\n",
        'name: Check the approval\n        run: echo "ok=true" >> "$GITHUB_OUTPUT"',
      ),
      job("deploy", "    needs: approve\n", deploy),
    ),
  ],
];

test.each(quiet)("%s is no finding", async (_name, rule, files) => {
  expect((await findingsIn(files)).map((each) => each.rule)).not.toContain(rule);
});

testKinds(kinds);
