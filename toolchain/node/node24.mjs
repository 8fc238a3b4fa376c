// Runs what people start directly (`npm start`, the `ballast` command, the provider) on Node 24, whichever Node they
// start it with. A launcher only calls `runOnNode24`. On an older Node the launcher starts itself again with the Node
// 24 that npm has put into node_modules. This file and all that it imports must be JavaScript that Node 18 can parse.
// The published package holds only JavaScript and runs on any Node.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { keepCompiled, useCompiled } from "./compiled.mjs";
import { runInForeground } from "./foreground.mjs";

/**
 * Runs a module on Node 24 or newer: in this process if it is one, else in a child that takes its place.
 *
 * If JavaScript was emitted beside the launcher, as in the package, that runs as it is on the current Node. If no Node
 * 24 is found, it prints one error and sets exit code 1, because a stack trace about `.ts` would not help.
 *
 * @param {string} metaUrl `import.meta.url` of the launcher, which is started again with the same arguments.
 * @param {string} entry the module to run, relative to the launcher.
 * @returns {Promise<void>}
 */
export async function runOnNode24(metaUrl, entry) {
  const emitted = new URL(entry.replace(/\.ts$/, ".js"), metaUrl);
  const module = existsSync(emitted) ? emitted : new URL(entry, metaUrl);
  if (module === emitted || runsTypeScript(process.versions.node)) {
    useCompiled();
    await import(module.href);
    keepCompiled();
    return;
  }
  const node = node24Beside(metaUrl);
  if (node === undefined) {
    process.stderr.write(
      `toolchain-node-too-old  This is Node ${process.versions.node}; Ballast needs Node 24 or newer.\n` +
        "  fix   run `npm ci` in the project, which installs Node 24 on Linux, " +
        "or install Node 24 and put it first on PATH\n",
    );
    process.exitCode = 1;
    return;
  }
  process.exitCode = await runInForeground(node, [fileURLToPath(metaUrl), ...process.argv.slice(2)]);
}

/** @param {string} version */
const runsTypeScript = (version) => Number(version.split(".")[0]) >= 24;

/**
 * Finds the Node 24 that npm installed with the launcher's package as an optional dependency for this platform.
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
