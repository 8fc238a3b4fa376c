// What a DatabaseMigration deploys, and what its jobs do: their bodies are given to the emulator, which runs the real
// `ballast migration run` against a real PostgreSQL, each phase at its start and under the database's lock.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DatabaseMigration, type DatabaseMigrationArgs } from "../../components/platform/database-migration.ts";
import type { Database } from "../../controlplane/adapters/postgres/connection.ts";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";
import { eventually, postgresForTests } from "../support/postgres/postgres.ts";
import { query } from "../support/postgres/prepared.ts";
import { type Declared, record, valueOf, variablesOf } from "../support/program/mocks.ts";

const root = join(import.meta.dirname, "..", "..");
const image = `registry.example/shop@sha256:${"5e".repeat(32)}`;
const args: DatabaseMigrationArgs = {
  scope: "/subscriptions/s/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
  image,
  pull: { server: "registry.example", identity: "/identities/images" },
  environmentId: "environment",
  database: { host: "shop.example.net", name: "orders" },
};
const made = (more: Partial<DatabaseMigrationArgs> = {}) =>
  record(() => new DatabaseMigration("shop-migrate", { ...args, ...more }));
const jobsIn = (declared: readonly Declared[]): readonly Declared[] =>
  declared.filter(({ type }) => type === "azure-native:app:Job");

test("each phase has a job that only a start runs, once, with its own command", async () => {
  const { declared, made: migration } = await made({ folder: "database/changes", minutes: 90 });
  const configuration = { triggerType: "Manual", replicaTimeout: 5_400, replicaRetryLimit: 0 };
  const command = (phase: string) => [
    "node_modules/.bin/ballast",
    ...["migration", "run", "database/changes", "--phase", phase],
  ];
  const manualTriggerConfig = { parallelism: 1, replicaCompletionCount: 1 };
  expect(jobsIn(declared).map(({ inputs }) => inputs)).toMatchObject(
    ["contract", "expand"].map((phase) => ({
      jobName: `shop-migrate-${phase}`,
      identity: { userAssignedIdentities: ["shop-migrate-identity-id", "/identities/images"] },
      configuration: { ...configuration, manualTriggerConfig, registries: [args.pull] },
      template: { containers: [{ image, command: command(phase) }] },
    })),
  );
  const { expandJob, contractJob, identityName, identityObjectId } = migration;
  const outputs = await Promise.all([expandJob, contractJob, identityName, identityObjectId].map(valueOf));
  expect(outputs).toEqual(["shop-migrate-expand", "shop-migrate-contract", "shop-migrate", "principal"]);
});

test("the jobs sign in as their identity, encrypted, and nothing of them is a right on Azure", async () => {
  const { declared } = await made();
  expect(variablesOf(declared, "shop-migrate-expand-job")).toEqual({
    AZURE_CLIENT_ID: "client",
    PGHOST: "shop.example.net",
    PGPORT: "5432",
    PGDATABASE: "orders",
    PGUSER: "shop-migrate",
    PGSSLMODE: "require",
  });
  expect(declared.map(({ type }) => type).filter((type) => /Role|Administrator/.test(type))).toEqual([]);
});

test.each([
  ["folder", "--phase", /folder/],
  ["minutes", 0, /minutes/],
  ["database", { host: "https://shop.example.net", name: "orders" }, /host/],
])("%s %j is refused at the preview", async (field, value, words) => {
  await expect(made({ [field]: value } as object)).rejects.toThrow(words);
});

