// What a guard is: a pure look at the situation that lets the present rung pass, holds it, leaves it for the next one,
// or ends the remediation.
import type { Instant } from "../../time.ts";
import type { Limits } from "../policy.ts";
import type { EndReason, Incident, RemediationResult, RemediationState, Rung, Situation } from "../vocabulary.ts";

/** What a guard looks at. */
export interface Guarded {
  readonly state: RemediationState;
  readonly incident: Incident;
  readonly limits: Limits;
  readonly rung: Rung;
  /** Whether the rung changes the world. Diagnostics go on where anything else would be held. */
  readonly changes: boolean;
  readonly situation: Situation;
  readonly now: Instant;
}

/** What a guard found. */
export type Finding =
  | { readonly verdict: "pass"; readonly message: string }
  /** `keeps` says that a reservation is kept meanwhile. */
  | { readonly verdict: "hold"; readonly message: string; readonly until: Instant; readonly keeps?: true }
  | { readonly verdict: "leave"; readonly message: string }
  | {
      readonly verdict: "end";
      readonly message: string;
      readonly result: RemediationResult;
      readonly reason: EndReason;
    };

export type Guard = (guarded: Guarded) => Finding;

/** How often a situation is looked at again that changes at no known moment. */
export const lookSeconds = 60;

export const pass = (message: string): Finding => ({ verdict: "pass", message });
export const hold = (until: Instant, message: string): Finding => ({ verdict: "hold", until, message });
export const end = (result: RemediationResult, reason: EndReason, message: string): Finding => ({
  verdict: "end",
  result,
  reason,
  message,
});
