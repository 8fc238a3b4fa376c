// State + fact → state. Total: every fact ever written can be folded for ever, in any state. Nothing is decided here; a
// fact only moves the state to the phase in which the next effect is missing.
import { after, type Instant } from "../time.ts";
import { changesWorld } from "./runbooks.ts";
import type { Action, Phase, RemediationEvent, RemediationState, Rows } from "./vocabulary.ts";

type Fact<Kind extends RemediationEvent["kind"]> = Extract<RemediationEvent, { kind: Kind }>;

/** Adds one fact to the state. */
export function evolve(before: RemediationState, event: RemediationEvent): RemediationState {
  const state = { ...before, now: Math.max(before.now, event.at) };
  switch (event.kind) {
    case "Reported":
      return { ...enter(state, "preparing"), incident: dated(event.incident, event.at), startedAt: state.now };
    case "PolicyLoaded":
      return { ...enter(state, "assessing"), policy: event.policy ?? undefined, graph: event.graph };
    case "Assessed":
      return { ...state, failures: 0, retryAt: 0, unread: unread(state, event) };
    case "Guarded":
    case "Disregarded":
      return state;
    case "Waited":
      return state.phase === "holding" ? enter(state, "assessing") : state;
    case "Held":
      return held(state, event);
    case "Reserved":
      return reserved(state, event);
    case "Yielded":
      return { ...enter(state, "assessing"), action: undefined };
    case "ApprovalAwaited":
      return { ...enter(state, "awaiting-approval"), held: undefined, retryAt: event.until };
    case "Cleared":
      return enter({ ...state, action: staged(state, "cleared"), held: undefined }, "acting");
    case "Acted":
      return acted(state, event);
    case "Followed":
      return event.end.good && state.phase === "following" ? verifyFrom(state) : state;
    case "Measured":
      return measured(state, event);
    case "Judged":
      return judged(state, event);
    case "HaltBegun":
      return enter(state, "halting");
    case "Halted":
      return halted(state, event);
    case "UndoBegun":
      return enter({ ...state, action: state.action && { ...state.action, undone: true } }, "undoing");
    case "Undone":
      return undone(state, event);
    case "RungLeft":
      return left(state, event);
    case "AttemptFailed":
      return failed(state, event.retryAfterSeconds);
    case "Signalled":
      return signalled(state, event);
    case "PersonTold":
    case "PersonCalled":
      return { ...state, told: [...state.told, event.message] };
    case "Finished":
      return {
        ...enter(state, "finished"),
        ending: { result: event.result, reason: event.reason, message: event.message },
      };
  }
}

/** A person's request has no moment of its own: it is as old as the journal. */
const dated = (incident: Fact<"Reported">["incident"], at: Instant): Fact<"Reported">["incident"] =>
  incident.origin === "alert" ? incident : { ...incident, alert: { ...incident.alert, firedAt: at } };

const enter = (state: RemediationState, phase: Phase): RemediationState => ({
  ...state,
  phase,
  phaseAt: state.now,
  failures: 0,
  retryAt: 0,
});

/** Looks while another guard holds do not count: the patience with reads begins when they are what is missing. */
function unread({ unread: before, held: by, now }: RemediationState, { situation }: Fact<"Assessed">) {
  if (situation.readiness.unread !== true) return undefined;
  return before === undefined || by !== "precondition"
    ? { since: now, times: 1 }
    : { ...before, times: before.times + 1 };
}

/** A hold keeps a reservation only if it says so by not having given it up. */
const held = (state: RemediationState, { guard, until }: Fact<"Held">): RemediationState =>
  state.phase === "checking"
    ? { ...state, held: guard, retryAt: until }
    : { ...enter(state, "holding"), held: guard, retryAt: until };

const reserved = (state: RemediationState, { rung, runbook, plan }: Fact<"Reserved">): RemediationState => ({
  ...enter(state, "checking"),
  held: undefined,
  action: {
    rung,
    runbook,
    plan,
    reservedAt: state.now,
    stage: "reserved",
    undone: false,
    actedAt: 0,
    receipt: undefined,
  },
});

