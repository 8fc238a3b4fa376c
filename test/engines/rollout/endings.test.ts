// How a rollout ends: labels, supersession, and crashes of the process on the way.
import { describe, expect, it } from "vitest";
import type { Weight } from "../../../engines/rollout/vocabulary.ts";
import {
  canary,
  healthy,
  hear,
  reverts,
  revisionsUp,
  sick,
  signal,
  stable,
  stateIn,
  times,
} from "../../support/worlds/meddling.ts";
import { failing, type Meddle, run } from "../../support/worlds/pure-world.ts";

describe("labels", () => {
  it("show stable and canary during a rollout, and the new stable after it", async () => {
    const seen: unknown[] = [];
    const { world } = await run(healthy, (effect) => {
      if (effect.kind === "ShiftTraffic") seen.push(effect.labels);
      return undefined;
    });
    expect(seen).toEqual([...Array.from({ length: 3 }, () => ({ stable, canary })), { stable: canary }]);
    expect(world.labels).toEqual({ stable: canary });
    expect((await run(sick)).world.labels).toEqual({ stable });
    expect((await run({ ...healthy, before: "nothing" })).world.labels).toEqual({ stable: canary });
  });

  it("that cannot be moved after a promotion do not undo it", async () => {
    const { state, world } = await run(healthy, (effect, now, { phase }) =>
      phase === "settling" ? failing(effect, now) : undefined,
    );
    expect([state.ending?.result, world.weights, world.active.has(stable)]).toEqual([
      "promoted",
      [{ revision: canary, percent: 100 }],
      false,
    ]);
  });

  it("keep a canary whose rollout could not take its traffic away from being taken for stable", async () => {
    const left = "storefront--0";
    const shows = (weights: readonly Weight[]): Meddle =>
      times(
        1,
        ({ kind }) => kind === "Inspect",
        (_, world) => {
          world.shows = {
            weights,
            labels: { stable, canary: left },
            revisions: revisionsUp([stable, canary, left]),
          };
          return undefined;
        },
      );
    for (const weights of [
      [{ revision: left, percent: 100 }],
      [
        { revision: left, percent: 60 },
        { revision: stable, percent: 40 },
      ],
    ]) {
      expect((await run(healthy, shows(weights))).journal.find(({ kind }) => kind === "Started")).toMatchObject({
        stable,
      });
    }
  });
});

describe("a release that is superseded", () => {
  it("gives its traffic back, reports by whom, and is never tried again", async () => {
    const baking = await stateIn("baking");
    const superseded = hear(baking, signal("supersede", baking.now));
    expect([superseded.phase, superseded.ending]).toEqual([
      "reverting",
      { result: "rolled-back", reason: "superseded", message: "superseded by ann: because" },
    ]);
    const { journal, state } = await run({
      ...healthy,
      signals: [
        { atMinutes: 3, signal: "supersede", by: "ci", message: "release r3 takes its place" },
        { atMinutes: 30, signal: "retry", by: "ann", message: "again" },
        { atMinutes: 31, signal: "promote", by: "ann", message: "now" },
      ],
    });
    expect(state.ending).toEqual({
      result: "rolled-back",
      reason: "superseded",
      message: "rolled back at 10 percent: superseded by ci: release r3 takes its place",
    });
    expect(journal.slice(-2)).toMatchObject([
      { kind: "Disregarded", what: expect.stringContaining("superseded") },
      { kind: "Disregarded" },
    ]);
  });
});

describe("a rollback", () => {
  it("is the same wherever the process dies in it, and so is the end of a promotion", async () => {
    for (const scenario of [sick, healthy]) {
      const whole = await run(scenario);
      const firsts = new Map<string, number>();
      let died = 0;
      // The process dies once after each write: the write stays, its outcome is lost.
      const dying: Meddle = (effect, before, { phase }) => {
        if (!["ShiftTraffic", "Deactivate"].includes(effect.kind) || (firsts.get(`${effect.kind} ${phase}`) ?? 0) > 0)
          return undefined;
        firsts.set(`${effect.kind} ${phase}`, 1);
        died++;
        if (effect.kind === "ShiftTraffic") before.weights = effect.weights;
        if (effect.kind === "Deactivate") before.active.delete(effect.revision);
        return undefined;
      };
      const { journal, world } = await run(scenario, dying);
      expect(died).toBeGreaterThanOrEqual(3);
      expect([journal, world.weights]).toEqual([whole.journal, whole.world.weights]);
    }
  });

  it("is never followed by a share for the canary in the same attempt", async () => {
    const { journal } = await run(sick);
    const aborted = journal.findIndex(({ kind }) => kind === "Aborted");
    expect(journal.slice(aborted).every((event) => event.kind !== "TrafficShifted" || reverts(event.weights))).toBe(
      true,
    );
  });
});
