// The toolchain: which engine is taken, the four ways to one, and what is said when none leads anywhere. Fake engines, installers
// and Go compilers are shell scripts in a temporary folder that alone is on PATH.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BallastError } from "../../errors/catalogue.ts";
import { runChild } from "../../toolchain/child.ts";
import { type BringOptions, bringEngine, type PulumiEngine } from "../../toolchain/pulumi/bring.ts";
import { cachedEngine, cacheFolder } from "../../toolchain/pulumi/cache.ts";
import { launcherEnvironment, launcherName, launcherText } from "../../toolchain/pulumi/launcher.ts";
import { findOnPath, parseVersion, pinnedVersion, serves } from "../../toolchain/pulumi/version.ts";
import { isAlive, script, until } from "../support/processes.ts";

let folder: string;
let bin: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-toolchain-"));
  bin = join(folder, "bin");
  mkdirSync(bin);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const engineScript = (version: string): string => `echo v${version}`;
/** The text of a script that makes a fake engine at the path which `$target` names in it. */
const makesEngine = (target: string): string =>
  `mkdir -p "$(dirname "${target}")"\nprintf '#!/bin/sh\\necho v${pinnedVersion}\\n' > "${target}"\nchmod +x "${target}"`;
const fakeGo = (onBuild: string, version = "go version go1.26.8 linux/amd64"): string =>
  script(
    join(bin, "go"),
    `if [ "$1" = version ]; then echo "${version}"; exit; fi\nwhile [ "$1" != -o ]; do shift; done\n${onBuild}`,
  );
const noInstaller = ["/nonexistent/installer"] as const;

const surroundings = (): NodeJS.ProcessEnv => ({ PATH: bin, HOME: folder, XDG_CACHE_HOME: join(folder, "cache") });
const bring = (options: BringOptions = {}): Promise<PulumiEngine> =>
  bringEngine({ environment: surroundings(), report: () => undefined, installer: noInstaller, ...options });
const failure = (promise: Promise<unknown>): Promise<BallastError> =>
  promise.then(
    () => expect.fail("no error came"),
    (error: unknown) =>
      error instanceof BallastError ? error : expect.fail(`not an error of the catalogue: ${String(error)}`),
  );
const leftovers = (): string[] => readdirSync(cacheFolder(surroundings())).filter((name) => name.startsWith("making-"));

describe("versions", () => {
  test("are read with and without the v, a pre-release and a build", () => {
    expect(parseVersion("v3.259.0\n")).toEqual({ numbers: [3, 259, 0], preRelease: "" });
    expect(parseVersion("3.260.1-alpha.2+abc")).toEqual({ numbers: [3, 260, 1], preRelease: "alpha.2" });
    for (const text of ["", "3.259", "dev", "v3.x.0", "warning: v3.259.0"]) expect(parseVersion(text)).toBeUndefined();
  });

  test.each([
    ["3.259.0", true],
    ["v3.259.1", true],
    ["3.1000.0", true],
    ["3.260.0-dev.1", true],
    ["3.259.0-alpha.1", false],
    ["3.258.9", false],
    ["3.99.0", false],
    ["2.999.0", false],
    ["4.0.0", false],
    ["", false],
  ])("of an engine: %s serves is %s", (version, expected) => {
    expect(serves(version)).toBe(expected);
  });

  test("of the engine and of the SDK in package.json are the same", () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8")) as Record<
      "devDependencies" | "peerDependencies",
      Record<string, string>
    >;
    expect(manifest.devDependencies["@pulumi/pulumi"]).toBe(pinnedVersion);
    expect(manifest.peerDependencies["@pulumi/pulumi"]).toBe(`^${pinnedVersion}`);
  });
});

describe("the first way, PATH", () => {
  test("takes an engine that is new enough and says nothing", async () => {
    const command = script(join(bin, "pulumi"), engineScript("3.300.0"));
    const lines: string[] = [];
    const engine = await bring({ report: (line) => lines.push(line) });
    expect(engine).toMatchObject({ command, version: "3.300.0", binFolder: bin, how: "path" });
    expect(lines).toEqual([]);
    expect(engine.environment["PATH"]?.split(delimiter)[0]).toBe(bin);
    expect(engine.environment["PULUMI_SKIP_UPDATE_CHECK"]).toBe("true");
    expect(engine.environment["NODE_COMPILE_CACHE"]).toBe(join(cacheFolder(surroundings()), "compiled"));
  });

  test("leaves the folder on PATH as it is and has its own language host in the cache", async () => {
    script(join(bin, "pulumi"), engineScript("3.300.0"));
    const engine = await bring();
    expect(readdirSync(bin)).toEqual(["pulumi"]);
    expect(findOnPath(launcherName, engine.environment["PATH"])).toBe(
      join(cacheFolder(surroundings()), "language-host", launcherName),
    );
  });

  test("uses the official language host that came with the engine", async () => {
    script(join(bin, "pulumi"), engineScript("3.300.0"));
    const official = script(join(bin, launcherName), "exit 0");
    const engine = await bring();
    expect(findOnPath(launcherName, engine.environment["PATH"])).toBe(official);
    expect(engine.environment).not.toHaveProperty("BALLAST_LANGUAGE_HOST");
  });
});

