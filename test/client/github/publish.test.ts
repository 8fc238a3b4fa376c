// Publishing on the emulated GitHub, over real git repositories: one commit for many files, a head that moves,
// protected branches, edits by hand, files that are no longer wanted, a token without the scope, and a way back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Access } from "../../../client/github/access.ts";
import { compare, type Publication, publish, takeBack } from "../../../client/github/publish.ts";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";

const app = "ghs_app0of0the0emulated0github00000000000";
const classic = "ghp_classic0of0the0emulated0github0000000";
const commits = ["4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4", "aaaaaaa1e0b37a65c1f2d3e4b5a69788796a5b4c"] as const;
const names = ["deploy.yml", "preview.yml"].map((name) => `.github/workflows/${name}`);
let github: Github;
let folder: string;
let shop: Hosted;
let files: ReadonlyMap<string, string>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-publish-"));
  source("one");
  github = await startGithub(join(folder, "hosted"));
  github.tokens.set(app, { login: "ballast-app[bot]" });
  github.tokens.set(classic, { login: "ann", scopes: ["repo"] });
  shop = github.host("acme/shop");
});
afterEach(async () => {
  await github[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function source(text: string): void {
  files = new Map(names.map((name) => [name, `name: ${text}\n`]));
}

const accessOf = (repository: string, token = app): Access => ({ repository, api: github.api, token });
const publicationOf = (commit: string, more: Partial<Publication> = {}): Publication => ({
  files,
  source: `example/ballast@${commit}`,
  mayReplace: () => false,
  ...more,
});
const publishTo = (repository: string, more?: Partial<Publication>, commit: string = commits[0]) =>
  publish(accessOf(repository), publicationOf(commit, more));
const textIn = ({ git }: Hosted, path = names[1]!, branch = "main"): string | undefined =>
  git.file(branch, path)?.contents.toString();

test("all files of a repository are one commit of the app, and a second run finds nothing to do", async () => {
  const first = await publishTo("acme/shop");
  expect([first.outcome, first.commit]).toEqual(["committed", shop.git.head("main")]);
  expect(shop.git.log("main")).toEqual([
    "Workflows of example/ballast at 4f2a9c1 (ballast-app[bot])",
    "Initial commit (someone)",
  ]);
  for (const name of names)
    expect(textIn(shop, name)).toMatch(/^# Published from example\/ballast@4f2.*\nname: one\n$/);
  expect((await publishTo("acme/shop")).outcome).toBe("unchanged");
  expect((await publishTo("acme/shop", {}, commits[1])).outcome).toBe("unchanged"); // the same text
  expect(shop.git.log("main")).toHaveLength(2);
});

test("a source that was checked out on Windows, and a file with such line ends, are no other texts", async () => {
  await publishTo("acme/shop");
  const windows = (text = ""): string => text.replaceAll("\n", "\r\n");
  shop.git.commitAsAnother("main", names[0]!, windows(textIn(shop, names[0])));
  files = new Map([...files].map(([name, text]) => [name, windows(text)]));
  expect((await publishTo("acme/shop")).outcome).toBe("unchanged");
  source("two\r");
  await publishTo("acme/shop");
  for (const name of names) expect(textIn(shop, name)).toMatch(/name: two\n$/);
});

test("a newer version replaces an older one, and the older one comes back by publishing it again", async () => {
  await publishTo("acme/shop");
  source("two");
  expect((await publishTo("acme/shop", {}, commits[1])).outcome).toBe("committed");
  expect(textIn(shop)).toContain("name: two");
  source("one");
  await publishTo("acme/shop");
  expect(textIn(shop)).toContain("name: one");
});

test("an edit by hand is reported, kept, and overwritten only if that is allowed", async () => {
  await publishTo("acme/shop");
  shop.git.commitAsAnother("main", names[1]!, `${textIn(shop)}# mine\n`);
  const compared = await compare(accessOf("acme/shop"), publicationOf(commits[0]));
  expect([compared.outcome, compared.files]).toEqual(["differs", { [names[0]!]: "current", [names[1]!]: "edited" }]);
  await expect(publishTo("acme/shop")).rejects.toMatchObject({ id: "workflows-file-edited" });
  expect(textIn(shop)).toContain("# mine");
  await publishTo("acme/shop", { mayReplace: () => true });
  expect(textIn(shop)).not.toContain("# mine");
});

test("what is no longer wanted is removed in the same commit, but for a file that was edited", async () => {
  await publishTo("acme/shop");
  shop.git.commitAsAnother("main", names[1]!, `${textIn(shop)}# mine\n`);
  files = new Map();
  const { files: states, outcome } = await publishTo("acme/shop", { obsolete: names });
  expect([outcome, states]).toEqual(["committed", { [names[0]!]: "obsolete", [names[1]!]: "edited" }]);
  expect([textIn(shop, names[0]), textIn(shop)?.includes("# mine")]).toEqual([undefined, true]);
});

test("a publication is taken back file by file, and what another changed since stays", async () => {
  await publishTo("acme/shop");
  source("two");
  const made = await publishTo("acme/shop", {}, commits[1]);
  shop.git.commitAsAnother("main", names[1]!, "name: theirs\n");
  await takeBack(accessOf("acme/shop"), made, `example/ballast@${commits[1]}`);
  expect([textIn(shop, names[0])?.endsWith("name: one\n"), textIn(shop)]).toEqual([true, "name: theirs\n"]);
});

test("a head that moves three times is followed, and the commits of others stay", async () => {
  shop.racing = 3;
  expect((await publishTo("acme/shop")).outcome).toBe("committed");
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
  await expect(publishTo("acme/shop")).rejects.toMatchObject({ id: "workflows-head-moving" });
  expect(textIn(shop)).toBe(undefined);
});

test.each(["classic", "ruleset"] as const)(
  "a branch with %s protection gets a pull request, which the next run adds to; a merged one begins anew",
  async (protection) => {
    shop.protection = protection;
    const first = await publishTo("acme/shop");
    expect([first.outcome, first.pullRequest]).toEqual(["proposed", "https://github.com/acme/shop/pull/1"]);
    expect(textIn(shop)).toBe(undefined);
    expect((await compare(accessOf("acme/shop"), publicationOf(commits[0]))).outcome).toBe("proposed");
    source("two");
    await publishTo("acme/shop", {}, commits[1]);
    expect(shop.pullRequests).toMatchObject([{ number: 1, head: "ballast/workflows", base: "main", state: "open" }]);
    expect(textIn(shop, names[1], "ballast/workflows")).toContain("name: two");
    const merged = await fetch(`${github.api}/repos/acme/shop/pulls/1/merge`, {
      method: "PUT",
      headers: { authorization: `Bearer ${app}` },
      body: "{}",
    });
    expect([merged.status, textIn(shop)?.includes("name: two")]).toEqual([200, true]);
    source("three");
    expect((await publishTo("acme/shop")).pullRequest).toBe("https://github.com/acme/shop/pull/2");
  },
);

test("a token without the scope is refused before the first write", async () => {
  const refused = publish(accessOf("acme/shop", classic), publicationOf(commits[0]));
  await expect(refused).rejects.toMatchObject({ id: "workflows-scope-missing" });
  expect(github.requests).toEqual(["GET /repos/acme/shop"]);
});
