// Kinds of defects that public repositories had and the rules' own examples do not show: each kind once with its
// defect, and once with the least change that makes it right.
import {
  deploy,
  type Files,
  head,
  job,
  type Kind,
  main,
  one,
  script,
  testKinds,
  unlocked,
} from "../support/analysis/kinds.ts";

/** A workflow that goes back after the one that deploys, under a lock, on a condition. */
const back = (name: string, lock: string, condition: string): Files => ({
  ".github/workflows/back.yml": `name: ${name}
on:
  workflow_run: { workflows: [main], types: [completed] }
concurrency: ${lock}
jobs:
${job("rollback", `    if: ${condition}\n`, "run: helm rollback shop")}`,
  ...main(job("deploy", "", "run: helm upgrade shop ./chart")),
});

const outputs = "    outputs:\n      done: ${{ steps.ship.outputs.done }}\n";
const ship = 'id: ship\n        run: |\n          fly deploy -a green\n          echo "done=true" >> "$GITHUB_OUTPUT"';
const wait = "name: Wait for health\n        run: curl -fsS https://green.example/health";
const green = job("green", outputs, ship, wait);
const later = 'id: tell\n        run: echo "at=$(date)" >> "$GITHUB_OUTPUT"';
const greenThenTold = job("green", `${outputs}      done-at: \${{ steps.tell.outputs.at }}\n`, ship, wait, later);
const smoke = job("smoke", "    needs: green\n    if: ${{ !inputs.skip }}\n", "run: npm test");
const tolerant = "needs.smoke.result == 'success' || inputs.skip";
const switched = job(
  "switch",
  `    needs: [green, smoke]\n    if: always() && needs.green.outputs.done == 'true' && (${tolerant})\n`,
  "run: fly deploy -a blue",
);

