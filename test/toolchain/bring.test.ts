// Which Pulumi CLI `bringPulumi` uses, the four ways to one, and the error when all fail. Fake Pulumi CLIs, installers
// and Go compilers are shell scripts in a temporary folder, which is the only folder on PATH.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BallastError } from "../../errors/catalogue.ts";
import { runChild } from "../../toolchain/child.ts";
import { cacheFolder } from "../../toolchain/node/cache-folder.mjs";
import { type BringOptions, bringPulumi, type PulumiCli } from "../../toolchain/pulumi/bring.ts";
import { cachedPulumi } from "../../toolchain/pulumi/cache.ts";
import { launcherEnvironment, launcherName, launcherText } from "../../toolchain/pulumi/launcher.ts";
import { findOnPath, isAccepted, parseVersion, pinnedVersion } from "../../toolchain/pulumi/version.ts";
import { isAlive, script, until } from "../support/processes.ts";

let folder: string;
let bin: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ballast-toolchain-"));
  bin = join(folder, "bin");
  mkdirSync(bin);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pulumiScript = (version: string): string => `echo v${version}`;
/** Gives a script that makes a fake Pulumi CLI at the given path, which may name a variable of the script. */
const makesPulumi = (target: string): string =>
  [
    `mkdir -p "$(dirname "${target}")"`,
    `printf '#!/bin/sh\\necho v${pinnedVersion}\\n' > "${target}"`,
    `chmod +x "${target}"`,
  ].join("\n");
const fakeGo = (onBuild: string, version = "go version go1.26.8 linux/amd64"): string =>
  script(
    join(bin, "go"),
    `if [ "$1" = version ]; then echo "${version}"; exit; fi\nwhile [ "$1" != -o ]; do shift; done\n${onBuild}`,
  );
const noInstaller = ["/nonexistent/installer"] as const;

const surroundings = (): NodeJS.ProcessEnv => ({ PATH: bin, HOME: folder, XDG_CACHE_HOME: join(folder, "cache") });
const bring = (options: BringOptions = {}): Promise<PulumiCli> =>
  bringPulumi({ environment: surroundings(), report: () => undefined, installer: noInstaller, ...options });
const failure = (promise: Promise<unknown>): Promise<BallastError> =>
  promise.then(
    () => expect.fail("no error was thrown"),
    (error: unknown) =>
      error instanceof BallastError ? error : expect.fail(`not a catalogue error: ${String(error)}`),
  );
const leftovers = (): string[] => readdirSync(cacheFolder(surroundings())).filter((name) => name.startsWith("making"));

describe("versions", () => {
  test("are parsed with and without the v, a pre-release and build metadata", () => {
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
  ])("accepted of a Pulumi CLI: %s is %s", (version, expected) => {
    expect(isAccepted(version)).toBe(expected);
  });

  test("of the Pulumi CLI and of the SDK in package.json are equal", () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8")) as Record<
      "devDependencies" | "peerDependencies",
      Record<string, string>
    >;
    expect(manifest.devDependencies["@pulumi/pulumi"]).toBe(pinnedVersion);
    expect(manifest.peerDependencies["@pulumi/pulumi"]).toBe(`^${pinnedVersion}`);
  });
});

describe("the first way, PATH", () => {
  test("uses a Pulumi CLI that is new enough and reports nothing", async () => {
    const command = script(join(bin, "pulumi"), pulumiScript("3.300.0"));
    const lines: string[] = [];
    const pulumiCli = await bring({ report: (line) => lines.push(line) });
    expect(pulumiCli).toMatchObject({ command, version: "3.300.0", binFolder: bin, how: "path" });
    expect(lines).toEqual([]);
    expect(pulumiCli.environment["PATH"]?.split(delimiter)[0]).toBe(bin);
    expect(pulumiCli.environment["PULUMI_SKIP_UPDATE_CHECK"]).toBe("true");
    expect(pulumiCli.environment["NODE_COMPILE_CACHE"]).toBe(join(cacheFolder(surroundings()), "compiled"));
  });

  test("does not change the folder on PATH and puts our language host into the cache", async () => {
    script(join(bin, "pulumi"), pulumiScript("3.300.0"));
    const pulumiCli = await bring();
    expect(readdirSync(bin)).toEqual(["pulumi"]);
    expect(findOnPath(launcherName, pulumiCli.environment["PATH"])).toBe(
      join(cacheFolder(surroundings()), "language-host", launcherName),
    );
  });

  test("uses the official language host that came with the Pulumi CLI", async () => {
    script(join(bin, "pulumi"), pulumiScript("3.300.0"));
    const official = script(join(bin, launcherName), "exit 0");
    const pulumiCli = await bring();
    expect(findOnPath(launcherName, pulumiCli.environment["PATH"])).toBe(official);
    expect(pulumiCli.environment).not.toHaveProperty("BALLAST_LANGUAGE_HOST");
  });
});

