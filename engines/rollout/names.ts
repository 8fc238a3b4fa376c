// What targets and rollouts are called: the keys of claims, and the ids that are the streams of the journal. Pure text;
// who holds a target and what a stream holds is not known here.
import type { Target } from "./vocabulary.ts";

/** Names a target as claims do. Azure does not tell upper from lower case, so neither do we. */
export const targetKey = (target: Target): string => `${target.resourceGroup}/${target.app}`.toLowerCase();

/** Names the stream of a rollout, which is also its id everywhere. */
export const streamOf = (target: Target, revision: string): string =>
  `rollout/${targetKey(target)}/${revision.toLowerCase()}`;

/** Gives the target of a stream, or undefined for a name that is no rollout's. */
export function targetOf(stream: string): Target | undefined {
  const [kind, resourceGroup, app, revision, ...rest] = stream.split("/");
  if (kind !== "rollout" || !resourceGroup || !app || !revision || rest.length > 0) return undefined;
  return { resourceGroup, app };
}
