// A control loop in the test's own process, on a real database with a cloud in a table, and small helpers to read and
// await the journals that it writes.
import { onTestFinished } from "vitest";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions, type Database, openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";

import type { Apps } from "../../../controlplane/performers/rollout-ports.ts";
import { clockOf } from "../../../controlplane/runtime/clock.ts";
import type { Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Fact as AnyFact, Journal as AnyJournal, Claims } from "../../../controlplane/runtime/ports.ts";
import type { Engine } from "../../../engines/engine.ts";

import { registerKinds } from "../../../engines/kind.ts";
import { rolloutKind } from "../../../engines/rollout/kind.ts";
import type { RolloutEffect, RolloutEvent, RolloutObservation } from "../../../engines/rollout/vocabulary.ts";
import { eventually } from "../postgres/postgres.ts";
import { canaryPercent, cloudInTable } from "../worlds/cloud-in-table.ts";
import { rolloutLoop, rollouts } from "../worlds/rollouts.ts";
import { toyEngine } from "../worlds/toy-engine.ts";

type Fact = AnyFact<RolloutEvent>;
type Journal = AnyJournal<RolloutEvent>;

/** The kinds of facts, in order. */
export const kinds = (facts: readonly Fact[]): readonly string[] => facts.map(({ event }) => event.kind);
/** Reports whether a stream has finished. */
export const isFinished = (facts: readonly Fact[]): boolean => facts.at(-1)?.event.kind === "Finished";

/** The control loop of this process, with its journal, claims and database. */
export interface Loop {
  readonly orchestrator: Orchestrator<RolloutEvent>;
  readonly journal: Journal;
  readonly claims: Claims;
  readonly sent: readonly number[];
  readonly query: (text: string) => Promise<readonly Record<string, unknown>[]>;
}

export type Shift = Apps["shift"];
/** A cloud in which every shift succeeds. */
export const obedient: Shift = async ({ weights }) => ({ ok: true, value: { weights } });

type AnyEngine = Engine<RolloutObservation, RolloutEvent, any, RolloutEffect>;

/** Opens a control loop on a database. `shift`, if given, stands for the cloud's answer to a shift. */
export async function openLoop(
  database: Database,
  shift?: Shift,
  options: {
    readonly name?: string;
    readonly leaseSeconds?: number;
    readonly engine?: AnyEngine;
    readonly beforeAppend?: (events: readonly RolloutEvent[]) => Promise<unknown>;
  } = {},
): Promise<Loop> {
  const { name = "here", leaseSeconds = 30, engine = toyEngine, beforeAppend } = options;
  const sent: number[] = [];
  const pool = openPool(database, () => {});
  const journal = openJournal(pool, connectionOptions(database), rollouts, () => {});
  const hooked: Journal = {
    ...journal,
    append: async (to, on, events, pen) => {
      await beforeAppend?.(events);
      return journal.append(to, on, events, pen);
    },
  };
  const claims = openClaims(pool, leaseSeconds);
  const cloud = cloudInTable(pool);
  const apps: Apps = {
    ...cloud.apps,
    shift: (effect, fence) => {
      sent.push(canaryPercent(effect.weights));
      return (shift ?? cloud.apps.shift)(effect, fence);
    },
  };
  const orchestrator = rolloutLoop({
    ports: { apps, requests: cloud.requests, journal: hooked, claims, clock: clockOf(Date.now) },
    kinds: registerKinds([{ ...rolloutKind, engine }]),
    pool,
    process: name,
    leaseSeconds,
    requestSeconds: 10,
    log: () => {},
  });
  await orchestrator.launch();
  const once = close(orchestrator);
  onTestFinished(async () => {
    await once();
    await journal.close();
    await pool.end();
  });
  return {
    orchestrator: { ...orchestrator, close: once },
    journal,
    claims,
    sent,
    query: async (text) => (await pool.query(text)).rows,
  };
}

function close(orchestrator: Orchestrator<RolloutEvent>): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => {
    closed ??= orchestrator.close();
    return closed;
  };
}

/** Waits until a stream has finished, and gives its facts. */
export const finishedFacts = (journal: Journal, of: string): Promise<readonly Fact[]> =>
  eventually(async () => {
    const facts = await journal.read(of);
    return isFinished(facts) && facts;
  }, `${of} to finish`);
/** Waits until a stream has this many facts, and gives them. */
export const longer = (journal: Journal, length: number, of: string): Promise<readonly Fact[]> =>
  eventually(async () => {
    const facts = await journal.read(of);
    return facts.length >= length && facts;
  }, `${of} to have ${length} facts`);
