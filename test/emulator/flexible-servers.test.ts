// Flexible servers of the emulator on a real PostgreSQL: a PUT creates real
// logins and databases, and a DELETE drops them.
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
  const asked = String(made.headers["azure-asyncoperation"]);
  await expect.poll(async () => (await at.ask("GET", asked)).body.status, { timeout: 20_000 }).toBe("Succeeded");
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

test("a chosen name or password is never executed as SQL", async () => {
  const harmful = `o"; drop role ${postgres.user}; --`;
  const reply = await at.settle("PUT", `${server("harmful")}?${version}`, serverBody(harmful));
  expect(reply.body.error.message).toContain("is invalid");
  const login = "Quoted-One";
  const secret = "It's; drop";
  await at.settle("PUT", `${server("quoted")}?${version}`, serverBody(login, { administratorLoginPassword: secret }));
  expect(await query(login, secret, "postgres", "select 1 as one")).toEqual([{ one: 1 }]);
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
    .poll(async () => (await logRows(at, customerId, counted))[0]!["Count"], { timeout: 40_000 })
    .toBeGreaterThan(0);
  await at.ask("POST", "/_emulator/clock", { at: null });
});

describe("parameters", () => {
  const parameter = (name: string): string => `${server("tuned")}/configurations/${name}?${version}`;
  const set = (name: string, value: unknown, source: unknown = "user-override") =>
    at.settle("PUT", parameter(name), { properties: { value, source } });
  const shown = async (name: string) => (await at.ask("GET", parameter(name))).body.properties;
  const asTuned = (text: string) => query("tuned_admin", password, "tuned_data", text);

  beforeAll(async () => {
    await at.settle("PUT", `${server("tuned")}?${version}`, serverBody("tuned_admin"));
    await at.settle("PUT", `${server("tuned")}/databases/tuned_data?${version}`, { properties: {} });
  });

  test("each has Azure's default before anybody sets it, is listed, and cannot be deleted", async () => {
    expect(await shown("log_connections")).toEqual({
      value: "on",
      defaultValue: "on",
      source: "system-default",
      dataType: "Set",
      allowedValues: "on,off,receipt,authentication,authorization,setup_durations,all",
      isDynamicConfig: true,
      isReadOnly: false,
      isConfigPendingRestart: false,
    });
    const names = (await at.ask("GET", `${server("tuned")}/configurations?${version}`)).body.value.map(
      ({ name }: { name: string }) => name,
    );
    expect(names).toEqual(expect.arrayContaining(["azure.extensions", "wal_level", "statement_timeout"]));
    expect(new Set(names).size).toBe(names.length);
    expect((await at.ask("DELETE", parameter("wal_level"))).status).toBe(405);
  });

  test("one without effect is listed as such while it is set", async () => {
    const listed = async () =>
      ((await at.ask("GET", "/_emulator/inert")).body.resources as { readonly id: string; readonly fields: object[] }[])
        .filter(({ id }) => id.endsWith("/configurations/azure.extensions"))
        .map(({ fields }) => fields);
    await set("azure.extensions", "vector");
    expect(await listed()).toEqual([
      [{ field: "properties.value", why: expect.stringContaining("behind the emulator") }],
    ]);
    await set("azure.extensions", "", "system-default");
    expect(await listed()).toEqual([]);
  });

  test("one for sessions is that of every database of the server, later ones too, until it is reset", async () => {
    expect((await set("statement_timeout", "4321")).status).toBeLessThan(300);
    expect(await shown("statement_timeout")).toMatchObject({ value: "4321", source: "user-override" });
    expect(await asTuned("show statement_timeout")).toEqual([{ statement_timeout: "4321ms" }]);
    await at.settle("PUT", `${server("tuned")}/databases/tuned_later?${version}`, { properties: {} });
    expect(await query("tuned_admin", password, "tuned_later", "show statement_timeout")).toEqual([
      { statement_timeout: "4321ms" },
    ]);
    await at.settle("PATCH", parameter("statement_timeout"), { properties: { value: "0", source: "user-override" } });
    expect(await shown("statement_timeout")).toMatchObject({ value: "0", source: "system-default" });
    expect(await asTuned("show statement_timeout")).toEqual([{ statement_timeout: "0" }]);
  });

  test("a static one waits for a restart, which ends the sessions of the server", async () => {
    await set("wal_level", "logical");
    expect(await shown("wal_level")).toMatchObject({ value: "logical", isDynamicConfig: false });
    expect((await shown("wal_level")).isConfigPendingRestart).toBe(true);
    const client = new pg.Client({
      ...{ host: postgres.host, port: postgres.port, user: "tuned_admin", password, database: "tuned_data" },
    });
    await client.connect();
    const ended = new Promise((resolve) => client.on("error", resolve));
    expect((await at.ask("POST", `${server("tuned")}/restart?${version}`)).status).toBe(200);
    expect(await ended).toMatchObject({ code: "57P01" });
    expect((await shown("wal_level")).isConfigPendingRestart).toBe(false);
    expect((await shown("wal_level")).value).toBe("logical");
  });

  test.each([
    ["statement_timeout", "soon", undefined, "InvalidParameterValue"],
    ["statement_timeout", "-1", undefined, "InvalidParameterValue"],
    ["statement_timeout", "2147483648", undefined, "InvalidParameterValue"],
    ["wal_level", "minimal", undefined, "InvalidParameterValue"],
    ["require_secure_transport", "maybe", undefined, "InvalidParameterValue"],
    ["azure.extensions", "pgcrypto,nothing", undefined, "InvalidParameterValue"],
    ["log_connections", "yes", undefined, "InvalidParameterValue"],
    ["port", "5433", undefined, "EmulatorUnsupported"],
    ["log_statement", "all", "Bananas", "EmulatorUnsupported"],
    ["log_statement", undefined, undefined, "EmulatorUnsupported"],
    ["no_such_parameter", "1", undefined, "EmulatorUnsupported"],
    ["log_statement", 5, undefined, "InvalidRequestContent"],
  ])("%s is not set to %j (source %j): %s", async (name, value, source, code) => {
    const before = await at.ask("GET", parameter(name));
    expect((await set(name, value, source)).body.error?.code).toBe(code);
    expect((await at.ask("GET", parameter(name))).body).toEqual(before.body);
  });

  test.each([
    ["require_secure_transport", "OFF"],
    ["azure.extensions", "PGCRYPTO,uuid-ossp"],
    ["log_connections", "receipt,authorization"],
  ])("%s may be %j", async (name, value) => {
    expect((await set(name, value)).status).toBeLessThan(300);
    expect((await shown(name)).value).toBe(value);
  });

  test("before 18, log_connections is a switch", async () => {
    await at.settle("PUT", `${server("older")}?${version}`, serverBody("older_admin", { version: "17" }));
    const older = `${server("older")}/configurations/log_connections?${version}`;
    expect((await at.ask("GET", older)).body.properties.allowedValues).toBe("on,off");
    const properties = { value: "receipt", source: "user-override" };
    expect((await at.settle("PUT", older, { properties })).body.error.code).toBe("InvalidParameterValue");
  });
});
