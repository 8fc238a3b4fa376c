// Vaults as Resource Manager serves them: names, deletion that only puts aside, recovery and purging on the emulator's
// clock, who may read and write secrets, and what outlives SIGKILL.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type CloudForTests, type Reply, rawClient, startCloudForTests } from "../../support/emulator/cloud.ts";
import { startCloudProcess } from "../../support/emulator/cloud-process.ts";
import { logRows } from "../../support/emulator/log-rows.ts";
import { clientObjectId, giveRole, hostOf, vaultBody, vaultVersion } from "../../support/emulator/vault.ts";

let at: CloudForTests;
let token: string;
let client: string;
const group = (name = "shop"): string => `/subscriptions/${at.cloud.subscription}/resourceGroups/${name}`;
const idOf = (name: string, inGroup?: string): string =>
  `${group(inGroup)}/providers/Microsoft.KeyVault/vaults/${name}`;
const put = (name: string, properties: Body = {}, inGroup?: string): Promise<Reply> =>
  at.ask("PUT", `${idOf(name, inGroup)}?${vaultVersion}`, vaultBody(at, properties));
const provider = (rest: string): string =>
  `/subscriptions/${at.cloud.subscription}/providers/Microsoft.KeyVault/${rest}?${vaultVersion}`;
const inside = (vault: string, method: string, where: string, body?: unknown): Promise<Reply> =>
  at.ask(method, `${hostOf(vault)}${where}?api-version=7.4`, body, { token });
const remove = (name: string): Promise<Reply> => at.ask("DELETE", `${idOf(name)}?${vaultVersion}`);

/** Makes a vault in which the emulator's own client may do everything. */
async function openVault(name: string, properties: Body = {}): Promise<void> {
  expect((await put(name, properties)).status).toBe(200);
  await giveRole(at, idOf(name), "administrator", client);
}

beforeAll(async () => {
  at = await startCloudForTests();
  token = await at.tokenFor("https://vault.azure.net");
  client = await clientObjectId(at);
  for (const name of ["shop", "other"])
    await at.ask("PUT", `${group(name)}?api-version=2024-03-01`, { location: "westeurope" });
});
afterAll(() => at.close());

test("a vault shows its host, its defaults and no mode of creation", async () => {
  const { body } = await put("plain", { createMode: "default", enableRbacAuthorization: undefined });
  expect(body.properties).toEqual({
    tenantId: at.cloud.tenant,
    sku: { family: "A", name: "standard" },
    accessPolicies: [],
    enabledForDeployment: false,
    enableRbacAuthorization: false,
    enableSoftDelete: true,
    softDeleteRetentionInDays: 90,
    publicNetworkAccess: "Enabled",
    vaultUri: `${hostOf("plain")}/`,
    provisioningState: "Succeeded",
  });
  expect((await at.ask("GET", `${idOf("PLAIN")}?${vaultVersion}`)).body).toEqual(body);
});

test.each(["ab", "1shop", "shop-", "shop--two", "shop_two", "a".repeat(25)])("no vault is named %s", async (name) => {
  expect((await put(name)).status).toBe(400);
  const { body } = await at.ask("POST", provider("checkNameAvailability"), { name, type: "Microsoft.KeyVault/vaults" });
  expect(body).toMatchObject({ nameAvailable: false, reason: "AccountNameInvalid" });
});

test("a name is unique in all groups, and a deleted vault keeps it", async () => {
  await put("unique");
  expect((await put("Unique", {}, "other")).body.error.code).toBe("VaultAlreadyExists");
  expect((await remove("unique")).status).toBe(200);
  expect((await put("unique")).body.error).toMatchObject({
    code: "ConflictError",
    message: expect.stringContaining("A vault with the same name already exists in deleted state"),
  });
  expect((await put("unique", {}, "other")).body.error.code).toBe("VaultAlreadyExists");
  const check = async () =>
    (await at.ask("POST", provider("checkNameAvailability"), { name: "unique", type: "Microsoft.KeyVault/vaults" }))
      .body;
  expect(await check()).toMatchObject({ nameAvailable: false, reason: "AlreadyExists" });
  const { body } = await at.ask("GET", provider("locations/westeurope/deletedVaults/unique"));
  expect(body.properties).toMatchObject({ vaultId: idOf("unique"), location: "westeurope" });
  expect((await at.ask("POST", provider("locations/westeurope/deletedVaults/unique/purge"))).status).toBe(200);
  expect(await check()).toEqual({ nameAvailable: true });
  expect((await put("unique", {}, "other")).status).toBe(200);
});

