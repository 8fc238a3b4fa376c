// The remediation as a kind of work: where everything that the control plane must know of it is put together.
import type { Kind } from "../kind.ts";
import { facts, finishes } from "./facts.ts";
import { glance, type SeenRemediation } from "./glance.ts";
import { type AskedRemediation, intentOf, requestForm } from "./intent.ts";
import { parts } from "./names.ts";
import { notificationOf } from "./notifications.ts";
import { dueAt } from "./react.ts";
import { endReasons, results } from "./reasons.ts";
import { remediation } from "./remediation.ts";
import { approvals, personalSignalNames } from "./signals.ts";
import { endOf, summaryOf, summarySchema } from "./summary.ts";
import { incidentKey, targetKey } from "./targets.ts";
import { telemetry } from "./telemetry.ts";
import { isNoteworthy, messageOf } from "./tell.ts";
import type { RemediationEffect, RemediationEvent, RemediationObservation, RemediationState } from "./vocabulary.ts";

/** Incidents of declared targets, and what is done about them. */
export const remediationKind: Kind<
  RemediationObservation,
  RemediationEvent,
  RemediationState,
  RemediationEffect,
  AskedRemediation,
  SeenRemediation
> = {
  kind: "remediation",
  engine: remediation,
  facts,
  finishes,
  targetsOf: (first) => (first.kind === "Reported" ? [incidentKey(first.incident.target)] : []),
  dueAt,
  glance,
  calls: {
    noun: "Remediation",
    plural: "remediations",
    parts,
    targetsNamed: ({ type = "", rg = "", name = "" }) => [incidentKey(targetKey({ type, rg, name }))],
    filters: { resourceGroup: "rg", target: "name" },
    request: requestForm,
    intentOf,
    // An incident in flight looks at all alerts of its target, so another report of it adds nothing.
    meets: () => ({ answer: "refused" }),
    signals: personalSignalNames,
    approvals,
    whyDisregarded: (events) => events.find((event) => event.kind === "Disregarded")?.what,
    summaryOf,
    summary: summarySchema,
    ended: endOf,
    ends: { results: Object.keys(results), reasons: Object.keys(endReasons) },
  },
  messages: { messageOf, isNoteworthy, notificationOf },
  telemetry,
};
