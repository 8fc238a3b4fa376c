// `ballast workflows init`: the three callers for the stacks of a project, what it names as missing, and what it leaves
// alone. That GitHub's parser accepts the files, and that they fit the contracts of the reusable workflows, is in
// test/repository/workflows.test.ts.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { type CommandResult, runBallast } from "../../support/controlplane/ballast-command.ts";

const commit = "4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4";
const subscription = "00000000-0000-0000-0000-0000ba11a57e";
/** A program whose state is in Azure: it needs no secret. */
const inVault = "name: shop\nruntime: nodejs\nbackend: { url: azblob://state }\n";
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-init-"));
  writeFileSync(join(folder, "Pulumi.yaml"), inVault);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const stack = (name: string, ...lines: readonly string[]): void =>
  writeFileSync(join(folder, `Pulumi.${name}.yaml`), ["config:", ...lines.map((line) => `  ${line}`), ""].join("\n"));
const ids = [`azure-native:subscriptionId: ${subscription}`, `azure-native:tenantId: ${subscription}`];
const init = (...args: readonly string[]): Promise<CommandResult> =>
  runBallast(["workflows", "init", "--source", `example/ballast@${commit}`, ...args], folder);
const written = (name: string): any => parse(readFileSync(join(folder, ".github", "workflows", name), "utf8"));

test("each stack has an identity of its own for its updates, and production comes last", async () => {
  stack("prod", ...ids);
  stack("dev", ...ids);
  stack("staging", ...ids);
  stack("local", ...ids);
  const { code, out } = await init();
  expect(code).toBe(0);
  expect(out).toContain("Stacks, in the order of their updates: dev, staging, prod.");
  expect(out.match(/^ {2}[A-Z]\w+(?= )/gm)?.map((each) => each.trim())).toEqual([
    "AZURE_PREVIEW_CLIENT_ID",
    ...["DEV", "STAGING", "PROD"].map((each) => `AZURE_DEPLOY_CLIENT_ID_${each}`),
  ]);
  for (const form of ["repo:<owner>/<name>", "repo:<owner>@<owner id>/<name>@<id>"])
    expect(out).toContain(`it must trust the subject ${form}:environment:prod\n`);
  expect(out).toContain("gh variable set AZURE_DEPLOY_CLIENT_ID_PROD --body <id>");
  expect(out).toContain("Allow only main to deploy to dev and staging and prod");
  expect(out).toContain(
    "gh api -X POST 'repos/{owner}/{repo}/environments/prod/deployment-branch-policies' -f 'name=main'",
  );
  expect(readdirSync(join(folder, ".github", "workflows")).toSorted()).toEqual([
    "deploy.yml",
    "nightly.yml",
    "preview.yml",
  ]);
  const { jobs } = written("deploy.yml");
  expect(jobs["up-prod"]).toMatchObject({
    needs: "up-staging",
    uses: `example/ballast/.github/workflows/pulumi-up.yml@${commit}`,
    with: {
      stack: "prod",
      environment: "prod",
      "azure-tenant-id": subscription,
      "azure-subscription-id": subscription,
      "azure-client-id": "${{ vars.AZURE_DEPLOY_CLIENT_ID_PROD }}",
    },
  });
  for (const name of ["dev", "staging", "prod"])
    for (const verb of ["up", "rollback"])
      expect(jobs[`${verb}-${name}`].with["azure-client-id"]).toBe(
        `\${{ vars.AZURE_DEPLOY_CLIENT_ID_${name.toUpperCase()} }}`,
      );
  expect(Object.keys(jobs).filter((key) => key.startsWith("rollback-"))).toHaveLength(3);
  expect(written("preview.yml").jobs["preview-dev"].with["azure-client-id"]).toBe(
    "${{ vars.AZURE_PREVIEW_CLIENT_ID }}",
  );
});

