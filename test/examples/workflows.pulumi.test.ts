// The real Pulumi CLI publishes the workflows of examples/workflows to two repositories of the emulated GitHub, the
// canary first, guards both, repairs what was edited by hand, and goes back when the canary's checks fail.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Hosted } from "../../emulator/github/calls.ts";
import { type Github, startGithub } from "../../emulator/github/github.ts";
import { type CloudForTests, management, startCloudForTests } from "../support/emulator/cloud.ts";
import { type PulumiProgram, pulumiProgram } from "../support/program/pulumi-program.ts";

const root = join(import.meta.dirname, "..", "..");
const token = "ghs_app0of0the0emulated0github00000000000";
const example = readFileSync(join(root, "examples", "workflows", "index.ts"), "utf8").replace(
  'from "ballast"',
  `from ${JSON.stringify(join(root, "package.ts"))}`,
);
const [preview, deploy] = ["preview.yml", "deploy.yml"].map((name) => `.github/workflows/${name}`) as [string, string];
let folder: string;
let github: Github;
let canary: Hosted;
let shop: Hosted;
let program: PulumiProgram;
let azure: CloudForTests;
let group: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-workflows-"));
  github = await startGithub(folder);
  github.tokens.set(token, { login: "ballast-app[bot]", app: 4711 });
  github.organisation("acme").teams.set("operations", 9);
  [canary, shop] = [github.host("acme/canary"), github.host("acme/shop")];
  for (const { checks } of [canary, shop]) checks.set("up-dev / up", "success");
  azure = await startCloudForTests();
  group = `${management}/subscriptions/${azure.cloud.subscription}/resourceGroups/ci`;
  await azure.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  for (const name of ["previews", "deploys-dev", "deploys-prod"])
    await azure.ask("PUT", identity(name), { location: "westeurope" });
  program = await pulumiProgram(
    { project: "workflows", file: "index.ts", text: example },
    { ...azure.cloud.environment, GITHUB_TOKEN: token, GITHUB_API_URL: github.api },
  );
  await program.run("s", ["stack", "init"]);
  await program.run("s", ["config", "set", "azure-native:subscriptionId", azure.cloud.subscription]);
});
afterAll(async () => {
  program[Symbol.dispose]();
  await azure.close();
  await github[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const identity = (name: string, child = ""): string =>
  `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}${child}?api-version=2023-01-31`;
/** Gives the subjects that an identity trusts. */
async function trustedBy(name: string): Promise<readonly string[]> {
  const { body } = await azure.ask("GET", identity(name, "/federatedIdentityCredentials"));
  return body.value.map(({ properties }: any) => properties.subject).toSorted();
}
const up = () => program.run("s", ["up", "--yes", "--skip-preview"]);
const textIn = ({ git }: Hosted, path = preview): string | undefined => git.file("main", path)?.contents.toString();
const writes = (from: number): readonly string[] => github.requests.slice(from).filter((one) => !/^GET/.test(one));
/** The credentials of both guards are written one after another, and a busy machine takes its time. */
const slow = 240_000;

test(
  "publishes in one commit for each repository, the canary first, and guards both",
  async () => {
    shop.isPrivate = true;
    const refused = await program.run("s", ["preview"]);
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain(
      'acme/shop is private, and the plan "free" of its owner does not have environments',
    );
    shop.isPrivate = false;
    const planned = await program.run("s", ["preview", "--diff"]);
    expect([planned.code, writes(0)]).toEqual([0, []]);
    expect(planned.output).toContain("would publish 3 files to acme/canary in one commit");
    const { code, output } = await up();
    expect([code, output]).toEqual([0, expect.stringContaining("acme/shop committed")]);
    for (const { git } of [canary, shop])
      expect(git.log("main")).toEqual([
        "Workflows of example/ballast at 4f2a9c1 (ballast-app[bot])",
        expect.any(String),
      ]);
    expect(textIn(shop, deploy)).toContain("/pulumi-up.yml@4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4 # v1.4.0");
    expect(github.requests.filter((one) => one === "POST /graphql")).toHaveLength(2);
    const { settings } = shop;
    expect(settings.environments.get("prod")).toEqual({
      waitTimer: 0,
      reviewers: [{ type: "Team", id: 9 }],
      preventSelfReview: true,
      canAdminsBypass: false,
      branches: ["main"],
    });
    expect(settings.actions.sha_pinning_required).toBe(true);
    const both = (...ends: readonly string[]): readonly string[] =>
      [canary, shop]
        .flatMap(({ name, ownerId, id }) =>
          [`repo:${name}`, `repo:acme@${ownerId}/${name.slice(5)}@${id}`].flatMap((repository) =>
            ends.map((end) => `${repository}:${end}`),
          ),
        )
        .toSorted();
    for (const stack of ["dev", "prod"])
      expect(await trustedBy(`deploys-${stack}`)).toEqual(both(`environment:${stack}`));
    expect(await trustedBy("previews")).toEqual(both("pull_request", "ref:refs/heads/main"));
    expect(JSON.stringify(settings.rulesets)).toContain('{"context":"preview-prod / preview","integration_id":15368}');
    expect((await program.run("s", ["preview", "--expect-no-changes"])).code).toBe(0);
    for (const text of [program.state("s"), output, planned.output]) expect(text).not.toContain(token);
  },
  slow,
);

test(
  "an edit by hand and a lowered guard are shown by a preview, and undone by an update",
  async () => {
    shop.git.commitAsAnother("main", preview, `${textIn(shop)}# mine\n`);
    shop.settings.actions = { ...shop.settings.actions, sha_pinning_required: false };
    const shown = await program.run("s", ["preview"]);
    expect(shown.output).toContain(`acme/shop: ${preview} edited by hand; an update undoes it`);
    expect(shown.output).toContain("acme/shop: actions may run without a pinned commit; an update mends it");
    const before = github.requests.length;
    expect((await up()).code).toBe(0);
    expect(writes(before)).toEqual(["POST /graphql", "PUT /repos/acme/shop/actions/permissions"]);
    expect(textIn(shop)).not.toContain("# mine");
    expect(shop.settings.actions.sha_pinning_required).toBe(true);
  },
  slow,
);

test(
  "a canary whose checks fail gets its former workflows back, and no other repository is touched",
  async () => {
    const former = textIn(canary);
    canary.checks.set("up-dev / up", "failure");
    program.rewrite(example.replace("4f2a9c1d", "bbbbbbbb").replace("v1.4.0", "v2.0.0"));
    const heads = [canary, shop].map(({ git }) => git.head("main"));
    const { code, output } = await up();
    expect(code).not.toBe(0);
    expect(output).toContain("workflows-checks-failed");
    expect(output).toContain("up-dev / up is failure");
    expect(textIn(canary)).toBe(former);
    expect(canary.git.log("main")[0]).toBe("Back from: Workflows of example/ballast at bbbbbbb (ballast-app[bot])");
    expect(shop.git.head("main")).toBe(heads[1]);
    canary.checks.set("up-dev / up", "success");
    shop.racing = 3;
    expect((await up()).code).toBe(0);
    for (const each of [canary, shop]) expect(textIn(each)).toContain("v2.0.0");
  },
  slow,
);

test(
  "a token without the scope and a head that never rests are errors by name, and write nothing",
  async () => {
    program.rewrite(example.replace("4f2a9c1d", "cccccccc").replace("v1.4.0", "v3.0.0"));
    const heads = [canary, shop].map(({ git }) => git.head("main"));
    github.tokens.set(token, { login: "ann", scopes: ["repo"] });
    const before = github.requests.length;
    const refused = await up();
    expect([refused.code === 0, refused.output, writes(before)]).toEqual([
      false,
      expect.stringContaining("workflows-scope-missing"),
      [],
    ]);
    expect([canary, shop].map(({ git }) => git.head("main"))).toEqual(heads);
    github.tokens.set(token, { login: "ballast-app[bot]", app: 4711 });
    canary.racing = 10;
    const moving = await up();
    canary.racing = 0;
    expect([moving.code === 0, moving.output]).toEqual([false, expect.stringContaining("workflows-head-moving")]);
    for (const each of [canary, shop]) expect(textIn(each)).toContain("v2.0.0");
  },
  slow,
);

test(
  "a protected branch gets a pull request, and the later wave waits until it is merged",
  async () => {
    canary.protection = "classic";
    const proposed = await up();
    expect([proposed.code, proposed.output]).toEqual([0, expect.stringContaining("acme/canary proposed")]);
    expect(proposed.output).toContain("acme/shop waits until the pull request of a repository before it is merged");
    expect(canary.pullRequests).toMatchObject([{ head: "ballast/workflows", base: "main", state: "open" }]);
    for (const each of [canary, shop]) expect(textIn(each)).toContain("v2.0.0");
    const headers = { authorization: `Bearer ${token}` };
    await fetch(`${github.api}/repos/acme/canary/pulls/1/merge`, { method: "PUT", headers, body: "{}" });
    expect((await up()).code).toBe(0);
    for (const each of [canary, shop]) expect(textIn(each)).toContain("v3.0.0");
  },
  slow,
);
