// `ballast workflows publish` on the emulated GitHub, over real git repositories: one commit for many files, a head
// that moves, protected branches, edits by hand, a token without the scope, and a canary before the others.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";
import { runBallast } from "../../support/controlplane/ballast-command.ts";

const app = "ghs_app0of0the0emulated0github00000000000";
const classic = "ghp_classic0of0the0emulated0github0000000";
const commits = ["4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4", "aaaaaaa1e0b37a65c1f2d3e4b5a69788796a5b4c"] as const;
const names = ["deploy.yml", "preview.yml"].map((name) => `.github/workflows/${name}`);
let github: Github;
let folder: string;
let canary: Hosted;
let shop: Hosted;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-publish-"));
  mkdirSync(join(folder, "callers"));
  source("one");
  github = await startGithub(join(folder, "hosted"));
  github.tokens.set(app, { login: "ballast-app[bot]" });
  github.tokens.set(classic, { login: "ann", scopes: ["repo"] });
  canary = github.host("acme/canary");
  shop = github.host("acme/shop");
});
afterEach(async () => {
  await github[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function source(text: string): void {
  for (const name of ["preview", "deploy"]) writeFileSync(join(folder, "callers", `${name}.yml`), `name: ${text}\n`);
}

async function publish(options: readonly string[] = [], { commit = commits[0] as string, token = app } = {}) {
  const to = options.includes("--to") ? [] : ["--to", "acme/canary", "--to", "acme/shop"];
  const args = [
    "workflows",
    "publish",
    "callers",
    "--source",
    `example/ballast@${commit}`,
    "--json",
    ...to,
    ...options,
  ];
  const { code, out } = await runBallast(args, folder, { GITHUB_API_URL: github.api, GITHUB_TOKEN: token });
  expect(out).not.toContain(token);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { code, repositories: lines[0].repositories ?? [], error: lines.at(-1).error };
}
const outcomes = ({ repositories }: { repositories: readonly any[] }): readonly string[] =>
  repositories.map(({ repository, outcome }) => `${repository} ${outcome}`);
const textIn = ({ git }: Hosted, path = names[1]!, branch = "main"): string | undefined =>
  git.file(branch, path)?.contents.toString();

test("all files of a repository are one commit of the app, and a second run finds nothing to do", async () => {
  const first = await publish();
  expect([first.code, outcomes(first)]).toEqual([0, ["acme/canary committed", "acme/shop committed"]]);
  expect(shop.git.log("main")).toEqual([
    "Workflows of example/ballast at 4f2a9c1 (ballast-app[bot])",
    "Initial commit (someone)",
  ]);
  expect(first.repositories[1].commit).toBe(shop.git.head("main"));
  for (const name of names)
    expect(textIn(shop, name)).toMatch(/^# Published from example\/ballast@4f2.*\nname: one\n$/);
  expect(outcomes(await publish())).toEqual(["acme/canary unchanged", "acme/shop unchanged"]);
  expect(shop.git.log("main")).toHaveLength(2);
});

test("a newer version replaces an older one, and the older one comes back by publishing it again", async () => {
  await publish();
  source("two");
  expect(outcomes(await publish([], { commit: commits[1] }))).toEqual(["acme/canary committed", "acme/shop committed"]);
  expect(textIn(shop)).toContain("name: two");
  source("one");
  await publish();
  expect(textIn(shop)).toContain("name: one");
});

test("an edit by hand is reported, kept, and overwritten only if asked", async () => {
  await publish();
  const hand = await fetch(`${github.api}/repos/acme/shop/contents/${names[1]}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${app}` },
    body: JSON.stringify({
      message: "Edit",
      content: Buffer.from(`${textIn(shop)}# mine\n`).toString("base64"),
      sha: shop.git.file("main", names[1]!)!.id,
    }),
  });
  expect(hand.status).toBe(200);
  const checked = await publish(["--check"]);
  expect([checked.code, outcomes(checked)]).toEqual([1, ["acme/canary unchanged", "acme/shop differs"]]);
  expect(checked.repositories[1].files).toEqual({ [names[0]!]: "current", [names[1]!]: "edited" });
  const refused = await publish();
  expect([refused.code, refused.error.id]).toEqual([1, "workflows-file-edited"]);
  expect(textIn(shop)).toContain("# mine");
  expect(outcomes(await publish(["--repair"]))).toEqual(["acme/canary unchanged", "acme/shop committed"]);
  expect(textIn(shop)).not.toContain("# mine");
});

test("a head that moves three times is followed, and the commits of others stay", async () => {
  shop.racing = 3;
  expect(outcomes(await publish(["--to", "acme/shop"]))).toEqual(["acme/shop committed"]);
  expect(shop.git.log("main").map((line) => line.split(" ")[0])).toEqual([
    "Workflows",
    "Change",
    "Change",
    "Change",
    "Initial",
  ]);
});

test("a head that moves with every attempt ends in an error of its own, without a commit", async () => {
  shop.racing = 10;
  const { code, error } = await publish(["--to", "acme/shop"]);
  expect([code, error.id]).toEqual([1, "workflows-head-moving"]);
  expect(textIn(shop)).toBe(undefined);
});

test.each(["classic", "ruleset"] as const)(
  "a branch with %s protection gets a pull request, and the next run adds to it",
  async (protection) => {
    shop.protection = protection;
    const first = await publish(["--to", "acme/shop"]);
    expect(outcomes(first)).toEqual(["acme/shop proposed"]);
    expect(first.repositories[0].pullRequest).toBe("https://github.com/acme/shop/pull/1");
    expect(textIn(shop)).toBe(undefined);
    source("two");
    await publish(["--to", "acme/shop"], { commit: commits[1] });
    expect(shop.pullRequests).toMatchObject([{ number: 1, head: "ballast/workflows", base: "main", state: "open" }]);
    expect(textIn(shop, names[1], "ballast/workflows")).toContain("name: two");
  },
);

test("a token without the scope is refused before the first write, in the first repository", async () => {
  const { code, error } = await publish([], { token: classic });
  expect([code, error.id]).toEqual([1, "workflows-scope-missing"]);
  expect(github.requests).toEqual(["GET /repos/acme/canary"]);
});

test("what fails in the canary reaches no other repository, and what was done before is told", async () => {
  canary.git.commitAsAnother("main", names[0]!, "name: theirs\n");
  const refused = await publish();
  expect([refused.error.id, refused.repositories]).toEqual(["workflows-file-edited", []]);
  expect(textIn(shop)).toBe(undefined);
  const later = await publish(["--to", "acme/shop", "--to", "acme/none"]);
  expect([outcomes(later), later.error.id]).toEqual([["acme/shop committed"], "github-refused"]);
});

test("a folder without workflows is refused, and no repository is asked", async () => {
  rmSync(join(folder, "callers"), { recursive: true });
  expect((await publish()).error?.id).toBe("workflows-side-unreadable");
  expect(github.requests).toEqual([]);
});
