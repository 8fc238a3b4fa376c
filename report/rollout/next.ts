// The end of a rollout → what to do next, for the person who opens the page at night.
import type { Ending, EndReason, RolloutState } from "../../engines/rollout/vocabulary.ts";

const afterReason: Partial<Readonly<Record<EndReason, string>>> = {
  "worse-than-stable":
    "Users are on stable. Look at the canary's logs for the time below, fix the release, and run `pulumi up` again. " +
    "If the cause was elsewhere, run `ballast release retry`.",
  "probes-failed":
    "Users are on stable. The canary stopped answering on its own address: look at its console logs and restarts.",
  "smoke-test-failed":
    "No user met the canary. It did not start or did not answer: look at its console logs, its port, its variables.",
  "time-expired":
    "Users are on stable. The evidence was not enough: `ballast power` says how long this traffic needs, and a " +
    "longer maximumSeconds gives it that time.",
  "not-approved": "Users are on stable. Run `ballast release retry` when a person is there to approve.",
  "effect-failed": "Azure refused an operation. Read the message, check with `ballast doctor`, then retry.",
  "weights-drifted": "Find the client that changes the weights (the app's activity log names it), stop it, then retry.",
  "traffic-moved-back": "Another client gave stable all traffic. Ask who did, and why, before you retry.",
  "aborted-by-signal": "Users are on stable. Ask the person who aborted before you retry.",
  superseded: "Nothing to do: a later release took its place. Read that release's report.",
  "app-unfit": "Change the app as the message says, then run `pulumi up` again.",
  "revision-missing": "Run `pulumi up` again: the revision does not exist.",
  "stable-missing": "Check which revision serves now: the one that served before is gone.",
};

/** Says what to do next. */
export function nextOf({ ending, phase, waiting, paused }: RolloutState): string {
  if (phase !== "finished" || ending === undefined) return nextInFlight(waiting, paused);
  return afterEnd(ending);
}

function afterEnd({ result, reason }: Ending): string {
  if (result === "degraded")
    return "A person must look now: check in the portal which revision has the traffic, and give it to stable by hand.";
  if (result === "promoted") return "Nothing to do: users are on the new release.";
  if (result === "unchanged") return "Nothing to do: the template that serves is the one that was asked for.";
  return afterReason[reason] ?? "Read the message, then retry or fix the release.";
}

function nextInFlight(waiting: RolloutState["waiting"], paused: boolean): string {
  if (paused) return "A person paused it: `ballast release resume` continues, `ballast release abort` gives it back.";
  if (waiting === "unapproved") return "It waits for a person: `ballast release approve` or `ballast release abort`.";
  return "Nothing to do: it is still being judged. `ballast release abort` gives all traffic back to stable at once.";
}
