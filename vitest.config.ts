import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { StillRunning } from "./test/support/still-running.ts";

// A test file that runs the Pulumi CLI says so in its name. Its setup brings the CLI first, which takes minutes on a
// fresh machine; all other files start at once.
const withPulumi = "test/**/*.pulumi.test.ts";

// Two workers, since many machines have two cores. The time limits are for the slowest of them.
export default defineConfig({
  // The examples import the package by its name.
  resolve: { alias: [{ find: /^ballast$/, replacement: join(import.meta.dirname, "package.ts") }] },
  test: {
    pool: "forks",
    reporters: ["default", new StillRunning()],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 180_000,
    projects: [
      { extends: true, test: { name: "quick", include: ["test/**/*.test.ts"], exclude: [withPulumi] } },
      {
        extends: true,
        test: { name: "pulumi", include: [withPulumi], globalSetup: ["test/support/program/pulumi.ts"] },
      },
    ],
  },
});
