// The third way to a Pulumi CLI: runs Pulumi's official installer and watches it from outside. The installer reports no
// progress, so its temporary folder is set to one of ours, and the growth of that folder shows the bytes that arrive.
// Unverified: the machines we test on do not reach Pulumi's downloads; the tests use an installer of their own.
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installerFailed, installerSilent } from "../../errors/toolchain.ts";
import { runChild } from "../child.ts";
import { lastLine } from "./version.ts";

/** How the installer is run. */
export interface InstallOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** The command that installs into the folder given as its last argument. @default Pulumi's own */
  readonly installer?: readonly [string, ...string[]] | undefined;
  /** How long no byte may arrive before the installer is stopped. @default 20 */
  readonly silenceSeconds?: number | undefined;
  /** How often a line reports the bytes so far. @default 5 */
  readonly heartbeatSeconds?: number | undefined;
}

const official = [
  process.execPath,
  fileURLToPath(new URL(`official-installer${extname(import.meta.url)}`, import.meta.url)),
] as const;

/**
 * Installs the Pulumi CLI into a folder. An installer that receives nothing for `silenceSeconds` is stopped.
 *
 * @throws toolchain-installer-silent, toolchain-installer-failed
 */
export async function install(folder: string, options: InstallOptions): Promise<void> {
  const { environment, report, signal, installer = official, silenceSeconds = 20, heartbeatSeconds = 5 } = options;
  report("Downloading the Pulumi CLI with the official installer");
  const downloads = join(folder, "downloads");
  mkdirSync(downloads);
  const silence = new AbortController();
  let bytes = 0;
  let grownAt = Date.now();
  const watch = setInterval(
    () => {
      const now = bytesIn(folder);
      if (now !== bytes) [bytes, grownAt] = [now, Date.now()];
      if (Date.now() - grownAt > silenceSeconds * 1000) silence.abort();
    },
    Math.min(500, silenceSeconds * 250),
  );
  const heartbeat = setInterval(
    () => report(`Downloading the Pulumi CLI: ${(bytes / 1e6).toFixed(1)} MB so far`),
    heartbeatSeconds * 1000,
  );
  const [command, ...args] = installer;
  const ended = await runChild(command, [...args, folder], {
    environment: { ...environment, TMPDIR: downloads },
    signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
    graceSeconds: 1,
  });
  for (const timer of [watch, heartbeat]) clearInterval(timer);
  rmSync(downloads, { recursive: true, force: true });
  if (silence.signal.aborted) throw installerSilent({ seconds: silenceSeconds });
  if (ended.code !== 0) throw installerFailed({ answer: lastLine(ended.output) || `exit code ${ended.code}` });
}

function bytesIn(folder: string): number {
  const sizes = readdirSync(folder, { recursive: true, encoding: "utf8" }).map(
    (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
