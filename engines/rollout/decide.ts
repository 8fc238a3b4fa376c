// State + observation → facts. The first fact holds the observation whole; the decisions that it led to follow. Nothing
// happens here: react asks for the next effect once the facts are written.

import type { Result } from "../engine.ts";
import { duration, secondsBetween } from "../time.ts";
import { evolve, heard, percentOf, sameName, sameWeights, shareOf, wanted } from "./evolve.ts";
import { judge, judgeWarmUp, type Standing } from "./judge/judge.ts";
import { plan } from "./plan.ts";
import { loser } from "./react.ts";
import type {
  AppView,
  Phase,
  RolloutDecision,
  RolloutEvent,
  RolloutFinding,
  RolloutObservation,
  RolloutOutcome,
  RolloutState,
  SignalName,
  Verdict,
  Weight,
} from "./vocabulary.ts";

type Disregarded = Extract<RolloutDecision, { kind: "Disregarded" }>;

/** So often an effect is tried in a row before the rollout gives up on it. */
const attemptsMax = 5;
/** Giving the traffic back to stable is tried far longer: half an hour and more, since users are waiting for it. */
const revertAttemptsMax = 60;

/** Which outcomes each phase waits for; any other has come too late. */
const awaited: { readonly [P in Phase]: readonly RolloutOutcome["of"][] } = {
  "waiting-for-request": [],
  inspecting: ["Inspect"],
  activating: ["Activate"],
  smoking: ["Probe"],
  shifting: ["ShiftTraffic", "Probe"],
  verifying: ["VerifyTraffic"],
  baking: ["Probe", "Measure", "VerifyTraffic"],
  reverting: ["ShiftTraffic"],
  confirming: ["VerifyTraffic"],
  settling: ["ShiftTraffic", "Deactivate"],
  retiring: ["Deactivate"],
  finished: [],
};

/**
 * Answers one observation with the facts it adds to the journal.
 *
 * An observation that has come too late (the outcome of a phase already left, a second abort) adds a `Disregarded` fact
 * instead of failing: late answers are ordinary in a cloud, and the journal should show that one arrived.
 */
export function decide(state: RolloutState, observation: RolloutObservation): readonly RolloutEvent[] {
  const at = Math.max(state.now, observation.at);
  const facts: RolloutEvent[] = [];
  let current = state;
  const add = (fact: RolloutFinding | RolloutDecision) => {
    const event = { ...fact, at } as RolloutEvent;
    facts.push(event);
    current = evolve(current, event);
  };
  const finding = find(state, observation);
  add(finding);
  if (finding.kind === "Disregarded") return facts;
  for (const decision of conclude(current, finding)) add(decision);
  if (current.phase === "retiring" && loser(current) === undefined) add(finish(current));
  return facts;
}

/** Turns an observation into the fact that holds it. */
function find(state: RolloutState, observation: RolloutObservation): RolloutFinding | Disregarded {
  switch (observation.kind) {
    case "Request":
      return state.phase === "waiting-for-request"
        ? { kind: "Planned", intent: observation.intent, steps: plan(observation.intent.pace) }
        : { kind: "Disregarded", what: "a second request for the same release" };
    case "Signal": {
      const why = refusal(state, observation.signal);
      return why === undefined
        ? { kind: "Signalled", signal: observation.signal, by: observation.by, reason: observation.reason }
        : { kind: "Disregarded", what: why };
    }
    case "Outcome":
      return findOutcome(state, observation);
  }
}

function findOutcome(state: RolloutState, outcome: RolloutOutcome): RolloutFinding | Disregarded {
  const waiting = outcome.of === "Wait" || outcome.of === "AwaitSignal";
  if (state.phase === "finished" || (!waiting && !awaited[state.phase].includes(outcome.of)))
    return { kind: "Disregarded", what: `the outcome of ${outcome.of}, which came too late` };
  const late = outcome.of === "ShiftTraffic" && outcome.mayLand !== undefined ? { mayLand: outcome.mayLand } : {};
  if (!outcome.found.ok) return { kind: "AttemptFailed", effect: outcome.of, reason: outcome.found.reason, ...late };
  switch (outcome.of) {
    case "Inspect":
      return { kind: "Inspected", view: value(outcome.found) };
    case "Activate":
      return { kind: "Activated" };
    case "Probe":
      return { kind: "Probed", ...value(outcome.found) };
    case "ShiftTraffic":
      return { kind: "TrafficShifted", ...value(outcome.found), ...late };
    case "VerifyTraffic":
      return { kind: "TrafficRead", ...value(outcome.found) };
    case "Measure":
      return { kind: "Measured", ...value(outcome.found) };
    case "Deactivate":
      return { kind: "Deactivated" };
    case "Wait":
    case "AwaitSignal":
      return { kind: "Waited" };
  }
}

