// What a preview says of a repository's settings before anything is written: that the owner's plan is too small, or
// that the token may not know the plan.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Github, startGithub } from "../../../emulator/github/github.ts";
import { repositorySettings } from "../../../provider/repository/settings.ts";

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

const inputs = {
  repository: "acme/shop",
  environments: { prod: { reviewers: ["operations"], waitMinutes: 0, branches: ["main"] } },
  requiredChecks: [],
  bypassApps: [],
  subjectClaims: [],
};

test.each([
  ["public, on any plan", false, "free", "would guard acme/shop"],
  ["private, on the enterprise plan", true, "enterprise", "would guard acme/shop"],
  ["private, on a plan that the token may not know", true, undefined, /its owner's plan has all of it is not known$/],
  ["private, on the free plan", true, "free", /workflows-plan-too-small/],
] as const)("a preview of a repository that is %s", async (_what, isPrivate, plan, end) => {
  if (plan !== undefined) github.organisation("acme").plan = plan;
  else github.mishaps.push({ request: /^GET \/orgs\//, answer: { status: 404, text: '{"message":"Not Found"}' } });
  github.host("acme/shop").isPrivate = isPrivate;
  const told = await Promise.resolve(repositorySettings.planned(inputs, {} as never)).catch(({ id }) => id as string);
  if (typeof end === "string") expect(told).toBe(end);
  else expect(told).toMatch(end);
  expect(github.requests.filter((each) => !each.startsWith("GET"))).toEqual([]);
});
