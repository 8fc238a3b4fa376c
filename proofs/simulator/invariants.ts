// What must hold of every run, each as a function of its own that gives what is wrong in words, or nothing. They look at what happened
// from outside: the journal, what was sent, what the cloud shows at the end. How it came about is not known here.

import { weightsOf } from "../../controlplane/adapters/azure/traffic.ts";
import { stepRequestsMin } from "../../engines/rollout/judge/judge.ts";
import { replay } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import { requestSeconds } from "./azure.ts";
import { faultsEndSeconds } from "./draw.ts";
import { type Run, start } from "./simulate.ts";
import type { Kept } from "./store.ts";

/** One thing that must hold; what it gives is wrong. */
export type Invariant = (run: Run) => readonly string[];

const eachStream = (run: Run, look: (facts: readonly Kept[], stream: string) => readonly string[]): readonly string[] =>
  [...run.store.streams].flatMap(([stream, { facts }]) => look(facts, stream).map((wrong) => `${stream}: ${wrong}`));
const isOf = <Kind extends RolloutEvent["kind"]>(
  kept: Kept,
  kind: Kind,
): kept is Kept & { readonly event: Extract<RolloutEvent, { kind: Kind }> } => kept.event.kind === kind;

/** Every rollout comes to a named end once faults have stopped. */
function endsByName(run: Run): readonly string[] {
  if (run.store.streams.size === 0) return run.asked.length > 0 ? ["the release was never heard"] : [];
  return eachStream(run, (facts) => {
    const last = facts.at(-1)!;
    return last.state.phase === "finished" && last.state.ending
      ? []
      : [
          `it has not ended ${Math.round(run.seconds - faultsEndSeconds)} s after the last fault, but is ${last.state.phase}`,
        ];
  });
}

/** A journal decides itself again, byte for byte, at its end; and so, facts being decided one after the other, at each of its observations. */
function decidesItselfAgain(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    const parted = replay(facts.map(({ event }) => event));
    return parted === undefined
      ? []
      : [
          `fact ${parted.index} is ${JSON.stringify(parted.written)} and would now be ${JSON.stringify(parted.decided)}`,
        ];
  });
}

/** Time never runs backwards in a journal, and its epochs never fall: whoever has lost the claim writes nothing more. */
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

/** Weights that we send add up to 100, and each epoch's writes are one process's. */
function sendsWholeWeights(run: Run): readonly string[] {
  const senders = new Map<number, string>();
  return run.writes.flatMap(({ kind, weights, epoch, process }) => {
    const wrong =
      kind === "ShiftTraffic" && weights.reduce((sum, { percent }) => sum + percent, 0) !== 100
        ? ["weights that do not add up to 100 were sent"]
        : [];
    const other = senders.get(epoch);
    senders.set(epoch, process);
    return other !== undefined && other !== process
      ? [...wrong, `${other} and ${process} both sent under epoch ${epoch}`]
      : wrong;
  });
}

/** A claim passes to another process only once its lease has run out. */
const takesNoLiveClaim: Invariant = ({ store }) =>
  store.stolen.map(({ process, epoch }) => `epoch ${epoch} was taken from ${process} while it held`);

/** The first decision wins: a result is carried out as it was decided, or ends stranded; only a retry begins anew. */
function decidesOnce(run: Run): readonly string[] {
  return eachStream(run, (facts) =>
    facts.flatMap(({ state, event }, index) => {
      const before = facts[index - 1]?.state;
      const was = before?.ending?.result;
      const is = state.ending?.result;
      // Aborted before it had seen the app, a rollout learns only then whether there is traffic to give back.
      const isLearnt = was === "rejected" && is === "rolled-back" && event.kind === "Started";
      return was === undefined || was === is || is === "stranded" || isLearnt || state.attempt > before!.attempt
        ? []
        : [`fact ${index} makes ${is} of ${was}`];
    }),
  );
}

/** What is sent after its claim was lost is sent within one request's time; only a process that slept between its fence and its sending is later. */
function sendsNothingLate(run: Run): readonly string[] {
  return run.writes.flatMap(({ lateBy, sleptThere, process, kind }) =>
    lateBy > requestSeconds * 1000 && !sleptThere
      ? [`${process} sent ${kind} ${lateBy / 1000} s after its claim was lost`]
      : [],
  );
}

/**
 * What the cloud shows in the end is what the last journal says, unless it was changed after we looked last: by somebody else, or by a write
 * of ours that was sent too late (see sendsNothingLate). A cloud that lied to that very look is believed.
 */