function value<Found>(found: Result<Found>): Found {
  if (!found.ok) throw new Error("a failed outcome has no value");
  return found.value;
}

/** Says why a signal cannot be followed now; undefined where it can. The first decision wins. */
function refusal(state: RolloutState, signal: SignalName): string | undefined {
  const decided =
    state.ending &&
    `${signal} came too late: the rollout was ${state.ending.result === "equal" ? "found equal to stable" : state.ending.result} already`;
  switch (signal) {
    case "retry":
      return state.superseded
        ? "retry came to a rollout that was superseded, and what was superseded is not tried again"
        : state.phase === "finished" && state.ending?.result !== "promoted" && state.ending?.result !== "equal"
          ? undefined
          : `retry needs a rollout that was rolled back, rejected or stranded, and this one ${state.phase === "finished" ? `was ${state.ending?.result}` : "is under way"}`;
    case "pause":
      return decided ?? (state.paused ? "pause came to a rollout that is paused already" : undefined);
    case "resume":
      return decided ?? (state.paused ? undefined : "resume came to a rollout that is not paused");
    case "approve":
      return (
        decided ??
        (state.awaitedAt > 0 && gateOf(state) !== undefined
          ? undefined
          : "approve came to a rollout that waits for no approval")
      );
    case "promote":
      return decided ?? (state.promoted ? "promote came a second time" : undefined);
    case "abort":
    case "supersede":
      return decided;
  }
}

/** Draws the decisions that follow from a fact just found, in the state that already holds it. */
function conclude(state: RolloutState, finding: RolloutFinding): readonly RolloutDecision[] {
  switch (finding.kind) {
    case "Planned":
    case "Activated":
    case "TrafficShifted":
      return [];
    case "Inspected":
      return [begin(state, finding.view)];
    case "Probed":
      return concludeProbe(state, finding.detail, finding.good);
    case "TrafficRead":
      return concludeRead(state, finding.weights, finding.deactivated);
    case "Waited":
      return state.phase === "baking" ? overdue(state) : [];
    case "Measured":
      return concludeMeasurement(state);
    case "Deactivated":
      return [finish(state)];
    case "AttemptFailed":
      return giveUp(state, finding.reason);
    case "Signalled":
      return finding.signal === "abort" || finding.signal === "supersede"
        ? [
            {
              kind: "Aborted",
              sentence: `${finding.signal === "abort" ? "aborted" : "superseded"} by ${finding.by}: ${finding.reason}`,
              by: finding.by,
            },
          ]
        : [];
  }
}

function begin(state: RolloutState, view: AppView): RolloutDecision {
  const { revision: name } = state.intent!;
  if (state.ending !== undefined) return { kind: "Started", stable: stableIn(view, state), activate: false };
  const unfit = whyUnfit(view);
  if (unfit !== undefined) return abort(unfit);
  const canary = view.revisions.find((revision) => sameName(revision.name, name));
  if (canary === undefined) return abort("the platform does not know the revision");
  const stable = stableIn(view, state);
  if (stable === null) return { kind: "Started", stable, activate: !canary.active };
  const twin = view.revisions.find((revision) => sameName(revision.name, stable));
  if (twin === undefined) return abort("the revision that served before is gone");
  const untouched = sameWeights(view.weights, [{ revision: stable, percent: 100 }]);
  if (twin.templateHash === canary.templateHash)
    return {
      kind: "FoundEqual",
      stable,
      untouched,
      sentence: "its template is stable's own, so stable goes on serving",
    };
  return { kind: "Started", stable, activate: !canary.active };
}

