// State + fact → state. Total: every fact ever written can be folded for ever, in any state. Nothing is decided here; a
// fact only moves the state to the phase in which the next effect is missing.
import { after, type Instant } from "../time.ts";
import { needed } from "./old-role.ts";
import { canClose, goal, isFirst, isLeaked, missingPhase, nextConsumer } from "./progress.ts";
import type { Phase, RotationEvent, RotationState, Slot } from "./vocabulary.ts";

/** Adds one fact to the state. */
export function evolve(before: RotationState, event: RotationEvent): RotationState {
  const state = { ...before, now: Math.max(before.now, event.at) };
  switch (event.kind) {
    case "Requested":
      return enter({ ...state, intent: event.intent, startedAt: state.now }, "inspecting");
    case "Inspected":
      return { ...settled(state), declaration: event.view.declaration };
    case "Started":
      return advance({
        ...state,
        begun: true,
        waiting: undefined,
        ...begun(event),
        readersFrom: watchedFrom(state, event),
      });
    case "VersionMade":
      return made(state, event);
    case "VerifierSet":
      return enter(state, "proving");
    case "Probed":
      return probed(state, event.login);
    case "VersionRejected":
      return enter({ ...state, versionsRejected: state.versionsRejected + 1, proofFailures: 0 }, "making");
    case "Proven":
      return proven(state);
    case "RolloutRequested":
      return enter({ ...state, rollout: event.stream, rollouts: state.rollouts + 1, waiting: undefined }, "awaiting");
    case "RolloutEnded":
      return ended(state, event.result);
    case "Adopted":
      return advance(state);
    case "Published":
      return published(state, event.slot);
    case "ReadersSeen":
      return readers(state, event);
    case "ReadersQuiet":
      return enter({ ...state, waiting: undefined }, "draining");
    case "SessionsDrained":
      return drained({ ...state, waiting: undefined });
    case "SessionsEnded":
      return isLeaked(state) ? renew(state) : drained({ ...state, sessions: 0 });
    case "LoginSet":
      return loginSet(state, event.login);
    case "ReaderFound":
      return enter({ ...state, readersFrom: event.seenAt, waiting: undefined }, state.login ? "quieting" : "opening");
    case "GraceOver":
      return renew(state);
    case "SecretMoved":
      return { ...settled(state), moved: state.moved + 1 };
    case "Waiting":
      return { ...state, waiting: event.reason, ...(event.until === undefined ? {} : { retryAt: event.until }) };
    case "Waited":
    case "Disregarded":
      return state;
    case "AttemptFailed":
      return afterFailure(failed(state, restSeconds(state, event)));
    case "Signalled":
      return signalled(state, event);
    case "Finished":
      return {
        ...enter(state, "finished"),
        ending: { result: event.result, reason: event.reason, message: event.message },
      };
  }
}

/** Forgets the failures of an effect that has succeeded. */
const settled = (state: RotationState): RotationState => ({ ...state, failures: 0, retryAt: 0 });

const enter = (state: RotationState, phase: Phase): RotationState => ({
  ...settled(state),
  phase,
  phaseAt: state.now,
  readersSince: phase === "quieting" && state.readersSince === 0 ? state.now : state.readersSince,
  readAt: 0,
});

/** Goes to the phase in which the next thing is missing. */
function advance(state: RotationState): RotationState {
  const phase = missingPhase(state);
  const next = enter(state, phase);
  return phase === "cutting" ? { ...next, cutOver: { consumer: nextConsumer(state), slot: goal(state) } } : next;
}

const begun = ({ live, old, published: now, consumers, login }: Extract<RotationEvent, { kind: "Started" }>) => ({
  live,
  old,
  published: now,
  consumers,
  login,
});

/** A publication whose answer was lost shows when another attempt begins. Its readers are watched from then on. */
const watchedFrom = (state: RotationState, event: Extract<RotationEvent, { kind: "Started" }>): Instant =>
  event.published !== event.live && state.readersFrom === 0 ? state.now : state.readersFrom;

function made(
  state: RotationState,
  { slot, version, generation }: Extract<RotationEvent, { kind: "VersionMade" }>,
): RotationState {
  const field = slot === state.live ? "renewed" : "made";
  const madeAt = slot === state.live ? state.madeAt : state.now;
  return enter({ ...state, [field]: version, generation, madeAt, proven: false, proofFailures: 0 }, "setting");
}

/** Counts a login that was refused; the rest before the next one doubles. */
const probed = (state: RotationState, login: boolean): RotationState =>
  login ? { ...settled(state), proofFailures: 0 } : { ...failed(state), proofFailures: state.proofFailures + 1 };

const proven = (state: RotationState): RotationState =>
  state.renewing ? enter({ ...state, login: true, moved: 0 }, "moving") : advance({ ...state, proven: true });

/** Hears the end of a consumer's rollout. If a return was asked for meanwhile, it begins now. */
function ended(state: RotationState, result: string): RotationState {
  const { cutOver, consumers } = state;
  if (cutOver === undefined) return settled(state);
  const now = consumers.map((slot, index) =>
    index === cutOver.consumer && result === "promoted" ? cutOver.slot : slot,
  );
  const heard = { ...settled(state), consumers: now };
  return cutOver.slot === goal(state) ? heard : advance(heard);
}

