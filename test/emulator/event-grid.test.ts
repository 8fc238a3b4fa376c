// Event Grid on a whole emulator: the handshake in its forms, the events of a vault in both schemas, when they are due,
// filters, retries and dead letters, protected webhooks, and what outlives SIGKILL.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Body } from "../../emulator/arm/resource.ts";
import { type CloudForTests, type Reply, rawClient, startCloudForTests } from "../support/emulator/cloud.ts";
import { startCloudProcess } from "../support/emulator/cloud-process.ts";
import { eventually } from "../support/emulator/container-cloud.ts";
import { clientObjectId, giveRole, hostOf, vaultBody, vaultVersion } from "../support/emulator/vault.ts";

interface Received {
  readonly method: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: any;
}

let at: CloudForTests;
let receiver: http.Server;
let hook: string;
let received: Received[] = [];
/** How the receiver answers a handshake, and what it answers to events; the last answer stays. */
let shakes: "code" | "nothing" | "wrong" | "accepted" | "origin" | "other" = "code";
let answers: number[] = [200];
const noon = Date.parse("2030-01-01T12:00:00Z");
const versions = "api-version=2025-02-15";
const group = (): string => `/subscriptions/${at.cloud.subscription}/resourceGroups/shop`;
const vault = (name = "shop"): string => `${group()}/providers/Microsoft.KeyVault/vaults/${name}`;
const topic = (name = "vault-events"): string => `${group()}/providers/Microsoft.EventGrid/systemTopics/${name}`;
const subscription = (name: string, of?: string): string => `${topic(of)}/eventSubscriptions/${name}`;
const putTopic = (name?: string, properties: Body = {}, more: Body = {}): Promise<Reply> =>
  at.settle("PUT", `${topic(name)}?${versions}`, {
    location: "westeurope",
    properties: { source: vault(), topicType: "Microsoft.KeyVault.vaults", ...properties },
    ...more,
  });
const webhook = (more: Body = {}): Body => ({ endpointType: "WebHook", properties: { endpointUrl: hook, ...more } });
const subscribe = (name: string, properties: Body = {}): Promise<Reply> =>
  at.settle("PUT", `${subscription(name)}?${versions}`, { properties: { destination: webhook(), ...properties } });
const unsubscribe = (name: string): Promise<Reply> => at.settle("DELETE", `${subscription(name)}?${versions}`);
const setSecret = async (name: string, more: Body = {}, of = "shop"): Promise<string> => {
  const token = await at.tokenFor("https://vault.azure.net");
  const reply = await at.ask(
    "PUT",
    `${hostOf(of)}/secrets/${name}?api-version=7.4`,
    { value: "hush", ...more },
    { token },
  );
  return String(reply.body.id).split("/").at(-1)!;
};
const clock = (body: Body): Promise<Reply> => at.ask("POST", "/_emulator/clock", body);
const advance = (seconds: number): Promise<Reply> => clock({ advanceSeconds: seconds });
/** Gives the events that arrived, in the order of arrival. */
const events = (): readonly any[] =>
  received.filter(({ headers }) => headers["aeg-event-type"] === "Notification").flatMap(({ body }) => body);
const typesOf = (name: string): readonly string[] =>
  events().flatMap(({ subject, eventType }) => (subject === name ? [eventType.split(".").at(-1)] : []));

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  let text = "";
  for await (const part of request) text += part;
  const body = text === "" ? undefined : JSON.parse(text);
  received.push({ method: request.method!, headers: request.headers, body });
  if (request.method === "OPTIONS") {
    const allowed = shakes === "origin" ? String(request.headers["webhook-request-origin"]) : "elsewhere.example";
    response.writeHead(200, { "webhook-allowed-origin": allowed }).end();
  } else if (request.headers["aeg-event-type"] === "SubscriptionValidation") {
    const { validationCode } = body[0].data;
    const said = {
      code: validationCode,
      accepted: validationCode,
      wrong: "another",
      nothing: "",
      origin: "",
      other: "",
    };
    response.writeHead(shakes === "accepted" ? 202 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(said[shakes] === "" ? {} : { validationResponse: said[shakes] }));
  } else response.writeHead(answers.length > 1 ? answers.shift()! : answers[0]!).end();
}

