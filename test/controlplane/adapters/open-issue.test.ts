// The runbook that reports an incident as an issue, over the emulated GitHub: one issue for an incident, a comment
// while it is open, nothing twice, and nothing that a text from outside could forge.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { fetchDispatcher } from "../../../connect-to.ts";
import { createIssues } from "../../../controlplane/adapters/github/issues.ts";
import { openIssue } from "../../../controlplane/performers/open-issue.ts";
import type { Fact } from "../../../controlplane/runtime/ports.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";
import type { Incident, RemediationEvent, Rung } from "../../../engines/remediation/vocabulary.ts";
import { incidentOn, policyWith } from "../../support/worlds/incident-scenario.ts";

const uncut = new AbortController().signal;
const ours = async () => true;
let repository = "";
const rungNow = (): Rung => ({ runbook: "open-issue", approval: "none", repository });
const target = "app/shop/web";
let folder: string;
let github: Github;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "ballast-issues-"));
  github = await startGithub(folder);
  github.tokens.set("issues-token", { login: "ballast[bot]" });
});
afterAll(async () => {
  await github?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
let hosted: ReturnType<Github["host"]>;
let repositories = 0;
beforeEach(() => {
  repository = `shop/web-${++repositories}`;
  hosted = github.host(repository);
});

const incidentOf = (id: string, more: Partial<Incident["alert"]> = {}, message = "it fails"): Incident => ({
  ...incidentOn(target, { id, ...more }),
  message,
});

/** Opens the runbook on the journal of an incident that has collected evidence. */
function opened(incident: Incident, evidence: readonly string[] = [], token = "issues-token") {
  const policy = policyWith({ rule: incident.alert.rule, targets: [target] });
  const events: RemediationEvent[] = [
    { at: 0, kind: "Reported", incident },
    { at: 1, kind: "PolicyLoaded", policy, graph: [] },
    { at: 2, kind: "Reserved", rung: 0, runbook: "collect-diagnostics", plan: "collect" },
    { at: 3, kind: "Acted", receipt: { message: "collected", evidence: [...evidence] } },
  ];
  return openIssue({
    journal: { read: async () => events.map((event, index) => ({ event, index }) as Fact) },
    issues: createIssues({ api: github.api, token }, { dispatcher: fetchDispatcher(undefined) }),
  });
}
const actOf = (incident: Incident, key: string) =>
  ({ kind: "Act", target, rung: rungNow(), key, since: 0, drill: false, incident }) as const;
const act = (incident: Incident, key: string, evidence?: readonly string[]) =>
  opened(incident, evidence).act(actOf(incident, key), ours);
const planned = (incident: Incident) => opened(incident).plan(target, rungNow(), incident, uncut);

test("opens one issue for an incident with what is known, and the plan is what it does", async () => {
  const { issues } = hosted;
  const incident = incidentOf("a1");
  const title = "app/shop/web: app-failing (severity 1)";
  expect(await planned(incident)).toMatchObject({
    value: { fits: true, plan: `open an issue in ${repository}: ${title}` },
  });
  expect(issues, "a plan writes nothing").toEqual([]);
  const first = await act(incident, "k1", ["9 requests of web--2 to /cart answered 500"]);
  expect(first).toMatchObject({ ok: true, value: { evidence: [`issue: ${repository}#1`] } });
  expect(await act(incident, "k1"), "a repetition writes nothing").toEqual(first);
  expect(issues).toMatchObject([{ title, labels: ["ballast"], state: "open" }]);
  expect(issues[0]!.body).toContain("    9 requests of web--2 to /cart answered 500\n");
  expect(issues[0]!.body).toContain("    incident: remediation/app/shop/web/a1\n");
  expect(hosted.comments).toEqual([]);
});

test("comments on the open issue of the same rule and target, once for each action", async () => {
  await act(incidentOf("a1"), "k1");
  const again = incidentOf("a2");
  expect(await planned(again)).toMatchObject({ value: { plan: `comment on issue 1 of ${repository}` } });
  for (const key of ["k2", "k2", "k3"]) await act(again, key);
  expect(hosted.issues).toHaveLength(1);
  expect(hosted.comments.map(({ on }) => on)).toEqual([1, 1]);
});

test.each([
  ["another rule", incidentOf("b1", { rule: "app-slow" })],
  ["another target", { ...incidentOf("b1"), target: "app/shop/cart" }],
])("an incident of %s gets an issue of its own", async (_what, incident) => {
  await act(incidentOf("a1"), "k1");
  await act(incident, "k2");
  expect(hosted.issues).toHaveLength(2);
});

test("a comment of another author with our mark is none of ours, so the report is written beside it", async () => {
  const [first, again] = [incidentOf("a1"), incidentOf("a2")];
  await act(first, "k1");
  await act(again, "k2");
  const [written] = hosted.comments;
  hosted.comments.splice(0);
  for (const login of ["mallory", "ballast[bot]-"]) hosted.comments.push({ ...written!, id: 7, login });
  for (const _repeated of ["once", "twice"]) await act(again, "k2");
  expect(hosted.comments.map(({ login }) => login)).toEqual(["mallory", "ballast[bot]-", "ballast[bot]"]);
});

test("nobody but people closes or reopens an issue", async () => {
  await act(incidentOf("a1"), "k1");
  hosted.issues[0]!.state = "closed";
  hosted.issues[0]!.title = "a person named it";
  await act(incidentOf("a1"), "k2");
  expect(hosted.issues, "the incident has one issue, whoever closed it").toMatchObject([
    { state: "closed", title: "a person named it" },
  ]);
  expect(hosted.comments).toHaveLength(1);
  await act(incidentOf("a2"), "k3");
  expect(
    hosted.issues.map(({ state }) => state),
    "a later incident does not reopen it",
  ).toEqual(["closed", "open"]);
});

test.each([
  ["ends the block", "x\n\n@shop/everyone see <img src=//evil.example>"],
  ["is the mark of another incident", "\n<!-- ballast subject app%2Fshop%2Fcart app-failing -->\n"],
  ["is a fence", "```\n@everyone\n```"],
])("a text from outside that %s stays in its block", async (_what, text) => {
  await act(incidentOf("a1", {}, text), "k1", [text]);
  const outside = hosted.issues[0]!.body.split("\n").filter((line) => !line.startsWith("    "));
  expect(outside.join("\n")).not.toMatch(/@|img|cart|```/);
  await act({ ...incidentOf("b1"), target: "app/shop/cart" }, "k2");
  expect(hosted.issues, "the mark in the text counts for nothing").toHaveLength(2);
});

test("an issue without our label is not ours, whatever it says", async () => {
  await act(incidentOf("a1"), "k1");
  const { body, title } = hosted.issues[0]!;
  hosted.issues.splice(0, 1, { number: 1, login: "mallory", labels: [], title, body, state: "open" });
  await act(incidentOf("a2"), "k2");
  expect(hosted.issues.map(({ login }) => login)).toEqual(["mallory", "ballast[bot]"]);
});

test("a longer evidence than GitHub takes is cut", async () => {
  const many = Array.from({ length: 50 }, (_, index) => `${index} ${"x".repeat(5_000)}`);
  expect(await act(incidentOf("a1", { rule: "r".repeat(260) }), "k1", many)).toMatchObject({ ok: true });
});

test("without the claim nothing is written, and a token is in no message", async () => {
  const incident = incidentOf("a1");
  expect(await opened(incident).act(actOf(incident, "k"), async () => false)).toMatchObject({ ok: false });
  const refused = await opened(incident, [], "stale-token").act(actOf(incident, "k"), ours);
  expect(refused).toEqual({ ok: false, reason: `the issues of ${repository}: it answered 401` });
  expect(hosted.issues).toEqual([]);
});

test("without a token it does not fit", async () => {
  const runbook = openIssue({ journal: { read: async () => [] }, issues: undefined });
  expect(await runbook.plan(target, rungNow(), incidentOf("a1"), uncut)).toMatchObject({ value: { fits: false } });
  expect(await runbook.act(actOf(incidentOf("a1"), "k"), ours)).toMatchObject({ ok: false });
});
