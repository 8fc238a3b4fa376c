// A rule that stops with an error costs its own findings and no others, wherever rules are applied: in the analyser and
// its reports, in patches, in the policy pack and in `policy check`. It is named as not judged, and what an error says
// is never shown, because it may quote a secret.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterEach, beforeEach, expect, test } from "vitest";
import { analyze, judge } from "../../analysis/analyze.ts";
import { baselineOf, compareWithBaseline } from "../../analysis/baseline.ts";
import { folderOf } from "../../analysis/folder.ts";
import { nodesOf } from "../../analysis/graph.ts";
import { provePatches } from "../../analysis/patches/prove.ts";
import schema from "../../analysis/reports/analysis.schema.json" with { type: "json" };
import { htmlPage } from "../../analysis/reports/html.ts";
import { jsonReport } from "../../analysis/reports/json.ts";
import { markdownPage } from "../../analysis/reports/markdown.ts";
import { sarifLog } from "../../analysis/reports/sarif.ts";
import type { Rule } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";
import { stackRules } from "../../analysis/stack-rules.ts";
import { summarize } from "../../analysis/summary.ts";
import { readStack } from "../../analysis/systems/pulumi/read-state.ts";
import { type PulumiRule, pulumiRule } from "../../analysis/systems/pulumi/view.ts";
import { checkJson, checkSarif, checkText } from "../../cli/policy/report.ts";
import { judgeState } from "../../policies/judge-state.ts";
import { analyzedOf, declaredOf } from "../../policies/pack/decode.ts";
import { Session } from "../../policies/pack/session.ts";
import { programFolder } from "../../policies/program-folder.ts";

const told = "hunter2-of-the-state";
const broken = (rule: Rule, when: () => boolean = () => true): Rule => ({
  ...rule,
  check: (graph) => {
    if (when()) throw new TypeError(`cannot read ${told}`);
    return rule.check(graph);
  },
});
const brokenStackRule = (rule: PulumiRule): PulumiRule =>
  pulumiRule({
    ...rule,
    judge: () => {
      throw new RangeError(`cannot read ${told}`);
    },
  });

const deploy = `name: deploy
on:
  push:
    branches: [main]
jobs:
  deploy:
    runs-on: ubuntu-24.04
    environment: production
    steps:
      - run: az containerapp update --resource-group shop --name web --image "shop@$DIGEST"
`;
const folder = folderOf({ ".github/workflows/deploy.yml": deploy });
const brokenBook = rulebook.map((rule) => (rule.id === "agent-dangling" ? broken(rule) : rule));

test("the findings of the other rules stay, and every report names the rule as not judged", async () => {
  const whole = await analyze(folder, { asksGitHub: false });
  const analysis = await analyze(folder, { asksGitHub: false, rules: brokenBook });
  expect(whole.findings.length).toBeGreaterThan(0);
  expect(analysis.findings).toEqual(whole.findings);
  expect([whole.failed, analysis.failed.map(({ rule }) => rule)]).toEqual([[], ["agent-dangling"]]);
  const summary = summarize(analysis);
  const report = jsonReport(analysis, summary);
  expect(new Ajv({ allErrors: true, allowUnionTypes: true }).validate(schema, JSON.parse(JSON.stringify(report)))).toBe(
    true,
  );
  const log = sarifLog(analysis, "1.0.0") as { runs: readonly { invocations: readonly object[] }[] };
  expect(log.runs[0]!.invocations[0]).toMatchObject({
    executionSuccessful: false,
    toolExecutionNotifications: [{ level: "error", associatedRule: { id: "agent-dangling" } }],
  });
  for (const page of [markdownPage(analysis, summary), htmlPage(analysis, summary), JSON.stringify([report, log])]) {
    expect(page).toMatch(/agent-dangling.*stopped with a TypeError at failed-rule\.test\.ts:\d+/);
    expect(page).not.toContain(told);
  }
});

test("a page without findings does not say that everything was judged", async () => {
  const quiet = folderOf({ ".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    runs-on: x\n    steps: []\n" });
  const rules = [rulebook[0]!, broken(rulebook[1]!)];
  const summary = summarize(await analyze(quiet, { asksGitHub: false, rules }));
  expect(summary).toMatchObject({
    isClean: false,
    verdict: "No finding above info in 1 file, by 1 rules; not everything was judged.",
  });
});

