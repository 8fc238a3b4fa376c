// Whether an app is still as a finished rollout left it. A person may have given the traffic to another revision by
// hand, a later rollout may have done so on purpose, or the app may have been deleted and made again: Azure then gives
// its revisions the same names.
import { keptFold } from "../../engines/engine.ts";
import { streamOf, targetOf } from "../../engines/rollout/names.ts";
import { rollout } from "../../engines/rollout/rollout.ts";
import type { RolloutEvent, RolloutState, Weight } from "../../engines/rollout/vocabulary.ts";
import { sameName, shareOf } from "../../engines/rollout/weights.ts";
import type { Fact, Journal, Standing } from "../runtime/ports.ts";
import type { Sight } from "./rollout-ports.ts";

/** What the question needs. */
export interface StandingWorld {
  readonly journal: Pick<Journal, "read" | "streams">;
  readonly see: Sight;
  /** How long Azure may take to answer. Without an answer, what the journal says stands. */
  readonly patienceSeconds: number;
}

/** Makes the question about rollouts. A stream of another kind always stands. */
export const standingOf =
  (world: StandingWorld) =>
  async (stream: string): Promise<Standing> => {
    const target = targetOf(stream);
    if (target === undefined) return "stands";
    const state = await stateOf(world, stream);
    const { intent, ending, phase } = state;
    if (phase !== "finished" || intent === undefined || ending === undefined) return "stands";
    const seen = await world.see(intent.target, intent.revision, AbortSignal.timeout(world.patienceSeconds * 1000));
    if (!seen.ok) return "stands";
    const { weights, madeAt } = seen.value;
    if (madeAt !== undefined && madeAt > state.phaseAt) return "again";
    const left = leftServing(state);
    if (left === undefined || weights.length === 0 || shareOf(weights, left) === 100) return "stands";
    const serving = weights.toSorted((one, other) => other.percent - one.percent)[0]!.revision;
    const why = (await laterRelease(world, state, serving)) ?? whySplit(weights);
    return why === undefined ? "again" : { why };
  };

/** Gives the revision that an end left with all traffic; undefined if it was not sure of any. */
function leftServing({ ending, intent, stable }: RolloutState): string | undefined {
  if (ending?.result === "promoted") return intent?.revision;
  return ending?.result === "unchanged" && stable !== null ? stable : undefined;
}

/** With two revisions in service it is not clear which of them users should stay on while the rollout goes on. */
const whySplit = (weights: readonly Weight[]): string | undefined =>
  weights.length === 1
    ? undefined
    : `the traffic is split (${weights.map(({ revision, percent }) => `${revision} ${percent} %`).join(", ")})`;

/** Tells which release gave a revision its traffic after this one had ended. */
async function laterRelease(
  world: StandingWorld,
  { intent: own, phaseAt }: RolloutState,
  serving: string,
): Promise<string | undefined> {
  if (own === undefined) return undefined;
  // A remediation's rollout adds to the name of the revision to which it returns.
  const prefix = streamOf(own.target, serving);
  for (const each of await world.journal.streams({ prefix })) {
    const { intent, ending, phaseAt: endedAt } = await stateOf(world, each);
    const isLater = endedAt > phaseAt && ending?.result === "promoted";
    if (intent === undefined || !isLater || !sameName(intent.revision, serving)) continue;
    return intent.returns === undefined
      ? `${serving} was released after it`
      : `a remediation of ${intent.returns} returned the traffic to ${serving}`;
  }
  return undefined;
}

const stateOf = async ({ journal }: StandingWorld, stream: string): Promise<RolloutState> =>
  keptFold(rollout)((await journal.read(stream)) as readonly Fact<RolloutEvent>[]);
