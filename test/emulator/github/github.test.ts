// The emulated GitHub refuses what GitHub refuses: two writers of one file or one branch, a direct commit to a
// protected branch, a workflow file from a token without the scope, and calls that it does not serve.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../../emulator/github/github.ts";

let github: Github;
let folder: string;
let shop: Hosted;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-github-"));
  github = await startGithub(folder);
  github.tokens.set("app", { login: "app[bot]" });
  github.tokens.set("classic", { login: "ann", scopes: ["repo"] });
  shop = github.host("acme/shop");
});
afterEach(async () => {
  await github[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(method: string, path: string, body?: object, token = "app"): Promise<readonly [number, any]> {
  const response = await fetch(`${github.api}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  return [response.status, await response.json()];
}
const put = (path: string, text: string, sha?: string, token?: string) => {
  const body = { message: `Write ${path}`, content: Buffer.from(text).toString("base64"), sha };
  return ask("PUT", `/repos/acme/shop/contents/${path}`, body, token);
};
async function mutate(expectedHeadOid: string | undefined, path: string, token?: string): Promise<any> {
  const input = {
    branch: { repositoryNameWithOwner: "acme/shop", branchName: "main" },
    expectedHeadOid,
    message: { headline: "Write" },
    fileChanges: { additions: [path, "b.txt"].map((each) => ({ path: each, contents: "YQ==" })) },
  };
  const query =
    "mutation ($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }";
  const [status, answer] = await ask("POST", "/graphql", { query, variables: { input } }, token);
  expect(status).toBe(200);
  return answer;
}

test("the contents API commits one file at a time, and needs the id of the text that it replaces", async () => {
  expect((await put("a.txt", "1"))[0]).toBe(201);
  expect((await put("a.txt", "2"))[0]).toBe(409);
  const [, { sha }] = await ask("GET", "/repos/acme/shop/contents/a.txt");
  expect((await put("a.txt", "2", sha))[0]).toBe(200);
  expect((await put("a.txt", "3", sha))[0]).toBe(409);
  expect(shop.git.log("main")).toEqual([
    "Write a.txt (app[bot])",
    "Write a.txt (app[bot])",
    "Initial commit (someone)",
  ]);
});

test("a parallel commit makes the contents API answer 409 with both heads", async () => {
  shop.racing = 1;
  const [status, { message }] = await put("a.txt", "1");
  expect([status, message]).toEqual([409, expect.stringMatching(/^is at [0-9a-f]{40} but expected [0-9a-f]{40}$/)]);
});

test("the mutation commits many files at once, from the expected head only", async () => {
  const head = shop.git.head("main");
  const { data } = await mutate(head, "a.txt");
  expect(data.createCommitOnBranch.commit.oid).toBe(shop.git.head("main"));
  expect(["a.txt", "b.txt"].map((path) => shop.git.file("main", path)?.contents.toString())).toEqual(["a", "a"]);
  expect((await mutate(head, "c.txt")).errors).toMatchObject([
    { type: "STALE_DATA", message: `Expected branch to point to "${head}" but it did not.  Pull and try again.` },
  ]);
  expect(shop.git.log("main")).toHaveLength(2);
});

test("a protected branch takes no direct commit, and a ruleset says so in another way", async () => {
  const types: unknown[] = [];
  for (const protection of ["classic", "ruleset"] as const) {
    shop.protection = protection;
    const { errors } = await mutate(shop.git.head("main"), "a.txt");
    expect(errors[0].message).toContain("Changes must be made through a pull request.");
    types.push(errors[0].type);
    expect((await put("a.txt", "1"))[0]).toBe(409);
  }
  expect(types[0]).toBe("BRANCH_PROTECTION_RULE_VIOLATION");
  expect(types[1]).not.toBe(types[0]);
  expect(shop.git.log("main")).toHaveLength(1);
});

test("a classic token without the scope writes files, and no workflow", async () => {
  const workflow = ".github/workflows/a.yml";
  expect((await put("a.txt", "1", undefined, "classic"))[0]).toBe(201);
  expect((await put(workflow, "1", undefined, "classic"))[0]).toBe(404);
  const { errors } = await mutate(shop.git.head("main"), workflow, "classic");
  expect(errors[0].message).toContain("without `workflow` scope");
  expect((await ask("GET", "/repos/acme/shop", undefined, "nobody"))[0]).toBe(401);
});

test("a pull request needs a commit that its base does not have, and there is one for each branch", async () => {
  const open = () => ask("POST", "/repos/acme/shop/pulls", { title: "A", head: "topic", base: "main" });
  const branch = { ref: "refs/heads/topic", sha: shop.git.head("main") };
  expect((await ask("POST", "/repos/acme/shop/git/refs", branch))[0]).toBe(201);
  expect((await ask("POST", "/repos/acme/shop/git/refs", branch))[0]).toBe(422);
  expect((await open())[0]).toBe(422);
  shop.git.commitAsAnother("topic", "a.txt", "1");
  expect([(await open())[0], (await open())[0]]).toEqual([201, 422]);
});

test("what is not served is refused, and never answered as if it had worked", async () => {
  expect((await ask("DELETE", "/repos/acme/shop/contents/README.md"))[0]).toBe(404);
  expect((await ask("GET", "/repos/acme/other"))[0]).toBe(404);
  expect((await ask("POST", "/graphql", { query: "query { viewer { login } }" }))[1].errors).toHaveLength(1);
});
