// Flexible servers of the emulator on a real PostgreSQL: a PUT creates real
// logins and databases, and a DELETE drops them.
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningPostgres, startPostgres } from "../../toolchain/postgres.ts";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";
import { logRows } from "../support/emulator/log-rows.ts";

let at: CloudForTests;
let postgres: RunningPostgres;
let group: string;
const version = "api-version=2025-08-01";
const password = "Correct-Horse-7";
const server = (name: string): string => `${group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/${name}`;
const serverBody = (login: string, more: object = {}): object => ({
  location: "westeurope",
  sku: { name: "Standard_B1ms", tier: "Burstable" },
  properties: { version: "18", administratorLogin: login, administratorLoginPassword: password, ...more },
});

async function query(user: string, secret: string, database: string, text: string): Promise<readonly any[]> {
  const client = new pg.Client({ host: postgres.host, port: postgres.port, user, password: secret, database });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  postgres = await startPostgres();
  at = await startCloudForTests({ postgres });
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/stores`;
  await at.settle("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
});
afterAll(async () => {
  await at.close();
  await postgres.stop();
});

test("a server is a login that works and a database is that login's own, until they are deleted", async () => {
  const made = await at.ask("PUT", `${server("journal")}?${version}`, serverBody("ballast"));
  expect(JSON.stringify(made.body)).not.toContain(password);
  await expect
    .poll(async () => (await at.ask("GET", String(made.headers["azure-asyncoperation"]))).body.status)
    .toBe("Succeeded");
  expect((await at.ask("GET", `${server("journal")}?${version}`)).body.properties).toMatchObject({
    state: "Ready",
    fullyQualifiedDomainName: "127.0.0.1",
    administratorLogin: "ballast",
  });
  await at.settle("PUT", `${server("journal")}/databases/facts?${version}`, {
    properties: { charset: "UTF8", collation: "en_US.utf8" },
  });
  await query("ballast", password, "facts", "create table facts (body text)");
  await expect(query("ballast", "wrong", "facts", "select 1")).rejects.toThrow(/password/);
  expect((await at.ask("GET", `${server("journal")}/databases?${version}`)).body.value).toMatchObject([
    { name: "facts" },
  ]);

  await query("ballast", password, "facts", "create database beside_it");
  await at.settle("DELETE", `${server("journal")}?${version}`);
  expect((await at.ask("GET", `${server("journal")}/databases/facts?${version}`)).status).toBe(404);
  expect(
    await query(
      postgres.user,
      postgres.password,
      "postgres",
      "select datname from pg_database where datname in ('facts', 'beside_it')",
    ),
  ).toEqual([]);
  expect(
    await query(postgres.user, postgres.password, "postgres", "select 1 from pg_roles where rolname = 'ballast'"),
  ).toEqual([]);
});

test("a new password works from then on, and the old one does not", async () => {
  await at.settle("PUT", `${server("rotated")}?${version}`, serverBody("rotating"));
  await at.settle("PATCH", `${server("rotated")}?${version}`, {
    properties: { administratorLoginPassword: "Another-Horse-8" },
  });
  await expect(query("rotating", password, "postgres", "select 1")).rejects.toThrow(/password/);
  expect(await query("rotating", "Another-Horse-8", "postgres", "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a chosen name is never executed as SQL", async () => {
  const login = `o"; drop role ${postgres.user}; --`;
  await at.settle(
    "PUT",
    `${server("quoted")}?${version}`,
    serverBody(login, { administratorLoginPassword: "it's; drop" }),
  );
  expect(await query(login, "it's; drop", "postgres", "select 1 as one")).toEqual([{ one: 1 }]);
});

test("reserved and taken logins, and features that PostgreSQL lacks, are refused by name", async () => {
  const codeOf = async (name: string, body: object) => {
    const reply = await at.settle("PUT", `${server(name)}?${version}`, body);
    return reply.body.error?.code;
  };
  expect(await codeOf("admins", serverBody("azure_superuser"))).toBe("ReservedLoginName");
  expect(await codeOf("admins", serverBody(postgres.user))).toBe("ReservedLoginName");
  await at.settle("PUT", `${server("first")}?${version}`, serverBody("shared"));
  expect(await codeOf("second", serverBody("shared"))).toBe("LoginNameTaken");
  expect(await codeOf("first/databases/latin", { properties: { charset: "LATIN1" } })).toBe("EmulatorUnsupported");
  expect(
    await codeOf("first/administrators/5a7e0000-0000-0000-0000-000000000000", {
      properties: { principalName: "me", principalType: "User" },
    }),
  ).toBe("EmulatorUnsupported");
});

test("a naive cloud shows a row of the server's log at once", async () => {
  await at.ask("POST", "/_emulator/quirks", { "server-logs-come-late": false });
  await at.ask("POST", "/_emulator/ingestion", { lagSeconds: 0 });
  const workspace = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
  await at.ask("PUT", `${workspace}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
  await at.settle("PUT", `${server("logged")}?${version}`, serverBody("logged_admin"));
  await at.settle("PUT", `${server("logged")}/databases/logged_data?${version}`, { properties: {} });
  const logs = [{ category: "PostgreSQLLogs", enabled: true }];
  await at.ask(
    "PUT",
    `${server("logged")}/providers/Microsoft.Insights/diagnosticSettings/logs?api-version=2021-05-01-preview`,
    { properties: { workspaceId: workspace, logAnalyticsDestinationType: "Dedicated", logs } },
  );
  await at.ask("POST", "/_emulator/clock", { at: Date.parse("2040-01-01T12:00:00Z") });
  await query("logged_admin", password, "logged_data", "select 1");
  const { customerId } = (await at.ask("GET", `${workspace}?api-version=2023-09-01`)).body.properties;
  const counted = 'PGSQLServerLogs | where Message has "user=logged_admin" | count';
  await expect
    .poll(async () => (await logRows(at, customerId, counted))[0]!["Count"], { timeout: 15_000 })
    .toBeGreaterThan(0);
  await at.ask("POST", "/_emulator/clock", { at: null });
});
