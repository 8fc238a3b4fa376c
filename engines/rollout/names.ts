// The names of targets and rollouts: the keys of claims, and the ids that are also the streams of the journal.
import type { Target } from "./vocabulary.ts";

/** Gives the key of a target, in lower case, since Azure ignores case. */
export const targetKey = (target: Target): string => `${target.resourceGroup}/${target.app}`.toLowerCase();

/** Gives the stream of a rollout, which is also its id everywhere. */
export const streamOf = (target: Target, revision: string): string =>
  `rollout/${targetKey(target)}/${revision.toLowerCase()}`;

/** Gives the target of a stream; undefined if the stream is not that of a rollout. */
export function targetOf(stream: string): Target | undefined {
  const [kind, resourceGroup, app, revision, ...rest] = stream.split("/");
  if (kind !== "rollout" || !resourceGroup || !app || !revision || rest.length > 0) return undefined;
  return { resourceGroup, app };
}
