// An alert of Azure Monitor as the engine knows it, whatever the shape in which it came. The kinds are a closed list:
// each says whether an action may follow, and why not.

import { dictionary, list, number, type ObjectOf, object, oneOf, optional, text } from "../../form.ts";
import { traceForm } from "../../trace.ts";

/** What kinds of alerts there are. `unfit` says why no action follows from a kind; without it one may. */
const alertKinds = {
  log: {},
  metric: {},
  "metric-dynamic": {},
  availability: {},
  /** Computed by the control plane from an objective; Azure Monitor knows nothing of it. */
  objective: {},
  "log-simple": { unfit: "it is stateless: it fires for each row and never resolves" },
  "log-legacy": { unfit: "it has no id of its own, so a repeated delivery cannot be recognized" },
  "metric-legacy": { unfit: "it has no id of its own, so a repeated delivery cannot be recognized" },
  activity: { unfit: "it is stateless: an entry of the activity log never resolves" },
  "activity-legacy": { unfit: "it is stateless: an entry of the activity log never resolves" },
  "service-health": { unfit: "it reports trouble of the platform, which no action of ours repairs" },
  "resource-health": { unfit: "it reports trouble of the platform, which no action of ours repairs" },
  prometheus: { unfit: "it fires again at each evaluation" },
  "smart-detection": { unfit: "it is learned, arrives late and does not report that it has resolved" },
} as const satisfies Readonly<Record<string, { readonly unfit?: string }>>;

export type AlertKind = keyof typeof alertKinds;

export const alertKindNames = Object.keys(alertKinds) as readonly AlertKind[];

/** Gives why no action may follow from an alert of a kind; undefined if one may. */
export const whyUnfit = (kind: AlertKind): string | undefined =>
  (alertKinds[kind] as { readonly unfit?: string }).unfit;

const words = (description: string) => text("a text", { least: 0, description });
const instant = (description: string) => number({ description });

const alertFields = {
  id: words("The alert's instance, in lower case: the same in each delivery."),
  kind: oneOf(alertKindNames),
  rule: words("The name of the alert rule, in lower case."),
  severity: number({ description: "0 critical to 4 verbose." }),
  condition: oneOf(["fired", "resolved"]),
  firedAt: instant("When it fired, in milliseconds since 1970-01-01 UTC."),
  resolvedAt: optional(instant("When it resolved; absent while it is fired, and if the alert does not say.")),
  resources: list(words("A resource's id, in lower case."), { description: "What the rule watches." }),
  dimensions: dictionary(words("A value of a dimension, as the rule gives it.")),
  value: optional(number({ description: "What was measured; absent if the alert does not say." })),
  trace: traceForm,
};
export const alertForm = object(alertFields);

/** One alert. */
export interface Alert extends ObjectOf<typeof alertFields> {}

/** An alert, or why a payload is refused. The reason repeats no value of a stranger. */
export type ParsedAlert = { readonly alert: Alert } | { readonly refused: string };
