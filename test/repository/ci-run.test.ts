// `.ci/run` reports true counts. A fake npm leaves the reports of a good run, a bad one and a crash.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runChild } from "../../toolchain/child.ts";
import { script } from "../support/processes.ts";

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "ballast-ci-"));
  mkdirSync(join(clone, ".ci"));
  copyFileSync(join(import.meta.dirname, "..", "..", ".ci", "run"), join(clone, ".ci", "run"));
  chmodSync(join(clone, ".ci", "run"), 0o755);
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

/** Runs `.ci/run` with a fake npm; its script writes the counts to `$report`. */
function whole(npm: string): Promise<{ readonly code: number; readonly output: string }> {
  script(
    join(clone, "bin", "npm"),
    `echo "$@" >> ${clone}/calls\n[ "$1" = ci ] && exit\nfor last; do :; done\nreport=\${last#*=}\n${npm}`,
  );
  const environment = {
    PATH: `${join(clone, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin`,
    TMPDIR: clone,
    CI: "true",
  };
  return runChild(join(clone, ".ci", "run"), [], { environment });
}

/** Runs it, and gives the exit code and the last line. */
async function run(npm: string): Promise<readonly [number, string | undefined]> {
  const { code, output } = await whole(npm);
  return [code, output.split("\n").at(-1)];
}
const report = (passed: number, failed: number, files: string): string =>
  `echo '{"numPassedTests":${passed},"numFailedTests":${failed},"testResults":[${files}]}' > "$report"`;
const good = '{"status":"passed","assertionResults":[{"status":"passed"}]}';
const bad = '{"status":"failed","assertionResults":[{"status":"failed"}]}';

test("it runs npm ci and npm test, and reports a good run by its count and exit code 0", async () => {
  expect(await run(report(12, 0, good))).toEqual([0, "12 passed, 0 failed"]);
  expect(
    readFileSync(join(clone, "calls"), "utf8")
      .split("\n")
      .map((call) => call.split(" -- ")[0]),
  ).toEqual(["ci", "test", ""]);
});
test("failed tests are counted, and the exit code is not 0", async () => {
  expect(await run(`${report(10, 2, `${good},${bad}`)}; exit 1`)).toEqual([1, "10 passed, 2 failed"]);
});
test("a file that cannot be loaded counts as one failure", async () => {
  expect(await run(`${report(10, 2, `${bad},{"status":"failed","assertionResults":[]}`)}; exit 1`)).toEqual([
    1,
    "10 passed, 3 failed",
  ]);
});
test("what failed is named in a line each, before the counts", async () => {
  const failed = {
    status: "failed",
    fullName: "sums > adds",
    failureMessages: ["Error: \u001b[31m1\u001b[39m\n  at x"],
  };
  const files = [
    { name: join(clone, "test", "a.test.ts"), status: "failed", assertionResults: [failed] },
    { name: join(clone, "test", "b.test.ts"), status: "failed", assertionResults: [], message: "no such module" },
  ];
  const found = join(clone, "found.json");
  writeFileSync(found, JSON.stringify({ numPassedTests: 10, numFailedTests: 1, testResults: files }));
  const { code, output } = await whole(`cp ${found} "$report"; exit 1`);
  expect([code, output.trim().split("\n")]).toEqual([
    1,
    [
      "failed: test/a.test.ts > sums > adds: Error: 1",
      "failed: test/b.test.ts > the whole file: no such module",
      "10 passed, 2 failed",
    ],
  ]);
});
test("a crash after good tests counts as a failure", async () => {
  expect(await run(`${report(10, 0, good)}; exit 1`)).toEqual([1, "10 passed, 1 failed"]);
});
test("a missing report counts as a failure, whatever the exit code", async () => {
  expect(await run("exit 0")).toEqual([1, "0 passed, 1 failed"]);
});
