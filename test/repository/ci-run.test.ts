// `.ci/run` tells true counts: held with a fake npm that leaves the reports of a good run, a bad one and a crash.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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

/** Runs it with an npm that does what the text says; `$report` is where the counts are expected. Gives its code and last line. */
async function run(npm: string): Promise<readonly [number, string | undefined]> {
  script(
    join(clone, "bin", "npm"),
    `echo "$@" >> ${clone}/calls\n[ "$1" = ci ] && exit\nfor last; do :; done\nreport=\${last#*=}\n${npm}`,
  );
  const environment = {
    PATH: `${join(clone, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin`,
    TMPDIR: clone,
    CI: "true",
  };
  const { code, output } = await runChild(join(clone, ".ci", "run"), [], { environment });
  return [code, output.split("\n").at(-1)];
}
const report = (passed: number, failed: number, files: string): string =>
  `echo '{"numPassedTests":${passed},"numFailedTests":${failed},"testResults":[${files}]}' > "$report"`;
const good = '{"status":"passed","assertionResults":[{"status":"passed"}]}';
const bad = '{"status":"failed","assertionResults":[{"status":"failed"}]}';

test("it runs npm ci and npm test, and a good run is told by its count and code 0", async () => {
  expect(await run(report(12, 0, good))).toEqual([0, "12 passed, 0 failed"]);
  expect(
    readFileSync(join(clone, "calls"), "utf8")
      .split("\n")
      .map((call) => call.split(" -- ")[0]),
  ).toEqual(["ci", "test", ""]);
});
test("failed tests are counted, and the code is not 0", async () => {
  expect(await run(`${report(10, 2, `${good},${bad}`)}; exit 1`)).toEqual([1, "10 passed, 2 failed"]);
});
test("a file that cannot be loaded is one failure more", async () => {
  expect(await run(`${report(10, 2, `${bad},{"status":"failed","assertionResults":[]}`)}; exit 1`)).toEqual([
    1,
    "10 passed, 3 failed",
  ]);
});
test("a crash after good tests is a failure", async () => {
  expect(await run(`${report(10, 0, good)}; exit 1`)).toEqual([1, "10 passed, 1 failed"]);
});
test("no report and no test at all are failures, whatever the exit code", async () => {
  expect(await run("exit 0")).toEqual([1, "0 passed, 1 failed"]);
});
