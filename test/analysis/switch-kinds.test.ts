// Kinds of conditions that are decided by a type, an event or a filter and not by what they seem to ask. Each kind
// stands once with its defect, and once with the least change that makes it right.
import { expect, test } from "vitest";
import { deploy, findingsIn, head, job, type Kind, main, one, testKinds } from "../support/analysis/kinds.ts";

const on = (events: string, ...jobs: readonly string[]) =>
  one(`name: main\non:\n${events}\nconcurrency: shop\njobs:\n${jobs.join("")}`);
const push = "  push: { branches: [main] }";
const filter = `id: filter
        uses: dorny/paths-filter@v3
        with:
          filters: |
            web:
              - 'web/**'`;
const changes = (output = "web"): string =>
  job("changes", `    outputs:\n      web: \${{ steps.filter.outputs.${output} }}\n`, filter);
const shipIf = (condition: string, needs = ""): string => job("deploy", `${needs}    if: ${condition}\n`, deploy);
const afterChanges = "    needs: changes\n";
const writes = (answer: string): string => `test -d web && echo "web=${answer}" >> "$GITHUB_OUTPUT"`;
const answered = (...answers: readonly string[]): string =>
  job(
    "changes",
    "    outputs:\n      web: ${{ steps.look.outputs.web }}\n",
    `id: look\n        run: ${answers.map(writes).join("; ")}`,
  );

const kinds: readonly Kind[] = [
  {
    name: "a choice that only the name of a job tells",
    rule: "release-dead-choice",
    files: one(
      head("main", { input: "place: { type: choice, options: [live, staging] }" }) +
        job("ship", "    name: Ship to ${{ inputs.place }}\n", deploy),
    ),
    cure: ["run: fly deploy", "run: fly deploy --app shop-${{ inputs.place }}"],
  },
  {
    name: "a filter's answer that counts as true whatever it says",
    rule: "gate-cannot-fail",
    files: on(push, changes(), shipIf("needs.changes.outputs.web", afterChanges)),
    cure: ["outputs.web\n    runs-on", "outputs.web == 'true'\n    runs-on"],
  },
  {
    name: "a script's answer that counts as true whatever it says",
    rule: "gate-cannot-fail",
    files: on(push, answered("true", "false"), shipIf("needs.changes.outputs.web", afterChanges)),
    cure: ["web=false", "web="],
  },
  {
    name: "a filter that does not exist",
    rule: "output-undeclared",
    files: on(push, changes("webb"), shipIf("needs.changes.outputs.web == 'true'", afterChanges)),
    cure: ["outputs.webb", "outputs.web"],
  },
  {
    name: "an output that is compared with a boolean",
    rule: "workflow-dead",
    files: on(push, changes(), shipIf("needs.changes.outputs.web == true", afterChanges)),
    cure: ["== true", "== 'true'"],
  },
  {
    name: "a variable that is compared with a boolean",
    rule: "workflow-dead",
    files: on(push, shipIf("vars.LIVE == true")),
    cure: ["== true", "== 'true'"],
  },
  {
    name: "a deploying step whose condition no event makes true",
    rule: "workflow-dead",
    files: on(push, job("deploy", "", "if: github.event_name == 'release'\n        run: fly deploy")),
    cure: ["'release'", "'push'"],
  },
  {
    name: "a merged pull request on an event that never says so",
    rule: "workflow-dead",
    files: on("  pull_request:", shipIf("github.event.pull_request.merged == true")),
    cure: ["pull_request:", "pull_request: { types: [closed] }"],
  },
  {
    name: "an activity that the workflow does not start on",
    rule: "workflow-dead",
    files: on("  pull_request: { types: [opened] }", shipIf("github.event.action == 'closed'")),
    cure: ["[opened]", "[opened, closed]"],
  },
  {
    name: "a field of another event in a condition",
    rule: "workflow-dead",
    files: on(push, shipIf("github.event.deployment_status.state == 'success'")),
    cure: [push, "  deployment_status:"],
  },
  {
    name: "a field of another event in a command",
    rule: "output-undeclared",
    files: on(push, job("deploy", "", "run: fly deploy -i shop:${{ github.event.release.tag_name }}")),
    cure: ["github.event.release.tag_name }}", "github.event.release.tag_name || github.sha }}"],
  },
  {
    name: "a switch that is compared with a text",
    rule: "release-dead-choice",
    files: main(job("deploy", "", deploy, "if: inputs.skip == 'true'\n        run: make warm")),
    cure: ["inputs.skip == 'true'", "inputs.skip"],
  },
  {
    name: "a switch of which every value counts as true",
    rule: "release-dead-choice",
    files: main(job("deploy", "", deploy, "if: github.event.inputs.skip\n        run: make warm")),
    cure: ["github.event.inputs.skip", "github.event.inputs.skip == 'true'"],
  },
];
testKinds(kinds);

const host = job("deploy", "", "run: ssh root@shop.example 'cd /srv && docker compose up -d'");
test.each<readonly [name: string, events: string, job: string, isReported: boolean]>([
  ["one host for all pull requests", "  pull_request:", host, true],
  ["a folder for each pull request", "  pull_request:", host.replace("/srv", "/srv/${{ github.head_ref }}"), false],
  ["a platform that makes previews", "  pull_request:", job("deploy", "", deploy), false],
  [
    "a merged pull request",
    "  pull_request: { types: [closed] }",
    shipIf("github.event.pull_request.merged == true"),
    true,
  ],
])("%s without a lock", async (_name, events, text, isReported) => {
  const files = one(`name: main\non:\n${events}\njobs:\n${text}`);
  const rules = (await findingsIn(files)).map(({ rule }) => rule);
  expect(rules.includes("release-deploy-without-lock")).toBe(isReported);
});

test("a field of the caller's event in a called workflow is no finding", async () => {
  const files = on("  workflow_call:", job("deploy", "", "run: fly deploy -i ${{ github.event.release.tag_name }}"));
  expect((await findingsIn(files)).map(({ rule }) => rule)).not.toContain("output-undeclared");
});

test("a text of an input is compared as a text", async () => {
  const text = head("main", { input: "skip: { type: string }" }) + shipIf("inputs.skip == 'true'");
  expect((await findingsIn(one(text))).map(({ rule }) => rule)).not.toContain("workflow-dead");
});
