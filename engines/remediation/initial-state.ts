// The state of a remediation before its first fact.
import type { RemediationState } from "./vocabulary.ts";

export const initialState: RemediationState = {
  phase: "waiting-for-request",
  incident: undefined,
  policy: undefined,
  graph: [],
  now: 0,
  startedAt: 0,
  phaseAt: 0,
  rung: 0,
  approved: false,
  held: undefined,
  leftBy: undefined,
  retryAt: 0,
  failures: 0,
  action: undefined,
  ended: [],
  measuredAt: 0,
  unread: undefined,
  rows: undefined,
  paused: false,
  pausedAt: 0,
  asked: undefined,
  told: [],
  evidence: [],
  ending: undefined,
};
