// Runs before `npm pack`: writes the package's JavaScript and declarations into dist/, with the few other files that it
// needs. Node does not run TypeScript under node_modules, so the sources themselves cannot be installed. The package
// holds what the files in tsconfig.package.json lead to.
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { withFields } from "./form-members.ts";

const root = join(import.meta.dirname, "..", "..");
const dist = join(root, "dist");
/** What people and the Pulumi CLI start, and what the emulator reads; no import leads to these. */
const copied = [
  "cli/ballast.mjs",
  "analysis/reports/analysis.schema.json",
  "provider/pulumi-resource-ballast",
  "provider/launch.mjs",
  "policies/ballast",
  "policies/pack/launch.mjs",
  "toolchain/node/node24.mjs",
  "toolchain/node/foreground.mjs",
  "emulator/azure-specs",
];

rmSync(dist, { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tsconfig.package.json")],
  { stdio: "inherit" },
);
if (status === 0) {
  for (const path of copied)
    cpSync(join(root, path), join(dist, path), {
      recursive: true,
      filter: (file) => ![".ts", ".md"].includes(extname(file)),
    });
  const declarations = join(dist, "engines", "rollout", "intent.d.ts");
  writeFileSync(declarations, withFields(readFileSync(declarations, "utf8")));
}
process.exitCode = status ?? 1;
