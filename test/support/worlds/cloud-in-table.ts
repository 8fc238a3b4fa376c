// A cloud that outlives the processes that write to it: the weights of each app are in a table of the test's own
// database. Every revision is up and answers. Every request succeeds, except for a third of those to the canary of an
// app whose name begins with `bad`.
import type pg from "pg";

import { type Database, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import type { Apps, Requests } from "../../../controlplane/performers/rollout-ports.ts";
import type { RolloutObservation, Target, Weight } from "../../../engines/rollout/vocabulary.ts";

import type { PostgresForTests } from "../postgres/postgres.ts";
import { toyRequest } from "./toy-engine.ts";

const stable = "stable";

/** Creates the table, once for all processes, since two of them cannot create it at the same time. */
export const createCloud = async (pool: pg.Pool): Promise<void> =>
  void (await pool.query("create table public.cloud (app text primary key, weights jsonb not null)"));

/** Makes a database with the tables of the control plane and of the cloud. */
export async function freshCloud(postgres: PostgresForTests): Promise<Database> {
  const database = await postgres.fresh();
  const pool = openPool(database, () => {});
  await migrate(pool);
  await createCloud(pool);
  await pool.end();
  return database;
}

/** Opens the cloud, in which `stable` serves each app and `<app>--1` is its canary. */
export function cloudInTable(pool: pg.Pool): { readonly apps: Apps; readonly requests: Requests } {
  const weightsOf = async ({ app }: Target): Promise<readonly Weight[]> =>
    (await pool.query<{ weights: readonly Weight[] }>("select weights from public.cloud where app = $1", [app])).rows[0]
      ?.weights ?? [{ revision: stable, percent: 100 }];
  const nothing = async () => ({ ok: true as const, value: null });
  const apps: Apps = {
    inspect: async ({ target }) => ({
      ok: true,
      value: {
        weights: await weightsOf(target),
        revisions: [stable, `${target.app}--1`].map((name) => ({
          name,
          active: true,
          running: "Running",
          health: "Healthy",
          templateHash: name,
        })),
      },
    }),
    readTraffic: async (target) => ({ ok: true, value: { weights: await weightsOf(target) } }),
    shift: async ({ target, weights }, fence) => {
      if (!(await fence())) return { ok: false, reason: "fenced" };
      await pool.query(
        "insert into public.cloud values ($1, $2) on conflict (app) do update set weights = excluded.weights",
        [target.app, JSON.stringify(weights)],
      );
      return { ok: true, value: { weights } };
    },
    repoint: nothing,
    activate: nothing,
    deactivate: nothing,
    probe: async () => ({ ok: true, value: { good: true, detail: "answered 200", running: "Running" } }),
  };
  const good = { requests: 1000, failed: 0 };
  const bad = { ...good, failed: 333 };
  const requests: Requests = {
    measure: async ({ target, from, intervalSeconds }, now) => {
      const interval = intervalSeconds * 1000;
      const count = Math.max(0, Math.floor((now - from) / interval));
      return {
        ok: true,
        value: {
          buckets: Array.from({ length: count }, (_, index) => ({
            at: from + index * interval,
            canary: target.app.startsWith("bad") ? bad : good,
            stable: good,
          })),
          to: from + count * interval,
        },
      };
    },
  };
  return { apps, requests };
}

/** Gives the share of the canary, whatever its name. */
export const canaryPercent = (weights: readonly Weight[]): number =>
  weights.find(({ revision }) => revision !== stable)?.percent ?? 0;

/** Requests a real rollout whose steps, judged interval by interval, take a fraction of a second each. */
export function quickRequest(
  target: Target,
  weights: readonly number[],
): Extract<RolloutObservation, { kind: "Request" }> {
  const asked = toyRequest(target, `${target.app}--1`, weights, 0.2);
  return {
    ...asked,
    intent: { ...asked.intent, strategy: { ...asked.intent.strategy, intervalSeconds: 0.1, probeSeconds: 60 } },
  };
}