const kinds: readonly Kind[] = [
  {
    name: "a gate that writes a fixed answer",
    rule: "gate-cannot-fail",
    files: main(
      job(
        "checks",
        "    outputs:\n      go: ${{ steps.gate.outputs.go }}\n",
        'id: gate\n        name: Check the conditions\n        run: echo "go=true" >> "$GITHUB_OUTPUT"',
      ),
      job("deploy", "    needs: checks\n    if: needs.checks.outputs.go == 'true'\n", deploy),
    ),
    cure: ['run: echo "go=true"', 'run: npm test && echo "go=true"'],
  },
  {
    name: "a health check that only says that all is well",
    rule: "gate-cannot-fail",
    files: main(job("deploy", "", deploy, script("Health check", "sleep 30", 'echo "Health check passed"'))),
    cure: ["sleep 30", "curl -fsS https://shop.example/health"],
  },
  {
    name: "a check between two deployments that only prints",
    rule: "gate-cannot-fail",
    files: main(
      job("green", "", "run: fly deploy -a green"),
      job(
        "smoke",
        "    needs: green\n",
        script(
          "Smoke test",
          'CODE=$(curl -s -o /dev/null -w "%{http_code}" https://green.example || echo 000)',
          'if [ "$CODE" = 200 ]; then echo good; else echo bad; fi',
        ),
      ),
      job("blue", "    needs: smoke\n", "run: fly deploy -a blue"),
    ),
    cure: ["else echo bad", "else exit 1"],
  },
  {
    name: "a deployment whose answer goes into a variable",
    rule: "release-deploy-without-lock",
    files: unlocked(
      job("deploy", "", script("Ship", "ID=$(aws deploy create-deployment --application-name shop)", 'echo "$ID"')),
    ),
    cure: ["jobs:\n", "concurrency: shop\njobs:\n"],
  },
  {
    name: "a tool that is not known, told to deploy",
    rule: "release-deploy-without-lock",
    files: unlocked(job("ship", "", "run: acmecli deploy --env live")),
    cure: ["acmecli deploy --env live", "mkdir deploy"],
  },
  {
    name: "a hook that is called through a variable",
    rule: "release-deploy-without-lock",
    files: unlocked(
      job("ship", "", script("Call", 'HOOK="${{ secrets.RENDER_DEPLOY_HOOK_URL }}"', 'curl --fail -X POST "$HOOK"')),
    ),
    cure: ["RENDER_DEPLOY_HOOK_URL", "STATUS_URL"],
  },
  {
    name: "a deployment with continue-on-error",
    rule: "success-unverified",
    files: main(job("deploy", "", "run: pulumi up --yes\n        continue-on-error: true")),
    cure: ["continue-on-error: true", "continue-on-error: false"],
  },
  {
    name: "a deployment with || true",
    rule: "success-unverified",
    files: main(job("deploy", "", "run: pulumi up --yes || true")),
    cure: [" || true", ""],
  },
  {
    name: "a way back that waits for a job whose deployment cannot fail",
    rule: "rollback-unsound",
    files: main(
      job("deploy", "", "run: pulumi up --yes\n        continue-on-error: true"),
      job(
        "after",
        "    needs: deploy\n    if: always()\n",
        "name: Roll back\n        if: needs.deploy.result == 'failure'\n        run: pulumi stack import",
      ),
    ),
    cure: ["continue-on-error: true", "continue-on-error: false"],
  },
  {
    name: "a way back that is green when it fails",
    rule: "rollback-unsound",
    files: one(head("rollback") + job("rollback", "", "run: helm rollback shop\n        continue-on-error: true")),
    cure: ["continue-on-error: true", "continue-on-error: false"],
  },
  {
    name: "a way back after every run that it follows",
    rule: "rollback-unsound",
    files: back("back", "shop", "github.actor != 'a-bot'"),
    cure: ["github.actor != 'a-bot'", "github.event.workflow_run.conclusion == 'failure'"],
  },
  {
    name: "a way back under another lock than the workflow that it follows",
    rule: "release-lock-misses-target",
    files: back("rollback", "back", "github.event.workflow_run.conclusion == 'failure'"),
    cure: ["concurrency: back", "concurrency: shop"],
  },
  {
    name: "an output that is there although the check behind it failed",
    rule: "release-skipped-masks-failure",
    files: main(green, smoke, switched),
    cure: ["needs.green.outputs.done == 'true'", "needs.green.result == 'success'"],
  },
  {
    name: "an output from before the check, beside one from after it whose name begins alike",
    rule: "release-skipped-masks-failure",
    files: main(greenThenTold, smoke, switched),
    cure: ["needs.green.outputs.done ==", "needs.green.outputs.done-at =="],
  },
  {
    name: "a job behind one that accepts a skipped test",
    rule: "release-silently-skipped",
    files: main(
      green,
      smoke,
      switched,
      job("verify", "    needs: switch\n", "run: curl -fsS https://shop.example/health"),
    ),
    cure: [
      "    needs: switch\n",
      "    needs: switch\n    if: ${{ !cancelled() && needs.switch.result == 'success' }}\n",
    ],
  },
  {
    name: "production that only the workflow's name says",
    rule: "no-rollback",
    files: one(
      head("Deploy to production") +
        job(
          "deploy",
          "",
          "run: aws ecs update-service --cluster shop --service web\n      - run: aws ecs wait services-stable",
        ) +
        job("health", "    needs: deploy\n", "name: Health check\n        run: curl -fsS https://shop.example/health"),
    ),
    cure: ["Deploy to production", "Deploy to staging"],
  },
  {
    name: "a job whose skipped builds hide that the job before them failed",
    rule: "release-skipped-masks-failure",
    files: main(
      job("changes", "    outputs:\n      api: ${{ steps.a.outputs.api }}\n", "id: a\n        run: ./changes.sh"),
      job(
        "api",
        "    needs: changes\n    if: ${{ !cancelled() && needs.changes.outputs.api == 'true' }}\n",
        "run: make",
      ),
      job(
        "deploy",
        "    needs: [changes, api]\n    if: ${{ !cancelled() && needs.api.result != 'failure' }}\n",
        "run: fly deploy",
      ),
    ),
    cure: ["needs.api.result != 'failure'", "needs.api.result != 'failure' && needs.changes.result == 'success'"],
  },
  {
    name: "a linter of charts that is ignored",
    rule: "gate-cannot-fail",
    files: main(job("lint", "", "run: helm lint ./chart || true"), job("deploy", "    needs: lint\n", deploy)),
    cure: [" || true", ""],
  },
  {
    name: "an output that a step of a way back never writes",
    rule: "output-undeclared",
    files: one(
      head("rollback") +
        job(
          "rollback",
          "",
          "id: look\n        run: echo looking",
          "run: helm rollback shop",
          'name: Tell\n        run: echo "${{ steps.look.outputs.id }}"',
        ),
    ),
    cure: ["run: echo looking", 'run: echo "id=1" >> "$GITHUB_OUTPUT"'],
  },
  {
    name: "a need that is skipped on a branch, and a job that runs there",
    rule: "release-silently-skipped",
    files: main(
      job("test", "    if: github.ref_type == 'tag'\n", "run: npm test"),
      job("deploy", "    needs: test\n    if: ${{ !cancelled() }}\n", deploy),
      job("publish", "    needs: deploy\n    if: github.ref_type != 'tag'\n", "run: npm publish"),
    ),
    cure: ["github.ref_type != 'tag'", "github.ref_type == 'tag'"],
  },
];

testKinds(kinds);
