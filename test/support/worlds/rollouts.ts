// Rollouts as the only kind of work, for tests that read or write their journals; and a loop that carries them out.

import { type DbosSetting, openOrchestrations } from "../../../controlplane/adapters/dbos/orchestrations.ts";
import { type RolloutWorld, rolloutPerformer } from "../../../controlplane/performers/rollout.ts";
import {
  createOrchestrator,
  type Orchestrator,
  type OrchestratorSetting,
} from "../../../controlplane/runtime/orchestrate.ts";
import { type Kinds, registerKinds } from "../../../engines/kind.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";

/** The rollouts. */
export const rollouts: Kinds<RolloutEvent> = registerKinds([rolloutKind]);

/** Makes a loop that carries out rollouts in a world. */
export const rolloutLoop = ({
  ports,
  requestSeconds,
  kinds = rollouts,
  pool,
  ...setting
}: Omit<OrchestratorSetting<RolloutEvent>, "ports" | "kinds" | "performers" | "orchestrations"> & {
  readonly ports: OrchestratorSetting<RolloutEvent>["ports"] & Omit<RolloutWorld, "requestSeconds">;
  readonly requestSeconds: number;
  readonly pool: DbosSetting["pool"];
  readonly kinds?: Kinds<RolloutEvent>;
}): Orchestrator<RolloutEvent> =>
  createOrchestrator({
    ...setting,
    orchestrations: openOrchestrations({ pool, process: setting.process, log: setting.log }),
    ports,
    kinds,
    performers: () => ({ rollout: rolloutPerformer({ ...ports, requestSeconds }) }),
  });
