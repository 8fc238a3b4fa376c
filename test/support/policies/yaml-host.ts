// Brings Pulumi's language host for YAML, so that a test can run a program that is not ours. It comes with an installed
// Pulumi CLI; beside one that was built with Go it is built too, once for each machine.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../../toolchain/node/cache-folder.mjs";
import type { PulumiCli } from "../../../toolchain/pulumi/bring.ts";
import { findGo } from "../../../toolchain/pulumi/build.ts";
import { findOnPath, isExecutable } from "../../../toolchain/pulumi/version.ts";

const name = "pulumi-language-yaml";
const version = "1.25.0";

/** Gives the folder of the language host. @throws toolchain-go-missing if there is neither a host nor a Go */
export async function bringYamlHost({ binFolder }: PulumiCli): Promise<string> {
  const onPath = findOnPath(name, process.env["PATH"]);
  const beside = join(binFolder, name);
  const cached = join(cacheFolder(process.env), `${name}-${version}`, name);
  const found = [beside, onPath, cached].find((path) => path !== undefined && isExecutable(path));
  if (found !== undefined) return dirname(found);
  await build(cached);
  return dirname(cached);
}

async function build(target: string): Promise<void> {
  const go = await findGo(process.env);
  mkdirSync(dirname(dirname(target)), { recursive: true });
  const source = mkdtempSync(join(dirname(dirname(target)), "making-"));
  try {
    writeFileSync(
      join(source, "go.mod"),
      `module host\n\ngo 1.25\n\nrequire github.com/pulumi/pulumi-yaml v${version}\n`,
    );
    const args = ["build", "-mod=mod", "-ldflags", "-s -w", "-o", join(source, "bin", name)];
    await promisify(execFile)(go, [...args, "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"], {
      cwd: source,
      env: { ...process.env, PWD: source, GOWORK: "off" },
    });
    rmSync(dirname(target), { recursive: true, force: true });
    renameSync(join(source, "bin"), dirname(target));
  } finally {
    rmSync(source, { recursive: true, force: true });
  }
}
