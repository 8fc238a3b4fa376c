// A payload of Azure Monitor → an alert, or the reason why it is none. A payload comes from outside, so each part is
// read by a form, and whatever is not known is refused by name: nobody acts on an alert that was guessed.
import { absent, anything, words } from "../../foreign-forms.ts";
import { list, object, read, text } from "../../form.ts";
import type { ParsedAlert } from "./alert.ts";
import { contextOf } from "./contexts.ts";
import { momentOf } from "./moment.ts";
import { legacyAlertOf } from "./older-shapes.ts";

const essentialsFields = {
  alertId: text("the alert's id"),
  alertRule: absent(words),
  alertRuleId: absent(words),
  severity: text("a severity"),
  monitorCondition: text("Fired or Resolved"),
  monitoringService: text("the name of a service"),
  alertTargetIDs: absent(list(words)),
  firedDateTime: text("a moment"),
  resolvedDateTime: absent(words),
  essentialsVersion: text("a version"),
};
const commonForm = object({ data: object({ essentials: object(essentialsFields), alertContext: absent(anything) }) });

/** Parses what a webhook receives. */
export function parseAlert(payload: unknown): ParsedAlert {
  const envelope = read(object({ schemaId: absent(words) }), payload, "stored");
  if ("complaints" in envelope) return { refused: `The payload is no alert: ${envelope.complaints[0]}` };
  const { schemaId } = envelope.value;
  return schemaId === "azureMonitorCommonAlertSchema" ? commonAlertOf(payload) : legacyAlertOf(schemaId ?? "", payload);
}

function commonAlertOf(payload: unknown): ParsedAlert {
  const parsed = read(commonForm, payload, "stored");
  if ("complaints" in parsed) return { refused: `The payload is no alert: ${parsed.complaints[0]}` };
  const { essentials, alertContext } = parsed.value.data;
  if (essentials.essentialsVersion !== "1.0")
    return { refused: "The payload has a version of the common schema that is not known." };
  return alertOf({
    id: essentials.alertId,
    rule: essentials.alertRule ?? essentials.alertRuleId?.split("/").at(-1) ?? "",
    severity: essentials.severity,
    condition: essentials.monitorCondition,
    service: essentials.monitoringService,
    fired: essentials.firedDateTime,
    resolved: essentials.resolvedDateTime,
    resources: essentials.alertTargetIDs ?? [],
    context: alertContext,
  });
}

const listedFields = {
  alertRule: words,
  severity: text("a severity"),
  monitorCondition: text("Fired or Resolved"),
  monitorService: text("the name of a service"),
  startDateTime: text("a moment"),
  monitorConditionResolvedDateTime: absent(words),
  targetResource: absent(words),
};
const listedForm = object({
  id: text("the alert's id"),
  properties: object({
    essentials: object(listedFields),
    context: absent(object({ context: absent(anything) })),
  }),
});

/** Parses an item of the alerts API. It has the same parts as a delivery under other names. */
export function parseListedAlert(item: unknown): ParsedAlert {
  const parsed = read(listedForm, item, "stored");
  if ("complaints" in parsed) return { refused: `The item is no alert: ${parsed.complaints[0]}` };
  const { id, properties } = parsed.value;
  const { essentials, context } = properties;
  return alertOf({
    id,
    rule: essentials.alertRule.split("/").at(-1) ?? "",
    severity: essentials.severity,
    condition: essentials.monitorCondition,
    service: essentials.monitorService,
    fired: essentials.startDateTime,
    resolved: essentials.monitorConditionResolvedDateTime,
    resources: essentials.targetResource ? [essentials.targetResource] : [],
    context: context?.context,
  });
}

/** The parts of an alert as Azure writes them. */
interface Written {
  readonly id: string;
  readonly rule: string;
  readonly severity: string;
  readonly condition: string;
  readonly service: string;
  readonly fired: string;
  readonly resolved: string | null | undefined;
  readonly resources: readonly string[];
  readonly context: unknown;
}

function alertOf({
  id,
  rule,
  severity,
  condition,
  service,
  fired,
  resolved,
  resources,
  context,
}: Written): ParsedAlert {
  const guid = id.toLowerCase().match(/\/providers\/microsoft\.alertsmanagement\/alerts\/([0-9a-f-]{36})$/)?.[1];
  if (guid === undefined) return { refused: "The id of the alert is not one of Azure Monitor." };
  const level = severity.match(/^Sev([0-4])$/)?.[1];
  if (level === undefined) return { refused: "The severity is none of Sev0 to Sev4." };
  const state = ({ Fired: "fired", Resolved: "resolved" } as const)[condition];
  if (state === undefined) return { refused: "The condition is neither Fired nor Resolved." };
  const firedAt = momentOf(fired);
  if (firedAt === undefined) return { refused: "The time at which the alert fired is no moment." };
  // Azure writes a moment of resolution also in payloads of alerts that are fired.
  const resolvedAt = state === "resolved" ? momentOf(resolved ?? "") : undefined;
  const found = contextOf(service, context);
  if ("refused" in found) return found;
  return {
    alert: {
      id: guid,
      kind: found.kind,
      rule: rule.toLowerCase(),
      severity: Number(level),
      condition: state,
      firedAt,
      ...(resolvedAt === undefined ? {} : { resolvedAt }),
      resources: resources.map((resource) => resource.toLowerCase()),
      dimensions: found.dimensions,
      ...(found.value === undefined ? {} : { value: found.value }),
      ...(found.trace === undefined ? {} : { trace: found.trace }),
    },
  };
}
