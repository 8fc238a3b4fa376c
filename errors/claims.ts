// Errors of two rollouts that want the same target.
import { entry } from "./catalogue.ts";

/** An app has one rollout at a time, and another one holds the claim. */
export const claimTargetHeld = entry<{ stream: string; heldBy: string }>("claim-target-held", {
  title: "Another rollout holds the claim on the target",
  message: ({ stream, heldBy }) =>
    `${stream} cannot continue: ${heldBy} is in flight on the same app, and an app has one rollout at a time.`,
  fix: ({ heldBy }) => `wait until ${heldBy} has finished, or abort it`,
  left: ({ heldBy }) => `The rollout ${heldBy} continues undisturbed. Nothing else was changed.`,
});
