// Every scenario of a rotation in the pure world, with virtual time. `UPDATE=1` rewrites the expected journals.
import { describe, expect, it } from "vitest";
import { rotation } from "../../../engines/rotation/rotation.ts";
import { run } from "../../support/worlds/rotation-run.ts";
import { render, rewrite, scenarios, start } from "../../support/worlds/rotation-scenario.ts";
import { loginsOf } from "../../support/worlds/rotation-world.ts";

describe("a rotation in the pure world", () => {
  for (const scenario of scenarios()) {
    it(`${scenario.name.replaceAll("-", " ")}`, async () => {
      const { journal, state, world } = await run(scenario);
      const rendered = render(journal);
      if (process.env["UPDATE"] === "1") rewrite(scenario, rendered);
      else expect(rendered).toBe(scenario.expected);
      expect(state.phase).toBe("finished");
      expect(rotation.react(state)).toBeUndefined();
      expect(world.failures, "a consumer could not log in").toEqual([]);
      const quietMinutes = scenario.credential.timings.quietSeconds / 60;
      const followers = scenario.world.readers.filter(
        ({ slot, lagMinutes = 0, everyMinutes }) =>
          (slot === undefined || scenario.asked.cause === "first") &&
          lagMinutes < quietMinutes &&
          everyMinutes < quietMinutes,
      );
      // A leaked password is void at once, whoever still uses it.
      if (scenario.asked.cause !== "leaked")
        for (const reader of followers)
          expect(
            loginsOf(world, reader, start, world.loop.now()).filter(({ failed }) => failed),
            `${reader.who} failed to log in`,
          ).toEqual([]);
    });
  }
});
