// The scenarios and the cases of remediations once more, with the durable loop on PostgreSQL: the journals must be
// those of the world of plain objects, line for line. The cloud is plain objects here, and the clock is virtual.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresForTests } from "../../support/postgres/postgres.ts";
import { declaredByDefault, incidentCases, outcomeOf } from "../../support/worlds/incident-cases.ts";
import { incidentScenario, incidentScenarios, render, start } from "../../support/worlds/incident-scenario.ts";
import { type OpenStores, storesInPostgres } from "../../support/worlds/incident-stores.ts";
import { runIncidents } from "../../support/worlds/incident-world.ts";

const postgres = postgresForTests();
let stores: OpenStores & { readonly close: () => Promise<void> };
beforeAll(async () => {
  const database = await postgres.fresh();
  stores = await storesInPostgres(postgres.pool(database), database);
});
afterAll(() => stores?.close());

describe("with the durable loop on PostgreSQL", () => {
  it.each(incidentScenarios())("$name", async (scenario) => {
    const { journals } = await runIncidents(scenario, { stores });
    expect(render(journals)).toBe(scenario.expected);
  });

  it.each(incidentCases)("case $name", async (each) => {
    const { name, declared = declaredByDefault, world, ends, done, says } = each;
    const run = await runIncidents(incidentScenario(name, declared, world), { stores });
    expect(outcomeOf(run, start, each)).toEqual({ ends: ends.toSorted(), done, ...(says && { says }) });
  });
});
