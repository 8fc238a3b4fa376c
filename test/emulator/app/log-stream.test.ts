// The log streams that `az containerapp logs show` reads, with raw requests: who may read them, which lines they have,
// and how a followed one goes on and ends. `npm run test:clients` reads them by the Azure CLI itself.
import https from "node:https";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import type { Reply } from "../../support/emulator/cloud.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";
import { hostOfApp, latestOf, startVaultShop, type VaultShop } from "../../support/emulator/vault-app.ts";

const version = "?api-version=2025-07-01";
let shop: VaultShop;
let token: string;
let logStream: string;
let eventStream: string;

beforeAll(async () => {
  shop = await startVaultShop();
  await shop.setSecret("key", "one");
  await shop.put("shop", { secrets: [{ name: "key", keyVaultUrl: latestOf("key"), identity: shop.reader }] });
  await shop.replica(hostOfApp("shop"));
  token = await tokenOf(shop.appId("shop"));
  eventStream = (await shop.at.ask("GET", shop.appId("shop") + version)).body.properties.eventStreamEndpoint;
  logStream = await streamOf("shop");
});
afterAll(() => shop?.at.close());

const tokenOf = async (id: string): Promise<string> =>
  (await shop.at.ask("POST", `${id}/getAuthToken${version}`)).body.properties.token;
const read = (url: string, bearer: string | null = token): Promise<Reply> =>
  shop.at.ask("GET", url, undefined, { token: bearer });
const rowsOf = ({ body }: Reply): readonly Body[] =>
  String(body)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Body);

async function streamOf(name: string): Promise<string> {
  const [revision] = (await shop.revisions(name)).slice(-1);
  const { body } = await shop.at.ask("GET", `${revision!["id"]}/replicas${version}`);
  return body.value[0].properties.containers[0].logStreamEndpoint as string;
}

test("a container's stream has its last lines after two of its own, as JSON or as text", async () => {
  const connected = expect.stringContaining("Successfully Connected to container: 'web' [Revision: 'shop--");
  const rows = rowsOf(
    await eventually(
      () => read(`${logStream}?follow=false&output=json`),
      (reply) => /is listening/.test(reply.body),
    ),
  );
  expect(rows.map(({ Log }) => Log)).toEqual(["Connecting to the container 'web'...", connected, "web is listening"]);
  expect(rows[2]!["TimeStamp"]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/);
  expect(rowsOf(await read(`${logStream}?tailLines=0`))).toHaveLength(2);
  expect((await read(`${logStream}?output=text`)).body).toMatch(/\+00:00 {2}web is listening\n$/);
});

test.each([
  ["no token", () => read(logStream, null), 401],
  [
    "a token of Resource Manager",
    async () => read(logStream, await shop.at.tokenFor("https://management.azure.com")),
    401,
  ],
  ["a changed token", () => read(logStream, `${token}x`), 401],
  [
    "a token of another resource",
    async () =>
      read(logStream, await tokenOf(shop.appId("shop").replace(/containerApps\/.*/, "managedEnvironments/shop"))),
    401,
  ],
  ["more lines than 300", () => read(`${logStream}?tailLines=301`), 400],
  ["another container", () => read(logStream.replace("containers/web/", "containers/other/")), 404],
  ["another replica", () => read(logStream.replace(/replicas\/[^/]+/, "replicas/other")), 404],
  ["another stream", () => read(logStream.replace("logstream", "exec")), 404],
] as const)("a stream is refused with %s", async (_, answer, status) => {
  expect((await answer()).status).toBe(status);
});

test("a followed stream goes on, and ends with its replica", async () => {
  await shop.put("followed", { secretRef: null });
  await shop.replica(hostOfApp("followed"));
  const url = new URL(`${await streamOf("followed")}?follow=true`);
  const headers = { authorization: `Bearer ${await tokenOf(shop.appId("followed"))}` };
  const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) =>
    https.get(url, { agent: shop.at.agent, headers }, resolve).on("error", reject),
  );
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  const until = async (text: string): Promise<void> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`The stream ended before "${text}".`);
      if (JSON.parse(value).Log === text) return;
    }
  };
  await until("web is listening");
  await shop.at.ask("POST", "/_emulator/kill", { app: "followed" });
  await until("web is listening");
  await shop.at.settle("DELETE", shop.appId("followed") + version);
  expect(await lines.next()).toEqual({ value: undefined, done: true });
});

test("an app's and an environment's event streams say what the platform did", async () => {
  await shop.setSecret("key", "two");
  await shop.advance(31);
  await eventually(
    () => shop.systemRows("shop"),
    (rows) => rows.length > 1,
  );
  const environment = eventStream.replace(/containerApps\/.*/, "managedEnvironments/shop/eventstream");
  const id = shop.appId("shop").replace(/containerApps\/.*/, "managedEnvironments/shop");
  for (const [url, bearer] of [
    [eventStream, token],
    [environment, await tokenOf(id)],
  ] as const)
    expect(rowsOf(await read(url, bearer)).map(({ Reason, ContainerAppName }) => [Reason, ContainerAppName])).toEqual([
      ["StartingGettingEvents", null],
      ["ConnectedToEventsServer", null],
      ["SyncingSecretFromAzureKeyVaultForContainerAppSucceeded", "shop"],
      ["RevisionRestartWithNewSecrets", "shop"],
    ]);
});
