// A write that was given up may still land after the end of a rollout: it is looked for and set back.
import { describe, expect, it } from "vitest";
import { replay } from "../../../engines/rollout/rollout.ts";
import type { RolloutObservation, Weight } from "../../../engines/rollout/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import {
  allToStable,
  canary,
  healthy,
  kinds,
  move,
  sick,
  signal,
  split,
  stable,
  times,
} from "../../support/worlds/meddling.ts";
import { failing, type Meddle, run } from "../../support/worlds/pure-world.ts";
import { start } from "../../support/worlds/scenario.ts";

describe("a shift that was given up and lands after the end was decided", () => {
  const givenUp = (until: number): Meddle =>
    times(
      1,
      (effect, { phase }) => effect.kind === "ShiftTraffic" && phase === "shifting",
      (effect, world) =>
        ({
          ...failing(effect, world, "no answer in 30 s"),
          mayLand: { weights: split(10), until: after(start, until) },
        }) as RolloutObservation,
    );
  const endsBy = (name: "abort" | "promote"): Meddle =>
    times(
      1,
      ({ kind }, { phase }) => kind === "Wait" && phase === "shifting",
      (_, world) => signal(name, world.now),
    );
  const lands = (percent: number) =>
    times(
      1,
      ({ kind }, { phase, ending }) => kind === "Wait" && phase === "confirming" && ending !== undefined,
      move(split(percent)),
    );
  const all =
    (...each: readonly Meddle[]): Meddle =>
    (effect, world, state) =>
      each.reduce<RolloutObservation | undefined>((given, meddle) => given ?? meddle(effect, world, state), undefined);

  it.each([
    ["abort", stable],
    ["promote", canary],
  ] as const)(
    "is read and set back before an end by %s is reported, and before anything is deactivated",
    async (name, serves) => {
      const landing = lands(10);
      let takenWith: readonly Weight[] = [];
      const { journal, state, world } = await run(
        healthy,
        all(givenUp(100), endsBy(name), landing, ({ kind }, { weights }) => {
          if (kind === "Deactivate") takenWith = weights;
          return undefined;
        }),
      );
      expect([landing.count, world.weights, takenWith, kinds(journal).includes("TrafficDrifted")]).toEqual([
        1,
        [{ revision: serves, percent: 100 }],
        [{ revision: serves, percent: 100 }],
        true,
      ]);
      expect(state.ending?.result).toBe(name === "abort" ? "rolled-back" : "promoted");
      expect(journal.at(-1)!.at).toBeGreaterThanOrEqual(after(start, 100));
      expect(replay(journal)).toBeUndefined();
    },
  );

  it("is looked for at each interval, so that it affects users no longer than that", async () => {
    const { journal } = await run(healthy, all(givenUp(300), endsBy("abort")));
    const reads = journal.filter((event) => event.kind === "TrafficRead").map(({ at }) => at);
    expect(reads.slice(1).every((at, place) => at - reads[place]! <= healthy.strategy.intervalSeconds * 1000)).toBe(
      true,
    );
    expect(journal.at(-1)).toMatchObject({ kind: "Finished", at: after(start, 300) });
  });

  it("is not waited for once its time is over, nor if it wrote exactly the final weights", async () => {
    const late = await run(sick, givenUp(20));
    const reverting = await run(
      sick,
      times(
        1,
        ({ kind }, { phase }) => kind === "ShiftTraffic" && phase === "reverting",
        (effect, world) =>
          ({
            ...failing(effect, world),
            mayLand: { weights: allToStable, until: after(world.now, 600) },
          }) as RolloutObservation,
      ),
    );
    for (const { journal } of [late, reverting])
      expect(journal.at(-1)!.at - journal.find(({ kind }) => kind === "Aborted")!.at).toBeLessThanOrEqual(1_000);
  });

  it("is not in journals of older versions, which end as they ended", async () => {
    const { journal } = await run(
      healthy,
      all(
        times(
          1,
          (effect, { phase }) => effect.kind === "ShiftTraffic" && phase === "shifting",
          (effect, world) => failing(effect, world),
        ),
        endsBy("abort"),
      ),
    );
    expect(journal.at(-1)!.at - journal.find(({ kind }) => kind === "Aborted")!.at).toBe(0);
  });
});
