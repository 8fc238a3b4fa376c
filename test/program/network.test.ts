// The choices of docs/guides/network.md, each rendered from its row on the page: the environment and the database are
// where the row says, and every body matches Azure's published schema.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { nativeResourceOf } from "../../emulator/provider/resources.ts";
import { problemOf } from "../../emulator/provider/shape.ts";
import { rendered } from "../support/program/environments.ts";

const hub = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/hub/providers/Microsoft.Network";
const ids: Readonly<Record<string, string>> = {
  environmentSubnet: `${hub}/virtualNetworks/hub/subnets/apps`,
  databaseSubnet: `${hub}/virtualNetworks/hub/subnets/database`,
  databaseZone: `${hub}/privateDnsZones/shop.postgres.database.azure.com`,
};
const [, below = ""] = readFileSync("docs/guides/network.md", "utf8").split("\n## Which choice for whom\n");
const rows = below
  .split("\n## ")[0]!
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .slice(2)
  .map((row) =>
    row
      .split("|")
      .slice(1, 4)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );

const choiceOf = (cell: string): Readonly<Record<string, any>> =>
  cell === "nothing" ? {} : parse(cell.replace(/(\w+): <id>/g, (_, key: string) => `${key}: ${ids[key]}`));

test("the page has a row for every kind of choice", () =>
  expect(rows.map(([cell = ""]) => Object.keys(choiceOf(cell)).join(" "))).toEqual([
    "",
    "range",
    "range callers",
    "range internal",
    "environmentSubnet",
    "environmentSubnet databaseSubnet databaseZone",
    "environmentSubnet databaseSubnet databaseZone internal",
  ]));

test.each(rows)(
  "%s puts the environment %s, with a database that is %s",
  async (cell = "", place = "", access = "") => {
    const choice = choiceOf(cell);
    const declared = await rendered("dev", { "ballast:network": JSON.stringify(choice) });
    const inputs = (name: string) => declared.find((each) => each.name === name)?.inputs;
    const { vnetConfiguration } = inputs("apps-environment")!;
    expect(vnetConfiguration === undefined).toBe(place.startsWith("Azure's own network"));
    expect(vnetConfiguration?.internal ?? false).toBe(place.includes("without an address on the internet"));
    expect(inputs("network-virtual-network") !== undefined).toBe(place.includes("the program makes"));
    if (choice["environmentSubnet"]) expect(vnetConfiguration.infrastructureSubnetId).toBe(ids["environmentSubnet"]);
    expect(inputs("apps-zone-record") !== undefined).toBe(Boolean(choice["internal"]));
    if (choice["environmentSubnet"] && choice["internal"])
      expect(inputs("apps-zone-link")!["virtualNetwork"].id).toBe(`${hub}/virtualNetworks/hub`);

    const { network } = inputs("journal-server")!;
    expect([network.publicNetworkAccess, inputs("journal-azure-services") === undefined]).toEqual(
      access.startsWith("private") ? ["Disabled", true] : ["Enabled", false],
    );
    if (choice["databaseSubnet"])
      expect(network).toMatchObject({
        delegatedSubnetResourceId: ids["databaseSubnet"],
        privateDnsZoneArmResourceId: ids["databaseZone"],
      });

    const rules: readonly object[] = inputs("control-plane-app")!["configuration"].ingress.ipSecurityRestrictions ?? [];
    expect(rules.slice(0, 2)).toEqual(
      (choice["callers"] ? [...choice["callers"], "10.40.0.0/23"] : []).map((ipAddressRange, at) => ({
        name: `caller-${at + 1}`,
        ipAddressRange,
        action: "Allow",
      })),
    );
    expect(rules.length).toBe(choice["callers"] ? choice["callers"].length + 5 : 0);

    const problems = declared
      .filter(({ type }) => type.startsWith("azure-native:"))
      .map((each) => [each.name, problemOf(nativeResourceOf(each.type)!, each.inputs)]);
    expect(problems.filter(([, problem]) => problem !== undefined)).toEqual([]);
  },
);
