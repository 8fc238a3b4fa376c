// State + fact → state. Total: every fact ever written can be folded for ever, in any state. Nothing is decided here; a
// fact only moves the state to the phase in which the next effect is missing.
import { after, type Instant, secondsBetween } from "../time.ts";
import { contend, contenderEffect, failContender, refuseContender } from "./contenders.ts";
import { isBehindGate } from "./decisions/gate.ts";
import { initialState } from "./initial-state.ts";
import { unjudgedReason, whyUnjudged } from "./intent.ts";
import type { Evidence } from "./judge/evidence.ts";
import { beginStep, gather, noEvidence } from "./judge/gather.ts";
import { keyOfVerdict } from "./judge/key-of-verdict.ts";
import { askAgain, inspect, startOf, untouchedIn } from "./opening.ts";
import { probed } from "./symptoms.ts";
import type {
  AdmissionView,
  Bucket,
  EndReason,
  Landing,
  Phase,
  ReleaseIntent,
  RolloutEffect,
  RolloutEvent,
  RolloutState,
  SignalName,
  Thresholds,
  WaitReason,
  Weight,
} from "./vocabulary.ts";
import { percentOf, sameWeights, wantedWeights } from "./weights.ts";

/** Adds one fact to the state. */
export function evolve(before: RolloutState, event: RolloutEvent): RolloutState {
  const at = Math.max(before.now, event.at);
  const state = { ...before, now: at };
  switch (event.kind) {
    case "Planned":
      return begun(state, event);
    case "Repointed":
      return enter(state, "inspecting");
    case "Inspected":
      return inspect(state, event.view);
    case "Started":
      return begin(state, event);
    case "FoundUnchanged":
      return foundUnchanged(state, event);
    case "RoleAsked":
      return asked(state, event);
    case "Activated":
      return enter(state, "smoking");
    case "Probed":
      return probed(state, event);
    case "SmokePassed":
      return enter(state, "shifting");
    case "TrafficShifted":
      return shifted(doubt(state, event.mayLand), event.weights);
    case "TrafficRead":
      return readBack(state, event);
    case "StepReached":
      return state.ending === undefined ? reach(state) : retire(state);
    case "TrafficDrifted":
      return drifted(state, event.seenPercent);
    case "TrafficMoved":
      return { ...state, moved: event.seenPercent };
    case "TrafficAdopted":
      return adopt(state, event.percent);
    case "Measured":
      return weigh(state, event.buckets, event.to);
    case "Waiting":
      return wait(state, event.reason);
    case "DryRunJudged":
      return { ...state, dryRun: state.dryRun && { ...state.dryRun, reported: keyOfVerdict(event) } };
    case "StepPassed":
      return pass(state, event.percent, event.message);
    case "Aborted":
      return abort(state, event.reason, event.message);
    case "Reverted":
      return retire(state);
    case "ReleaseRefused":
      return refuseContender(state, event.deactivate);
    case "Deactivated":
      return contenderEffect(before) === "Deactivate" ? refuseContender(state, false) : { ...state, failures: 0 };
    case "AttemptFailed":
      return contenderEffect(before) === event.effect
        ? failContender(state, event.retryAfterSeconds)
        : failed(doubt(state, event.mayLand), event.effect, event.retryAfterSeconds);
    case "Signalled":
      return signalled(state, event);
    case "Waited":
    case "Disregarded":
      return state;
    case "Finished":
      return {
        ...enter(state, "finished"),
        ending: { result: event.result, reason: event.reason, message: event.message },
      };
  }
}

/** Begins a rollout. One that begins again forgets what it knew: its app may be another one by the same name. */
const begun = ({ now, doubtUntil, ...before }: RolloutState, { intent, steps }: RolloutEvent & { kind: "Planned" }) =>
  enter(
    {
      ...initialState,
      attempt: before.intent === undefined ? 1 : before.attempt + 1,
      doubtUntil,
      intent,
      steps,
      now,
      startedAt: now,
      askedBy: [intent.requestedBy],
      dryRun: dryRunOf(intent),
      promoted: whyUnjudged(intent) !== undefined,
    },
    intent.purpose === undefined ? "inspecting" : "repointing",
  );

const enter = (state: RolloutState, phase: Phase): RolloutState => ({
  ...state,
  phase,
  phaseAt: state.now,
  failures: 0,
  retryAt: 0,
  warmFrom: phase === "shifting" ? state.now : state.warmFrom,
});

function foundUnchanged(
  state: RolloutState,
  { stable, untouched, message }: Extract<RolloutEvent, { kind: "FoundUnchanged" }>,
): RolloutState {
  const ending = { result: "unchanged", reason: "same-template", message } as const;
  return enter({ ...state, stable, ending }, untouched ? "retiring" : "reverting");
}

const readBack = (
  state: RolloutState,
  { weights, deactivated, lockedUntil }: Extract<RolloutEvent, { kind: "TrafficRead" }>,
): RolloutState => ({
  ...state,
  readAt: state.now,
  retryAt: state.phase === "confirming" ? lookAgainAt(state, lockedUntil) : 0,
  moved: sameWeights(weights, wantedWeights(state)) && deactivated === undefined ? undefined : state.moved,
});

