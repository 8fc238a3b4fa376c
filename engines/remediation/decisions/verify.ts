// What was done → whether it worked. Only rows since the action count: the alert stays fired for its look-back window,
// and a request that succeeded proves nothing about the symptom. Too few rows are a third result.
import { after, duration } from "../../time.ts";
import { canUndo, changesWorld } from "../runbooks.ts";
import type { EndReason, GuardName, RemediationDecision, RemediationState, Rows, Verification } from "../vocabulary.ts";
import { callPerson, finish } from "./end.ts";

/** Concludes from a runbook's answer. Diagnostics and drills have nothing to verify. */
export function concludeAction(state: RemediationState): readonly RemediationDecision[] {
  const { action, incident, asked } = state;
  const { receipt, runbook } = action!;
  const message = receipt!.message;
  if (asked === "stop") return [finish("stopped", "stopped-by-signal", `stopped after the action: ${message}`)];
  if (incident!.origin === "drill") return [finish("drilled", "drill", `drill: nothing was changed; ${message}`)];
  return changesWorld(runbook) ? [] : leaveRung(state, message);
}

/** Concludes from the rows since the action. */
export function concludeRows(state: RemediationState): readonly RemediationDecision[] {
  const { verification } = state.policy!;
  const found = judgeRows(state, verification);
  if (found === undefined) return [];
  const { result, message } = found;
  const judged: RemediationDecision = { kind: "Judged", result, message };
  if (result === "worked")
    return [judged, finish("repaired", "verified", `${state.action!.runbook} worked: ${message}`)];
  return result === "not-verified" ? [judged, ...callPerson(state, "not-verified", message)] : failed(state, message);
}

/** How many windows late rows may be before the wait for them ends. */
const lateWindowsMax = 2;

function judgeRows(
  { rows, action, now }: RemediationState,
  verification: Verification,
): { readonly result: "worked" | "did-not" | "not-verified"; readonly message: string } | undefined {
  const { delaySeconds, windowSeconds, samplesMin, badPercentMax } = verification;
  const until = after(action!.actedAt, delaySeconds + windowSeconds);
  if ((rows?.to ?? 0) < until) {
    if (now < after(until, lateWindowsMax * windowSeconds)) return undefined;
    return { result: "not-verified", message: `no rows for the ${duration(windowSeconds)} after the action arrived` };
  }
  const { samples, bad } = rows!;
  const message = describeRows(rows!, verification);
  if (samples < samplesMin) return { result: "not-verified", message: `${message}; ${samplesMin} are needed` };
  return { result: bad * 100 > samples * badPercentMax ? "did-not" : "worked", message };
}

const nouns = { requests: "requests", restarts: "looks at replicas", "blocked-sessions": "looks at sessions" } as const;

const describeRows = ({ samples, bad }: Rows, { measure, windowSeconds, badPercentMax }: Verification): string =>
  `${bad} of ${samples} ${nouns[measure]} within ${duration(windowSeconds)} after the action show the symptom ` +
  `(at most ${badPercentMax} percent may)`;

/** An action that did not help is undone if it can be, and the next rung is tried. */
export function failed(state: RemediationState, message: string): readonly RemediationDecision[] {
  const judged: RemediationDecision = { kind: "Judged", result: "did-not", message };
  const { receipt } = state.action!;
  const rung = state.policy!.ladder[state.rung]!;
  return canUndo(rung) && receipt?.undo !== undefined
    ? [judged, { kind: "UndoBegun", message: `it did not help, so it is undone: ${message}` }]
    : [judged, ...leaveRung(withEnded(state), message)];
}

/** The state that already holds the judgement, for the evidence of a person who is called in the same breath. */
export const withEnded = (state: RemediationState): RemediationState => ({
  ...state,
  ended: [...state.ended, { action: state.action!, endedAt: state.now, worked: false }],
});

/** Leaves the present rung for the next one. After the last one a person is called. */
export function leaveRung(state: RemediationState, message: string, guard?: GuardName): readonly RemediationDecision[] {
  const { ladder } = state.policy!;
  const { runbook } = ladder[state.rung]!;
  const left: RemediationDecision = {
    kind: "RungLeft",
    rung: state.rung,
    runbook,
    ...(guard === undefined ? {} : { guard }),
    message,
  };
  if (state.rung + 1 < ladder.length) return [left];
  return [left, ...callPerson(state, ...whyExhausted(state, message, guard))];
}

/** Gives why the ladder ends in a call: for programs, then for people. */
function whyExhausted(
  { policy, rung, leftBy }: RemediationState,
  message: string,
  guard: GuardName | undefined,
): readonly [EndReason, string] {
  const isDiagnosis = !changesWorld(policy!.ladder[rung]!.runbook);
  if (guard === "breaker" || (isDiagnosis && leftBy === "breaker"))
    return ["circuit-open", isDiagnosis ? `a circuit is open; ${message}` : message];
  return [
    "ladder-exhausted",
    isDiagnosis ? `a person must look; ${message}` : `nothing on the ladder helped; ${message}`,
  ];
}
