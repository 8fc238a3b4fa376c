// Errors of two streams that want the same target.
import { entry } from "./catalogue.ts";

/** A target has one holder at a time, and it is another stream. */
export const claimTargetHeld = entry<{ stream: string; heldBy: string }>("claim-target-held", {
  title: "Another stream holds the claim on the target",
  message: ({ stream, heldBy }) =>
    `${stream} cannot continue: ${heldBy} is in flight on the same target, which only one may change at a time.`,
  fix: ({ heldBy }) => `wait until ${heldBy} has finished, or abort it`,
  left: ({ heldBy }) => `${heldBy} continues undisturbed. Nothing else was changed.`,
});
