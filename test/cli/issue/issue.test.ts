// `ballast issue` against GitHub's API on loopback: one issue for each thing that fails, however often it fails, and
// none after it succeeds again.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Hosted } from "../../../emulator/github/calls.ts";
import { type HostedGithub, own, startHostedGithub, token } from "../../support/cli/hosted-github.ts";
import { type CommandResult, runBallast } from "../../support/controlplane/ballast-command.ts";

let github: HostedGithub;
let folder: string;
type KeptIssue = Hosted["issues"][number];

beforeEach(async () => {
  github = await startHostedGithub();
  folder = mkdtempSync(join(tmpdir(), "ballast-issue-"));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await github[Symbol.asyncDispose]();
});

async function issue(...args: readonly string[]): Promise<CommandResult> {
  const result = await runBallast(["issue", ...args], folder, github.environment);
  expect(result.out + result.err).not.toContain(token);
  return result;
}
const open = (key: string, ...args: readonly string[]): Promise<CommandResult> =>
  issue("open", "--key", key, "--title", "The stack prod has drifted", "--label", "ballast", ...args);
const states = (): readonly string[] => github.issues.map(({ number, state }) => `${number} ${state}`);

test("the same failure is counted in one issue, which shows the newest output and keeps its title", async () => {
  const output = join(folder, "drift.txt");
  writeFileSync(output, `${"x".repeat(30_000)}\n\u001b[31m~ update\u001b[0m \`\`\`shop\`\`\`\n`);
  const first = JSON.parse((await open("drift-detect/prod", "--output", output, "--json")).out);
  expect(first).toMatchObject({ key: "drift-detect/prod", outcome: "opened", failures: 1 });
  const [kept] = github.issues as [KeptIssue];
  kept.title = "Drift again";
  expect((await open("drift-detect/prod", "--run-url", "https://github.com/r/2")).out).toBe(
    `https://github.com/acme/shop/issues/${kept.number}: updated, failed 2 times in a row.\n`,
  );
  await open("drift-detect/prod", "--output", output);
  expect(github.issues).toHaveLength(1);
  expect(kept).toMatchObject({ title: "Drift again", labels: ["ballast"], state: "open" });
  expect(kept.body).toContain("The stack prod has drifted. It has failed 3 times in a row.");
  expect(kept.body).toContain("\n````text\n");
  expect(kept.body).toContain("~ update ```shop```\n````");
  expect(kept.body.length).toBeLessThan(21_000);
});

test("each key has an issue of its own, and a success closes only the one of its key, with a word of it", async () => {
  await open("drift-detect/prod");
  await open("drift-detect/dev");
  const [prod, dev] = github.issues as [KeptIssue, KeptIssue];
  const closed = await issue("close", "--key", "drift-detect/prod", "--run-url", "https://github.com/r/3", "--json");
  expect(JSON.parse(closed.out)).toMatchObject({ closed: [{ number: prod.number }] });
  expect(states()).toEqual([`${prod.number} closed`, `${dev.number} open`]);
  expect(github.comments).toMatchObject([
    { on: prod.number, body: "It succeeded again in [this run](https://github.com/r/3)." },
  ]);
  const again = await issue("close", "--key", "drift-detect/prod");
  expect([again.code, again.out]).toEqual([0, "No issue is open about it.\n"]);
});

test("a failure after a success opens a new issue and counts from one", async () => {
  await open("a");
  await open("a");
  await issue("close", "--key", "a");
  expect(JSON.parse((await open("a", "--json")).out)).toMatchObject({ outcome: "opened", failures: 1 });
  expect(github.issues).toHaveLength(2);
});

test("an issue or a pull request of another author with our marker is left alone", async () => {
  const marker = "<!-- ballast:issue a 5 -->";
  const theirs = { title: "", state: "open", body: marker } as const;
  github.issues.push({ ...theirs, number: 1, login: "mallory", labels: [] });
  github.pullRequests.push({ ...theirs, number: 2, login: own, head: "other", base: "main" });
  expect(JSON.parse((await open("a", "--json")).out)).toMatchObject({ outcome: "opened", failures: 1 });
  await issue("close", "--key", "a");
  expect(states()).toContain("1 open");
  expect(github.pullRequests.map(({ state }) => state)).toEqual(["open", "open"]);
});

test("a marker that a person has broken makes a new issue, and a title cannot mention anybody", async () => {
  const broken = { number: 1, title: "", state: "open", labels: [] } as const;
  github.issues.push({ ...broken, login: own, body: "<!-- ballast:issue %E0%A4%A 5 -->" });
  await issue("open", "--key", "a", "--title", "@everyone <b>");
  expect(github.issues.find(({ number }) => number !== 1)!.body).toContain(
    "@\u200beveryone \\<b\\>. It has failed once.",
  );
});

test.each([
  ["http://github.com/r/1", "Expected an address with https."],
  ["javascript:alert(1)", "Expected an address with https."],
  ["github.com/r/1", "Expected an address with https."],
  ["", "Expected an address with https."],
  ["https://me:hunter2@github.com/r/1", "Expected an address without a user."],
])("the address %j of a run is refused by name, and nothing is written", async (url, why) => {
  for (const action of ["open", "close"]) {
    const title = action === "open" ? ["--title", "It failed"] : [];
    const { code, err } = await issue(action, "--key", "a", ...title, "--run-url", url);
    expect([code, err]).toEqual([2, expect.stringContaining(why)]);
    expect(err).toContain("--run-url");
  }
  expect(github.requests()).toEqual([]);
});

test("an address with brackets stays one link", async () => {
  await open("a", "--run-url", "https://github.com/r/1)[x](https://example.com/(y)");
  expect(github.issues[0]!.body).toContain("[this run](https://github.com/r/1%29[x]%28https://example.com/%28y%29)");
});

test("a missing output and a key with spaces are refused, and nothing is written", async () => {
  const missing = await open("a", "--output", join(folder, "none"));
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining("comment-source-unreadable")]);
  expect((await open("a b")).code).toBe(2);
  expect(github.requests()).toEqual([]);
});
