// What `npm pack` runs first: writes the package's JavaScript and declarations into dist/, and beside them the few files that the compiler leaves
// alone. Node does not run TypeScript under node_modules, so what others install cannot be the sources. What belongs to the package is
// what the files in tsconfig.package.json lead to; nothing here knows what any of it is for.
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { extname, join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const written = join(root, "dist");
/** What people and the Pulumi engine start, and what the stand-in reads; no import leads to it. */
const besides = [
  "cli/ballast.mjs",
  "provider/pulumi-resource-ballast",
  "toolchain/node/node24.mjs",
  "toolchain/node/foreground.mjs",
  "emulator/azure-specs",
];

rmSync(written, { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tsconfig.package.json")],
  { stdio: "inherit" },
);
if (status === 0)
  for (const path of besides)
    cpSync(join(root, path), join(written, path), {
      recursive: true,
      filter: (file) => ![".ts", ".md"].includes(extname(file)),
    });
process.exitCode = status ?? 1;
