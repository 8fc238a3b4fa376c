// `npm run test:workflows`: judges this repository's workflows with actionlint and zizmor, its SARIF reports with
// Microsoft's multitool, and runs the reusable workflows with act. It needs Go and Python, and downloads four tools
// once; `npm test` needs none of them and checks the rest.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "../../../toolchain/child.ts";
import type { Case } from "./case.ts";
import { cases, isCommon } from "./cases.ts";
import { newcomerStory } from "./newcomer-story.ts";
import { type Bench, makeBench } from "./run-act.ts";
import { bringTools, type Tools } from "./tools.ts";

const root = join(import.meta.dirname, "..", "..", "..");
let failures = 0;

function say(title: string, complaint: string | undefined): void {
  if (complaint !== undefined) failures += 1;
  console.log(
    complaint === undefined ? `passed  ${title}` : `FAILED  ${title}\n${complaint.replaceAll(/^/gm, "        ")}`,
  );
}

/** What actionlint does not know yet; the workflow `workflow-lint` has the same. GitHub's own parser judges it. */
const ignored = [String.raw`"\$/\.github/`, 'unexpected key "queue"'];

async function lint({ actionlint, zizmor }: Tools): Promise<void> {
  const options = ignored.flatMap((pattern) => ["-ignore", pattern]);
  const syntax = await runChild(actionlint, ["-no-color", ...options], { cwd: root });
  say("actionlint finds nothing but the syntax of 2026", syntax.code === 0 ? undefined : syntax.output);
  const broken = await runChild(actionlint, ["-no-color", "-"], { cwd: root, input: "on: push\njobs:\n  a: {}\n" });
  say("actionlint finds a job without a runner", broken.code === 1 ? undefined : broken.output);
  const args = ["--offline", "--no-progress", "--persona", "auditor", ".github"];
  const security = await runChild(zizmor, args, { cwd: root });
  say("zizmor, as an auditor, finds nothing", security.code === 0 ? undefined : security.output);
}

/** The reports that GitHub's code scanning takes: of the bad example, and of a folder without a finding. */
async function judgeSarif({ multitool }: Tools): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ballast-sarif-"));
  try {
    for (const analysed of [join("examples", "bad-orchestration", "repository"), "."]) {
      const args = ["cli/main.ts", "analyze", analysed, "--format", "sarif"];
      const report = await runChild(process.execPath, args, { cwd: root });
      const file = join(folder, "report.sarif");
      writeFileSync(file, report.output);
      // It needs no ICU then, which small machines lack.
      const environment = { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1" };
      const { code, output } = await runChild(multitool, ["validate", file, "--rule-kind", "Sarif;Ghas"], {
        environment,
      });
      const isValid = code === 0 && !/: error /.test(output) && output.includes("Analysis completed successfully");
      say(`the SARIF report of ${analysed} is valid for GitHub`, isValid ? undefined : output);
    }
    const broken = join(folder, "broken.sarif");
    writeFileSync(broken, '{"version":"2.1.0","runs":[{"results":[{}]}]}');
    const { code, output } = await runChild(multitool, ["validate", broken], {
      environment: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1" },
    });
    say("a report without a tool is refused", code !== 0 || /: error /.test(output) ? undefined : output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runCase(
  bench: Bench,
  { title, run, isSuccess, journal, outputs = [], summary = "" }: Case,
): Promise<void> {
  const ran = await bench.run(run);
  const plain = ran.journal
    .filter((line) => !isCommon(line))
    .map((line) => line.replaceAll(/[^\s=]*\/evidence\//g, "evidence/"));
  const missing = [
    ...outputs.filter((text) => !ran.outputs.includes(text)).map((text) => `  output ${text}`),
    ...(ran.summary.includes(summary) ? [] : [`  summary ${summary}`, `  instead of ${ran.summary}`]),
  ];
  const isAsExpected =
    ran.isSuccess === isSuccess && JSON.stringify(plain) === JSON.stringify(journal) && missing.length === 0;
  const told = [
    `ended as ${ran.isSuccess ? "success" : "failure"}, expected ${isSuccess ? "success" : "failure"}`,
    ...plain.map((line) => `  ${line}`),
    "expected",
    ...journal.map((line) => `  ${line}`),
    ...missing,
    ...ran.log.split("\n").slice(-40),
  ];
  say(`${run.workflow}: ${title}`, isAsExpected ? undefined : told.join("\n"));
}

async function main(): Promise<void> {
  const only = process.argv[2];
  const tools = await bringTools((line) => console.log(line));
  if (only === undefined) {
    await lint(tools);
    await judgeSarif(tools);
  }
  const bench = makeBench(tools.act);
  try {
    if (only === undefined || "newcomer".includes(only)) await newcomerStory(tools.act, say);
    const chosen = cases.filter(({ title, run }) => `${run.workflow}: ${title}`.includes(only ?? ""));
    for (const each of chosen) await runCase(bench, each);
    if (chosen.length === 0 && !"newcomer".includes(only!))
      say(`there is no case "${only}"`, "Its title was not found.");
  } finally {
    bench.remove();
  }
  console.log(failures === 0 ? "All as expected." : `${failures} not as expected.`);
  process.exitCode = failures === 0 ? 0 : 1;
}

await main();
