// Runs Pulumi's own installer (`official-installer.ts <folder>`) as a program, so that `install.ts` can watch and stop
// it. The installer installs the version of the SDK that calls it, which is the pinned one.
import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";

const root = process.argv[2];
if (root === undefined) throw new Error("usage: official-installer.ts <folder>");
try {
  await PulumiCommand.install({ root });
} catch (error) {
  process.stderr.write(`${(error as Error).message.trim().split("\n").at(-1)}\n`);
  process.exitCode = 1;
}
