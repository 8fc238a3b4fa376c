// Which rotations go before another one. Each counts those that were asked for earlier, so that two that look at the
// same moment do not both find room.
import { rotationKind } from "../../engines/rotation/kind.ts";
import type { RotationSummary } from "../../engines/rotation/summary.ts";
import type { Journal, Listed } from "../runtime/ports.ts";

/** How many rotations in flight are looked at. A budget is far smaller. */
const listedMax = 100;

/** Makes the look at the rotations that go before one, by their credentials. */
export const rotationsAhead =
  (journal: Pick<Journal, "list">) =>
  async (stream: string): Promise<readonly string[]> => {
    const { streams } = await journal.list({ kind: rotationKind.kind, unfinished: true, limit: listedMax });
    const own = streams.findIndex((one) => one.stream === stream);
    return streams
      .filter((one, index) => one.stream !== stream && goesBefore(one, own === -1 || index > own))
      .map((one) => one.stream.split("/").slice(1, 3).join("/"));
  };

/** One that waits for its window or a freeze lets others pass; one that has begun goes before all. */
function goesBefore(one: Listed, isEarlier: boolean): boolean {
  const summary = "overview" in one ? (one.overview.summary as RotationSummary | null | undefined) : undefined;
  if (summary == null) return isEarlier;
  const hasBegun = summary.published !== null;
  const isHeld = summary.reason === "window-closed" || summary.reason === "frozen";
  return hasBegun || (isEarlier && !isHeld);
}