/** Says why an app cannot be released by canary; undefined where it can, and where the platform has not said. */
export function whyUnfit({ mode = "Multiple", ingress = "http", sticky = false }: AppView): string | undefined {
  if (ingress === "none") return "the app has no ingress, so there are no requests to share out and none to judge by";
  if (ingress === "tcp") return "the app's ingress is TCP, and there are request rows of HTTP only";
  if (mode !== "Multiple") return `the app is in ${mode} revision mode, and weights count in Multiple only`;
  return sticky
    ? "the app keeps users with the revision that answered them first, so weights would not share them out"
    : undefined;
}

/**
 * Finds who serves beside the canary: the one with most of the traffic; else the one that an earlier attempt knew; else any that
 * is up, since a canary that was given everything by hand is still unproven. Null only where nothing else could serve.
 *
 * A revision that is labelled `canary` was never proven: one that its own rollout could not take the traffic from is no stable to
 * fall back on as long as there is one that is labelled so.
 */
function stableIn({ weights, revisions, labels = {} }: AppView, state: RolloutState): string | null {
  const { revision: name } = state.intent!;
  const labelled = revisions.find(
    (revision) =>
      labels.stable !== undefined && sameName(revision.name, labels.stable) && !sameName(revision.name, name),
  )?.name;
  const unproven = (revision: string): boolean =>
    labelled !== undefined && labels.canary !== undefined && sameName(revision, labels.canary);
  const others = weights.filter(
    ({ revision, percent }) => !sameName(revision, name) && percent > 0 && !unproven(revision),
  );
  if (others.length === 0 && labelled !== undefined && weights.some(({ revision }) => unproven(revision)))
    return labelled;
  if (others.length > 0) return others.reduce((most, next) => (next.percent > most.percent ? next : most)).revision;
  return (
    state.stable ??
    revisions.find((revision) => !sameName(revision.name, name) && revision.active && revision.health === "Healthy")
      ?.name ??
    null
  );
}

function concludeProbe(state: RolloutState, detail: string, good: boolean): readonly RolloutDecision[] {
  const { pace, limits } = state.intent!;
  if (state.phase === "smoking") {
    if (good) return [{ kind: "SmokePassed" }];
    return secondsBetween(state.phaseAt, state.now) >= pace.smokeSeconds
      ? [abort(`canary did not answer its smoke test in ${duration(pace.smokeSeconds)}: ${detail}`)]
      : [];
  }
  if (state.probeFailures < limits.probeFailuresMax) return state.phase === "baking" ? overdue(state) : [];
  const sentence = `canary's own address failed ${state.probeFailures} probes in a row: ${detail}`;
  const { sick } = state.evidence;
  if (sick === undefined) return [abort(sentence)];
  return state.held === sick
    ? overdue(state)
    : [{ kind: "Held", reason: sick, sentence: `${sentence}, but stable itself is sick` }];
}

function concludeRead(
  state: RolloutState,
  weights: readonly Weight[],
  deactivated: readonly string[] = [],
): readonly RolloutDecision[] {
  const matches = sameWeights(weights, wanted(state)) && deactivated.length === 0;
  const percent = shareOf(wanted(state), state.intent!.revision) ?? 0;
  if (!matches) {
    const moved = concludeMove(state, weights, deactivated);
    if (moved !== undefined) return moved;
    const seenPercent = shareOf(weights, state.intent!.revision) ?? 0;
    const drifted: RolloutDecision = {
      kind: "TrafficDrifted",
      percent,
      seenPercent,
      ...(deactivated.length > 0 ? { deactivated } : {}),
    };
    if (state.phase === "confirming")
      return state.failures >= revertAttemptsMax
        ? [drifted, strand(state, "the traffic does not stay where it was put")]
        : [drifted];
    return state.failures + 1 >= attemptsMax
      ? [drifted, abort("the traffic does not stay where it was put")]
      : [drifted];
  }
  const reached: RolloutDecision = { kind: "StepReached", percent };
  if (state.phase === "confirming") return concludeConfirmation(state, reached);
  if (state.phase === "baking") return overdue(state);
  if (percent < 100) return [reached];
  if (state.stable === null)
    return [
      reached,
      { kind: "StepPassed", percent, sentence: "nothing served before it, so there was nothing to compare with" },
    ];
  return state.promoted ? [reached, { kind: "StepPassed", percent, sentence: "a person decided so" }] : [reached];
}