describe("the second way, the cache", () => {
  test("is used when the Pulumi CLI on PATH is too old, with our language host before an official one", async () => {
    script(join(bin, "pulumi"), pulumiScript("3.100.0"));
    script(join(bin, launcherName), "exit 0");
    const command = script(cachedPulumi(surroundings()), pulumiScript(pinnedVersion));
    const pulumiCli = await bring();
    expect(pulumiCli).toMatchObject({ command, version: pinnedVersion, how: "cache" });
    expect(findOnPath(launcherName, pulumiCli.environment["PATH"])).toBe(join(pulumiCli.binFolder, launcherName));
    expect(pulumiCli.environment).toMatchObject(launcherEnvironment());
  });

  test("keeps the official language host that the installer put beside the Pulumi CLI", async () => {
    script(cachedPulumi(surroundings()), pulumiScript(pinnedVersion));
    const official = script(join(cachedPulumi(surroundings()), "..", launcherName), "exit 0");
    const text = readFileSync(official, "utf8");
    const pulumiCli = await bring();
    expect(readFileSync(official, "utf8")).toBe(text);
    expect(pulumiCli.environment).not.toHaveProperty("BALLAST_NODE");
  });
});

describe("the third way, the installer", () => {
  test("fills the cache, so that the next call finds the Pulumi CLI there", async () => {
    const installer = script(join(folder, "installer"), makesPulumi("$1/bin/pulumi"));
    const lines: string[] = [];
    expect(await bring({ installer: [installer], report: (line) => lines.push(line) })).toMatchObject({
      command: cachedPulumi(surroundings()),
      how: "installed",
    });
    expect(lines).toEqual(["Downloading the Pulumi CLI with the official installer"]);
    expect(await bring()).toMatchObject({ how: "cache" });
    expect(leftovers()).toEqual([]);
  });

  test("is stopped when no byte arrives, and leaves no files", async () => {
    const installer = script(join(folder, "installer"), `echo $$ > ${folder}/pid\nexec sleep 600`);
    const error = await failure(bring({ installer: [installer], silenceSeconds: 0.5 }));
    expect(error.message).toContain("it received no data for 0.5 s. (toolchain-installer-silent)");
    expect(leftovers()).toEqual([]);
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  test("keeps running while bytes arrive slowly, and reports how many have arrived", async () => {
    const trickle = `for i in 1 2 3 4 5 6 7 8 9 10; do head -c 200000 /dev/zero >> "$TMPDIR/archive"; sleep 0.3; done`;
    const installer = script(join(folder, "installer"), `${trickle}\n${makesPulumi("$1/bin/pulumi")}`);
    const lines: string[] = [];
    expect(
      await bring({
        installer: [installer],
        silenceSeconds: 2,
        heartbeatSeconds: 0.5,
        report: (line) => lines.push(line),
      }),
    ).toMatchObject({ how: "installed" });
    expect(lines).toContainEqual(expect.stringMatching(/^Downloading the Pulumi CLI: (0\.[1-9]|[1-9]\.\d) MB so far$/));
  });

  test("fails when it installs a Pulumi CLI that is too old", async () => {
    const installer = script(join(folder, "installer"), makesPulumi("$1/bin/pulumi").replace(pinnedVersion, "3.1.0"));
    expect((await failure(bring({ installer: [installer] }))).message).toContain("is version 3.1.0;");
    expect(existsSync(cachedPulumi(surroundings()))).toBe(false);
  });
});

describe("the fourth way, Go", () => {
  test("builds the Pulumi CLI into the cache, with a first line and a heartbeat", async () => {
    fakeGo(`sleep 0.5\n${makesPulumi("$2")}`);
    const lines: string[] = [];
    const pulumiCli = await bring({ heartbeatSeconds: 0.1, report: (line) => lines.push(line) });
    expect(pulumiCli).toMatchObject({ command: cachedPulumi(surroundings()), how: "built" });
    expect(lines).toContain("Building the Pulumi CLI (once; about four minutes on two cores)");
    expect(lines).toContain("Building the Pulumi CLI: 0 s");
    expect(readFileSync(join(pulumiCli.binFolder, launcherName), "utf8")).toBe(launcherText);
    expect(leftovers()).toEqual([]);
  });

  test("is gone once for three callers at once", async () => {
    fakeGo(`echo built >> ${folder}/builds\nsleep 0.3\n${makesPulumi("$2")}`);
    const lines: string[] = [];
    const report = (line: string) => lines.push(line);
    const pulumiClis = await Promise.all([bring({ report }), bring({ report }), bring({ report })]);
    expect(pulumiClis.map(({ command }) => command)).toEqual(pulumiClis.map(() => cachedPulumi(surroundings())));
    expect(readFileSync(join(folder, "builds"), "utf8")).toBe("built\n");
    expect(lines).toContain("Waiting for another process that makes the Pulumi CLI: 0 s");
    expect(leftovers()).toEqual([]);
  });

  test("is free again once a killed process has not touched its lock for a while", async () => {
    fakeGo(makesPulumi("$2"));
    mkdirSync(cacheFolder(surroundings()), { recursive: true });
    writeFileSync(join(cacheFolder(surroundings()), "making.lock"), "a process that was killed");
    expect(await bring({ silenceSeconds: 0.5 })).toMatchObject({ how: "built" });
    expect(leftovers()).toEqual([]);
  });

  test("waits no longer on an abort, and leaves the other process its lock", async () => {
    fakeGo(makesPulumi("$2"));
    mkdirSync(cacheFolder(surroundings()), { recursive: true });
    const lock = join(cacheFolder(surroundings()), "making.lock");
    writeFileSync(lock, "a process that builds");
    const abort = new AbortController();
    const report = () => abort.abort(new Error("enough"));
    await expect(bring({ signal: abort.signal, report })).rejects.toThrow("enough");
    expect([readFileSync(lock, "utf8"), leftovers()]).toEqual(["a process that builds", ["making.lock"]]);
  });

  test("replaces a cached Pulumi CLI that does not run", async () => {
    script(cachedPulumi(surroundings()), "exit 3");
    fakeGo(makesPulumi("$2"));
    expect(await bring()).toMatchObject({ how: "built", version: pinnedVersion });
  });

  test("stops on an abort and leaves nothing behind", async () => {
    fakeGo(`echo $$ > ${folder}/pid\nexec sleep 600`);
    const abort = new AbortController();
    const pulumiCli = bring({ signal: abort.signal });
    await until(() => existsSync(join(folder, "pid")), 20, "the build starts");
    abort.abort(new Error("enough"));
    await expect(pulumiCli).rejects.toThrow("enough");
    expect(leftovers()).toEqual([]);
  });
});

describe("when no way leads to a Pulumi CLI", () => {
  test("one error lists all four, each with its reason and its fix", async () => {
    script(join(bin, "pulumi"), pulumiScript("3.100.0"));
    fakeGo("exit 1", "go version go1.24.9 linux/amd64");
    const error = await failure(
      bring({ installer: [script(join(folder, "installer"), "echo no such host >&2; exit 1")] }),
    );
    expect(error.id).toBe("toolchain-no-pulumi");
    expect(error.message.split("\n").slice(1)).toEqual([
      `    PATH       ${bin}/pulumi is version 3.100.0; Ballast needs ${pinnedVersion} or a newer 3.x. ` +
        "(toolchain-pulumi-too-old)",
      `    cache      The cache has no ${cachedPulumi(surroundings())}. (toolchain-pulumi-not-cached)`,
      "    installer  The official installer failed: no such host. (toolchain-installer-failed)",
      '    Go         The go on PATH is "go version go1.24.9 linux/amd64"; the build needs 1.25 or newer. ' +
        "(toolchain-go-missing)",
    ]);
    expect(error.fix.split("\n").map((line) => line.trim().split(/\s+/)[0])).toEqual([
      "do",
      "PATH",
      "cache",
      "installer",
      "Go",
    ]);
    expect(error.left).toBe("Nothing was started or changed.");
  });

  test("the error names an empty PATH and a failed build", async () => {
    fakeGo('echo "dial tcp: lookup proxy: no such host." >&2; exit 1');
    const { message } = await failure(bring());
    expect(message).toContain("No pulumi is on PATH. (toolchain-pulumi-not-on-path)");
    expect(message).toContain(
      "Go failed to build the Pulumi CLI: dial tcp: lookup proxy: no such host. (toolchain-build-failed)",
    );
    expect(leftovers()).toEqual([]);
  });

  test("the error names a Pulumi CLI that does not run and an absent Go", async () => {
    script(join(bin, "pulumi"), "echo cannot execute binary; exit 126");
    const { message } = await failure(bring());
    expect(message).toContain("does not report its version: cannot execute binary. (toolchain-pulumi-mute)");
    expect(message).toContain("No go is on PATH. (toolchain-go-missing)");
  });

  test("the error names a cache folder that cannot be written", async () => {
    writeFileSync(join(folder, "cache"), "a file, not a folder");
    expect((await failure(bring())).message).toContain("(toolchain-cache-unwritable)");
  });
});

describe("a child", () => {
  test("reports each line as it comes, then its exit code and the output of both streams", async () => {
    const lines: string[] = [];
    const ended = await runChild("/bin/sh", ["-c", "echo one; echo two >&2; printf three; exit 7"], {
      onLine: (line) => lines.push(line),
    });
    expect(ended.code).toBe(7);
    expect(lines.toSorted()).toEqual(["one", "three", "two"]);
    expect(ended.output.split("\n").toSorted()).toEqual(["one", "three", "two"]);
  });

  test("is interrupted first when aborted, and may then clean up and exit", async () => {
    const abort = new AbortController();
    const text = "trap 'echo cleaned up; exit 5' INT; echo ready; while :; do sleep 0.1; done";
    const ended = await runChild("/bin/sh", ["-c", text], {
      signal: abort.signal,
      onLine: (line) => line === "ready" && abort.abort(),
    });
    expect(ended).toEqual({ code: 5, output: "ready\ncleaned up" });
  });

  test("is killed with everything that it started when it ignores the interrupt", async () => {
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

  test("that cannot be started gives exit code 127 and does not throw", async () => {
    expect(await runChild("/nonexistent/command", [])).toMatchObject({
      code: 127,
      output: expect.stringContaining("ENOENT"),
    });
  });
});
