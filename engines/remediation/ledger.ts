// A remediation → its actions, as the guards of other remediations see them. The journal is the only store of what was
// done, so the rails that span incidents survive every restart.
import { streamOf } from "./names.ts";
import type { Entry, RemediationState } from "./vocabulary.ts";

/** Gives the actions of a remediation. A drill changed nothing, so it uses up nothing. */
export function entriesOf(state: RemediationState): readonly Entry[] {
  const { incident, action, ended, ending, now } = state;
  if (incident === undefined || incident.origin === "drill") return [];
  const head = { stream: streamOf(incident), target: incident.target };
  const done = ended.map(({ action: { runbook, reservedAt: at }, endedAt, worked }) => ({
    ...head,
    runbook,
    stage: "ended" as const,
    at,
    endedAt,
    worked,
  }));
  if (action === undefined || done.some(({ at }) => at === action.reservedAt)) return done;
  // A remediation that was stopped after its action is over; whether it worked nobody knows.
  const isOver = ending !== undefined;
  if (isOver && action.stage === "reserved") return done;
  const present: Entry = {
    ...head,
    runbook: action.runbook,
    stage: isOver ? "ended" : action.stage,
    at: action.reservedAt,
    endedAt: isOver ? now : null,
    worked: null,
  };
  return [...done, present];
}
