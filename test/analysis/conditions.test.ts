// Conditions are decided as the runner decides them, and what the files do not decide stays unknown. The cases follow
// GitHub's documentation of expressions, and actions/runner#2205 for skipped jobs.
import { describe, expect, test } from "vitest";
import { readGraph } from "../../analysis/analyze.ts";
import { folderOf } from "../../analysis/folder.ts";
import { evaluate, type Maybe, unknown } from "../../analysis/systems/workflows/conditions.ts";
import { parseExpression, piecesOf } from "../../analysis/systems/workflows/expressions.ts";
import { commandsIn } from "../../analysis/systems/workflows/shell.ts";
import { simulate } from "../../analysis/systems/workflows/simulate.ts";
import { viewOf } from "../../analysis/systems/workflows/view.ts";
import { worldsOf } from "../../analysis/systems/workflows/worlds.ts";

const known: Readonly<Record<string, Maybe>> = {
  "github.event_name": "push",
  "github.ref": { prefix: "refs/tags/" },
  "inputs.yes": true,
  "inputs.none": null,
};
const valueOf = (text: string): Maybe =>
  evaluate(parseExpression(text)!, {
    status: (name) => name === "always",
    lookup: (path) => known[path.join(".")] ?? (path.join(".") in known ? null : unknown),
  });

test.each([
  ["github.event_name == 'PUSH'", true],
  ["github.event_name != 'push'", false],
  ["startsWith(github.ref, 'refs/tags/')", true],
  ["startsWith(github.ref, 'refs/heads/')", false],
  ["startsWith(github.ref, 'refs/tags/v')", unknown],
  ["github.ref == 'refs/heads/main'", false],
  ["github.ref == 'refs/tags/v1'", unknown],
  ['contains(fromJSON(\'["push", "release"]\'), github.event_name)', true],
  ["contains(github.event_name, 'us')", true],
  ["vars.a && false", false],
  ["vars.a || true", true],
  ["vars.a && true", unknown],
  ["!(vars.a && false)", true],
  ["inputs.none == ''", true],
  ["inputs.none == 0", true],
  ["inputs.yes == 1", true],
  ["inputs.yes && 'a' || 'b'", "a"],
  ["inputs.none || 'b'", "b"],
  ["'abc' == 1", false],
  ["2 > 1", true],
  ["always() && success()", false],
])("%s is %s", (text, value) => expect(valueOf(text)).toBe(value));

test("a text is split at its expressions, with braces in quotes, and an open one is text", () => {
  const sources = (text: string) => piecesOf(text).map((piece) => ("source" in piece ? [piece.source] : piece.literal));
  expect(sources("a ${{ b }} c")).toEqual(["a ", ["b"], " c"]);
  expect(sources("${{ format('}}{0}', x) }}")).toEqual([["format('}}{0}', x)"]]);
  expect(sources("a ${{ b")).toEqual(["a ${{ b"]);
});

describe("scripts are split into commands", () => {
  const words = (script: string) => commandsIn(script).map((each) => each.words.join(" "));
  test.each([
    ["a b && c | d; e", ["a b", "c", "d", "e"]],
    ["a \\\n  b", ["a b"]],
    ["# no\na # b", ["a"]],
    ["X=1 sudo a 'b c'", ["a b c"]],
    ["if a; then b; fi", ["a", "b"]],
    ['a "$(b "c d" | e "f;g")" h', ['a $(b "c d" | e "f;g") h']],
    ['x="$(b "c")" d', ["d"]],
    ["(cd a && b); c", ["cd a", "b", "c"]],
    ["case $x in a) b;; *) c;; esac", ["b", "c"]],
    ["[[ a && b ]] && c", ["[[ a && b ]]", "c"]],
    ["if ($x) { npm test }", ["$x", "npm test }"]],
    ["a <<'END'\n$(b\nEND\nc", ["a <<END", "c"]],
    ["cat <<EOF\nfly deploy\nEOF\na", ["cat <<EOF", "a"]],
    ["echo 'terraform apply'", ["echo terraform apply"]],
    ["a 2>&1 | tee x", ["a 2>&1", "tee x"]],
    ["npx wrangler deploy", ["wrangler deploy"]],
  ])("%j", (script, expected) => expect(words(script)).toEqual(expected));

  test("with their lines and what follows them", () =>
    expect(commandsIn("a\n\nb || c").map(({ line, next }) => [line, next])).toEqual([
      [0, ";"],
      [2, "||"],
      [2, ""],
    ]));
});

describe("a simulated run", () => {
  const outcomes = async (jobs: string, failing: readonly string[] = []) => {
    const graph = await readGraph(folderOf({ ".github/workflows/a.yml": `on: push\njobs:\n${jobs}` }), {
      asksGitHub: false,
    });
    const view = viewOf(graph);
    const [workflow] = view.workflows;
    const all = simulate(view, workflow!, worldsOf(view, workflow!)[0]!, { failing: new Set(failing) });
    return Object.fromEntries([...all].map(([key, { result }]) => [key, result]));
  };
  const job = (key: string, needs: string, condition = ""): string =>
    `  ${key}:\n    needs: [${needs}]\n${condition && `    if: ${condition}\n`}    runs-on: x\n`;

  test("skips a job whose need failed, and runs one that asks for the failure", async () =>
    expect(await outcomes(job("a", "") + job("b", "a") + job("c", "a", "failure()"), ["a"])).toEqual({
      a: "failure",
      b: "skipped",
      c: "success",
    }));

  test("skips a job behind a skipped one, also through a job that ran always", async () =>
    expect(await outcomes(job("a", "", "false") + job("b", "a", "always()") + job("c", "b"))).toEqual({
      a: "skipped",
      b: "success",
      c: "skipped",
    }));

  test("does not run a job with a tolerant condition but without a status function", async () =>
    expect(await outcomes(job("a", "", "false") + job("b", "a", "needs.a.result == 'skipped'"))).toMatchObject({
      b: "skipped",
    }));

  test("leaves open what a variable decides", async () =>
    expect(await outcomes(job("a", "", "vars.x == 'y'") + job("b", "a"))).toEqual({ a: unknown, b: unknown }));

  test("ends on jobs that need each other", async () =>
    expect(Object.keys(await outcomes(job("a", "b") + job("b", "a")))).toEqual(expect.arrayContaining(["a", "b"])));
});
