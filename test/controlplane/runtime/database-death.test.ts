// PostgreSQL itself is killed with SIGKILL during a rollout, and starts again on what it had written. The replica that
// drives the rollout lives on or dies too. In either case nothing written is lost, and nothing is decided twice.

import type pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { openPool } from "../../../controlplane/adapters/postgres/connection.ts";
import { streamOf } from "../../../engines/rollout/names.ts";
import { replay } from "../../../engines/rollout/rollout.ts";
import { killPostgres } from "../../support/postgres/death.ts";
import { factsIn } from "../../support/postgres/facts.ts";
import { eventually, postgresForTests } from "../../support/postgres/postgres.ts";
import { freshCloud, quickRequest } from "../../support/worlds/cloud-in-table.ts";
import { startReplica } from "../../support/worlds/replicas.ts";

const target = { resourceGroup: "rg", app: "shop" };
const stream = streamOf(target, "shop--1");

describe.each([
  ["lives on", false],
  ["dies with it", true],
] as const)("a rollout whose replica %s", (_, together) => {
  const postgres = postgresForTests();

  it("continues after PostgreSQL was killed during it and came back", { timeout: 120_000 }, async () => {
    const database = await freshCloud(postgres);
    const pool: pg.Pool = openPool(database, () => {});
    onTestFinished(() => pool.end());
    const replica = (name: string) => startReplica({ database, name, leaseSeconds: 3, engine: "rollout" });
    const first = await replica("first");
    const asked = quickRequest(target, [10, 50]);
    first.tell({
      start: [
        stream,
        {
          ...asked,
          intent: { ...asked.intent, strategy: { ...asked.intent.strategy, bakeSeconds: 3, intervalSeconds: 0.5 } },
        },
      ],
    });
    const written = await eventually(async () => {
      const facts = await factsIn(pool, stream);
      return facts.some(({ event }) => event.kind === "StepReached") && facts;
    }, "the first step");
    const death = await killPostgres(database);
    onTestFinished(() => death.bury());
    if (together) await first.kill("SIGKILL");
    await death.revive();
    if (together) await replica("second");
    const facts = await eventually(
      async () => {
        const read = await factsIn(pool, stream).catch(() => []);
        return read.at(-1)?.event.kind === "Finished" && read;
      },
      "the rollout to finish",
      60,
    );
    expect(facts.slice(0, written.length)).toEqual(written);
    expect(facts.at(-1)?.event).toMatchObject({ result: "promoted" });
    expect(replay(facts.map(({ event }) => event))).toBeUndefined();
  });
});
