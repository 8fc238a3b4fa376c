// Stryker is a package of its own, in ../tool, because nothing else here needs it: with its 170 packages, installing
// Ballast took 60 MB more, and warned on each Node that Babel leaves out.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..", "tool");
/** Written when the installation is complete: the lock that it followed. A killed one leaves none. */
const done = join(folder, "node_modules", ".installed");

/** The version of Stryker that mutates. */
export const strykerVersion = (): string =>
  (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly dependencies: Record<string, string> })
    .dependencies["@stryker-mutator/core"]!;

/**
 * Gives the program of Stryker, and installs it from its own lock file if it is absent or another one. That takes
 * about 20 seconds, once.
 *
 * @throws If npm fails, which has then said why.
 */
export function installedStryker(): string {
  const lock = readFileSync(join(folder, "package-lock.json"), "utf8");
  if (!existsSync(done) || readFileSync(done, "utf8") !== lock) {
    console.log("Installing Stryker (once; about 20 seconds)");
    const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
    if (status !== 0)
      throw new Error(`Stryker could not be installed: ${error?.message ?? `npm ended with ${status}`}`);
    writeFileSync(done, lock);
  }
  return join(folder, "node_modules", "@stryker-mutator", "core", "bin", "stryker.js");
}
