// Kinds of deployments, locks, checks and ways back in public repositories, and what is one and what is none.
import { expect, test } from "vitest";
import {
  deploy,
  findingsIn,
  head,
  job,
  type Kind,
  main,
  one,
  script,
  testKinds,
  unlocked,
} from "../support/analysis/kinds.ts";

const kinds: readonly Kind[] = [
  {
    name: "a release after one of two publications, under a condition that also asks an output",
    rule: "release-skipped-masks-failure",
    files: main(
      job("plan", "    outputs:\n      go: ${{ steps.a.outputs.go }}\n", "id: a\n        run: ./plan.sh"),
      job("npm", "    needs: plan\n    if: needs.plan.outputs.npm != '[]'\n", "run: npm publish"),
      job("pypi", "    needs: plan\n    if: needs.plan.outputs.pypi != '[]'\n", "run: twine upload dist/*"),
      job(
        "release",
        "    needs: [plan, npm, pypi]\n    if: always() && needs.plan.outputs.go == 'true' && " +
          "(needs.npm.result == 'success' || needs.pypi.result == 'success')\n",
        "run: gh release create v1\n        env:\n          GH_TOKEN: ${{ github.token }}",
      ),
    ),
    cure: [
      "(needs.npm.result == 'success' || needs.pypi.result == 'success')",
      "needs.npm.result == 'success' && needs.pypi.result == 'success'",
    ],
  },
  {
    name: "a health check that counts pods and only prints",
    rule: "gate-cannot-fail",
    files: main(
      job(
        "deploy",
        "",
        "run: kubectl apply -f shop.yaml",
        script(
          "Health check",
          "BAD=$(kubectl get pods --field-selector=status.phase!=Running -o name | wc -l)",
          'if [ "$BAD" -gt 0 ]; then echo bad; else echo good; fi',
          "kubectl get pods",
        ),
      ),
    ),
    cure: ["echo bad", "exit 1"],
  },
  {
    name: "a smoke test that lists the pods",
    rule: "gate-cannot-fail",
    files: main(job("deploy", "", "run: kubectl apply -f shop.yaml", script("Smoke test", "kubectl get pods,svc"))),
    cure: ["kubectl get pods,svc", "kubectl rollout status deployment/shop --timeout=60s"],
  },
  {
    name: "a lock for each part, where everything can be chosen",
    rule: "release-lock-misses-target",
    files: one(
      head("main", { input: "part: { type: choice, options: [api, web, all] }", lock: "shop-${{ inputs.part }}" }) +
        job("deploy", "", deploy),
    ),
    cure: [", all]", "]"],
  },
  {
    name: "a choice that only a message reads",
    rule: "release-dead-choice",
    files: one(
      head("main", { input: "target: { type: choice, options: [live, test] }" }) +
        job("deploy", "", 'run: echo "Deploying to ${{ inputs.target }}"', "run: fly deploy"),
    ),
    cure: ["run: fly deploy", 'run: fly deploy --config "${{ inputs.target }}.toml"'],
  },
  {
    name: "a lock for each of two branches that deploy to one place",
    rule: "release-lock-misses-target",
    files: one(
      `name: ship\non:\n  push: { branches: [main, develop] }\nconcurrency: ship-\${{ github.ref }}\njobs:\n` +
        job("deploy", "", "run: helm upgrade shop ./chart -n shop"),
    ),
    cure: ["branches: [main, develop]", "branches: [main]"],
  },
  {
    name: "a lock for each tag of a release",
    rule: "release-lock-misses-target",
    files: one(
      `name: ship\non:\n  release: { types: [published] }\nconcurrency: ship-\${{ github.ref }}\njobs:\n` +
        job("deploy", "", "run: helm upgrade shop ./chart"),
    ),
    cure: ["ship-${{ github.ref }}", "ship"],
  },
  {
    name: "a migration in a here document with a space before its end mark",
    rule: "success-unverified",
    files: main(
      job(
        "deploy",
        "",
        `${script("Migrate", "cat << END | kubectl apply -f -", "kind: Job", "END")}\n        continue-on-error: true`,
      ),
    ),
    cure: ["continue-on-error: true", "continue-on-error: false"],
  },
  {
    name: "a migration in a container of a host, which may fail",
    rule: "success-unverified",
    files: main(
      job(
        "deploy",
        "",
        [
          "uses: appleboy/ssh-action@v1\n        with:\n          host: shop.example\n          script: |",
          "docker compose up -d",
          "docker compose exec -T php php artisan migrate --force || true",
        ].join("\n            "),
      ),
    ),
    cure: [" || true", ""],
  },
  {
    name: "images of a host that are removed before anything is checked",
    rule: "rollback-target-removed",
    files: main(job("deploy", "", 'run: ssh root@shop.example "docker compose pull"', "run: docker system prune -f")),
    cure: ["docker system prune -f", "docker compose ps"],
  },
  {
    name: "a promotion that is checked, and nothing goes back",
    rule: "no-rollback",
    files: one(
      head("Deploy to production") +
        job("ship", "", "run: vercel promote shop.example", "name: Verify the site\n        run: npm run smoke"),
    ),
    cure: ["Deploy to production", "Deploy to staging"],
  },
  {
    name: "a commit of what a cluster is told to run",
    rule: "release-deploy-without-lock",
    files: unlocked(job("ship", "", script("Commit", "git add k8s/shop.yaml", "git commit -m new", "git push"))),
    cure: ["git add k8s/shop.yaml", "git add CHANGELOG.md"],
  },
  {
    name: "a wait for a cluster without an end, under a lock",
    rule: "release-no-timeout-holding-a-lock",
    files: main(
      job("deploy", "", script("Ship", "kubectl apply -f shop.yaml", "kubectl rollout status deployment/shop")).replace(
        "    timeout-minutes: 15\n",
        "",
      ),
    ),
    cure: ["deployment/shop", "deployment/shop --timeout=300s"],
  },
  {
    name: "a chart of the newest commit with an image of the tested one",
    rule: "workflow-run-wrong-commit",
    files: {
      ".github/workflows/ship.yml": `name: ship
on:
  workflow_run: { workflows: [main], types: [completed] }
concurrency: ship
jobs:
${job(
  "ship",
  "    if: github.event.workflow_run.conclusion == 'success'\n",
  "uses: actions/checkout@v6",
  'run: echo "TAG=${{ github.event.workflow_run.head_sha }}" >> "$GITHUB_ENV"',
  'run: helm upgrade shop ./chart --set "tag=$TAG"',
)}`,
      ...main(job("test", "", "run: npm test")),
    },
    cure: [
      "- uses: actions/checkout@v6\n",
      "- uses: actions/checkout@v6\n        with: { ref: '${{ github.event.workflow_run.head_sha }}' }\n",
    ],
  },
];

