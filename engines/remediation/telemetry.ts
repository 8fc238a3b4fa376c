// What telemetry records about remediations: their own metrics, and what a fact adds to them.
import type { Metric, Observed } from "../kind.ts";
import { targetIn } from "./names.ts";
import type { RemediationEffect, RemediationEvent, RemediationState } from "./vocabulary.ts";

const metrics = {
  ended: {
    name: "ballast.remediations.ended",
    kind: "counter",
    unit: "{remediation}",
    says: "remediations that ended, by `result`, `reason` and `target`",
  },
  actions: {
    name: "ballast.remediations.actions",
    kind: "counter",
    unit: "{action}",
    says: "actions that were judged, by `verdict` (`worked`, `did-not`, `not-verified`) and `target`",
  },
  held: {
    name: "ballast.remediations.held",
    kind: "counter",
    unit: "{hold}",
    says: "times that a guard held a remediation, by `guard` and `target`",
  },
} satisfies Readonly<Record<string, Metric>>;

export const telemetry: Observed<RemediationEvent, RemediationState, RemediationEffect> = {
  attributesOf: (stream) => ({ target: targetIn(stream) ?? "" }),
  phaseOf: ({ phase }) => phase,
  attemptOf: ({ rung }) => rung + 1,
  traceOf: ({ incident }) => incident?.alert.trace,
  metrics,
  countsOf: (event) => {
    if (event.kind === "Finished")
      return [{ metric: "ended", value: 1, attributes: { result: event.result, reason: event.reason } }];
    if (event.kind === "Judged") return [{ metric: "actions", value: 1, attributes: { verdict: event.result } }];
    return event.kind === "Held" ? [{ metric: "held", value: 1, attributes: { guard: event.guard } }] : [];
  },
  passOf: () => [],
};
