// Every scenario in the pure world, with virtual time. `UPDATE=1` rewrites the expected journals.
import { describe, expect, it } from "vitest";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import { run } from "../../support/worlds/pure-world.ts";
import { render, rewrite, scenarios } from "../../support/worlds/scenario.ts";

describe("a rollout in the pure world", () => {
  for (const scenario of scenarios()) {
    it(`${scenario.name.replaceAll("-", " ")}`, async () => {
      const { journal, state } = await run(scenario);
      const rendered = render(journal);
      if (process.env["UPDATE"] === "1") rewrite(scenario, rendered);
      else expect(rendered).toBe(scenario.expected);
      expect(state.phase).toBe("finished");
      expect(replay(journal), "today's decisions differ from the journal").toBeUndefined();
    });
  }

  it("has a state of less than six kilobytes, at every moment of every scenario", async () => {
    const sizes: number[] = [];
    for (const scenario of scenarios()) {
      let state = rollout.initial;
      for (const event of (await run(scenario)).journal) {
        state = rollout.evolve(state, event);
        sizes.push(JSON.stringify(state).length);
      }
    }
    expect(Math.max(...sizes)).toBeLessThan(6_000);
  });
});
