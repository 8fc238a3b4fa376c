import { defineConfig } from "vitest/config";

// What runs the Pulumi engine; its setup brings it first, which on a fresh machine takes minutes. Everything else starts at once.
const withEngine = ["adopting", "cli", "demo", "docs-commands-engine", "engine-death", "environments-engine", "language-host", "local-command", "localcloud-provider", "network-engine", "package", "program-engine", "provider.engine", "secrets", "take-over"].map((name) => `test/${name}.test.ts`);

// Two workers, since the whole machine often has two cores; the limits are for the slowest of such machines.
export default defineConfig({
  resolve: { alias: [{ find: /^ballast$/, replacement: new URL("package.ts", import.meta.url).pathname }] }, // the examples import the package by its name
  test: {
    pool: "forks", maxWorkers: 2, testTimeout: 60_000, hookTimeout: 180_000,
    projects: [
      { extends: true, test: { name: "quick", include: ["test/**/*.test.ts"], exclude: withEngine } },
      { extends: true, test: { name: "engine", include: withEngine, globalSetup: ["test/support/engine.ts"] } },
    ],
  },
});
