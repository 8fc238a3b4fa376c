// The secrets of a vault by Microsoft's own client over TLS, and by raw requests where the client hides what is on the
// wire. The client sends its first request without a token and without a body, and finds the issuer by the challenge.
import type { RestError } from "@azure/core-rest-pipeline";
import type { SecretClient } from "@azure/keyvault-secrets";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CloudForTests, type Reply, startCloudForTests } from "../../support/emulator/cloud.ts";
import {
  clientObjectId,
  giveRole,
  hostOf,
  secretClient,
  vaultBody,
  vaultVersion,
} from "../../support/emulator/vault.ts";

let at: CloudForTests;
let client: SecretClient;
let token: string;
let group: string;
const vaultId = (name: string): string => `${group}/providers/Microsoft.KeyVault/vaults/${name}`;
const poll = { intervalInMs: 10 };
const raw = (method: string, path: string, body?: unknown, version = "2026-04-01"): Promise<Reply> =>
  at.ask(method, `${hostOf("shop")}${path}${path.includes("?") ? "&" : "?"}api-version=${version}`, body, { token });
const refused = async (act: Promise<unknown>) =>
  act.then(
    () => "accepted",
    (error: RestError & { details?: { error?: { code?: string; innerError?: { code?: string } } } }) => ({
      status: error.statusCode,
      code: error.code,
      inner: error.details?.error?.innerError?.code,
    }),
  );

beforeAll(async () => {
  at = await startCloudForTests();
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/shop`;
  await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  const { status } = await at.ask("PUT", `${vaultId("shop")}?${vaultVersion}`, vaultBody(at));
  expect(status).toBe(200);
  await giveRole(at, vaultId("shop"), "officer", await clientObjectId(at));
  token = await at.tokenFor("https://vault.azure.net");
  client = secretClient(at.cloud, at.agent, "shop");
});
afterAll(() => at.close());

test("the first request of a client is challenged, and the answer names a parent of the vault's host", async () => {
  const fresh = secretClient(at.cloud, at.agent, "shop");
  expect((await fresh.setSecret("first", "value")).value).toBe("value");
  const unsigned = await at.ask("PUT", `${hostOf("shop")}/secrets/first?api-version=2026-04-01`, undefined, {
    token: null,
  });
  expect(unsigned).toMatchObject({
    status: 401,
    body: { error: { code: "Unauthorized", message: "AKV10000: Request is missing a Bearer or PoP token." } },
  });
  const issuer = `https://login.ballast.localhost/${at.cloud.tenant}`;
  expect(unsigned.headers["www-authenticate"]).toBe(
    `Bearer authorization="${issuer}", resource="https://vault.ballast.localhost"`,
  );
  const other = await at.tokenFor("https://management.azure.com");
  expect((await at.ask("GET", `${hostOf("shop")}/secrets?api-version=7.4`, undefined, { token: other })).status).toBe(
    401,
  );
});

test("a secret is set, and read by its latest version or by another one, with what is beside its value", async () => {
  const expiresOn = new Date("2030-01-01T00:00:00Z");
  const first = await client.setSecret("database", "one", {
    tags: { seq: "1" },
    contentType: "text/plain",
    expiresOn,
    notBefore: new Date("2029-01-01T00:00:00Z"),
  });
  const second = await client.setSecret("database", "two");
  expect(first.properties).toMatchObject({
    name: "database",
    vaultUrl: hostOf("shop"),
    enabled: true,
    tags: { seq: "1" },
    contentType: "text/plain",
    expiresOn,
    recoveryLevel: "Recoverable+Purgeable",
    recoverableDays: 90,
    createdOn: expect.any(Date),
    updatedOn: expect.any(Date),
  });
  expect(first.properties.version).toMatch(/^[0-9a-f]{32}$/);
  expect((await client.getSecret("database")).value).toBe("two");
  expect((await client.getSecret("DATABASE", { version: first.properties.version! })).value).toBe("one");
  // The second version has nothing of the first.
  expect(second.properties).toMatchObject({ tags: {} });
  expect(second.properties.expiresOn).toBeUndefined();
  expect(second.properties.contentType).toBeUndefined();
});

test("expiry and start are for information: an expired secret and one of the future are read", async () => {
  await client.setSecret("expired", "old", { expiresOn: new Date("2020-01-01T00:00:00Z") });
  await client.setSecret("future", "new", { notBefore: new Date("2037-01-01T00:00:00Z") });
  expect([(await client.getSecret("expired")).value, (await client.getSecret("future")).value]).toEqual(["old", "new"]);
});

