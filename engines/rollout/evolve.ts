// State + fact → state. Total: every fact that was ever written folds for ever, whatever the state it meets. Nothing is
// decided here; a fact only moves the state to the phase in which the next thing is missing.
import { after, type Instant, secondsBetween } from "../time.ts";
import type { Evidence } from "./judge/evidence.ts";
import { beginStep, gather, noEvidence } from "./judge/gather.ts";
import type {
  AppView,
  Bin,
  Labels,
  Landing,
  Limits,
  Phase,
  ReleaseIntent,
  RolloutEffect,
  RolloutEvent,
  RolloutResult,
  RolloutState,
  SignalName,
  Tally,
  Weight,
} from "./vocabulary.ts";

export const initial: RolloutState = {
  phase: "waiting-for-request",
  intent: undefined,
  steps: [],
  step: 0,
  adopted: undefined,
  moved: undefined,
  stable: null,
  inspected: false,
  sleepers: [],
  touched: false,
  now: 0,
  startedAt: 0,
  phaseAt: 0,
  watchedFrom: 0,
  warmFrom: 0,
  warmUntil: 0,
  measuredTo: 0,
  measuredAt: 0,
  probedAt: 0,
  readAt: 0,
  probeFailures: 0,
  evidence: noEvidence,
  shadow: undefined,
  paused: false,
  pausedAt: 0,
  pausedSeconds: 0,
  awaitedAt: 0,
  approved: false,
  held: undefined,
  failures: 0,
  retireFailures: 0,
  retryAt: 0,
  doubtUntil: 0,
  promoted: false,
  superseded: false,
  ending: undefined,
  attempt: 1,
};

/** Adds one fact to the state. */
export function evolve(before: RolloutState, event: RolloutEvent): RolloutState {
  const at = Math.max(before.now, event.at);
  const state = { ...before, now: at };
  switch (event.kind) {
    case "Planned":
      return enter(
        { ...state, intent: event.intent, steps: event.steps, startedAt: at, shadow: shadowOf(event.intent) },
        "inspecting",
      );
    case "Inspected":
      return inspect(state, event.view);
    case "Started":
      return begin(
        { ...state, stable: event.stable, step: event.stable === null || state.promoted ? state.steps.length - 1 : 0 },
        event.activate,
      );
    case "FoundEqual":
      return enter(
        { ...state, stable: event.stable, ending: { result: "equal", sentence: event.sentence } },
        event.untouched ? "retiring" : "reverting",
      );
    case "Activated":
      return enter(state, "smoking");
    case "Probed":
      return {
        ...state,
        probedAt: at,
        probeFailures: event.good ? 0 : state.probeFailures + 1,
        failures: 0,
        retryAt: 0,
      };
    case "SmokePassed":
      return enter(state, "shifting");
    case "TrafficShifted":
      return shifted(doubt(state, event.mayLand), event.weights);
    case "TrafficRead":
      return {
        ...state,
        readAt: at,
        retryAt: state.phase === "confirming" ? lookAgainAt(state, event.heldUntil) : 0,
        moved: sameWeights(event.weights, wanted(state)) && event.deactivated === undefined ? undefined : state.moved,
      };
    case "StepReached":
      return state.ending === undefined ? reach(state) : retire(state);
    case "TrafficDrifted":
      return {
        ...fail(state),
        phase: state.phase === "confirming" ? "reverting" : "shifting",
        phaseAt: at,
        warmFrom: at,
      };
    case "TrafficMoved":
      return { ...state, moved: event.seenPercent };
    case "TrafficAdopted":
      return adopt(state, event.percent);
    case "Waited":
      return state;
    case "Measured":
      return weigh(state, event.bins, event.to);
    case "Held":
      return {
        ...state,
        held: event.reason,
        awaitedAt: event.reason === "unapproved" && state.awaitedAt === 0 ? at : state.awaitedAt,
      };
    case "ShadowJudged":
      return { ...state, shadow: state.shadow && { ...state.shadow, heard: heard(event) } };
    case "StepPassed":
      return pass(state, event.percent, event.sentence);
    case "Aborted":
      return abort(state, event.sentence);
    case "Reverted":
      return retire(state);
    case "Deactivated":
      return { ...state, failures: 0 };
    case "AttemptFailed":
      return failed(doubt(state, event.mayLand), event.effect);
    case "Signalled":
      return signalled(state, event.signal);
    case "Disregarded":
      return state;
    case "Finished":
      return { ...enter(state, "finished"), ending: { result: event.result, sentence: event.sentence } };
  }
}