test("placeholders and missing ids become variables, which are named", async () => {
  stack("prod", "azure-native:subscriptionId: <your subscription id>");
  const { out } = await init("--json");
  expect(JSON.parse(out).toSet.map(({ name }: any) => name)).toEqual([
    "AZURE_PREVIEW_CLIENT_ID",
    "AZURE_DEPLOY_CLIENT_ID_PROD",
    "AZURE_TENANT_ID",
    "AZURE_SUBSCRIPTION_ID",
  ]);
  expect(written("preview.yml").jobs["preview-prod"].with["azure-subscription-id"]).toBe(
    "${{ vars.AZURE_SUBSCRIPTION_ID }}",
  );
});

test("named stacks are delivered in the order in which they are named, from a folder below the root", async () => {
  mkdirSync(join(folder, "infra"));
  writeFileSync(join(folder, "infra", "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  for (const name of ["eu", "us", "asia"]) writeFileSync(join(folder, "infra", `Pulumi.${name}.yaml`), "config: {}\n");
  await init("--program", "infra", "--stack", "us", "--stack", "eu");
  const { jobs } = written("deploy.yml");
  expect(Object.keys(jobs)).toEqual(["up-us", "up-eu", "rollback-us", "rollback-eu"]);
  expect(jobs["up-eu"].with["working-directory"]).toBe("infra");
  expect(written("preview.yml").concurrency.group).toBe("preview-infra-${{ github.event.pull_request.number }}");
});

test("a file that a person changed is kept unless asked, and a second run writes the same", async () => {
  stack("prod", ...ids);
  expect((await init()).out).toContain("wrote .github/workflows/preview.yml");
  const again = await init();
  expect([again.code, again.out]).toEqual([0, expect.stringContaining("unchanged .github/workflows/preview.yml")]);
  expect(again.out).not.toContain("wrote");
  const path = join(folder, ".github", "workflows", "preview.yml");
  writeFileSync(path, "name: mine\n");
  const { code, err } = await init();
  expect([code, err]).toEqual([1, expect.stringContaining("workflows-file-exists")]);
  expect(err).toContain(
    '.github/workflows/preview.yml ("Shows in each pull request what it would change in each stack")',
  );
  expect(err).toContain("keep yours with --skip preview.yml");
  expect(readFileSync(path, "utf8")).toBe("name: mine\n");
  expect((await init("--overwrite")).code).toBe(0);
  expect(written("preview.yml").name).toBe("preview");
});

test.each([
  ["index.ts", 'new DatabaseCredential("login", {});', ["credentials.yml"]],
  ["index.ts", 'new StorageCredential("blobs", {});', ["credentials.yml"]],
  ["Pulumi.yaml", "name: shop\nresources: { a: { type: ballast:index:DatabaseCredential } }\n", ["credentials.yml"]],
  ["migrations/0001_a.expand.sql", "select 1;", ["migrate.yml"]],
  ["node_modules/other/index.js", "DatabaseCredential", []],
  ["README.md", "DatabaseCredential", []],
])("a project with %s gets what it needs beside the three: %j", async (name, text, more) => {
  stack("prod", ...ids);
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), text);
  await init();
  const names = readdirSync(join(folder, ".github", "workflows")).toSorted();
  expect(names).toEqual([...more, "deploy.yml", "nightly.yml", "preview.yml"].toSorted());
});

test("callers that were checked out on Windows are no other files, and stay as they are", async () => {
  stack("prod", ...ids);
  await init();
  const path = join(folder, ".github", "workflows", "deploy.yml");
  const text = readFileSync(path, "utf8").replaceAll("\n", "\r\n");
  writeFileSync(path, text);
  expect((await init()).code).toBe(0);
  expect(readFileSync(path, "utf8")).toBe(text);
});

