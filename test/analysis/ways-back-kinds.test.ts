// Kinds of ways back that do not work: never reached, without the history that they ask for, or deaf to the version
// that somebody chose. Each kind stands once with its defect, and once with the least change that makes it right.
import { expect, test } from "vitest";
import { deploy, findingsIn, head, job, type Kind, main, one, script, testKinds } from "../support/analysis/kinds.ts";

const rule = "rollback-unsound";
const ship = "id: ship\n        run: helm upgrade shop ./chart";
const check = (more = ""): string => `id: smoke${more}\n        run: curl -fsS https://shop.example/health`;
const back = (condition: string): string =>
  `name: Roll back\n        if: ${condition}\n        run: helm rollback shop`;
const tolerated = "\n        continue-on-error: true";
const inJob = (...steps: readonly string[]) => main(job("deploy", "", ...steps));
const checkout = (options = ""): string => `uses: actions/checkout@v6${options}`;
const deep = "\n        with: { fetch-depth: 0 }";
const byHand = (...steps: readonly string[]) =>
  one(head("rollback", { input: "version: { type: string }" }) + job("rollback", "", ...steps));
const toVersion = script("Roll back", 'git checkout "${{ inputs.version }}"', "fly deploy");

const kinds: readonly Kind[] = [
  {
    name: "a step that waits for the failure of one that ends the job",
    rule,
    files: inJob(ship, check(), back("steps.smoke.outcome == 'failure'")),
    cure: ["if: steps", "if: failure() && steps"],
  },
  {
    name: "a step that waits for anything but success, without a status function",
    rule,
    files: inJob(ship, check(), back("steps.smoke.outcome != 'success'")),
    cure: ["if: steps", "if: always() && steps"],
  },
  {
    name: "a conclusion that continue-on-error makes a success",
    rule,
    files: inJob(ship, check(tolerated), back("steps.smoke.conclusion == 'failure'")),
    cure: ["smoke.conclusion", "smoke.outcome"],
  },
  {
    name: "failure() behind a check that has continue-on-error, and a deployment that has it, too",
    rule,
    files: inJob(ship + tolerated, check(tolerated), back("failure()")),
    cure: [`smoke${tolerated}`, "smoke"],
  },
  {
    name: "the outcome of a step that does not exist",
    rule,
    files: inJob(ship, check(tolerated), back("always() && steps.health.outcome == 'failure'")),
    cure: ["steps.health", "steps.smoke"],
  },
  {
    name: "a step that stands before the deployment",
    rule,
    files: inJob("run: npm ci", back("failure()"), "run: fly deploy"),
    cure: ["run: npm ci", "run: fly deploy"],
  },
  {
    name: "the commit before the only one that was checked out",
    rule,
    files: byHand(checkout(), script("Roll back", "git checkout HEAD~1", "fly deploy -e ${{ inputs.version }}")),
    cure: [checkout(), checkout("\n        with: { fetch-depth: 2 }")],
  },
  {
    name: "an earlier tag in a checkout without tags",
    rule,
    files: byHand(
      checkout(),
      script("Roll back", "LAST=$(git tag --sort=-creatordate | sed -n 2p)", 'fly deploy -i "shop:$LAST"'),
      "run: echo ${{ inputs.version }} | ./note.sh",
    ),
    cure: [checkout(), checkout("\n        with: { fetch-tags: true }")],
  },
  {
    name: "a commit that somebody chose in a checkout of the newest",
    rule,
    files: byHand(checkout(), toVersion),
    cure: [checkout(), checkout(deep)],
  },
  {
    name: "a revert without the commit before",
    rule,
    files: byHand(checkout(), script("Roll back", "git revert --no-edit HEAD", "git push # ${{ inputs.version }}")),
    cure: ["git revert", "git fetch --unshallow\n          git revert"],
  },
  {
    name: "a revert that stays on the runner",
    rule,
    files: byHand(checkout(deep), script("Roll back", "git revert --no-edit HEAD", "echo ${{ inputs.version }}")),
    cure: ["echo ${{", "git push origin main # ${{"],
  },
  {
    name: "a version that is only printed",
    rule,
    files: byHand('run: echo "going back to ${{ inputs.version }}"', "run: kubectl rollout undo deployment/shop"),
    cure: ["deployment/shop", "deployment/shop --to-revision ${{ inputs.version }}"],
  },
  {
    name: "an earlier version that stays on the runner",
    rule,
    files: byHand(
      checkout(deep),
      script("Deploy the previous version", "cp -r old/* live/", "echo ${{ inputs.version }}"),
    ),
    cure: ["cp -r old/* live/", "rsync -r old/ root@shop.example:/srv"],
  },
  {
    name: "one way back of two that goes where it will",
    rule,
    files: one(
      head("rollback", { input: "version: { type: string }" }) +
        job("rollback-a", "", "run: kubectl rollout undo deployment/shop") +
        job("rollback-b", "", "run: kubectl rollout undo deployment/api --to-revision ${{ inputs.version }}"),
    ),
    cure: ["deployment/shop", "deployment/shop --to-revision ${{ inputs.version }}"],
  },
  {
    name: "a variable that another job wrote for its own steps",
    rule,
    files: one(
      head("rollback", { input: "version: { type: string }" }) +
        job("find", "", script("Find", 'echo "TARGET=${{ inputs.version }}" >> "$GITHUB_ENV"')) +
        job("rollback", "    needs: find\n", "run: helm rollback shop ${{ env.TARGET }}"),
    ),
    cure: ["env.TARGET", "inputs.version"],
  },
  {
    name: "a way back for tests beside one for production, without a lock",
    rule: "release-deploy-without-lock",
    files: one(
      head("rollback").replace("concurrency: shop\n", "") +
        job("rollback-test", "    environment: test\n    concurrency: test\n", "run: helm rollback shop -n test") +
        job("rollback-live", "    environment: live\n", "run: helm rollback shop -n live"),
    ),
    cure: ["environment: live", "environment: live\n    concurrency: live"],
  },
  {
    name: "a way back on a machine of one's own that the next one cancels",
    rule: "release-cancelled-midway",
    files: one(
      head("rollback").replace("concurrency: shop", "concurrency: { group: shop, cancel-in-progress: true }") +
        job("rollback", "", "run: cd old && docker compose up -d").replace("ubuntu-24.04", "self-hosted"),
    ),
    cure: ["cancel-in-progress: true", "cancel-in-progress: false"],
  },
  {
    name: "a condition that asks a way back for an output that it does not declare",
    rule: "output-undeclared",
    files: one(
      head("rollback") +
        job("rollback", "", 'id: back\n        run: helm rollback shop && echo "done=yes" >> "$GITHUB_OUTPUT"') +
        job(
          "watch-rollback",
          "    needs: rollback\n    if: always() && needs.rollback.outputs.done == 'yes'\n",
          "run: curl -fsS https://shop.example/health",
        ),
    ),
    cure: ["rollback:\n    runs-on", "rollback:\n    outputs: { done: '${{ steps.back.outputs.done }}' }\n    runs-on"],
  },
  {
    name: "an output that is written with another line between its words",
    rule: "output-undeclared",
    files: main(
      job(
        "plan",
        "    outputs: { id: '${{ steps.plan.outputs.release-id }}' }\n",
        script("Plan", "xargs -n1 < list", 'echo "release_id=1" >> "$GITHUB_OUTPUT"').replace(
          "run:",
          "id: plan\n        run:",
        ),
      ),
      job("ship", "    needs: plan\n", "run: fly deploy --label ${{ needs.plan.outputs.id }}"),
    ),
    cure: ["release_id=1", "release-id=1"],
  },
  {
    name: "a step that only prints that it goes back",
    rule,
    files: inJob(ship, check(), script("Roll back", "echo going back").replace("run:", "if: failure()\n        run:")),
    cure: ["echo going back", "helm rollback shop"],
  },
  {
    name: "a restart of the version that is there",
    rule,
    files: one(head("rollback") + job("rollback", "", "run: kubectl rollout restart deployment/shop")),
    cure: ["rollout restart", "rollout undo"],
  },
  {
    name: "a new deployment of the same task definition",
    rule,
    files: one(
      head("rollback") + job("rollback", "", "run: aws ecs update-service --service shop --force-new-deployment"),
    ),
    cure: ["--force-new-deployment", '--task-definition "$OLD" --force-new-deployment'],
  },
  {
    name: "the deployment once more, from the same commit",
    rule,
    files: main(
      job("deploy", "", checkout(), deploy, "run: curl -fsS https://shop.example/health"),
      job("rollback", "    needs: deploy\n    if: failure()\n", checkout(), deploy),
    ),
    cure: [`if: failure()`, "if: failure()\n    env: { COMMIT: '${{ github.event.before }}' }"],
  },
  {
    name: "a revert that is pushed with the token of the run",
    rule,
    files: {
      ...one(
        head("rollback") + job("rollback", "", checkout(deep), script("Roll back", "git revert HEAD", "git push")),
      ),
      ".github/workflows/deploy.yml": [
        "name: deploy\non: { push: { branches: [main] } }\nconcurrency: shop\njobs:\n",
        job("deploy", "", deploy),
      ].join(""),
    },
    cure: [deep, "\n        with: { fetch-depth: 0, ssh-key: '${{ secrets.DEPLOY_KEY }}' }"],
  },
  {
    name: "the image that ran on a host, deleted by its name before the new one is there",
    rule: "rollback-target-removed",
    files: inJob(script("Ship", "ssh root@shop.example <<'END'", "docker rmi shop:1", "docker compose up -d", "END")),
    cure: ["docker rmi shop:1", "docker rm shop"],
  },
  {
    name: "images that a session on a host deletes before the check",
    rule: "rollback-target-removed",
    files: inJob(
      script("Ship", "ssh root@shop.example <<'END'", "docker compose up -d", "docker image prune -af", "END"),
      "run: curl -fsS https://shop.example/health",
    ),
    cure: ["docker image prune", "curl -fsS http://localhost/health && docker image prune"],
  },
];
testKinds(kinds);

test("a test of what was restored is no way back", async () => {
  const suite = "name: Suite against the restored version\n        continue-on-error: true\n        run: make suite";
  const files = one(head("rollback") + job("rollback", "", "run: helm rollback shop", suite));
  expect((await findingsIn(files)).map((each) => each.rule)).not.toContain(rule);
});
