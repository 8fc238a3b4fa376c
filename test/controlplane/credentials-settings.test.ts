// Declared credentials: what the control plane reads from its settings, what it refuses by name, and when one is due.
import { expect, it } from "vitest";
import { askForDue } from "../../controlplane/due-rotations.ts";
import { readCredentials } from "../../controlplane/read-credentials.ts";
import { dueAt, dueRotation, nextDueAt } from "../../engines/rotation/due.ts";

const app = { resourceGroup: "shop", app: "web" };
const declared = {
  vault: "shop-kv",
  credential: "database",
  server: "shop.postgres.database.azure.com",
  database: "shop",
  roles: { a: "shop_a", b: "shop_b" },
  consumers: [app],
};
const readOne = (change: object) => {
  const complaints: string[] = [];
  const credentials = readCredentials(JSON.stringify([{ ...declared, ...change }]), [app], complaints);
  return { credentials, complaints };
};
const [credential] = readOne({}).credentials;
const hour = 3_600_000;
const day = 24 * hour;
const published = { slot: "a", version: "0a1b2c3d4e5f60718293", of: "1", enabled: true, expiresAt: 100 * day } as const;

it("have defaults for everything that has a safe one", () => {
  expect(readOne({}).complaints).toEqual([]);
  expect(credential).toMatchObject({
    port: 5432,
    rotator: "ballast_rotator",
    validDays: 60,
    dueDays: 30,
    timings: { quietSeconds: 2_100, graceSeconds: 3_600 },
    consumers: [{ ...app, probePath: "/", strategy: { weights: [5, 25, 50, 95] } }],
  });
});

it.each([
  ["one role for both slots", { roles: { a: "x", b: "x" } }, "roles.a and roles.b must differ"],
  ["an app twice", { consumers: [app, { ...app, app: "WEB" }] }, "The consumer shop/web is listed twice."],
  ["an app that is not managed", { consumers: [{ ...app, app: "api" }] }, "database, is not a managed target"],
  ["a version that is due at once", { validDays: 30 }, "dueDays (30) must be less than validDays (30)"],
  ["a manager that it is itself", { managedBy: "shop-kv/database" }, "shop-kv/database manages itself"],
  ["a manager without a vault", { managedBy: "admin" }, "managedBy must be another credential"],
  ["less time than a rotation takes", { dueDays: 0.01 }, "dueDays (0.01) is too short: a rotation takes at least"],
  [
    "versions that expire while they are replaced",
    { validDays: 1, dueDays: 0, timings: { graceSeconds: 86_400 } },
    "validDays (1) is too short: a rotation takes at least",
  ],
  ["a name that no secret can have", { credential: "Data_Base" }, "credential must be a credential's name"],
  ["a role of too many bytes", { roles: { a: "é".repeat(32), b: "b" } }, "roles.a has more than 63 bytes"],
  ["a database of too many bytes", { database: "é".repeat(32) }, "database has more than 63 bytes"],
  [
    "half a character in a role",
    { roles: { a: "a\ud800", b: "b" } },
    "roles.a must be a text of 1 to 63 characters in one line",
  ],
  ["a NUL in the database", { database: "a\0b" }, "database must be a text of 0 to 63 characters in one line"],
  ["a line break in the rotator", { rotator: "a\nb" }, "rotator must be a text of 1 to 63"],
  ["a misspelt field", { role: "x" }, 'unknown field "role"'],
])("are refused with %s", (_what, change, complaint) =>
  expect(readOne(change).complaints.join(" ")).toContain(complaint),
);

it("are refused if two have one name, or if they are no list", () => {
  const complaints: string[] = [];
  readCredentials(JSON.stringify([declared, { ...declared, vault: "SHOP-KV" }]), [app], complaints);
  readCredentials("{", [app], complaints);
  expect(complaints).toEqual([
    "BALLAST_CREDENTIALS: The credential database is declared twice.",
    expect.stringContaining("BALLAST_CREDENTIALS is not a JSON list of credentials"),
  ]);
});

it.each<[string, object, string, object?]>([
  ["two names", { credential: "other" }, "share the role shop_a of shop.postgres.database.azure.com:5432"],
  ["one role in another slot", { credential: "other", roles: { a: "x", b: "shop_a" } }, "share the role shop_a of"],
  [
    "the name of a slot",
    { credential: "database-a", roles: { a: "x", b: "y" } },
    "secret database-a of the vault shop-",
  ],
  [
    "the name of the role beside a slot",
    { credential: "database-a-user", roles: { a: "x", b: "y" } },
    "share the secret database-a-user of the vault shop-kv: each would change it for both.",
    { form: "apart" },
  ],
  [
    "one name in two vaults",
    { vault: "other", roles: { a: "x", b: "y" } },
    "share the secret database-a of app/shop/web",
  ],
])("are refused if two share something by %s", (_what, change, complaint, first = {}) => {
  const complaints: string[] = [];
  readCredentials(
    JSON.stringify([
      { ...declared, ...first },
      { ...declared, ...change },
    ]),
    [app],
    complaints,
  );
  expect(complaints).toEqual([expect.stringContaining(complaint)]);
});

