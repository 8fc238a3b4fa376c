// What a shell does with the answer of a command: each way to drop it, beside the nearest script that does not.
import { expect, test } from "vitest";
import { canFail } from "../../analysis/systems/workflows/shell-run.ts";
import { type CommandTree, commandsOf, treeOf } from "../../analysis/systems/workflows/shell-tree.ts";
import { swallowedCommands } from "../../analysis/systems/workflows/swallowed-commands.ts";
import { deploy, findingsIn, job, main, script } from "../support/analysis/kinds.ts";

type Row = readonly [script: string, shell: "bash -e" | "pipefail" | "plain"];

const options = {
  "bash -e": { stopsOnFailure: true, hearsPipes: false },
  pipefail: { stopsOnFailure: true, hearsPipes: true },
  plain: { stopsOnFailure: false, hearsPipes: false },
};
const passed = ({ redirected }: CommandTree): boolean => redirected.some(({ text }) => text.includes("GITHUB_OUTPUT"));
const swallowed = ([text, shell]: Row): readonly string[] =>
  swallowedCommands(text, options[shell], ({ words }) => words.join(" ") === "npm test", passed).map(({ how }) => how);

const loop = (after: string, before = ""): string =>
  `${before}for i in 1 2 3; do\n  if npm test; then OK=true; break; fi\n  sleep 5\ndone\n${after}`;

test.each<Row>([
  ["npm test || true", "pipefail"],
  ["npm test || { echo bad; exit 0; }", "bash -e"],
  ["npm test | tee log", "bash -e"],
  ["npm test 2>&1 | tee log | tail -5", "bash -e"],
  ["set +o pipefail\nnpm test | tee log", "pipefail"],
  ["npm test && echo good\necho done", "bash -e"],
  ["if npm test; then echo good; else echo bad; fi", "bash -e"],
  ["if ! npm test; then echo bad; fi", "bash -e"],
  ["! npm test\necho done", "bash -e"],
  ["set +e\nnpm test\necho done", "bash -e"],
  ["set +e\nnpm test\nR=$?\nif [ $R -ne 0 ]; then echo bad; fi", "bash -e"],
  ["npm test\necho done", "plain"],
  ["npm test &\nnpm run lint &\nwait", "bash -e"],
  ["export OUT=$(npm test)\necho $OUT", "bash -e"],
  ["f() {\n  local out=$(npm test)\n  echo $out\n}\nf", "bash -e"],
  ["echo $(npm test)", "bash -e"],
  ['echo "`npm test`"', "bash -e"],
  ["OUT=$(npm test; echo done)", "bash -e"],
  ["(set +e; npm test; echo done)", "bash -e"],
  ["f() { npm test; echo done; }\nif f; then echo good; else exit 1; fi", "bash -e"],
  ["f() { npm test; echo done; }\nf || exit 1", "bash -e"],
  ["for i in 1 2 3; do\n  npm test && break\n  sleep 5\ndone", "bash -e"],
  [loop("echo gave up"), "bash -e"],
  [loop('[ "$OK" = true ] && echo good || echo bad', "OK=false\n"), "bash -e"],
  ["n=0\nwhile [ $n -lt 5 ]; do\n  npm test && break\n  n=$((n+1))\n  sleep 5\ndone", "bash -e"],
  ["BAD=0\ncat list | while read -r each; do npm test || BAD=1; done\nif [ $BAD = 1 ]; then exit 1; fi", "bash -e"],
  ['ERRORS=$(npm test || echo 0)\nif [ "$ERRORS" -gt 5 ]; then exit 1; fi', "bash -e"],
  ['npm test || echo bad\nSTATUS=$(curl x)\nif [ "$STATUS" != 200 ]; then exit 1; fi', "bash -e"],
  ['case "$KIND" in\n  a|b) npm test || true ;;\n  *) echo none ;;\nesac', "bash -e"],
  ["cat <<EOF > notes\nnpm test\nEOF\nnpm test || true", "bash -e"],
  ['npm test || true\necho "url=$URL" >> "$GITHUB_OUTPUT"', "bash -e"],
  ["if [[ $a == b && -n $c ]]; then\n  npm test || :\nfi", "bash -e"],
  ["list=(a b\n  c)\nfor each in ${list[@]}; do npm test >/dev/null 2>&1 || true; done", "bash -e"],
])("%j in %s drops the answer", (...row) => {
  expect(swallowed(row)).toHaveLength(1);
});

