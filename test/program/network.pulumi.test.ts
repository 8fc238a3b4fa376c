// A private stack under the real Pulumi CLI on the emulator: an internal environment, a private database, and a list
// of callers. The emulator has no networks, so these tests show what is deployed. It does apply the list of callers,
// and the deployment itself calls from this machine.
import { afterEach, expect, test } from "vitest";
import { type LocalStack, startLocalStack } from "../support/program/local-stack.ts";

let stack: LocalStack;
afterEach(() => stack?.close());
const network = { range: "10.40.0.0/22", internal: true, callers: ["203.0.113.0/24", "127.0.0.1/32"] };
const shown = async (path: string, version: string): Promise<any> =>
  (
    await stack.cloud.ask(
      "GET",
      `/subscriptions/${stack.cloud.cloud.subscription}/resourceGroups/ballast-local${path}?api-version=${version}`,
    )
  ).body;

test("a private stack goes up, stays unchanged, refuses at preview to be opened, and goes down", async () => {
  stack = await startLocalStack({ "ballast:network": network });
  const up = await stack.up();
  expect([up.code, up.code === 0 ? "" : up.output]).toEqual([0, ""]);
  const environment = (await shown("/providers/Microsoft.App/managedEnvironments/apps", "2025-02-02-preview"))
    .properties;
  expect(environment.vnetConfiguration).toMatchObject({
    internal: true,
    infrastructureSubnetId: expect.stringContaining("/virtualNetworks/network/subnets/environment"),
  });
  const record = (
    await shown(`/providers/Microsoft.Network/privateDnsZones/${environment.defaultDomain}/A/*`, "2024-06-01")
  ).properties;
  expect(record.aRecords).toEqual([{ ipv4Address: environment.staticIp }]);
  const plane = (await shown("/providers/Microsoft.App/containerApps/control-plane", "2025-02-02-preview")).properties
    .configuration.ingress;
  expect(plane.ipSecurityRestrictions.map(({ ipAddressRange }: { ipAddressRange: string }) => ipAddressRange)).toEqual(
    expect.arrayContaining(["203.0.113.0/24", "10.40.0.0/23"]),
  );
  const [server] = (await shown("/providers/Microsoft.DBforPostgreSQL/flexibleServers", "2025-08-01")).value;
  expect((await stack.cloud.ask("GET", `${server.id}/firewallRules?api-version=2025-08-01`)).body.value).toEqual([]);

  const again = await stack.pulumi("preview", "--expect-no-changes");
  expect([again.code, again.code === 0 ? "" : again.output]).toEqual([0, ""]);

  stack.configure({ "ballast:network": { ...network, internal: false } });
  const opened = await stack.pulumi("preview");
  expect(opened.code).not.toBe(0);
  expect(opened.output).toContain(
    "network-place-fixed  The environment apps is in your subnet and internal, " +
      "but the program wants it in your subnet and open to the internet",
  );
  stack.configure({
    "ballast:network": { internal: true, environmentSubnet: environment.vnetConfiguration.infrastructureSubnetId },
  });
  const withdrawn = await stack.pulumi("preview");
  expect(withdrawn.output).toMatch(
    /network-place-fixed {2}The database server journal-[0-9a-f]{8} is private, in a subnet, but .* wants it public/,
  );

  stack.configure({ "ballast:network": network });
  const down = await stack.pulumi("destroy", "--yes", "--skip-preview");
  expect([down.code, down.code === 0 ? "" : down.output]).toEqual([0, ""]);
  expect((await shown("", "2024-03-01")).error.code).toBe("ResourceGroupNotFound");
}, 300_000);
