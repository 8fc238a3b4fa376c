// The restarts of a revision's replicas, as Container Apps counts them for each container. The counts live and die with
// their replica, so they are kept by its name.
import type { Replica } from "@azure/arm-appcontainers";
import { type Restart, restartsMax } from "../../../engines/rollout/views.ts";
import type { Target } from "../../../engines/rollout/vocabulary.ts";
import type { Connection } from "./connection.ts";
import { ask, type Patience } from "./trouble.ts";

/**
 * Reads which replicas of a revision have restarted.
 *
 * @returns undefined if Azure does not say. A probe is worth more than its restarts, so that is no failure.
 */
export async function fetchRestarts(
  { apps }: Pick<Connection, "apps">,
  patience: Patience,
  { resourceGroup, app }: Target,
  revision: string,
  cancel: AbortSignal,
): Promise<readonly Restart[] | undefined> {
  const found = await ask(patience, cancel, (abortSignal) =>
    apps.containerAppsRevisionReplicas.listReplicas(resourceGroup, app, revision, { abortSignal }),
  );
  return found.ok ? restartsOf(found.value.value ?? []) : undefined;
}

/** Gives the replicas that have restarted, the most restarts first. */
function restartsOf(replicas: readonly Replica[]): readonly Restart[] {
  return replicas
    .map(({ name = "", containers = [] }) => ({
      replica: name,
      times: containers.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
    }))
    .filter(({ times }) => times > 0)
    .toSorted((one, other) => other.times - one.times)
    .slice(0, restartsMax);
}
