// `ballast comment` against GitHub's API on loopback: one comment for each project and stack, changed in place, marked
// when it is out of date, and what happens when GitHub refuses or does not answer. No test of these may find a token in
// what is printed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HostedGithub, startHostedGithub, token } from "../../support/cli/hosted-github.ts";
import { type CommandResult, runBallast } from "../../support/controlplane/ballast-command.ts";

const preview = join(import.meta.dirname, "preview.json");
let head: string;
let github: HostedGithub;
let folder: string;

beforeEach(async () => {
  github = await startHostedGithub();
  head = github.push();
  folder = mkdtempSync(join(tmpdir(), "ballast-comment-"));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await github[Symbol.asyncDispose]();
});

async function comment(...args: readonly string[]): Promise<CommandResult> {
  const result = await runBallast(["comment", ...args], folder, github.environment);
  expect(result.out + result.err).not.toContain(token);
  return result;
}
const write = (...args: readonly string[]): Promise<CommandResult> =>
  comment("write", "--pull-request", "7", "--preview", preview, "--commit", head, ...args);
/** Writes the comment of a preview of another stack. */
const writeOf = (stack: string): Promise<CommandResult> => {
  const other = join(folder, "other.json");
  writeFileSync(other, readFileSync(preview, "utf8").replaceAll("urn:pulumi:prod::", `urn:pulumi:${stack}::`));
  return write("--preview", other);
};
const overtaken = (by: string): string =>
  `It was made for ${head.slice(0, 7)}; the pull request is at ${by.slice(0, 7)}.`;
const bodies = (): readonly string[] => github.comments.map(({ body }) => body);

