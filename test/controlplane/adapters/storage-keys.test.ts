// The two keys of a storage account as a rotation sees them, through the real clients against the emulator: a key is
// made anew once, also if its answer was lost, is proven by a request that it signs, and its users are in the log.
import { createDefaultHttpClient, createPipelineRequest } from "@azure/core-rest-pipeline";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createStorageKeys } from "../../../controlplane/adapters/azure/storage-keys.ts";
import { signedWith } from "../../../controlplane/adapters/azure/storage-request.ts";
import { createStorageRows } from "../../../controlplane/adapters/azure/storage-rows.ts";
import { patienceOf } from "../../../controlplane/adapters/azure/trouble.ts";
import type { System } from "../../../controlplane/performers/rotation-ports.ts";
import { read } from "../../../engines/form.ts";
import { completedCredential } from "../../../engines/rotation/declaration.ts";
import type { Credential } from "../../../engines/rotation/vocabulary.ts";
import { openShop, type Shop } from "../../support/emulator/azure-shop.ts";
import { eventually } from "../../support/postgres/postgres.ts";

const uncut = new AbortController().signal;
const ours = async () => true;
let shop: Shop;
let system: System;
let credential: Credential;
let account: string;

beforeAll(async () => {
  shop = await openShop();
  const { connection, cloud, settings, workspace } = shop;
  const patience = patienceOf(10);
  const { resourceManager, subscription } = settings;
  system = {
    ...createStorageKeys({ connection, patience, resourceManager, subscription, suffix: `storage.${cloud.suffix}` }),
    ...createStorageRows(connection, patience, workspace, Date.now),
  };
  const group = `/subscriptions/${subscription}/resourceGroups/shop`;
  account = `${group}/providers/Microsoft.Storage/storageAccounts/shopdata`;
  const body = { location: "westeurope", kind: "StorageV2", sku: { name: "Standard_LRS" } };
  expect(await shop.arm("PUT", account, body, "2024-01-01")).toMatchObject({ status: 200 });
  const workspaceId = `${group}/providers/Microsoft.OperationalInsights/workspaces/shop`;
  const logs = { properties: { workspaceId, logs: [{ category: "StorageRead", enabled: true }] } };
  const setting = `${account}/blobServices/default/providers/Microsoft.Insights/diagnosticSettings/logs`;
  expect(await shop.arm("PUT", setting, logs, "2021-05-01-preview")).toMatchObject({ status: 200 });
  const parsed = read(completedCredential, {
    vault: "kv",
    credential: "data",
    storage: { resourceGroup: "shop", account: "shopdata" },
    roles: { a: "key1", b: "key2" },
    consumers: [{ resourceGroup: "shop", app: "storefront" }],
  });
  if ("complaints" in parsed) throw new Error(parsed.complaints.join(" "));
  credential = parsed.value;
});
beforeEach(() => shop.fault());
afterAll(() => shop?.close());

const keys = async (): Promise<Readonly<Record<string, string>>> => {
  const { body } = await shop.arm("POST", `${account}/listKeys`, undefined, "2024-01-01");
  return Object.fromEntries(body.keys.map((key: { keyName: string; value: string }) => [key.keyName, key.value]));
};
const valueOf = (key: string): string =>
  `DefaultEndpointsProtocol=https;AccountName=shopdata;AccountKey=${key};EndpointSuffix=storage.${shop.cloud.suffix}`;
const versionOf = (key: string) => ({ version: "1", url: "", value: valueOf(key) });
const newest = (value: string | null) => async () => ({ ok: true, value }) as const;
const newValue = (kept: string | null, fence = ours) => system.newValue(credential, "b", newest(kept), fence);

describe("a new value", () => {
  test("of a credential that the vault does not have is the key that the account has", async () => {
    const before = await keys();
    expect(await newValue(null)).toEqual({ ok: true, value: valueOf(before["key2"]!) });
    expect(await keys()).toEqual(before);
  });

  test("is another key of the slot alone, if the vault has the present one", async () => {
    const before = await keys();
    const made = await newValue(valueOf(before["key2"]!));
    const after = await keys();
    expect(made).toEqual({ ok: true, value: valueOf(after["key2"]!) });
    expect(after["key2"]).not.toBe(before["key2"]);
    expect(after["key1"]).toBe(before["key1"]);
    expect(await newValue(valueOf(before["key2"]!)), "the vault did not get it").toEqual(made);
    expect(await keys(), "it was not made twice").toEqual(after);
  });

  test("whose answer was lost is found, and is not made twice", async () => {
    const before = await keys();
    await shop.fault({ method: "POST", path: "regenerateKey", loseAnswer: true });
    expect(await newValue(valueOf(before["key2"]!))).toMatchObject({ ok: false });
    const after = await keys();
    expect(after["key2"]).not.toBe(before["key2"]);
    expect(await newValue(valueOf(before["key2"]!))).toEqual({ ok: true, value: valueOf(after["key2"]!) });
    expect(await keys()).toEqual(after);
  });

  test.each([
    ["is disabled", ""],
    ["has no key", "any text"],
  ])("is another key, if the vault's newest version %s and may be the present one", async (_what, kept) => {
    const before = await keys();
    const made = await newValue(kept);
    const after = await keys();
    expect(after["key2"]).not.toBe(before["key2"]);
    expect(made).toEqual({ ok: true, value: valueOf(after["key2"]!) });
  });

  test("is not made by a process that lost the rotation", async () => {
    const before = await keys();
    expect(await newValue(valueOf(before["key2"]!), async () => false)).toMatchObject({ ok: false });
    expect(await keys()).toEqual(before);
  });
});

