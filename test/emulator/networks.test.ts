// Networks and private DNS zones of the emulator and the resources in them: refused as Azure refuses
// them, with answers that fit its schemas.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningPostgres, startPostgres } from "../../toolchain/postgres.ts";
import { type CloudForTests, startCloudForTests } from "../support/emulator/cloud.ts";

let at: CloudForTests;
let postgres: RunningPostgres;
let group: string;
const networkId = (): string => `${group}/providers/Microsoft.Network/virtualNetworks/hub`;
const subnetId = (name: string): string => `${networkId()}/subnets/${name}`;
const zoneId = (name: string): string => `${group}/providers/Microsoft.Network/privateDnsZones/${name}`;
const zone = "hub.private.postgres.database.azure.com";
const environmentId = (name: string): string => `${group}/providers/Microsoft.App/managedEnvironments/${name}`;
const serverId = (name: string): string => `${group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/${name}`;
const delegated = (addressPrefix: string, serviceName: string): object => ({
  properties: { addressPrefix, delegations: [{ name: "service", properties: { serviceName } }] },
});
const [forApps, forDatabases] = ["Microsoft.App/environments", "Microsoft.DBforPostgreSQL/flexibleServers"] as const;
const versions: readonly (readonly [type: RegExp, version: string])[] = [
  [/privateDnsZones/, "2024-06-01"],
  [/Microsoft.Network/, "2024-05-01"],
  [/Microsoft.App/, "2025-07-01"],
  [/DBforPostgreSQL/, "2025-08-01"],
  [/./, "2024-03-01"],
];
const put = (id: string, body: object) =>
  at.settle("PUT", `${id}?api-version=${versions.find(([type]) => type.test(id))![1]}`, body);
const get = async (id: string) =>
  (await at.ask("GET", `${id}?api-version=${versions.find(([type]) => type.test(id))![1]}`)).body;
const remove = (id: string) => at.settle("DELETE", `${id}?api-version=${versions.find(([type]) => type.test(id))![1]}`);
const codeOf = (reply: { readonly body: any }): string | undefined => reply.body?.error?.code;
const environment = (vnetConfiguration?: object): object => ({
  location: "westeurope",
  properties: { ...(vnetConfiguration && { vnetConfiguration }) },
});
const server = (login: string, network: object): object => ({
  location: "westeurope",
  sku: { name: "Standard_B1ms", tier: "Burstable" },
  properties: { administratorLogin: login, administratorLoginPassword: "Correct-Horse-7", network },
});
const inDatabase = () => ({
  delegatedSubnetResourceId: subnetId("database"),
  privateDnsZoneArmResourceId: zoneId(zone),
});

beforeAll(async () => {
  postgres = await startPostgres();
  at = await startCloudForTests({ postgres });
  group = `/subscriptions/${at.cloud.subscription}/resourceGroups/hub`;
  await put(group, { location: "westeurope" });
  await put(networkId(), {
    location: "westeurope",
    properties: { addressSpace: { addressPrefixes: ["10.40.0.0/22"] } },
  });
  await put(subnetId("apps"), delegated("10.40.0.0/23", forApps));
  await put(subnetId("database"), delegated("10.40.2.0/28", forDatabases));
  await put(zoneId(zone), { location: "global", properties: {} });
});
afterAll(async () => {
  await at.close();
  await postgres.stop();
});

test("a network shows its subnets, and a write that does not name them keeps them", async () => {
  await put(networkId(), {
    location: "westeurope",
    tags: { of: "us" },
    properties: { addressSpace: { addressPrefixes: ["10.40.0.0/22"] } },
  });
  const { tags, properties } = await get(networkId());
  expect([
    tags,
    properties.subnets.map(({ name, properties: { addressPrefix } }: any) => [name, addressPrefix]),
  ]).toEqual([
    { of: "us" },
    [
      ["apps", "10.40.0.0/23"],
      ["database", "10.40.2.0/28"],
    ],
  ]);
});

test.each([
  ["outside its network", "10.41.0.0/24", "NetcfgSubnetRangeOutsideVnet"],
  ["over another", "10.40.2.0/24", "NetcfgSubnetRangesOverlap"],
  ["that begins in the middle", "10.40.3.1/24", "InvalidCIDRNotation"],
])("a subnet %s is refused", async (_where, addressPrefix, code) =>
  expect(codeOf(await put(subnetId("third"), { properties: { addressPrefix } }))).toBe(code),
);

