// The context of an alert, by the service that fired it: which kind it is, and its dimensions. The results of a query
// are never in it, so a rule must name its target in a dimension.
import { absent, anything, words } from "../../foreign-forms.ts";
import { list, object, oneOf, read } from "../../form.ts";
import { isTrace } from "../../trace.ts";
import type { AlertKind } from "./alert.ts";

/** What a context says. */
export type FoundContext =
  | {
      readonly kind: AlertKind;
      readonly dimensions: Readonly<Record<string, string>>;
      readonly value?: number | undefined;
      /** The trace of the release that the rule watches, from the rule's own properties. */
      readonly trace?: string | undefined;
    }
  | { readonly refused: string };

const conditionForm = object({
  dimensions: absent(list(object({ name: words, value: absent(words) }))),
  metricValue: absent(anything),
});
const contextForm = object({
  conditionType: oneOf([
    "SingleResourceMultipleMetricCriteria",
    "MultipleResourceMultipleMetricCriteria",
    "DynamicThresholdCriteria",
    "WebtestLocationAvailabilityCriteria",
    "LogQueryCriteria",
  ]),
  condition: absent(object({ allOf: absent(list(conditionForm)) })),
  properties: absent(anything),
});

/** The kinds of alerts with conditions, by the service and by the type of the condition. */
const conditional: Readonly<Record<string, Readonly<Record<string, AlertKind>>>> = {
  platform: {
    SingleResourceMultipleMetricCriteria: "metric",
    MultipleResourceMultipleMetricCriteria: "metric",
    DynamicThresholdCriteria: "metric-dynamic",
    WebtestLocationAvailabilityCriteria: "availability",
  },
  "log alerts v2": { LogQueryCriteria: "log" },
  "simple log alert": { LogQueryCriteria: "log-simple" },
};

/** The kinds of alerts whose context is not read, because no action follows from them. */
const unread: Readonly<Record<string, AlertKind>> = {
  "log analytics": "log-legacy",
  "application insights": "log-legacy",
  servicehealth: "service-health",
  "service health": "service-health",
  resourcehealth: "resource-health",
  "resource health": "resource-health",
  prometheus: "prometheus",
  "smart detector": "smart-detection",
  smartdetector: "smart-detection",
};

/** Reads the context that a service wrote. A service that is not listed here is refused. */
export function contextOf(service: string, context: unknown): FoundContext {
  const name = service.toLowerCase();
  if (name.startsWith("activity log")) return { kind: "activity", dimensions: {} };
  const kind = Object.hasOwn(unread, name) ? unread[name] : undefined;
  if (kind !== undefined) return { kind, dimensions: {} };
  const types = Object.hasOwn(conditional, name) ? conditional[name] : undefined;
  if (types === undefined) return { refused: "The alert comes from a monitoring service that is not known." };
  const parsed = read(contextForm, context, "stored");
  if ("complaints" in parsed) return { refused: `The context of the alert is not known: ${parsed.complaints[0]}` };
  const { conditionType, condition, properties } = parsed.value;
  const found = types[conditionType];
  if (found === undefined) return { refused: `The alert's service does not write the context ${conditionType}.` };
  const conditions = condition?.allOf ?? [];
  const [first] = conditions;
  const listed = conditions.flatMap((each) => each.dimensions ?? []);
  const dimensions = Object.fromEntries(listed.map((dimension) => [dimension.name, dimension.value ?? ""]));
  const value = numberOf(first?.metricValue);
  const trace = traceIn(properties);
  return {
    kind: found,
    dimensions,
    ...(value === undefined ? {} : { value }),
    ...(trace === undefined ? {} : { trace }),
  };
}

/** Gives the trace among the properties that a rule adds to its alerts. Whatever else stands there is ignored. */
function traceIn(properties: unknown): string | undefined {
  const { trace } = (properties ?? {}) as { readonly trace?: unknown };
  return typeof trace === "string" && isTrace(trace) ? trace : undefined;
}

/** Some services write numbers as texts. */
function numberOf(given: unknown): number | undefined {
  const value = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
