// Facts → lines that people read: in scenarios, in `pulumi up`, in `ballast release explain`, in the demo's timeline.
// No ids, no hashes and no revision names stand in them, so that the same rollout reads the same in every world.
import { duration } from "../time.ts";
import { plus } from "./judge/gather.ts";
import type { Bin, RolloutEvent } from "./vocabulary.ts";

/** Tells one fact in words. */
export function tell(event: RolloutEvent): string {
  switch (event.kind) {
    case "Planned":
      return `canary at ${event.steps.join(", ")} percent, each watched for ${duration(event.intent.pace.bakeSeconds)}, asked for by ${event.intent.requestedBy}`;
    case "Inspected":
      return `${event.view.revisions.length} revisions, ${event.view.weights.length} with traffic`;
    case "Started":
      return event.stable === null
        ? "nothing serves yet, so the first release is pinned as soon as it answers"
        : `smoke test at weight 0${event.activate ? ", after activation" : ""}`;
    case "FoundEqual":
      return event.sentence;
    case "Activated":
      return "canary has been activated";
    case "Probed":
      return `${event.good ? "canary answers" : "canary does not answer"}: ${event.detail}`;
    case "SmokePassed":
      return "canary answers on its own address";
    case "TrafficShifted":
      return "new weights are written";
    case "TrafficRead":
      return event.heldUntil === undefined
        ? "weights are read back"
        : "weights are read back while somebody else holds the app";
    case "StepReached":
      return `canary has ${event.percent} percent`;
    case "TrafficDrifted":
      return event.deactivated === undefined
        ? `canary shows ${event.seenPercent} percent where ${event.percent} was set`
        : "a revision that has traffic was deactivated by somebody else";
    case "TrafficMoved":
      return `somebody else gave the canary ${event.seenPercent} percent where ${event.percent} was set; it counts when it is seen again`;
    case "TrafficAdopted":
      return `goes on from the ${event.percent} percent that somebody else gave the canary`;
    case "Waited":
      return "waited";
    case "Measured":
      return `canary ${tally(event.bins, "canary")}; stable ${tally(event.bins, "stable")}`;
    case "Held":
      return event.sentence;
    case "ShadowJudged":
      return `other limits would ${event.verdict === "fail" ? "roll back" : event.verdict === "pass" ? "go on" : "hold"}: ${event.sentence}`;
    case "StepPassed":
      return `${event.percent} percent: ${event.sentence}`;
    case "Aborted":
      return event.sentence;
    case "Reverted":
      return "stable has 100 percent again, read back";
    case "Deactivated":
      return "the revision that lost has been deactivated";
    case "AttemptFailed":
      return `${event.effect} failed: ${event.reason}`;
    case "Signalled":
      return `${event.signal} by ${event.by}: ${event.reason}`;
    case "Disregarded":
      return event.what;
    case "Finished":
      return event.sentence;
  }
}

/** Says whether a fact is worth a line to a person who follows along; the rest is bookkeeping. */
export const isWorthTelling = (event: RolloutEvent): boolean =>
  !["Inspected", "TrafficShifted", "TrafficRead", "Waited", "Measured", "Deactivated"].includes(event.kind) &&
  !(event.kind === "Probed" && event.good);

function tally(bins: readonly Bin[], arm: "canary" | "stable"): string {
  const { requests, failed } = bins.reduce((total, bin) => plus(total, bin[arm]), { requests: 0, failed: 0 });
  return `${requests} requests, ${failed} failed`;
}
