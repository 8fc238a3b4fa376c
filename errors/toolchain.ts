// Errors of finding, installing or building the Pulumi CLI: those of each of the four ways, and `toolchain-no-pulumi`
// for all together. Users normally see the others only as parts of that one.
import { type BallastError, entry } from "./catalogue.ts";

/** No `pulumi` is on PATH. */
export const pulumiNotOnPath = entry<{ readonly version: string }>("toolchain-pulumi-not-on-path", {
  title: "No Pulumi CLI on PATH",
  message: () => "No pulumi is on PATH.",
  fix: ({ version }) => `install pulumi ${version} or a newer 3.x and put its folder on PATH`,
});

/** The cache holds no Pulumi CLI yet. */
export const pulumiNotCached = entry<{ readonly path: string }>("toolchain-pulumi-not-cached", {
  title: "No Pulumi CLI in the cache",
  message: ({ path }) => `The cache has no ${path}.`,
  fix: ({ path }) => `copy a pulumi from a machine that has one to ${path}`,
});

/** A Pulumi CLI runs, but we do not accept its version. */
export const pulumiTooOld = entry<{ readonly path: string; readonly found: string; readonly version: string }>(
  "toolchain-pulumi-too-old",
  {
    title: "The Pulumi CLI has the wrong version",
    message: ({ path, found, version }) => `${path} is version ${found}; Ballast needs ${version} or a newer 3.x.`,
    fix: ({ version }) => `put pulumi ${version} or a newer 3.x in its place, or first on PATH`,
  },
);

/** The executable does not report its version. */
export const pulumiMute = entry<{ readonly path: string; readonly answer: string; readonly version: string }>(
  "toolchain-pulumi-mute",
  {
    title: "The Pulumi CLI does not report its version",
    message: ({ path, answer }) => `${path} does not report its version: ${answer}.`,
    fix: ({ version }) => `put pulumi ${version} or a newer 3.x in its place, or first on PATH`,
  },
);

/** The installer received nothing for too long. */
export const installerSilent = entry<{ readonly seconds: number }>("toolchain-installer-silent", {
  title: "The official installer received nothing",
  message: ({ seconds }) => `The official installer was stopped because it received no data for ${seconds} s.`,
  fix: () => "give this machine access to Pulumi's downloads, through HTTPS_PROXY if needed",
});

/** The installer ended without installing a Pulumi CLI. */
export const installerFailed = entry<{ readonly answer: string }>("toolchain-installer-failed", {
  title: "The official installer failed",
  message: ({ answer }) => `The official installer failed: ${answer}.`,
  fix: () => "give this machine access to Pulumi's downloads, through HTTPS_PROXY if needed",
});

/** No Go is new enough to build the Pulumi CLI. */
export const goMissing = entry<{ readonly found: string | undefined; readonly version: string }>(
  "toolchain-go-missing",
  {
    title: "No Go to build the Pulumi CLI",
    variants: [{ found: undefined }, {}],
    message: ({ found, version }) =>
      found === undefined ? "No go is on PATH." : `The go on PATH is "${found}"; the build needs ${version} or newer.`,
    fix: ({ version }) => `install Go ${version} or newer on a machine that reaches a Go module proxy (GOPROXY)`,
  },
);

/** Go failed to build the Pulumi CLI. */
export const buildFailed = entry<{ readonly answer: string }>("toolchain-build-failed", {
  title: "Go failed to build the Pulumi CLI",
  message: ({ answer }) => `Go failed to build the Pulumi CLI: ${answer}.`,
  fix: () => "check that `go env GOPROXY` names a proxy that this machine reaches, and that 4 GB of disk are free",
});

/** The user's cache folder cannot be written. */
export const cacheUnwritable = entry<{ readonly folder: string; readonly answer: string }>(
  "toolchain-cache-unwritable",
  {
    title: "The cache folder cannot be written",
    message: ({ folder, answer }) => `The folder ${folder} cannot be written: ${answer}.`,
    fix: ({ folder }) => `make ${folder} writable, or set XDG_CACHE_HOME to a folder that is`,
  },
);

/** A command that only reads needs a Pulumi CLI, and must not install or build one unasked. */
export const pulumiMissing = entry<{
  readonly version: string;
  readonly failed: readonly { readonly way: string; readonly error: BallastError }[];
}>("toolchain-pulumi-missing", {
  exitCode: 2,
  title: "A command needs the Pulumi CLI to read a stack",
  message: ({ version, failed }) =>
    `The command reads a stack through the Pulumi CLI, ${version} or a newer 3.x, and this machine has none. ` +
    failed.map(({ error }) => error.message).join(" "),
  fix: () =>
    "install it as https://www.pulumi.com/docs/install says, or run `npm run pulumi -- version` in a clone of " +
    "Ballast, which gets one; commands about rollouts need none with --endpoint and --audience",
  left: () => "Nothing was downloaded, built or changed.",
});

/** All four ways to a Pulumi CLI failed; the error gives the reason and the fix for each. */
export const noPulumi = entry<{
  readonly version: string;
  readonly failed: readonly { readonly way: string; readonly error: BallastError }[];
}>("toolchain-no-pulumi", {
  title: "No Pulumi CLI available",
  message: ({ version, failed }) =>
    [
      `Ballast needs a Pulumi CLI ${version} or a newer 3.x, and all four ways to get one failed.`,
      ...failed.map(({ way, error }) => `    ${way.padEnd(10)} ${error.message} (${error.id})`),
    ].join("\n"),
  fix: ({ failed }) =>
    ["do one of these:", ...failed.map(({ way, error }) => `    ${way.padEnd(10)} ${error.fix}`)].join("\n"),
  left: () => "Nothing was started or changed.",
});
