// Our corner of the user's cache folder: where a brought engine stays for the next time, and how one gets there whole or not at all.
// It knows nothing of how engines are made.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { BallastError } from "../../errors/catalogue.ts";
import { cacheUnwritable } from "../../errors/toolchain.ts";
import { checkedVersion, pinnedVersion } from "./version.ts";

/** Gives the folder that holds everything of ours: XDG_CACHE_HOME where set, else the platform's habit. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const home = environment["HOME"] || homedir();
  const usual = process.platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
  return join(environment["XDG_CACHE_HOME"] || usual, "ballast");
}

/** Gives the folder of the pinned engine. It has the installer's own layout, with the executables in `bin`. */
const engineFolder = (environment: NodeJS.ProcessEnv): string =>
  join(cacheFolder(environment), `pulumi-${pinnedVersion}`);

/** Gives the path at which the pinned engine is cached, whether or not it is there. */
export const cachedEngine = (environment: NodeJS.ProcessEnv): string =>
  join(engineFolder(environment), "bin", "pulumi");

/**
 * Has an engine made in a folder of its own and then moves it into the cache in one step.
 *
 * Two who do so at once therefore never see each other's half: the one who comes second throws his own away and takes the first
 * one's. What somebody left behind who was killed in the middle is removed by whoever comes a day later.
 */
export async function fillCache(
  environment: NodeJS.ProcessEnv,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const own = ownFolder(cacheFolder(environment));
  try {
    await make(own);
    await checkedVersion(join(own, "bin", "pulumi"), environment);
    await adopt(own, environment);
    return cachedEngine(environment);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function ownFolder(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true });
    for (const name of readdirSync(cache).filter((entry) => entry.startsWith("making-"))) {
      const path = join(cache, name);
      if (Date.now() - statSync(path).mtimeMs > 86_400_000) rmSync(path, { recursive: true, force: true });
    }
    return mkdtempSync(join(cache, "making-"));
  } catch (error) {
    throw cacheUnwritable({ folder: cache, answer: (error as Error).message });
  }
}

async function adopt(own: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const target = engineFolder(environment);
  try {
    renameSync(own, target);
  } catch {
    const there = await checkedVersion(cachedEngine(environment), environment).catch((error: unknown) => error);
    if (!(there instanceof BallastError)) return;
    // What stands there is of no use, or it would have been taken before anything was made.
    rmSync(target, { recursive: true, force: true });
    renameSync(own, target);
  }
}