const postgres = postgresForTests();
const apps = "api-version=2025-07-01";
let folder: string;
let cloud: CloudForTests;
let database: Database;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ballast-migrated-"));
  write("node_modules/.bin/ballast", `#!/bin/sh\nexec "${process.execPath}" ${root}/cli/main.ts "$@"\n`);
  chmodSync(join(folder, "node_modules/.bin/ballast"), 0o755);
  write("migrations/0001_email.expand.sql", "alter table orders add column email text;\n");
  write("migrations/0001_email.contract.sql", "alter table orders drop column note;\n");
  cloud = await startCloudForTests({ images: { shop: { folder, entry: "none.mjs" } } });
  database = await postgres.fresh();
  await query(database, "create table orders (id integer, note text)");
});
afterAll(async () => {
  await cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

/** Deploys the jobs on the emulator. @returns where they are */
async function deploy(): Promise<string> {
  const group = `/subscriptions/${cloud.cloud.subscription}/resourceGroups/shop`;
  const environmentId = `${group}/providers/Microsoft.App/managedEnvironments/shop`;
  const identities = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities`;
  const location = "westeurope";
  await cloud.settle("PUT", `${group}?api-version=2024-03-01`, { location });
  await cloud.settle("PUT", `${environmentId}?${apps}`, { location, properties: {} });
  for (const name of ["images", "shop-migrate"])
    await cloud.ask("PUT", `${identities}/${name}?api-version=2023-01-31`, { location });
  const { host, port, name, user, password } = database;
  const { declared } = await made({
    environmentId,
    pull: { server: "registry.example", identity: `${identities}/images` },
    database: { host, port, name, tls: "disable", login: { user, password: String(password) } },
  });
  for (const { inputs } of jobsIn(declared)) {
    const { jobName, identity, configuration, template } = inputs;
    const ids = (identity.userAssignedIdentities as readonly string[]).map((id) =>
      id.replace("shop-migrate-identity-id", `${identities}/shop-migrate`),
    );
    const userAssignedIdentities = Object.fromEntries(ids.map((id) => [id, {}]));
    const { status, body } = await cloud.settle("PUT", `${group}/providers/Microsoft.App/jobs/${jobName}?${apps}`, {
      location,
      identity: { ...identity, userAssignedIdentities },
      properties: { environmentId, configuration: plain(configuration), template },
    });
    expect([jobName, status, body?.error]).toEqual([jobName, 200, undefined]);
  }
  return `${group}/providers/Microsoft.App/jobs`;
}

/** Gives what a secret of the program is to Azure. */
const plain = (configuration: Declared["inputs"]): unknown => configuration["value"] ?? configuration;

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

/** Starts a job as the workflow does: with its own containers, and the run's trace and phase in their variables. */
async function start(job: string, phase = job.slice(job.lastIndexOf("-") + 1)): Promise<string> {
  const { template } = (await cloud.ask("GET", `${job}?${apps}`)).body.properties;
  const [own] = template.containers;
  const ofRun = { TRACEPARENT: `00-${trace}-00f067aa0ba902b7-01`, BALLAST_MIGRATION_PHASE: phase };
  const env = [...own.env, ...Object.entries(ofRun).map(([name, value]) => ({ name, value }))];
  const containers = [{ ...own, env }];
  const { body } = await cloud.ask("POST", `${job}/start?${apps}`, { containers });
  const ended = await eventually(
    async () => {
      const { body: execution } = await cloud.ask("GET", `${job}/executions/${body.name}?${apps}`);
      return execution.properties.status !== "Running" && execution.properties.status;
    },
    "the execution to end",
    60,
  );
  return ended;
}

test("a contract without its expand fails; two expands at a time run a file once; then the contract runs", async () => {
  const jobs = await deploy();
  const columns = async (): Promise<readonly string[]> =>
    (
      await query<{ name: string }>(
        database,
        "select column_name as name from information_schema.columns where table_name = 'orders' order by 1",
      )
    ).map(({ name }) => name);
  expect([await start(`${jobs}/shop-migrate-contract`), await columns()]).toEqual(["Failed", ["id", "note"]]);
  const expand = `${jobs}/shop-migrate-expand`;
  expect(await start(expand, "contract")).toBe("Failed");
  expect(await columns()).toEqual(["id", "note"]);
  expect(await Promise.all([start(expand), start(expand)])).toEqual(["Succeeded", "Succeeded"]);
  expect(await columns()).toEqual(["email", "id", "note"]);
  expect([await start(`${jobs}/shop-migrate-contract`), await columns()]).toEqual(["Succeeded", ["email", "id"]]);
  expect(await query(database, "select file, trace from ballast_migrations order by file")).toEqual([
    { file: "0001_email.contract.sql", trace },
    { file: "0001_email.expand.sql", trace },
  ]);
}, 240_000);