testKinds(kinds);

test.each([
  "mkdir deploy",
  "pnpm deploy /out/api",
  "rsync deploy host:/srv",
  "touch deploy",
  "acmecli deploy --env live --dry-run",
  "helm diff upgrade shop ./chart",
  "helm -n shop diff upgrade shop ./chart",
  "npm run deploy:docs",
  "npm run build:deploy",
  "make predeploy",
  "git add manifest.json versions.json && git commit -m new && git push",
  "git add charts/shop/README.md && git commit -m docs && git push",
  "docker compose run web python manage.py migrate",
  "./scripts/test-deploy.sh",
  "bash scripts/verify_deploy.sh",
  "gsutil cp gs://shop/backup.tar .",
  "vercel alias ls",
  "scp root@shop.example:/var/log/app.log .",
  "docker compose up -d",
  "docker --context kind compose ps",
  "doppler run -- npm test",
  "mise exec -- wrangler whoami",
  "earthly +test-deploy",
  "npm run cdk diff",
  "git push https://x:$TOKEN@huggingface.co/datasets/acme/shop main",
  "curl -T report.xml https://reports.example/upload",
])("%s deploys nothing", async (command) => {
  const files = unlocked(job("ship", "", `run: ${command}`));
  const findings = await findingsIn(files);
  expect(findings.map(({ rule }) => rule)).not.toContain("release-deploy-without-lock");
});

