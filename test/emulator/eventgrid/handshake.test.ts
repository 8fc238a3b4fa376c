// System topics and event subscriptions on a whole emulator: the handshake in its forms, what Azure refuses, and what a
// deleted vault takes with it.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";
import {
  type EventShop,
  eventVersion,
  noon,
  type Received,
  startEventShop,
} from "../../support/emulator/event-shop.ts";
import { hostOf, vaultBody, vaultVersion } from "../../support/emulator/vault.ts";

let shop: EventShop;
beforeAll(async () => {
  shop = await startEventShop();
});
afterAll(() => shop?.close());
beforeEach(() => shop.begin());

test("a webhook that answers with the code is subscribed, and its address is shown without its query", async () => {
  expect((await shop.subscribe("plain")).body.error).toBeUndefined();
  const [{ method, headers, body }] = shop.hook.received as [Received];
  expect([method, headers["aeg-event-type"], headers["aeg-subscription-name"], headers["content-type"]]).toEqual([
    "POST",
    "SubscriptionValidation",
    "PLAIN",
    "application/json; charset=utf-8",
  ]);
  expect(body).toEqual([
    {
      id: expect.any(String),
      topic: shop.vault(),
      subject: "",
      data: { validationCode: expect.any(String), validationUrl: expect.stringMatching(/^https:\/\/eventgrid\./) },
      eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
      eventTime: new Date(noon).toISOString(),
      metadataVersion: "1",
      dataVersion: "2",
    },
  ]);
  const shown = await shop.at.ask("GET", `${shop.subscription("plain")}?${eventVersion}`);
  expect(shown.body.properties).toMatchObject({
    topic: shop.vault(),
    provisioningState: "Succeeded",
    destination: { endpointType: "WebHook", properties: { endpointBaseUrl: shop.hook.url.split("?")[0] } },
    eventDeliverySchema: "EventGridSchema",
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
  });
  expect(JSON.stringify(shown.body)).not.toContain("key=hush");
  const whole = await shop.at.ask("POST", `${shop.subscription("plain")}/getFullUrl?${eventVersion}`);
  expect(whole.body).toEqual({ endpointUrl: shop.hook.url });
});

test.each(["wrong", "accepted"] as const)("a webhook whose answer is %s is not subscribed", async (how) => {
  shop.hook.shakes = how;
  const made = shop.at.settle("PUT", `${shop.subscription("refused")}?${eventVersion}`, {
    properties: { destination: shop.webhook() },
  });
  await eventually(
    () => shop.hook.received.length,
    (count) => count > 0,
  );
  await shop.advance(301);
  const { body } = await made;
  expect(body.error).toMatchObject({ code: "Url validation", message: expect.stringContaining("aka.ms/esvalidation") });
  expect(body.error.message).not.toContain("key=hush");
  await shop.setSecret("unheard");
  expect(shop.hook.events()).toEqual([]);
});

test("a webhook that says nothing is subscribed by hand within five minutes, or not at all", async () => {
  shop.hook.shakes = "nothing";
  const start = async (name: string) => {
    shop.hook.received = [];
    const made = shop.subscribe(name);
    await eventually(
      () => shop.hook.received.length,
      (count) => count > 0,
    );
    return { made, url: shop.hook.received[0]!.body[0].data.validationUrl as string };
  };
  const first = await start("by-hand");
  expect((await shop.at.ask("GET", first.url, undefined, { token: null })).status).toBe(200);
  expect((await first.made).body.error).toBeUndefined();
  expect((await shop.at.ask("GET", first.url, undefined, { token: null })).status).toBe(400);
  const second = await start("too-late");
  await shop.advance(301);
  expect((await second.made).body.error.code).toBe("Url validation");
});

