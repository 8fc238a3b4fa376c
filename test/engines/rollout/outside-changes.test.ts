// Changes that another client makes to the app during a rollout: moved weights and deactivated revisions, put
// back or adopted.
import { describe, expect, it } from "vitest";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutEvent, Weight } from "../../../engines/rollout/vocabulary.ts";
import {
  allToStable,
  canary,
  healthy,
  kinds,
  move,
  sick,
  split,
  stable,
  times,
} from "../../support/worlds/meddling.ts";
import { type Meddle, run } from "../../support/worlds/pure-world.ts";

const percents = (journal: readonly RolloutEvent[], kind: "StepReached" | "StepPassed" | "TrafficAdopted") =>
  journal.flatMap((event) => (event.kind === kind ? [event.percent] : []));

describe("weights that another client moves, if the release adopts them", () => {
  const adopting = { ...healthy, outsideWeights: "adopt" as const };
  const inBake = (weights: readonly Weight[], most = 1): Meddle & { count: number } =>
    times(
      most,
      ({ kind }, { phase, step, evidence }) =>
        kind === "VerifyTraffic" && phase === "baking" && step === 0 && evidence.canary.requests > 100,
      move(weights),
    );

  it("are adopted once they are read twice, and the rollout continues from them", async () => {
    const { journal, state } = await run(adopting, inBake(split(30)));
    expect(percents(journal, "TrafficAdopted")).toEqual([30]);
    expect(percents(journal, "StepPassed")).toEqual([30, 50, 100]);
    expect(state.ending?.result).toBe("promoted");
    expect(replay(journal)).toBeUndefined();
  });

  it("skip steps or go back, as far as they were moved", async () => {
    expect(percents((await run(adopting, inBake(split(70)))).journal, "StepPassed")).toEqual([70, 100]);
    expect(percents((await run(adopting, inBake(split(4)))).journal, "StepPassed")).toEqual([4, 10, 50, 100]);
  });

  it("change nothing if the second read shows the weights of the step again", async () => {
    const staleAnswer: Meddle = (_effect, world) => ({
      kind: "Outcome",
      of: "VerifyTraffic",
      at: world.now,
      found: { ok: true, value: { weights: allToStable } },
    });
    const { journal, state } = await run(
      adopting,
      times(1, ({ kind }, { phase }) => kind === "VerifyTraffic" && phase === "baking", staleAnswer),
    );
    expect(kinds(journal).filter((kind) => kind === "TrafficMoved")).toHaveLength(1);
    expect(state.ending?.result).toBe("promoted");
    expect(percents(journal, "StepReached")).toEqual([10, 50, 100]);
  });

  it("are a person's rollback if stable has all traffic", async () => {
    const { state, world } = await run(adopting, inBake(allToStable));
    expect(state.ending).toEqual({
      result: "rolled-back",
      reason: "traffic-moved-back",
      message: "rolled back at 10 percent: another client gave all traffic back to stable",
    });
    expect([world.weights, world.active.has(canary)]).toEqual([allToStable, false]);
  });

  it("are put back if a third revision has traffic", async () => {
    const { journal, state } = await run(
      adopting,
      inBake([
        { revision: "storefront--0", percent: 20 },
        ...split(10).map(({ revision, percent }) => ({ revision, percent: percent - 10 })),
      ]),
    );
    expect(kinds(journal)).toContain("TrafficDrifted");
    expect(state.ending?.result).toBe("promoted");
  });

  it("are judged like any others: a bad canary that was given more traffic is rolled back", async () => {
    expect((await run({ ...sick, ...adopting, canary: sick.canary }, inBake(split(60)))).state.ending?.result).toBe(
      "rolled-back",
    );
  });

  it("are put back if the release does not adopt them", async () => {
    const { journal, state } = await run(healthy, inBake(split(30)));
    expect([
      kinds(journal).includes("TrafficDrifted"),
      kinds(journal).includes("TrafficAdopted"),
      state.ending?.result,
    ]).toEqual([true, false, "promoted"]);
  });
});

describe("a revision with traffic that another client deactivates", () => {
  it("is reactivated, stable as well as canary", async () => {
    for (const name of [stable, canary]) {
      const gone = times(
        1,
        ({ kind }, { phase }) => kind === "VerifyTraffic" && phase === "baking",
        (_, { active }) => {
          active.delete(name);
          return undefined;
        },
      );
      const { journal, state, world } = await run(healthy, gone);
      expect(journal.filter(({ kind }) => kind === "TrafficDrifted")).toMatchObject([{ deactivated: [name] }]);
      expect([state.ending?.result, world.active.has(canary)]).toEqual(["promoted", true]);
    }
  });

  it("is a person's rollback if it is the canary and the release adopts outside changes", async () => {
    const gone = times(
      1,
      ({ kind }, { phase }) => kind === "VerifyTraffic" && phase === "baking",
      (_, world) => {
        world.active.delete(canary);
        return undefined;
      },
    );
    expect((await run({ ...healthy, outsideWeights: "adopt" }, gone)).state.ending?.message).toContain(
      "another client gave all traffic back to stable",
    );
  });
});
