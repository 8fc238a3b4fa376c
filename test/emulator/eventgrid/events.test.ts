// The events of a vault as a webhook receives them: their schema, when they are due, filters, retries and dead letters,
// tokens for protected webhooks, and what outlives SIGKILL.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Body } from "../../../emulator/arm/resource.ts";
import { type Reply, rawClient } from "../../support/emulator/cloud.ts";
import { startCloudProcess } from "../../support/emulator/cloud-process.ts";
import { eventually } from "../../support/emulator/container-cloud.ts";
import {
  type EventShop,
  eventVersion,
  noon,
  type Received,
  startEventShop,
} from "../../support/emulator/event-shop.ts";
import { clientObjectId, giveRole, hostOf, vaultBody, vaultVersion } from "../../support/emulator/vault.ts";

let shop: EventShop;
beforeAll(async () => {
  shop = await startEventShop();
});
afterAll(() => shop?.close());
beforeEach(() => shop.begin());

test("a new version is an event of Event Grid's own schema, one to a request", async () => {
  await shop.subscribe("own");
  const version = await shop.setSecret("database", { attributes: { exp: 2_000_000_000 } });
  const [event] = await eventually(shop.hook.events, (all) => all.length === 1);
  expect(event).toEqual({
    id: expect.any(String),
    topic: shop.vault(),
    subject: "database",
    eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
    eventTime: new Date(noon).toISOString(),
    data: expect.objectContaining({ Version: version, NBF: null, EXP: 2_000_000_000 }),
    dataVersion: "1",
    metadataVersion: "1",
  });
  const { headers } = shop.hook.received.at(-1)!;
  expect([headers["aeg-delivery-count"], headers["aeg-subscription-name"], headers["aeg-data-version"]]).toEqual([
    "0",
    "OWN",
    "1",
  ]);
  expect(JSON.stringify(shop.hook.received)).not.toContain("hush");
});

const day = 86_400;

const inDays = (days: number): number => noon / 1000 + days * day;