it.each([
  ["another server", { server: "other.postgres.database.azure.com" }],
  ["another port", { port: 6432 }],
  ["other roles", { roles: { a: "shop_c", b: "SHOP_A" } }],
])("may have one vault, app and database, if they have %s", (_what, change) => {
  const complaints: string[] = [];
  readCredentials(JSON.stringify([declared, { ...declared, credential: "other", ...change }]), [app], complaints);
  expect(complaints).toEqual([]);
});

it("are due from the declared time before they expire, under a name that follows from the version", () => {
  expect(dueRotation(credential!, published, 69 * day)).toBeUndefined();
  expect(dueRotation(credential!, published, 71 * day)).toEqual({
    vault: "shop-kv",
    credential: "database",
    rotation: "0a1b2c3d4e5f",
    cause: "due",
    dueVersion: published.version,
    message: "it expires within 29 days",
    requestedBy: "the control plane",
  });
  expect(dueRotation(credential!, published, 101 * day)?.message).toBe("it has expired");
  expect(dueRotation(credential!, { ...published, expiresAt: null }, 71 * day)).toBeUndefined();
  expect(dueRotation(credential!, { ...published, enabled: false }, 71 * day)).toBeUndefined();
});

it("are due within a tenth of that time, and within a day, after it has come, spread by their names", () => {
  const names = Array.from({ length: 200 }, (_, index) => `database-${index}`);
  for (const [dueDays, most] of [
    [30, day],
    [5, day / 2],
    [0, 0],
  ] as const) {
    const later = names.map(
      (name) => dueAt({ vault: "kv", credential: name, dueDays }, 100 * day) - (100 - dueDays) * day,
    );
    expect(Math.min(...later)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...later)).toBeLessThanOrEqual(most);
    const hours = new Set(later.map((milliseconds) => Math.floor((24 * milliseconds) / (most || 1))));
    expect(hours.size).toBeGreaterThanOrEqual(most === 0 ? 1 : 20);
  }
  const upper = { vault: "KV", credential: "database", dueDays: 30 };
  expect(dueAt(upper, 100 * day)).toBe(dueAt({ ...upper, vault: "kv" }, 100 * day));
});

it.each([
  ["before it is due, at that moment", {}, 69 * day, dueAt(credential!, published.expiresAt)],
  [
    "while its window is closed, at its opening",
    { window: { from: "23:00", until: "23:20" } },
    71 * day,
    71 * day + 23 * hour,
  ],
  ["while it is due, at no other time", {}, 71 * day, undefined],
])("are looked at again %s", (_what, change, now, next) => {
  const [planned] = readOne(change).credentials;
  expect(nextDueAt(planned!, published, now)).toBe(next);
});

it("are looked at within the hour, and soon if one could not be read", async () => {
  const at = 71 * day;
  const look = (answer: object, change = {}) =>
    askForDue(
      {
        credentials: async () => readOne(change).credentials,
        vault: { look: async () => answer as never },
        streams: { start: async () => "started" },
        now: () => at,
        log: () => undefined,
      },
      new AbortController().signal,
    );
  const seen = { ok: true, value: { published } };
  expect(await look(seen)).toBe(at + hour);
  expect(await look(seen, { window: { from: "00:20", until: "00:40" } })).toBe(at + hour / 3);
  expect(await look({ ok: false, reason: "throttled" })).toBe(at + hour / 12);
});

it("are looked at one after another, and one that cannot be read stops no other", async () => {
  const started: string[] = [];
  const logged: string[] = [];
  const other = { ...credential!, credential: "broken" };
  await askForDue(
    {
      credentials: async () => [other, credential!],
      vault: {
        look: async ({ credential: name }) => {
          if (name === "broken") throw new Error("the vault is away");
          return { ok: true, value: { published, slots: { a: none, b: none } } };
        },
      },
      streams: {
        start: async (stream) => {
          started.push(stream);
          return "started";
        },
      },
      now: () => 71 * day,
      log: (message) => logged.push(message),
    },
    new AbortController().signal,
  );
  expect(started).toEqual(["rotation/shop-kv/database/0a1b2c3d4e5f"]);
  expect(logged).toEqual(["whether the credential broken is due is unknown: Error: the vault is away"]);
});

const none = { newest: null, rotation: "" };
