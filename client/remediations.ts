// The remediation as the control plane's callers see it: how it is named, requested, listed and signalled.
import type { AskedRemediation } from "../engines/remediation/intent.ts";
import type { RemediationSummary } from "../engines/remediation/summary.ts";
import type { Ending, PersonalSignal, RemediationEvent } from "../engines/remediation/vocabulary.ts";
import type { StreamKind } from "./streams.ts";

/** The types of remediations. */
export interface RemediationTypes {
  readonly part: "type" | "resourceGroup" | "name" | "incident";
  readonly summary: RemediationSummary;
  readonly body: Pick<AskedRemediation, "rule" | "message"> & Partial<AskedRemediation>;
  readonly filter: "resourceGroup" | "target";
  readonly event: RemediationEvent;
  readonly signal: PersonalSignal;
  readonly end: Ending;
}

/** Remediations, as callers address them. */
export const remediations: StreamKind<RemediationTypes> = {
  kind: "remediation",
  plural: "remediations",
  parts: ["type", "resourceGroup", "name", "incident"],
};
