// Our part of the user's cache folder: it keeps an installed or built Pulumi CLI for the next time. A
// Pulumi CLI gets there complete or not at all.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { BallastError } from "../../errors/catalogue.ts";
import { cacheUnwritable } from "../../errors/toolchain.ts";
import { cacheFolder } from "../node/cache-folder.mjs";
import { alone, type Waiting } from "./alone.ts";
import { checkedVersion, pinnedVersion } from "./version.ts";

/** Gives the folder of the pinned Pulumi CLI. It has the installer's own layout, with the executables in `bin`. */
const pulumiFolder = (environment: NodeJS.ProcessEnv): string =>
  join(cacheFolder(environment), `pulumi-${pinnedVersion}`);

/** Gives the path at which the pinned Pulumi CLI is cached, whether or not it exists. */
export const cachedPulumi = (environment: NodeJS.ProcessEnv): string =>
  join(pulumiFolder(environment), "bin", "pulumi");

/**
 * Makes a Pulumi CLI in a folder of its own, moves it into the cache in one step and gives its path.
 *
 * Of several processes that do this at once, one makes it, and the others wait and use it. None ever sees unfinished
 * files. Files that a killed process left behind are removed by the first call after a day.
 *
 * @throws toolchain-cache-unwritable
 */
export async function fillCache(
  environment: NodeJS.ProcessEnv,
  waiting: Waiting,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const own = ownFolder(cacheFolder(environment));
  try {
    await alone(join(cacheFolder(environment), "making.lock"), waiting, async () => {
      if (await isUsable(environment)) return;
      await make(own);
      await checkedVersion(join(own, "bin", "pulumi"), environment);
      await moveIntoCache(own, environment);
    });
    return cachedPulumi(environment);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** Reports whether the cache has a Pulumi CLI that runs. */
async function isUsable(environment: NodeJS.ProcessEnv): Promise<boolean> {
  const found = await checkedVersion(cachedPulumi(environment), environment).catch((error: unknown) => error);
  return !(found instanceof BallastError);
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

async function moveIntoCache(own: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const target = pulumiFolder(environment);
  try {
    renameSync(own, target);
  } catch {
    if (await isUsable(environment)) return;
    // What is in the cache does not work; otherwise it would have been used and nothing would have been made.
    rmSync(target, { recursive: true, force: true });
    renameSync(own, target);
  }
}
