// Deliveries of alerts: forged, replayed, about others' targets, of unknown or older shapes, with missing parts, or too
// large. Whatever is sent, nothing is started or written; at most the alerts are looked at.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { azureMonitor } from "../../../controlplane/api/deliver-alert.ts";
import { hintOf } from "../../../engines/remediation/alerts/delivery.ts";
import { deliveryOf } from "../../support/controlplane/deliveries.ts";
import { servicesForTests, untouchable } from "../../support/controlplane/service.ts";
import { policyWith } from "../../support/worlds/incident-scenario.ts";

const { service, token } = servicesForTests();
const target = "app/shop/storefront";
const declared = {
  targets: [
    { target, dependsOn: [] },
    { target: "app/shop/cart", dependsOn: [] },
  ],
  policies: [policyWith({ rule: "app-failing", targets: [target] })],
};
const noon = Date.parse("2031-01-01T12:00:30Z");
const sender = { roles: ["ActionGroupsSecureWebhook"], azp: azureMonitor };

/** Opens a service of which any use fails, but that of the hint; it counts the looks. */
function opened() {
  const looks: unknown[] = [];
  const { call } = service({
    ...untouchable,
    hint: (payload) => {
      const judged = hintOf(payload, declared, noon);
      if (judged.says === "look") looks.push(payload);
      return judged;
    },
  });
  const deliver = async (sent: unknown, claims: object = sender) =>
    call("POST", "/alerts", sent, await token({ ...sender, ...claims }));
  return { looks, deliver };
}

const listed = (more: object) => ({ ...deliveryOf(), ...more });
const legacy = { status: "Activated", context: { name: "App-Failing", condition: {}, resourceId: "/x" } };

describe("a delivery", () => {
  test.each([
    ["fired", deliveryOf()],
    ["resolved", deliveryOf({ monitorCondition: "Resolved", resolvedDateTime: "2031-01-01T12:00:20Z" })],
    ["whose names are in capitals", deliveryOf({ alertRule: "APP-FAILING" }, {})],
    ["with a threshold that is a number", deliveryOf({}, { threshold: 5 })],
    ["with unknown fields", listed({ more: { nested: [1] } })],
  ])("that is %s wakes the poll, and does nothing else", async (_what, sent) => {
    const { deliver, looks } = opened();
    expect(await deliver(sent)).toMatchObject({ status: 202, body: { looks: true } });
    expect(looks).toHaveLength(1);
  });

  test.each([
    ["about another tenant's app", deliveryOf({}, { dimensions: [{ name: "ContainerAppName", value: "theirs" }] })],
    ["about an app without a policy", deliveryOf({}, { dimensions: [{ name: "ContainerAppName", value: "cart" }] })],
    ["of a rule without a policy", deliveryOf({ alertRule: "other" })],
    ["that names no target", deliveryOf({}, { dimensions: [] })],
    ["that was replayed", deliveryOf({ firedDateTime: "2030-12-31T12:00:00Z" })],
    ["of the future", deliveryOf({ firedDateTime: "2031-01-01T12:10:00Z" })],
  ])("%s is answered and ignored", async (_what, sent) => {
    const { deliver, looks } = opened();
    expect(await deliver(sent)).toMatchObject({ status: 202, body: { looks: false } });
    expect(looks).toEqual([]);
  });

  test.each([
    ["of an unknown schema", { schemaId: "azureMonitorCommonAlertSchema2", data: {} }, 400],
    ["of an unknown version", deliveryOf({ essentialsVersion: "2.0" }), 400],
    ["of an older shape", legacy, 400],
    ["of an unknown service", deliveryOf({ monitoringService: "Something New" }), 400],
    ["without a severity", deliveryOf({ severity: null }), 400],
    ["whose parts are null", listed({ data: { essentials: null, alertContext: null } }), 400],
    ["with another id", deliveryOf({ alertId: "66114d64" }), 400],
    ["with no moment", deliveryOf({ firedDateTime: "yesterday" }), 400],
    ["that is a list", [deliveryOf()], 400],
    ["that is null", "null", 400],
    ["that is no JSON", "{", 400],
    ["of more than 256 KiB", listed({ fill: "x".repeat(256 * 1024) }), 413],
  ])("%s is refused, and names no value of it", async (_what, sent, status) => {
    const { deliver, looks } = opened();
    const answered = await deliver(sent);
    expect(answered.status).toBe(status);
    expect(["alert-malformed", "call-malformed", "call-too-large"]).toContain(answered.body.error.id);
    expect(answered.text).not.toMatch(/xxx|66114d64|yesterday|Something New/);
    expect(looks).toEqual([]);
  });

  test("of nearly 256 KiB is read", async () => {
    const { deliver } = opened();
    expect(await deliver(listed({ fill: "x".repeat(250 * 1024) }))).toMatchObject({
      status: 202,
      body: { looks: true },
    });
  });

  test.each([
    ["without the role", { roles: ["Rollout.Write", "Rollout.Approve", "Remediation.Approve"] }, "call-role-missing"],
    ["of another application", { azp: "11111111-1111-1111-1111-111111111111" }, "alert-sender-unknown"],
    ["of no application", { azp: undefined }, "alert-sender-unknown"],
    ["of an application that is a list", { azp: [azureMonitor] }, "alert-sender-unknown"],
  ])("%s is refused with 403", async (_what, claims, id) => {
    const { deliver, looks } = opened();
    expect(await deliver(deliveryOf(), claims)).toMatchObject({ status: 403, body: { error: { id } } });
    expect(looks).toEqual([]);
  });

  test("with a token of version 1 is known by its appid, in any letter case", async () => {
    const { deliver } = opened();
    const answered = await deliver(deliveryOf(), { azp: undefined, appid: azureMonitor.toUpperCase() });
    expect(answered).toMatchObject({ status: 202, body: { looks: true } });
  });

  test("the role opens no other call", async () => {
    const { call } = service(untouchable);
    for (const [method, to] of [
      ["GET", "/remediations"],
      ["POST", "/recover"],
      ["PUT", "/remediations/app/shop/storefront/x"],
    ] as const)
      expect((await call(method, to, undefined, await token(sender))).body.error.id).toBe("call-role-missing");
  });
});