beforeAll(async () => {
  at = await startCloudForTests();
  receiver = http.createServer((request, response) => void answer(request, response));
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook?key=hush`;
  await at.ask("PUT", `${group()}?api-version=2024-03-01`, { location: "westeurope" });
  await at.ask("PUT", `${vault()}?${vaultVersion}`, vaultBody(at));
  await giveRole(at, vault(), "officer", await clientObjectId(at));
  expect((await putTopic()).body.error).toBeUndefined();
});
afterAll(async () => {
  await at?.close();
  receiver?.closeAllConnections();
  receiver?.close();
});
beforeEach(async () => {
  [received, shakes, answers] = [[], "code", [200]];
  await clock({ at: noon });
});

test("a webhook that answers with the code is subscribed, and its address is shown without its query", async () => {
  expect((await subscribe("plain")).body.error).toBeUndefined();
  const [{ method, headers, body }] = received as [Received];
  expect([method, headers["aeg-event-type"], headers["aeg-subscription-name"], headers["content-type"]]).toEqual([
    "POST",
    "SubscriptionValidation",
    "PLAIN",
    "application/json; charset=utf-8",
  ]);
  expect(body).toEqual([
    {
      id: expect.any(String),
      topic: vault(),
      subject: "",
      data: { validationCode: expect.any(String), validationUrl: expect.stringMatching(/^https:\/\/eventgrid\./) },
      eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
      eventTime: new Date(noon).toISOString(),
      metadataVersion: "1",
      dataVersion: "2",
    },
  ]);
  const shown = await at.ask("GET", `${subscription("plain")}?${versions}`);
  expect(shown.body.properties).toMatchObject({
    topic: vault(),
    provisioningState: "Succeeded",
    destination: { endpointType: "WebHook", properties: { endpointBaseUrl: hook.split("?")[0] } },
    eventDeliverySchema: "EventGridSchema",
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 },
  });
  expect(JSON.stringify(shown.body)).not.toContain("key=hush");
  const whole = await at.ask("POST", `${subscription("plain")}/getFullUrl?${versions}`);
  expect(whole.body).toEqual({ endpointUrl: hook });
  await unsubscribe("plain");
});

test.each(["wrong", "accepted"] as const)("a webhook whose answer is %s is not subscribed", async (how) => {
  shakes = how;
  const made = at.settle("PUT", `${subscription("refused")}?${versions}`, { properties: { destination: webhook() } });
  await eventually(
    () => received.length,
    (count) => count > 0,
  );
  await advance(301);
  const { body } = await made;
  expect(body.error).toMatchObject({ code: "Url validation", message: expect.stringContaining("aka.ms/esvalidation") });
  expect(body.error.message).not.toContain("key=hush");
  await setSecret("unheard");
  expect(events()).toEqual([]);
  await unsubscribe("refused");
});

test("a webhook that says nothing is subscribed by hand within five minutes, or not at all", async () => {
  shakes = "nothing";
  const start = async (name: string) => {
    received = [];
    const made = subscribe(name);
    await eventually(
      () => received.length,
      (count) => count > 0,
    );
    return { made, url: received[0]!.body[0].data.validationUrl as string };
  };
  const first = await start("by-hand");
  expect((await at.ask("GET", first.url, undefined, { token: null })).status).toBe(200);
  expect((await first.made).body.error).toBeUndefined();
  expect((await at.ask("GET", first.url, undefined, { token: null })).status).toBe(400);
  const second = await start("too-late");
  await advance(301);
  expect((await second.made).body.error.code).toBe("Url validation");
  for (const name of ["by-hand", "too-late"]) await unsubscribe(name);
});

test("a webhook for CloudEvents allows the origin, or is not subscribed", async () => {
  shakes = "other";
  const refused = subscribe("clouds", { eventDeliverySchema: "CloudEventSchemaV1_0" });
  await eventually(
    () => received.length,
    (count) => count > 0,
  );
  await advance(301);
  expect((await refused).body.error.code).toBe("Url validation");
  [shakes, received] = ["origin", []];
  expect((await subscribe("clouds", { eventDeliverySchema: "CloudEventSchemaV1_0" })).body.error).toBeUndefined();
  expect(received.map(({ method, headers }) => [method, headers["webhook-request-origin"]])).toEqual([
    ["OPTIONS", "eventgrid.azure.net"],
  ]);
  received = [];
  const version = await setSecret("cloudy", { attributes: { nbf: 1_900_000_000 } });
  const [cloudy] = (await eventually(
    () => received,
    (all) => all.length === 1,
  )) as [Received];
  expect(cloudy.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
  expect(cloudy.body).toEqual({
    id: expect.any(String),
    source: vault(),
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
  await unsubscribe("clouds");
});

test("a new version is an event of Event Grid's own schema, one to a request", async () => {
  await subscribe("own");
  const version = await setSecret("database", { attributes: { exp: 2_000_000_000 } });
  const [event] = await eventually(events, (all) => all.length === 1);
  expect(event).toEqual({
    id: expect.any(String),
    topic: vault(),
    subject: "database",
    eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
    eventTime: new Date(noon).toISOString(),
    data: expect.objectContaining({ Version: version, NBF: null, EXP: 2_000_000_000 }),
    dataVersion: "1",
    metadataVersion: "1",
  });
  const { headers } = received.at(-1)!;
  expect([headers["aeg-delivery-count"], headers["aeg-subscription-name"], headers["aeg-data-version"]]).toEqual([
    "0",
    "OWN",
    "1",
  ]);
  expect(JSON.stringify(received)).not.toContain("hush");
  await unsubscribe("own");
});

const day = 86_400;
const inDays = (days: number): number => noon / 1000 + days * day;

test("near expiry comes thirty days before, or within a quarter of an hour, and then expiry", async () => {
  await setSecret("before", { attributes: { exp: inDays(40) } });
  await subscribe("expiry");
  await setSecret("slow", { attributes: { exp: inDays(40) } });
  await setSecret("soon", { attributes: { exp: inDays(10) } });
  await setSecret("disabled", { attributes: { exp: inDays(40), enabled: false } });
  await setSecret("renewed", { attributes: { exp: inDays(40) } });
  const all = async (count: number) => eventually(events, (found) => found.length === count);
  await all(4);
  await advance(901);
  await all(5);
  expect(typesOf("soon")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry"]);
  await setSecret("renewed", { attributes: { exp: inDays(400) } });
  await advance(10 * day);
  // An event says nothing of whether its secret is enabled, and one that was renewed is silent.
  await all(9);
  expect(typesOf("slow")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry"]);
  expect(typesOf("disabled")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry"]);
  expect(typesOf("soon")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry", "SecretExpired"]);
  await advance(30 * day);
  await all(11);
  expect(typesOf("slow").at(-1)).toBe("SecretExpired");
  expect(typesOf("renewed")).toEqual(["SecretNewVersionCreated", "SecretNewVersionCreated"]);
  // A version that was made before anybody subscribed is silent as well.
  expect(typesOf("before")).toEqual([]);
  await unsubscribe("expiry");
});

test("an expiry that is moved moves its event, and a deleted secret has none", async () => {
  await subscribe("moved");
  const version = await setSecret("moved", { attributes: { exp: inDays(40) } });
  await setSecret("deleted", { attributes: { exp: inDays(40) } });
  await eventually(events, (found) => found.length === 2);
  const token = await at.tokenFor("https://vault.azure.net");
  const change = (method: string, where: string, body?: unknown): Promise<Reply> =>
    at.ask(method, `${hostOf("shop")}${where}?api-version=7.4`, body, { token });
  await change("PATCH", `/secrets/moved/${version}`, { attributes: { exp: inDays(50) } });
  await change("DELETE", "/secrets/deleted");
  await advance(11 * day);
  expect(
    (await at.ask("GET", "/_emulator/schedule")).body.due.filter(({ key }: Body) => String(key).includes("NearExpiry")),
  ).toEqual([
    { key: `secret-expiry SecretNearExpiry shop/moved/${version}`, at: new Date(inDays(20) * 1000).toISOString() },
  ]);
  await advance(10 * day);
  await eventually(
    () => typesOf("moved"),
    (types) => types.includes("SecretNearExpiry"),
  );
  expect(typesOf("deleted")).toEqual(["SecretNewVersionCreated"]);
  await unsubscribe("moved");
});

test("filters admit by type and by the start and the end of the name", async () => {
  await subscribe("typed", { filter: { includedEventTypes: ["Microsoft.KeyVault.SecretNearExpiry"] } });
  await subscribe("named", { filter: { subjectBeginsWith: "Data", subjectEndsWith: "-A" } });
  await subscribe("exact", { filter: { subjectBeginsWith: "Data", isSubjectCaseSensitive: true } });
  received = [];
  const queued = async () => (await at.ask("GET", "/_emulator/deliveries")).body.deliveries.length as number;
  const before = await queued();
  for (const name of ["database-a", "database-b", "other-a"]) await setSecret(name);
  await eventually(events, (all) => all.length === 1);
  const [{ headers, body }] = received as [Received];
  expect([headers["aeg-subscription-name"], body[0].subject]).toEqual(["NAMED", "database-a"]);
  // What is to be delivered is queued with the secret.
  expect((await queued()) - before).toBe(1);
  for (const name of ["typed", "named", "exact"]) await unsubscribe(name);
});

test("a retry policy ends deliveries, which are dead letters if the subscription has a place for them", async () => {
  await subscribe("dying", {
    retryPolicy: { maxDeliveryAttempts: 2, eventTimeToLiveInMinutes: 60 },
    deadLetterDestination: { endpointType: "StorageBlob", properties: { resourceId: "/a", blobContainerName: "dead" } },
  });
  answers = [503];
  await setSecret("dying");
  const last = async () => (await at.ask("GET", "/_emulator/deliveries")).body.deliveries.at(-1);
  await eventually(last, ({ attempts, state }) => attempts.length === 1 && state === "queued");
  await advance(30);
  const dead = await eventually(last, ({ state }) => state !== "queued" && state !== "sending");
  expect(dead).toMatchObject({
    state: "dead-lettered",
    reason: "2 attempts failed",
    attempts: [{ status: 503 }, { status: 503 }],
  });
  expect(received.slice(-2).map(({ headers }) => headers["aeg-delivery-count"])).toEqual(["0", "1"]);
  // Every attempt has the same event.
  expect(received.at(-1)!.body).toEqual(received.at(-2)!.body);
  await unsubscribe("dying");
  await subscribe("dropping");
  answers = [401];
  await setSecret("dropping");
  expect(await eventually(last, ({ state }) => state !== "queued" && state !== "sending")).toMatchObject({
    state: "dropped",
    attempts: [{ status: 401 }],
  });
  await unsubscribe("dropping");
});

test("a protected webhook gets a token of Event Grid's application in the handshake and in every request", async () => {
  const application = "api://control-plane";
  const protection = {
    azureActiveDirectoryTenantId: at.cloud.tenant,
    azureActiveDirectoryApplicationIdOrUri: application,
  };
  await subscribe("guarded", { destination: webhook(protection) });
  await setSecret("guarded");
  await eventually(events, (all) => all.length === 1);
  expect(received).toHaveLength(2);
  for (const { headers } of received) {
    const token = String(headers.authorization).replace("Bearer ", "");
    expect(decodeJwt(token)).toMatchObject({
      aud: application,
      appid: "4962773b-9cdb-44cf-a8bf-237846a00ab7",
      roles: ["AzureEventGridSecureWebhookSubscriber"],
    });
    const keys = await at.ask(
      "GET",
      `https://login.ballast.localhost/${at.cloud.tenant}/discovery/v2.0/keys`,
      undefined,
      { token: null },
    );
    const found = createRemoteJWKSet(new URL("https://keys.invalid/"), {
      [customFetch]: async () => new Response(JSON.stringify(keys.body)),
    });
    expect((await jwtVerify(token, found)).payload.aud).toBe(application);
  }
  // The token is in no record of what was delivered.
  expect(JSON.stringify((await at.ask("GET", "/_emulator/deliveries")).body)).not.toContain("eyJ");
  await unsubscribe("guarded");
});