test("near expiry comes thirty days before, or within a quarter of an hour, and then expiry", async () => {
  await shop.setSecret("before", { attributes: { exp: inDays(40) } });
  await shop.subscribe("expiry");
  await shop.setSecret("slow", { attributes: { exp: inDays(40) } });
  await shop.setSecret("soon", { attributes: { exp: inDays(10) } });
  await shop.setSecret("disabled", { attributes: { exp: inDays(40), enabled: false } });
  await shop.setSecret("renewed", { attributes: { exp: inDays(40) } });
  const all = async (count: number) => eventually(shop.hook.events, (found) => found.length === count);
  await all(4);
  await shop.advance(901);
  await all(5);
  expect(shop.hook.typesOf("soon")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry"]);
  await shop.setSecret("renewed", { attributes: { exp: inDays(400) } });
  await shop.advance(10 * day);
  // An event says nothing of whether its secret is enabled, and one that was renewed is silent.
  await all(9);
  expect(shop.hook.typesOf("slow")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry"]);
  expect(shop.hook.typesOf("disabled")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry"]);
  expect(shop.hook.typesOf("soon")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry", "SecretExpired"]);
  await shop.advance(30 * day);
  await all(11);
  expect(shop.hook.typesOf("slow").at(-1)).toBe("SecretExpired");
  expect(shop.hook.typesOf("renewed")).toEqual(["SecretNewVersionCreated", "SecretNewVersionCreated"]);
  // A version that was made before anybody subscribed is silent as well.
  expect(shop.hook.typesOf("before")).toEqual([]);
});

test("an expiry that is moved moves its event, and a deleted secret has none", async () => {
  await shop.subscribe("moved");
  const version = await shop.setSecret("moved", { attributes: { exp: inDays(40) } });
  await shop.setSecret("deleted", { attributes: { exp: inDays(40) } });
  await eventually(shop.hook.events, (found) => found.length === 2);
  const token = await shop.at.tokenFor("https://vault.azure.net");
  const change = (method: string, where: string, body?: unknown): Promise<Reply> =>
    shop.at.ask(method, `${hostOf("shop")}${where}?api-version=7.4`, body, { token });
  await change("PATCH", `/secrets/moved/${version}`, { attributes: { exp: inDays(50) } });
  await change("DELETE", "/secrets/deleted");
  await shop.advance(11 * day);
  expect(
    (await shop.at.ask("GET", "/_emulator/schedule")).body.due.filter(({ key }: Body) =>
      String(key).includes("SecretNearExpiry shop/moved"),
    ),
  ).toEqual([
    { key: `secret-expiry SecretNearExpiry shop/moved/${version}`, at: new Date(inDays(20) * 1000).toISOString() },
  ]);
  await shop.advance(10 * day);
  await eventually(
    () => shop.hook.typesOf("moved"),
    (types) => types.includes("SecretNearExpiry"),
  );
  expect(shop.hook.typesOf("deleted")).toEqual(["SecretNewVersionCreated"]);
});

test("filters admit by type and by the start and the end of the name", async () => {
  await shop.subscribe("typed", { filter: { includedEventTypes: ["Microsoft.KeyVault.SecretNearExpiry"] } });
  await shop.subscribe("named", { filter: { subjectBeginsWith: "Data", subjectEndsWith: "-A" } });
  await shop.subscribe("exact", { filter: { subjectBeginsWith: "Data", isSubjectCaseSensitive: true } });
  shop.hook.received = [];
  const queued = async () => (await shop.at.ask("GET", "/_emulator/deliveries")).body.deliveries.length as number;
  const before = await queued();
  for (const name of ["database-a", "database-b", "other-a"]) await shop.setSecret(name);
  await eventually(shop.hook.events, (all) => all.length === 1);
  const [{ headers, body }] = shop.hook.received as [Received];
  expect([headers["aeg-subscription-name"], body[0].subject]).toEqual(["NAMED", "database-a"]);
  // What is to be delivered is queued with the secret.
  expect((await queued()) - before).toBe(1);
});

test("a retry policy ends deliveries, which are dead letters if the subscription has a place for them", async () => {
  await shop.subscribe("dying", {
    retryPolicy: { maxDeliveryAttempts: 2, eventTimeToLiveInMinutes: 60 },
    deadLetterDestination: { endpointType: "StorageBlob", properties: { resourceId: "/a", blobContainerName: "dead" } },
  });
  shop.hook.answers = [503];
  await shop.setSecret("dying");
  const last = async () => (await shop.at.ask("GET", "/_emulator/deliveries")).body.deliveries.at(-1);
  await eventually(last, ({ attempts, state }) => attempts.length === 1 && state === "queued");
  await shop.advance(30);
  const dead = await eventually(last, ({ state }) => state !== "queued" && state !== "sending");
  expect(dead).toMatchObject({
    state: "dead-lettered",
    reason: "2 attempts failed",
    attempts: [{ status: 503 }, { status: 503 }],
  });
  expect(shop.hook.received.slice(-2).map(({ headers }) => headers["aeg-delivery-count"])).toEqual(["0", "1"]);
  // Every attempt has the same event.
  expect(shop.hook.received.at(-1)!.body).toEqual(shop.hook.received.at(-2)!.body);
  await shop.subscribe("dropping");
  shop.hook.answers = [401];
  await shop.setSecret("dropping");
  expect(await eventually(last, ({ state }) => state !== "queued" && state !== "sending")).toMatchObject({
    state: "dropped",
    attempts: [{ status: 401 }],
  });
});

test("a protected webhook gets a token of Event Grid's application in the handshake and in every request", async () => {
  const application = "api://control-plane";
  const protection = {
    azureActiveDirectoryTenantId: shop.at.cloud.tenant,
    azureActiveDirectoryApplicationIdOrUri: application,
  };
  await shop.subscribe("guarded", { destination: shop.webhook(protection) });
  await shop.setSecret("guarded");
  await eventually(shop.hook.events, (all) => all.length === 1);
  expect(shop.hook.received).toHaveLength(2);
  for (const { headers } of shop.hook.received) {
    const token = String(headers.authorization).replace("Bearer ", "");
    expect(decodeJwt(token)).toMatchObject({
      aud: application,
      appid: "4962773b-9cdb-44cf-a8bf-237846a00ab7",
      roles: ["AzureEventGridSecureWebhookSubscriber"],
    });
    const keys = await shop.at.ask(
      "GET",
      `https://login.ballast.localhost/${shop.at.cloud.tenant}/discovery/v2.0/keys`,
      undefined,
      { token: null },
    );
    const found = createRemoteJWKSet(new URL("https://keys.invalid/"), {
      [customFetch]: async () => new Response(JSON.stringify(keys.body)),
    });
    expect((await jwtVerify(token, found)).payload.aud).toBe(application);
  }
  // The token is in no record of what was delivered.
  expect(JSON.stringify((await shop.at.ask("GET", "/_emulator/deliveries")).body)).not.toContain("eyJ");
});

test("after SIGKILL a queued event is delivered, and an expiry is still an event", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ballast-event-grid-"));
  const emulator = await startCloudProcess({ folder: path.join(folder, "cloud"), images: {} });
  const raw = await rawClient(emulator);
  const own = { ...raw, cloud: emulator };
  const home = `/subscriptions/${emulator.subscription}/resourceGroups/shop/providers`;
  const kept = `${home}/Microsoft.KeyVault/vaults/kept`;
  const topicOf = `${home}/Microsoft.EventGrid/systemTopics/kept`;
  try {
    await raw.ask("POST", "/_emulator/clock", { at: noon });
    await raw.ask("PUT", `${home.replace("/providers", "")}?api-version=2024-03-01`, { location: "westeurope" });
    await raw.ask("PUT", `${kept}?${vaultVersion}`, vaultBody(own));
    await giveRole(own, kept, "officer", await clientObjectId(raw));
    const properties = { source: kept, topicType: "Microsoft.KeyVault.vaults" };
    await raw.settle("PUT", `${topicOf}?${eventVersion}`, { location: "westeurope", properties });
    const destination = shop.webhook();
    await raw.settle("PUT", `${topicOf}/eventSubscriptions/one?${eventVersion}`, { properties: { destination } });
    shop.hook.answers = [503];
    const token = await raw.tokenFor("https://vault.azure.net");
    const attributes = { exp: inDays(40) };
    await raw.ask("PUT", `${hostOf("kept")}/secrets/a?api-version=7.4`, { value: "x", attributes }, { token });
    await eventually(shop.hook.events, (all) => all.length === 1);
    await eventually(
      async () => (await raw.ask("GET", "/_emulator/deliveries")).body.deliveries.at(-1),
      ({ attempts }) => attempts.length === 1,
    );
    await emulator.kill();
    Object.assign(shop.hook, { answers: [200], received: [] });
    await emulator.revive();
    await raw.ask("POST", "/_emulator/clock", { at: noon + 31_000 });
    await eventually(
      () => shop.hook.typesOf("a"),
      (types) => types.length === 1,
    );
    await raw.ask("POST", "/_emulator/clock", { at: noon + 11 * day * 1000 });
    await eventually(
      () => shop.hook.typesOf("a"),
      (types) => types.length === 2,
    );
    expect(shop.hook.typesOf("a")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry"]);
  } finally {
    raw.agent.destroy();
    await emulator.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