test.each([
  "pnpm scorers:deploy",
  "make deploy_to_production",
  "make build deploy",
  "make ENV=prod deploy",
  "npm run deploy -- --prod",
  "cd app && yarn web:deploy",
  "kubectl exec deploy/web -- python manage.py migrate",
  "bash deploy/deploy_prod.sh v1",
  "./scripts/blue-green-deploy.sh",
  "bin/deploy production",
  "bundle exec cap production deploy",
  "php vendor/bin/dep deploy production",
  "npx aws-cdk deploy shop",
  "terragrunt run --all apply",
  "gsutil -m rsync -r dist gs://shop-site",
  "gcloud compute ssh shop --command 'docker compose pull'",
  "rsync -az dist/ ${{ secrets.USER }}@${{ secrets.HOST }}:/srv/shop",
  "git push https://git.heroku.com/shop.git main",
  "npx prisma db push",
  "lftp -e 'mirror -R dist /' shop.example",
  "docker --context shop compose up -d",
  "DOCKER_HOST=ssh://root@shop.example docker compose up -d",
  "sshpass -e scp -r dist/* root@shop.example:/srv",
  "fab -H shop.example deploy",
  "earthly --push +deploy",
  "dagger call deploy --env live",
  "mise run deploy",
  "mise exec -- wrangler deploy",
  "doppler run -- npx wrangler deploy",
  "infisical run --env=live -- fly deploy",
  "npm run cdk -- deploy --all",
  "yarn workspace api deploy",
  "bin/kamal deploy",
  "npx @railway/cli up --service shop",
  "npx trigger.dev@latest deploy",
  "microk8s kubectl apply -f k8s/",
  "nixos-rebuild switch --flake .#web --target-host root@shop.example",
  "git push https://x:$TOKEN@huggingface.co/spaces/acme/shop main",
  "npx hardhat run scripts/deploy.ts --network mainnet",
  "curl -T dist.zip ftp://shop.example/",
  "curl -X POST https://dokploy.example/api/application.deploy",
])("%s deploys", async (command) => {
  const findings = await findingsIn(unlocked(job("ship", "", `run: ${command}`)));
  expect(findings.map(({ rule }) => rule)).toContain("release-deploy-without-lock");
});

test.each([
  ["uses: jakejarvis/s3-sync-action@v0.5.1", true],
  ["uses: acme/deploy-to-shop@v1\n        with: { token: '${{ secrets.TOKEN }}' }", true],
  ["uses: acme/deploy-preview@v1", false],
  ["uses: acme/wait-for-deploy-action@v1", false],
  ["uses: chrnorm/deployment-action@v2", false],
  [script("Ship", "ssh root@shop.example <<'END'", "cd /srv", "docker compose up -d", "END"), true],
  [script("Look", "ssh root@shop.example <<'END'", "cd /srv", "docker compose ps", "END"), false],
  ["uses: fifsky/ssh-action@master\n        with: { host: h, command: 'cd app && git pull && pm2 restart all' }", true],
  ["uses: appleboy/ssh-action@v1\n        with: { host: h, script: 'cd app && ./update.sh' }", true],
  ["uses: appleboy/ssh-action@v1\n        with: { host: h, script: 'cd app && ./status.sh' }", false],
  ["uses: denoland/deployctl@v1\n        with: { project: shop, entrypoint: main.ts }", true],
  ["uses: helmfile/helmfile-action@v2\n        with: { helmfile-args: apply }", true],
  ["uses: helmfile/helmfile-action@v2\n        with: { helmfile-args: diff }", false],
  ["uses: joelwmale/webhook-action@v2\n        with: { url: '${{ secrets.DEPLOY_WEBHOOK_URL }}' }", true],
  ["uses: joelwmale/webhook-action@v2\n        with: { url: '${{ secrets.CHAT_WEBHOOK_URL }}' }", false],
  [script("Trigger redeploy", "curl -X POST ${{ secrets.HOOK }}"), true],
  [script("Trigger redeploy notification", "curl -X POST ${{ secrets.HOOK }}"), false],
  [script("Start the deployment", "curl -X POST https://api.github.com/repos/a/b/dispatches"), false],
  [script("Ship", "docker context use shop", "docker compose up -d"), true],
  [script("Commit", "kustomize edit set image shop=shop:1", "git commit -am new", "git push"), true],
])("%j deploys: %s", async (step, isDeployment) => {
  const rules = (await findingsIn(unlocked(job("ship", "", step)))).map(({ rule }) => rule);
  expect(rules.includes("release-deploy-without-lock")).toBe(isDeployment);
});

