// Which Pulumi engine serves, and which one a given command is. It knows nothing of where engines come from.
import { accessSync, constants, statSync } from "node:fs";
import { devNull } from "node:os";
import { delimiter, join } from "node:path";
import { engineMute, engineTooOld } from "../../errors/toolchain.ts";
import { runChild } from "../child.ts";

/** The engine that we bring, and the oldest that we take. It equals the version of @pulumi/pulumi in package.json. */
export const pinnedVersion = "3.259.0";

/** Reads `v3.259.0` and the like as its three numbers and what follows a hyphen; undefined where the text is no version. */
export function parseVersion(
  text: string,
): { readonly numbers: readonly [number, number, number]; readonly preRelease: string } | undefined {
  const [, major, minor, patch, preRelease] =
    /^v?(\d+)\.(\d+)\.(\d+)(?:-([\w.-]+))?(?:\+\S*)?$/.exec(text.trim()) ?? [];
  if (patch === undefined) return undefined;
  return { numbers: [Number(major), Number(minor), Number(patch)], preRelease: preRelease ?? "" };
}

/**
 * Tells whether an engine of this version serves: the pinned one, or a newer one of the same major version.
 *
 * A pre-release of the pinned version comes before it and does not serve; a pre-release of a newer one does.
 */
export function serves(text: string, needed: string = pinnedVersion): boolean {
  const found = parseVersion(text);
  const least = parseVersion(needed);
  if (found === undefined || least === undefined || found.numbers[0] !== least.numbers[0]) return false;
  const difference = found.numbers[1] - least.numbers[1] || found.numbers[2] - least.numbers[2];
  return difference > 0 || (difference === 0 && found.preRelease === "");
}

/** Gives the version of the engine at a path, or throws what is wrong with it. A binary that hangs is given up after 30 s. */
export async function checkedVersion(path: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const { code, output } = await runChild(path, ["version"], {
    // Every command of Pulumi writes a log into its home, and a question is no reason to touch the user's.
    environment: { ...environment, PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_HOME: devNull },
    signal: AbortSignal.timeout(30_000),
    graceSeconds: 1,
  });
  const found = output
    .split("\n")
    .find((line) => parseVersion(line) !== undefined)
    ?.trim()
    .replace(/^v/, "");
  if (code !== 0 || found === undefined)
    throw engineMute({ path, answer: lastLine(output) || `exit code ${code}, no output`, version: pinnedVersion });
  if (!serves(found)) throw engineTooOld({ path, found, version: pinnedVersion });
  return found;
}

/** Gives the last line that says something, without the full stop that an error's sentence brings of its own. */
export const lastLine = (output: string): string =>
  output.trimEnd().split("\n").at(-1)?.trim().replace(/\.$/, "") ?? "";

/** Finds an executable as a shell does: the first of that name in the folders of PATH, as an absolute path. */
export function findOnPath(name: string, path: string | undefined): string | undefined {
  return (path ?? "")
    .split(delimiter)
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Tells whether a file is there that may be run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
