// Decides which versions of the Pulumi CLI we accept, and finds out which version a given executable is.
import { accessSync, constants, statSync } from "node:fs";
import { devNull } from "node:os";
import { delimiter, join } from "node:path";
import { pulumiMute, pulumiTooOld } from "../../errors/toolchain.ts";
import { runChild } from "../child.ts";

/** The version that we install, and the oldest that we accept: that of @pulumi/pulumi in package.json. */
export const pinnedVersion = "3.259.0";

/** Reads a version such as `v3.259.0-alpha.1`; gives undefined if the text is not a version. */
export function parseVersion(
  text: string,
): { readonly numbers: readonly [number, number, number]; readonly preRelease: string } | undefined {
  const [, major, minor, patch, preRelease] =
    /^v?(\d+)\.(\d+)\.(\d+)(?:-([\w.-]+))?(?:\+\S*)?$/.exec(text.trim()) ?? [];
  if (patch === undefined) return undefined;
  return { numbers: [Number(major), Number(minor), Number(patch)], preRelease: preRelease ?? "" };
}

/**
 * Reports whether we accept a Pulumi CLI of this version: the pinned one or a newer one of the same major version.
 *
 * A pre-release of the pinned version comes before it and is refused; a pre-release of a newer version is accepted.
 */
export function isAccepted(text: string, needed: string = pinnedVersion): boolean {
  const found = parseVersion(text);
  const least = parseVersion(needed);
  if (found === undefined || least === undefined || found.numbers[0] !== least.numbers[0]) return false;
  const difference = found.numbers[1] - least.numbers[1] || found.numbers[2] - least.numbers[2];
  return difference > 0 || (difference === 0 && found.preRelease === "");
}

/**
 * Gives the version of the Pulumi CLI at a path. A binary that hangs is stopped after 30 s.
 *
 * @throws toolchain-pulumi-mute, toolchain-pulumi-too-old
 */
export async function checkedVersion(path: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const { code, output } = await runChild(path, ["version"], {
    // Every Pulumi command writes a log into its home; asking for the version must not touch the user's.
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
    throw pulumiMute({ path, answer: lastLine(output) || `exit code ${code}, no output`, version: pinnedVersion });
  if (!isAccepted(found)) throw pulumiTooOld({ path, found, version: pinnedVersion });
  return found;
}

/** Gives the last non-empty line without its full stop, because an error's message adds one. */
export const lastLine = (output: string): string =>
  output.trimEnd().split("\n").at(-1)?.trim().replace(/\.$/, "") ?? "";

/** Finds an executable as a shell does: the first of that name in the folders of PATH. Gives its absolute path. */
export function findOnPath(name: string, path: string | undefined): string | undefined {
  return (path ?? "")
    .split(delimiter)
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Reports whether the path is an executable file. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
