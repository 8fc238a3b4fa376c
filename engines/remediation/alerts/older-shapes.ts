// The shapes of alerts from before the common schema, which an action group still sends unless it is told otherwise.
// They are recognized and named, so that a person learns what to switch; no action ever follows from them, since they
// have no id of their own.
import { absent, words } from "../../foreign-forms.ts";
import { type Form, object, read } from "../../form.ts";
import type { Alert, ParsedAlert } from "./alert.ts";
import { momentOf } from "./moment.ts";

const metricForm = object({
  data: object({
    status: words,
    context: object({ id: words, name: words, timestamp: words, resourceId: absent(words) }),
  }),
});
const activityForm = object({
  data: object({
    context: object({
      activityLog: object({ operationName: absent(words), resourceId: absent(words), eventTimestamp: words }),
    }),
  }),
});
const logForm = object({ AlertRuleName: words, SearchIntervalEndtimeUtc: words });
const logEnvelope = object({ data: logForm });
const detectionForm = object({
  data: object({ AlertRuleName: absent(words), SmartDetectorName: absent(words), EventOccurredUtc: absent(words) }),
});

/** Parses a payload with another schema than the common one; the schema is empty if the payload names none. */
export function legacyAlertOf(schema: string, payload: unknown): ParsedAlert {
  switch (schema) {
    case "AzureMonitorMetricAlert":
      return parsed(metricForm, payload, ({ data: { status, context } }) =>
        legacy("metric-legacy", context.name, status, context.timestamp, context.resourceId),
      );
    case "Microsoft.Insights/activityLogs":
      return parsed(activityForm, payload, ({ data: { context } }) => {
        const { operationName, eventTimestamp, resourceId } = context.activityLog;
        return legacy("activity-legacy", operationName ?? "", "Activated", eventTimestamp, resourceId);
      });
    case "Microsoft.Insights/LogAlert":
      return parsed(logEnvelope, payload, ({ data }) => legacyLog(data));
    case "SmartDetectorAlert":
      return parsed(detectionForm, payload, ({ data }) =>
        legacy("smart-detection", data.AlertRuleName ?? "", "Activated", data.EventOccurredUtc ?? "", undefined),
      );
    case "":
      return parsed(logForm, payload, legacyLog);
    default:
      return { refused: "The payload has a schema that is not known." };
  }
}

const legacyLog = ({ AlertRuleName, SearchIntervalEndtimeUtc }: { AlertRuleName: string } & Ended): ParsedAlert =>
  legacy("log-legacy", AlertRuleName, "Activated", SearchIntervalEndtimeUtc, undefined);

interface Ended {
  readonly SearchIntervalEndtimeUtc: string;
}

function parsed<Value>(form: Form<Value>, payload: unknown, alertIn: (value: Value) => ParsedAlert): ParsedAlert {
  const found = read(form, payload, "stored");
  return "complaints" in found
    ? { refused: `The payload is no alert of a known shape: ${found.complaints[0]}` }
    : alertIn(found.value);
}

function legacy(
  kind: Alert["kind"],
  rule: string,
  status: string,
  fired: string,
  resource: string | null | undefined,
): ParsedAlert {
  const firedAt = momentOf(fired);
  if (firedAt === undefined) return { refused: "The time at which the alert fired is no moment." };
  return {
    alert: {
      id: "",
      kind,
      rule: rule.toLowerCase(),
      severity: 3,
      condition: status === "Deactivated" ? "resolved" : "fired",
      firedAt,
      resources: resource ? [resource.toLowerCase()] : [],
      dimensions: {},
    },
  };
}