function leavesTrafficWhereItSays(run: Run): readonly string[] {
  const [stream, last] = [...run.store.streams].at(-1) ?? [];
  const state = last?.facts.at(-1)?.state;
  const shown = weightsOf(run.cloud.app());
  const place =
    last?.facts.findLastIndex(
      (kept) => isOf(kept, "TrafficRead") || isOf(kept, "TrafficShifted") || isOf(kept, "Inspected"),
    ) ?? -1;
  const look = last?.facts[place];
  if (state?.phase !== "finished" || !state.ending || state.ending.result === "stranded" || !look || !shown.ok)
    return [];
  const { at, writer } = run.cloud.lastChange();
  const ownWrite = run.writes.findLast((write) => write.stream === stream && write.kind === "ShiftTraffic");
  // A read tells what the cloud was when it was asked, after the fact before its own and no longer ago than a read may last.
  const askedAt = Math.max(last!.facts[place - 1]?.at ?? 0, look.at - 10 * requestSeconds * 1000);
  const wasMovedSince = at > askedAt && (writer !== "us" || (ownWrite?.lateBy ?? 0) > 0);
  const lied = run.drawn.faults.some(
    (fault) =>
      fault.kind === "cloud" &&
      fault.how === "lie" &&
      look.at >= start + fault.at * 1000 - 60_000 &&
      look.at <= start + (fault.at + fault.lasts) * 1000 + 60_000,
  );
  if (wasMovedSince || lied) return [];
  const first = run.drawn.before === "nothing" || run.store.streams.size > 1 ? undefined : "shop--1";
  const serving = state.ending.result === "promoted" ? state.intent!.revision : (state.stable ?? first);
  if (serving === undefined) return [];
  const shownAs = shown.value.map(({ revision, percent }) => `${revision} ${percent}`).join(", ");
  // What is rejected leaves everybody where they were; a person may have shared the traffic out among others.
  if (state.ending.result === "rejected" && !shown.value.some(({ revision }) => revision === state.intent!.revision))
    return [];
  if (shownAs !== `${serving} 100`)
    return [`${stream} was ${state.ending.result}, and the app shows ${shownAs} where ${serving} should have all`];
  const wasTakenAway = run.drawn.faults.some((fault) => fault.kind === "portal" && fault.what.startsWith("deactivate"));
  return run.cloud.revisions.get(serving)?.active || wasTakenAway
    ? []
    : [`${serving} has all traffic and is deactivated`];
}

/** The judge promotes no canary that was bad while its last step was watched, beside a stable that was good. */
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

/** A step passes on enough requests that were judged, in bins without a gap that cover its bake; never by the clock. */
function passesOnEvidenceAlone(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    let bins: { readonly at: number; readonly requests: number }[] = [];
    const wrong: string[] = [];
    for (const [index, kept] of facts.entries()) {
      if (isOf(kept, "StepReached") || isOf(kept, "TrafficAdopted")) bins = [];
      if (isOf(kept, "Measured"))
        bins.push(...kept.event.bins.map(({ at, canary }) => ({ at, requests: canary.requests })));
      const { promoted, stable, intent } = kept.state;
      if (!isOf(kept, "StepPassed") || promoted || stable === null) continue;
      bins = bins.filter(({ at }) => at >= kept.state.warmUntil);
      const tick = intent!.pace.tickSeconds;
      const requests = bins.reduce((sum, bin) => sum + bin.requests, 0);
      if (requests < stepRequestsMin) wrong.push(`fact ${index} passes a step on ${requests} requests`);
      if (bins.length * tick < intent!.pace.bakeSeconds)
        wrong.push(
          `fact ${index} passes a step that was judged for ${bins.length * tick} s of ${intent!.pace.bakeSeconds}`,
        );
      if (bins.some(({ at }, place) => place > 0 && at !== bins[place - 1]!.at + tick * 1000))
        wrong.push(`fact ${index} passes a step with a gap in its bins`);
    }
    return wrong;
  });
}

/** What was superseded is not promoted. */
function promotesNothingSuperseded(run: Run): readonly string[] {
  return eachStream(run, (facts) => {
    const at = facts.findIndex((kept) => isOf(kept, "Signalled") && kept.event.signal === "supersede");
    return at !== -1 && facts.slice(at).some((kept) => isOf(kept, "Finished") && kept.event.result === "promoted")
      ? ["it was promoted after it was superseded"]
      : [];
  });
}

/** Once it was aborted, a canary is sent no share again in the same attempt. */
function givesNothingAfterAborting(run: Run): readonly string[] {
  return run.writes.flatMap(({ stream, length, weights, kind }) => {
    const state = run.store.stateAt(stream, length);
    const canary = state.intent?.revision;
    const bad =
      kind === "ShiftTraffic" &&
      state.ending !== undefined &&
      state.ending.result !== "promoted" &&
      weights.some(({ revision, percent }) => revision === canary && percent > 0);
    return bad ? [`${stream}: a share for the canary was sent after it had been ${state.ending!.result}`] : [];
  });
}

/** A canary is sent a share only after it has answered on its own address in the same attempt, by us. */
function sharesOnlyWhatAnswers(run: Run): readonly string[] {
  return run.writes.flatMap(({ stream, length, weights, kind }) => {
    const { facts } = run.store.streams.get(stream)!;
    const attempt = run.store.stateAt(stream, length).attempt;
    const canary = facts[0]!.state.intent?.revision;
    if (kind !== "ShiftTraffic" || !weights.some(({ revision }) => revision === canary)) return [];
    const answered = facts.slice(0, length).some((kept) => kept.state.attempt === attempt && isOf(kept, "SmokePassed"));
    return answered ? [] : [`${stream}: a share was sent to a canary that had not answered its smoke test`];
  });
}

/** Everything that must hold, by name. */
export const invariants: Readonly<Record<string, Invariant>> = {
  endsByName,
  decidesItselfAgain,
  growsOnlyForward,
  sendsWholeWeights,
  sendsNothingLate,
  takesNoLiveClaim,
  decidesOnce,
  leavesTrafficWhereItSays,
  promotesNothingBad,
  passesOnEvidenceAlone,
  promotesNothingSuperseded,
  givesNothingAfterAborting,
  sharesOnlyWhatAnswers,
};

/** Gives what is wrong with a run, each with the name of the invariant. */
export const check = (run: Run): readonly string[] =>
  Object.entries(invariants).flatMap(([name, invariant]) => invariant(run).map((wrong) => `${name}: ${wrong}`));
