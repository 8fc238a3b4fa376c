// Processes that die at every effect of a rotation, before it and after it, and at every pair of these: another one
// carries on from the journal, and no version, password or publication is made twice.
import { describe, expect, it } from "vitest";
import { type Rotated, run } from "../../support/worlds/rotation-run.ts";
import { scenarioOf, start } from "../../support/worlds/rotation-scenario.ts";
import { loginsOf } from "../../support/worlds/rotation-world.ts";

const scenario = scenarioOf("ends-sessions-that-outlast-the-drain");
const reader = { who: "reports", everyMinutes: 3, lagMinutes: 20 };
const busy = { ...scenario, world: { ...scenario.world, readers: [reader] } };
/** Waits of a minute each, so that a pair of deaths has few effects of waiting between its steps. */
const brief = {
  ...busy,
  credential: {
    ...busy.credential,
    timings: { ...busy.credential.timings, quietSeconds: 120, drainSeconds: 60, graceSeconds: 60 },
  },
  world: { ...busy.world, readers: [{ ...reader, everyMinutes: 1, lagMinutes: 1 }] },
};

function expectWhole({ journal, state, world }: Rotated, { world: { readers } }: typeof busy): void {
  expect(state.ending).toMatchObject({ result: "rotated" });
  expect(world.failures).toEqual([]);
  const failed = readers.flatMap((each) => loginsOf(world, each, start, world.loop.now()).filter((one) => one.failed));
  expect(failed).toEqual([]);
  expect([world.versions.a.length, world.versions.b.length], "one new version in each slot").toEqual([2, 2]);
  expect(world.published.length, "one publication").toBe(2);
  expect(world.rollouts.size, "one cut-over").toBe(1);
  expect(journal.filter(({ kind }) => kind === "VersionMade")).toHaveLength(2);
}

/** Gives every death at the effects from the first to the last one that is numbered. */
const deathsAt = (numbers: readonly number[]) =>
  numbers.flatMap((at) => [true, false].map((before) => ({ at, before })));

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

describe("a rotation whose process dies", async () => {
  const { performed } = await run(busy);
  const waits = 40;
  const deaths = deathsAt(
    // Readers are read once in a minute; the first and the last of these reads stand for all.
    upTo(performed).filter((at) => at <= waits || at > performed - waits),
  ).map((death) => [death.at, death.before ? "before" : "after", death] as const);

  it.each(deaths)("at effect %i, %s it is performed, is finished by another process", async (_at, _when, death) =>
    expectWhole(await run(busy, death), busy),
  );
});

describe("a rotation whose process dies, and then the next one", async () => {
  const { performed } = await run(brief);

  it.each(deathsAt(upTo(performed)))(
    "at effect $at, before it: $before, is finished by a third process",
    async (first) => {
      // The effect at which the first one died is performed again, so the second death may meet it, too.
      for (const second of deathsAt(upTo(performed + 1).filter((at) => at > first.at)))
        expectWhole(await run(brief, first, second), brief);
    },
  );
});
