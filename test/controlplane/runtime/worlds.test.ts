// Runs the scenarios of the pure world twice more: through the real adapters against the emulator, and complete, with
// the control loop on PostgreSQL. The journals must be the same, line for line.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import { rolloutPerformer } from "../../../controlplane/performers/rollout.ts";
import type { Apps, Requests } from "../../../controlplane/performers/rollout-ports.ts";
import type { Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Clock, Journal } from "../../../controlplane/runtime/ports.ts";
import { fold } from "../../../engines/engine.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutEffect, RolloutEvent, RolloutObservation } from "../../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import { openShop, requestSeconds, type Shop } from "../../support/emulator/azure-shop.ts";
import { postgresForTests } from "../../support/postgres/postgres.ts";
import { type RealWorld, realWorld } from "../../support/worlds/real-world.ts";
import { rolloutLoop, rollouts } from "../../support/worlds/rollouts.ts";
import { render, type Scenario, scenarios, signalBetween, start } from "../../support/worlds/scenario.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  await shop?.close();
});

const always = async () => true;
const nobodyLocks = { lockOn: async () => undefined };

/** Runs a scenario with a plain loop of react, performEffect and decide, without a database. */
async function runByHand(scenario: Scenario): Promise<readonly RolloutEvent[]> {
  const world = await realWorld(scenario, shop);
  onTestFinished(() => world.close());
  const journal: RolloutEvent[] = [];
  const hear = (observation: RolloutObservation) => {
    journal.push(...rollout.decide(fold(rollout, journal), observation));
  };
  hear({ kind: "Request", at: start, intent: world.intent });
  for (;;) {
    const effect = rollout.react(fold(rollout, journal));
    const until = endOf(effect, world.now());
    const signal = signalBetween(scenario, world.now(), until);
    if (signal !== undefined) {
      await world.advance(signal.at);
      hear(observed(signal, world));
    } else if (effect === undefined) return journal;
    else
      hear(
        await rolloutPerformer({ ...world, claims: nobodyLocks, requestSeconds }).perform(effect, {
          stream: "rollout/shop/storefront/storefront--2",
          length: journal.length,
          fence: always,
          cancel: new AbortController().signal,
        }),
      );
  }
}

const observed = (
  { atMinutes: _planned, about, ...signal }: NonNullable<ReturnType<typeof signalBetween>>,
  world: RealWorld,
) => ({
  kind: "Signal" as const,
  ...signal,
  ...(about === undefined ? {} : { about: world.third()! }),
});

/** Gives when an effect ends: a wait at its end, a wait for a signal never, every other at once. */
function endOf(effect: RolloutEffect | undefined, now: Instant): Instant {
  if (effect === undefined || effect.kind === "AwaitSignal") return Number.POSITIVE_INFINITY;
  return effect.kind === "Wait" ? effect.until : now;
}

describe("through the adapters against the emulator", () => {
  for (const scenario of scenarios()) {
    it(`${scenario.name.replaceAll("-", " ")}`, { timeout: 120_000 }, async () => {
      expect(render(await runByHand(scenario))).toBe(scenario.expected);
    });
  }
});

describe("whole, with the durable loop on PostgreSQL", () => {
  const postgres = postgresForTests();
  let orchestrator: Orchestrator<RolloutEvent>;
  let journal: Journal<RolloutEvent> & { readonly close: () => Promise<void> };
  let scenario: Scenario;
  let world: RealWorld;

  const stream = () => streamOf(world.intent.target, world.intent.revision);

  /** Sends a signal during a wait, which cuts the wait short. */
  const until: Clock["until"] = async (at, cancel) => {
    const signal = signalBetween(scenario, world.now(), at);
    if (signal === undefined) return world.advance(at);
    await send(signal);
    if (!cancel.aborted) await new Promise((resolve) => cancel.addEventListener("abort", resolve, { once: true }));
  };
  const send = async (signal: NonNullable<ReturnType<typeof signalBetween>>) => {
    await world.advance(signal.at);
    await orchestrator.signal(stream(), observed(signal, world));
  };

  beforeAll(async () => {
    const database = await postgres.fresh();
    const pool = postgres.pool(database);
    await migrate(pool);
    journal = await openJournal(pool, connectionOptions(database), rollouts, () => {});
    const apps = new Proxy({} as Apps, { get: (_, name) => world.apps[name as keyof Apps] });
    const requests = new Proxy({} as Requests, { get: (_, name) => world.requests[name as keyof Requests] });
    orchestrator = rolloutLoop({
      ports: { apps, requests, journal, claims: openClaims(pool, 30), clock: { now: () => world.now(), until } },
      pool,
      process: "worlds",
      leaseSeconds: 30,
      requestSeconds,
      log: () => {},
    });
    await orchestrator.launch();
  });
  afterAll(async () => {
    await orchestrator?.close();
    await journal?.close();
  });

  for (const each of scenarios()) {
    it(`${each.name.replaceAll("-", " ")}`, { timeout: 120_000 }, async () => {
      scenario = each;
      world = await realWorld(scenario, shop);
      onTestFinished(() => world.close());
      expect(await orchestrator.start(stream(), { kind: "Request", at: start, intent: world.intent })).toBe("started");
      for (;;) {
        const events = (await journal.read(stream())).map(({ event }) => event);
        const effect = rollout.react(fold(rollout, events));
        const next =
          effect === undefined || effect.kind === "AwaitSignal"
            ? signalBetween(scenario, world.now(), Number.POSITIVE_INFINITY)
            : undefined;
        if (next !== undefined) await send(next);
        else if (effect === undefined) break;
        else await journal.grown(stream(), events.length, AbortSignal.timeout(1_000));
      }
      expect(render((await journal.read(stream())).map(({ event }) => event))).toBe(scenario.expected);
    });
  }
});
