// The launchers, our language host and the real Pulumi CLI running on it: each starts on the right Node.
import { execFile, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runChild } from "../../toolchain/child.ts";
import { launcherEnvironment, launcherName, launcherText, writeLauncher } from "../../toolchain/pulumi/launcher.ts";
import { pulumi } from "../../toolchain/pulumi/pulumi.ts";
import { isAlive, script, until } from "../support/processes.ts";

const toolchain = join(import.meta.dirname, "..", "..", "toolchain");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-launcher-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a launcher", () => {
  /** Puts a launcher and the files it needs into the folder; `withModules` lets it find the Node 24 of node_modules. */
  const launcher = (withModules: boolean): string => {
    for (const name of ["node24.mjs", "foreground.mjs", "compiled.mjs", "cache-folder.mjs"])
      copyFileSync(join(toolchain, "node", name), join(folder, name));
    if (withModules) symlinkSync(join(toolchain, "..", "node_modules"), join(folder, "node_modules"));
    writeFileSync(
      join(folder, "launch.mjs"),
      'import { runOnNode24 } from "./node24.mjs";\nawait runOnNode24(import.meta.url, "./main.ts");\n',
    );
    writeFileSync(
      join(folder, "main.ts"),
      `const args: readonly string[] = process.argv.slice(2);
if (args[0] === "wait") {
  process.on("SIGTERM", () => process.exit(9));
  setInterval(() => undefined, 1000);
} else process.exitCode = 3;
console.log(process.versions.node, ...args);
`,
    );
    // Makes Node report version 20, to act as an older one.
    writeFileSync(
      join(folder, "old.mjs"),
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } });\n',
    );
    return join(folder, "launch.mjs");
  };
  const start = (args: readonly string[]): Promise<{ code: number; output: string }> =>
    runChild(process.execPath, args);

  test("runs its module in the same process on Node 24", async () => {
    expect(await start([launcher(false), "a", "b c"])).toEqual({ code: 3, output: `${process.versions.node} a b c` });
  });

  test("runs the JavaScript beside it, as in the package, on whichever Node it was started with", async () => {
    const launch = launcher(true);
    writeFileSync(
      join(folder, "main.js"),
      'console.log("emitted", process.versions.node, ...process.argv.slice(2));\n',
    );
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    expect(await start(["--import", join(folder, "old.mjs"), launch, "a", "b c"])).toEqual({
      code: 0,
      output: "emitted 20.1.0 a b c",
    });
  });

  const hasNode24 = existsSync(join(toolchain, "..", "node_modules", `node-${process.platform}-${process.arch}`));
  // There is no package of Node 24 for every platform.
  test.runIf(hasNode24)(
    "on an older Node, starts itself again on Node 24 with its arguments and exit code",
    async () => {
      const { code, output } = await start(["--import", join(folder, "old.mjs"), launcher(true), "a", "b c"]);
      expect(output).toMatch(/^2[4-9]\.\d+\.\d+ a b c$/);
      expect(code).toBe(3);
    },
  );

  // As above.
  test.runIf(hasNode24)("passes a signal on to the Node that replaced it", async () => {
    const child = spawn(process.execPath, ["--import", join(folder, "old.mjs"), launcher(true), "wait"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.once("data", () => child.kill("SIGTERM"));
    expect(await new Promise((resolve) => child.on("exit", resolve))).toBe(9);
  });

  test("keeps what Node has compiled while it runs, for the Pulumi CLI kills its plugins", async () => {
    const { NODE_COMPILE_CACHE: _ours, ...rest } = process.env;
    const child = spawn(process.execPath, [launcher(false), "wait"], { env: { ...rest, XDG_CACHE_HOME: folder } });
    const kept = join(folder, "ballast", "compiled");
    const isKept = () => existsSync(kept) && readdirSync(kept, { recursive: true }).length > 1; // a file in its folder
    await until(isKept, 30, "what was compiled is kept");
    child.kill("SIGKILL");
  });

  test("prints the fix and no stack trace if there is no Node 24", async () => {
    const { code, output } = await start(["--import", join(folder, "old.mjs"), launcher(false)]);
    expect(code).toBe(1);
    expect(output).toMatch(/^toolchain-node-too-old {2}This is Node 20\.1\.0; .*\n {2}fix {3}run `npm ci`.*$/);
  });
});

