// The invariants of every run. Each is a function that gives one message for each violation. They check what is visible
// from outside: the journals, the writes that were sent, and what the cloud shows at the end.
import { weightsOf } from "../../controlplane/adapters/azure/traffic.ts";
import { stepRequestsMin } from "../../engines/rollout/judge/judge.ts";
import { replay } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent, Strategy } from "../../engines/rollout/vocabulary.ts";
import { requestSeconds } from "./azure.ts";
import { faultsEndSeconds } from "./draw.ts";
import { type Run, start } from "./simulate.ts";
import { type Kept, streamFor } from "./store.ts";

/** Gives one message for each violation. */
export type Invariant = (run: Run) => readonly string[];

const eachStream = (run: Run, look: (facts: readonly Kept[], stream: string) => readonly string[]): readonly string[] =>
  [...run.store.streams].flatMap(([stream, { facts }]) => look(facts, stream).map((wrong) => `${stream}: ${wrong}`));
const isOf = <Kind extends RolloutEvent["kind"]>(
  kept: Kept,
  kind: Kind,
): kept is Kept & { readonly event: Extract<RolloutEvent, { kind: Kind }> } => kept.event.kind === kind;

/** Every rollout ends with a result once the faults have stopped. */
function endsByName(run: Run): readonly string[] {
  if (run.store.streams.size === 0) return run.asked.length > 0 ? ["the release was never accepted"] : [];
  return eachStream(run, (facts) => {
    const { phase, ending } = facts.at(-1)!.state;
    if (phase === "finished" && ending) return [];
    return [`it is still ${phase} ${Math.round(run.seconds - faultsEndSeconds)} s after the last fault`];
  });
}

/** The observations of a journal, decided again from the start, give the same facts, byte for byte. */
function decidesItselfAgain(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    const divergence = replay(facts.map(({ event }) => event));
    if (divergence === undefined) return [];
    const { index, written, decided } = divergence;
    return [`fact ${index} is ${JSON.stringify(written)}, but is now decided as ${JSON.stringify(decided)}`];
  });
}

/** A journal's times and epochs never decrease: a process that has lost its claim writes nothing more. */
function growsOnlyForward(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    let epoch = 0;
    let at = 0;
    for (const [index, fact] of facts.entries()) {
      if (fact.event.at < at) return [`fact ${index} is older than the one before it`];
      if (fact.epoch > 0 && fact.epoch < epoch)
        return [`fact ${index} was written under epoch ${fact.epoch} after one under ${epoch}`];
      at = fact.event.at;
      epoch = Math.max(epoch, fact.epoch);
    }
    return [];
  });
}

/** The weights that we send sum to 100, and one process sends all writes of an epoch. */
function sendsWholeWeights(run: Run): readonly string[] {
  const senders = new Map<number, string>();
  return run.writes.flatMap(({ kind, weights, epoch, process }) => {
    const wrong =
      kind === "ShiftTraffic" && weights.reduce((sum, { percent }) => sum + percent, 0) !== 100
        ? ["weights that do not sum to 100 were sent"]
        : [];
    const other = senders.get(epoch);
    senders.set(epoch, process);
    return other !== undefined && other !== process
      ? [...wrong, `${other} and ${process} both sent under epoch ${epoch}`]
      : wrong;
  });
}

/** A claim passes to another process only after its lease has expired. */
const takesNoLiveClaim: Invariant = ({ store }) =>
  store.stolen.map(({ process, epoch }) => `epoch ${epoch} was taken from ${process} while its lease held`);

/**
 * After its last shift of traffic, a journal reads the weights back before a step counts as reached and before a
 * rollback ends: the answer of a write says what was accepted, and only a later read says what is in force. An app's
 * first revision has nothing to return to, so its abort ends at once.
 */
function readsBackWhatItWrote(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    let isOpen = false;
    return facts.flatMap((fact, index) => {
      if (isOf(fact, "TrafficShifted")) isOpen = true;
      if (isOf(fact, "TrafficRead")) isOpen = false;
      const returned = isOf(fact, "Finished") && fact.event.result === "rolled-back" && fact.state.stable !== null;
      const concludes = isOf(fact, "StepReached") || returned;
      return concludes && isOpen ? [`fact ${index}, ${fact.event.kind}, follows a shift that was not read back`] : [];
    });
  });
}

