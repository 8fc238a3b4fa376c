// The reports: the same bytes wherever the folder lies and whatever the locale, JSON that its schema describes, SARIF
// with what GitHub asks for, and baselines that show only what is new.
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Analysis, analyze } from "../../analysis/analyze.ts";
import { baselineOf, compareWithBaseline } from "../../analysis/baseline.ts";
import { folderOf, openFolder } from "../../analysis/folder.ts";
import { htmlPage } from "../../analysis/reports/html.ts";
import { jsonReport } from "../../analysis/reports/json.ts";
import { markdownPage } from "../../analysis/reports/markdown.ts";
import { mermaidPath } from "../../analysis/reports/mermaid.ts";
import { sarifLog } from "../../analysis/reports/sarif.ts";
import { fingerprintOf, summarize } from "../../analysis/summary.ts";
import type { Folder } from "../../analysis/systems/system.ts";
import { runChild } from "../../toolchain/child.ts";

const root = join(import.meta.dirname, "..", "..");
const fixture = join(import.meta.dirname, "fixtures", "seven-defects");
const analyzed = (folder: Folder): Promise<Analysis> => analyze(folder, { asksGitHub: false });
let elsewhere: string;

beforeEach(() => {
  elsewhere = mkdtempSync(join(tmpdir(), "ballast-analysis-"));
});
afterEach(() => rmSync(elsewhere, { recursive: true, force: true }));

test("every format is the same bytes in another folder, another locale and another time zone", async () => {
  const copy = join(elsewhere, "a folder");
  cpSync(fixture, copy, { recursive: true });
  const run = (folder: string, format: string, environment: object) =>
    runChild(process.execPath, [join(root, "cli", "main.ts"), "analyze", folder, "--format", format], {
      environment: { ...process.env, ...environment },
    });
  for (const format of ["md", "json", "sarif", "html"]) {
    const [one, other] = await Promise.all([
      run(fixture, format, { LC_ALL: "C", TZ: "UTC" }),
      run(copy, format, { LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8", TZ: "Asia/Tokyo" }),
    ]);
    expect(one.output).toBe(other.output);
    expect(one.output).not.toContain(root);
    expect(one.output.length).toBeGreaterThan(500);
  }
});

test("the order in which files are listed does not matter", async () => {
  const folder = openFolder(fixture);
  const turned: Folder = { files: folder.files.toReversed(), read: folder.read };
  expect(await analyzed(turned)).toEqual(await analyzed(folder));
});

test("the JSON is as its schema says", async () => {
  const schema = JSON.parse(readFileSync(join(root, "analysis", "reports", "analysis.schema.json"), "utf8"));
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
  const analysis = await analyzed(openFolder(fixture));
  const report = JSON.parse(JSON.stringify(jsonReport(analysis, summarize(analysis))));
  validate(report);
  expect(validate.errors).toBeNull();
  expect(report.findings.length).toBeGreaterThan(6);
  expect(validate({ ...report, more: 1 })).toBe(false);
});

test("SARIF has rules, places with ends behind their starts, fingerprints and flows", async () => {
  const analysis = await analyzed(openFolder(fixture));
  const { runs } = sarifLog(analysis, "1.2.3") as any;
  const [{ results, tool }] = runs;
  expect(results).toHaveLength(analysis.findings.length);
  for (const { ruleId, ruleIndex, locations, partialFingerprints, message } of results) {
    expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
    expect(message.text.length).toBeGreaterThan(20);
    expect(Object.values(partialFingerprints)).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    const { region, artifactLocation } = locations[0].physicalLocation;
    expect(artifactLocation.uri).toMatch(/^\.github\/workflows\/\w+\.yml$/);
    const isBehind =
      region.endLine === undefined ||
      region.endLine > region.startLine ||
      (region.endLine === region.startLine && region.endColumn > region.startColumn);
    expect(isBehind).toBe(true);
  }
  expect(results.some(({ codeFlows }: any) => codeFlows?.[0].threadFlows[0].locations.length > 1)).toBe(true);
});

test("SARIF is as the schema of OASIS says, for the small fixture and for every rule", async () => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, "fixtures", "sarif-2.1.0.json"), "utf8"));
  const validate = new Ajv2020({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
  for (const folder of [fixture, join(root, "examples", "bad-orchestration")]) {
    const log = JSON.parse(JSON.stringify(sarifLog(await analyzed(openFolder(folder)), "1.2.3")));
    validate(log);
    expect(validate.errors).toBeNull();
    expect(log.runs[0].results.length).toBeGreaterThan(6);
    expect(validate({ ...log, runs: [{ ...log.runs[0], results: [{ ruleId: "a" }] }] })).toBe(false);
  }
});

test("a baseline hides what was there, survives moved lines, and names what is gone", async () => {
  const file = ".github/workflows/nightly.yml";
  const text = readFileSync(join(fixture, file), "utf8");
  const before = await analyzed(folderOf({ [file]: text }));
  const baseline = baselineOf(before.findings);
  const moved = await analyzed(folderOf({ [file]: `# moved\n${text.replace("--skip-preview ", "")}` }));
  const compared = compareWithBaseline(moved, baseline)!;
  expect(compared.added).toEqual([]);
  expect(compared.gone.map(({ rule }) => rule)).toEqual(["preview-skipped"]);
  expect(compareWithBaseline(before, baselineOf([]))!.added).toEqual(before.findings);
  expect(compareWithBaseline(before, "[]")).toBeUndefined();
  expect(new Set(before.findings.map(fingerprintOf)).size).toBe(before.findings.length);
});

test("pages show what files say as text, never as markup", async () => {
  const name = "<img src=x onerror=alert(1)> | `x` [y](z)";
  const { findings, ...rest } = await analyzed(openFolder(fixture));
  const hostile = { ...rest, findings: findings.map((each) => ({ ...each, message: name, fix: name, cost: name })) };
  const summary = {
    ...summarize(hostile),
    worstPath: [name, '"]; click n1 "x"'],
    gaps: [{ what: name, because: name }],
  };
  expect(htmlPage(hostile, summary)).not.toContain("<img");
  expect(markdownPage(hostile, summary)).not.toMatch(/^(?!- `).*[^\\]<img/m);
  expect(mermaidPath(summary.worstPath)).not.toMatch(/<|\];|`/);
});
