// A process that dies at every effect of a rotation, before it and after it: another one carries on from the journal,
// and no version, password or publication is made twice.
import { describe, expect, it } from "vitest";
import { run } from "../../support/worlds/rotation-run.ts";
import { scenarioOf, start } from "../../support/worlds/rotation-scenario.ts";
import { loginsOf } from "../../support/worlds/rotation-world.ts";

const scenario = scenarioOf("ends-sessions-that-outlast-the-drain");
const reader = { who: "reports", everyMinutes: 3, lagMinutes: 20 };
const busy = { ...scenario, world: { ...scenario.world, readers: [reader] } };

describe("a rotation whose process dies", async () => {
  const { performed } = await run(busy);
  const waits = 40;
  const deaths = Array.from({ length: performed }, (_, index) => index + 1)
    // Readers are read once in a minute; the first and the last of these reads stand for all.
    .filter((at) => at <= waits || at > performed - waits)
    .flatMap((at) => [true, false].map((before) => [at, before ? "before" : "after"] as const));

  it.each(deaths)("at effect %i, %s it is performed, is finished by another process", async (at, when) => {
    const { journal, state, world } = await run(busy, { at, before: when === "before" });
    expect(state.ending).toMatchObject({ result: "rotated" });
    expect(world.failures).toEqual([]);
    expect(loginsOf(world, reader, start, world.loop.now()).filter(({ failed }) => failed)).toEqual([]);
    expect([world.versions.a.length, world.versions.b.length], "one new version in each slot").toEqual([2, 2]);
    expect(world.published.length, "one publication").toBe(2);
    expect(world.rollouts.size, "one cut-over").toBe(1);
    expect(journal.filter(({ kind }) => kind === "VersionMade")).toHaveLength(2);
  });
});
