// State → the next effect. Level-triggered: after a crash, fold the journal and ask here again. There is no clock; the
// time is that of the latest observation.
import { dueOf } from "../engine.ts";
import { after, type Instant } from "../time.ts";
import { streamOf } from "./names.ts";
import { runbookOf } from "./runbooks.ts";
import type { Action, Policy, RemediationEffect, RemediationState } from "./vocabulary.ts";

/** Names the one effect that is missing now; `undefined` means finished. */
export function react(state: RemediationState): RemediationEffect | undefined {
  const { incident, policy, phase, now, retryAt } = state;
  if (incident === undefined || phase === "waiting-for-request" || phase === "finished") return undefined;
  if (now < retryAt) return { kind: "Wait", until: retryAt };
  if (policy === undefined) return { kind: "LoadPolicy", rule: incident.alert.rule, target: incident.target };
  const { target } = incident;
  const rung = policy.ladder[state.rung]!;
  const { action } = state;
  switch (phase) {
    case "preparing":
    case "awaiting-approval":
    case "holding":
      return { kind: "Wait", until: retryAt };
    case "assessing":
    case "checking":
      return { kind: "Assess", incident, rung, since: after(now, -lookBackSeconds(policy)) };
    case "acting":
      return {
        kind: "Act",
        target,
        rung,
        key: keyOf(state, action!),
        since: action!.reservedAt,
        drill: incident.origin === "drill",
        incident,
      };
    case "following":
    case "following-undo":
      return { kind: "Follow", target, rung, follow: action!.receipt!.follow!, until: followedUntil(state) };
    case "verifying":
      return measureOrWait(state, policy, action!);
    case "halting":
      return {
        kind: "Halt",
        target,
        rung,
        key: action!.undone ? undoKeyOf(state, action!) : keyOf(state, action!),
        since: action!.reservedAt,
        follow: action!.receipt?.follow,
      };
    case "undoing":
      return {
        kind: "Undo",
        target,
        rung,
        key: undoKeyOf(state, action!),
        since: state.phaseAt,
        undo: action!.receipt?.undo ?? "",
        incident,
      };
  }
}

/** How far back the guards look. */
const lookBackSeconds = ({ limits }: Policy): number =>
  Math.max(limits.periodSeconds, limits.breakerSeconds, limits.cooldownSeconds, limits.flapSeconds) +
  limits.recurrenceSeconds;

/** Names an action for all time: a ladder has each rung once, but a rung that was given up may be reserved again. */
const keyOf = ({ incident }: RemediationState, { rung, reservedAt }: Action): string =>
  `${streamOf(incident!)}#${rung}@${reservedAt}`;

const undoKeyOf = (state: RemediationState, action: Action): string => `${keyOf(state, action)}-undo`;

/** Gives until when the end of what a runbook began is waited for. */
export const followedUntil = ({ phaseAt, action }: RemediationState): Instant =>
  after(phaseAt, runbookOf(action!.runbook).limitSeconds);

/** Rows since the action are read at each interval, the first time after a whole one. */
function measureOrWait(
  { now, measuredAt, incident }: RemediationState,
  { verification }: Policy,
  { actedAt }: Action,
): RemediationEffect {
  const at = after(measuredAt, verification.intervalSeconds);
  return at <= now
    ? {
        kind: "Measure",
        target: incident!.target,
        measure: verification.measure,
        from: after(actedAt, verification.delaySeconds),
      }
    : { kind: "Wait", until: at };
}

/** Gives when the loop must act next; undefined for a remediation that has finished. */
export const dueAt = (state: RemediationState): Instant | undefined => dueOf(react(state), state.now);