test("a second run changes the comment of the first, and a third with the same content changes nothing", async () => {
  expect(JSON.parse((await write("--json")).out)).toMatchObject({ outcome: "created", project: "shop", stack: "prod" });
  expect(JSON.parse((await write("--json", "--run-url", "https://github.com/r/1")).out).outcome).toBe("updated");
  const { out } = await write("--run-url", "https://github.com/r/1");
  expect(out).toMatch(/^https:\/\/github\.com\/acme\/shop\/pull\/7#issuecomment-\d+: unchanged\.\n$/);
  expect(bodies()).toEqual([expect.stringContaining("by [this run](https://github.com/r/1)")]);
  expect(bodies()[0]).toContain("| ♻️ replace | `journal` 💾 |");
});

test("each stack has a comment of its own, and what others write stays, the marker in it included", async () => {
  await write("--print").then(({ out }) => github.comment(7, "mallory", out));
  const theirs = github.comments[0]!.body;
  await write();
  await writeOf("dev");
  await writeOf("a--> b");
  await writeOf("a--> b");
  expect(bodies()).toHaveLength(4);
  expect(bodies()[0]).toBe(theirs);
  expect(bodies().map((body) => body.split("\n")[0])).toEqual([
    `<!-- ballast:preview shop/prod ${head} -->`,
    `<!-- ballast:preview shop/prod ${head} -->`,
    `<!-- ballast:preview shop/dev ${head} -->`,
    `<!-- ballast:preview shop/a%2D%2D%3E%20b ${head} -->`,
  ]);
});

test("the comment is found behind a hundred others, and a second one of a race is removed", async () => {
  for (let each = 0; each < 130; each += 1) github.comment(7, "ann", `Comment ${each}`);
  await write();
  github.comment(7, "github-actions[bot]", github.comments.at(-1)!.body);
  await write("--run-url", "https://github.com/r/2");
  expect(bodies().filter((body) => body.includes("ballast:preview"))).toEqual([expect.stringContaining("/r/2")]);
  expect(github.comments).toHaveLength(131);
});

test("a newer commit marks a comment as out of date, once, and its own preview takes the mark away", async () => {
  await write();
  const fresh = bodies()[0]!;
  const newer = github.push();
  const marked = JSON.parse((await comment("mark-stale", "--pull-request", "7", "--json")).out);
  expect(marked).toMatchObject({ head: newer, stale: [{ project: "shop", stack: "prod", commit: head }] });
  await comment("mark-stale", "--pull-request", "7");
  const notice = `> [!WARNING]\n> This preview is out of date. ${overtaken(newer)}`;
  expect(bodies()[0]!.split(notice)).toHaveLength(2);
  expect(bodies()[0]!.replace(/<!-- ballast:stale -->\n.*\n.*\n\n/, "")).toBe(fresh);
  const { out } = await comment("write", "--pull-request", "7", "--preview", preview, "--commit", newer);
  expect(out).toContain(": updated.");
  expect(bodies()[0]).not.toContain("out of date");
  expect((await comment("mark-stale", "--pull-request", "7")).out).toBe("No comment is out of date.\n");
});

test("a preview that was overtaken while it ran says so from the start", async () => {
  const newer = github.push();
  expect(JSON.parse((await write("--json")).out)).toMatchObject({ outcome: "created", isStale: true, commit: head });
  expect(bodies()[0]).toContain(overtaken(newer));
});

test.each([
  ["--stack dev", ["--stack", "dev"], "it is a preview of prod, and --stack says dev"],
  ["--project other", ["--project", "other"], "it is a preview of shop, and --project says other"],
])("a preview of another stack than %s says is refused, and nothing is written", async (_what, args, reason) => {
  const { code, err } = await write(...args);
  expect([code, err]).toEqual([2, expect.stringContaining(reason)]);
  expect(bodies()).toEqual([]);
});

test("a stack may be named as Pulumi Cloud names it", async () => {
  expect(JSON.parse((await write("--json", "--stack", "acme/shop/prod")).out).outcome).toBe("created");
});

const updateOf = (stack: string) => ({ op: "update", urn: `urn:pulumi:${stack}::shop::a:b:C::name` });

test("a preview of two stacks is refused", async () => {
  const both = join(folder, "both.json");
  writeFileSync(both, JSON.stringify({ steps: [updateOf("prod"), updateOf("dev")] }));
  const { code, err } = await write("--preview", both);
  expect([code, err]).toEqual([2, expect.stringContaining("it has no steps of a preview of one stack")]);
});

test.each([
  ["UTF-8 with a mark", "\ufeff", "utf8"],
  ["UTF-16", "\ufeff", "utf16le"],
] as const)("a preview that a shell of Windows wrote as %s is read", async (_what, mark, encoding) => {
  const written = join(folder, "windows.json");
  writeFileSync(written, Buffer.from(mark + readFileSync(preview, "utf8").replaceAll("\n", "\r\n"), encoding));
  const [plain, windows] = [await write("--print"), await write("--preview", written, "--print")];
  expect(windows).toEqual(plain);
});

test("a preview that left nothing to read still gets its comment, if the stack is named", async () => {
  const empty = join(folder, "empty.json");
  writeFileSync(empty, "");
  const failed = ["write", "--pull-request", "7", "--preview", empty, "--commit", head, "--failed"];
  const unnamed = await comment(...failed);
  expect([unnamed.code, unnamed.err]).toEqual([2, expect.stringContaining("comment-source-unreadable")]);
  expect((await comment(...failed, "--project", "shop", "--stack", "prod")).code).toBe(0);
  expect(bodies()).toEqual([expect.stringContaining("The preview failed, so an update would fail too.")]);
});

test.each([
  ["Pulumi.yaml", 'name: "shop" # the shop\nruntime: nodejs\n'],
  ["Pulumi.yml", "runtime: nodejs\nname:   shop\n"],
  ["Pulumi.json", '{ "name": "shop", "runtime": "nodejs" }'],
])("a preview that left nothing to read is of the project that %s names", async (file, text) => {
  const empty = join(folder, "empty.json");
  writeFileSync(empty, "");
  writeFileSync(join(folder, file), text);
  const failed = ["--pull-request", "7", "--preview", empty, "--commit", head, "--failed", "--stack", "prod"];
  expect(JSON.parse((await comment("write", ...failed, "--json")).out)).toMatchObject({ project: "shop" });
});

test("what the judge sees of all services is one file, with the reason where it sees nothing", async () => {
  const plans = join(folder, "power.json");
  const released = join(folder, "released.json");
  const urn = "urn:pulumi:prod::shop::ballast:index:Release::shop";
  const step = { op: "create", urn, newState: { inputs: { app: "shop" } } };
  writeFileSync(released, JSON.stringify({ steps: [step], changeSummary: { create: 1 } }));
  const planned = () => write("--preview", released, "--plans", plans);
  const course = { ending: "promoted", seconds: 60 };
  const lists = { faults: [], shortfalls: [], cautions: [] };
  const releases = [{ app: "shop", traffic: { requestsPerMinute: 70 }, healthy: course, ...lists }];
  writeFileSync(plans, JSON.stringify({ releases }));
  await planned();
  expect(bodies()[0]).toContain("promoted after 1m, at 70 requests a minute");
  writeFileSync(plans, JSON.stringify({ releases: [{ app: "shop", unknown: "nobody asked" }] }));
  await planned();
  expect(bodies()).toEqual([expect.stringContaining("- `shop`: nobody asked.")]);
  for (const wrong of [{ releases: [null] }, { releases: [{ app: "shop" }] }, { releases: {} }]) {
    writeFileSync(plans, JSON.stringify(wrong));
    expect((await planned()).err).toContain("comment-source-unreadable");
  }
});

test("files that are something else are refused by name, without their content, and nothing is written", async () => {
  const other = join(folder, "other.json");
  writeFileSync(other, '{"password": "Tr0ub4dor-and-3"}');
  const broken = join(folder, "broken.json");
  writeFileSync(broken, 'Tr0ub4dor-and-3 {"');
  for (const [args, from] of [
    [["--preview", other], "`pulumi preview --json --show-sames`"],
    [["--preview", broken], "`pulumi preview --json --show-sames`"],
    [["--preview", join(folder, "none.json")], "`pulumi preview --json --show-sames`"],
    [["--policies", other], "`ballast policy check --format json`"],
    [["--base-policies", other, "--policies", other], "`ballast policy check --format json`"],
    [["--plan", `shop=${other}`], "`ballast power --json`"],
    [["--plans", other], "`ballast power --preview --json`"],
  ] as const) {
    const { code, err } = await write(...args);
    expect([code, err]).toEqual([2, expect.stringContaining("comment-source-unreadable")]);
    expect(err).toContain(from);
    expect(err).not.toContain("Tr0ub4dor");
  }
  expect(github.requests()).toEqual([]);
});

test("without a token, a repository or a secure address GitHub is not called", async () => {
  for (const [environment, args] of [
    [{ GITHUB_TOKEN: "" }, []],
    [{}, ["--repository", "shop"]],
    [{ GITHUB_API_URL: "http://github.example" }, []],
  ] as const) {
    const all = { ...github.environment, ...environment };
    const options = ["--pull-request", "7", "--preview", preview, "--commit", head, "--json", ...args];
    const { code, out } = await runBallast(["comment", "write", ...options], folder, all);
    expect([code, JSON.parse(out).error.id]).toEqual([2, "github-access-unclear"]);
  }
  expect(github.requests()).toEqual([]);
});

test.each([
  [{ status: 403, text: '{"message":"Resource not accessible by integration"}' }, "pull-requests: write"],
  [{ status: 404, text: '{"message":"Not Found"}' }, "check the repository and the number"],
  [{ status: 301, headers: { location: "https://github.example/" } }, "another name now"],
])("a refusal is told with its reason and remedy, and is not tried again: %j", async (answer, text) => {
  github.mishaps.push({ request: /^GET .*\/pulls/, answer });
  const { code, err } = await write();
  expect([code, err]).toEqual([1, expect.stringContaining("github-refused")]);
  expect(err + (await comment("write", "--help")).out).toContain(text);
  expect(github.requests()).toEqual(["GET /pulls/7"]);
});

test("a token that GitHub does not know is refused", async () => {
  const { code, out } = await runBallast(["comment", "mark-stale", "--pull-request", "7", "--json"], folder, {
    ...github.environment,
    GITHUB_TOKEN: "ghs_other",
  });
  expect([code, JSON.parse(out).error]).toMatchObject([
    1,
    { id: "github-refused", fix: expect.stringContaining("expired") },
  ]);
});

test("reads are tried again after an outage, and writes after a limit that GitHub names", async () => {
  github.mishaps.push({ request: /^GET .*\/pulls/, answer: { status: 502, text: "<html>" } });
  github.mishaps.push({ request: /^POST/, answer: { status: 403, headers: { "retry-after": "1" } } });
  expect((await write()).code).toBe(0);
  expect(github.requests()).toEqual([
    "GET /pulls/7",
    "GET /pulls/7",
    "GET /issues/7/comments",
    "POST /issues/7/comments",
    "POST /issues/7/comments",
  ]);
  expect(bodies()).toHaveLength(1);
});

test("a comment whose answer was lost is not written twice: the next run finds it", async () => {
  github.mishaps.push({ request: /^POST/, answer: "lost" });
  const lost = await write("--json");
  expect([lost.code, JSON.parse(lost.out).error.id]).toEqual([1, "github-unreachable"]);
  expect(bodies()).toHaveLength(1);
  expect(JSON.parse((await write("--json")).out).outcome).toBe("unchanged");
  expect(bodies()).toHaveLength(1);
});

const gone = { status: 404, text: '{"message":"Not Found"}' };

test("a second comment whose removal was not answered, or that another run removed, is no failure", async () => {
  for (const answer of ["lost", gone] as const) {
    await write();
    github.comment(7, "github-actions[bot]", github.comments.at(-1)!.body);
    github.mishaps.push({ request: /^DELETE/, answer });
    const { code, err } = await write("--run-url", "https://github.com/r/2");
    expect([code, err]).toEqual([0, ""]);
  }
  expect(github.requests().filter((each) => each.startsWith("DELETE"))).toHaveLength(3);
});

test("a comment that a person deletes meanwhile is written anew, and one to be marked is left", async () => {
  await write();
  github.mishaps.push({ request: /^PATCH/, answer: gone });
  expect(JSON.parse((await write("--json", "--run-url", "https://github.com/r/2")).out).outcome).toBe("created");
  github.push();
  github.mishaps.push({ request: /^PATCH/, answer: gone });
  expect((await comment("mark-stale", "--pull-request", "7")).code).toBe(0);
});

test("an answer without end, or that is no JSON, ends the command", async () => {
  github.mishaps.push({ request: /^GET .*\/pulls/, answer: { status: 200, text: `"${"x".repeat(9 * 2 ** 20)}"` } });
  expect((await write()).err).toContain("its answer has more than 8 MiB");
});

test("wrong options are refused before anything is read", async () => {
  for (const [option, value, reason] of [
    ["--commit", "main", "Expected a commit's hash."],
    ["--pull-request", "0", "Expected a number above 0."],
    ["--plan", "shop", "Expected a service and a file"],
    ["--run-url", "javascript:alert(1)", "Expected an address with https."],
  ] as const) {
    const { code, err } = await write(option, value);
    expect([code, err]).toEqual([2, expect.stringContaining(reason)]);
  }
});