const drifted = (state: RolloutState, seenPercent: number): RolloutState => ({
  ...fail(state),
  beyondGate: state.ending === undefined && isBehindGate(state, seenPercent),
  phase: state.phase === "confirming" ? "reverting" : "shifting",
  phaseAt: state.now,
  warmFrom: state.now,
});

const wait = (state: RolloutState, reason: WaitReason): RolloutState => ({
  ...state,
  waiting: reason,
  awaitedAt: reason === "unapproved" && state.awaitedAt === 0 ? state.now : state.awaitedAt,
});

/** How many intervals before its first step a rollout looks back at stable. */
const lookBackIntervals = 60;

/** Hears what the rotation answered that retires the canary's role. */
const asked = (state: RolloutState, { standing }: AdmissionView): RolloutState =>
  standing === "open" ? enter({ ...state, waiting: undefined }, startOf(state.opens!)) : askAgain(state);

/** Moves on once the weights of a phase have been written. */
function shifted(state: RolloutState, weights: readonly Weight[]): RolloutState {
  if (!sameWeights(weights, wantedWeights(state))) return state;
  return state.phase === "settling"
    ? retire(state)
    : {
        ...state,
        phase: state.phase === "reverting" ? "confirming" : "verifying",
        phaseAt: state.now,
        beyondGate: false,
      };
}

/** Goes on to deactivate the loser; while a late write could still give it traffic, the weights are read back first. */
const retire = (state: RolloutState): RolloutState => ({
  ...state,
  phase: state.doubtUntil > state.now ? "confirming" : "retiring",
  phaseAt: state.now,
});

/** Remembers a write that may land late, unless it writes exactly the final weights. */
const doubt = (state: RolloutState, landing?: Landing): RolloutState =>
  landing === undefined || (state.ending !== undefined && sameWeights(landing.weights, wantedWeights(state)))
    ? state
    : { ...state, doubtUntil: Math.max(state.doubtUntil, landing.until) };

/**
 * Gives when right weights are read again before they count: after a lock, and at
 * each interval while a write may still land.
 */
const lookAgainAt = ({ now, doubtUntil, intent }: RolloutState, lockedUntil: Instant = 0): Instant =>
  Math.max(lockedUntil, Math.min(doubtUntil, after(now, intent?.strategy.intervalSeconds ?? 60)));

/**
 * Begins the smoke test. A rollout aborted before it had seen the app learns
 * here who serves, and gives back any traffic.
 */
function begin(
  before: RolloutState,
  { stable, activate, opens }: Extract<RolloutEvent, { kind: "Started" }>,
): RolloutState {
  const state = {
    ...before,
    stable,
    step: stable === null || before.promoted ? before.steps.length - 1 : 0,
    opens: opens === undefined ? undefined : { rotation: opens, activate },
  };
  if (state.ending === undefined) return enter(state, opens === undefined ? startOf({ activate }) : "opening");
  const untouched = !state.touched || state.stable === null;
  return enter(
    { ...state, ending: { ...state.ending, result: untouched ? state.ending.result : "rolled-back" } },
    untouched ? "retiring" : "reverting",
  );
}

/** Goes to the first step with more traffic for the canary; after the last one the canary is promoted. */
function pass(state: RolloutState, percent: number, message: string): RolloutState {
  const step = state.steps.findIndex((next) => next > percent);
  if (step !== -1) return enter({ ...state, step, adopted: undefined, waiting: undefined }, "shifting");
  const reason = state.promoted ? unjudgedReason(state.intent!) : "every-step-passed";
  return enter(
    { ...state, ending: { result: "promoted", reason, message } },
    state.stable === null ? "retiring" : "settling",
  );
}

/**
 * Continues from a percentage set by another client: watching restarts, at the last step that gives no more than that.
 */
function adopt(state: RolloutState, percent: number): RolloutState {
  const last = state.steps.findLastIndex((planned) => planned <= percent);
  const step = Math.max(0, last);
  const adopted = state.steps[step] === percent ? undefined : percent;
  return reach({ ...leaveGate(state), step, warmFrom: state.now, adopted });
}

/** Counts a failure; the pause after it doubles from one second to half a minute, or is what Azure asked for. */
const fail = (state: RolloutState, askedSeconds = 0): RolloutState => ({
  ...state,
  failures: state.failures + 1,
  retryAt: after(state.now, Math.max(askedSeconds, Math.min(30, 2 ** Math.min(state.failures, 5)))),
});

/** When each effect of a bake was last tried. */
const triedAt = { Probe: "probedAt", Measure: "measuredAt" } as const;

/**
 * Counts a failed effect. While baking, it is tried again when it is next due, and the other effects go on. A revision
 * that cannot be deactivated may have traffic again, so the weights are read before the next try.
 *
 * @param askedSeconds How long Azure asked to wait. While baking, only this effect waits; the canary is still probed.
 */
