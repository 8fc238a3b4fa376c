// The scenarios and the cases of remediations once more, under the virtual clock: with the durable loop on PostgreSQL
// in a cloud of plain objects, where the journals must be those of the world of plain objects, line for line; and the
// cases with the shipped adapters against the emulator too.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { after } from "../../../engines/time.ts";
import { postgresForTests } from "../../support/postgres/postgres.ts";
import { declaredByDefault, incidentCases, outcomeOf } from "../../support/worlds/incident-cases.ts";
import { notStaged, openIncidentShop } from "../../support/worlds/incident-emulator.ts";
import {
  type IncidentScenario,
  incidentScenario,
  incidentScenarios,
  render,
  start,
} from "../../support/worlds/incident-scenario.ts";
import { type OpenCloud, runIncidents } from "../../support/worlds/incident-world.ts";
import { type OpenStores, storesInPostgres } from "../../support/worlds/run-stores.ts";

const postgres = postgresForTests();
let stores: OpenStores & { readonly close: () => Promise<void> };
beforeAll(async () => {
  const database = await postgres.fresh();
  stores = await storesInPostgres(postgres.pool(database), database);
});
afterAll(() => stores?.close());

const cases = incidentCases.map((each) => ({
  each,
  name: each.name,
  scenario: incidentScenario(each.name, each.declared ?? declaredByDefault, each.world),
}));
const expectedOf = ({ ends, done, says }: (typeof cases)[number]["each"]) => ({
  ends: ends.toSorted(),
  done,
  ...(says && { says }),
});
const isStaged = (scenario: IncidentScenario): boolean =>
  Object.values(notStaged).every(({ isAsked }) => !isAsked(scenario));

/** Of incidents on several targets at one moment the order of real answers decides which is the first. */
const hasOneOrder = ({ alerts }: IncidentScenario): boolean =>
  Map.groupBy(alerts, ({ atMinutes }) => atMinutes)
    .values()
    .every((all) => new Set(all.map(({ target }) => target)).size === 1);

describe("with the durable loop on PostgreSQL", () => {
  it.each(incidentScenarios().filter(hasOneOrder))("$name", async (scenario) => {
    const { journals } = await runIncidents(scenario, { stores });
    expect(render(journals)).toBe(scenario.expected);
  });

  it.each(cases)("case $name", async ({ each, scenario }) =>
    expect(outcomeOf(await runIncidents(scenario, { stores }), start, each)).toEqual(expectedOf(each)),
  );
});

describe("with the adapters against the emulator too", () => {
  let shop: { readonly cloud: OpenCloud; readonly close: () => Promise<void> };
  let runs = 0;
  beforeAll(async () => {
    shop = await openIncidentShop();
  });
  afterAll(() => shop?.close());
  /**
   * Each run begins ten days after the one before: no list of alerts reaches back as far. All begin in the past, as the
   * journal's rows have the time of the database.
   */
  const later = (scenario: IncidentScenario): IncidentScenario => ({
    ...scenario,
    start: after(start, (runs++ - 100) * 10 * 86_400),
  });

  it.each(cases.filter((one) => isStaged(one.scenario)))("case $name", async ({ each, scenario: given }) => {
    const scenario = later(given);
    const run = await runIncidents(scenario, { stores, cloud: shop.cloud });
    expect(outcomeOf(run, scenario.start, each)).toEqual(expectedOf(each));
  });

  it.each(Object.entries(notStaged))("%s is asked for by a case", (_, { isAsked }) =>
    expect(cases.some(({ scenario }) => isAsked(scenario))).toBe(true),
  );
});