/** Names the weights that the app should show in the present phase: the step's split, or everything to stable. */
export function wanted(state: RolloutState): readonly Weight[] {
  const canary = state.intent?.revision ?? "";
  if (state.ending !== undefined && state.ending.result !== "promoted")
    return state.stable === null ? [] : [{ revision: state.stable, percent: 100 }];
  const percent = percentOf(state);
  if (state.stable === null || percent === 100) return [{ revision: canary, percent: 100 }];
  return [
    { revision: state.stable, percent: 100 - percent },
    { revision: canary, percent },
  ];
}

/** Says which revisions should have our labels in the present phase. */
export function wantedLabels({ stable, intent, ending }: RolloutState): Labels {
  const canary = intent?.revision ?? "";
  if (stable === null || ending?.result === "promoted") return { stable: canary };
  return ending === undefined ? { stable, canary } : { stable };
}

/** Gives the canary's percentage in the present step: the plan's, or the one that somebody else gave it and that was adopted. */
export const percentOf = (state: RolloutState): number => state.adopted ?? state.steps[state.step] ?? 100;

/** Says whether two lists give the same share to each revision, in whatever order, zero weights aside. */
export function sameWeights(a: readonly Weight[], b: readonly Weight[]): boolean {
  const canonical = (weights: readonly Weight[]) =>
    weights
      .filter(({ percent }) => percent > 0)
      .map(({ revision, percent }) => `${revision.toLowerCase()}=${percent}`)
      .sort()
      .join();
  return canonical(a) === canonical(b);
}

/** Gives a revision's share; undefined where it is not in the list. */
export const shareOf = (weights: readonly Weight[], revision: string): number | undefined =>
  weights.find((weight) => sameName(weight.revision, revision))?.percent;

/** Azure does not tell upper from lower case. */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const enter = (state: RolloutState, phase: Phase): RolloutState => ({
  ...state,
  phase,
  phaseAt: state.now,
  failures: 0,
  retryAt: 0,
  warmFrom: phase === "shifting" ? state.now : state.warmFrom,
});

/** So many ticks before its first step stable is looked at. */
const lookBackTicks = 60;

/** What comes after the weights of a phase have been written. */
function shifted(state: RolloutState, weights: readonly Weight[]): RolloutState {
  if (!sameWeights(weights, wanted(state))) return state;
  return state.phase === "settling"
    ? retire(state)
    : { ...state, phase: state.phase === "reverting" ? "confirming" : "verifying", phaseAt: state.now };
}

/** Goes on to take the loser away; while a write may still land that would give it users again, the weights are read back first. */
const retire = (state: RolloutState): RolloutState => ({
  ...state,
  phase: state.doubtUntil > state.now ? "confirming" : "retiring",
  phaseAt: state.now,
});

/** Remembers a write that may land late, unless it is of the very weights that the end wants. */
const doubt = (state: RolloutState, landing?: Landing): RolloutState =>
  landing === undefined || (state.ending !== undefined && sameWeights(landing.weights, wanted(state)))
    ? state
    : { ...state, doubtUntil: Math.max(state.doubtUntil, landing.until) };

/** When weights that are right are to be looked at again, before they count: after a hold, and at each tick while a write may still land. */
const lookAgainAt = ({ now, doubtUntil, intent }: RolloutState, heldUntil: Instant = 0): Instant =>
  Math.max(heldUntil, Math.min(doubtUntil, after(now, intent?.pace.tickSeconds ?? 60)));