test("attributes and tags of a version are changed, its value never; what is not named stays", async () => {
  const { properties } = await client.setSecret("changed", "value", { tags: { a: "1" }, contentType: "text/plain" });
  const version = properties.version!;
  const updated = await client.updateSecretProperties("changed", version, { tags: { b: "2" } });
  expect(updated).toMatchObject({ tags: { b: "2" }, contentType: "text/plain", enabled: true, version });
  expect("value" in (await raw("PATCH", "/secrets/changed/", { tags: { c: "3" } })).body).toBe(false);
  expect((await client.getSecret("changed")).properties.tags).toEqual({ c: "3" });
  expect(await raw("PATCH", "/secrets/changed", { value: "other" })).toMatchObject({
    status: 400,
    body: { error: { code: "BadParameter" } },
  });
});

test("a disabled version is 403 with the inner code SecretDisabled, and the others are read", async () => {
  const { properties: first } = await client.setSecret("disabled", "one");
  const { properties: second } = await client.setSecret("disabled", "two");
  await client.updateSecretProperties("disabled", second.version!, { enabled: false });
  // There is no fall-back to the version before.
  expect(await refused(client.getSecret("disabled"))).toEqual({
    status: 403,
    code: "Forbidden",
    inner: "SecretDisabled",
  });
  expect((await raw("GET", "/secrets/disabled/")).body).toEqual({
    error: {
      code: "Forbidden",
      message: "Operation get is not allowed on a disabled secret.",
      innererror: { code: "SecretDisabled" },
    },
  });
  expect((await client.getSecret("disabled", { version: first.version! })).value).toBe("one");
});

test("secrets and versions are listed in pages without values", async () => {
  for (let number = 0; number < 30; number += 1)
    await client.setSecret(`many-${String(number).padStart(2, "0")}`, "hush");
  const { body } = await raw("GET", "/secrets");
  expect([body.value.length, body.nextLink.startsWith(`${hostOf("shop")}/secrets?`)]).toEqual([25, true]);
  expect(JSON.stringify(body)).not.toContain("hush");
  const names: string[] = [];
  for await (const { name, version } of client.listPropertiesOfSecrets()) {
    expect(version).toBeUndefined();
    if (name.startsWith("many-")) names.push(name);
  }
  expect(names).toEqual(Array.from({ length: 30 }, (_, number) => `many-${String(number).padStart(2, "0")}`));
  expect((await raw("GET", "/secrets?maxresults=26")).status).toBe(400);
  await client.setSecret("versions", "1");
  await client.setSecret("versions", "2");
  const versions: string[] = [];
  for await (const { version } of client.listPropertiesOfSecretVersions("versions")) versions.push(version!);
  expect(versions).toEqual(versions.toSorted());
  expect(versions).toHaveLength(2);
});

test("a deleted secret keeps its name until it is recovered or purged", async () => {
  await client.setSecret("gone", "one");
  await client.setSecret("gone", "two");
  const deleted = await (await client.beginDeleteSecret("gone", poll)).pollUntilDone();
  expect(deleted.properties).toMatchObject({
    recoveryId: `${hostOf("shop")}/deletedsecrets/gone`,
    deletedOn: expect.any(Date),
    scheduledPurgeDate: expect.any(Date),
  });
  const { deletedOn, scheduledPurgeDate } = deleted.properties as { deletedOn: Date; scheduledPurgeDate: Date };
  expect(scheduledPurgeDate.getTime() - deletedOn.getTime()).toBe(90 * 86_400_000);
  expect(await refused(client.getSecret("gone"))).toMatchObject({ status: 404, code: "SecretNotFound" });
  expect(await refused(client.setSecret("gone", "three"))).toEqual({
    status: 409,
    code: "Conflict",
    inner: "ObjectIsDeletedButRecoverable",
  });
  const names: string[] = [];
  for await (const { name } of client.listDeletedSecrets()) names.push(name);
  expect(names).toContain("gone");
  await (await client.beginRecoverDeletedSecret("gone", poll)).pollUntilDone();
  expect((await client.getSecret("gone")).value).toBe("two");
  await (await client.beginDeleteSecret("gone", poll)).pollUntilDone();
  await client.purgeDeletedSecret("gone");
  expect(await refused(client.getDeletedSecret("gone"))).toMatchObject({ status: 404 });
  expect((await client.setSecret("gone", "again")).value).toBe("again");
});

test.each([
  ["a name with an underscore", () => client.setSecret("bad_name", "x")],
  ["a name that is too long", () => client.setSecret("a".repeat(128), "x")],
  [
    "sixteen tags",
    () =>
      client.setSecret("tagged", "x", { tags: Object.fromEntries([...Array(16).keys()].map((n) => [`t${n}`, ""])) }),
  ],
  ["a tag that is too long", () => client.setSecret("tagged", "x", { tags: { long: "x".repeat(513) } })],
  ["a value of more than 25 kB", () => client.setSecret("large", "x".repeat(25_601))],
  ["a content type that is too long", () => client.setSecret("typed", "x", { contentType: "x".repeat(256) })],
  // The client writes times as 32-bit numbers, so that this one is negative on the wire.
  ["an expiry after 2038-01-19", () => client.setSecret("late", "x", { expiresOn: new Date("2040-01-01T00:00:00Z") })],
])("%s is refused", async (_, act) => {
  expect(await refused(act())).toMatchObject({ status: 400, code: "BadParameter" });
});