test.each([
  [{ stack: "prod", leaked: false, rotation: "" }, "rotate-prod"],
  [{ stack: "dev", leaked: false, rotation: "17" }, "back-dev"],
  [{ stack: "prod", leaked: true, rotation: "" }, "rotate-prod"],
  [{ stack: "prod", leaked: true, rotation: "17" }, "rotate-prod"],
])("credentials.yml with %j runs %s alone, and says whether the password leaked", async (inputs, runs) => {
  stack("prod", ...ids);
  stack("dev", ...ids);
  writeFileSync(join(folder, "index.ts"), "new DatabaseCredential()");
  await init();
  const { on, jobs } = written("credentials.yml");
  expect(on.workflow_dispatch.inputs.leaked).toMatchObject({ type: "boolean", default: false });
  const running = Object.entries<any>(jobs).filter(([, job]) => evaluated(job.if, inputs) === true);
  expect(running.map(([key]) => key)).toEqual([runs]);
  if (runs.startsWith("rotate")) expect(running[0]?.[1].with.leaked).toBe("${{ inputs.leaked }}");
});

/** Gives what GitHub makes of an expression about these inputs. */
function evaluated(expression: string, inputs: Readonly<Record<string, string | boolean>>): unknown {
  const parsed = new Parser(new Lexer(expression).lex().tokens, ["inputs"], []).parse();
  const pairs = Object.entries(inputs).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? new data.StringData(value) : new data.BooleanData(value),
  }));
  const context = new data.Dictionary({ key: "inputs", value: new data.Dictionary(...pairs) });
  return new Evaluator(parsed, context).evaluate().coerceString() === "true";
}

