// Deliveries of Event Grid: in both schemas, repeated, out of order, about others' vaults, forged, or too large.
// Whatever is sent, nothing is started or written; at most the credentials are looked at.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventGrid } from "../../../controlplane/api/deliver-events.ts";
import { eventHintOf } from "../../../engines/rotation/events.ts";
import { nearExpiry, nearExpiryCloudEvent, validationOf } from "../../support/controlplane/events.ts";
import { servicesForTests, untouchable } from "../../support/controlplane/service.ts";

const { service, token } = servicesForTests();
const declared = [{ vault: "kv-shop", credential: "database" }];
const sender = { roles: ["AzureEventGridSecureWebhookSubscriber"], azp: eventGrid };
const ours = nearExpiry("kv-shop", "database");

/** Opens a service of which any use fails, but that of the hint; it counts the looks. */
function opened() {
  const looks: unknown[] = [];
  const { call, app } = service({
    ...untouchable,
    eventHint: async (payload) => {
      const judged = eventHintOf(payload, declared);
      if (judged.says === "look") looks.push(payload);
      return judged;
    },
  });
  const deliver = async (sent: unknown, claims: object = sender, headers: Readonly<Record<string, string>> = {}) =>
    call("POST", "/events", sent, await token({ ...sender, ...claims }), headers);
  return { looks, deliver, app };
}

describe("a delivery", () => {
  test.each([
    ["of a secret that expires soon", [ours]],
    ["of one that has expired", [nearExpiry("kv-shop", "database", { eventType: "Microsoft.KeyVault.SecretExpired" })]],
    ["of a slot", [nearExpiry("kv-shop", "database-b")]],
    ["in capitals", [nearExpiry("KV-SHOP", "Database")]],
    ["of several, one of them ours", [nearExpiry("other", "x"), ours, nearExpiry("kv-shop", "x")]],
    ["that is one event without a list", ours],
    ["that is a CloudEvent", nearExpiryCloudEvent("kv-shop", "database")],
    [
      "that is a batch of CloudEvents",
      [nearExpiryCloudEvent("other", "x"), nearExpiryCloudEvent("kv-shop", "database")],
    ],
    ["without data", [nearExpiry("kv-shop", "database", { data: null })]],
  ])("%s makes it look, however often it is sent, and does nothing else", async (_what, sent) => {
    const { deliver, looks } = opened();
    for (const count of [1, 2]) {
      expect(await deliver(sent)).toMatchObject({ status: 200, body: { looks: true } });
      expect(looks).toHaveLength(count);
    }
  });

  test.each([
    ["about another vault", [nearExpiry("other", "database")]],
    ["about a secret that is no credential", [nearExpiry("kv-shop", "certificate")]],
    ["about a name that only begins like a credential", [nearExpiry("kv-shop", "database-c")]],
    ["whose topic ends like ours", [nearExpiry("x/vaults/kv-shop/secrets", "database")]],
    ["of no topic", [nearExpiry("kv-shop", "database", { topic: null })]],
    ["of a new version", [nearExpiry("kv-shop", "x", { eventType: "Microsoft.KeyVault.SecretNewVersionCreated" })]],
    ["of a type from the future", [nearExpiry("kv-shop", "database", { eventType: "Microsoft.KeyVault.Renamed" })]],
  ])("%s is answered and ignored", async (_what, sent) => {
    const { deliver, looks } = opened();
    expect(await deliver(sent)).toMatchObject({ status: 200, body: { looks: false } });
    expect(looks).toEqual([]);
  });

  test.each([
    ["of no event", [], 400],
    ["without a type", [nearExpiry("kv-shop", "database", { eventType: null })], 400],
    ["whose subject is a number", [nearExpiry("kv-shop", "database", { subject: 3 })], 400],
    ["that is null", "null", 400],
    ["that is no JSON", "{", 400],
    ["of a handshake without a code", [validationOf(null)], 400],
    ["of more than 1 MiB", [{ ...ours, fill: "x".repeat(1024 * 1024) }], 413],
  ])("%s is refused, and names no value of it", async (_what, sent, status) => {
    const { deliver, looks } = opened();
    const answered = await deliver(sent);
    expect(answered.status).toBe(status);
    expect(["event-malformed", "call-malformed", "call-too-large"]).toContain(answered.body.error.id);
    expect(answered.text).not.toMatch(/xxx|kv-shop/);
    expect(looks).toEqual([]);
  });

  test.each([
    ["without the role", { roles: ["Rollout.Write", "ActionGroupsSecureWebhook"] }, "call-role-missing"],
    ["of whoever created the subscription", { azp: "11111111-1111-1111-1111-111111111111" }, "event-sender-unknown"],
    ["of no application", { azp: undefined }, "event-sender-unknown"],
  ])("%s is refused with 403", async (_what, claims, id) => {
    const { deliver, looks } = opened();
    expect(await deliver([ours], claims)).toMatchObject({ status: 403, body: { error: { id } } });
    expect(looks).toEqual([]);
  });
});

test.each([
  ["application/json; charset=utf-8", 200],
  ["application/cloudevents+json; charset=utf-8", 200],
  ["Application/CloudEvents-Batch+JSON", 200],
  ["text/plain", 415],
  ["application/jsonlines", 415],
])("the media type %s is answered with %d", async (mediaType, status) => {
  const { deliver } = opened();
  expect((await deliver([ours], {}, { "content-type": mediaType })).status).toBe(status);
});

test("the handshake of Event Grid's schema gets its code back, in the form that it takes", async () => {
  const { deliver, looks } = opened();
  const answered = await deliver([validationOf("512D38B6-C7B8-40C8-89FE-F46F9E9622B6")]);
  expect([answered.status, answered.body]).toEqual([
    200,
    { validationResponse: "512D38B6-C7B8-40C8-89FE-F46F9E9622B6" },
  ]);
  expect(looks).toEqual([]);
});

test("the handshake of CloudEvents is answered without a token, and allows Event Grid alone", async () => {
  const { app } = opened();
  const headers = { "webhook-request-origin": "eventgrid.azure.net" };
  const answered = await app.request("/events", { method: "OPTIONS", headers });
  expect([answered.status, answered.headers.get("webhook-allowed-origin")]).toEqual([200, "eventgrid.azure.net"]);
});

test("any delivery is answered with 200 or 400, and only an event of ours is a reason to look", async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);
  const { deliver, looks } = opened();
  const event = fc.dictionary(
    fc.constantFrom("eventType", "type", "topic", "source", "subject", "data", "__proto__"),
    fc.oneof(fc.constantFrom("Microsoft.KeyVault.SecretNearExpiry", "database", "kv-shop", "", null), fc.jsonValue()),
  );
  const property = fc.asyncProperty(fc.oneof(fc.array(event), event, fc.jsonValue()), async (sent) => {
    const { status } = await deliver(JSON.stringify(sent));
    expect([200, 400]).toContain(status);
  });
  await fc.assert(property, { numRuns: 200, seed });
  expect(looks).toEqual([]);
});