/** The first decision wins: its result stays, or becomes degraded. Only a retry starts over. */
function decidesOnce(run: Run): readonly string[] {
  return eachStream(run, (facts) =>
    facts.flatMap(({ state, event }, index) => {
      const before = facts[index - 1]?.state;
      const was = before?.ending?.result;
      const is = state.ending?.result;
      // A rollout that is aborted before it has read the app learns later whether there is traffic to revert.
      const isLearnt = was === "rejected" && is === "rolled-back" && event.kind === "Started";
      return was === undefined || was === is || is === "degraded" || isLearnt || state.attempt > before!.attempt
        ? []
        : [`fact ${index} changes the result from ${was} to ${is}`];
    }),
  );
}

/** A write after its claim was lost comes within the time of one request, unless the process slept after its fence. */
function sendsNothingLate(run: Run): readonly string[] {
  return run.writes.flatMap(({ lateBy, sleptThere, process, kind }) =>
    lateBy > requestSeconds * 1000 && !sleptThere
      ? [`${process} sent ${kind} ${lateBy / 1000} s after its claim was lost`]
      : [],
  );
}

/**
 * At the end the cloud shows the traffic that the last journal says. Exempt are runs in which the traffic
 * changed after our last read, by another client or by a late write of ours (see sendsNothingLate), and
 * runs in which the cloud lied to that read.
 */
function leavesTrafficWhereItSays(run: Run): readonly string[] {
  const [stream, last] = [...run.store.streams].at(-1) ?? [];
  const state = last?.facts.at(-1)?.state;
  const shown = weightsOf(run.cloud.app());
  if (!last || state?.phase !== "finished" || !state.ending || state.ending.result === "degraded" || !shown.ok)
    return [];
  const lateBy = run.writes.findLast((write) => write.stream === stream && write.kind === "ShiftTraffic")?.lateBy ?? 0;
  if (isReadOutOfDate(run, last.facts, lateBy > 0)) return [];
  const first = run.drawn.before === "nothing" || run.store.streams.size > 1 ? undefined : "shop--1";
  const serving = state.ending.result === "promoted" ? state.intent!.revision : (state.stable ?? first);
  if (serving === undefined) return [];
  // A rejected release changes no traffic, and a person may have split it among other revisions.
  if (state.ending.result === "rejected" && !shown.value.some(({ revision }) => revision === state.intent!.revision))
    return [];
  const shownAs = shown.value.map(({ revision, percent }) => `${revision} ${percent}`).join(", ");
  if (shownAs !== `${serving} 100`)
    return [`${stream} was ${state.ending.result}; ${serving} should have all traffic, but the app shows ${shownAs}`];
  const wasDeactivated = run.drawn.faults.some(
    (fault) => fault.kind === "portal" && fault.what.startsWith("deactivate"),
  );
  return run.cloud.revisions.get(serving)?.active || wasDeactivated
    ? []
    : [`${serving} has all traffic but is deactivated`];
}

/**
 * Reports whether the last read of the traffic says nothing about the end: there is none, it was false, or it is old.
 */
function isReadOutOfDate(run: Run, facts: readonly Kept[], hasLateWrite: boolean): boolean {
  const index = facts.findLastIndex(
    (kept) => isOf(kept, "TrafficRead") || isOf(kept, "TrafficShifted") || isOf(kept, "Inspected"),
  );
  const read = facts[index];
  if (read === undefined) return true;
  const { at, writer } = run.cloud.lastChange();
  // A read shows the cloud at the time of its request: after the fact before it,
  // and within the time that a read may take.
  const requestedAt = Math.max(facts[index - 1]?.at ?? 0, read.at - 10 * requestSeconds * 1000);
  if (at > requestedAt && (writer !== "us" || hasLateWrite)) return true;
  return run.drawn.faults.some(
    (fault) =>
      fault.kind === "cloud" &&
      fault.how === "lie" &&
      read.at >= start + fault.at * 1000 - 60_000 &&
      read.at <= start + (fault.at + fault.lasts) * 1000 + 60_000,
  );
}

/** The judge does not promote a canary that was bad during its last step while stable was good. */
function promotesNothingBad(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    const state = facts.at(-1)!.state;
    const behaviour = run.behaviours.get(state.intent!.revision);
    if (
      state.ending?.result !== "promoted" ||
      state.promoted ||
      state.stable === null ||
      !behaviour ||
      behaviour.is === "good" ||
      run.behaviours.get(state.stable)?.is !== "good"
    )
      return [];
    const watched = facts.findLast((kept) => isOf(kept, "StepReached") && kept.state.phase === "baking");
    return watched !== undefined && watched.event.at < start + behaviour.fromSeconds * 1000
      ? []
      : [`a canary that was ${behaviour.is} from second ${behaviour.fromSeconds} on was promoted`];
  });
}