test("a foreign file is named with what would be written, nothing is written, and --skip leaves it out", async () => {
  stack("prod", ...ids);
  mkdirSync(join(folder, "migrations"));
  writeFileSync(join(folder, "migrations", "0001_a.expand.sql"), "select 1;");
  const at = join(folder, ".github", "workflows");
  mkdirSync(join(at, "credentials.yml"), { recursive: true });
  writeFileSync(join(folder, "index.ts"), "new DatabaseCredential()");
  writeFileSync(join(at, "migrate.yml"), "name: theirs\n");
  const { code, err } = await init();
  expect([code, err.match(/(\w+\.yml) \("[^"]+"\)/g)?.map((each) => each.split(" ")[0])]).toEqual([
    1,
    ["credentials.yml", "migrate.yml"],
  ]);
  expect(err).toContain("--skip credentials.yml --skip migrate.yml");
  expect(readdirSync(at).toSorted()).toEqual(["credentials.yml", "migrate.yml"]);
  expect((await init("--overwrite")).err).toContain("workflows-file-exists"); // a folder is in the way
  expect(readdirSync(at).toSorted()).toEqual(["credentials.yml", "migrate.yml"]);
  const { out } = await init("--overwrite", "--skip", "migrate.yml", "--skip", "credentials.yml");
  expect(out).not.toContain("migrate.yml");
  expect(readFileSync(join(at, "migrate.yml"), "utf8")).toBe("name: theirs\n");
  expect((await init("--skip", "none.yml")).err).toContain("Expected one of preview.yml");
});

test("below the root of a repository nothing is written, and the command for the root is named", async () => {
  mkdirSync(join(folder, ".git"));
  mkdirSync(join(folder, "infra"));
  writeFileSync(join(folder, "infra", "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  writeFileSync(join(folder, "infra", "Pulumi.prod.yaml"), "config: {}\n");
  const { code, err } = await init("infra");
  expect([code, err]).toEqual([2, expect.stringContaining("workflows-root-elsewhere")]);
  expect(err).toContain(`run the command in ${folder}, with --program infra`);
  expect(existsSync(join(folder, "infra", ".github"))).toBe(false);
});

test("stacks and folders of any name are texts in the files, and no two jobs have one key", async () => {
  mkdirSync(join(folder, "in: fra #1"));
  writeFileSync(join(folder, "in: fra #1", "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  const names = ["1", "eu.prod", "us-prod", "ASIA_PROD", "true"];
  for (const name of names) writeFileSync(join(folder, "in: fra #1", `Pulumi.${name}.yaml`), "config: {}\n");
  await init("--program", "in: fra #1", ...names.flatMap((name) => ["--stack", name]));
  const { jobs, on } = written("deploy.yml");
  expect(on.workflow_dispatch.inputs.stack.options).toEqual(names);
  const ups = Object.entries<any>(jobs).filter(([key]) => key.startsWith("up-"));
  expect(ups.map(([, job]) => [job.with.stack, job.with["working-directory"]])).toEqual(
    names.map((name) => [name, "in: fra #1"]),
  );
  expect(new Set(Object.keys(jobs).map((key) => key.toLowerCase())).size).toBe(2 * names.length);
});

test("--print writes nothing", async () => {
  stack("prod", ...ids);
  expect((await init("--print")).out).toContain("# .github/workflows/nightly.yml\n");
  expect(existsSync(join(folder, ".github"))).toBe(false);
});

test("stacks that GitHub cannot tell apart are refused, and one that is named twice is delivered once", async () => {
  for (const name of ["eu-prod", "EU-prod", "dev"]) stack(name, ...ids);
  const { code, err } = await init();
  expect([code, err]).toEqual([2, expect.stringContaining("its stacks EU-prod and eu-prod have one name for GitHub")]);
  stack("eu.prod", ...ids);
  expect((await init("--stack", "eu.prod", "--stack", "eu-prod")).err).toContain(
    "its stacks eu.prod and eu-prod would share the variable AZURE_DEPLOY_CLIENT_ID_EU_PROD",
  );
  expect(existsSync(join(folder, ".github"))).toBe(false);
  expect((await init("--stack", "dev", "--stack", "eu-prod", "--stack", "dev")).code).toBe(0);
  expect(written("deploy.yml").on.workflow_dispatch.inputs.stack.options).toEqual(["dev", "eu-prod"]);
});

test("a folder without a project or a stack, and a source without a whole commit, are refused", async () => {
  const refusals = [await init(), await init("--stack", "prod"), await init("--program", "none")];
  for (const { code, err } of refusals)
    expect([code, err]).toEqual([2, expect.stringContaining("workflows-project-missing")]);
  expect((await init("--source", "example/ballast@main")).err).toContain("all 40 characters");
  expect(existsSync(join(folder, ".github"))).toBe(false);
});

const git = (...args: readonly string[]): void => {
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
    cwd: folder,
    stdio: "ignore",
  });
};

test.each<[what: string, args: readonly string[], prepare: () => void, branch: string, told: string]>([
  ["no repository", [], () => undefined, "main", "nothing here says otherwise"],
  ["the current branch", [], () => git("init", "--initial-branch", "trunk"), "trunk", "the current branch"],
  [
    "the default branch of origin, from another branch",
    [],
    () => {
      git("init", "--initial-branch", "topic");
      git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release/1");
    },
    "release/1",
    "the default branch of origin",
  ],
  ["--branch", ["--branch", "live+"], () => git("init", "--initial-branch", "trunk"), "live+", "as --branch says"],
])("the branch that is deployed comes from %s", async (_what, args, prepare, branch, told) => {
  stack("prod", ...ids);
  prepare();
  const { out } = await init(...args);
  expect(out).toContain(`Branch that is deployed: ${branch} (${told}`);
  expect(written("deploy.yml").on.push.branches).toEqual([branch.replace("+", "\\+")]);
  expect(out).toContain(`it must trust the subject repo:<owner>/<name>:ref:refs/heads/${branch}\n`);
});

test("what the first run would lack is listed, and secrets that the stacks need are passed on and named", async () => {
  writeFileSync(join(folder, "Pulumi.yaml"), "name: shop\nmain: index.js\nbackend: { url: 'file://~/state' }\n");
  stack("dev", ...ids);
  writeFileSync(join(folder, "Pulumi.prod.yaml"), "encryptionsalt: v1:abc\nconfig: {}\n");
  const { code, out } = await init();
  const [, list = ""] = out.split("Before the first run:\n");
  expect([code, list.trim().split("\n")]).toEqual([
    0,
    ["file://~/state", "ballast", "package-lock.json", "main: index.js", "Pulumi.dev.yaml names no key"].map((each) =>
      expect.stringContaining(each),
    ),
  ]);
  expect(out).toContain("gh secret set PULUMI_CONFIG_PASSPHRASE_PROD\n");
  const { jobs } = written("deploy.yml");
  expect([jobs["up-dev"].secrets, jobs["up-prod"].secrets]).toEqual([
    undefined,
    { "pulumi-config-passphrase": "${{ secrets.PULUMI_CONFIG_PASSPHRASE_PROD }}" },
  ]);
});

test("a complete program lacks nothing; one without a backend needs the token of Pulumi Cloud", async () => {
  writeFileSync(join(folder, "Pulumi.prod.yaml"), "secretsprovider: azurekeyvault://shop.vault.azure.net/keys/a\n");
  writeFileSync(join(folder, "package.json"), '{ "dependencies": { "ballast": "file:ballast.tgz" } }');
  writeFileSync(join(folder, "package-lock.json"), "{}");
  expect((await init()).out).not.toContain("Before the first run");
  writeFileSync(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  expect((await init("--overwrite")).out).toContain("gh secret set PULUMI_ACCESS_TOKEN\n");
  expect(written("preview.yml").jobs["preview-prod"].secrets).toEqual({
    "pulumi-access-token": "${{ secrets.PULUMI_ACCESS_TOKEN }}",
  });
});

test("a second project of a repository has files and checks of its own names, and each run finds its own", async () => {
  stack("prod", ...ids);
  mkdirSync(join(folder, "infra"));
  writeFileSync(join(folder, "infra", "Pulumi.yaml"), inVault.replace("shop", "platform"));
  writeFileSync(join(folder, "infra", "Pulumi.prod.yaml"), "config: {}\n");
  await init();
  const ofFirst = readFileSync(join(folder, ".github", "workflows", "deploy.yml"), "utf8");
  const second = await init("--program", "infra", "--skip", "platform-nightly.yml");
  expect(second.out).toContain("wrote .github/workflows/platform-deploy.yml");
  expect(Object.keys(written("platform-deploy.yml").jobs)).toEqual(["platform-up-prod", "platform-rollback-prod"]);
  expect([written("deploy.yml").name, written("platform-deploy.yml").name]).toEqual(["deploy", "platform deploy"]);
  for (const args of [[], ["--program", "infra", "--skip", "nightly.yml"]]) {
    const { code, out } = await init(...args);
    expect([code, out.includes("wrote")]).toEqual([0, false]);
  }
  expect(readFileSync(join(folder, ".github", "workflows", "deploy.yml"), "utf8")).toBe(ofFirst);
  mkdirSync(join(folder, "twin"));
  writeFileSync(join(folder, "twin", "Pulumi.yaml"), inVault.replace("shop", "platform"));
  writeFileSync(join(folder, "twin", "Pulumi.prod.yaml"), "config: {}\n");
  expect((await init("--program", "twin")).err).toContain("workflows-file-exists");
});

test("the version beside the commit is what --tag says, and none is made up", async () => {
  stack("prod", ...ids);
  const usesIn = () => readFileSync(join(folder, ".github", "workflows", "preview.yml"), "utf8").match(/uses: .*/)?.[0];
  await init();
  expect(usesIn()).toBe(`uses: example/ballast/.github/workflows/pulumi-preview.yml@${commit}`);
  await init("--overwrite", "--tag", "v1.4.0");
  expect(usesIn()).toBe(`uses: example/ballast/.github/workflows/pulumi-preview.yml@${commit} # v1.4.0`);
});
