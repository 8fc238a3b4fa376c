// Finds the real Pulumi CLI, or installs or builds it, and says how to run it. It tries four ways in order: PATH, the
// cache, the official installer, a build with Go.
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BallastError } from "../../errors/catalogue.ts";
import { noPulumi, pulumiMissing, pulumiNotCached, pulumiNotOnPath } from "../../errors/toolchain.ts";
import { cacheFolder, compiledFolder } from "../node/cache-folder.mjs";
import { build, findGo } from "./build.ts";
import { cachedPulumi, fillCache } from "./cache.ts";
import { install } from "./install.ts";
import { isOurLauncher, launcherEnvironment, launcherName, writeLauncher } from "./launcher.ts";
import { checkedVersion, findOnPath, isExecutable, pinnedVersion } from "./version.ts";

/** A Pulumi CLI that exists and runs. */
export interface PulumiCli {
  /** The executable, as an absolute path. */
  readonly command: string;
  readonly version: string;
  /** The folder of the executable. */
  readonly binFolder: string;
  /** What to add to the environment of the Pulumi CLI. */
  readonly environment: Readonly<Record<string, string>>;
  readonly how: "path" | "cache" | "installed" | "built";
}

/** Options of `bringPulumi`; the last three are for tests. */
export interface BringOptions {
  /** Receives progress lines; none come when a Pulumi CLI is found at once. @default writes them to standard error */
  readonly report?: (line: string) => void;
  /** Stops a download or a build, which then leaves nothing behind. */
  readonly signal?: AbortSignal;
  /** Gives PATH, HOME and XDG_CACHE_HOME. @default our own environment */
  readonly environment?: NodeJS.ProcessEnv;
  readonly installer?: readonly [string, ...string[]];
  readonly silenceSeconds?: number;
  readonly heartbeatSeconds?: number;
}

/**
 * Gives a Pulumi CLI: `pulumi` on PATH if it is new enough, else from our cache, the official installer or a Go build.
 *
 * It downloads or builds at most once per machine: the result stays in the cache, and a second process waits for it.
 *
 * @throws toolchain-no-pulumi if all four ways fail, with the reason and the fix for each.
 */
export async function bringPulumi(options: BringOptions = {}): Promise<PulumiCli> {
  const found = await firstOf(ways, options);
  if ("command" in found) return found;
  throw noPulumi({ version: pinnedVersion, failed: found.failed });
}

/**
 * Gives the Pulumi CLI of this machine, from PATH or from our cache. It downloads and builds nothing.
 *
 * It is for commands that only read: a person who asked for a list has not asked for a build of minutes.
 *
 * @throws toolchain-pulumi-missing
 */
export async function findPulumi(environment: NodeJS.ProcessEnv = process.env): Promise<PulumiCli> {
  const found = await firstOf(ways.slice(0, 2), { environment });
  if ("command" in found) return found;
  throw pulumiMissing({ version: pinnedVersion, failed: found.failed });
}

type Failed = readonly { readonly way: string; readonly error: BallastError }[];

async function firstOf(tried: typeof ways, options: BringOptions): Promise<PulumiCli | { readonly failed: Failed }> {
  const { report = (line: string) => void process.stderr.write(`${line}\n`), environment = process.env } = options;
  const failed: { way: string; error: BallastError }[] = [];
  for (const { way, how, find } of tried) {
    try {
      const command = await find({ ...options, report, environment });
      const version = await checkedVersion(command, environment);
      return {
        command,
        version,
        binFolder: dirname(command),
        environment: pulumiEnvironment(command, how, environment),
        how,
      };
    } catch (error) {
      if (!(error instanceof BallastError)) throw error;
      options.signal?.throwIfAborted();
      failed.push({ way, error });
    }
  }
  return { failed };
}

type Situation = BringOptions & Required<Pick<BringOptions, "report" | "environment">>;

const ways: readonly {
  readonly way: string;
  readonly how: PulumiCli["how"];
  readonly find: (situation: Situation) => string | Promise<string>;
}[] = [
  { way: "PATH", how: "path", find: onPath },
  { way: "cache", how: "cache", find: inCache },
  {
    way: "installer",
    how: "installed",
    find: (situation) => fillCache(situation.environment, situation, (folder) => install(folder, situation)),
  },
  { way: "Go", how: "built", find: buildWithGo },
];

function onPath({ environment }: Situation): string {
  const command = findOnPath("pulumi", environment["PATH"]);
  if (command === undefined) throw pulumiNotOnPath({ version: pinnedVersion });
  return command;
}

function inCache({ environment }: Situation): string {
  const command = cachedPulumi(environment);
  if (!isExecutable(command)) throw pulumiNotCached({ path: command });
  return command;
}

async function buildWithGo(situation: Situation): Promise<string> {
  const go = await findGo(situation.environment);
  return fillCache(situation.environment, situation, (folder) => build(go, folder, situation));
}

/**
 * Gives the environment that the Pulumi CLI needs: itself and the Node of
 * node_modules first on PATH, and a language host.
 *
 * The official language host is used if it lies beside the Pulumi CLI, or if both were found on PATH. A language host
 * on PATH next to some other Pulumi CLI belongs to another version. In all other cases ours is written.
 */
function pulumiEnvironment(
  command: string,
  how: PulumiCli["how"],
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const binFolder = dirname(command);
  const nodeFolder = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));
  const beside = join(binFolder, launcherName);
  const official = how === "path" ? findOnPath(launcherName, [binFolder, environment["PATH"]].join(delimiter)) : beside;
  const needsOurs = official === undefined || !isExecutable(official) || isOurLauncher(official);
  // A folder on PATH belongs to the user, so we do not write into it.
  const hostFolder = how === "path" ? join(cacheFolder(environment), "language-host") : binFolder;
  if (needsOurs) writeLauncher(hostFolder);
  const folders = [...new Set([binFolder, ...(needsOurs ? [hostFolder] : []), nodeFolder])];
  return {
    PATH: [...folders, environment["PATH"] ?? ""].join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Language host, provider and program are Node processes that would compile the same files at each start. If the
    // folder cannot be written, they still do.
    NODE_COMPILE_CACHE: compiledFolder(environment),
    ...(needsOurs ? launcherEnvironment() : {}),
  };
}