describe("the launcher of our language host", () => {
  const path = (): string => join(folder, launcherName);

  test("starts the host and the Node that the environment names", async () => {
    writeLauncher(folder);
    const environment = {
      BALLAST_NODE: script(join(folder, "my node"), 'echo "$@"'),
      BALLAST_LANGUAGE_HOST: "/a clone/host.ts",
    };
    expect(await runChild(path(), ["--root=x", "127.0.0.1:1"], { environment })).toEqual({
      code: 0,
      output: "/a clone/host.ts --root=x 127.0.0.1:1",
    });
  });

  test("says how to start it if the environment names none", async () => {
    writeLauncher(folder);
    const { code, output } = await runChild(path(), [], { environment: {} });
    expect(code).not.toBe(0);
    expect(output).toContain('runs only through "npm run pulumi" of a clone of Ballast');
  });

  test("is rewritten if its text differs, and left alone if it is the same", () => {
    script(path(), "# Written by Ballast, an older version");
    writeLauncher(folder);
    expect(readFileSync(path(), "utf8")).toBe(launcherText);
    chmodSync(path(), 0o555);
    writeLauncher(folder);
    expect(readdirSync(folder)).toEqual([launcherName]);
  });
});

test("a program starts without npm's tree builder, and has it once the SDK looks for a function's files", async () => {
  symlinkSync(join(toolchain, "..", "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "name": "tiny", "dependencies": { "yaml": "2" } }');
  const counts = `const pulumi = require("@pulumi/pulumi");
const files = () => Object.keys(require.cache).filter((file) => file.includes("arborist")).length;
const before = files();
pulumi.runtime.computeCodePaths().then((found) => console.log(before, files() > 40, ...found.keys()));\n`;
  writeFileSync(join(folder, "program.cjs"), counts);
  const late = join(toolchain, "pulumi", "late-arborist.ts");
  const { code, output } = await runChild(process.execPath, ["--import", late, join(folder, "program.cjs")], {
    cwd: folder,
  });
  expect([code, output]).toEqual([0, "1 true node_modules/yaml"]);
});

test("a program starts without V8's debugger and asks it later for the files of functions", async () => {
  symlinkSync(join(toolchain, "..", "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "earlier.cjs"), "module.exports = function there() {};\n");
  const text = `const inspector = require("node:inspector");
const { Session } = inspector;
let opened = 0;
inspector.Session = class extends Session { constructor() { super(); opened += 1; } };
require("module").syncBuiltinESMExports();
require("@pulumi/pulumi");
const { isInitializedAsync } = require("@pulumi/pulumi/runtime/closure/v8Hooks.js");
const v8 = require("@pulumi/pulumi/runtime/closure/v8.js");
const earlier = require("./earlier.cjs");
const captured = 3;
(async () => {
  await isInitializedAsync(); // as the SDK does at the start of a program
  const before = opened;
  const here = () => captured;
  const value = await v8.lookupCapturedVariableValueAsync(here, "captured", true);
  const fileOf = async (each) => (await v8.getFunctionLocationAsync(each)).file.split("/").at(-1);
  console.log(before, value, await fileOf(here), await fileOf(earlier), opened);
  process.exit();
})();\n`;
  writeFileSync(join(folder, "program.cjs"), text);
  const late = join(toolchain, "pulumi", "late-debugger.ts");
  const { code, output } = await runChild(process.execPath, ["--import", late, join(folder, "program.cjs")], {
    cwd: folder,
  });
  expect([code, output]).toEqual([0, "0 3 program.cjs earlier.cjs 1"]);
});

test.each([
  ["no stack without", {}, 1],
  ["its stack with", { PULUMI_DEBUG_PROMISE_LEAKS: "true" }, 11],
])("a promise of a program keeps %s PULUMI_DEBUG_PROMISE_LEAKS, and an error always has its own", async (...row) => {
  const [, variables, lines] = row;
  symlinkSync(join(toolchain, "..", "node_modules"), join(folder, "node_modules"));
  const text = `require("@pulumi/pulumi");
const { debuggablePromise } = require("@pulumi/pulumi/runtime/debuggable.js");
const promise = Promise.resolve();
const deep = (levels) => (levels === 0 ? debuggablePromise(promise, "a test") : deep(levels - 1));
function here() {
  deep(20);
  console.log(promise._debugStackTrace.split("\\n").length, /at (here)/.exec(new Error().stack)[1]);
}
here();\n`;
  writeFileSync(join(folder, "program.cjs"), text);
  const untraced = join(toolchain, "pulumi", "untraced-promises.ts");
  const { code, output } = await runChild(process.execPath, ["--import", untraced, join(folder, "program.cjs")], {
    cwd: folder,
    environment: { ...process.env, ...variables },
  });
  expect([code, output]).toEqual([0, `${lines} here`]);
});

describe("the real Pulumi CLI, on our language host", () => {
  let project: string;
  let environment: NodeJS.ProcessEnv;
  const program = (text: string): void => writeFileSync(join(project, "index.ts"), text);
  const run = (...args: string[]): ReturnType<typeof pulumi> =>
    pulumi([...args, "--color", "never"], { cwd: project, environment });

  beforeAll(async () => {
    project = mkdtempSync(join(tmpdir(), "ballast-tiny-"));
    for (const name of ["state", "home", "host"]) mkdirSync(join(project, name));
    symlinkSync(join(toolchain, "..", "node_modules"), join(project, "node_modules"));
    writeFileSync(join(project, "package.json"), '{ "type": "module" }');
    writeFileSync(
      join(project, "Pulumi.yaml"),
      "name: tiny\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.ts\n",
    );
    // Our host comes first on PATH, before an official one that may lie beside this machine's Pulumi CLI.
    writeLauncher(join(project, "host"));
    environment = {
      ...process.env,
      ...launcherEnvironment(),
      PATH: [join(project, "host"), process.env["PATH"]].join(delimiter),
      PULUMI_HOME: join(project, "home"),
      PULUMI_BACKEND_URL: `file://${join(project, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "",
    };
    expect((await run("stack", "init", "test")).code).toBe(0);
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test("previews a program written in TypeScript on the Node that runs us, without npm's tree builder", async () => {
    program(`import { createRequire } from "node:module";
import { Config, ComponentResource } from "@pulumi/pulumi";
const name: string = new Config().require("name");
new ComponentResource("tiny:index:Thing", name);
const files: string[] = Object.keys(createRequire(import.meta.url).cache);
export const builder = files.filter((file) => file.includes("arborist")).length;
const { debuggablePromise } = await import("@pulumi/pulumi/runtime/debuggable.js");
const watched: any = Promise.resolve();
debuggablePromise(watched, "a test");
export const trace = watched._debugStackTrace;
// What the SDK takes for a loader of the user's own, and then leaves its mode for ESM out.
export const loaders = process.execArgv.filter((each) => /^--(loader|import|require)$/.test(each)).length;
export const node = process.execPath;\n`);
    expect((await run("config", "set", "name", "first")).code).toBe(0);
    const { code, output } = await run("preview");
    expect(output).toContain("tiny:index:Thing first create");
    expect(output).toContain(process.execPath);
    expect(output).toMatch(/builder *: 1$/m);
    expect(output).toMatch(/trace *: "Error: "$/m);
    expect(output).toMatch(/loaders *: 0$/m);
    expect(code).toBe(0);
  });

  test("reports once why a program fails, and fails", async () => {
    program('throw new Error("the program is at fault");\n');
    const { code, output } = await run("preview");
    expect(code).not.toBe(0);
    expect(output.match(/the program is at fault/g)).toHaveLength(1);
  });

  test("fails with the name of a call that our host does not offer", async () => {
    program("");
    const { code, output } = await run("install");
    expect(code).not.toBe(0);
    expect(output).toContain("does not offer installDependencies");
  });

  test("ends the program when it is killed", async () => {
    program(`import { writeFileSync } from "node:fs";
writeFileSync("pids", JSON.stringify([process.pid, process.ppid]));
await new Promise((resolve) => setTimeout(resolve, 600_000));\n`);
    const abort = new AbortController();
    const preview = pulumi(["preview"], { cwd: project, environment, signal: abort.signal, graceSeconds: 0 });
    const written = join(project, "pids");
    await until(() => existsSync(written) && readFileSync(written, "utf8") !== "", 40, "the program starts");
    abort.abort();
    expect((await preview).code).not.toBe(0);
    const pids = JSON.parse(readFileSync(written, "utf8")) as number[];
    await until(() => !pids.some(isAlive), 15, "the language host and the program end");
  });

  test("is what `npm run pulumi` runs, and we write nothing to standard output", async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(toolchain, "pulumi", "pulumi.ts"), "version"],
      { env: environment },
    );
    expect(stdout).toMatch(/^v\d+\.\d+\.\d+\S*\n$/);
    await expect(
      promisify(execFile)(process.execPath, [join(toolchain, "pulumi", "pulumi.ts"), "no-such-command"], {
        env: environment,
      }),
    ).rejects.toMatchObject({ code: expect.any(Number) });
  });
});
