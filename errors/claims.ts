// What can go wrong when two rollouts want the same target.
import { entry } from "./catalogue.ts";

/** An app has one rollout at a time, and this one is not it. */
export const claimTargetHeld = entry<{ stream: string; heldBy: string }>("claim-target-held", {
  title: "Another rollout holds the target",
  message: ({ stream, heldBy }) =>
    `${stream} cannot go on, since ${heldBy} is in flight on the same app, and an app has one rollout at a time.`,
  fix: ({ heldBy }) => `wait until ${heldBy} has finished, or abort it`,
  left: ({ heldBy }) => `${heldBy} goes on undisturbed; nothing else was changed.`,
});
