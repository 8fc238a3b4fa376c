// Measures what readers cost the control loop: how long the renewal of a lease takes while callers list, show and
// follow rollouts of hours. Readers and the lease share one process and one database, as in a control plane.

import { openClaims } from "../../controlplane/adapters/postgres/claims.ts";
import {
  connectionOptions,
  type Database,
  openPool,
  poolSizes,
} from "../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../controlplane/adapters/postgres/migrations.ts";
import { createApp } from "../../controlplane/api/app.ts";
import type { Parts } from "../../controlplane/api/call.ts";
import { registerKinds } from "../../engines/kind.ts";
import { rolloutKind } from "../../engines/rollout/kind.ts";
import type { RolloutEvent } from "../../engines/rollout/vocabulary.ts";

/** The setting of a measurement. */
export interface Reading {
  readonly database: Database;
  /** The journal of each rollout. */
  readonly events: readonly RolloutEvent[];
  readonly rollouts: number;
  readonly readers: number;
  readonly leaseSeconds: number;
  /** How many times each reader lists, shows and follows. */
  readonly rounds: number;
}

/** What was measured. */
export interface Read {
  readonly rollouts: number;
  readonly facts: number;
  readonly readers: number;
  /** Milliseconds of each renewal without readers and with them, in the same run. */
  readonly alone: readonly number[];
  readonly beside: readonly number[];
  /** Milliseconds of each call of the readers. */
  readonly calls: readonly number[];
}

/** Reads the first part of an answer and cancels the rest: the answer that follows a rollout in flight has no end. */
async function firstOf({ body }: Response): Promise<void> {
  const reader = body!.getReader();
  await reader.read();
  await reader.cancel();
}

/** Renews a lease all the time until `until` resolves, and gives how long each renewal took. */
async function renewals(renew: () => Promise<boolean>, until: Promise<unknown>): Promise<readonly number[]> {
  const took: number[] = [];
  let over = false;
  const end = (): void => {
    over = true;
  };
  void until.then(end, end);
  while (!over) {
    const began = performance.now();
    if (!(await renew())) throw new Error("the lease was lost");
    took.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await until;
  return took;
}

/** Writes the rollouts, then measures renewals alone and beside the readers. */
export async function measureReaders(setting: Reading): Promise<Read> {
  const { database, events, rollouts, readers, leaseSeconds, rounds } = setting;
  const [pool, claimsPool] = [
    openPool(database, () => undefined),
    openPool(database, () => undefined, poolSizes.claims),
  ];
  await migrate(pool);
  const journal = openJournal(pool, connectionOptions(database), registerKinds([rolloutKind]), () => undefined);
  const claims = openClaims(claimsPool, leaseSeconds);
  try {
    for (let index = 0; index < rollouts; index++)
      await journal.append(`rollout/bench/app/app--${index}`, [], events, { process: "bench" });
    const claimed = await claims.take(["app/bench/other"], "rollout/bench/other/other--1", "bench");
    if (!("claim" in claimed)) throw new Error("the claim was not free");
    const renew = () => claims.renew(claimed.claim);
    const parts = {
      journal,
      claims,
      kinds: registerKinds([rolloutKind]),
      streams: {},
      managedApps: [],
      managedTargets: [],
      now: Date.now,
      process: "bench",
      closing: new AbortController().signal,
    } as unknown as Parts;
    const app = createApp(
      parts,
      async () => ({ name: "reader", roles: ["Rollout.Read"] }),
      () => undefined,
    );
    const calls: number[] = [];
    const read = async (reader: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const one = `/rollouts/bench/app/app--${(reader + round) % rollouts}`;
        for (const to of ["/rollouts", one, `${one}/follow?from=${events.length - 1}`]) {
          const began = performance.now();
          const response = await app.request(to);
          await firstOf(response);
          if (response.status !== 200) throw new Error(`${to} was answered ${response.status}`);
          calls.push(performance.now() - began);
        }
      }
    };
    const alone = await renewals(renew, new Promise((resolve) => setTimeout(resolve, 500)));
    const beside = await renewals(renew, Promise.all(Array.from({ length: readers }, (_, reader) => read(reader))));
    return { rollouts, facts: events.length, readers, alone, beside, calls };
  } finally {
    await journal.close();
    await Promise.all([pool.end(), claimsPool.end()]);
  }
}