const inspect = (state: RolloutState, { weights, revisions }: AppView): RolloutState => ({
  ...state,
  failures: 0,
  inspected: true,
  touched: state.touched || (shareOf(weights, state.intent!.revision) ?? 0) > 0,
  sleepers: revisions.filter(({ minReplicas }) => minReplicas === 0).map(({ name }) => name),
});

/** A rollout that was aborted before it had seen the app learns here who serves, and gives the traffic back where some has moved. */
function begin(state: RolloutState, activate: boolean): RolloutState {
  if (state.ending === undefined) return enter(state, activate ? "activating" : "smoking");
  const untouched = !state.touched || state.stable === null;
  return enter(
    { ...state, ending: { ...state.ending, result: untouched ? state.ending.result : "rolled-back" } },
    untouched ? "retiring" : "reverting",
  );
}

/** Goes to the first step that gives the canary more than it has; after the last one it is promoted. */
function pass(state: RolloutState, percent: number, sentence: string): RolloutState {
  const step = state.steps.findIndex((next) => next > percent);
  if (step !== -1) return enter({ ...state, step, adopted: undefined, held: undefined }, "shifting");
  return enter({ ...state, ending: { result: "promoted", sentence } }, state.stable === null ? "retiring" : "settling");
}

/** Goes on from the percentage that somebody else gave the canary: its watch begins anew, at the last step that gives no more than that. */
function adopt(state: RolloutState, percent: number): RolloutState {
  const step = Math.max(
    0,
    state.steps.findLastIndex((planned) => planned <= percent),
  );
  return reach({ ...state, step, warmFrom: state.now, adopted: state.steps[step] === percent ? undefined : percent });
}

/** The pause after a failure doubles from a second to half a minute. */
const fail = (state: RolloutState): RolloutState => ({
  ...state,
  failures: state.failures + 1,
  retryAt: after(state.now, Math.min(30, 2 ** Math.min(state.failures, 5))),
});

/**
 * Counts a failure. While baking, what failed is due again at its next turn, and the rest goes on meanwhile. A revision that
 * cannot be taken away may have traffic again, so the weights are looked at before it is tried once more.
 */
function failed(state: RolloutState, effect: RolloutEffect["kind"]): RolloutState {
  if (state.phase === "baking")
    return {
      ...state,
      failures: state.failures + 1,
      [effect === "Probe" ? "probedAt" : effect === "Measure" ? "measuredAt" : "readAt"]: state.now,
    };
  return state.phase === "retiring"
    ? { ...fail(state), phase: "confirming", retireFailures: state.retireFailures + 1 }
    : fail(state);
}

/**
 * Begins a step's watch: warm-up to the next whole tick, then a clean sheet for what the step must show.
 *
 * Requests are measured without a gap: bins of the step before that came late are still judged, and before the first step stable
 * is looked at for an hour of ticks, so that it is known what is usual.
 */
function reach(state: RolloutState): RolloutState {
  const tick = (state.intent?.pace.tickSeconds ?? 60) * 1000;
  const warmUntil: Instant = Math.ceil(after(state.now, state.intent?.pace.warmUpSeconds ?? 0) / tick) * tick;
  const isFirst = state.measuredTo === 0;
  const begin = (evidence: Evidence) => beginStep(evidence, state.step, state.steps.length - 1);
  return {
    ...enter(state, "baking"),
    moved: undefined,
    warmUntil,
    ...(isFirst
      ? { watchedFrom: state.warmFrom, measuredTo: Math.floor(state.now / tick - lookBackTicks) * tick }
      : {}),
    measuredAt: state.now,
    probedAt: state.now,
    readAt: state.now,
    probeFailures: 0,
    held: undefined,
    evidence: begin(state.evidence),
    shadow: state.shadow && { ...state.shadow, evidence: begin(state.shadow.evidence) },
  };
}