const staged = ({ action }: RemediationState, stage: Action["stage"]): Action | undefined =>
  action && { ...action, stage };

function acted(state: RemediationState, { receipt }: Fact<"Acted">): RemediationState {
  const { action } = state;
  const done = { ...state, action: action && { ...action, stage: "acted" as const, receipt } };
  const evidence = [...state.evidence, ...(receipt.evidence ?? [])].slice(0, evidenceMax);
  return receipt.follow === undefined ? { ...verifyFrom(done), evidence } : { ...enter(done, "following"), evidence };
}

/** An action whose answer was lost has no receipt; what was found of it says what its undo needs. */
function halted(state: RemediationState, { end: { good, message, undo } }: Fact<"Halted">): RemediationState {
  const { action } = state;
  const receipt = action?.receipt ?? (undo === undefined ? undefined : { message, undo });
  const done = { ...state, failures: 0, action: action && { ...action, receipt } };
  return good && action?.undone === false ? verifyFrom(done) : done;
}

/** What an undo began is followed in the place of what the action began. */
function undone(state: RemediationState, { message, follow }: Fact<"Undone">): RemediationState {
  const { action } = state;
  if (follow === undefined || action === undefined) return { ...state, failures: 0 };
  const receipt = { message, ...action.receipt, follow };
  return enter({ ...state, action: { ...action, receipt } }, "following-undo");
}

/** A page that nobody can read to its end calls nobody. */
const evidenceMax = 50;

/** What an action did can be seen from this moment on. */
const verifyFrom = (state: RemediationState): RemediationState => ({
  ...enter(state, "verifying"),
  action: state.action && { ...state.action, stage: "acted", actedAt: state.now },
  rows: undefined,
  measuredAt: state.now,
});

const measured = (state: RemediationState, { samples, bad, to }: Rows): RemediationState => ({
  ...state,
  rows: { samples, bad, to },
  measuredAt: state.now,
  failures: 0,
  retryAt: 0,
});

function judged(state: RemediationState, { result }: Fact<"Judged">): RemediationState {
  const { action } = state;
  if (action === undefined) return state;
  const worked = result === "not-verified" ? null : result === "worked";
  return { ...state, ended: [...state.ended, { action, endedAt: state.now, worked }] };
}

/** A report that comes after a guard has made it leave a rung is no reason of its own. */
const left = (state: RemediationState, { rung, runbook, guard }: Fact<"RungLeft">): RemediationState => ({
  ...enter(state, "assessing"),
  rung: rung + 1,
  approved: false,
  held: undefined,
  unread: undefined,
  leftBy: guard ?? (changesWorld(runbook) ? undefined : state.leftBy),
  action: undefined,
});

/** Counts a failure; the rest after it doubles from one second to half a minute, or is what the other side asked. */
const failed = (state: RemediationState, askedSeconds = 0): RemediationState => ({
  ...state,
  failures: state.failures + 1,
  measuredAt: state.phase === "verifying" ? state.now : state.measuredAt,
  retryAt: after(state.now, Math.max(askedSeconds, Math.min(30, 2 ** Math.min(state.failures, 5)))),
});

function signalled(state: RemediationState, { signal }: Fact<"Signalled">): RemediationState {
  switch (signal) {
    case "approve":
      return { ...enter(state, "assessing"), approved: true };
    case "reject":
      return { ...state, asked: "reject" };
    case "stop":
      return { ...state, asked: "stop" };
    case "pause":
      return { ...state, paused: true, pausedAt: state.now };
    case "resume":
      return lookAgain({ ...state, paused: false });
    case "look":
      return lookAgain(state);
  }
}

/** Looks at the situation at once instead of waiting until the hold is over. */
const lookAgain = (state: RemediationState): RemediationState =>
  state.phase === "holding" ? enter(state, "assessing") : state;