describe("a key", () => {
  test("is accepted as it is, and refused by name once another client has made another", async () => {
    const { key1 = "" } = await keys();
    expect(await system.accept(credential, "a", versionOf(key1), ours)).toEqual({ ok: true, value: null });
    expect(await system.accept(credential, "a", versionOf("b3RoZXI="), ours)).toMatchObject({
      reason: "key1 is not that of version 1: another client has regenerated it",
    });
  });

  test("is proven by a request that it signs; one that is void is an answer, not a failure", async () => {
    const { key1 = "" } = await keys();
    const prove = (key: string) => system.prove(credential, "a", versionOf(key), uncut);
    expect(await prove(key1)).toMatchObject({ value: { login: true, missing: [] } });
    const refused = await prove("b3RoZXI=");
    expect(refused).toMatchObject({ value: { login: false, detail: expect.stringContaining("AuthenticationFailed") } });
    await shop.arm("PATCH", account, { properties: { allowSharedKeyAccess: false } }, "2024-01-01");
    expect(await prove(key1)).toMatchObject({
      value: { login: false, detail: expect.stringContaining("KeyBasedAuthenticationNotPermitted") },
    });
    await shop.arm("PATCH", account, { properties: { allowSharedKeyAccess: true } }, "2024-01-01");
    expect(JSON.stringify([refused, await prove("c2VjcmV0")]), "no key in a message").not.toContain("c2VjcmV0");
  });

  test("is not refuted by a firewall: another key would be refused as well", async () => {
    const { key1 = "" } = await keys();
    await shop.fault({ path: "shopdata.blob", status: 403, code: "AuthorizationFailure" });
    expect(await system.prove(credential, "a", versionOf(key1), uncut)).toMatchObject({ ok: false });
  });

  test("cannot be closed, which says so, and is always open", async () => {
    expect(await system.setLogin(credential, "a", true, ours)).toEqual({ ok: true, value: null });
    expect(await system.setLogin(credential, "a", false, ours)).toMatchObject({
      reason: "key1 of a storage account cannot be closed",
    });
  });

  test("of which nobody may list the keys is refused with the account's name", async () => {
    await shop.fault({ method: "POST", path: "listKeys", status: 403, code: "AuthorizationFailed" });
    expect(await system.look(credential, "a", uncut)).toMatchObject({
      reason: expect.stringContaining("the keys of shopdata cannot be listed"),
    });
  });
});

test("the log names who uses a key, and proves nothing before it shows a request of our own", async () => {
  const from = Date.now();
  expect(await system.read(credential, "a", from, uncut)).toMatchObject({ value: { logins: [], alive: false } });
  const { key1 = "" } = await keys();
  const date = new Date().toUTCString();
  const host = `shopdata.blob.storage.${shop.cloud.suffix}`;
  const { sendRequest } = shop.connection.way;
  const request = createPipelineRequest({ url: `https://${host}/?comp=list&maxresults=1` });
  const headers = {
    "x-ms-client-request-id": "nightly",
    "x-ms-date": date,
    "x-ms-version": "2026-04-06",
    "user-agent": "nightly-export",
    authorization: signedWith({ account: "shopdata", key: key1 }, "nightly", date),
  };
  for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
  const client = createDefaultHttpClient();
  expect(await sendRequest(request, (sent) => client.sendRequest(sent))).toMatchObject({ status: 200 });
  expect(await system.sessions(credential, "a", uncut)).toEqual({ ok: true, value: 0 });
  const seen = await eventually(async () => {
    const found = await system.read(credential, "a", from, uncut);
    return found.ok && found.value.alive && found.value.logins.length > 0 ? found.value : undefined;
  }, "both rows");
  expect(seen.logins).toMatchObject([{ who: "nightly-export", refused: false }]);
  expect(seen.to).toBeGreaterThanOrEqual(from);
  expect(await system.read(credential, "b", from, uncut), "the other key").toMatchObject({ value: { logins: [] } });
});

test("a request is signed as Microsoft's client signs it", () => {
  // Made by @azure/storage-blob 12.32.0: its first page of containers, with a page size of 1.
  const key = Buffer.from("0123456789abcdef0123456789abcdef").toString("base64");
  const id = "c8ee41c6-730f-4841-ab17-a908378c0679";
  expect(signedWith({ account: "shopdata", key }, id, "Sun, 29 Nov 2026 17:15:26 GMT")).toBe(
    "SharedKey shopdata:0caeR3x9nPOH9Ojw4g+/IMrAPdxFG49B+cCDyeUJeE8=",
  );
});