test.each<Row>([
  ["npm test", "bash -e"],
  ["npm test\necho done", "bash -e"],
  ["npm test || exit 1", "bash -e"],
  ["npm test || { echo bad; exit 1; }", "bash -e"],
  ["npm test || npm run repair", "bash -e"],
  ["npm test | tee log", "pipefail"],
  ["set -o pipefail\nnpm test | tee log", "bash -e"],
  ["set -euo pipefail\nnpm test | tee log", "bash -e"],
  ["npm test | tee log.txt\ngrep -q passed log.txt", "bash -e"],
  ["npm test && echo good", "bash -e"],
  ["if npm test; then echo good; else exit 1; fi", "bash -e"],
  ["if ! npm test; then helm rollback shop; fi", "bash -e"],
  ["! npm test", "bash -e"],
  ["set +e\nnpm test", "bash -e"],
  ["set +e\nnpm test\nexit $?", "bash -e"],
  ["set +e\nnpm test\nR=$?\nset -e\nexit $R", "bash -e"],
  ["set +e\nnpm test\nR=$?\nif [ $R -ne 0 ]; then exit 1; fi", "bash -e"],
  ["set -e\nnpm test\necho done", "plain"],
  ["npm test &\nwait $!", "bash -e"],
  ["OUT=$(npm test)\necho $OUT", "bash -e"],
  ["f() {\n  local out\n  out=$(npm test)\n  echo $out\n}\nf", "bash -e"],
  ["(npm test; echo done)", "bash -e"],
  ["f() { npm test; }\nif f; then echo good; else exit 1; fi", "bash -e"],
  ["until npm test; do sleep 5; done", "bash -e"],
  ["while ! npm test; do sleep 5; done", "bash -e"],
  [loop("exit 1").replace("OK=true; break", "exit 0"), "bash -e"],
  [loop('if [ "$OK" != true ]; then exit 1; fi', "OK=false\n"), "bash -e"],
  [loop('if [ "$i" = 3 ]; then exit 1; fi'), "bash -e"],
  ["for i in 1 2 3; do\n  npm test && break\n  [ $i = 3 ] && exit 1\n  sleep 5\ndone", "bash -e"],
  ["n=0\nuntil npm test; do\n  n=$((n+1))\n  if [ $n -ge 5 ]; then exit 1; fi\ndone", "bash -e"],
  ["BAD=0\nwhile read -r each; do npm test || BAD=1; done < list\nif [ $BAD = 1 ]; then exit 1; fi", "bash -e"],
  ["BAD=0\nnpm test || BAD=1\nexit $BAD", "bash -e"],
  ["timeout 60 npm test", "bash -e"],
  ['npm test && OK=1 || OK=0\necho "ok=$OK" >> "$GITHUB_OUTPUT"', "bash -e"],
  ['if npm test; then echo "ok=1" >> "$GITHUB_OUTPUT"; fi', "bash -e"],
])("%j in %s hears the answer", (...row) => {
  expect(swallowed(row)).toEqual([]);
});

test("a script that is no shell, or that is nested without an end, has no tree", () => {
  const scripts = ["if true; then", "for each in a b", "done", "a | | b", "{ ".repeat(500)];
  expect(scripts.map(treeOf)).toEqual(scripts.map(() => undefined));
});

test("commands keep their lines, also in substitutions", () => {
  const tree = treeOf('a\nX="$(\n  b\n)"\nc # d\n')!;
  expect(commandsOf(tree).map(({ words, line }) => [words[0]?.text, line])).toEqual([
    ["a", 0],
    [undefined, 1],
    ["b", 2],
    ["c", 4],
  ]);
});

const anything = { isAsked: () => true, answer: () => "either" as const, options: options["bash -e"] };

test("a script with many paths is followed, and one that calls itself without an end is not", () => {
  const many = Array.from({ length: 60 }, (_each, at) => `if a${at}; then V${at}=1; else V${at}=2; fi`).join("\n");
  expect(canFail(treeOf(`for i in 1 2; do\n${many}\ndone\nnpm test`)!, anything)).toBe(true);
  expect(canFail(treeOf("f() { f; }\nf")!, anything)).toBeUndefined();
});

const checked = (...lines: readonly string[]): Promise<readonly string[]> =>
  findingsIn(main(job("deploy", "", deploy, script("Health check", ...lines)))).then((all) =>
    all.filter(({ rule }) => rule === "gate-cannot-fail").map(({ message }) => message),
  );
const ask = 'STATUS=$(curl -s -o /dev/null -w "%{http_code}" https://shop.example/health || echo 000)';

test.each([
  [[ask, 'if [ "$STATUS" != 200 ]; then echo "::warning::$STATUS"; fi']],
  [["curl -s https://shop.example/health"]],
  [["curl -s https://shop.example/health | jq ."]],
  [["curl -fsS https://shop.example/health || echo unhealthy"]],
  [["curl -fsS https://shop.example/health | tee health.json"]],
  [["kubectl rollout status deployment/shop --timeout=60s || kubectl get pods"]],
  [["for i in 1 2 3; do", "  curl -fsS https://shop.example/health && exit 0", "  sleep 5", "done", "echo gave up"]],
  [["kubectl get pods", "kubectl describe deployment/shop"]],
  [['echo "status=$(curl -s https://shop.example/health)" >> "$GITHUB_OUTPUT"']],
])("a health check with %j cannot fail", async (lines) => {
  expect(await checked(...lines)).toHaveLength(1);
});

test.each([
  [[ask, 'if [ "$STATUS" != 200 ]; then echo "::error::$STATUS"; exit 1; fi']],
  [[ask, '[ "$STATUS" = 200 ]']],
  [["curl -fsS https://shop.example/health"]],
  [["curl -s https://shop.example/health | grep -q ok"]],
  [["curl -s https://shop.example/health | jq -e .ok"]],
  [["kubectl rollout status deployment/shop --timeout=60s || kubectl rollout undo deployment/shop"]],
  [["for i in 1 2 3; do", "  curl -fsS https://shop.example/health && exit 0", "  sleep 5", "done", "exit 1"]],
  [["kubectl get pods", "kubectl wait --for=condition=ready pod --all --timeout=60s"]],
  [["vercel inspect https://shop.example --wait"]],
  [["node check-health.js"]],
])("a health check with %j can fail", async (lines) => {
  expect(await checked(...lines)).toEqual([]);
});