/** Readers of the old version are watched from now on. A first version has none, so the other slot is filled. */
function published(state: RotationState, slot: Slot): RotationState {
  const next = { ...state, published: slot, readersFrom: state.now, lastLogin: undefined, readersTo: 0 };
  return isFirst(state) ? renew(next) : advance(next);
}

function readers(
  state: RotationState,
  { logins, sessions, to, alive }: Extract<RotationEvent, { kind: "ReadersSeen" }>,
): RotationState {
  const seen = [...(state.lastLogin === undefined ? [] : [state.lastLogin]), ...logins];
  return {
    ...settled(state),
    readAt: state.now,
    readersTo: Math.max(state.readersTo, to),
    logAlive: alive,
    sessions,
    lastLogin: seen.reduce<RotationState["lastLogin"]>(
      (last, login) => (last === undefined || login.at > last.at ? login : last),
      undefined,
    ),
  };
}

/** The role of the old slot was closed, or opened again; its readers are watched anew. */
function loginSet(state: RotationState, login: boolean): RotationState {
  const watched = { ...state, login, opensNext: false, lastLogin: undefined, readersTo: 0 };
  if (login) return advance(watched);
  if (state.opensNext) return enter(watched, "opening");
  return enter({ ...watched, readersFrom: state.now }, isLeaked(state) ? "draining" : "gracing");
}

/** Closes the old role; where nothing can be closed, what follows is that its slot is renewed. */
const drained = (state: RotationState): RotationState => (canClose(state) ? enter(state, "closing") : renew(state));

/** Begins to renew the old slot. */
const renew = (state: RotationState): RotationState =>
  enter({ ...state, renewing: true, proven: false, proofFailures: 0, versionsRejected: 0, sessions: 0 }, "making");

/** Gives how long to rest at least after a failed effect. Readers are watched no more often than planned. */
function restSeconds(
  { declaration }: RotationState,
  { effect, retryAfterSeconds = 0 }: Extract<RotationEvent, { kind: "AttemptFailed" }>,
): number {
  return effect === "ReadReaders"
    ? Math.max(retryAfterSeconds, declaration?.timings.intervalSeconds ?? 0)
    : retryAfterSeconds;
}

/** Counts a failure; the rest after it doubles from one second to half a minute, or is what the other side wants. */
const failed = (state: RotationState, askedSeconds = 0): RotationState => ({
  ...state,
  failures: state.failures + 1,
  retryAt: after(state.now, Math.max(askedSeconds, Math.min(30, 2 ** Math.min(state.failures, 5)))),
});

/** Turns to the return that was asked for while a write was under way, once that write has surely ended. */
function afterFailure(state: RotationState): RotationState {
  // It is not known whether the role was closed.
  if (state.phase === "closing" && (state.opensNext || state.direction === "back"))
    return { ...state, opensNext: false, phase: "opening", phaseAt: state.now };
  if (state.direction === "forward") return state;
  const isStale = state.phase === "cutting" && state.cutOver?.slot !== goal(state);
  return isStale ? advance(state) : state;
}

/** Phases with a write whose outcome must be heard before a return begins. */
const heardFirst: readonly Phase[] = ["cutting", "awaiting", "publishing", "closing", "opening"];

function signalled(
  state: RotationState,
  { signal, about = "" }: Extract<RotationEvent, { kind: "Signalled" }>,
): RotationState {
  switch (signal) {
    case "pause":
      return { ...state, paused: true, pausedAt: state.now };
    case "resume":
      return resume(state);
    case "retry":
      return again(state);
    case "open": {
      const next = needed(state, about);
      return next.phase === state.phase ? next : enter(next, next.phase);
    }
    case "back": {
      const back: RotationState = { ...resume(state), direction: "back", proven: false };
      if (state.phase === "finished") return again(back);
      const isResting = state.phase === "cutting" && state.now < state.retryAt;
      return !state.begun || (heardFirst.includes(state.phase) && !isResting) ? back : advance(back);
    }
  }
}

/** Begins another attempt with what is known. The credential is inspected first: others may have changed it. */
const again = (state: RotationState): RotationState =>
  enter(
    {
      ...resume(state),
      ending: undefined,
      attempt: state.attempt + 1,
      begun: false,
      proven: false,
      waiting: undefined,
      readersSince: 0,
      readersFrom: state.readersFrom === 0 ? 0 : state.now,
      lastLogin: undefined,
      proofFailures: 0,
      versionsRejected: 0,
    },
    "inspecting",
  );

/** Ends a pause. It counts towards no limit. */
function resume(state: RotationState): RotationState {
  if (!state.paused) return state;
  const length = state.now - state.pausedAt;
  return {
    ...state,
    paused: false,
    phaseAt: state.phaseAt + length,
    readersSince: state.readersSince === 0 ? 0 : state.readersSince + length,
  };
}
