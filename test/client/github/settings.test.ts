// The settings of a repository on the emulated GitHub: what the owner's plan does not have is refused before the first
// write, what differs is found and written, and what GitHub adds to its answers is no difference.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Access } from "../../../client/github/access.ts";
import type { RepositorySettings } from "../../../client/github/repository-settings.ts";
import { differences, removeSettings, writeSettings } from "../../../client/github/settings.ts";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";

const wanted: RepositorySettings = {
  environments: { prod: { reviewers: ["operations"], waitMinutes: 0, branches: ["main"] } },
  requiredChecks: ["preview-prod / preview"],
  bypassApps: [],
  subjectClaims: [],
};
let github: Github;
let folder: string;
let shop: Hosted;
let access: Access;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-settings-"));
  github = await startGithub(folder);
  github.tokens.set("app", { login: "app[bot]" });
  github.tokens.set("reader", { login: "reader[bot]", administers: false });
  github.organisation("acme").teams.set("operations", 9);
  shop = github.host("acme/shop");
  access = { repository: "acme/shop", api: github.api, token: "app" };
});
afterEach(async () => {
  await github[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const writes = () => github.requests.filter((one) => !one.startsWith("GET"));

test.each([
  ["free", "environments and required checks"],
  ["team", "reviewers or a wait for the environment prod"],
] as const)("a private repository on the plan %s is refused before the first write", async (plan, wish) => {
  github.organisation("acme").plan = plan;
  shop.isPrivate = true;
  await expect(writeSettings(access, wanted)).rejects.toMatchObject({
    id: "workflows-plan-too-small",
    message: expect.stringContaining(`does not have ${wish}.`),
  });
  expect(writes()).toEqual([]);
});

test("a private repository on the enterprise plan gets everything, and then nothing differs", async () => {
  github.organisation("acme").plan = "enterprise";
  shop.isPrivate = true;
  expect(await writeSettings(access, wanted)).toHaveLength(3);
  expect(await differences(access, wanted)).toEqual([]);
  const before = writes().length;
  expect(await writeSettings(access, wanted)).toEqual([]);
  expect(writes()).toHaveLength(before);
});

test.each([
  ["team", false],
  ["pro", true],
] as const)("a private repository on the plan %s gets an environment with its branches", async (plan, isPersonal) => {
  Object.assign(github.organisation("acme"), { plan, isPersonal });
  github.tokens.set("app", { login: isPersonal ? "acme" : "app[bot]" });
  shop.isPrivate = true;
  const modest = { ...wanted, environments: { prod: { reviewers: [], waitMinutes: 0, branches: ["main"] } } };
  await writeSettings(access, modest);
  expect(shop.settings.environments.get("prod")).toMatchObject({ reviewers: [], branches: ["main"] });
  expect(await differences(access, modest)).toEqual([]);
});

test("a plan without rulesets is no hindrance where none is wanted", async () => {
  shop.isPrivate = true;
  const bare = { ...wanted, environments: {}, requiredChecks: [] };
  expect(await writeSettings(access, bare)).toEqual(["actions may run without a pinned commit"]);
  await removeSettings(access);
});

test("reviewers that the program no longer has are taken away, whatever the plan is", async () => {
  await writeSettings(access, wanted);
  const modest = { ...wanted, environments: { prod: { reviewers: [], waitMinutes: 0, branches: ["main"] } } };
  await writeSettings(access, modest);
  expect(shop.settings.environments.get("prod")).toMatchObject({ reviewers: [], canAdminsBypass: false });
});

test("a team that loses its access is a named error, since GitHub would drop it without a word", async () => {
  await writeSettings(access, wanted);
  shop.strangers.add(9);
  const slower = {
    ...wanted,
    environments: { prod: { reviewers: ["operations"], waitMinutes: 5, branches: ["main"] } },
  };
  await expect(writeSettings(access, slower)).rejects.toMatchObject({ id: "workflows-reviewers-unusable" });
  expect(shop.settings.environments.get("prod")?.reviewers).toEqual([{ type: "Team", id: 9 }]);
});

test("a ruleset and a branch beyond the first page of a list are found", async () => {
  const branches = Array.from({ length: 40 }, (_, at) => `release-${String(at).padStart(2, "0")}`);
  const many = { ...wanted, environments: { prod: { reviewers: [], waitMinutes: 0, branches } } };
  for (let id = 1; id <= 40; id += 1) shop.settings.rulesets.push({ id, name: `own ${id}`, enforcement: "active" });
  await writeSettings(access, many);
  expect(await differences(access, many)).toEqual([]);
  await removeSettings(access);
  expect(shop.settings.rulesets.filter(({ name }) => name === "ballast")).toEqual([]);
});

test("GitHub's own defaults and a second branch are differences, and the branch is taken away by hand", async () => {
  shop.settings.environments.set("prod", {
    waitTimer: 0,
    reviewers: [{ type: "Team", id: 9 }],
    preventSelfReview: false,
    canAdminsBypass: true,
    branches: ["main", "topic"],
  });
  expect((await differences(access, wanted)).map(({ part }) => part)).toEqual([
    "actions",
    "environment prod",
    "ruleset",
  ]);
  await expect(writeSettings(access, wanted)).rejects.toMatchObject({ message: expect.stringContaining("topic") });
});

test("a team that is not there and a token that may not administer are refused", async () => {
  const other = { ...wanted, environments: { prod: { reviewers: ["nobody"], waitMinutes: 0, branches: [] } } };
  await expect(writeSettings(access, other)).rejects.toMatchObject({
    message: expect.stringContaining("no team nobody"),
  });
  await expect(writeSettings({ ...access, token: "reader" }, wanted)).rejects.toMatchObject({
    id: "github-refused",
    message: expect.stringContaining("Resource not accessible by integration"),
  });
});

test("without a required check there is no ruleset, and removing the guard leaves the environments", async () => {
  await writeSettings(access, wanted);
  await removeSettings(access);
  expect([shop.settings.rulesets, [...shop.settings.environments.keys()]]).toEqual([[], ["prod"]]);
  await writeSettings(access, { ...wanted, requiredChecks: [] });
  expect(shop.settings.rulesets).toEqual([]);
});
