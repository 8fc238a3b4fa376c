// Loaded before the program in all variants of the preview benchmark. It records when the program's process
// began and ended. For two variants it rewrites our sources as they are loaded: imports of single files of
// azure-native become imports of the whole package, or the line that turns off translated stack traces is
// removed. So the variants differ in nothing else.
import { appendFileSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import path from "node:path";

const byFile = /^import \{ ([^}]+) \} from "@pulumi\/azure-native\/([a-z0-9]+)\/([A-Za-z0-9]+)\.js";$/gm;
const ours = new URL("../../", import.meta.url).href;
const isOurs = (/** @type {string} */ url) =>
  url.startsWith(ours) && !url.slice(ours.length).startsWith("node_modules/");

/** Rewrites the imports of one source; types are dropped because they import nothing. */
export const whole = (/** @type {string} */ text) =>
  text.replace(
    byFile,
    (/** @type {string} */ _, /** @type {string} */ names, /** @type {string} */ module, /** @type {string} */ file) =>
      `import ${module}_${file} from "@pulumi/azure-native"; const { ${names
        .split(", ")
        .filter((name) => !name.startsWith("type "))
        .join(", ")} } = ${module}_${file}.${module};`,
  );

/** Removes the line that turns off the translation of stack traces. */
export const translated = (/** @type {string} */ text) =>
  text.replace(/^Reflect\.deleteProperty\(Error, "prepareStackTrace"\);.*$/m, "");

/** @type {(source: import("node:module").ModuleSource) => string} */
const textOf = (source) => (typeof source === "string" ? source : new TextDecoder().decode(source));

/** @type {{ readonly [arm: string]: ((text: string) => string) | undefined }} */
const rewrites = { whole, translated };
const folder = process.env["BALLAST_BENCH_PREVIEW"];
if (folder !== undefined && process.argv[1]?.endsWith(path.join("cmd", "run", "index.js"))) {
  process.on("exit", () =>
    appendFileSync(
      path.join(folder, "programs"),
      `${JSON.stringify({ began: performance.timeOrigin, ended: performance.timeOrigin + performance.now() })}\n`,
    ),
  );
  // Each variant gets URLs of its own, so that Node's compile cache serves all of them equally.
  const arm = readFileSync(path.join(folder, "arm"), "utf8");
  const rewrite = rewrites[arm];
  if (rewrite !== undefined)
    registerHooks({
      resolve: (specifier, context, next) => {
        const resolved = next(specifier, context);
        return isOurs(resolved.url) ? { ...resolved, url: `${resolved.url.split("?")[0]}?${arm}` } : resolved;
      },
      load: (url, context, next) => {
        const loaded = next(url, context);
        return isOurs(url) && loaded.source !== undefined && loaded.source !== null
          ? { ...loaded, source: rewrite(textOf(loaded.source)) }
          : loaded;
      },
    });
}
