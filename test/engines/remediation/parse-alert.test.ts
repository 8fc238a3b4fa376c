// Payloads of every kind of alert → alerts, and whatever is not known → a refusal by name. Nothing is ever guessed.
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { whyUnfit } from "../../../engines/remediation/alerts/alert.ts";
import { momentOf } from "../../../engines/remediation/alerts/moment.ts";
import { parseAlert, parseListedAlert } from "../../../engines/remediation/alerts/parse.ts";
import * as payloads from "../../support/worlds/alert-payloads.ts";

const { common } = payloads;

test.each([
  ["metric", payloads.metric, true],
  ["metric-dynamic", payloads.dynamic, true],
  ["availability", payloads.availability, true],
  ["log", payloads.log, true],
  ["log-simple", payloads.simpleLog, false],
  ["log-legacy", payloads.logV1, false],
  ["activity", payloads.activity, false],
  ["service-health", payloads.serviceHealth, false],
  ["resource-health", payloads.resourceHealth, false],
  ["prometheus", payloads.prometheus, false],
  ["smart-detection", payloads.smartDetection, false],
  ["metric-legacy", payloads.legacyMetric, false],
  ["log-legacy", payloads.legacyLog, false],
  ["log-legacy", payloads.legacyLogEnvelope, false],
  ["activity-legacy", payloads.legacyActivity, false],
  ["smart-detection", payloads.legacySmartDetection, false],
] as const)("a %s alert is known, and whether an action may follow from it", (kind, payload, mayAct) => {
  const parsed = parseAlert(payload);
  expect(parsed).toMatchObject({ alert: { kind } });
  expect(whyUnfit(kind) === undefined).toBe(mayAct);
});

describe("a log alert", () => {
  it("keeps its dimensions, its value and its resources, and has its ids in lower case", () =>
    expect(parseAlert(payloads.log)).toEqual({
      alert: {
        id: "b9569717-bc32-442f-add5-83a997729330",
        kind: "log",
        rule: "app-failing",
        severity: 3,
        condition: "fired",
        firedAt: Date.UTC(2019, 2, 22, 13, 58, 24, 371),
        resources: ["/subscriptions/s/resourcegroups/shop/providers/microsoft.operationalinsights/workspaces/w"],
        dimensions: { ContainerAppName: "Storefront" },
        value: 3,
      },
    }));

  it.each([
    ["4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736"],
    ["0".repeat(32), undefined],
    ["@everyone", undefined],
    [7, undefined],
  ])("has the trace among its rule's properties, if it is one: %j", (trace, expected) => {
    const { alertContext } = payloads.log.data;
    const context = { ...(alertContext as object), properties: { owner: "shop team", trace } };
    const parsed = parseAlert(common({ monitoringService: "Log Alerts V2" }, context));
    expect("alert" in parsed && parsed.alert.trace).toBe(expected);
  });

  it("is the same from the alerts API", () =>
    expect(parseListedAlert(payloads.listed)).toMatchObject({
      alert: {
        id: "66114d64-d9d9-478b-95c9-b789d6502100",
        kind: "log",
        rule: "app-failing",
        severity: 1,
        dimensions: { ContainerAppName: "Storefront" },
      },
    }));
});

test.each([
  ["no object", "text", /is no alert: the value must be an object/],
  ["an unknown schema", { schemaId: "Contoso" }, /schema that is not known/],
  ["an unknown version", common({ essentialsVersion: "2.0" }), /version of the common schema/],
  ["an unknown service", common({ monitoringService: "Contoso" }), /monitoring service that is not known/],
  ["an unknown context", common({}, { conditionType: "Contoso" }), /context of the alert is not known/],
  ["no context", common({}, null), /context of the alert is not known/],
  [
    "a context of another service",
    common({ monitoringService: "Log Alerts V2" }, payloads.metric.data.alertContext),
    /service does not write/,
  ],
  ["a severity that Azure does not have", common({ severity: "Sev9" }), /none of Sev0 to Sev4/],
  ["a condition that Azure does not have", common({ monitorCondition: "Maybe" }), /neither Fired nor Resolved/],
  ["a time that is none", common({ firedDateTime: "yesterday" }), /is no moment/],
  ["an id of something else", common({ alertId: "/subscriptions/s/resourceGroups/rg" }), /not one of Azure Monitor/],
  ["a missing id", common({ alertId: undefined }), /alertId is missing/],
  ["an id that is null", common({ alertId: null }), /alertId must be/],
  ["an old shape without its fields", { schemaId: "AzureMonitorMetricAlert", data: {} }, /status is missing/],
])("a payload with %s is refused by name", (_what, payload, why) =>
  expect(parseAlert(payload)).toEqual({ refused: expect.stringMatching(why) }),
);

test("a refusal repeats no value of a stranger", () => {
  const secret = "hunter2-hunter2";
  for (const payload of [{ schemaId: secret }, common({ severity: secret }), common({ monitoringService: secret })])
    expect(JSON.stringify(parseAlert(payload))).not.toContain(secret);
});

test("no value whatever makes the parser fail", () =>
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.record({ schemaId: fc.constant("azureMonitorCommonAlertSchema"), data: fc.jsonValue() }),
      ),
      (payload) => {
        expect(Object.keys(parseAlert(payload))).toHaveLength(1);
        expect(Object.keys(parseListedAlert(payload))).toHaveLength(1);
      },
    ),
  ));

test("a moment is read as the platform reads it", () =>
  fc.assert(
    fc.property(
      fc.date({ min: new Date("1970-01-01"), max: new Date("2199-12-31"), noInvalidDate: true }),
      fc.constantFrom("", "0000", "1234"),
      (date, more) => {
        expect(momentOf(date.toISOString().replace("Z", `${more}Z`))).toBe(date.getTime());
      },
    ),
  ));

test.each([
  ["2017-03-29T17:43:08.0019532+02:00", Date.UTC(2017, 2, 29, 15, 43, 8, 1)],
  ["3/22/2019 1:36:31 PM", Date.UTC(2019, 2, 22, 13, 36, 31)],
  ["3/22/2019 12:00:00 AM", Date.UTC(2019, 2, 22)],
  ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
  ["2023-02-29T00:00:00Z", undefined],
  ["2023-13-01T00:00:00Z", undefined],
  ["2023-01-01T24:00:00Z", undefined],
])("%s is read as %s", (text, at) => expect(momentOf(text)).toBe(at));
