// Every scenario once more for each change of the world, with a process that is killed between the change and its
// record. Another one goes on: it repeats no change, and the incident ends as it would have.
import { expect, it } from "vitest";
import { incidentScenarios } from "../../support/worlds/incident-scenario.ts";
import { type IncidentRun, runIncidents } from "../../support/worlds/incident-world.ts";

/** An alert that resolves before another process goes on leads to nothing, and there is no journal of that. */
const endsOf = ({ journals, done }: IncidentRun) => ({
  ends: journals
    .map(({ target, state }) => `${target}: ${state.ending?.result} ${state.ending?.reason}`)
    .filter((end) => !end.endsWith("self-healed cleared-by-itself"))
    .toSorted(),
  done: done.map(({ runbook, target }) => `${runbook} on ${target}`),
});

const changing = await Promise.all(
  incidentScenarios().map(async (scenario) => ({ scenario, whole: await runIncidents(scenario) })),
);
const cases = changing.flatMap(({ scenario, whole }) =>
  whole.done.map((_, index) => [scenario.name.replaceAll("-", " "), index + 1, scenario, endsOf(whole)] as const),
);

it("there are changes after which a process can die", () => expect(cases.length).toBeGreaterThan(10));

it.each(cases)("%s, killed after change %i", async (_name, change, scenario, expected) =>
  expect(endsOf(await runIncidents(scenario, { dieAfter: change }))).toEqual(expected),
);