test("each job that deploys without a lock has a finding, the most severe first", async () => {
  const files = unlocked(
    job("site", "    environment: staging\n", deploy),
    job("infra", "", "run: terraform apply -auto-approve"),
    job("app", "    needs: infra\n", deploy),
    job("page", "", "uses: actions/deploy-pages@v4"),
  );
  const found = (await findingsIn(files)).filter(({ rule }) => rule === "release-deploy-without-lock");
  expect(found.map(({ message, severity }) => [message.split(" ")[1], severity])).toEqual([
    ["infra", "medium"],
    ["app", "medium"],
    ["site", "low"],
  ]);
  expect(found[0]!.related?.map(({ message }) => message)).toContain("page deploys without a lock, too");
});

const oidc = "uses: aws-actions/configure-aws-credentials@v5\n        with: { role-to-assume: '${{ vars.ROLE }}' }";
const tunnel = "uses: tailscale/github-action@v3\n        with: { oauth-secret: '${{ secrets.TUNNEL }}' }";

test.each([
  ["a program of the repository behind a sign-in", job("deploy", "", oidc, "run: scripts/roll.sh --env live"), true],
  ["a program of the repository without one", job("deploy", "", "run: scripts/roll.sh --env live"), false],
  ["a sign-in alone", job("deploy", "", oidc, "run: aws sts get-caller-identity"), false],
  ["a tunnel to a host that nothing deploys to", job("deploy", "", tunnel, "run: ssh shop 'touch a'"), false],
])("in a job that is called a deployment: %s", async (_what, text, isDeployment) => {
  const rules = (await findingsIn(unlocked(text))).map(({ rule }) => rule);
  expect(rules.includes("release-deploy-without-lock")).toBe(isDeployment);
});

test.each([
  ["asks each result itself", "env: { WEB: '${{ needs.web.result }}', API: '${{ needs.api.result }}' }", false],
  ["asks nothing", "env: { WEB: yes, API: yes }", true],
])("a deployment after one of two builds that %s", async (_what, env, isMasking) => {
  const either = "always() && (needs.web.result == 'success' || needs.api.result == 'success')";
  const files = main(
    job("web", "", "run: docker push shop/web:1"),
    job("api", "", "run: docker push shop/api:1"),
    job("ship", `    needs: [web, api]\n    if: ${either}\n`, `${deploy}\n        ${env}`),
  );
  const rules = (await findingsIn(files)).map(({ rule }) => rule);
  expect(rules.includes("release-skipped-masks-failure")).toBe(isMasking);
});

const onOwn = (key: string, ...steps: readonly string[]): string =>
  job(key, "", ...steps).replace("ubuntu-24.04", "self-hosted");

test.each([
  ["a job that is called a deployment", onOwn("deploy", "run: docker compose up -d --build"), true],
  ["a step that is called one", onOwn("ship", script("Deploy", "pm2 reload all")), true],
  ["files that a server reads", onOwn("deploy", "run: cp -r dist/* /var/www/shop/"), true],
  ["a job with another name", onOwn("ship", "run: docker compose up -d --build"), false],
  ["containers for tests", onOwn("deploy", "run: docker compose up -d", "run: npm test"), false],
  ["a machine that GitHub lends", job("deploy", "", "run: docker compose up -d --build"), false],
])("on a machine of one's own: %s", async (_what, text, isDeployment) => {
  const rules = (await findingsIn(unlocked(text))).map(({ rule }) => rule);
  expect(rules.includes("release-deploy-without-lock")).toBe(isDeployment);
});

test.each([
  [
    "the environment asks for the branch",
    "    environment: ${{ github.ref_name }}\n",
    "helm upgrade shop ./chart -n shop",
  ],
  ["a variable chooses the place", "", 'helm upgrade shop ./chart -n "$SPACE"'],
  [
    "the script asks for the branch",
    "",
    'if [ "$GITHUB_REF_NAME" = main ]; then helm upgrade shop ./chart -n shop; fi',
  ],
  ["a condition leaves one branch", "    if: github.ref == 'refs/heads/main'\n", "helm upgrade shop ./chart -n shop"],
])("a lock for each branch is right if %s", async (_why, more, command) => {
  const files = one(
    `name: ship\non:\n  push: { branches: [main, develop] }\nconcurrency: ship-\${{ github.ref }}\njobs:\n` +
      job("deploy", more, `run: |\n          ${command}`),
  );
  expect((await findingsIn(files)).map(({ rule }) => rule)).not.toContain("release-lock-misses-target");
});
