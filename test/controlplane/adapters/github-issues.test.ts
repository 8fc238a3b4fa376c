// The issue for what a person still has to do, against the emulated GitHub: one for each thing, however often it
// happens and however often a notification is sent.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fetchDispatcher } from "../../../connect-to.ts";
import { githubIssuesNotifier } from "../../../controlplane/adapters/notifiers/github-issues.ts";
import { openNotifiers, readNotifiers } from "../../../controlplane/read-notifiers.ts";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";
import type { Notification } from "../../../engines/kind.ts";

const token = "ghs_0of0the0emulated0github00000000000000";
const never = new AbortController().signal;
const wire = { dispatcher: fetchDispatcher(undefined) };
let folder: string;
let github: Github;
let hosted: Hosted;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-issues-"));
  github = await startGithub(folder);
  github.tokens.set(token, { login: "ballast[bot]", app: 1 });
  hosted = github.host("acme/shop");
});
afterEach(async () => {
  await github[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const notification = (more: Partial<Notification> = {}): Notification => ({
  id: "remediation/app/shop/web/one#9",
  index: 9,
  kind: "repaired",
  tone: "good",
  at: 0,
  subject: "web",
  item: "web-failing",
  place: "shop",
  message: "0 of 60 requests failed since the action",
  todo: "The symptom is gone, its cause is not.",
  data: { target: "app/shop/web", reason: "verified", owner: null, trace: "4bf92f3577b34da6a3ce929d0e0e4736" },
  ...more,
});
const deliver = (given: Notification, bearer = token) =>
  githubIssuesNotifier({ api: github.api, repository: "acme/shop", token: bearer }, wire).deliver(given, never);
const delivered = { kind: "delivered" };

test("what leaves something to do opens an issue with the fields, the trace among them", async () => {
  expect(await deliver(notification())).toEqual(delivered);
  const [issue] = hosted.issues;
  expect(issue).toMatchObject({ title: "web: web-failing (repaired)", labels: ["ballast"], state: "open" });
  expect(issue!.body.split("\n").slice(1).join("\n").trim()).toBe(
    [
      "The symptom is gone, its cause is not.",
      "",
      "```text",
      "0 of 60 requests failed since the action",
      "",
      "target: app/shop/web",
      "reason: verified",
      "trace: 4bf92f3577b34da6a3ce929d0e0e4736",
      "```",
      "",
      "<sub>Ballast counts here what happens again. Close the issue once the cause is gone.</sub>",
    ].join("\n"),
  );
});

test("what leaves nothing to do asks GitHub nothing", async () => {
  const { todo: _todo, ...rest } = notification();
  expect(await deliver(rest)).toEqual(delivered);
  expect(github.requests).toEqual([]);
});

test("what is sent again changes nothing, and the next incident is counted in the open issue", async () => {
  for (const id of ["one#9", "one#9", "two#9", "two#9"])
    expect(await deliver(notification({ id: `remediation/app/shop/web/${id}` }))).toEqual(delivered);
  expect(hosted.issues).toHaveLength(1);
  expect(hosted.issues[0]!.body).toContain("its cause is not. It has happened 2 times.");
  hosted.issues[0]!.state = "closed";
  await deliver(notification({ id: "remediation/app/shop/web/three#9" }));
  expect(hosted.issues.map(({ state }) => state)).toEqual(["closed", "open"]);
});

test("another rule or another target has an issue of its own", async () => {
  await deliver(notification());
  await deliver(notification({ id: "b#1", item: "web-slow" }));
  await deliver(notification({ id: "c#1", subject: "api" }));
  await deliver(notification({ id: "d#1", place: "other" }));
  expect(hosted.issues).toHaveLength(4);
});

test("whatever a name holds, it mentions nobody and ends no block", async () => {
  await deliver(notification({ message: "````\n@everyone <!-- ballast:todo -->", data: { rule: "```" } }));
  expect(hosted.issues[0]!.body).toMatch(/\n`````text\n````\n@everyone <!-- ballast:todo -->\n\nrule: ```\n`````\n/);
});

test("finds its issue behind more than a page of later ones, and however long they are", async () => {
  await deliver(notification());
  for (let number = 2; number <= 102; number += 1)
    hosted.issues.push({
      number,
      login: "someone",
      labels: ["ballast"],
      title: "Other",
      body: "x".repeat(6_000),
      state: "open",
    });
  expect(await deliver(notification({ id: "remediation/app/shop/web/two#9" }))).toEqual(delivered);
  expect(hosted.issues).toHaveLength(102);
  expect(hosted.issues[0]!.body).toContain("It has happened 2 times.");
});

test("a foreign issue without a body is not its own", async () => {
  hosted.issues.push({ number: 7, login: "someone", labels: [], title: "Other", body: "", state: "open" });
  expect(await deliver(notification())).toEqual(delivered);
  expect(hosted.issues).toHaveLength(2);
});

test("a refused token is a failed delivery that names no secret", async () => {
  expect(await deliver(notification(), "ghs_wrong")).toEqual({ kind: "later", reason: "it answered 401" });
});

test.each([
  [undefined, ["github"]],
  [["deployments"], ["github"]],
  [["issues"], ["github-issues"]],
  [
    ["issues", "deployments"],
    ["github", "github-issues"],
  ],
])("githubWrites %j opens %j", (githubWrites, names) => {
  const complaints: string[] = [];
  const variable = JSON.stringify({ githubRepository: "acme/shop", githubToken: token, githubWrites });
  const notifiers = openNotifiers(readNotifiers(variable, complaints), wire);
  expect([complaints, notifiers.map(({ name }) => name)]).toEqual([[], names]);
});

test.each([
  [{ githubWrites: [] }, /githubWrites/],
  [{ githubWrites: ["comments"] }, /githubWrites/],
  [{ githubApi: "http://github.example" }, /githubApi must be an https address/],
])("%j is refused", (wrong, words) => {
  const complaints: string[] = [];
  readNotifiers(JSON.stringify({ githubRepository: "acme/shop", githubToken: token, ...wrong }), complaints);
  expect(complaints.join()).toMatch(words);
});
