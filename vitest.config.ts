import { defineConfig } from "vitest/config";

// What runs the Pulumi CLI says so in its name; its setup brings the CLI first, which on a fresh machine takes minutes. Everything else starts at once.
const withPulumi = "test/**/*.pulumi.test.ts";

// Two workers, since the whole machine often has two cores; the limits are for the slowest of such machines.
export default defineConfig({
  resolve: { alias: [{ find: /^ballast$/, replacement: new URL("package.ts", import.meta.url).pathname }] }, // the examples import the package by its name
  test: {
    pool: "forks",
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
