// What a preview says of a repository before anything is written: that the owner's plan is too small, that nobody could
// approve, that the token may not know the plan, or that the files there are another's.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";
import { repositoryFiles } from "../../../provider/repository/files.ts";
import { repositorySettings } from "../../../provider/repository/settings.ts";
import { unknownValue } from "../../../provider/resource-type.ts";

let github: Github;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-planned-"));
  github = await startGithub(folder);
  github.tokens.set("app", { login: "app[bot]" });
  vi.stubEnv("GITHUB_API_URL", github.api).stubEnv("GITHUB_TOKEN", "app");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await github[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const environment = { reviewers: [] as string[], waitMinutes: 0, branches: ["main"] };
const inputs = {
  repository: "acme/shop",
  environments: { prod: { ...environment, reviewers: ["operations"] } },
  requiredChecks: [],
  bypassApps: [],
  subjectClaims: [],
};
const waiting = { ...inputs, environments: { prod: { ...environment, waitMinutes: 5 } } };
const open = { ...inputs, environments: { prod: environment } };
const nothing = { ...inputs, environments: {} };
const checked = { ...nothing, requiredChecks: ["preview-dev / preview"] };

/** Gives what a preview says, or the id and the message of its error. Nothing but GET may be sent. */
async function previewOf(type: typeof repositorySettings, given: object): Promise<string> {
  const told = await Promise.resolve()
    .then(() => type.planned({ ...given }, {} as never))
    .catch(({ id, message }) => `${id}: ${message}`);
  expect(github.requests.filter((each) => !each.startsWith("GET"))).toEqual([]);
  return told;
}
type Plan = "free" | "pro" | "team" | "enterprise" | "unknown";
const would = "would guard acme/shop";
const unsure = `${would}; whether its owner's plan has all of it is not known`;
const tooSmall = (plan: string, wish: string): string =>
  `workflows-plan-too-small: acme/shop is private, and the plan "${plan}" of its owner does not have ${wish}.`;
const waits = "reviewers or a wait for the environment prod";

test.each<[plan: Plan, owner: "organisation" | "person", is: "private" | "public", given: object, told: string]>([
  ["free", "organisation", "public", inputs, would],
  ["free", "organisation", "private", inputs, tooSmall("free", "environments")],
  ["free", "organisation", "private", open, tooSmall("free", "environments")],
  ["free", "organisation", "private", checked, tooSmall("free", "required checks")],
  ["free", "organisation", "private", nothing, would],
  ["team", "organisation", "private", inputs, tooSmall("team", waits)],
  ["team", "organisation", "private", waiting, tooSmall("team", waits)],
  ["team", "organisation", "private", { ...open, requiredChecks: ["a"] }, would],
  ["enterprise", "organisation", "private", inputs, would],
  ["enterprise", "organisation", "private", waiting, would],
  ["unknown", "organisation", "private", inputs, unsure],
  ["unknown", "organisation", "public", inputs, would],
  ["free", "person", "private", waiting, tooSmall("free", "environments")],
  ["free", "person", "private", checked, tooSmall("free", "required checks")],
  ["pro", "person", "private", waiting, tooSmall("pro", waits)],
  ["pro", "person", "private", inputs, tooSmall("pro", waits)],
  ["pro", "person", "private", { ...open, requiredChecks: ["a"] }, would],
  ["unknown", "person", "private", inputs, tooSmall("pro", waits)],
  ["unknown", "person", "private", waiting, tooSmall("pro", waits)],
  ["unknown", "person", "private", open, unsure],
  ["free", "person", "public", waiting, would],
  [
    "free",
    "person",
    "public",
    inputs,
    "workflows-reviewers-unusable: The reviewers of environments of acme/shop cannot be set: " +
      "acme is a person and has no teams (operations).",
  ],
])("a preview of a repository on the plan %s of an owner that is a %s and that is %s", async (...row) => {
  const [plan, owner, is, given, told] = row;
  const acme = github.organisation("acme");
  acme.teams.set("operations", 9);
  acme.isPersonal = owner === "person";
  if (plan !== "unknown") acme.plan = plan;
  else github.mishaps.push({ request: /^GET \/(orgs|user)/, answer: { status: 404, text: '{"message":"Not Found"}' } });
  if (plan !== "unknown") github.tokens.set("app", { login: owner === "person" ? "Acme" : "app[bot]" });
  github.host("acme/shop").isPrivate = is === "private";
  expect(await previewOf(repositorySettings, given)).toBe(told);
});

test.each<[what: string, prepare: (shop: Hosted) => void, reviewers: readonly string[], told: string]>([
  ["named in another letter case", () => {}, ["Operations", "operations"], would],
  ["not there", () => {}, ["nobody"], "acme has no team nobody, or the token may not see it."],
  ["a path", () => {}, ["../operations"], "acme has no team ../operations, or the token may not see it."],
  [
    "without access",
    ({ strangers }) => strangers.add(9),
    ["operations"],
    "the team operations has no access to acme/shop.",
  ],
])("a preview says that a team is %s", async (_what, prepare, reviewers, told) => {
  github.organisation("acme").teams.set("operations", 9);
  prepare(github.host("acme/shop"));
  const given = { ...inputs, environments: { prod: { ...environment, reviewers } } };
  expect((await previewOf(repositorySettings, given)).endsWith(told)).toBe(true);
});

const source = `example/ballast@${"4f2a".repeat(10)}`;
const files = { repository: "acme/shop", source, files: { ".github/workflows/preview.yml": "on: push\n" } };

test.each<[what: string, type: typeof repositorySettings, given: object, prepare: (shop: Hosted) => void, id: string]>([
  ["guard of an archived one", repositorySettings, nothing, (shop) => archive(shop), "workflows-repository-archived"],
  ["publication to an archived one", repositoryFiles, files, (shop) => archive(shop), "workflows-repository-archived"],
  [
    "publication by a token without the scope",
    repositoryFiles,
    files,
    () => github.tokens.set("app", { login: "ann", scopes: ["repo"] }),
    "workflows-scope-missing",
  ],
  [
    "publication over another's file",
    repositoryFiles,
    files,
    ({ git }) => git.commitAsAnother("main", ".github/workflows/preview.yml", "on: pull_request\n"),
    "workflows-file-edited",
  ],
  [
    "publication that comes after what a preview cannot know",
    repositoryFiles,
    { ...files, after: unknownValue },
    () => {},
    "would publish 1 file to acme/shop in one commit, after the repositories before it",
  ],
  ["publication", repositoryFiles, files, () => {}, "would publish 1 file to acme/shop in one commit"],
])("a preview of a %s", async (_what, type, given, prepare, start) => {
  prepare(github.host("acme/shop"));
  const told = await previewOf(type, given);
  expect(told.slice(0, start.length)).toBe(start);
});
const archive = (shop: Hosted): void => {
  shop.isArchived = true;
};

test.each([
  [{ prod: environment, Prod: environment }, "prod and Prod are one environment"],
  [{ ["e".repeat(256)]: environment }, "e… has 256 characters, and GitHub allows 255"],
])("a preview refuses names of environments that GitHub cannot take", async (environments, told) => {
  github.host("acme/shop");
  const said = await previewOf(repositorySettings, { ...inputs, environments });
  expect(said).toMatch(/^workflows-environments-misnamed: /);
  expect(said).toContain(told);
});

test.each([
  [{ prod: { ...environment, reviewers: [..."abcdefg"] } }, "a list of 0 to 6 items"],
  [{ prod: { ...environment, waitMinutes: 43_201 } }, "43200"],
])("what GitHub cannot take of environments is refused before it is asked", (environments, told) => {
  const { failures } = repositorySettings.check({ ...inputs, environments });
  expect(failures.map(({ reason }) => reason).join("\n")).toContain(told);
});

test.each([repositorySettings, repositoryFiles])("a repository that is gone holds up no deletion", async (type) => {
  const warnings: string[] = [];
  const around = { report: () => {}, warn: (line: string) => warnings.push(line), cancel: AbortSignal.timeout(9000) };
  const given = type === repositoryFiles ? files : { ...nothing };
  await type.remove({ ...given }, { ...given }, around as never);
  expect(warnings).toEqual([expect.stringContaining("the deletion continues")]);
});
