import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { SlowestFirst } from "./test/support/repository/slowest-first.ts";
import { StillRunning } from "./test/support/still-running.ts";
import { compiledFolder } from "./toolchain/node/cache-folder.mjs";

// A test file that runs the Pulumi CLI says so in its name. Its setup brings the CLI first, which takes minutes on a
// fresh machine; all other files start at once.
const withPulumi = "test/**/*.pulumi.test.ts";

// Tests of what only computes share a process, since a process for each of these files would load the same modules
// again and again: that is half of the CPU that they take. The two files named here run servers.
const computing = [
  "test/{analysis,engines,report}/**/*.test.ts",
  "test/components/**/!(alerts|database-migration).test.ts",
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
      { extends: true, test: { name: "computing", include: computing, exclude: [withPulumi], isolate: false } },
      { extends: true, test: { name: "quick", include: ["test/**/*.test.ts"], exclude: [withPulumi, ...computing] } },
      {
        extends: true,
        test: { name: "pulumi", include: [withPulumi], globalSetup: ["test/support/program/pulumi.ts"] },
      },
    ],
  },
});