function failed(state: RolloutState, effect: RolloutEffect["kind"], askedSeconds?: number): RolloutState {
  if (state.phase === "baking") {
    const field = effect === "Probe" || effect === "Measure" ? triedAt[effect] : "readAt";
    return { ...state, failures: state.failures + 1, [field]: after(state.now, askedSeconds ?? 0) };
  }
  return state.phase === "retiring"
    ? { ...fail(state, askedSeconds), phase: "confirming", retireFailures: state.retireFailures + 1 }
    : fail(state, askedSeconds);
}

/**
 * Begins to watch a step: the warm-up lasts to the next whole interval, and the evidence for this step starts empty.
 *
 * Requests are measured without a gap: late buckets of the step before are still judged. Before the first step,
 * stable's last sixty intervals are read, to learn its baseline.
 */
function reach(state: RolloutState): RolloutState {
  const interval = (state.intent?.strategy.intervalSeconds ?? 60) * 1000;
  const warmUntil: Instant =
    Math.ceil(after(state.now, state.intent?.strategy.warmUpSeconds ?? 0) / interval) * interval;
  const isFirst = state.measuredTo === 0;
  const fresh = (evidence: Evidence) => beginStep(evidence, state.step, state.steps.length - 1);
  return {
    ...enter(state, "baking"),
    moved: undefined,
    warmUntil,
    ...(isFirst
      ? { watchedFrom: state.warmFrom, measuredTo: Math.floor(state.now / interval - lookBackIntervals) * interval }
      : {}),
    measuredAt: state.now,
    probedAt: state.now,
    readAt: state.now,
    probeFailures: 0,
    waiting: undefined,
    evidence: fresh(state.evidence),
    dryRun: state.dryRun && { ...state.dryRun, evidence: fresh(state.dryRun.evidence) },
  };
}

/** Hands buckets to the judge, and to the dry run. Buckets that were measured before are skipped. */
function weigh(state: RolloutState, buckets: readonly Bucket[], to: Instant): RolloutState {
  const { warmFrom, warmUntil, watchedFrom, intent } = state;
  const fresh = buckets
    .filter(({ at }) => at >= state.measuredTo)
    .map((bucket) => (bucket.at < watchedFrom ? { ...bucket, canary: { requests: 0, failed: 0 } } : bucket));
  const add = (evidence: Evidence, thresholds: Thresholds) =>
    gather(evidence, fresh, {
      thresholds,
      percent: percentOf(state),
      intervalSeconds: intent!.strategy.intervalSeconds,
      warmFrom,
      warmUntil,
    });
  return {
    ...state,
    measuredAt: state.now,
    measuredTo: Math.max(state.measuredTo, to),
    failures: 0,
    retryAt: 0,
    evidence: add(state.evidence, intent!.thresholds),
    dryRun: state.dryRun && { ...state.dryRun, evidence: add(state.dryRun.evidence, intent!.dryRun!) },
  };
}

/** Starts the dry run without evidence, if the release has one. */
const dryRunOf = ({ dryRun }: ReleaseIntent): RolloutState["dryRun"] =>
  dryRun && { evidence: noEvidence, reported: "" };

/**
 * Ends a rollout early. A canary that never had traffic is rejected; once a shift may have been sent, the traffic is
 * given back and read back. If the app has not been seen yet, it is inspected first to learn who serves.
 */
function abort(state: RolloutState, reason: EndReason, message: string): RolloutState {
  const untouched = !state.touched && untouchedIn.includes(state.phase);
  const result = untouched ? "rejected" : "rolled-back";
  const next: Phase = untouched || state.stable === null ? "retiring" : "reverting";
  const isUnseen = ["repointing", "inspecting"].includes(state.phase) && !state.inspected;
  return enter({ ...resume(state), ending: { result, reason, message } }, isUnseen ? "inspecting" : next);
}

/** Ends a pause. It counts neither towards the maximum duration nor towards the time at the gate. */
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

/** Opens the gate. */
const approve = (state: RolloutState): RolloutState => ({ ...leaveGate(state), approved: true, waiting: undefined });

/** Stops waiting at the gate; that time counts as a pause. */
const leaveGate = (state: RolloutState): RolloutState => ({
  ...state,
  pausedSeconds:
    state.pausedSeconds +
    (state.awaitedAt === 0 ? 0 : secondsBetween(state.awaitedAt, state.paused ? state.pausedAt : state.now)),
  awaitedAt: 0,
});

function signalled(
  state: RolloutState,
  { signal, by, byName, about = "" }: { signal: SignalName; by: string; byName?: string; about?: string },
): RolloutState {
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
    // Remember who served before: after a degraded attempt the weights no longer show it.
    case "retry":
      return enter(
        {
          ...initialState,
          intent: state.intent,
          steps: state.steps,
          askedBy: [state.intent?.requestedBy ?? "", by],
          dryRun: state.intent && dryRunOf(state.intent),
          stable: state.stable,
          touched: state.ending?.result === "degraded",
          doubtUntil: state.doubtUntil,
          attempt: state.attempt + 1,
          now: state.now,
          startedAt: state.now,
        },
        "inspecting",
      );
    case "abort":
      return state;
    case "compare":
      return contend(state, about, by, byName);
    case "supersede":
      return { ...state, superseded: true };
  }
}
