// A control plane that carries out rollouts and ferries side by side, over a real database: loop, journal, claims and
// API. It is started in the test's own process, or by replica.ts in one that can be killed.
import type pg from "pg";
import { openOrchestrations } from "../../../controlplane/adapters/dbos/orchestrations.ts";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal, type PostgresJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { createApp } from "../../../controlplane/api/app.ts";
import { appRoles } from "../../../controlplane/api/roles.ts";
import { rolloutPerformer } from "../../../controlplane/performers/rollout.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import { createOrchestrator, type Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Claims } from "../../../controlplane/runtime/ports.ts";
import { type AnyEvent, type AnyKind, type Kinds, registerKinds } from "../../../engines/kind.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import { appKey } from "../../../engines/targets.ts";
import { cloudInTable } from "../worlds/cloud-in-table.ts";
import { ferryKind } from "./kind.ts";
import { ferryPerformer, openQuay } from "./performer.ts";

const both: readonly AnyKind[] = [rolloutKind, ferryKind];

/** Rollouts and ferries; and rollouts alone, as in the version before ferries came. */
export const twoKinds: Kinds = registerKinds(both, { rollout: { ferry: "wait" } });
export const oneKind: Kinds = registerKinds(both.slice(0, 1));

/** The apps and docks that this control plane manages. */
const apps = ["web", "shop"].map((app) => ({ resourceGroup: "rg", app }));
const docks = ["north", "south", "east"].map((dock) => `dock/bay/${dock}`);

/** How a control plane is opened. */
export interface TwoKindsSetting {
  readonly database: Database;
  readonly pool: pg.Pool;
  readonly name: string;
  readonly leaseSeconds: number;
  readonly kinds?: Kinds;
  readonly log?: (message: string) => void;
}

/** The control plane; `call` sends a call to its API. */
export interface TwoKinds {
  readonly journal: PostgresJournal<AnyEvent>;
  readonly claims: Claims;
  readonly orchestrator: Orchestrator;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly close: () => Promise<void>;
}

/** Opens and launches it. */
export async function openTwoKinds({
  database,
  pool,
  name,
  leaseSeconds,
  kinds = twoKinds,
  log = () => undefined,
}: TwoKindsSetting): Promise<TwoKinds> {
  const journal = openJournal(pool, connectionOptions(database), kinds, log);
  const claims = openClaims(pool, leaseSeconds);
  const clock = clockOf(Date.now);
  const orchestrator = createOrchestrator({
    ports: { journal, claims, clock },
    kinds,
    performers: (streams) => ({
      rollout: rolloutPerformer({ ...cloudInTable(pool), claims, clock, requestSeconds: leaseSeconds / 2 }),
      ferry: ferryPerformer({ quay: openQuay(pool, name), clock, streams }),
    }),
    orchestrations: openOrchestrations({ pool, process: name, log }),
    process: name,
    leaseSeconds,
    log,
  });
  await orchestrator.launch();
  const closing = new AbortController();
  const app = createApp(
    {
      journal,
      claims,
      kinds,
      streams: orchestrator,
      managedApps: apps,
      managedTargets: [...apps.map(appKey), ...docks],
      now: Date.now,
      process: name,
      closing: closing.signal,
    },
    async () => ({ name: "ann", roles: appRoles }),
    () => undefined,
  );
  return {
    journal,
    claims,
    orchestrator,
    fetch: app.fetch,
    close: async () => {
      closing.abort();
      await orchestrator.close();
      await journal.close();
    },
  };
}
