// Finds or brings the real Pulumi engine, four ways in order, and says how to run it. It starts no stack and reads no program.
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BallastError } from "../../errors/catalogue.ts";
import { engineNotCached, engineNotOnPath, noEngine } from "../../errors/toolchain.ts";
import { build, findGo } from "./build.ts";
import { cachedEngine, cacheFolder, fillCache } from "./cache.ts";
import { install } from "./install.ts";
import { isOurLauncher, launcherEnvironment, launcherName, writeLauncher } from "./launcher.ts";
import { checkedVersion, findOnPath, isExecutable, pinnedVersion } from "./version.ts";

/** An engine that is there and runs. */
export interface PulumiEngine {
  /** The executable, as an absolute path. */
  readonly command: string;
  readonly version: string;
  /** The folder of the executable. */
  readonly binFolder: string;
  /** What to add to the environment in which the engine runs. */
  readonly environment: Readonly<Record<string, string>>;
  readonly how: "path" | "cache" | "installed" | "built";
}

/** What a caller may say about the bringing; the last three are for tests. */
export interface BringOptions {
  /** Receives progress; nothing is said when an engine is found at once. @default lines on standard error */
  readonly report?: (line: string) => void;
  /** Stops a download or a build, and leaves nothing of it behind. */
  readonly signal?: AbortSignal;
  /** Where PATH, HOME and XDG_CACHE_HOME are read. @default our own environment */
  readonly environment?: NodeJS.ProcessEnv;
  readonly installer?: readonly [string, ...string[]];
  readonly silenceSeconds?: number;
  readonly heartbeatSeconds?: number;
}

/**
 * Finds or brings an engine: `pulumi` on PATH when new enough, our cache, the official installer, a build with Go.
 *
 * It downloads or builds at most once a machine, since what it brings stays in the cache. Where no way leads to an engine it
 * throws one error that says of each way why it failed and what would open it.
 */
export async function bringEngine(options: BringOptions = {}): Promise<PulumiEngine> {
  const { report = (line: string) => void process.stderr.write(`${line}\n`), environment = process.env } = options;
  const failed: { way: string; error: BallastError }[] = [];
  for (const { way, how, find } of ways) {
    try {
      const command = await find({ ...options, report, environment });
      const version = await checkedVersion(command, environment);
      return {
        command,
        version,
        binFolder: dirname(command),
        environment: engineEnvironment(command, how, environment),
        how,
      };
    } catch (error) {
      if (!(error instanceof BallastError)) throw error;
      options.signal?.throwIfAborted();
      failed.push({ way, error });
    }
  }
  throw noEngine({ version: pinnedVersion, failed });
}

type Situation = BringOptions & Required<Pick<BringOptions, "report" | "environment">>;

const ways: readonly {
  readonly way: string;
  readonly how: PulumiEngine["how"];
  readonly find: (situation: Situation) => string | Promise<string>;
}[] = [
  { way: "PATH", how: "path", find: onPath },
  { way: "cache", how: "cache", find: inCache },
  {
    way: "installer",
    how: "installed",
    find: (situation) => fillCache(situation.environment, (folder) => install(folder, situation)),
  },
  { way: "Go", how: "built", find: buildWithGo },
];

function onPath({ environment }: Situation): string {
  const command = findOnPath("pulumi", environment["PATH"]);
  if (command === undefined) throw engineNotOnPath({ version: pinnedVersion });
  return command;
}

function inCache({ environment }: Situation): string {
  const command = cachedEngine(environment);
  if (!isExecutable(command)) throw engineNotCached({ path: command });
  return command;
}

async function buildWithGo(situation: Situation): Promise<string> {
  const go = await findGo(situation.environment);
  return fillCache(situation.environment, (folder) => build(go, folder, situation));
}

/**
 * Gives what the engine needs around it: itself and the Node of node_modules first on PATH, and a language host.
 *
 * The official language host is used where it lies beside the engine, or on PATH together with the engine; one that is on PATH without
 * the engine that we took belongs to another version. Everywhere else ours is put beside the engine.
 */
function engineEnvironment(
  command: string,
  how: PulumiEngine["how"],
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const binFolder = dirname(command);
  const nodeFolder = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));
  const beside = join(binFolder, launcherName);
  const official = how === "path" ? findOnPath(launcherName, [binFolder, environment["PATH"]].join(delimiter)) : beside;
  const needsOurs = official === undefined || !isExecutable(official) || isOurLauncher(official);
  // A folder on PATH is not ours to write in.
  const hostFolder = how === "path" ? join(cacheFolder(environment), "language-host") : binFolder;
  if (needsOurs) writeLauncher(hostFolder);
  const folders = [...new Set([binFolder, ...(needsOurs ? [hostFolder] : []), nodeFolder])];
  return {
    PATH: [...folders, environment["PATH"] ?? ""].join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Language host, provider and program are Node, begin anew each time, and would compile the same files anew; where the folder cannot be written, they do.
    NODE_COMPILE_CACHE: environment["NODE_COMPILE_CACHE"] ?? join(cacheFolder(environment), "compiled"),
    ...(needsOurs ? launcherEnvironment() : {}),
  };
}
