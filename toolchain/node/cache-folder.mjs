// Where our part of the user's cache is. It is plain JavaScript because the launchers need it on a Node that is too old
// for TypeScript.
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Gives our folder in the user's cache: below XDG_CACHE_HOME if set, else below the platform's default.
 *
 * @param {{ readonly [name: string]: string | undefined }} environment
 * @returns {string}
 */
export function cacheFolder(environment) {
  const home = environment["HOME"] || homedir();
  const platformDefault = process.platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
  return join(environment["XDG_CACHE_HOME"] || platformDefault, "ballast");
}

/**
 * Gives the folder in which Node keeps what it has compiled: that of the environment, else one of our own.
 *
 * @param {{ readonly [name: string]: string | undefined }} environment
 * @returns {string}
 */
export const compiledFolder = (environment) =>
  environment["NODE_COMPILE_CACHE"] ?? join(cacheFolder(environment), "compiled");
