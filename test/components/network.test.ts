// What a Network deploys, which ranges it refuses, and where placesOf puts the stack's parts for each choice.
import { describe, expect, test } from "vitest";
import { ContainerEnvironment, placeOf as environmentPlace } from "../../components/platform/container-environment.ts";
import { JournalDatabase, placeOf as serverPlace } from "../../components/platform/journal-database.ts";
import { keptPlace, Network, placesOf, subnetsOf } from "../../components/platform/network.ts";
import { record, valueOf } from "../support/program/mocks.ts";

const place = { scope: "/subscriptions/s/resourceGroups/shop", resourceGroupName: "shop", location: "westeurope" };
const parent = "ballast:index:Network";

test("each service has a subnet delegated to it, and the database a private zone linked to the network", async () => {
  const { made, declared } = await record(() => new Network("network", { ...place, range: "10.40.0.0/22" }));
  const zone = expect.stringMatching(/^network-[0-9a-f]{8}\.private\.postgres\.database\.azure\.com$/);
  const delegatedTo = (serviceName: string) => [{ name: "service", serviceName }];
  expect(declared).toMatchObject([
    {
      type: parent,
      name: "network",
      parent: "",
      outputs: ["databaseSubnetId", "databaseZoneId", "environmentSubnetId"],
    },
    {
      type: "azure-native:privatedns:VirtualNetworkLink",
      name: "network-database-link",
      parent,
      inputs: {
        privateZoneName: zone,
        virtualNetwork: { id: "network-virtual-network-id" },
        registrationEnabled: false,
        location: "global",
      },
    },
    {
      type: "azure-native:network:Subnet",
      name: "network-database-subnet",
      parent,
      inputs: {
        subnetName: "database",
        addressPrefix: "10.40.2.0/28",
        delegations: delegatedTo("Microsoft.DBforPostgreSQL/flexibleServers"),
      },
    },
    {
      type: "azure-native:privatedns:PrivateZone",
      name: "network-database-zone",
      parent,
      inputs: { privateZoneName: zone, location: "global" },
    },
    {
      type: "azure-native:network:Subnet",
      name: "network-environment-subnet",
      parent,
      inputs: {
        subnetName: "environment",
        addressPrefix: "10.40.0.0/23",
        delegations: delegatedTo("Microsoft.App/environments"),
        serviceEndpoints: [{ service: "Microsoft.KeyVault" }],
      },
    },
    {
      type: "azure-native:network:VirtualNetwork",
      name: "network-virtual-network",
      parent,
      inputs: {
        virtualNetworkName: "network",
        location: "westeurope",
        addressSpace: { addressPrefixes: ["10.40.0.0/22"] },
      },
    },
  ]);
  expect(
    await Promise.all([made.environmentSubnetId, made.databaseSubnetId, made.databaseZoneId].map(valueOf)),
  ).toEqual(["network-environment-subnet-id", "network-database-subnet-id", "network-database-zone-id"]);
});

test.each([
  ["10.40.0.0/22", "10.40.0.0/23", "10.40.2.0/28"],
  ["10.0.0.0/16", "10.0.0.0/17", "10.0.128.0/28"],
  ["192.168.7.64/26", "192.168.7.64/27", "192.168.7.96/28"],
])("in %s the environment gets %s and the database %s", (range, environment, database) =>
  expect(subnetsOf(range)).toEqual({ environment, database }),
);

test.each([
  ["10.40.0.0/27", "an environment needs a /27"],
  ["10.0.0.0/8", "its prefix must be from /16 to /26"],
  ["10.40.1.0/22", "a /22 cannot start at this address"],
  ["10.400.0.0/22", "not an IPv4 range"],
  ["172.30.4.0/22", "overlaps with 172.30.0.0/16"],
  ["100.100.0.0/16", "overlaps with 100.100.0.0/17"],
  ["169.254.0.0/16", "overlaps with 169.254.0.0/16"],
])("network-range-refused: the range %s is refused at preview: %s", (range, why) => {
  expect(() => subnetsOf(range)).toThrow(
    expect.objectContaining({ message: expect.stringMatching(new RegExp(`network-range-refused[^]*${why}`)) }),
  );
});

