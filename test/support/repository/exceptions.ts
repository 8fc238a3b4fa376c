// Functions, files and lines that exceed the law. A number may only shrink: whoever makes something smaller writes the
// smaller number here, and removes the entry once it is within the law. A test checks both.

/** Lines of functions, by file and name. */
export const longFunctions: Readonly<Record<string, number>> = {
  "bench/judge/traffic.ts createWorld": 98,
  "proofs/chaos/world.ts openWorld": 75,
  "proofs/simulator/cloud.ts createCloud": 90,
  "test/controlplane/adapters/roles.test.ts async": 80,
  "test/controlplane/runtime/two-writers.test.ts ": 132,
  "test/support/controlplane/dead-mans-estate.ts openEstate": 164,
  "test/support/controlplane/watched-estate.ts openWatchedEstate": 128,
};

/** Lines of files. */
export const longFiles: Readonly<Record<string, number>> = {};

/** How many lines of a file are wider than 120 columns. */
export const wideLines: Readonly<Record<string, number>> = {
  "test/controlplane/telemetry-outage.test.ts": 2,
  "test/support/controlplane/release-1.ts": 1,
  "test/support/controlplane/report-facts.ts": 1,
};
