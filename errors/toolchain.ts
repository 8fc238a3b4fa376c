// What can go wrong while the Pulumi engine is found or brought, one entry for each way and one for all four together.
// The entries of single ways are seen only as parts of `toolchain-no-engine`, unless a caller tries one way alone.
import { type BallastError, entry } from "./catalogue.ts";

/** No `pulumi` is on PATH. */
export const engineNotOnPath = entry<{ readonly version: string }>("toolchain-engine-not-on-path", {
  title: "No Pulumi engine on PATH",
  message: () => "No pulumi is on PATH.",
  fix: ({ version }) => `install pulumi ${version} or a newer 3.x and put its folder on PATH`,
});

/** The cache holds no engine yet. */
export const engineNotCached = entry<{ readonly path: string }>("toolchain-engine-not-cached", {
  title: "No Pulumi engine in the cache",
  message: ({ path }) => `Nothing is at ${path}.`,
  fix: ({ path }) => `copy a pulumi from a machine that has one to ${path}`,
});

/** An engine answers, with a version that does not serve. */
export const engineTooOld = entry<{ readonly path: string; readonly found: string; readonly version: string }>(
  "toolchain-engine-too-old",
  {
    title: "The Pulumi engine has the wrong version",
    message: ({ path, found, version }) => `${path} is ${found}, and ${version} or a newer 3.x is needed.`,
    fix: ({ version }) => `put pulumi ${version} or a newer 3.x in its place, or first on PATH`,
  },
);

/** What is there does not answer `version`. */
export const engineMute = entry<{ readonly path: string; readonly answer: string; readonly version: string }>(
  "toolchain-engine-mute",
  {
    title: "The Pulumi engine does not say its version",
    message: ({ path, answer }) => `${path} does not tell its version: ${answer}.`,
    fix: ({ version }) => `put pulumi ${version} or a newer 3.x in its place, or first on PATH`,
  },
);

/** The installer has stopped sending. */
export const installerSilent = entry<{ readonly seconds: number }>("toolchain-installer-silent", {
  title: "The official installer stands still",
  message: ({ seconds }) => `The official installer was given up: no byte arrived for ${seconds} s.`,
  fix: () => "let this machine reach Pulumi's downloads, by HTTPS_PROXY where that is needed",
});

/** The installer has ended without an engine. */
export const installerFailed = entry<{ readonly answer: string }>("toolchain-installer-failed", {
  title: "The official installer fails",
  message: ({ answer }) => `The official installer failed: ${answer}.`,
  fix: () => "let this machine reach Pulumi's downloads, by HTTPS_PROXY where that is needed",
});

/** No Go that could build the engine is there. */
export const goMissing = entry<{ readonly found: string | undefined; readonly version: string }>(
  "toolchain-go-missing",
  {
    title: "No Go to build the Pulumi engine with",
    message: ({ found, version }) =>
      found === undefined ? "No go is on PATH." : `The go on PATH says "${found}", and ${version} or newer is needed.`,
    fix: ({ version }) => `install Go ${version} or newer, on a machine that reaches a Go module proxy (GOPROXY)`,
  },
);

/** Go has not built the engine. */
export const buildFailed = entry<{ readonly answer: string }>("toolchain-build-failed", {
  title: "Go does not build the Pulumi engine",
  message: ({ answer }) => `Go did not build the engine: ${answer}.`,
  fix: () => "check that `go env GOPROXY` names a proxy which this machine reaches, and that 4 GB of disk are free",
});

/** The user's cache folder cannot be written. */
export const cacheUnwritable = entry<{ readonly folder: string; readonly answer: string }>(
  "toolchain-cache-unwritable",
  {
    title: "The cache folder cannot be written",
    message: ({ folder, answer }) => `Nothing can be written in ${folder}: ${answer}.`,
    fix: ({ folder }) => `make ${folder} writable, or set XDG_CACHE_HOME to a folder that is`,
  },
);

/** None of the four ways has led to an engine; every one says why, and what would open it. */
export const noEngine = entry<{
  readonly version: string;
  readonly failed: readonly { readonly way: string; readonly error: BallastError }[];
}>("toolchain-no-engine", {
  title: "No Pulumi engine can be had",
  message: ({ version, failed }) =>
    [
      `A Pulumi engine ${version} or newer could not be had in any of four ways.`,
      ...failed.map(({ way, error }) => `    ${way.padEnd(10)} ${error.message} (${error.id})`),
    ].join("\n"),
  fix: ({ failed }) =>
    ["one of these is enough:", ...failed.map(({ way, error }) => `    ${way.padEnd(10)} ${error.fix}`)].join("\n"),
  left: () => "nothing was started or changed.",
});