test("fifteen tags and a value of 25 kB are accepted", async () => {
  const tags = Object.fromEntries([...Array(15).keys()].map((number) => [`t${number}`, "x"]));
  const { properties } = await client.setSecret("full", "x".repeat(25_600), { tags });
  expect(properties.tags).toEqual(tags);
});

test("an api-version that is missing or unknown is refused, and those of today's clients are served", async () => {
  expect((await at.ask("GET", `${hostOf("shop")}/secrets`, undefined, { token })).body.error.code).toBe("BadParameter");
  expect((await raw("GET", "/secrets", undefined, "2019-01-01")).body.error).toMatchObject({
    code: "BadParameter",
    message: expect.stringContaining("is not recognized"),
  });
  for (const version of ["7.4", "2025-07-01", "2026-04-01"])
    expect((await raw("GET", "/secrets", undefined, version)).status).toBe(200);
});

test.each([
  ["GET", "/keys"],
  ["POST", "/keys/a/create"],
  ["GET", "/certificates/a"],
  ["GET", "/storage"],
  ["POST", "/secrets/a/backup"],
  ["POST", "/secrets/restore"],
])("%s %s is refused by name", async (method, path) => {
  expect(await raw(method, path)).toMatchObject({ status: 400, body: { error: { code: "EmulatorUnsupported" } } });
});

test.each([
  ["'colour'", { value: "x", colour: "red" }],
  ["'expires'", { value: "x", attributes: { expires: 1 } }],
])("a secret with %s, which is no property, is refused by name", async (named, body) => {
  const reply = await at.ask("PUT", `${hostOf("shop")}/secrets/unknown?api-version=7.4`, body, { token });
  expect([reply.status, reply.body.error.code, reply.body.error.message]).toEqual([
    400,
    "EmulatorUnsupported",
    expect.stringContaining(named),
  ]);
});

test("a host of no vault is no host", async () => {
  expect(await at.ask("GET", `${hostOf("nobody")}/secrets?api-version=7.4`, undefined, { token })).toMatchObject({
    status: 404,
    body: { error: { code: "HostNotFound" } },
  });
});

test("the 301st secret within ten seconds is refused with the time to wait, and is not counted", async () => {
  const throttled = await startCloudForTests();
  try {
    const home = `/subscriptions/${throttled.cloud.subscription}/resourceGroups/shop`;
    const vault = `${home}/providers/Microsoft.KeyVault/vaults/busy`;
    await throttled.ask("PUT", `${home}?api-version=2024-03-01`, { location: "westeurope" });
    await throttled.ask("PUT", `${vault}?${vaultVersion}`, vaultBody(throttled));
    await giveRole(throttled, vault, "officer", await clientObjectId(throttled));
    await throttled.ask("POST", "/_emulator/clock", { at: Date.parse("2030-01-01T12:00:00Z") });
    const busy = secretClient(throttled.cloud, throttled.agent, "busy");
    for (let number = 0; number < 300; number += 1) await busy.setSecret(`made-${number}`, "x");
    expect(await refused(busy.setSecret("one-more", "x"))).toMatchObject({ status: 429, code: "Throttled" });
    // Another version of a secret that exists, and a read, are not counted with them.
    await busy.setSecret("made-0", "y");
    const own = await throttled.tokenFor("https://vault.azure.net");
    const one = `${hostOf("busy")}/secrets/one-more?api-version=7.4`;
    const reply = await throttled.ask("PUT", one, { value: "x" }, { token: own });
    expect([reply.status, reply.headers["retry-after"]]).toEqual([429, "10"]);
    await throttled.ask("POST", "/_emulator/clock", { at: Date.parse("2030-01-01T12:00:10Z") });
    expect((await busy.setSecret("one-more", "x")).value).toBe("x");
  } finally {
    await throttled.close();
  }
});

test("faults meet requests to vaults by host and path, and the log of requests shows no value", async () => {
  const lost = { method: "PUT", path: "^/shop\\.vault/secrets/lost$", loseAnswer: true, after: 0 };
  await client.setSecret("before", "hush-hush");
  await at.ask("POST", "/_emulator/faults", { faults: [lost] });
  expect(await refused(client.setSecret("lost", "hush-hush"))).not.toBe("accepted");
  // The answer was lost, and the version was made.
  expect((await client.getSecret("lost")).value).toBe("hush-hush");
  const { requests } = (await at.ask("GET", "/_emulator/requests")).body;
  expect(requests).toContainEqual(
    expect.objectContaining({ method: "PUT", path: "/shop.vault/secrets/lost", answered: false }),
  );
  expect(JSON.stringify(requests)).not.toContain("hush-hush");
});
