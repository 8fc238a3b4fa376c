import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { SlowestFirst } from "./test/support/repository/slowest-first.ts";
import { StillRunning } from "./test/support/still-running.ts";
import { compiledFolder } from "./toolchain/node/cache-folder.mjs";

// A test file that runs the Pulumi CLI says so in its name. Its setup brings the CLI first, which takes minutes on a
// fresh machine; all other files start at once.
const withPulumi = "test/**/*.pulumi.test.ts";

// These test files run servers and processes for long, or change what the whole process sees. Each has a process of
// its own. All others share processes, since each file would load the same modules again: a fifth of their CPU time.
const alone = [
  "test/components/{alerts,database-migration}.test.ts",
  "test/controlplane/{runtime,adapters}/**/*.test.ts",
  "test/controlplane/telemetry-outage.test.ts",
  "test/deadman/**/*.test.ts",
  "test/docs/{changing,commands}.test.ts",
  "test/emulator/persistence/**/*.test.ts",
  "test/proofs/**/*.test.ts",
];

// Tests start hundreds of Node processes, most of them from the same files. Compiled once, each of them starts in half
// the time. The Pulumi CLI's processes use the same folder.
process.env["NODE_COMPILE_CACHE"] = compiledFolder(process.env);

// Many machines have two cores. Three workers keep them busy, since half of a test's time is waiting. The time limits
// are for the slowest machines.
export default defineConfig({
  // The examples import the package by its name.
  resolve: { alias: [{ find: /^ballast$/, replacement: join(import.meta.dirname, "package.ts") }] },
  test: {
    pool: "forks",
    maxWorkers: 3,
    sequence: { sequencer: SlowestFirst },
    reporters: ["default", "./test/support/repository/timing-reporter.ts", new StillRunning()],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    projects: [
      { extends: true, test: { name: "alone", include: alone } },
      {
        extends: true,
        test: { name: "together", include: ["test/**/*.test.ts"], exclude: [withPulumi, ...alone], isolate: false },
      },
      {
        extends: true,
        test: { name: "pulumi", include: [withPulumi], globalSetup: ["test/support/program/pulumi.ts"] },
      },
    ],
  },
});