describe("the second way, the cache", () => {
  test("is taken where the engine on PATH is too old, with our language host before an old official one", async () => {
    script(join(bin, "pulumi"), engineScript("3.100.0"));
    script(join(bin, launcherName), "exit 0");
    const command = script(cachedEngine(surroundings()), engineScript(pinnedVersion));
    const engine = await bring();
    expect(engine).toMatchObject({ command, version: pinnedVersion, how: "cache" });
    expect(findOnPath(launcherName, engine.environment["PATH"])).toBe(join(engine.binFolder, launcherName));
    expect(engine.environment).toMatchObject(launcherEnvironment());
  });

  test("keeps the official language host that an installer put beside the engine", async () => {
    script(cachedEngine(surroundings()), engineScript(pinnedVersion));
    const official = script(join(cachedEngine(surroundings()), "..", launcherName), "exit 0");
    const text = readFileSync(official, "utf8");
    const engine = await bring();
    expect(readFileSync(official, "utf8")).toBe(text);
    expect(engine.environment).not.toHaveProperty("BALLAST_NODE");
  });
});

describe("the third way, the installer", () => {
  test("fills the cache, so that the next time is a cache hit", async () => {
    const installer = script(join(folder, "installer"), makesEngine("$1/bin/pulumi"));
    const lines: string[] = [];
    expect(await bring({ installer: [installer], report: (line) => lines.push(line) })).toMatchObject({
      command: cachedEngine(surroundings()),
      how: "installed",
    });
    expect(lines).toEqual(["downloads the Pulumi engine by the official installer"]);
    expect(await bring()).toMatchObject({ how: "cache" });
    expect(leftovers()).toEqual([]);
  });

  test("is given up when no byte arrives, and nothing of it stays", async () => {
    const installer = script(join(folder, "installer"), `echo $$ > ${folder}/pid\nexec sleep 600`);
    const error = await failure(bring({ installer: [installer], silenceSeconds: 0.5 }));
    expect(error.message).toContain("no byte arrived for 0.5 s. (toolchain-installer-silent)");
    expect(leftovers()).toEqual([]);
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  test("is not given up while bytes arrive, however slowly, and says how many have", async () => {
    const trickle = `for i in 1 2 3 4 5 6 7 8 9 10; do head -c 200000 /dev/zero >> "$TMPDIR/archive"; sleep 0.3; done`;
    const installer = script(join(folder, "installer"), `${trickle}\n${makesEngine("$1/bin/pulumi")}`);
    const lines: string[] = [];
    expect(
      await bring({
        installer: [installer],
        silenceSeconds: 2,
        heartbeatSeconds: 0.5,
        report: (line) => lines.push(line),
      }),
    ).toMatchObject({ how: "installed" });
    expect(lines).toContainEqual(
      expect.stringMatching(/^downloads the Pulumi engine: (0\.[1-9]|[1-9]\.\d) MB so far$/),
    );
  });

  test("must bring an engine that is new enough", async () => {
    const installer = script(join(folder, "installer"), makesEngine("$1/bin/pulumi").replace(pinnedVersion, "3.1.0"));
    expect((await failure(bring({ installer: [installer] }))).message).toContain("is 3.1.0, and");
    expect(existsSync(cachedEngine(surroundings()))).toBe(false);
  });
});

describe("the fourth way, Go", () => {
  test("builds the engine into the cache, with a first line and a heartbeat", async () => {
    fakeGo(`sleep 0.5\n${makesEngine("$2")}`);
    const lines: string[] = [];
    const engine = await bring({ heartbeatSeconds: 0.1, report: (line) => lines.push(line) });
    expect(engine).toMatchObject({ command: cachedEngine(surroundings()), how: "built" });
    expect(lines).toContain("builds the Pulumi engine once: about four minutes on two cores");
    expect(lines).toContain("builds the Pulumi engine: 0 s");
    expect(readFileSync(join(engine.binFolder, launcherName), "utf8")).toBe(launcherText);
    expect(leftovers()).toEqual([]);
  });

  test("is taken by two at once without a collision", async () => {
    fakeGo(`sleep 0.3\n${makesEngine("$2")}`);
    const engines = await Promise.all([bring(), bring()]);
    expect(engines.map((engine) => engine.command)).toEqual([
      cachedEngine(surroundings()),
      cachedEngine(surroundings()),
    ]);
    expect(leftovers()).toEqual([]);
  });

  test("replaces a cached engine that does not run", async () => {
    script(cachedEngine(surroundings()), "exit 3");
    fakeGo(makesEngine("$2"));
    expect(await bring()).toMatchObject({ how: "built", version: pinnedVersion });
  });

  test("ends at an abort and leaves nothing behind", async () => {
    fakeGo(`echo $$ > ${folder}/pid\nexec sleep 600`);
    const abort = new AbortController();
    const engine = bring({ signal: abort.signal });
    await until(() => existsSync(join(folder, "pid")), 20, "the build starts");
    abort.abort(new Error("enough"));
    await expect(engine).rejects.toThrow("enough");
    expect(leftovers()).toEqual([]);
  });
});

describe("where no way leads to an engine", () => {
  test("one error lists all four, each with its reason and its fix", async () => {
    script(join(bin, "pulumi"), engineScript("3.100.0"));
    fakeGo("exit 1", "go version go1.24.9 linux/amd64");
    const error = await failure(
      bring({ installer: [script(join(folder, "installer"), "echo no such host >&2; exit 1")] }),
    );
    expect(error.id).toBe("toolchain-no-engine");
    expect(error.message.split("\n").slice(1)).toEqual([
      `    PATH       ${bin}/pulumi is 3.100.0, and ${pinnedVersion} or a newer 3.x is needed. (toolchain-engine-too-old)`,
      `    cache      Nothing is at ${cachedEngine(surroundings())}. (toolchain-engine-not-cached)`,
      "    installer  The official installer failed: no such host. (toolchain-installer-failed)",
      '    Go         The go on PATH says "go version go1.24.9 linux/amd64", and 1.25 or newer is needed. (toolchain-go-missing)',
    ]);
    expect(error.fix.split("\n").map((line) => line.trim().split(/\s+/)[0])).toEqual([
      "one",
      "PATH",
      "cache",
      "installer",
      "Go",
    ]);
    expect(error.left).toBe("nothing was started or changed.");
  });

  test("nothing on PATH and a build that fails are said as such", async () => {
    fakeGo('echo "dial tcp: lookup proxy: no such host." >&2; exit 1');
    const { message } = await failure(bring());
    expect(message).toContain("No pulumi is on PATH. (toolchain-engine-not-on-path)");
    expect(message).toContain(
      "Go did not build the engine: dial tcp: lookup proxy: no such host. (toolchain-build-failed)",
    );
    expect(leftovers()).toEqual([]);
  });

  test("an engine that does not answer and an absent Go are said as such", async () => {
    script(join(bin, "pulumi"), "echo cannot execute binary; exit 126");
    const { message } = await failure(bring());
    expect(message).toContain("does not tell its version: cannot execute binary. (toolchain-engine-mute)");
    expect(message).toContain("No go is on PATH. (toolchain-go-missing)");
  });

  test("a cache folder that cannot be written is said as such", async () => {
    writeFileSync(join(folder, "cache"), "a file, not a folder");
    expect((await failure(bring())).message).toContain("(toolchain-cache-unwritable)");
  });
});

describe("a child", () => {
  test("gives its lines as they come, its exit code and the output of both streams", async () => {
    const lines: string[] = [];
    const ended = await runChild("/bin/sh", ["-c", "echo one; echo two >&2; printf three; exit 7"], {
      onLine: (line) => lines.push(line),
    });
    expect(ended.code).toBe(7);
    expect(lines.toSorted()).toEqual(["one", "three", "two"]);
    expect(ended.output.split("\n").toSorted()).toEqual(["one", "three", "two"]);
  });

  test("is interrupted first when aborted, and may end in its own way", async () => {
    const abort = new AbortController();
    const text = "trap 'echo in good order; exit 5' INT; echo ready; while :; do sleep 0.1; done";
    const ended = await runChild("/bin/sh", ["-c", text], {
      signal: abort.signal,
      onLine: (line) => line === "ready" && abort.abort(),
    });
    expect(ended).toEqual({ code: 5, output: "ready\nin good order" });
  });

  test("is killed with all that it started when an interrupt does not help", async () => {
    const abort = new AbortController();
    const text = "trap '' INT; sleep 600 & echo $!; wait; while :; do sleep 600; done";
    let grandchild = 0;
    const onLine = (line: string): void => {
      grandchild = Number(line);
      abort.abort();
    };
    const ended = await runChild("/bin/sh", ["-c", text], { signal: abort.signal, graceSeconds: 0.2, onLine });
    expect(ended.code).toBe(130);
    await until(() => !isAlive(grandchild), 10, "the grandchild ends");
  });

  test("that cannot be started is an answer, not an exception", async () => {
    expect(await runChild("/nonexistent/command", [])).toMatchObject({
      code: 127,
      output: expect.stringContaining("ENOENT"),
    });
  });
});
