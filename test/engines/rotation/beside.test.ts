// What happens beside a rotation: the same request again, requests for others, and a server whose clock is ahead or
// behind. None of it makes a second version, and no reader is refused.
import { expect, it } from "vitest";
import { run } from "../../support/worlds/rotation-run.ts";
import { type RotationScenario, scenarioOf, start } from "../../support/worlds/rotation-scenario.ts";
import { loginsOf } from "../../support/worlds/rotation-world.ts";

const plain = scenarioOf("replaces-a-version-that-is-due");
const within = (world: Partial<RotationScenario["world"]>): RotationScenario => ({
  ...plain,
  world: { ...plain.world, ...world },
});

/** Requests at a minute of the rotation, and what each is answered. */
it.each([
  ["five of the same at once", Array(5).fill({ atMinutes: 0, rotation: "r1" }), Array(5).fill("exists")],
  ["the same again after its end", [{ atMinutes: 300, rotation: "r1" }], []],
  ["the same while it runs", [1, 31, 70].map((atMinutes) => ({ atMinutes, rotation: "r1" })), Array(3).fill("exists")],
  [
    "another while it runs",
    [1, 31, 70].map((atMinutes) => ({ atMinutes, rotation: "r2" })),
    Array(3).fill("claim-target-held"),
  ],
])("%s: one rotation is carried out", async (_what, again, answered) => {
  const { journal, state, world, answers } = await run(within({ again }));
  expect(state.ending).toMatchObject({ result: "rotated" });
  expect(answers).toEqual(answered);
  expect([world.versions.a.length, world.versions.b.length, world.published.length]).toEqual([2, 2, 2]);
  expect(journal.filter(({ kind }) => kind === "Requested")).toHaveLength(1);
});

/** A reader that looks again half an hour after a publication, as a Container App may, and one that does at once. */
const readers = [
  { who: "late", everyMinutes: 29, lagMinutes: 30 },
  { who: "soon", everyMinutes: 2, lagMinutes: 1 },
];

it.each([-600, -60, 0, 60, 600])(
  "the server's clock is %i s ahead: no reader is refused",
  async (serverAheadSeconds) => {
    const scenario = within({ readers, serverAheadSeconds });
    const { journal, state, world } = await run(scenario);
    expect(state.ending).toMatchObject({ result: "rotated" });
    const failed = readers.flatMap((each) =>
      loginsOf(world, each, start, world.loop.now()).filter((one) => one.failed),
    );
    expect(failed).toEqual([]);
    const at = (kind: string): number => journal.find((event) => event.kind === kind)!.at;
    expect((at("ReadersQuiet") - at("Published")) / 1000).toBeGreaterThanOrEqual(plain.credential.timings.quietSeconds);
  },
);
