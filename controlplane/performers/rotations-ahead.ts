// Which rotations go before another one: those that the budget counts, and those of its kin. Each counts those that
// were asked for earlier, so that two that look at the same moment do not both find room.
import type { Kin } from "../../engines/rotation/kin.ts";
import { rotationKind } from "../../engines/rotation/kind.ts";
import type { RotationSummary } from "../../engines/rotation/summary.ts";
import type { Journal, Listed, Page } from "../runtime/ports.ts";

/** How many rotations are read at once. All in flight are looked at: those that have begun were asked for first. */
const pageMax = 100;

/** The rotations that go before one, by their credentials. */
export interface Ahead {
  /** Those that count towards the budget. */
  readonly ahead: readonly string[];
  /** Those of its kin, which must end first. */
  readonly kin: readonly string[];
}

/** Makes the look at the rotations that go before one. */
export const rotationsAhead =
  (journal: Pick<Journal, "list">) =>
  async (stream: string, { manager, managed }: Kin): Promise<Ahead> => {
    const streams = await inFlight(journal);
    const own = streams.findIndex((one) => one.stream === stream);
    const others = streams.flatMap((one, index) => {
      const isEarlier = own === -1 || index > own;
      const credential = one.stream.split("/").slice(1, 3).join("/");
      return one.stream === stream ? [] : [{ credential, isEarlier, standing: standingOf(one) }];
    });
    const named = (some: typeof others): readonly string[] => some.map(({ credential }) => credential);
    return {
      ahead: named(
        others.filter(({ isEarlier, standing }) => standing === "begun" || (isEarlier && standing === "asked")),
      ),
      // The managing one goes first also if it was asked for later. It waits for what has begun, and for what was
      // asked for earlier and has not given way yet: that one may be about to begin.
      kin: named(
        others.filter(({ credential, isEarlier, standing }) =>
          managed.includes(credential)
            ? standing === "begun" || (isEarlier && standing === "asked")
            : credential === manager && standing !== "held",
        ),
      ),
    };
  };

/** Lists all rotations in flight, the newest first. */
async function inFlight(journal: Pick<Journal, "list">): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  for (let after: Page["next"]; ; ) {
    const page: Page = await journal.list({
      kind: rotationKind.kind,
      unfinished: true,
      limit: pageMax,
      ...(after && { after }),
    });
    found.push(...page.streams);
    after = page.next;
    if (after === undefined) return found;
  }
}

/**
 * One that waits for its window, a freeze or a person lets others pass, and one that waits for its kin takes no room in
 * the budget: the one that it waits for may need that room. One that has begun goes before all.
 */
function standingOf(one: Listed): "begun" | "held" | "yields" | "asked" {
  const summary = "overview" in one ? (one.overview.summary as RotationSummary | null | undefined) : undefined;
  if (summary == null) return "asked";
  // A retry shows what its attempt before has seen, also while it waits for room.
  if (summary.published !== null && summary.reason !== "budget-used") return "begun";
  if (summary.paused != null || summary.reason === "window-closed" || summary.reason === "frozen") return "held";
  return summary.reason === "manager-busy" ? "yields" : "asked";
}