test("a webhook for CloudEvents allows the origin, or is not subscribed", async () => {
  shop.hook.shakes = "other";
  const refused = shop.subscribe("clouds", { eventDeliverySchema: "CloudEventSchemaV1_0" });
  await eventually(
    () => shop.hook.received.length,
    (count) => count > 0,
  );
  await shop.advance(301);
  expect((await refused).body.error.code).toBe("Url validation");
  Object.assign(shop.hook, { shakes: "origin", received: [] });
  await shop.at.ask("POST", "/_emulator/clock", { at: noon });
  expect((await shop.subscribe("clouds", { eventDeliverySchema: "CloudEventSchemaV1_0" })).body.error).toBeUndefined();
  expect(shop.hook.received.map(({ method, headers }) => [method, headers["webhook-request-origin"]])).toEqual([
    ["OPTIONS", "eventgrid.azure.net"],
  ]);
  shop.hook.received = [];
  const version = await shop.setSecret("cloudy", { attributes: { nbf: 1_900_000_000 } });
  const [cloudy] = (await eventually(
    () => shop.hook.received,
    (all) => all.length === 1,
  )) as [Received];
  expect(cloudy.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
  expect(cloudy.body).toEqual({
    id: expect.any(String),
    source: shop.vault(),
    specversion: "1.0",
    type: "Microsoft.KeyVault.SecretNewVersionCreated",
    subject: "cloudy",
    time: new Date(noon).toISOString(),
    data: {
      Id: `${hostOf("shop")}/secrets/cloudy/${version}`,
      VaultName: "shop",
      ObjectType: "Secret",
      ObjectName: "cloudy",
      Version: version,
      NBF: 1_900_000_000,
      EXP: null,
    },
  });
});

test.each<[string, () => Body, string]>([
  ["no destination", () => ({ destination: undefined }), "InvalidRequest"],
  [
    "an endpoint beyond this machine",
    () => ({ destination: shop.webhook({ endpointUrl: "https://example.com/" }) }),
    "EmulatorUnsupported",
  ],
  ["an endpoint that is no URL", () => ({ destination: shop.webhook({ endpointUrl: "hook" }) }), "InvalidRequest"],
  [
    "plain http to a named host",
    () => ({ destination: shop.webhook({ endpointUrl: "http://a.ballast.localhost/" }) }),
    "InvalidRequest",
  ],
  [
    "a queue",
    () => ({ destination: { endpointType: "StorageQueue", properties: { resourceId: "/a", queueName: "q" } } }),
    "EmulatorUnsupported",
  ],
  [
    "another directory",
    () => ({
      destination: shop.webhook({ azureActiveDirectoryTenantId: "x", azureActiveDirectoryApplicationIdOrUri: "y" }),
    }),
    "InvalidRequest",
  ],
  [
    "an application without a directory",
    () => ({ destination: shop.webhook({ azureActiveDirectoryApplicationIdOrUri: "y" }) }),
    "InvalidRequest",
  ],
  [
    "an unknown event type",
    () => ({ filter: { includedEventTypes: ["Microsoft.KeyVault.Bananas"] } }),
    "InvalidRequest",
  ],
  [
    "an event that is never raised",
    () => ({ filter: { includedEventTypes: ["Microsoft.KeyVault.KeyExpired"] } }),
    "EmulatorUnsupported",
  ],
  [
    "an advanced filter",
    () => ({ filter: { advancedFilters: [{ operatorType: "StringIn", key: "data.x", values: ["a"] }] } }),
    "EmulatorUnsupported",
  ],
  ["31 attempts", () => ({ retryPolicy: { maxDeliveryAttempts: 31 } }), "EmulatorUnsupported"],
  ["no attempt", () => ({ retryPolicy: { maxDeliveryAttempts: 0 } }), "EmulatorUnsupported"],
  ["a life of more than a day", () => ({ retryPolicy: { eventTimeToLiveInMinutes: 1441 } }), "EmulatorUnsupported"],
  ["an expiration in the past", () => ({ expirationTimeUtc: "2020-01-01T00:00:00Z" }), "InvalidRequest"],
  ["the schema of custom topics", () => ({ eventDeliverySchema: "CustomInputSchema" }), "InvalidRequest"],
  [
    "dead letters without a place",
    () => ({ deadLetterDestination: { endpointType: "StorageBlob", properties: {} } }),
    "InvalidRequest",
  ],
])("a subscription with %s is refused", async (_, properties, code) => {
  expect((await shop.subscribe("wrong", properties())).body.error.code).toBe(code);
  expect(shop.hook.received).toEqual([]);
});

test("a topic is where its vault is, has one source, and a source has one topic", async () => {
  expect((await shop.putTopic("second")).body.error).toMatchObject({
    code: "InvalidRequest",
    message: expect.stringContaining("Only one system topic is allowed per source"),
  });
  await shop.at.ask("PUT", `${shop.vault("elsewhere")}?${vaultVersion}`, vaultBody(shop.at));
  expect(
    (await shop.putTopic("far", { source: shop.vault("elsewhere") }, { location: "northeurope" })).body.error.code,
  ).toBe("InvalidRequest");
  expect((await shop.putTopic("none", { source: shop.vault("nobody") })).body.error.code).toBe("ResourceNotFound");
  expect((await shop.putTopic("typed", { topicType: "Microsoft.Storage.StorageAccounts" })).body.error.code).toBe(
    "EmulatorUnsupported",
  );
  expect((await shop.putTopic(undefined, { source: shop.vault("elsewhere") })).body.error.code).toBe("InvalidRequest");
});

test("deleting a vault ends its subscriptions, and recovering it does not bring them back", async () => {
  await shop.at.ask("PUT", `${shop.vault("brief")}?${vaultVersion}`, vaultBody(shop.at));
  expect((await shop.putTopic("brief", { source: shop.vault("brief") })).body.error).toBeUndefined();
  const one = `${shop.subscription("one", "brief")}?${eventVersion}`;
  await shop.at.settle("PUT", one, { properties: { destination: shop.webhook() } });
  expect((await shop.at.ask("GET", one)).status).toBe(200);
  await shop.at.ask("DELETE", `${shop.vault("brief")}?${vaultVersion}`);
  expect((await shop.at.ask("GET", one)).status).toBe(404);
  await shop.at.ask("PUT", `${shop.vault("brief")}?${vaultVersion}`, vaultBody(shop.at, { createMode: "recover" }));
  expect((await shop.at.ask("GET", one)).status).toBe(404);
});
