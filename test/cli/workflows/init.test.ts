// `ballast workflows init`: the three callers for the stacks of a project, what it names as missing, and what it leaves
// alone. That GitHub's parser accepts the files, and that they fit the contracts of the reusable workflows, is in
// test/repository/workflows.test.ts.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { type CommandResult, runBallast } from "../../support/controlplane/ballast-command.ts";

const commit = "4f2a9c1d8e0b37a65c1f2d3e4b5a69788796a5b4";
const subscription = "00000000-0000-0000-0000-0000ba11a57e";
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-init-"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const stack = (name: string, ...lines: readonly string[]): void =>
  writeFileSync(join(folder, `Pulumi.${name}.yaml`), ["config:", ...lines.map((line) => `  ${line}`), ""].join("\n"));
const ids = [`azure-native:subscriptionId: ${subscription}`, `azure-native:tenantId: ${subscription}`];
const init = (...args: readonly string[]): Promise<CommandResult> =>
  runBallast(["workflows", "init", "--source", `example/ballast@${commit}`, ...args], folder);
const written = (name: string): any => parse(readFileSync(join(folder, ".github", "workflows", name), "utf8"));

test("a project whose stacks name tenant and subscription misses two values, and production comes last", async () => {
  stack("prod", ...ids);
  stack("dev", ...ids);
  stack("staging", ...ids);
  stack("local", ...ids);
  const { code, out } = await init();
  expect(code).toBe(0);
  expect(out).toContain("Stacks, in the order of their updates: dev, staging, prod.");
  expect(out.match(/^ {2}[A-Z]\w+/gm)).toEqual(["  AZURE_PREVIEW_CLIENT_ID", "  AZURE_DEPLOY_CLIENT_ID"]);
  expect(out).toContain("subject repo:<owner>/<name>:environment:prod");
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
      "azure-client-id": "${{ vars.AZURE_DEPLOY_CLIENT_ID }}",
    },
  });
  expect(Object.keys(jobs).filter((key) => key.startsWith("rollback-"))).toHaveLength(3);
  expect(written("preview.yml").jobs["preview-dev"].with["azure-client-id"]).toBe(
    "${{ vars.AZURE_PREVIEW_CLIENT_ID }}",
  );
});

test("placeholders and missing ids become variables, and are named as missing", async () => {
  stack("prod", "azure-native:subscriptionId: <your subscription id>");
  const { out } = await init("--json");
  expect(JSON.parse(out).missing.map(({ variable }: any) => variable)).toEqual([
    "AZURE_PREVIEW_CLIENT_ID",
    "AZURE_DEPLOY_CLIENT_ID",
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
  await init();
  expect((await init()).code).toBe(0);
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
  const names = ["1", "eu.prod", "eu-prod", "EU_PROD", "true"];
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
