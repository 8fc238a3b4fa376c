// Every scenario of a remediation in the world of plain objects, with virtual time. `UPDATE=1` rewrites the expected
// journals.
import { describe, expect, it } from "vitest";
import { replay } from "../../../engines/remediation/remediation.ts";
import { incidentScenarios, render, rewrite } from "../../support/worlds/incident-scenario.ts";
import { runIncidents } from "../../support/worlds/incident-world.ts";

describe("a remediation", () => {
  for (const scenario of incidentScenarios()) {
    it(`${scenario.name.replaceAll("-", " ")}`, async () => {
      const { journals } = await runIncidents(scenario);
      const rendered = render(journals);
      if (process.env["UPDATE"] === "1") rewrite(scenario, rendered);
      else expect(rendered).toBe(scenario.expected);
      for (const { events, state } of journals) {
        expect(state.phase).toBe("finished");
        expect(replay(events), "today's decisions differ from the journal").toBeUndefined();
      }
    });
  }
});
