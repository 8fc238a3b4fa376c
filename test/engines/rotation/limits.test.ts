// What the vault's client cannot send is refused before anything is written.
import { expect, test } from "vitest";
import { run } from "../../support/worlds/rotation-run.ts";
import { scenarioOf } from "../../support/worlds/rotation-scenario.ts";

test("a version that would expire after 2038-01-19 is refused before the first write", async () => {
  const plain = scenarioOf("replaces-a-version-that-is-due");
  // The scenario begins in 2026, more than ten years before that day.
  const scenario = { ...plain, credential: { ...plain.credential, validDays: 4_500 } };
  const { state, world } = await run(scenario);
  expect(state.ending).toMatchObject({
    result: "rejected",
    reason: "credential-unfit",
    message: expect.stringContaining("2038-01-19"),
  });
  expect([world.versions.a.length, world.versions.b.length]).toEqual([1, 1]);
});