test.each([
  ["purge protection off", { enablePurgeProtection: false }, "BadRequest"],
  ["soft delete off", { enableSoftDelete: false }, "BadRequest"],
  ["a retention of six days", { softDeleteRetentionInDays: 6 }, "EmulatorUnsupported"],
  ["a retention of 7.5 days", { softDeleteRetentionInDays: 7.5 }, "EmulatorUnsupported"],
  ["another directory", { tenantId: "11111111-1111-1111-1111-111111111111" }, "BadRequest"],
  ["an unknown tier", { sku: { family: "A", name: "gold" } }, "InvalidRequestContent"],
  ["an unknown network access", { publicNetworkAccess: "sometimes" }, "EmulatorUnsupported"],
  ["no directory", { tenantId: undefined }, "InvalidRequestContent"],
  [
    "access policies",
    {
      accessPolicies: [
        { tenantId: "00000000-0000-0000-0000-00000000beef", objectId: "x", permissions: { secrets: ["get"] } },
      ],
    },
    "EmulatorUnsupported",
  ],
])("a vault with %s is refused, and not stored", async (_, properties, code) => {
  expect((await put("refused", properties)).body.error.code).toBe(code);
  expect((await at.ask("GET", `${idOf("refused")}?${vaultVersion}`)).status).toBe(404);
});

test("purge protection and retention are never taken back, by no PUT and no PATCH", async () => {
  await openVault("protected", { enablePurgeProtection: true, softDeleteRetentionInDays: 7 });
  expect((await put("protected")).body.properties).toMatchObject({
    enablePurgeProtection: true,
    softDeleteRetentionInDays: 7,
  });
  const patch = (properties: Body): Promise<Reply> =>
    at.ask("PATCH", `${idOf("protected")}?${vaultVersion}`, { properties });
  for (const wrong of [{ enablePurgeProtection: false }, { softDeleteRetentionInDays: 8 }])
    expect((await patch(wrong)).body.error.code).toBe("BadRequest");
  await inside("protected", "PUT", "/secrets/kept", { value: "x" });
  const { attributes } = (await inside("protected", "DELETE", "/secrets/kept")).body;
  expect([attributes.recoveryLevel, attributes.recoverableDays]).toEqual(["CustomizedRecoverable", 7]);
  expect((await inside("protected", "DELETE", "/deletedsecrets/kept")).body.error.code).toBe("Forbidden");
  await remove("protected");
  const purged = await at.ask("POST", provider("locations/westeurope/deletedVaults/protected/purge"));
  expect(purged.status).toBe(400);
});

test("a recovered vault has its secrets, and none of the roles that were assigned at it", async () => {
  await openVault("back");
  await inside("back", "PUT", "/secrets/kept", { value: "still here" });
  await remove("back");
  expect((await inside("back", "GET", "/secrets/kept")).status).toBe(404);
  expect((await put("back", { createMode: "recover" }, "other")).status).toBe(404);
  expect((await put("back", { createMode: "recover" })).status).toBe(200);
  expect((await inside("back", "GET", "/secrets/kept")).body.error.innererror.code).toBe("ForbiddenByRbac");
  await giveRole(at, idOf("back"), "user", client);
  expect((await inside("back", "GET", "/secrets/kept")).body.value).toBe("still here");
});

test("deleted vaults and secrets are purged when their retention is over", async () => {
  await openVault("short", { softDeleteRetentionInDays: 7 });
  await inside("short", "PUT", "/secrets/gone", { value: "x" });
  await inside("short", "DELETE", "/secrets/gone");
  const advance = (days: number): Promise<Reply> =>
    at.ask("POST", "/_emulator/clock", { rate: 1, advanceSeconds: days * 86_400 });
  await advance(6.9);
  expect((await inside("short", "GET", "/deletedsecrets/gone")).status).toBe(200);
  await advance(0.2);
  expect((await inside("short", "GET", "/deletedsecrets/gone")).status).toBe(404);
  await remove("short");
  await advance(7.1);
  expect((await at.ask("GET", provider("locations/westeurope/deletedVaults/short"))).status).toBe(404);
  expect((await put("short")).status).toBe(200);
  await at.ask("POST", "/_emulator/clock", { at: null });
});