test.each([
  ["no destination", { destination: undefined }, "InvalidRequest"],
  [
    "an endpoint beyond this machine",
    { destination: webhook({ endpointUrl: "https://example.com/" }) },
    "EmulatorUnsupported",
  ],
  ["an endpoint that is no URL", { destination: webhook({ endpointUrl: "hook" }) }, "InvalidRequest"],
  [
    "plain http to a named host",
    { destination: webhook({ endpointUrl: "http://a.ballast.localhost/" }) },
    "InvalidRequest",
  ],
  [
    "a queue",
    { destination: { endpointType: "StorageQueue", properties: { resourceId: "/a", queueName: "q" } } },
    "EmulatorUnsupported",
  ],
  [
    "another directory",
    { destination: webhook({ azureActiveDirectoryTenantId: "x", azureActiveDirectoryApplicationIdOrUri: "y" }) },
    "InvalidRequest",
  ],
  [
    "an application without a directory",
    { destination: webhook({ azureActiveDirectoryApplicationIdOrUri: "y" }) },
    "InvalidRequest",
  ],
  ["an unknown event type", { filter: { includedEventTypes: ["Microsoft.KeyVault.Bananas"] } }, "InvalidRequest"],
  [
    "an event that is never raised",
    { filter: { includedEventTypes: ["Microsoft.KeyVault.KeyExpired"] } },
    "EmulatorUnsupported",
  ],
  [
    "an advanced filter",
    { filter: { advancedFilters: [{ operatorType: "StringIn", key: "data.x", values: ["a"] }] } },
    "EmulatorUnsupported",
  ],
  ["31 attempts", { retryPolicy: { maxDeliveryAttempts: 31 } }, "EmulatorUnsupported"],
  ["no attempt", { retryPolicy: { maxDeliveryAttempts: 0 } }, "EmulatorUnsupported"],
  ["a life of more than a day", { retryPolicy: { eventTimeToLiveInMinutes: 1441 } }, "EmulatorUnsupported"],
  ["an expiration in the past", { expirationTimeUtc: "2020-01-01T00:00:00Z" }, "InvalidRequest"],
  ["the schema of custom topics", { eventDeliverySchema: "CustomInputSchema" }, "InvalidRequest"],
  [
    "dead letters without a place",
    { deadLetterDestination: { endpointType: "StorageBlob", properties: {} } },
    "InvalidRequest",
  ],
])("a subscription with %s is refused", async (_, properties, code) => {
  expect((await subscribe("wrong", properties)).body.error.code).toBe(code);
  expect(received).toEqual([]);
});

