// Writes the executable with which the Pulumi CLI starts our language host. The Pulumi CLI looks for a
// file of this name beside itself. One file in the cache serves every clone: the environment that
// `bring.ts` makes names the Node and the host.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isExecutable } from "./version.ts";

/** The name under which the Pulumi CLI looks for the language host of Node programs. */
export const launcherName = "pulumi-language-nodejs";

const notOurs =
  'is not set: this Pulumi CLI runs only through \\"npm run pulumi\\" of a clone of Ballast; ' +
  "for other programs install an official one";

/** The text of the launcher. */
export const launcherText = `#!/bin/sh
# Written by Ballast for a Pulumi CLI that came without its language host for Node programs.
exec "\${BALLAST_NODE:?${notOurs}}" "$BALLAST_LANGUAGE_HOST" "$@"
`;

/** Gives what the launcher needs in the Pulumi CLI's environment: the Node that runs us and the host of this clone. */
export const launcherEnvironment = (): Record<string, string> => ({
  BALLAST_NODE: process.execPath,
  BALLAST_LANGUAGE_HOST: fileURLToPath(new URL(`language-host${extname(import.meta.url)}`, import.meta.url)),
});

/** Reports whether a file is our launcher, of this or an earlier version, and not the official language host. */
export const isOurLauncher = (path: string): boolean =>
  readFileSync(path).subarray(0, 100).includes("Written by Ballast");

/** Writes the launcher into a folder in one step, unless it is already there. */
export function writeLauncher(folder: string): void {
  const path = join(folder, launcherName);
  if (isExecutable(path) && readFileSync(path, "utf8") === launcherText) return;
  mkdirSync(folder, { recursive: true });
  const own = `${path}.${process.pid}`;
  rmSync(own, { force: true });
  writeFileSync(own, launcherText, { mode: 0o755 });
  renameSync(own, path);
}