test("deleting a group puts its vaults aside", async () => {
  await at.ask("PUT", `${group("brief")}?api-version=2024-03-01`, { location: "westeurope" });
  await put("in-brief", {}, "brief");
  await at.settle("DELETE", `${group("brief")}?api-version=2024-03-01`);
  const { body } = await at.ask("GET", provider("deletedVaults"));
  expect(body.value.map(({ name }: Body) => name)).toContain("in-brief");
});

test("roles at the vault or at one secret decide who may do what; a vault without them lets nobody in", async () => {
  await openVault("guarded");
  await inside("guarded", "PUT", "/secrets/a", { value: "a" });
  await inside("guarded", "PUT", "/secrets/b", { value: "b" });
  const assignments = await at.ask(
    "GET",
    `${idOf("guarded")}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01`,
  );
  for (const { id } of assignments.body.value) await at.ask("DELETE", `${id}?api-version=2022-04-01`);
  const seen = async () =>
    Promise.all(
      [
        inside("guarded", "GET", "/secrets/a"),
        inside("guarded", "GET", "/secrets/b"),
        inside("guarded", "GET", "/secrets"),
        inside("guarded", "PUT", "/secrets/a", { value: "c" }),
      ].map(async (reply) => (await reply).status),
    );
  // The client is the owner of the subscription all the time.
  expect(await seen()).toEqual([403, 403, 403, 403]);
  const atSecret = await giveRole(at, `${idOf("guarded")}/secrets/a`, "user", client);
  expect(await seen()).toEqual([200, 403, 403, 403]);
  await at.ask("DELETE", `${atSecret}?api-version=2022-04-01`);
  const reader = await giveRole(at, idOf("guarded"), "reader", client);
  expect(await seen()).toEqual([403, 403, 200, 403]);
  await at.ask("DELETE", `${reader}?api-version=2022-04-01`);
  await giveRole(at, idOf("guarded"), "officer", client);
  expect(await seen()).toEqual([200, 200, 200, 200]);
  const absent = `${idOf("guarded")}/secrets/none/providers/Microsoft.Authorization/roleAssignments`;
  const nowhere = await at.ask("PUT", `${absent}/${crypto.randomUUID()}?api-version=2022-04-01`, {
    properties: { principalId: client, roleDefinitionId: "/x" },
  });
  expect(nowhere.body.error.code).toBe("ParentResourceNotFound");
  await put("guarded", { enableRbacAuthorization: false });
  expect((await inside("guarded", "GET", "/secrets/a")).body.error.innererror.code).toBe("AccessDenied");
});

test.each(["keys/a", "secrets/a", "accessPolicies/add", "privateEndpointConnections/a"])(
  "%s of a vault is refused by name",
  async (child) => {
    await put("parent");
    const { body } = await at.ask("PUT", `${idOf("parent")}/${child}?${vaultVersion}`, { properties: {} });
    expect(body.error.code).toBe("EmulatorUnsupported");
  },
);

test("each request to a vault is a row of AZKVAuditLogs in the workspaces of its settings, with no value", async () => {
  await openVault("audited");
  const workspace = `${group()}/providers/Microsoft.OperationalInsights/workspaces/logs`;
  await at.ask("PUT", `${workspace}?api-version=2023-09-01`, { location: "westeurope", properties: {} });
  const setting = `${idOf("audited")}/providers/Microsoft.Insights/diagnosticSettings/audit`;
  const { status } = await at.ask("PUT", `${setting}?api-version=2021-05-01-preview`, {
    properties: {
      workspaceId: workspace,
      logAnalyticsDestinationType: "Dedicated",
      logs: [{ categoryGroup: "audit", enabled: true }],
    },
  });
  expect(status).toBe(200);
  await at.ask("POST", "/_emulator/ingestion", { lagSeconds: 0 });
  await inside("audited", "PUT", "/secrets/a", { value: "hush-hush" });
  await inside("audited", "GET", "/secrets/a");
  await inside("audited", "GET", "/secrets/none");
  await at.ask("GET", `${hostOf("audited")}/secrets?api-version=7.4`, undefined, { token: null });
  const { customerId } = (await at.ask("GET", `${workspace}?api-version=2023-09-01`)).body.properties;
  const query = "AZKVAuditLogs | project OperationName, HttpStatusCode, ResultSignature, Id, Identity";
  const rows = (await logRows(at, customerId, query)).map((row) => Object.values(row));
  expect(rows.map((row) => row.slice(0, 4))).toEqual([
    ["SecretSet", 200, "OK", `${hostOf("audited")}/secrets/a`],
    ["SecretGet", 200, "OK", `${hostOf("audited")}/secrets/a`],
    ["SecretGet", 404, "Not Found", `${hostOf("audited")}/secrets/none`],
    ["Authentication", 401, "Unauthorized", ""],
  ]);
  expect(rows[0]![4]).toContain(client);
  expect(JSON.stringify(rows)).not.toContain("hush-hush");
});

