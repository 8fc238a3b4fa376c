// What starts a remediation: an alert, a person's request, or a drill.
import { flag, line, number, type ObjectOf, object, oneOf, optional } from "../form.ts";
import type { Asked } from "../kind.ts";
import { alertForm } from "./alerts/alert.ts";
import { targetKey } from "./targets.ts";

const requestFields = {
  rule: line(260, { description: "The alert rule whose policy applies." }),
  message: line(500, { description: "What is wrong, for whoever reads the journal." }),
  severity: optional(number({ least: 0, most: 4, whole: true, description: "0 critical to 4 verbose." }), 3),
  drill: optional(flag({ description: "Whether to go through everything and change nothing." }), false),
};

/** The body of a person's request for a remediation. */
export const requestForm = object(requestFields);
export interface AskedRemediation extends ObjectOf<typeof requestFields> {}

const intentFields = {
  target: line(300, { description: "The key of the target." }),
  origin: oneOf(["alert", "person", "drill"]),
  alert: alertForm,
  message: line(500),
  requestedBy: line(300),
  requestedByName: optional(line(300)),
};
export const intentForm = object(intentFields);

/** One incident: the target, and the alert that shows it. */
export interface Incident extends ObjectOf<typeof intentFields> {}

/** Gives the incident that a person asks for. Its alert is synthetic, and named after the incident. */
export function intentOf({ name, body, by, byName, trace }: Asked<AskedRemediation>): Incident {
  return {
    target: targetKey({ type: name["type"] ?? "", rg: name["rg"] ?? "", name: name["name"] ?? "" }),
    origin: body.drill ? "drill" : "person",
    alert: {
      id: (name["incident"] ?? "").toLowerCase(),
      kind: "log",
      rule: body.rule.toLowerCase(),
      severity: body.severity,
      condition: "fired",
      firedAt: 0,
      resources: [],
      dimensions: {},
      ...(trace === undefined ? {} : { trace }),
    },
    message: body.message,
    requestedBy: by,
    ...(byName === undefined ? {} : { requestedByName: byName }),
  };
}
