// Storage accounts on the emulator: names, their two keys, who may list them and make them anew, and the blob service,
// which accepts what one of the present keys has signed and writes a row that names the key.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { signedWith } from "../../controlplane/adapters/azure/storage-request.ts";
import { type CloudForTests, management, startCloudForTests } from "../support/emulator/cloud.ts";
import { eventually } from "../support/postgres/postgres.ts";

let here: CloudForTests;
let group: string;
const version = "api-version=2024-01-01";
const body = { location: "westeurope", kind: "StorageV2", sku: { name: "Standard_LRS" } };
const idOf = (name: string, where = group): string => `${where}/providers/Microsoft.Storage/storageAccounts/${name}`;
const put = (name: string, more: object = {}, where = group) =>
  here.ask("PUT", `${idOf(name, where)}?${version}`, { ...body, ...more });

beforeAll(async () => {
  here = await startCloudForTests();
  group = `${management}/subscriptions/${here.cloud.subscription}/resourceGroups/shop`;
  for (const each of [group, `${group}2`])
    await here.ask("PUT", `${each}?api-version=2024-03-01`, { location: "westeurope" });
  expect((await put("shopdata")).status).toBe(200);
});
afterAll(() => here?.close());

interface Key {
  readonly keyName: string;
  readonly value: string;
  readonly permissions: string;
}
const keys = async (): Promise<readonly Key[]> =>
  (await here.ask("POST", `${idOf("shopdata")}/listKeys?${version}`)).body.keys;

/** Lists containers as a client does, with a signature. */
const list = (key: string, { name = "shopdata", id = "test", date = new Date().toUTCString() } = {}) =>
  here.ask("GET", `https://shopdata.blob.storage.ballast.localhost/?comp=list&maxresults=1`, undefined, {
    token: null,
    headers: {
      "x-ms-client-request-id": id,
      "x-ms-date": date,
      "x-ms-version": "2026-04-06",
      authorization: signedWith({ account: name, key }, id, date),
    },
  });

test("an account has a name of its own, a kind that stays, and its keys in no answer about it", async () => {
  for (const name of ["ab", "Shop", "shop-data", "a".repeat(25)]) expect((await put(name)).status, name).toBe(400);
  expect((await put("shopdata", {}, `${group}2`)).body.error.code).toBe("StorageAccountAlreadyTaken");
  expect((await put("shopdata", { kind: "BlobStorage" })).status).toBe(400);
  const [one, other] = await keys();
  expect([one, other]).toMatchObject([
    { keyName: "key1", permissions: "FULL" },
    { keyName: "key2", permissions: "FULL" },
  ]);
  const shown = JSON.stringify((await here.ask("GET", `${idOf("shopdata")}?${version}`)).body);
  expect(shown).toContain("keyCreationTime");
  for (const { value } of [one!, other!]) expect(shown).not.toContain(value);
  expect((await put("shopdata", { tags: { team: "web" } })).body.tags).toEqual({ team: "web" });
  expect(await keys(), "a PUT keeps the keys").toEqual([one, other]);
});

test("a key is made anew alone, and what the other one signs goes on", async () => {
  const [one, other] = await keys();
  const url = `${idOf("shopdata")}/regenerateKey?${version}`;
  const made = (await here.ask("POST", url, { keyName: "key1" })).body.keys as readonly Key[];
  expect(made).toEqual(await keys());
  expect(made[0]!.value).not.toBe(one!.value);
  expect(made[1]).toEqual(other);
  expect([(await list(one!.value)).status, (await list(made[0]!.value)).status]).toEqual([403, 200]);
  expect((await list(other!.value)).status).toBe(200);
  expect((await here.ask("POST", url, { keyName: "key3" })).body.error.code).toBe("InvalidValuesForRequestParameters");
  expect((await here.ask("POST", url, { keyName: "kerb1" })).body.error.code).toBe("EmulatorUnsupported");
});

test.each([
  ["of another account's name", { name: "other" }, "AuthenticationFailed"],
  ["of an hour ago", { date: new Date(Date.now() - 3_600_000).toUTCString() }, "AuthenticationFailed"],
])("a signature %s is refused", async (_what, how, code) => {
  const [, other] = await keys();
  const { status, headers } = await list(other!.value, how);
  expect([status, headers["x-ms-error-code"]]).toEqual([403, code]);
});

test("a request without a signature, and one with a token, are refused; a host of no account is no host", async () => {
  const blobs = "https://shopdata.blob.storage.ballast.localhost/?comp=list";
  const codeOf = async (url: string, token: string | null) =>
    (await here.ask("GET", url, undefined, { token })).headers["x-ms-error-code"];
  expect(await codeOf(blobs, null)).toBe("NoAuthenticationInformation");
  expect(await codeOf(blobs, await here.tokenFor("https://storage.azure.com"))).toBe("EmulatorUnsupported");
  expect(await codeOf(blobs.replace("shopdata", "nothing"), null)).toBe("HostNotFound");
});

test("an account that permits no keys refuses what they sign, and other operations are refused by name", async () => {
  const [, other] = await keys();
  await put("shopdata", { properties: { allowSharedKeyAccess: false } });
  expect((await list(other!.value)).headers["x-ms-error-code"]).toBe("KeyBasedAuthenticationNotPermitted");
  await put("shopdata", { properties: { allowSharedKeyAccess: true } });
  const containers = await here.ask("GET", `${idOf("shopdata")}/blobServices/default/containers?${version}`);
  expect(containers.body.error.code).toBe("EmulatorUnsupported");
});

test("each request is a row of StorageBlobLogs that names the key by its hash, with no key", async () => {
  const workspaceId = `${group}/providers/Microsoft.OperationalInsights/workspaces/logs`;
  await here.ask("PUT", `${workspaceId}?api-version=2023-09-01`, { location: "westeurope" });
  const setting = `${idOf("shopdata")}/blobServices/default/providers/Microsoft.Insights/diagnosticSettings/logs`;
  const logs = {
    properties: { workspaceId: new URL(workspaceId).pathname, logs: [{ category: "StorageRead", enabled: true }] },
  };
  expect((await here.ask("PUT", `${setting}?api-version=2021-05-01-preview`, logs)).status).toBe(200);
  const [, other] = await keys();
  await list(other!.value, { id: "who-is-it" });
  const { customerId } = (await here.ask("GET", `${workspaceId}?api-version=2023-09-01`)).body.properties;
  const token = await here.tokenFor("https://api.loganalytics.io");
  const query = "StorageBlobLogs | where ClientRequestId == 'who-is-it' | project AuthenticationHash, StatusCode";
  const rows = await eventually(async () => {
    const url = `https://api.loganalytics.ballast.localhost/v1/workspaces/${customerId}/query`;
    const { body: found } = await here.ask("POST", url, { query }, { token });
    return found.tables[0].rows.length > 0 && (found.tables[0].rows as readonly unknown[]);
  }, "the row");
  const hash = createHash("sha256").update(Buffer.from(other!.value, "base64")).digest("hex").toUpperCase();
  expect(rows).toEqual([[`key2(${hash})`, 200]]);
});