/**
 * Goes along with weights that somebody else has set, where the release says so; undefined where they are to be put back.
 *
 * They count when they are seen a second time, since a single answer may be an old one. All traffic at stable is a person's
 * rollback, and so is a canary that was deactivated. A share for a third revision is nothing that a step could go on from.
 */
function concludeMove(
  state: RolloutState,
  weights: readonly Weight[],
  deactivated: readonly string[],
): readonly RolloutDecision[] | undefined {
  const { revision, outsideWeights = "restore" } = state.intent!;
  const { stable } = state;
  if (outsideWeights === "restore" || state.phase !== "baking" || stable === null) return undefined;
  if (
    deactivated.some((name) => !sameName(name, revision)) ||
    weights.some((weight) => !sameName(weight.revision, revision) && !sameName(weight.revision, stable))
  )
    return undefined;
  const seenPercent = deactivated.length > 0 ? 0 : (shareOf(weights, revision) ?? 0);
  if (state.moved !== seenPercent) return [{ kind: "TrafficMoved", percent: percentOf(state), seenPercent }];
  return seenPercent === 0
    ? [{ kind: "Aborted", sentence: "somebody else gave all traffic back to stable", by: "somebody else" }]
    : [{ kind: "TrafficAdopted", percent: seenPercent }];
}

/** The weights are right. Whoever holds the app may still write them, and so may a write that was given up: they are looked at again when that is over. */
function concludeConfirmation(state: RolloutState, reached: RolloutDecision): readonly RolloutDecision[] {
  if (state.retryAt > state.now) return [];
  if (state.retireFailures >= attemptsMax)
    return [finish(state, "; the revision that lost could not be taken away and is still active")];
  return [state.ending?.result === "promoted" ? reached : { kind: "Reverted" }];
}

function concludeMeasurement(state: RolloutState): readonly RolloutDecision[] {
  return [...concludeShadow(state), ...concludeVerdict(state)];
}

function concludeVerdict(state: RolloutState): readonly RolloutDecision[] {
  const verdict = verdictOf(state);
  if (verdict.verdict === "fail") return [abort(verdict.sentence)];
  if (!isBaked(state)) return held(state, judgeWarmUp(state.evidence));
  if (verdict.verdict !== "pass") return held(state, verdict);
  if (state.paused) return [];
  const gate = gateOf(state);
  if (gate !== undefined)
    return held(state, {
      verdict: "inconclusive",
      reason: "unapproved",
      sentence: `${verdict.sentence}; a person must approve ${gate.percent} percent, within ${duration(gate.expiresSeconds)}`,
    });
  return [{ kind: "StepPassed", percent: percentOf(state), sentence: verdict.sentence }];
}

/** Gives what the next step gives the canary, and how long a person has to approve it; undefined where nobody has to. */
function gateOf(state: RolloutState): { readonly percent: number; readonly expiresSeconds: number } | undefined {
  const { gate } = state.intent!;
  const now = percentOf(state);
  const percent = state.steps.find((next) => next > now);
  if (
    gate === undefined ||
    state.approved ||
    percent === undefined ||
    now >= gate.beforePercent ||
    percent < gate.beforePercent
  )
    return undefined;
  return { percent, expiresSeconds: gate.expiresSeconds };
}

/** Says once why the rollout does not go on. */
function held(state: RolloutState, verdict: Verdict | undefined): readonly RolloutDecision[] {
  const late = overdue(state);
  if (late.length > 0 || verdict?.verdict !== "inconclusive" || state.held === verdict.reason) return late;
  return [{ kind: "Held", reason: verdict.reason, sentence: verdict.sentence }];
}

/** Says what other limits would decide, when that changes. It stops nothing and moves nothing. */
function concludeShadow(state: RolloutState): readonly RolloutDecision[] {
  const verdict = shadowVerdict(state);
  return verdict === undefined || heard(verdict) === state.shadow?.heard ? [] : [{ kind: "ShadowJudged", ...verdict }];
}