test("a topic is where its vault is, has one source, and a source has one topic", async () => {
  expect((await putTopic("second")).body.error).toMatchObject({
    code: "InvalidRequest",
    message: expect.stringContaining("Only one system topic is allowed per source"),
  });
  await at.ask("PUT", `${vault("elsewhere")}?${vaultVersion}`, vaultBody(at));
  expect((await putTopic("far", { source: vault("elsewhere") }, { location: "northeurope" })).body.error.code).toBe(
    "InvalidRequest",
  );
  expect((await putTopic("none", { source: vault("nobody") })).body.error.code).toBe("ResourceNotFound");
  expect((await putTopic("typed", { topicType: "Microsoft.Storage.StorageAccounts" })).body.error.code).toBe(
    "EmulatorUnsupported",
  );
  expect((await putTopic(undefined, { source: vault("elsewhere") })).body.error.code).toBe("InvalidRequest");
});

test("deleting a vault ends its subscriptions, and recovering it does not bring them back", async () => {
  await at.ask("PUT", `${vault("brief")}?${vaultVersion}`, vaultBody(at));
  expect((await putTopic("brief", { source: vault("brief") })).body.error).toBeUndefined();
  const one = `${subscription("one", "brief")}?${versions}`;
  await at.settle("PUT", one, { properties: { destination: webhook() } });
  expect((await at.ask("GET", one)).status).toBe(200);
  await at.ask("DELETE", `${vault("brief")}?${vaultVersion}`);
  expect((await at.ask("GET", one)).status).toBe(404);
  await at.ask("PUT", `${vault("brief")}?${vaultVersion}`, vaultBody(at, { createMode: "recover" }));
  expect((await at.ask("GET", one)).status).toBe(404);
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
    await raw.settle("PUT", `${topicOf}?${versions}`, { location: "westeurope", properties });
    const destination = webhook();
    await raw.settle("PUT", `${topicOf}/eventSubscriptions/one?${versions}`, { properties: { destination } });
    answers = [503];
    const token = await raw.tokenFor("https://vault.azure.net");
    const attributes = { exp: inDays(40) };
    await raw.ask("PUT", `${hostOf("kept")}/secrets/a?api-version=7.4`, { value: "x", attributes }, { token });
    await eventually(events, (all) => all.length === 1);
    await eventually(
      async () => (await raw.ask("GET", "/_emulator/deliveries")).body.deliveries.at(-1),
      ({ attempts }) => attempts.length === 1,
    );
    await emulator.kill();
    [answers, received] = [[200], []];
    await emulator.revive();
    await raw.ask("POST", "/_emulator/clock", { at: noon + 31_000 });
    await eventually(
      () => typesOf("a"),
      (types) => types.length === 1,
    );
    await raw.ask("POST", "/_emulator/clock", { at: noon + 11 * day * 1000 });
    await eventually(
      () => typesOf("a"),
      (types) => types.length === 2,
    );
    expect(typesOf("a")).toEqual(["SecretNewVersionCreated", "SecretNearExpiry"]);
  } finally {
    raw.agent.destroy();
    await emulator.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