test("a zone must be global, stores its records and links, and a link needs its network", async () => {
  expect(codeOf(await put(zoneId("here.example.com"), { location: "westeurope", properties: {} }))).toBe(
    "LocationNotAvailableForResourceType",
  );
  for (const name of ["example", "a!.example"])
    expect(codeOf(await put(zoneId(name), { location: "global", properties: {} }))).toBe("EmulatorUnsupported");
  const link = (id: string) =>
    put(`${zoneId(zone)}/virtualNetworkLinks/hub`, {
      location: "global",
      properties: { virtualNetwork: { id }, registrationEnabled: false },
    });
  expect(codeOf(await link(`${networkId()}2`))).toBe("BadRequest");
  await link(networkId());
  await put(`${zoneId(zone)}/A/*`, { properties: { ttl: 300, aRecords: [{ ipv4Address: "10.40.2.4" }] } });
  expect((await get(`${zoneId(zone)}/virtualNetworkLinks/hub`)).properties).toMatchObject({
    virtualNetworkLinkState: "Completed",
    provisioningState: "Succeeded",
  });
  expect((await get(`${zoneId(zone)}/A/*`)).properties.aRecords).toEqual([{ ipv4Address: "10.40.2.4" }]);
});

test("a subnet smaller than /29 is refused", async () => {
  expect(codeOf(await put(subnetId("small"), { properties: { addressPrefix: "10.40.3.0/30" } }))).toBe(
    "EmulatorUnsupported",
  );
});

test("an environment needs a subnet of its own, and cannot change its subnet or whether it is internal", async () => {
  const inSubnet = (name: string, internal: boolean) =>
    environment({ infrastructureSubnetId: subnetId(name), internal });
  expect(codeOf(await put(environmentId("inner"), environment({ internal: true })))).toBe("VnetConfigurationInvalid");
  expect(codeOf(await put(environmentId("inner"), inSubnet("nowhere", true)))).toBe("InvalidSubnetId");
  expect(codeOf(await put(environmentId("inner"), inSubnet("database", true)))).toBe("SubnetMissingRequiredDelegation");
  expect((await put(environmentId("inner"), inSubnet("apps", true))).status).toBeLessThan(300);
  expect((await get(environmentId("inner"))).properties).toMatchObject({
    staticIp: expect.any(String),
    vnetConfiguration: { internal: true },
  });
  expect(codeOf(await put(environmentId("second"), inSubnet("apps", true)))).toBe("SubnetInUse");
  expect(codeOf(await put(environmentId("inner"), inSubnet("apps", false)))).toBe("VnetConfigurationCannotBeChanged");
  expect(codeOf(await put(environmentId("inner"), environment()))).toBe("VnetConfigurationCannotBeChanged");
  expect((await put(environmentId("inner"), inSubnet("apps", true))).status).toBeLessThan(300);
  await remove(subnetId("apps"));
  expect((await get(subnetId("apps"))).name).toBe("apps"); // in use, so that its deletion failed
});

test("a server with a subnet needs a zone, has no firewall, and neither it nor a public one can change", async () => {
  expect(
    codeOf(
      await put(
        serverId("inner"),
        server("inner", { delegatedSubnetResourceId: subnetId("apps"), privateDnsZoneArmResourceId: zoneId(zone) }),
      ),
    ),
  ).toBe("SubnetMissingRequiredDelegation");
  expect(
    codeOf(await put(serverId("inner"), server("inner", { delegatedSubnetResourceId: subnetId("database") }))),
  ).toBe("PrivateDnsZoneRequired");
  expect(
    codeOf(
      await put(
        serverId("inner"),
        server("inner", { ...inDatabase(), privateDnsZoneArmResourceId: zoneId("inner.example.com") }),
      ),
    ),
  ).toBe("InvalidPrivateDnsZone");
  expect(
    codeOf(await put(serverId("inner"), server("inner", { ...inDatabase(), publicNetworkAccess: "Enabled" }))),
  ).toBe("InvalidParameterValue");
  await put(serverId("inner"), server("inner", inDatabase()));
  expect((await get(serverId("inner"))).properties).toMatchObject({
    state: "Ready",
    network: { publicNetworkAccess: "Disabled" },
  });
  const rule = { properties: { startIpAddress: "0.0.0.0", endIpAddress: "0.0.0.0" } };
  expect(codeOf(await put(`${serverId("inner")}/firewallRules/all`, rule))).toBe("FirewallRulesNotAllowed");
  expect(codeOf(await put(serverId("inner"), server("inner", { publicNetworkAccess: "Enabled" })))).toBe(
    "ServerNetworkCannotBeChanged",
  );
  await put(serverId("outer"), server("outer", { publicNetworkAccess: "Enabled" }));
  expect((await put(`${serverId("outer")}/firewallRules/all`, rule)).status).toBeLessThan(300);
  expect(codeOf(await put(serverId("outer"), server("outer", inDatabase())))).toBe("ServerNetworkCannotBeChanged");
});