test("what the rule had found is not called gone from a baseline", async () => {
  const whole = await analyze(folder, { asksGitHub: false });
  const baseline = baselineOf(whole.findings);
  const rules = rulebook.map((rule) => (rule.id === whole.findings[0]!.rule ? broken(rule) : rule));
  const later = judge(whole.graph, rules);
  expect(later.findings.length).toBeLessThan(whole.findings.length);
  expect(compareWithBaseline(later, baseline)!.gone).toEqual([]);
});

test("a patch is dropped if a rule cannot judge its result", async () => {
  const rule = rulebook.find(({ id }) => id === "release-deploy-without-lock")!;
  const { findings } = await analyze(folder, { asksGitHub: false, rules: [rule] });
  const isPatched = (graph: Parameters<Rule["check"]>[0]): boolean =>
    nodesOf(graph, "job").some(({ concurrency }) => concurrency !== undefined);
  const fragile: Rule = {
    ...rulebook[0]!,
    check: (graph) => {
      if (isPatched(graph)) throw new Error("patched");
      return [];
    },
  };
  const prove = (given: readonly Rule[]) => provePatches(folder, () => deploy, findings, given);
  expect((await prove([rule])).proven).toHaveLength(1);
  const { proven, dropped } = await prove([rule, fragile]);
  expect(proven).toEqual([]);
  expect(dropped.map(({ because }) => because)).toEqual([`${fragile.id} cannot judge the result`]);
});

const app = "azure-native:app:ContainerApp";
const urn = `urn:pulumi:prod::shop::${app}::shop`;
const inputs = { template: { containers: [{ name: "shop", image: "shop.azurecr.io/shop:1" }] } };
const hurtRules = stackRules.map((rule) => (rule.id === "secret-expiry" ? brokenStackRule(rule) : rule));
let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "ballast-failed-rule-"));
  writeFileSync(join(cwd, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

test("policy check reports what the others found, and names the rule in all three formats", () => {
  const program = programFolder(cwd);
  const state = { version: 3, deployment: { manifest: {}, resources: [{ urn, type: app, custom: true, inputs }] } };
  const stack = readStack("state.json", JSON.stringify(state), state, { files: new Set() })!;
  const options = { today: 20_000, otherwise: program.otherwise };
  const judgement = judgeState(program, stack, { ...options, rules: hurtRules });
  expect(judgement.findings).toEqual(judgeState(program, stack, options).findings);
  expect(judgement.findings.map(({ finding }) => finding.rule)).toEqual(["image-by-digest"]);
  expect(JSON.parse(checkJson(judgement)).notJudged).toMatchObject([
    { rule: "secret-expiry", because: expect.stringContaining("RangeError") },
  ]);
  for (const report of [checkText(judgement), checkJson(judgement), checkSarif(judgement, program, "1.0.0")]) {
    expect(report).toMatch(/secret-expiry.*stopped with a RangeError|secret-expiry"[^]*stopped with a RangeError/);
    expect(report).not.toContain(told);
  }
});

test("the pack reports what the others found, for the resource and for the stack, and names the rule once", () => {
  const said = (given: readonly PulumiRule[]) => {
    const session = new Session({ cwd, now: Date.UTC(2026, 10, 28), rules: given });
    const resource = { urn, type: app, parent: "", ignoreChanges: [], isCustom: true };
    const wire = { ...resource, dependencies: [], propertyDependencies: {}, properties: () => inputs };
    const alone = session.analyze(analyzedOf({ ...wire, token: app } as never, session.otherwise));
    const whole = session.analyzeStack([declaredOf({ ...wire, token: app } as never, session.otherwise, true)]);
    return [...alone, ...whole];
  };
  const healthy = said(stackRules);
  const hurt = said(hurtRules);
  expect(healthy.map(({ policy }) => policy)).toEqual(["image-by-digest"]);
  expect(hurt.filter(({ policy }) => policy !== "not-judged")).toEqual(healthy);
  const [notJudged, ...more] = hurt.filter(({ policy }) => policy === "not-judged");
  expect([notJudged?.level, more]).toEqual(["advisory", []]);
  expect(notJudged!.message).toContain("secret-expiry: the rule itself stopped with a RangeError");
  expect(notJudged!.message).not.toContain(told);
});