/** Hands bins to the judge, and to the one in the shadow. A bin that was measured before is passed over. */
function weigh(state: RolloutState, bins: readonly Bin[], to: Instant): RolloutState {
  const { warmFrom, warmUntil, watchedFrom, intent } = state;
  const fresh = bins
    .filter(({ at }) => at >= state.measuredTo)
    .map((bin) => (bin.at < watchedFrom ? { ...bin, canary: noRequests } : bin));
  const add = (evidence: Evidence, limits: Limits) =>
    gather(evidence, fresh, {
      limits,
      percent: percentOf(state),
      tickSeconds: intent!.pace.tickSeconds,
      warmFrom,
      warmUntil,
    });
  return {
    ...state,
    measuredAt: state.now,
    measuredTo: Math.max(state.measuredTo, to),
    failures: 0,
    retryAt: 0,
    evidence: add(state.evidence, intent!.limits),
    shadow: state.shadow && { ...state.shadow, evidence: add(state.shadow.evidence, intent!.shadow!) },
  };
}

/** A judge in the shadow that has heard nothing yet; none where the release asks for none. */
const shadowOf = ({ shadow }: ReleaseIntent): RolloutState["shadow"] => shadow && { evidence: noEvidence, heard: "" };

const noRequests: Tally = { requests: 0, failed: 0 };

/** What a judge in the shadow said last; it is heard again only when that changes. */
export const heard = ({ verdict, reason = "" }: { readonly verdict: string; readonly reason?: string }): string =>
  `${verdict} ${reason}`;

/**
 * A canary that never had a share of the traffic is rejected; once a shift may have been sent, the traffic is given back and read back.
 * Before the app was seen nobody knows who serves, so it is looked at first.
 */
function abort(state: RolloutState, sentence: string): RolloutState {
  const untouched = !state.touched && ["inspecting", "activating", "smoking"].includes(state.phase);
  const result: RolloutResult = untouched ? "rejected" : "rolled-back";
  const next =
    state.phase === "inspecting" && !state.inspected
      ? "inspecting"
      : untouched || state.stable === null
        ? "retiring"
        : "reverting";
  return enter({ ...resume(state), ending: { result, sentence } }, next);
}

/** A pause at the gate does not count there either. */
function resume(state: RolloutState): RolloutState {
  if (!state.paused) return state;
  const { pausedAt, now, awaitedAt, pausedSeconds } = state;
  return {
    ...state,
    paused: false,
    pausedSeconds: pausedSeconds + secondsBetween(pausedAt, now),
    awaitedAt: awaitedAt === 0 ? 0 : awaitedAt + now - pausedAt,
  };
}

/** Goes through the gate: the time before it was a person's, and counts as a pause does. */
const approve = (state: RolloutState): RolloutState => ({
  ...state,
  approved: true,
  held: undefined,
  pausedSeconds:
    state.pausedSeconds +
    (state.awaitedAt === 0 ? 0 : secondsBetween(state.awaitedAt, state.paused ? state.pausedAt : state.now)),
  awaitedAt: 0,
});

function signalled(state: RolloutState, signal: SignalName): RolloutState {
  switch (signal) {
    case "pause":
      return { ...state, paused: true, pausedAt: state.now };
    case "resume":
      return resume(state);
    case "approve":
      return approve(state);
    case "promote": {
      const promoted = { ...approve(resume(state)), promoted: true, step: state.steps.length - 1, adopted: undefined };
      return ["shifting", "verifying", "baking"].includes(state.phase) ? enter(promoted, "shifting") : promoted;
    }
    // Who served before is remembered: after an attempt that was stranded, the weights no longer tell.
    case "retry":
      return enter(
        {
          ...initial,
          intent: state.intent,
          steps: state.steps,
          shadow: state.intent && shadowOf(state.intent),
          stable: state.stable,
          touched: state.ending?.result === "stranded",
          doubtUntil: state.doubtUntil,
          attempt: state.attempt + 1,
          now: state.now,
          startedAt: state.now,
        },
        "inspecting",
      );
    case "abort":
      return state;
    case "supersede":
      return { ...state, superseded: true };
  }
}
