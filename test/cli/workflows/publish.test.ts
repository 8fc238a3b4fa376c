// `ballast workflows publish` on the emulated GitHub: a canary before the others, what the options do, and what is
// printed. How it publishes is in test/client/github/publish.test.ts.
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

test("publishes to the canary first, tells an edit with --check, and overwrites it with --repair", async () => {
  const first = await publish();
  expect([first.code, outcomes(first)]).toEqual([0, ["acme/canary committed", "acme/shop committed"]]);
  shop.git.commitAsAnother("main", names[1]!, `${textIn(shop)}# mine\n`);
  const checked = await publish(["--check"]);
  expect([checked.code, outcomes(checked)]).toEqual([1, ["acme/canary unchanged", "acme/shop differs"]]);
  const refused = await publish();
  expect([refused.code, refused.error.id]).toEqual([1, "workflows-file-edited"]);
  expect(outcomes(await publish(["--repair"]))).toEqual(["acme/canary unchanged", "acme/shop committed"]);
  expect(textIn(shop)).not.toContain("# mine");
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
