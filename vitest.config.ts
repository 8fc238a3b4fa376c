import { defineConfig } from "vitest/config";

// Two workers, since the whole machine often has two cores; the limits are for the slowest of such machines.
export default defineConfig({
  test: { include: ["test/**/*.test.ts"], pool: "forks", maxWorkers: 2, testTimeout: 60_000, hookTimeout: 180_000, globalSetup: ["test/support/engine.ts"] },
});
