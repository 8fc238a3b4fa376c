// The fourth way to a Pulumi CLI: builds it with Go, for machines that reach a Go module proxy but not
// Pulumi's downloads. `go install …@version` fails there because it probes a path that proxies do not serve,
// so we build from a throw-away module that requires the CLI's module. Pulumi's language host for Node cannot
// be built this way; ours is in `language-host.ts`.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildFailed, goMissing } from "../../errors/toolchain.ts";
import { runChild } from "../child.ts";
import { findOnPath, lastLine, pinnedVersion } from "./version.ts";

/** How the Pulumi CLI is built. */
export interface BuildOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** How often a progress line is reported. @default 10 */
  readonly heartbeatSeconds?: number | undefined;
}

const goNeeded = "1.25";

/** Finds a Go that is new enough. @throws toolchain-go-missing with the Go that was found instead */
export async function findGo(environment: NodeJS.ProcessEnv): Promise<string> {
  const go = findOnPath("go", environment["PATH"]);
  if (go === undefined) throw goMissing({ found: undefined, version: goNeeded });
  const { output } = await runChild(go, ["version"], {
    environment,
    signal: AbortSignal.timeout(30_000),
    graceSeconds: 1,
  });
  const [, major, minor] = /\bgo(\d+)\.(\d+)/.exec(output) ?? [];
  const [neededMajor, neededMinor] = goNeeded.split(".").map(Number) as [number, number];
  const newEnough = Number(major) > neededMajor || (Number(major) === neededMajor && Number(minor) >= neededMinor);
  if (!newEnough) throw goMissing({ found: lastLine(output), version: goNeeded });
  return go;
}

/**
 * Builds the Pulumi CLI into `bin/pulumi` of a folder. The user's own Go settings apply.
 *
 * @throws toolchain-build-failed with the last line of Go's output.
 */
export async function build(go: string, folder: string, options: BuildOptions): Promise<void> {
  const { environment, report, signal, heartbeatSeconds = 10 } = options;
  report("Building the Pulumi CLI (once; about four minutes on two cores)");
  const startedAt = Date.now();
  const heartbeat = setInterval(
    () => report(`Building the Pulumi CLI: ${Math.round((Date.now() - startedAt) / 1000)} s`),
    heartbeatSeconds * 1000,
  );
  const source = join(folder, "source");
  mkdirSync(source);
  writeFileSync(
    join(source, "go.mod"),
    `module pulumi\n\ngo ${goNeeded}\n\nrequire github.com/pulumi/pulumi/pkg/v3 v${pinnedVersion}\n`,
  );
  // Without this flag the built Pulumi CLI would not know its own version.
  const version = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pinnedVersion}`;
  const args = [
    "build",
    "-mod=mod",
    "-ldflags",
    `-s -w ${version}`,
    "-o",
    join(folder, "bin", "pulumi"),
    "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  ];
  const ended = await runChild(go, args, {
    cwd: source,
    environment: { ...environment, PWD: source, GOWORK: "off" },
    ...(signal && { signal }),
    graceSeconds: 2,
  });
  clearInterval(heartbeat);
  rmSync(source, { recursive: true, force: true });
  if (ended.code !== 0) throw buildFailed({ answer: lastLine(ended.output) || `exit code ${ended.code}` });
  report(`Built the Pulumi CLI in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}
