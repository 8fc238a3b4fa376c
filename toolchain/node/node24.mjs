// Lets what people start directly (`npm start`, the `ballast` command, the provider) run on Node 24 wherever they
// start it: a launcher calls `runOnNode24` and nothing else. On an older Node it starts itself again with the Node 24 that
// npm has put into node_modules. Plain JavaScript that Node 18 can read, and of ours it imports only what is the same:
// on an older Node no other file of ours can even be parsed. In the package, which holds JavaScript alone, none of that is needed.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { runInForeground } from "./foreground.mjs";

/**
 * Runs a module on Node 24 or newer: in this process where that is what it is, else in a child that takes its place.
 *
 * Where JavaScript was emitted beside the launcher, as it was for the package, that is run as it is, on whichever Node this is.
 *
 * Where there is no such Node it ends the process with one clear error; a stack trace about `.ts` would help nobody.
 *
 * @param {string} metaUrl `import.meta.url` of the launcher, which is started again with the same arguments.
 * @param {string} entry the module to run, relative to the launcher.
 * @returns {Promise<void>}
 */
export async function runOnNode24(metaUrl, entry) {
  const emitted = new URL(entry.replace(/\.ts$/, ".js"), metaUrl);
  const module = existsSync(emitted) ? emitted : runsUs(process.versions.node) ? new URL(entry, metaUrl) : undefined;
  if (module !== undefined) {
    await import(module.href);
    return;
  }
  const node = node24Beside(metaUrl);
  if (node === undefined) {
    process.stderr.write(
      `toolchain-node-too-old  This is Node ${process.versions.node}, and Ballast runs on Node 24 or newer.\n` +
        "  fix   run `npm ci` in the project, which brings Node 24 on Linux, or install Node 24 and put it first on PATH\n",
    );
    process.exitCode = 1;
    return;
  }
  process.exitCode = await runInForeground(node, [fileURLToPath(metaUrl), ...process.argv.slice(2)]);
}

/** @param {string} version */
const runsUs = (version) => Number(version.split(".")[0]) >= 24;

/**
 * Finds the Node 24 that npm installed with the launcher's package, as an optional dependency for this very machine.
 *
 * @param {string} metaUrl
 * @returns {string | undefined}
 */
function node24Beside(metaUrl) {
  try {
    return createRequire(metaUrl).resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return undefined;
  }
}
