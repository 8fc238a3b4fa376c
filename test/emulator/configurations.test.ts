// The parameters of flexible servers without a PostgreSQL: one write at a time, the rows of logins, and azure-native.
// What a parameter does to a real server is in flexible-servers.test.ts.
import { expect, test } from "vitest";
import type { Body, Cloud, Resource, Store } from "../../emulator/arm/resource.ts";
import { logsConnections, makeConfigurationType } from "../../emulator/dbforpostgresql/configurations.ts";
import { type LogLine, loginAspect } from "../../emulator/dbforpostgresql/log-rows.ts";
import { nativeResourceOf } from "../../emulator/provider/resources.ts";
import { create, remove } from "../../emulator/provider/translate.ts";

const serverId = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/shop";
const configurations = makeConfigurationType(async () => undefined);

function cloudWith(values: { readonly [name: string]: string } = {}): Cloud {
  const server: Resource = {
    id: serverId.toLowerCase(),
    type: "",
    body: { id: serverId, properties: { version: "18" } },
  };
  const set = Object.entries(values).map(([name, value]) => ({
    id: `${serverId}/configurations/${name}`.toLowerCase(),
    type: configurations.type,
    body: { name, properties: { value, source: "user-override" } },
  }));
  const store: Pick<Store, "get" | "list"> = {
    get: (id) => [server, ...set].find((each) => each.id === id.toLowerCase()),
    list: () => set,
  };
  return { store, options: { images: {}, folder: "" } } as unknown as Cloud;
}

const write = (cloud: Cloud, name: string, value: string): Promise<void> =>
  configurations.onPut!({
    id: `${serverId}/configurations/${name}`,
    wanted: { name, properties: { value, source: "user-override" } },
    previous: undefined,
    merge: false,
    cloud,
  });

test("a server takes one write at a time, of whatever parameter", async () => {
  const cloud = cloudWith();
  const first = write(cloud, "log_checkpoints", "off");
  await expect(write(cloud, "log_disconnections", "off")).rejects.toMatchObject({ status: 409, code: "ServerIsBusy" });
  await first;
  await write(cloud, "log_disconnections", "off");
});

const of18 = ["receipt", "authentication", "authorization", "setup_durations"] as const;
test.each<readonly [string, Record<string, string>, readonly string[]]>([
  ["nothing", {}, of18.slice(0, 3)],
  ["on", { log_connections: "on" }, of18.slice(0, 3)],
  ["receipt", { log_connections: "receipt" }, ["receipt"]],
  ["a list", { log_connections: "Authorization, setup_durations" }, of18.slice(2)],
  ["all", { log_connections: "ALL" }, of18],
  ["OFF", { log_connections: "OFF" }, []],
  ["", { log_connections: "" }, []],
  ["another parameter", { log_checkpoints: "off" }, of18.slice(0, 3)],
])("the log has of a login what log_connections says (%s)", (_, values, expected) => {
  const cloud = cloudWith(values);
  const server = cloud.store.get(serverId)!;
  expect(of18.filter((aspect) => logsConnections(cloud, server, aspect))).toEqual(expected);
});

test.each([
  ["connection authorized: user=a database=b", "authorization"],
  ["connection received: host=127.0.0.1 port=1", "receipt"],
  ['connection authenticated: identity="a"', "authentication"],
  ["connection ready: setup total=1.2 ms", "setup_durations"],
  ['password authentication failed for user "a"', undefined],
  ["disconnection: session time: 0:00:00.1", undefined],
])("a line is of a login: %s", (message, expected) => {
  expect(loginAspect({ message } as LogLine)).toBe(expected);
});

test("the provider sets a parameter that is there, and its deletion sets the default", async () => {
  const sent: Body[] = [];
  const there = { id: "/there", properties: { value: "off", defaultValue: "on", source: "user-override" } };
  const arm = {
    get: async () => there,
    put: async (_id: string, _version: string, body: Body) => void sent.push(body),
  };
  const session = { arm, subscription: "s" } as unknown as Parameters<typeof create>[0];
  const resource = nativeResourceOf("azure-native:dbforpostgresql:Configuration")!;
  const inputs = { resourceGroupName: "g", serverName: "shop", configurationName: "log_connections", value: "off" };
  await create(session, resource, { ...inputs, source: "user-override" });
  await remove(session, resource, "/there");
  expect(sent).toEqual([
    { properties: { value: "off", source: "user-override" } },
    { properties: { value: "on", source: "user-override" } },
  ]);
});
