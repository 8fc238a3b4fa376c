// The images of both revisions → what a release changed, for the head of the page.
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";
import { sameName } from "../../engines/rollout/weights.ts";

/** Gives the canary's images and what changed; empty if the journal does not have them. */
export function imagesOf(
  events: readonly RolloutEvent[],
  canary: string,
  stable: string | null,
): readonly (readonly [name: string, value: string])[] {
  const inspected = events.findLast((event) => event.kind === "Inspected");
  const imagesIn = (name: string | null): string | undefined =>
    inspected?.view.revisions.find((revision) => name !== null && sameName(revision.name, name))?.images?.join(", ");
  const now = imagesIn(canary);
  const before = imagesIn(stable);
  if (now === undefined) return [];
  if (before === undefined) return [["Image", now]];
  return before === now
    ? [["Image", `${now} (the same as stable's: the change is in variables, size, scale or another setting)`]]
    : [
        ["Image", now],
        ["Image before", before],
      ];
}
