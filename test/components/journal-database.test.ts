// What a JournalDatabase deploys, and that its password stays a secret.
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { JournalDatabase } from "../../components/platform/journal-database.ts";
import { record, valueOf } from "../support/program/mocks.ts";

const args = {
  scope: "/subscriptions/s/resourceGroups/shop",
  resourceGroupName: "shop",
  location: "westeurope",
  tenant: "tenant",
  sku: "Standard_B1ms",
  backupRetentionDays: 7,
  zoneRedundant: false,
};
const parent = "ballast:index:JournalDatabase";

test("without a password the server accepts Entra tokens only", async () => {
  const { made, declared } = await record(() => new JournalDatabase("journal", args));
  const serverName = expect.stringMatching(/^journal-[0-9a-f]{8}$/);
  expect(declared).toMatchObject([
    { type: parent, name: "journal", parent: "", outputs: ["databaseName", "host", "serverName"] },
    {
      type: "azure-native:dbforpostgresql:FirewallRule",
      name: "journal-azure-services",
      parent,
      inputs: { serverName, startIpAddress: "0.0.0.0", endIpAddress: "0.0.0.0" },
    },
    {
      type: "azure-native:dbforpostgresql:Database",
      name: "journal-database",
      parent,
      inputs: { serverName, databaseName: "ballast" },
    },
    {
      type: "azure-native:dbforpostgresql:Server",
      name: "journal-server",
      parent,
      inputs: {
        serverName,
        resourceGroupName: "shop",
        authConfig: { activeDirectoryAuth: "Enabled", passwordAuth: "Disabled", tenantId: "tenant" },
      },
    },
  ]);
  expect(declared.at(-1)?.inputs).not.toHaveProperty("administratorLogin");
  expect(await valueOf(made.host)).toMatch(/^journal-[0-9a-f]{8}\.postgres\.example\.net$/);
  expect(await valueOf(made.databaseName)).toBe("ballast");
});

test("two resource groups get different server names, and one group always gets the same", async () => {
  const serverName = async (scope: string) =>
    (await record(() => new JournalDatabase("journal", { ...args, scope }))).declared.at(-1)?.inputs["serverName"];
  const [one, again, other] = [
    await serverName("/subscriptions/s/resourceGroups/shop"),
    await serverName("/subscriptions/S/resourceGroups/Shop"),
    await serverName("/subscriptions/s/resourceGroups/office"),
  ];
  expect(again).toBe(one);
  expect(other).not.toBe(one);
});

test("a password reaches the server as a secret, and no output", async () => {
  const { made, declared } = await record(() => new JournalDatabase("journal", { ...args, password: "hunter2" }));
  const server = declared.find(({ name }) => name === "journal-server")!;
  expect(server.inputs).toMatchObject({
    authConfig: { activeDirectoryAuth: "Disabled", passwordAuth: "Enabled" },
    administratorLogin: "ballast",
  });
  expect(isSecret(server.inputs["administratorLoginPassword"], "hunter2")).toBe(true);
  expect(JSON.stringify(await Promise.all([made.host, made.serverName, made.databaseName].map(valueOf)))).not.toContain(
    "hunter2",
  );
  expect(await Promise.all([made.host, made.serverName, made.databaseName].map(pulumi.isSecret))).toEqual([
    false,
    false,
    false,
  ]);
});

/** Reports whether an input is the value in Pulumi's envelope for secrets. */
const isSecret = (input: Record<string, unknown>, value: string): boolean =>
  Object.keys(input).length === 2 && input["value"] === value;

test("server and database are protected from deletion, except on the emulator or by the program's choice", async () => {
  const protectedBy = async (more: object, opts?: pulumi.ComponentResourceOptions) =>
    (await record(() => new JournalDatabase("journal", { ...args, ...more }, opts))).declared
      .filter(({ protect }) => protect)
      .map(({ type }) => type.split(":").at(-1))
      .toSorted();
  expect(await protectedBy({})).toEqual(["Database", "Server"]);
  expect(await protectedBy({ network: { subnet: "subnet", zone: "zone" } })).toEqual(["Database", "Server"]);
  expect(await protectedBy({ password: "hunter2" })).toEqual([]);
  expect(await protectedBy({}, { protect: false })).toEqual([]);
  expect(await protectedBy({ password: "hunter2" }, { protect: true })).toEqual(
    expect.arrayContaining(["Database", "Server"]),
  );
});
