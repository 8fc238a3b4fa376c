// Kinds of defects in what a step calls: scripts of the repository that cannot fail or that deploy, addresses that
// deploy and are not asked, and tools that return before their work is done.
import { expect, test } from "vitest";
import {
  deploy,
  type Files,
  findingsIn,
  job,
  type Kind,
  main,
  script,
  testKinds,
  unlocked,
} from "../support/analysis/kinds.ts";

const withFiles = (files: Files, more: Files): Files => ({ ...files, ...more });
const scripts = (all: Readonly<Record<string, string>>): Files => ({
  "package.json": JSON.stringify({ scripts: all }),
});
const tested = (run: string, more: Files): Files => withFiles(main(job("deploy", "", `run: ${run}`, deploy)), more);
const hook = 'curl -X POST "${{ secrets.RENDER_DEPLOY_HOOK }}"';
const told = 'run: curl -d "Deployed successfully" "$SLACK_URL"';

const unverified = "success-unverified";
const kinds: readonly Kind[] = [
  {
    name: "an address that deploys and is called without a look at its status",
    rule: unverified,
    files: main(job("deploy", "", `run: ${hook}`)),
    cure: ["curl -X", "curl -f -X"],
  },
  {
    name: "an address that deploys whose answer is only shown",
    rule: unverified,
    files: main(job("deploy", "", script("Ship", `ANSWER=$(${hook})`, 'echo "$ANSWER"'))),
    cure: ['echo "$ANSWER"', '[ "$ANSWER" = ok ]'],
  },
  {
    name: "two addresses that deploy, of which the second is no look at the first",
    rule: unverified,
    files: main(job("deploy", "", `run: ${hook}`, `run: ${hook.replace("RENDER", "API")}`)),
    cure: [hook.replace("RENDER", "API"), "curl -f https://shop.example/status"],
  },
  {
    name: "an alias whose failure is ignored in a step that a later one reads",
    rule: unverified,
    files: main(
      job(
        "deploy",
        "",
        script(
          "Ship",
          "URL=$(vercel deploy --prod)",
          'vercel alias set "$URL" shop.example || true',
          'echo "url=$URL" >> "$GITHUB_OUTPUT"',
        ).replace("name: Ship", "name: Ship\n        id: ship"),
        "run: ./note.sh ${{ steps.ship.outputs.url }}",
      ),
    ),
    cure: [" || true", ""],
  },
  ...(
    [
      ["a command on hosts", "aws ssm send-command --targets Key=tag:app", "aws ssm wait command-executed"],
      ["a job of a platform", "aws amplify start-job --app-id a", "aws amplify get-job --app-id a"],
      ["a stack that is updated", "aws cloudformation update-stack --stack-name a", "aws cloudformation wait x"],
      ["an update that is not waited for", "az containerapp update -n a --no-wait", "az containerapp show -n a"],
      ["a service that is started again", "railway redeploy -y", "railway status"],
    ] as const
  ).map(
    ([name, command, wait]): Kind => ({
      name,
      rule: unverified,
      files: main(job("deploy", "", script("Ship", command, "echo asked"))),
      cure: ["echo asked", wait],
    }),
  ),
];
testKinds(kinds);

const named = async (files: Files): Promise<readonly string[]> =>
  (await findingsIn(files)).map(({ rule, place }) => `${rule} ${place.line}`);
const make = (recipe: string): Files => ({ Makefile: `test: unit\n\nunit:\n\t${recipe}\n` });

test.each<readonly [name: string, run: string, files: Files, isDeaf: boolean]>([
  ["a script that only prints", "npm test", scripts({ test: "echo none && exit 0" }), true],
  ["a script that swallows its tests", "npm run test:ci", scripts({ "test:ci": "jest || true" }), true],
  [
    "a script that calls one that swallows its tests",
    "yarn test",
    scripts({ test: "yarn test:unit", "test:unit": "jest || :" }),
    true,
  ],
  ["a script that fails", "npm test", scripts({ test: "jest" }), false],
  ["a script of which one test is heard", "npm test", scripts({ test: "jest || true; eslint ." }), false],
  ["a script of another package", "npm test -w api", scripts({ test: "jest || true" }), false],
  ["a target whose line may fail", "make test", make("-pytest"), true],
  ["a target that fails", "make test", make("@pytest"), false],
  ["a file of a shell", "./ci/test.sh", { "ci/test.sh": "#!/bin/sh\npytest\necho done\n" }, true],
  ["a file of a shell that stops", "./ci/test.sh", { "ci/test.sh": "#!/bin/sh -e\npytest\necho done\n" }, false],
  ["a recipe of just", "just test", { justfile: "test arg='':\n    -pytest {{arg}}\n" }, true],
  ["a script that is not here", "npm test", {}, false],
])("%s behind a check: %s", async (_name, run, files, isDeaf) =>
  expect((await named(tested(run, files))).includes("gate-cannot-fail 12")).toBe(isDeaf),
);

test.each<readonly [name: string, run: string, files: Files, isReported: boolean]>([
  ["a script that deploys", "npm run ship", scripts({ ship: "npm run build && fly deploy" }), true],
  ["a script that builds", "npm run ship", scripts({ ship: "vite build" }), false],
  ["a target that deploys", "make publish-site", { Makefile: "publish-site:\n\tkubectl apply -f shop.yaml\n" }, true],
  ["a file that deploys", "./scripts/live.sh", { "scripts/live.sh": "helm upgrade shop ./chart\n" }, true],
  [
    "a file of which an argument decides",
    "./scripts/live.sh",
    { "scripts/live.sh": 'case "$1" in up) fly deploy;; esac' },
    false,
  ],
  [
    "a test that starts what it needs",
    "make test-live",
    { Makefile: "test-live:\n\tkubectl apply -f db.yaml\n" },
    false,
  ],
])("%s", async (_name, run, files, isReported) =>
  expect(
    (await named({ ...unlocked(job("live", "", `run: ${run}`)), ...files })).some((each) =>
      each.startsWith("release-deploy-without-lock"),
    ),
  ).toBe(isReported),
);

test("what is told to people is no look at the deployment", async () =>
  expect(await named(main(job("deploy", "", `run: ${hook}`, told)))).toContain("success-unverified 12"));
