// Runs the scenarios of the pure world once more, whole: the control loop on PostgreSQL, the real adapters and the
// emulator. The journals must be the same, line for line.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openClaims } from "../../../controlplane/adapters/postgres/claims.ts";
import { connectionOptions } from "../../../controlplane/adapters/postgres/connection.ts";
import { openJournal } from "../../../controlplane/adapters/postgres/journal.ts";
import { migrate } from "../../../controlplane/adapters/postgres/migrations.ts";
import type { Apps, Requests } from "../../../controlplane/performers/rollout-ports.ts";
import type { Orchestrator } from "../../../controlplane/runtime/orchestrate.ts";
import type { Clock, Journal } from "../../../controlplane/runtime/ports.ts";
import { fold } from "../../../engines/engine.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
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

const observed = (
  { atMinutes: _planned, about, ...signal }: NonNullable<ReturnType<typeof signalBetween>>,
  world: RealWorld,
) => ({
  kind: "Signal" as const,
  ...signal,
  ...(about === undefined ? {} : { about: world.third()! }),
});

describe("with the adapters against the emulator and the durable loop on PostgreSQL", () => {
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