/** A step passes only on evidence: enough judged requests, in buckets without a gap that cover its bake. */
function passesOnEvidenceAlone(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    let buckets: readonly JudgedBucket[] = [];
    return facts.flatMap((kept, index) => {
      if (isOf(kept, "StepReached") || isOf(kept, "TrafficAdopted")) buckets = [];
      if (isOf(kept, "Measured"))
        buckets = [...buckets, ...kept.event.buckets.map(({ at, canary }) => ({ at, requests: canary.requests }))];
      const { promoted, stable, intent, warmUntil } = kept.state;
      if (!isOf(kept, "StepPassed") || promoted || stable === null) return [];
      buckets = buckets.filter(({ at }) => at >= warmUntil);
      return lacksOf(buckets, intent!.strategy).map((lack) => `fact ${index} passes a step ${lack}`);
    });
  });
}

/**
 * No step passes while a failed probe or a restart of the canary is newer than the measured requests, which cannot show
 * it yet. A person may promote all the same.
 */
function passesNothingUnwell(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    let attempt = 0;
    let measuredTo = 0;
    let unwellAt = 0;
    let restarts: number | undefined;
    return facts.flatMap(({ event, state }, index) => {
      if (state.attempt !== attempt) {
        attempt = state.attempt;
        measuredTo = 0;
        unwellAt = 0;
        restarts = undefined;
      }
      if (event.kind === "Measured") measuredTo = Math.max(measuredTo, event.to);
      if (event.kind === "Probed") {
        const seen = event.restarts!.reduce((sum, { times }) => sum + times, 0);
        if (!event.good || seen > (restarts ?? seen)) unwellAt = event.at;
        restarts = seen;
      }
      return event.kind === "StepPassed" && !state.promoted && state.stable !== null && unwellAt >= measuredTo
        ? [`fact ${index} passes a step ${Math.round((event.at - unwellAt) / 1000)} s after the canary was unwell`]
        : [];
    });
  });
}

interface JudgedBucket {
  readonly at: number;
  readonly requests: number;
}

function lacksOf(buckets: readonly JudgedBucket[], { intervalSeconds, bakeSeconds }: Strategy): readonly string[] {
  const requests = buckets.reduce((sum, bucket) => sum + bucket.requests, 0);
  const judgedSeconds = buckets.length * intervalSeconds;
  const hasGap = buckets.some(({ at }, index) => index > 0 && at !== buckets[index - 1]!.at + intervalSeconds * 1000);
  return [
    ...(requests < stepRequestsMin ? [`on only ${requests} requests`] : []),
    ...(judgedSeconds < bakeSeconds ? [`that was judged for ${judgedSeconds} s of ${bakeSeconds}`] : []),
    ...(hasGap ? ["with a gap in its buckets"] : []),
  ];
}

/** A superseded release is not promoted. */
function promotesNothingSuperseded(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    const at = facts.findIndex((kept) => isOf(kept, "Signalled") && kept.event.signal === "supersede");
    return at !== -1 && facts.slice(at).some((kept) => isOf(kept, "Finished") && kept.event.result === "promoted")
      ? ["it was promoted after it was superseded"]
      : [];
  });
}

/** An aborted canary gets no share again in the same attempt. */
function givesNothingAfterAborting(run: Run): readonly string[] {
  return run.writes.flatMap(({ stream, length, weights, kind }) => {
    const state = run.store.stateAt(stream, length);
    const canary = state.intent?.revision;
    const bad =
      kind === "ShiftTraffic" &&
      state.ending !== undefined &&
      state.ending.result !== "promoted" &&
      weights.some(({ revision, percent }) => revision === canary && percent > 0);
    return bad ? [`${stream}: a share for the canary was sent after the result was ${state.ending!.result}`] : [];
  });
}

/** A canary gets a share only after it has passed its smoke test in the same attempt. */
function sharesOnlyWhatAnswers(run: Run): readonly string[] {
  return run.writes.flatMap(({ stream, length, weights, kind }) => {
    const { facts } = run.store.streams.get(stream)!;
    const attempt = run.store.stateAt(stream, length).attempt;
    const canary = facts[0]!.state.intent?.revision;
    if (kind !== "ShiftTraffic" || !weights.some(({ revision }) => revision === canary)) return [];
    const answered = facts.slice(0, length).some((kept) => kept.state.attempt === attempt && isOf(kept, "SmokePassed"));
    return answered ? [] : [`${stream}: a canary got a share before it passed its smoke test`];
  });
}

const writes: readonly string[] = ["Activate", "ShiftTraffic", "Deactivate"];
/** The facts that the outcome of a write may become, if the cloud did not fail. */
const written: readonly string[] = ["Activated", "TrafficShifted", "Deactivated", "Disregarded"];

