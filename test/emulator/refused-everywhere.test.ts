// What Azure refuses in each resource type besides container apps (whose table is app/refusals.test.ts), sent over
// HTTPS as a client sends it. Nothing of a refused body may be stored.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Body } from "../../emulator/arm/resource.ts";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";
import { type Case, groupPath, idIn, listed, type Names, own } from "../support/emulator/refused-case.ts";
import {
  accepted,
  eventGridCases,
  networkCases,
  otherCases,
  roleCases,
} from "../support/emulator/refused-everywhere.ts";
import { actionGroupCases, ruleCases } from "../support/emulator/refused-monitor.ts";
import { fieldCases, patchCases, questionCases, scopeCases } from "../support/emulator/refused-requests.ts";

let at: CloudForTests;
let names: Names;

beforeAll(async () => {
  at = await startCloudForTests();
  const subscription = `/subscriptions/${at.cloud.subscription}`;
  const group = `${subscription}/resourceGroups/shop`;
  names = { subscription, group, tenant: at.cloud.tenant, principal: "" };
  await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  for (const [path, version, body] of accepted(names)) {
    const { body: made } = await at.settle("PUT", `${group}/providers/${path}?api-version=${version}`, body);
    expect(made.error, path).toBeUndefined();
    if (path.endsWith("/shop-identity")) names = { ...names, principal: made.properties.principalId };
  }
});
afterAll(() => at?.close());

const cases: readonly (readonly [string, readonly Case[]])[] = [
  ["resource types without rules of their own", otherCases],
  ["action groups", actionGroupCases],
  ["alert rules and diagnostic settings", ruleCases],
  ["roles", roleCases],
  ["Event Grid", eventGridCases],
  ["networks", networkCases],
  ["patches", patchCases],
  ["single fields", fieldCases],
  ["questions", questionCases],
  ["places", scopeCases],
];

describe.each(cases)("%s", (_, rows) => {
  const named = rows.map((row) => [row[0], row[1], row] as const);
  test.each(named)("%s: %s is refused", async (_what, code, [, , path, version, body, method = "PUT"]) => {
    const sent: Body | undefined = typeof body === "function" ? body(names) : body;
    const below = typeof path === "function" ? path(names) : path;
    const from = below.startsWith("/") ? names.subscription : `${names.group}/providers/`;
    const url = `${from}${below}?api-version=${version}`;
    const before = await at.ask("GET", url);
    const reply = await at.settle(method, url, sent);
    expect([reply.status >= 400, reply.body.error?.code ?? reply.body.code], JSON.stringify(reply.body)).toEqual([
      true,
      code,
    ]);
    const after = await at.ask("GET", url);
    expect([after.status, after.body]).toEqual([before.status, before.body]);
  });
});

test("a rule of the most criteria and the most action groups is accepted", async () => {
  const url = `${names.group}/providers/Microsoft.Insights/metricAlerts/most?api-version=2018-03-01`;
  const [, , , , body] = ruleCases.find(([what]) => what === "a metric alert rule with six criteria")!;
  const rule = (body as (names: Names) => Body)(names);
  rule["properties"].criteria.allOf.pop();
  rule["properties"].actions = listed(5, () => ({ actionGroupId: idIn(names, groupPath) }));
  expect((await at.ask("PUT", url, rule)).status).toBe(201);
});

test("a refused recovery leaves the deleted vault where it is", async () => {
  const vault = `${names.group}/providers/Microsoft.KeyVault/vaults/shop-lost?api-version=2024-11-01`;
  const properties = { tenantId: names.tenant, sku: { name: "standard", family: "A" } };
  await at.ask("PUT", vault, { location: "westeurope", properties });
  await at.ask("DELETE", vault);
  const recovered = { ...properties, createMode: "recover" };
  const other = { ...recovered, tenantId: "11111111-1111-1111-1111-111111111111" };
  expect((await at.ask("PUT", vault, { location: "westeurope", properties: other })).status).toBe(400);
  expect((await at.ask("PUT", vault, { location: "westeurope", properties: recovered })).status).toBe(200);
});

test("a private zone is made only if it is not there, or changed only if it is, when the request says so", async () => {
  const zone = (name: string) =>
    `${names.group}/providers/Microsoft.Network/privateDnsZones/${name}?api-version=2024-06-01`;
  const put = async (name: string, headers: Record<string, string>) =>
    (await at.ask("PUT", zone(name), { location: "global" }, { headers })).body.error?.code;
  expect(await put("shop.example", { "if-none-match": "*" })).toBe("PreconditionFailed");
  expect(await put("absent.example", { "if-match": "*" })).toBe("PreconditionFailed");
  expect(await put("shop.example", { "if-match": '"0"' })).toBe(own);
  expect(await put("present.example", { "if-none-match": "*" })).toBeUndefined();
});

test("peerings of virtual networks are refused by name", async () => {
  const peering = `${names.group}/providers/Microsoft.Network/virtualNetworks/shop-net/virtualNetworkPeerings/hub`;
  for (const method of ["GET", "PUT"])
    expect(
      (await at.ask(method, `${peering}?api-version=2024-05-01`, method === "PUT" ? {} : undefined)).body.error,
    ).toMatchObject({ code: own, message: expect.stringContaining("peerings of virtual networks") });
});

test("a private zone with links is not deleted, and its group deletes both", async () => {
  const group = `${names.subscription}/resourceGroups/zones`;
  const zone = `${group}/providers/Microsoft.Network/privateDnsZones/x.example`;
  const version = "api-version=2024-06-01";
  await at.ask("PUT", `${group}?api-version=2024-03-01`, { location: "westeurope" });
  await at.settle("PUT", `${zone}?${version}`, { location: "global" });
  await at.settle("PUT", `${zone}/virtualNetworkLinks/shop?${version}`, {
    location: "global",
    properties: { virtualNetwork: { id: `${names.group}/providers/Microsoft.Network/virtualNetworks/shop-net` } },
  });
  const refused = await at.ask("DELETE", `${zone}?${version}`);
  expect([refused.status, refused.body.error.code]).toEqual([409, "CannotDeleteResource"]);
  await at.settle("DELETE", `${group}?api-version=2024-03-01`);
  expect((await at.ask("GET", `${group}?api-version=2024-03-01`)).status).toBe(404);
});
