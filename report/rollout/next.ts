// The end of a rollout → what to do next, for the person who opens the page at night.
import type { Ending, EndReason, RolloutState } from "../../engines/rollout/vocabulary.ts";

const promoted = "Nothing to do: users are on the new release.";

/** A journal of a newer version may have a reason that is not known here. */
const afterReason: Partial<Readonly<Record<string, string>>> = {
  "every-step-passed": promoted,
  "promoted-by-signal": promoted,
  returned:
    "Users are on the revision that served before. Find out why the one after it failed before you release it again.",
  repaired:
    "Users are on a revision with the credential's other secret. Find out why stable failed with the first one.",
  "same-template": "Nothing to do: the template that serves is the one that was asked for.",
  "worse-than-stable":
    "Look at the canary's logs for the time below, fix the release, and run `pulumi up` again. " +
    "If the cause was elsewhere, run `ballast release retry`.",
  "probes-failed": "The canary stopped answering on its own address: look at its console logs and restarts.",
  "smoke-test-failed": "The canary did not start or did not answer: look at its console logs, port and variables.",
  "time-expired":
    "The evidence was not enough: `ballast power` says how long this traffic needs, and a " +
    "longer maximumSeconds gives it that time.",
  "not-approved": "Run `ballast release retry` when a person is there to approve.",
  "effect-failed": "Azure refused an operation. Read the message, check with `ballast doctor`, then retry.",
  "weights-drifted": "Find the client that changes the weights (the app's activity log names it), stop it, then retry.",
  "traffic-moved-back": "Another client gave stable all traffic. Ask who did, and why, before you retry.",
  "aborted-by-signal": "Ask the person who aborted before you retry.",
  reverted: "Nothing to do: the program has stable's template again.",
  superseded: "Nothing to do: a later release took its place. Read that release's report.",
  "app-unfit": "Change the app as the message says, then run `pulumi up` again.",
  "revision-missing": "Run `pulumi up` again: the revision does not exist.",
  "role-closed": "Read the rotation that the message names; retry once it has ended.",
  "stable-missing": "Check which revision serves now: the one that served before is gone.",
} satisfies Readonly<Record<EndReason, string>>;

/** What decides the next step. */
export type Standing = Pick<RolloutState, "ending" | "phase" | "waiting" | "paused" | "stable">;

/** Says what to do next. */
export function nextOf(state: Standing): string {
  const { ending, phase, stable } = state;
  if (ending === undefined) return nextInFlight(state);
  return phase === "finished" ? afterEnd(ending, stable) : whileEnding(ending);
}

function afterEnd({ result, reason }: Ending, stable: string | null): string {
  if (result === "degraded")
    return "A person must look now: check in the portal which revision has the traffic, and give it to stable by hand.";
  const isLeft = result === "rolled-back" || result === "rejected";
  const users = isLeft && reason !== "superseded" ? `${usersAfter(result, reason, stable)} ` : "";
  return `${users}${afterReason[reason] ?? "Read the message, then retry or fix the release."}`;
}

/** Says where users are without the canary. An app's first release has no stable to give them back to. */
function usersAfter(result: "rolled-back" | "rejected", reason: EndReason, stable: string | null): string {
  if (stable === null && (result === "rolled-back" || reason === "smoke-test-failed"))
    return "Nobody serves the app's users: it has no other revision.";
  return result === "rejected" ? "No user met the canary." : "Users are on stable.";
}

/** The verdict is there, and its last operations are under way. */
const whileEnding = ({ result }: Ending): string =>
  result === "promoted" || result === "unchanged"
    ? "Nothing to do: the verdict is there, and the last operations are under way."
    : "Nothing to do yet: it was aborted, and the traffic is being given back. Read the result in a minute.";

function nextInFlight({ waiting, paused }: Standing): string {
  if (paused) return "A person paused it: `ballast release resume` continues, `ballast release abort` gives it back.";
  if (waiting === "unapproved") return "It waits for a person: `ballast release approve` or `ballast release abort`.";
  return "Nothing to do: it is still being judged. `ballast release abort` gives all traffic back to stable at once.";
}
