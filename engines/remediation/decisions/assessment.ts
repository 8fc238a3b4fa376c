// The situation → whether the present rung is reserved, cleared, held, left, or the remediation ends. Every guard is
// asked twice: before the action is reserved, and again once other remediations can see the reservation.
import { after, duration, secondsBetween } from "../../time.ts";
import { check } from "../guards/table.ts";
import { changesWorld } from "../runbooks.ts";
import type { RemediationDecision, RemediationState, Situation } from "../vocabulary.ts";
import { callPerson, finish } from "./end.ts";
import { leaveRung } from "./verify.ts";

/** Concludes from what the guards find. */
export function concludeAssessment(state: RemediationState, situation: Situation): readonly RemediationDecision[] {
  const { all, first } = check(state, situation);
  const { runbook } = state.policy!.ladder[state.rung]!;
  const guarded: RemediationDecision = {
    kind: "Guarded",
    rung: state.rung,
    runbook,
    checked: all.map(({ guard, finding }) => ({ guard, passes: finding.verdict === "pass", message: finding.message })),
  };
  return [guarded, ...tellOnce(state, situation), ...follow(state, situation, first)];
}

function follow(
  state: RemediationState,
  situation: Situation,
  first: ReturnType<typeof check>["first"],
): readonly RemediationDecision[] {
  if (first === undefined) return state.phase === "checking" ? clear(state) : proceed(state, situation);
  const { guard, finding } = first;
  const { message } = finding;
  switch (finding.verdict) {
    case "end":
      return finding.result === "person-called"
        ? callPerson(state, finding.reason, message)
        : [finish(finding.result, finding.reason, message)];
    case "leave":
      return leaveRung(state, message, guard);
    case "hold": {
      const late = overdue(state, `${guard}: ${message}`);
      if (late.length > 0) return late;
      const held: RemediationDecision = { kind: "Held", guard, until: finding.until, message };
      return state.phase === "checking" && !finding.keeps ? [{ kind: "Yielded", guard, message }, held] : [held];
    }
    case "pass":
      return [];
  }
}

/** The situation was seen once; an action that a person must approve waits, and any other is reserved. */
function proceed(state: RemediationState, { readiness }: Situation): readonly RemediationDecision[] {
  const { policy, rung, now, approved } = state;
  const { runbook, approval } = policy!.ladder[rung]!;
  const { approvalSeconds } = policy!.limits;
  if (approval === "needed" && !approved)
    return [
      {
        kind: "ApprovalAwaited",
        runbook,
        until: after(now, approvalSeconds),
        message: `a person must approve within ${duration(approvalSeconds)}: ${readiness.plan}`,
      },
    ];
  return [{ kind: "Reserved", rung, runbook, plan: readiness.plan }];
}

const clear = ({ rung, policy }: RemediationState): readonly RemediationDecision[] => [
  { kind: "Cleared", rung, runbook: policy!.ladder[rung]!.runbook },
];

/** Ends an incident that has taken too long, whatever it waits for. */
function overdue(state: RemediationState, why: string): readonly RemediationDecision[] {
  const { maximumSeconds } = state.policy!.limits;
  return secondsBetween(state.startedAt, state.now) > maximumSeconds
    ? callPerson(state, "time-expired", `nothing could be done within ${duration(maximumSeconds)}; ${why}`)
    : [];
}

/**
 * Tells a person once of what cannot wait for the end: the error budget is used up, or a critical alert has fired on
 * the same target, whose own incident waits until this one has ended. The remediation goes on.
 */
function tellOnce(
  state: RemediationState,
  { budgetLeftPercent: left, alerts }: Situation,
): readonly RemediationDecision[] {
  const { target, alert } = state.incident!;
  const critical = (alerts ?? [])
    .filter((each) => each.severity === 0 && each.resolvedAt === null && each.target === target && each.id !== alert.id)
    .map(({ rule }) => `critical: the rule ${rule} fired too; a remediation is in progress`)
    .find((message) => !state.told.includes(message));
  if (critical !== undefined) return [{ kind: "PersonTold", message: critical }];
  const isGone =
    state.told.length === 0 && left !== null && left <= 0 && changesWorld(state.policy!.ladder[state.rung]!.runbook);
  return isGone ? [{ kind: "PersonTold", message: "the error budget is used up; a remediation is in progress" }] : [];
}
