// Brings act, actionlint, zizmor and the SARIF multitool for `npm run test:workflows`, pinned by version and by the
// hash of what is downloaded. They are kept in the user's cache. On a machine that cannot get one, the command fails: a
// check that was not made is no success.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "../../../toolchain/child.ts";
import { findGo } from "../../../toolchain/pulumi/build.ts";
import { cacheFolder } from "../../../toolchain/node/cache-folder.mjs";
import { findOnPath, isExecutable, lastLine } from "../../../toolchain/pulumi/version.ts";

/** A program that is built with Go from a module, whose sum Go's own checksum database signs as well. */
interface GoTool {
  readonly name: string;
  readonly module: string;
  readonly package: string;
  readonly version: string;
  readonly sum: string;
}

const act: GoTool = {
  name: "act",
  module: "github.com/nektos/act",
  package: "github.com/nektos/act",
  version: "v0.2.89",
  sum: "h1:d9oFeJ6jUkaVExuG+XzAaMPDqoDrNHaGeiRb8IU+N5w=",
};
const actionlint: GoTool = {
  name: "actionlint",
  module: "github.com/rhysd/actionlint",
  package: "github.com/rhysd/actionlint/cmd/actionlint",
  version: "v1.7.12",
  sum: "h1:vQ4GeJN86C0QH+gTUQcs8McmK62OLT3kmakPMtEWYnY=",
};

/** The wheels of zizmor that the pin allows: the workflow `workflow-lint` lists the same. */
export const zizmor = {
  version: "1.32.0",
  hashes: [
    "0a999c98015becd9f69919ce01febadfb1c2be9b8ec2ce9ef7eb13ff23ba8eba",
    "0cdd38fca6eb34ceb567548548d706332e3535ea66894b9168c048e03207b68c",
    "84a6acb975accc13408786a2bd274b572537ca19c933ebbc13e78f3988562071",
    "aa4b4e216321dd5cf202cd79fc83296468f0eed79d850cd65ac8187a6bbc5496",
  ],
};

/** The judge of SARIF files, by the hash of its npm package for this platform. */
const multitool = {
  version: "5.7.0",
  integrity: "sha512-NxUbpq6ISCWoTQ/NfOYEwEDKq1Heka/rMoJ5R5LMydcAZQX/X7g5mWHcgxDub+0M07LC96tZ5LZHvF1Qy3gjTA==",
};

export interface Tools {
  readonly act: string;
  readonly actionlint: string;
  readonly zizmor: string;
  readonly multitool: string;
}

/** Brings all four. @throws an error that names the tool and the reason */
export async function bringTools(report: (line: string) => void): Promise<Tools> {
  return {
    act: await bringAct(report),
    actionlint: await goTool(actionlint, report),
    zizmor: await zizmorTool(report),
    multitool: await sarifTool(report),
  };
}

/** Brings act alone. @throws an error that says why it cannot be built */
export const bringAct = (report: (line: string) => void): Promise<string> => goTool(act, report);

/** Makes something in a folder of its own and moves it into the cache in one step. */
async function cached(name: string, program: string, make: (folder: string) => Promise<void>): Promise<string> {
  const kept = join(cacheFolder(process.env), name);
  const path = join(kept, "bin", program);
  if (isExecutable(path)) return path;
  mkdirSync(cacheFolder(process.env), { recursive: true });
  const folder = mkdtempSync(join(cacheFolder(process.env), "making-"));
  try {
    await make(folder);
    rmSync(kept, { recursive: true, force: true });
    renameSync(folder, kept);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}

const goTool = (tool: GoTool, report: (line: string) => void): Promise<string> =>
  cached(`${tool.name}-${tool.version}`, tool.name, async (folder) => {
    report(`building ${tool.name} ${tool.version} (once)`);
    const go = await findGo(process.env);
    const run = async (...args: readonly string[]): Promise<string> => {
      const environment = { ...process.env, PWD: folder, GOWORK: "off", GOBIN: join(folder, "bin") };
      const { code, output } = await runChild(go, args, { cwd: folder, environment });
      if (code !== 0) throw new Error(`${tool.name} ${tool.version} cannot be built: ${lastLine(output)}`);
      return output;
    };
    writeFileSync(join(folder, "go.mod"), "module tools\n");
    const downloaded = await run("mod", "download", "-json", `${tool.module}@${tool.version}`);
    if (!downloaded.includes(`"Sum": "${tool.sum}"`))
      throw new Error(`${tool.name} ${tool.version} is not the module that was pinned`);
    await run("install", `${tool.package}@${tool.version}`);
  });

const zizmorTool = (report: (line: string) => void): Promise<string> =>
  cached(`zizmor-${zizmor.version}`, "zizmor", async (folder) => {
    report(`downloading zizmor ${zizmor.version} (once)`);
    const python = findOnPath("python3", process.env["PATH"]);
    if (python === undefined) throw new Error("zizmor needs python3 on PATH, which brings its wheel");
    const args = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder];
    const { code, output } = await runChild(python, [...args, `zizmor==${zizmor.version}`]);
    if (code !== 0) throw new Error(`zizmor ${zizmor.version} cannot be downloaded: ${lastLine(output)}`);
    const wheel = join(folder, readdirSync(folder).find((name) => name.endsWith(".whl")) ?? "none");
    const hash = createHash("sha256").update(readFileSync(wheel)).digest("hex");
    if (!zizmor.hashes.includes(hash)) throw new Error(`zizmor ${zizmor.version} is not a wheel that was pinned`);
    // The wheel is an archive with the program in it.
    const unpack = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    await runChild(python, ["-c", unpack, wheel, join(folder, "wheel")]);
    const scripts = join(folder, "wheel", `zizmor-${zizmor.version}.data`, "scripts");
    renameSync(scripts, join(folder, "bin"));
    await runChild("chmod", ["+x", join(folder, "bin", "zizmor")]);
  });

const sarifTool = (report: (line: string) => void): Promise<string> =>
  cached(`sarif-multitool-${multitool.version}`, "Sarif.Multitool", async (folder) => {
    report(`downloading the SARIF multitool ${multitool.version} (once)`);
    const name = "@microsoft/sarif-multitool-linux";
    const dependencies = { [name]: multitool.version };
    const locked = { version: multitool.version, integrity: multitool.integrity };
    const lock = { lockfileVersion: 3, packages: { "": { dependencies }, [`node_modules/${name}`]: locked } };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
    const npm = findOnPath("npm", process.env["PATH"]);
    if (npm === undefined) throw new Error("the SARIF multitool needs npm on PATH");
    const { code, output } = await runChild(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: folder,
    });
    if (code !== 0) throw new Error(`the SARIF multitool ${multitool.version} cannot be had: ${lastLine(output)}`);
    renameSync(join(folder, "node_modules", name), join(folder, "bin"));
    await runChild("chmod", ["+x", join(folder, "bin", "Sarif.Multitool")]);
  });