/** Gives what the limits in the shadow say at a measurement; undefined where there are none, and before the step's bake is over unless they say that it fails. */
export function shadowVerdict(state: RolloutState): Verdict | undefined {
  if (state.shadow === undefined) return undefined;
  const verdict = judge(state.shadow.evidence, state.intent!.shadow!, standing(state));
  return verdict.verdict === "fail" || isBaked(state) ? verdict : undefined;
}

/** Whether all bins of the step's bake are measured. */
const isBaked = (state: RolloutState): boolean =>
  state.measuredTo >= state.warmUntil + state.intent!.pace.bakeSeconds * 1000;

/** Gives where the rollout is, as the judge wants to know it. */
export const standing = (state: RolloutState): Standing => ({
  percent: percentOf(state),
  steps: state.steps,
  isSilent: state.probeFailures > 0,
});

const verdictOf = (state: RolloutState): Verdict => judge(state.evidence, state.intent!.limits, standing(state));

/** Aborts a rollout that has used up its time: evidence that never comes must not end in a promotion. */
function overdue(state: RolloutState): readonly RolloutDecision[] {
  if (state.paused) return [];
  const gate = state.awaitedAt > 0 ? gateOf(state) : undefined;
  if (gate !== undefined)
    return secondsBetween(state.awaitedAt, state.now) < gate.expiresSeconds
      ? []
      : [abort(`nobody approved ${gate.percent} percent in ${duration(gate.expiresSeconds)}`)];
  const { maximumSeconds } = state.intent!.pace;
  if (secondsBetween(state.startedAt, state.now) - state.pausedSeconds <= maximumSeconds) return [];
  const verdict = verdictOf(state);
  return [
    abort(
      `evidence never came in ${duration(maximumSeconds)}${verdict.verdict === "inconclusive" ? `: ${verdict.sentence}` : ""}`,
    ),
  ];
}

function giveUp(state: RolloutState, reason: string): readonly RolloutDecision[] {
  switch (state.phase) {
    case "smoking":
      return concludeProbe(state, reason, false);
    case "baking":
      return overdue(state);
    case "reverting":
    case "confirming":
      return state.failures >= revertAttemptsMax ? [strand(state, reason)] : [];
    // The release is proven; that a watcher will not find its label is no reason to undo it.
    case "settling":
      return state.failures >= attemptsMax ? [{ kind: "StepReached", percent: 100 }] : [];
    case "inspecting":
      return giveUpInspection(state, reason);
    default:
      return state.failures >= attemptsMax ? [abort(reason)] : [];
  }
}

/** An app that cannot be read is not released; where its rollout was aborted already, nothing can be taken away either. */
function giveUpInspection(state: RolloutState, reason: string): readonly RolloutDecision[] {
  if (state.ending === undefined) return state.failures >= attemptsMax ? [abort(reason)] : [];
  if (state.ending.result === "rejected")
    return state.failures >= attemptsMax
      ? [finish(state, "; the app could not be read, so nothing was taken away")]
      : [];
  return state.failures >= revertAttemptsMax ? [strand(state, reason)] : [];
}

const abort = (sentence: string): RolloutDecision => ({ kind: "Aborted", sentence, by: "the judge" });

const strand = (state: RolloutState, reason: string): RolloutDecision => ({
  kind: "Finished",
  result: "stranded",
  sentence: `stranded: ${state.ending?.sentence ?? ""}; the traffic could not be given back to stable: ${reason}`,
});

/** Ends the rollout in the result that was carried out. A person's reason stands as it was given. */
function finish(state: RolloutState, more = ""): RolloutDecision {
  const { result } = state.ending!;
  const sentence = `${state.ending!.sentence}${more}`;
  const percent = percentOf(state);
  switch (result) {
    case "promoted":
      return { kind: "Finished", result, sentence: `promoted: ${sentence}` };
    case "rolled-back":
      return { kind: "Finished", result, sentence: `rolled back at ${percent} percent: ${sentence}` };
    case "rejected":
      return { kind: "Finished", result, sentence: `rejected before any traffic: ${sentence}` };
    case "equal":
      return { kind: "Finished", result, sentence: `equal: ${sentence}` };
    case "stranded":
      return { kind: "Finished", result, sentence };
  }
}