/** No outcome is in a journal twice: a process that continues a pass does not write again what a dead one wrote. */
function writesNothingTwice(run: Run): readonly string[] {
  return eachStream(run, (facts, stream) => {
    const recorded = run.recorded.filter(({ stream: its, outcome }) => its === stream && outcome !== undefined);
    const found = facts.filter(({ event, epoch }) => epoch > 0 && written.includes(event.kind));
    return found.length > recorded.length
      ? [`it has ${found.length} facts of the ${recorded.length} outcomes of writes that were recorded`]
      : [];
  });
}

/** The journal has the outcome of every write that was recorded, whichever process continued the pass. */
const keepsEveryOutcome: Invariant = (run) =>
  run.recorded.flatMap(({ stream, outcome }) => {
    if (outcome === undefined || !writes.includes(outcome.of)) return [];
    const { facts } = run.store.streams.get(stream)!;
    // A clock that was set back shows in the outcome; the journal's times never decrease.
    const isIt = ({ event, epoch }: Kept, index: number): boolean =>
      epoch > 0 &&
      (written.includes(event.kind) || event.kind === "AttemptFailed") &&
      event.at === Math.max(outcome.at, facts[index - 1]?.event.at ?? 0);
    return facts.some(isIt)
      ? []
      : [`${stream}: the outcome of ${outcome.of} at ${outcome.at} was recorded, but is not in the journal`];
  });

/** A signal does not cut a write short that was sent. */
const cutsNoWrite: Invariant = (run) =>
  run.recorded.flatMap(({ stream, length, process, beganAt, outcome }) =>
    outcome === undefined &&
    run.writes.some(
      (write) => write.stream === stream && write.length === length && write.process === process && write.at >= beganAt,
    )
      ? [`${stream}: a write that was sent at fact ${length} counts as cut short`]
      : [],
  );

/**
 * A revision whose release was refused does not keep running. Exempt are those that a person gave traffic, those that
 * were asked for again, and those that the rollout in flight could not read or deactivate, as its journal says.
 */
function leavesNoRefusedRevision(run: Run): readonly string[] {
  const facts = [...run.store.streams.values()].flatMap((stream) => stream.facts);
  return run.refused.flatMap((revision) => {
    const hasShare = facts.some(
      ({ event }) =>
        (event.kind === "TrafficRead" || event.kind === "Inspected") &&
        (event.kind === "TrafficRead" ? event.weights : event.view.weights).some(
          (weight) => weight.revision === revision,
        ),
    );
    const isLeft = facts.some(
      ({ event }) => event.kind === "ReleaseRefused" && event.revision === revision && !event.deactivate,
    );
    const isIdle = !hasShare && !isLeft && !run.store.streams.has(streamFor(revision));
    return isIdle && run.cloud.revisions.get(revision)?.active
      ? [`the release of ${revision} was refused, but its revision is still active`]
      : [];
  });
}

/** A rollout that was taken back had another revision with stable's template beside it. */
function takesBackOnlyForStable(run: Run): readonly string[] {
  return eachStream(run, (facts) =>
    facts.flatMap((kept, index) => {
      if (!isOf(kept, "Aborted") || kept.event.reason !== "reverted") return [];
      const { stable, contenders } = facts[index - 1]!.state;
      const other = run.cloud.revisions.get(contenders[0]?.revision ?? "");
      return other !== undefined && other.template === run.cloud.revisions.get(stable ?? "")?.template
        ? []
        : ["it was taken back for a revision without stable's template"];
    }),
  );
}

/** All invariants by name. */
export const invariants: Readonly<Record<string, Invariant>> = {
  endsByName,
  decidesItselfAgain,
  growsOnlyForward,
  sendsWholeWeights,
  sendsNothingLate,
  takesNoLiveClaim,
  writesNothingTwice,
  keepsEveryOutcome,
  cutsNoWrite,
  decidesOnce,
  readsBackWhatItWrote,
  leavesTrafficWhereItSays,
  promotesNothingBad,
  passesOnEvidenceAlone,
  passesNothingUnwell,
  promotesNothingSuperseded,
  givesNothingAfterAborting,
  sharesOnlyWhatAnswers,
  leavesNoRefusedRevision,
  takesBackOnlyForStable,
};

/** Gives all violations of a run, each with the name of its invariant. */
export const check = (run: Run): readonly string[] =>
  Object.entries(invariants).flatMap(([name, invariant]) => invariant(run).map((wrong) => `${name}: ${wrong}`));
