// The table PGSQLServerLogs on a real PostgreSQL: every login and every refused one of a flexible server, when it is
// seen, and that nothing is lost or doubled when the emulator is killed.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linesIn, makeSessions } from "../../emulator/dbforpostgresql/log-rows.ts";
import { type RunningPostgres, startPostgres } from "../../toolchain/postgres.ts";
import { type CloudForTests, rawClient } from "../support/emulator/cloud.ts";
import { type CloudProcess, startCloudProcess } from "../support/emulator/cloud-process.ts";
import { eventually } from "../support/emulator/container-cloud.ts";
import { logRows } from "../support/emulator/log-rows.ts";

let postgres: RunningPostgres;
let emulator: CloudProcess;
let raw: Pick<CloudForTests, "agent" | "ask" | "settle" | "tokenFor">;
let folder: string;
let group: string;
const password = "Correct-Horse-7";
// The log passes through three processes, which a busy machine lets wait.
const patienceSeconds = 60;
const server = (name: string): string => `${group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/${name}`;
const workspace = (): string => `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
const servers = "api-version=2025-08-01";

beforeAll(async () => {
  postgres = await startPostgres();
  folder = mkdtempSync(path.join(tmpdir(), "ballast-server-logs-"));
  const { host, port, user, password: secret } = postgres;
  emulator = await startCloudProcess({
    folder: path.join(folder, "cloud"),
    images: {},
    postgres: { host, port, user, password: secret },
  });
  raw = await rawClient(emulator);
  group = `/subscriptions/${emulator.subscription}/resourceGroups/stores`;
  await raw.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await raw.ask("PUT", `${workspace()}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
  await raw.ask("POST", "/_emulator/ingestion", { lagSeconds: 0 });
  for (const name of ["shop", "other"]) {
    await raw.settle("PUT", `${server(name)}?${servers}`, {
      location: "westeurope",
      sku: { name: "Standard_B1ms", tier: "Burstable" },
      properties: { version: "18", administratorLogin: `${name}_admin`, administratorLoginPassword: password },
    });
    await raw.settle("PUT", `${server(name)}/databases/${name}_data?${servers}`, { properties: {} });
    const properties = {
      workspaceId: workspace(),
      logAnalyticsDestinationType: "Dedicated",
      logs: [{ category: "PostgreSQLLogs", enabled: true }],
    };
    const setting = `${server(name)}/providers/Microsoft.Insights/diagnosticSettings/logs`;
    const made = await raw.ask("PUT", `${setting}?api-version=2021-05-01-preview`, { properties });
    expect(made.status).toBe(200);
  }
});
afterAll(async () => {
  raw?.agent.destroy();
  await emulator?.kill();
  await postgres?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function login(user: string, secret = password, database = "shop_data", text = "select 1"): Promise<string> {
  const client = new pg.Client({ host: postgres.host, port: postgres.port, user, password: secret, database });
  try {
    await client.connect();
    await client.query(text);
    return "in";
  } catch (error) {
    return String((error as { code?: string }).code);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function rows(
  filter: string,
  columns = "LogicalServerName, ErrorLevel, SqlErrorCode, Message",
): Promise<any[][]> {
  const { customerId } = (await raw.ask("GET", `${workspace()}?api-version=2023-09-01`)).body.properties;
  const found = await logRows(raw, customerId, `PGSQLServerLogs | where ${filter} | project ${columns}`);
  return found.map((row) => Object.values(row));
}

/** Lets the clock go on by the time after which rows are there. */
const later = (minutes = 4): Promise<unknown> =>
  raw.ask("POST", "/_emulator/clock", { rate: 1, advanceSeconds: minutes * 60 + 1 });

test("a login, a wrong password and a role without LOGIN are rows of the server whose database it is", async () => {
  expect(await login("shop_admin")).toBe("in");
  await login("shop_admin", password, "shop_data", "create role shop_a login password 'Slot-A-1'");
  expect(await login("shop_a", "wrong")).toBe("28P01");
  expect(await login("shop_a", "Slot-A-1")).toBe("in");
  await login("shop_admin", password, "shop_data", "alter role shop_a nologin");
  expect(await login("shop_a", "Slot-A-1")).toBe("28000");
  const found = await eventually(
    async () => {
      await later();
      return rows('Message has "shop_a"');
    },
    (each) => each.some(([, , code]) => code === "28000"),
    patienceSeconds,
  );
  const said = found.map(([name, level, code, message]) => [
    name,
    level,
    code,
    message.replace(/^.*?-(LOG|FATAL): {2}/, ""),
  ]);
  expect(said).toEqual(
    expect.arrayContaining([
      ["shop", "FATAL", "28P01", 'password authentication failed for user "shop_a"'],
      ["shop", "LOG", "00000", expect.stringContaining("connection authorized: user=shop_a database=shop_data")],
      ["shop", "FATAL", "28000", 'role "shop_a" is not permitted to log in'],
    ]),
  );
  expect(said.every(([name]) => name === "shop")).toBe(true);
  const [[line, pid]] = (await rows(
    'Message contains "connection authorized: user=shop_a "',
    "Message, ProcessId",
  )) as [[string, number]];
  expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC-[0-9a-f]+[.][0-9a-f]+-LOG: {2}connection authorized/);
  expect(pid).toEqual(expect.any(Number));
  expect(await rows('Message has "connection received"', "LogicalServerName")).not.toEqual([]);
});

test("a row is there four minutes after its login", async () => {
  const noon = Date.parse("2040-01-01T12:00:00Z");
  await raw.ask("POST", "/_emulator/clock", { at: noon });
  expect(await login("other_admin", password, "other_data")).toBe("in");
  // A row is on the disk before it is seen.
  const kept = path.join(folder, "cloud", "platform-rows.jsonl");
  await eventually(
    () => readFileSync(kept, "utf8"),
    (text) => text.includes("connection authorized: user=other_admin database=other_data"),
    patienceSeconds,
  );
  const filter =
    'LogicalServerName == "other" and Message has "database=other_data" and TimeGenerated > datetime(2040-01-01)';
  await raw.ask("POST", "/_emulator/clock", { at: noon + 239_000 });
  expect(await rows(filter, "TimeGenerated")).toEqual([]);
  await raw.ask("POST", "/_emulator/clock", { at: noon + 241_000 });
  expect(await rows(filter, "TimeGenerated")).toEqual([["2040-01-01T12:00:00.000Z"]]);
  await raw.ask("POST", "/_emulator/clock", { at: noon + 241_000, rate: 1 });
});

test("a statement longer than one read of the log holds no later row up", async () => {
  expect(await login("shop_admin", password, "shop_data", `select nothing /* ${"x".repeat(3_000_000)} */`)).toBe(
    "42703",
  );
  const ask = "LogicalServerName == 'shop' and SqlErrorCode == '42703'";
  await eventually(
    async () => {
      await later();
      return rows(ask, "Message");
    },
    (found) => found.length === 1,
    patienceSeconds,
  );
  expect(await login("shop_admin", "wrong")).toBe("28P01");
  await eventually(
    async () => {
      await later();
      return rows("Message has 'shop_admin' and SqlErrorCode == '28P01'", "Message");
    },
    (found) => found.length === 1,
    patienceSeconds,
  );
});

test("after SIGKILL every login is there once, also those of the time in between", async () => {
  await login("shop_admin", password, "shop_data", "create role shop_b login password 'Slot-B-1'");
  const authorized = () => rows('Message has "connection authorized: user=shop_b"', "ProcessId");
  for (let time = 0; time < 5; time += 1) await login("shop_b", "Slot-B-1");
  await eventually(
    async () => {
      await later();
      return authorized();
    },
    (found) => found.length === 5,
    patienceSeconds,
  );
  await emulator.kill();
  for (let time = 0; time < 5; time += 1) await login("shop_b", "Slot-B-1");
  await emulator.revive();
  const all = await eventually(
    async () => {
      await later();
      return authorized();
    },
    (found) => found.length >= 10,
    patienceSeconds,
  );
  expect(new Set(all.map(([pid]) => pid)).size).toBe(10);
  expect(all).toHaveLength(10);
});

test("an unfinished line waits, and the first line of a connection waits for the next of its session", () => {
  const line = (more: object): string => `${JSON.stringify({ session_id: "a.1", message: "m", ...more })}\n`;
  const whole = Buffer.from(line({ message: "ä" }) + line({ user: "u", dbname: "d" }));
  const first = linesIn(Buffer.concat([Buffer.from('the end of a line"}\n'), whole]).subarray(0, -3));
  expect([first.lines.length, first.bytes]).toEqual([1, 20 + Buffer.byteLength(line({ message: "ä" }))]);
  const { settle } = makeSessions(2);
  const [one, two] = linesIn(whole).lines;
  expect(settle(one!)).toEqual([]);
  expect(settle(two!)).toMatchObject([{ message: "ä", user: "u", dbname: "d" }, { user: "u" }]);
  // Sessions that never say who they are do not fill the memory.
  for (const id of ["b", "c", "d"]) settle({ ...one!, session_id: id });
  expect(settle({ ...two!, session_id: "b" })).toHaveLength(1);
  expect(settle({ ...two!, session_id: "d" })).toHaveLength(2);
});
