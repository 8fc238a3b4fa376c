// The decisions that end a remediation: by itself, or by calling a person with the evidence.
import type { EndReason, RemediationDecision, RemediationResult, RemediationState } from "../vocabulary.ts";

export const finish = (result: RemediationResult, reason: EndReason, message: string): RemediationDecision => ({
  kind: "Finished",
  result,
  reason,
  message,
});

/** Calls a person with everything that was collected, and ends. A drill says that it is one. */
export function callPerson(
  { evidence, incident, ended }: RemediationState,
  reason: EndReason,
  why: string,
): readonly RemediationDecision[] {
  const message = incident?.origin === "drill" ? `drill: ${why}` : why;
  const tried = ended.map(({ action, worked }) => `${action.runbook}: ${describeResult(worked)}`);
  return [
    { kind: "PersonCalled", reason, message, evidence: [...tried, ...evidence] },
    finish("person-called", reason, message),
  ];
}

/** Describes what an action was found to have done. */
export function describeResult(worked: boolean | null): string {
  if (worked === null) return "not verified";
  return worked ? "worked" : "did not help";
}
