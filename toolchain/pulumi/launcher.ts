// The executable by which the engine starts our language host. The engine looks beside itself for a file of this name, and
// one file in the cache serves every clone: which Node and which host it starts is told by the environment that `engine.ts` makes.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isExecutable } from "./version.ts";

/** The name under which the engine looks for the language host of Node programs. */
export const launcherName = "pulumi-language-nodejs";

/** What the launcher says, to itself and to a person who opens it. */
export const launcherText = `#!/bin/sh
# Written by Ballast for a Pulumi engine that came without its language host for Node programs.
exec "\${BALLAST_NODE:?is not set: start this engine by \\"npm run pulumi\\"}" "$BALLAST_LANGUAGE_HOST" "$@"
`;

/** What the launcher needs in the engine's environment: the Node that runs us, and the host of this very clone. */
export const launcherEnvironment = (): Record<string, string> => ({
  BALLAST_NODE: process.execPath,
  BALLAST_LANGUAGE_HOST: fileURLToPath(new URL(`language-host${extname(import.meta.url)}`, import.meta.url)),
});

/** Tells whether a file is our launcher, of this or an earlier version, and not the official language host. */
export const isOurLauncher = (path: string): boolean =>
  readFileSync(path).subarray(0, 100).includes("Written by Ballast");

/** Puts the launcher into a folder, in one step, unless it is there already. */
export function writeLauncher(folder: string): void {
  const path = join(folder, launcherName);
  if (isExecutable(path) && readFileSync(path, "utf8") === launcherText) return;
  mkdirSync(folder, { recursive: true });
  const own = `${path}.${process.pid}`;
  rmSync(own, { force: true });
  writeFileSync(own, launcherText, { mode: 0o755 });
  renameSync(own, path);
}