test("after SIGKILL vaults have their secrets, and what was to be purged still is", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-vaults-"));
  const emulator = await startCloudProcess({ folder: path.join(folder, "cloud"), images: {} });
  const raw = await rawClient(emulator);
  const cloud = { ...raw, cloud: emulator };
  try {
    const home = `/subscriptions/${emulator.subscription}/resourceGroups/shop`;
    const vault = (name: string): string => `${home}/providers/Microsoft.KeyVault/vaults/${name}`;
    await raw.ask("PUT", `${home}?api-version=2024-03-01`, { location: "westeurope" });
    const own = await clientObjectId(raw);
    const keyToken = await raw.tokenFor("https://vault.azure.net");
    const askOf = (name: string, method: string, where: string, body?: unknown): Promise<Reply> =>
      raw.ask(method, `${hostOf(name)}${where}?api-version=7.4`, body, { token: keyToken });
    for (const name of ["stays", "aside"]) {
      await raw.ask("PUT", `${vault(name)}?${vaultVersion}`, vaultBody(cloud, { softDeleteRetentionInDays: 7 }));
      await giveRole(cloud, vault(name), "officer", own);
      await askOf(name, "PUT", "/secrets/a", { value: "one" });
    }
    const { id } = (await askOf("stays", "PUT", "/secrets/a", { value: "two" })).body;
    await askOf("stays", "PUT", "/secrets/b", { value: "b" });
    await askOf("stays", "DELETE", "/secrets/b");
    await raw.ask("DELETE", `${vault("aside")}?${vaultVersion}`);
    await emulator.kill();
    await emulator.revive();
    expect((await askOf("stays", "GET", "/secrets/a")).body).toMatchObject({ id, value: "two" });
    expect((await askOf("stays", "GET", "/secrets/a/versions")).body.value).toHaveLength(2);
    expect((await askOf("stays", "GET", "/deletedsecrets/b")).status).toBe(200);
    await raw.ask("POST", "/_emulator/clock", { rate: 1, advanceSeconds: 8 * 86_400 });
    expect((await askOf("stays", "GET", "/deletedsecrets/b")).status).toBe(404);
    const list = `/subscriptions/${emulator.subscription}/providers/Microsoft.KeyVault/deletedVaults?${vaultVersion}`;
    expect((await raw.ask("GET", list)).body.value).toEqual([]);
  } finally {
    raw.agent.destroy();
    await emulator.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a vault admits only a subnet with the service endpoint, unless it is told not to look", async () => {
  const network = `${group()}/providers/Microsoft.Network/virtualNetworks/vaults`;
  const version = "api-version=2024-05-01";
  await at.settle("PUT", `${network}?${version}`, {
    location: "westeurope",
    properties: { addressSpace: { addressPrefixes: ["10.9.0.0/16"] } },
  });
  const subnet = async (name: string, more: Body): Promise<string> => {
    const id = `${network}/subnets/${name}`;
    const addressPrefix = `10.9.${name === "plain" ? 0 : 1}.0/24`;
    await at.settle("PUT", `${id}?${version}`, { properties: { addressPrefix, ...more } });
    return id;
  };
  const plain = await subnet("plain", {});
  const joined = await subnet("joined", { serviceEndpoints: [{ service: "Microsoft.KeyVault" }] });
  const admitting = (rule: Body) =>
    put("admitting", { networkAcls: { defaultAction: "Deny", virtualNetworkRules: [rule] } });
  const refused = await admitting({ id: plain });
  expect([refused.status, refused.body.error.message]).toEqual([
    400,
    expect.stringContaining("do not have ServiceEndpoints for Microsoft.KeyVault"),
  ]);
  for (const rule of [{ id: plain, ignoreMissingVnetServiceEndpoint: true }, { id: joined }])
    expect((await admitting(rule)).status).toBe(200);
});