describe("an internal environment", () => {
  const subnet = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub/subnets/apps";
  test("has a private zone of its domain, linked to its network, that resolves every name to its address", async () => {
    const { declared } = await record(() => new ContainerEnvironment("apps", { ...place, subnet, internal: true }));
    const inputs = (name: string) => declared.find((each) => each.name === name)?.inputs;
    expect(inputs("apps-environment")).toMatchObject({
      vnetConfiguration: { infrastructureSubnetId: subnet, internal: true },
    });
    expect(inputs("apps-zone")).toMatchObject({ privateZoneName: "apps.example.net", location: "global" });
    expect(inputs("apps-zone-record")).toMatchObject({
      privateZoneName: "apps.example.net",
      recordType: "A",
      relativeRecordSetName: "*",
      aRecords: [{ ipv4Address: "10.40.0.12" }],
    });
    expect(inputs("apps-zone-link")).toMatchObject({
      privateZoneName: "apps.example.net",
      virtualNetwork: { id: subnet.replace("/subnets/apps", "") },
    });
  });

  test("environment-without-inside: is refused without a subnet", async () => {
    await expect(record(() => new ContainerEnvironment("apps", { ...place, internal: true }))).rejects.toThrow(
      /environment-without-inside/,
    );
  });

  test("differs from an open one, which has no such zone", async () => {
    const { declared } = await record(() => new ContainerEnvironment("apps", { ...place, subnet }));
    expect(declared.some(({ name }) => name.startsWith("apps-zone"))).toBe(false);
  });
});

describe("network-place-fixed: an existing resource stays in its network", () => {
  const environmentAt = (infrastructureSubnetId?: string, internal = false) => ({
    vnetConfiguration: { infrastructureSubnetId, internal },
  });
  const subnet = "subnet-id";
  const serverAt = (delegatedSubnetResourceId?: string) => ({
    network: { publicNetworkAccess: "Enabled", delegatedSubnetResourceId },
  });
  const refused: readonly (readonly [what: string, live: string, planned: string])[] = [
    ["an environment that would get a subnet", environmentPlace({}), environmentPlace(environmentAt(subnet))],
    [
      "an environment that would lose its subnet",
      environmentPlace(environmentAt(subnet)),
      environmentPlace(environmentAt()),
    ],
    [
      "an environment that would become internal",
      environmentPlace(environmentAt(subnet)),
      environmentPlace(environmentAt(subnet, true)),
    ],
    [
      "an environment that would be opened",
      environmentPlace(environmentAt(subnet, true)),
      environmentPlace(environmentAt(subnet)),
    ],
    ["a database that would become private", serverPlace(serverAt()), serverPlace(serverAt(subnet))],
    ["a database that would become public", serverPlace(serverAt(subnet)), serverPlace({})],
  ];
  test.each(refused)("%s is refused", async (what, live, planned) => {
    await expect(keptPlace(what, Promise.resolve(live), String, planned, {})).rejects.toThrow(
      new RegExp(`network-place-fixed[^]*${what} is ${live}, but the program wants it ${planned}`),
    );
  });
  test("a resource that stays gets its choice, and so does one that is new or cannot be read", async () => {
    expect(environmentPlace({ vnetConfiguration: null })).toBe(environmentPlace(environmentAt()));
    expect(
      await keptPlace(
        "it",
        Promise.resolve(environmentAt(subnet)),
        environmentPlace,
        environmentPlace(environmentAt("other-id")),
        "choice",
      ),
    ).toBe("choice");
    expect(
      await keptPlace(
        "it",
        Promise.reject(new Error("404")),
        environmentPlace,
        environmentPlace(environmentAt(subnet)),
        "choice",
      ),
    ).toBe("choice");
  });
});

test("a private database has no firewall rule, and its name is known once the database exists", async () => {
  const { made, declared } = await record(
    () =>
      new JournalDatabase("journal", { ...place, tenant: "tenant", network: { subnet: "subnet-id", zone: "zone-id" } }),
  );
  expect(declared.map(({ name }) => name)).toEqual(["journal", "journal-database", "journal-server"]);
  expect(declared.at(-1)?.inputs).toMatchObject({
    network: {
      publicNetworkAccess: "Disabled",
      delegatedSubnetResourceId: "subnet-id",
      privateDnsZoneArmResourceId: "zone-id",
    },
  });
  expect(await valueOf(made.databaseName)).toBe("ballast");
});

test("no choice makes no network, ids are used unchanged, and callers get the network's own ranges added", async () => {
  const none = { range: "", environmentSubnet: "", databaseSubnet: "", databaseZone: "", internal: false, callers: [] };
  const { made, declared } = await record(() => ({
    none: placesOf("network", { ...place, choice: none }),
    given: placesOf("network", {
      ...place,
      choice: { ...none, environmentSubnet: "e", databaseSubnet: "d", databaseZone: "z", internal: true },
    }),
  }));
  expect(made).toEqual({
    none: { environment: { internal: false, subnet: undefined }, database: undefined, callers: undefined },
    given: { environment: { internal: true, subnet: "e" }, database: { subnet: "d", zone: "z" }, callers: undefined },
  });
  expect(declared).toEqual([]);
  const own = await record(() =>
    placesOf("network", { ...place, choice: { ...none, range: "10.40.0.0/22", callers: ["203.0.113.0/24"] } }),
  );
  expect(own.made.callers).toEqual([
    "203.0.113.0/24",
    "10.40.0.0/23",
    "100.100.0.0/17",
    "100.100.128.0/19",
    "100.100.160.0/19",
    "100.100.192.0/19",
  ]);
});
