// What the real Pulumi CLI does with a stack that has a protected journal database: it deletes nothing, names what is
// protected and says what to do, and deletes all of it once a person has let go of it.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ended, runChild } from "../../toolchain/child.ts";
import { type RunningPostgres, startPostgres } from "../../toolchain/postgres.ts";
import { bringPulumi } from "../../toolchain/pulumi/bring.ts";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";

const root = path.join(import.meta.dirname, "..", "..");
let cloud: CloudForTests;
let postgres: RunningPostgres;
let folder: string;
let pulumi: (...args: readonly string[]) => Promise<Ended>;

/** The emulator's servers accept passwords only, and such a server is protected only if the program says so. */
const program = (group: string): string => `
import { ResourceGroup } from "@pulumi/azure-native/resources/index.js";
import { JournalDatabase } from "${path.join(root, "components", "platform", "journal-database.ts")}";
const group = new ResourceGroup("group", { resourceGroupName: "shop", location: "westeurope" });
new JournalDatabase("journal", {
  scope: "${group}",
  resourceGroupName: group.name,
  location: "westeurope",
  tenant: "00000000-0000-0000-0000-00000000beef",
  password: "the-password-of-this-test-1",
}, { protect: true });
`;

beforeAll(async () => {
  const [pulumiCli, server] = await Promise.all([bringPulumi(), startPostgres()]);
  postgres = server;
  const { host, port, user, password } = server;
  cloud = await startCloudForTests({ images: {}, postgres: { host, port, user, password } });
  folder = mkdtempSync(path.join(tmpdir(), "ballast-protected-"));
  for (const name of ["state", "home"]) mkdirSync(path.join(folder, name));
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "package.json"), '{ "name": "journal", "private": true, "type": "module" }');
  writeFileSync(
    path.join(folder, "index.js"),
    program(`/subscriptions/${cloud.cloud.subscription}/resourceGroups/shop`),
  );
  writeFileSync(
    path.join(folder, "Pulumi.yaml"),
    JSON.stringify({ name: "journal", runtime: { name: "nodejs", options: { typescript: false } }, main: "index.js" }),
  );
  const environment = {
    ...process.env,
    ...pulumiCli.environment,
    ...cloud.cloud.environment,
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "for tests",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  pulumi = (...args) =>
    runChild(pulumiCli.command, [...args, "--non-interactive", "--color", "never"], { cwd: folder, environment });
  expect((await pulumi("stack", "init", "prod")).code).toBe(0);
  const up = await pulumi("up", "--yes", "--skip-preview", "--stack", "prod");
  expect(up.code, up.output).toBe(0);
}, 180_000);
afterAll(async () => {
  await cloud?.close();
  await postgres?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const servers = async (): Promise<readonly string[]> => {
  const list = `/subscriptions/${cloud.cloud.subscription}/providers/Microsoft.DBforPostgreSQL/flexibleServers`;
  const { body } = await cloud.ask("GET", `https://management.${cloud.cloud.suffix}${list}?api-version=2025-08-01`);
  return body.value.map(({ name }: { name: string }) => name);
};

test("a destroy is refused by name with what to do, and deletes once that is done", { timeout: 240_000 }, async () => {
  const before = await servers();
  expect(before).toHaveLength(1);
  const refused = await pulumi("destroy", "--yes", "--skip-preview", "--stack", "prod");
  expect(refused.code).not.toBe(0);
  const [, urn] = /resource "?(urn:pulumi:prod::journal::[^"\s]*journal-(?:server|database))"? cannot be deleted/.exec(
    refused.output,
  ) ?? [undefined, refused.output];
  expect(urn).toMatch(/^urn:/);
  expect(refused.output).toMatch(/because it is protected/);
  expect(refused.output).toContain("pulumi state unprotect");
  expect(await servers()).toEqual(before);

  const unprotected = await pulumi("state", "unprotect", "--all", "--yes", "--stack", "prod");
  expect(unprotected.code, unprotected.output).toBe(0);
  const destroyed = await pulumi("destroy", "--yes", "--skip-preview", "--stack", "prod");
  expect(destroyed.code, destroyed.output).toBe(0);
  expect(await servers()).toEqual([]);
});
