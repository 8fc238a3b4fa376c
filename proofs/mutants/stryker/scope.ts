// What Stryker mutates, with all of its mutators, and which tests a mutant has to face. Only tests without a database,
// emulator or other process are here, because every mutant starts a process of its own.

/** Folders and files of the source that is mutated. */
export const mutated: readonly string[] = ["engines", "controlplane/runtime", "controlplane/performers"];

/** Tests that a mutant faces, as far as they reach it. */
export const tests: readonly string[] = [
  "test/engines",
  "test/controlplane/runtime/claims.test.ts",
  "test/controlplane/runtime/drive.test.ts",
  "test/controlplane/runtime/perform.test.ts",
  "test/controlplane/runtime/reconcile.test.ts",
  "test/controlplane/runtime/rollout-performer.test.ts",
  "test/proofs/few-seeds.test.ts",
];

/** Tests too slow to be surveyed for mutants outside of the folder that they are about. */
export const only: Readonly<Record<string, string>> = {
  "test/engines/rollout/power.test.ts": "engines/rollout/judge",
  "test/engines/rollout/properties.test.ts": "engines/rollout",
};

/** The CPU seconds that the tests of one mutant may take together, by the survey. Slower tests are left out. */
export const secondsPerMutant = 4;

/** The CPU seconds after which a mutant's process is killed. It then counts as timed out, which is surviving. */
export const secondsOfProcess = 20;

/** The seconds after which a test that waits for what never happens is given up. It uses none of the CPU time. */
export const secondsUntilHung = 15;

/** The most mutants with a reason, as a share of all mutants. */
export const reasonsShareMax = 0.05;