test("any delivery is answered with 202, 400 or 413, and only an alert of ours is a reason to look", async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);
  const { deliver, looks } = opened();
  const keys = fc.constantFrom(
    "schemaId",
    "data",
    "essentials",
    "alertContext",
    "condition",
    "allOf",
    "0",
    "dimensions",
    "severity",
    "alertId",
    "alertRule",
    "firedDateTime",
    "monitorCondition",
    "monitoringService",
    "name",
    "value",
  );
  const value = fc.oneof(
    fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as unknown),
    fc.constantFrom(null, "", "__proto__", "Fired", "Sev0", 1e308, [], {}),
  );
  const change = fc.tuple(fc.array(keys, { minLength: 1, maxLength: 5 }), value);
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.json({ maxDepth: 5 }), fc.array(change, { maxLength: 3 })), async (drawn) => {
      const before = looks.length;
      const sent = typeof drawn === "string" ? drawn : JSON.stringify(changed(drawn));
      const answered = await deliver(sent);
      expect([202, 400, 413]).toContain(answered.status);
      expect(looks.length - before).toBe(answered.status === 202 && answered.body.looks ? 1 : 0);
    }),
    { seed, numRuns: 200 },
  );
});

/**
 * Sets values along paths of a good delivery. Each gets a copy: a later path may lead into an earlier value, and a
 * value that was drawn twice would then contain itself, of which there is no JSON.
 */
function changed(changes: readonly (readonly [readonly string[], unknown])[]): unknown {
  const whole = structuredClone(deliveryOf()) as unknown as Record<string, unknown>;
  for (const [path, value] of changes) {
    let at = whole;
    for (const key of path.slice(0, -1)) {
      const next = Object.hasOwn(at, key) ? at[key] : undefined;
      if (typeof next === "object" && next !== null) at = next as Record<string, unknown>;
    }
    at[path.at(-1)!] = structuredClone(value);
  }
  return whole;
}
