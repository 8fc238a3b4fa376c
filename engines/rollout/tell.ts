// Facts → lines for people: in scenarios, in `pulumi up`, in `ballast release explain`, in the demo's timeline. The
// lines contain no hashes or revision names, so that the same rollout reads the same in every world. A person is
// named as the token names them, by id if it has no name.
import { duration } from "../time.ts";
import { many, senderOf } from "../wording.ts";
import { addCounts } from "./judge/counts.ts";
import type { Bucket, RolloutEvent, Verdict } from "./vocabulary.ts";
import { describeRequests, effectWords, signalWords } from "./wording.ts";

const dryRunWould: Readonly<Record<Verdict["verdict"], string>> = {
  fail: "roll back",
  pass: "continue",
  inconclusive: "wait",
};

/** Describes one fact in a line. */
export function messageOf(event: RolloutEvent): string {
  switch (event.kind) {
    case "Planned": {
      const { strategy, requestedBy, requestedByName = requestedBy, returns, repairs } = event.intent;
      if (returns !== undefined)
        return `all traffic at once, since it served before: a remediation of ${returns} returns to it`;
      if (repairs !== undefined)
        return `all traffic after its smoke test, since stable fails: a remediation of ${repairs} cuts over to it`;
      const bake = `${duration(strategy.bakeSeconds)} of bake each`;
      return `canary at ${event.steps.join(", ")} percent, ${bake}, requested by ${requestedByName}`;
    }
    case "Repointed":
      return "the revision is made, with the other secret";
    case "Inspected":
      return `${many(event.view.revisions.length, "revision")}, ${event.view.weights.length} with traffic`;
    case "Started":
      return event.stable === null
        ? "no other revision serves, so the canary gets all traffic once it answers"
        : `smoke test at weight 0${event.activate ? ", after activation" : ""}`;
    case "Activated":
      return "canary is activated";
    case "Probed":
      return `probe of canary ${event.good ? "passed" : "failed"}: ${event.detail}${describeRestarts(event)}`;
    case "SmokePassed":
      return "canary answers on its own address";
    case "TrafficShifted":
      return "weights are written";
    case "TrafficRead":
      return `weights are read back${event.lockedUntil === undefined ? "" : " while another client locks the app"}`;
    case "StepReached":
      return `canary has ${event.percent} percent`;
    case "TrafficDrifted":
      return describeDrift(event);
    case "TrafficMoved":
      return (
        `another client gave the canary ${event.seenPercent} percent instead of ${event.percent}; ` +
        "to be confirmed by a second read"
      );
    case "TrafficAdopted":
      return `continues from the ${event.percent} percent that another client set`;
    case "Waited":
      return "waited";
    case "Measured":
      return event.buckets.length === 0
        ? "no interval is complete yet"
        : `canary ${describeArm(event.buckets, "canary")}; stable ${describeArm(event.buckets, "stable")}`;
    case "DryRunJudged":
      return `dry-run thresholds would ${dryRunWould[event.verdict]}: ${event.message}`;
    case "StepPassed":
      return `passed ${event.percent} percent: ${event.message}`;
    case "RoleAsked":
    case "FoundUnchanged":
    case "ReleaseRefused":
    case "Waiting":
    case "Aborted":
    case "Finished":
      return event.message;
    case "Reverted":
      return "stable has 100 percent again, as read back";
    case "Deactivated":
      return "the losing revision is deactivated";
    case "AttemptFailed":
      return `${effectWords[event.effect]} failed: ${event.message}`;
    case "Signalled":
      return `${signalWords(event.signal)} by ${senderOf(event)}: ${event.message}`;
    case "Disregarded":
      return event.what;
  }
}

/** Reports whether a fact deserves a line for people who follow a rollout; the others are bookkeeping. */
export const isNoteworthy = (event: RolloutEvent): boolean =>
  !["Inspected", "RoleAsked", "TrafficShifted", "TrafficRead", "Waited", "Measured", "Deactivated"].includes(
    event.kind,
  ) && !(event.kind === "Probed" && event.good);

const describeDrift = ({
  deactivated,
  seenPercent,
  percent,
}: Extract<RolloutEvent, { kind: "TrafficDrifted" }>): string =>
  deactivated === undefined
    ? `canary has ${seenPercent} percent instead of ${percent}`
    : "another client deactivated a revision that has traffic";

function describeArm(buckets: readonly Bucket[], arm: "canary" | "stable"): string {
  const none = { requests: 0, failed: 0 };
  return describeRequests(buckets.reduce((total, bucket) => addCounts(total, bucket[arm]), none));
}

function describeRestarts({ restarts = [] }: Extract<RolloutEvent, { kind: "Probed" }>): string {
  const times = restarts.reduce((sum, restart) => sum + restart.times, 0);
  return times === 0 ? "" : `; ${many(times, "restart")} so far`;
}
