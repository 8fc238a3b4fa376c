// The cases that a remediation must survive, in the world of plain objects: the shipped loop, intake and performer over
// a virtual clock. What the intake or the parser alone says is beside them.
import { describe, expect, it } from "vitest";
import { startsMax, takeAlerts } from "../../../controlplane/performers/remediation-intake.ts";
import { fold } from "../../../engines/engine.ts";
import { dueAt } from "../../../engines/remediation/react.ts";
import { remediation } from "../../../engines/remediation/remediation.ts";
import { targetOf } from "../../../engines/remediation/targets.ts";
import type { Sighting } from "../../../engines/remediation/vocabulary.ts";
import { declaredByDefault, incidentCases, outcomeOf } from "../../support/worlds/incident-cases.ts";
import { incidentScenario, start } from "../../support/worlds/incident-scenario.ts";
import { runIncidents } from "../../support/worlds/incident-world.ts";

describe("case", () => {
  it.each(incidentCases)("$name", async (each) => {
    const { name, declared = declaredByDefault, world, ends, done, says } = each;
    const run = await runIncidents(incidentScenario(name, declared, world));
    expect(outcomeOf(run, start, each)).toEqual({ ends: ends.toSorted(), done, ...(says && { says }) });
  });

  it("every number of the list is there", () => {
    const numbers = incidentCases.flatMap(({ name }) => name.split(":")[0]!.split(" and ").map(Number));
    expect([...new Set(numbers)]).toEqual(Array.from({ length: 26 }, (_, index) => index + 1));
  });
});

const sighting = (more: Partial<Sighting> = {}): Sighting => ({
  id: "00000000-0000-4000-8000-000000000001",
  kind: "log",
  rule: "app-failing",
  severity: 1,
  target: "app/shop/web",
  covered: true,
  firedAt: start,
  resolvedAt: null,
  ...more,
});

/** Takes alerts that are listed, with a loop that notes which streams it was asked to start. */
async function take(alerts: readonly Sighting[], passes = 1): Promise<readonly string[]> {
  const started = new Set<string>();
  const order: string[] = [];
  const intake = {
    alerts: { list: async () => ({ ok: true as const, value: { alerts, leftOut: 0 } }) },
    start: async (stream: string) => {
      if (started.has(stream)) return "exists" as const;
      started.add(stream);
      order.push(stream);
      return "started" as const;
    },
    known: new Set<string>(),
  };
  const look = () => takeAlerts(intake, start, new AbortController().signal);
  for (let pass = 0; pass < passes; pass++) await look();
  return order;
}

describe("the intake", () => {
  it("finds a target in any letter case, and none outside of what is declared", () => {
    const graph = [{ target: "app/shop/web", dependsOn: [] }];
    const id = (name: string) => `/subscriptions/S/ResourceGroups/Shop/providers/Microsoft.App/containerApps/${name}`;
    expect(targetOf({ resources: [id("WEB")], dimensions: {} }, graph)).toBe("app/shop/web");
    expect(targetOf({ resources: [], dimensions: { ContainerAppName: "Web" } }, graph)).toBe("app/shop/web");
    expect(targetOf({ resources: [id("other")], dimensions: {} }, graph)).toBeUndefined();
  });

  it("starts nothing for a kind of alert that is never acted on", async () =>
    expect(await take([sighting({ kind: "smart-detection" }), sighting({ kind: "log-legacy", id: "" })])).toEqual([]));

  it("of 1,500 alerts at once takes the critical one first, and loses none", async () => {
    const alerts = Array.from({ length: 1500 }, (_, index) =>
      sighting({
        id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
        target: `app/shop/a${index}`,
        severity: index === 1499 ? 0 : 3,
      }),
    );
    const started = await take(alerts, Math.ceil(alerts.length / startsMax));
    expect(started[0]).toContain("app/shop/a1499");
    expect(new Set(started).size).toBe(1500);
    expect(await take(alerts)).toHaveLength(startsMax);
  });
});

it("what waits for the end of a runbook is due when it gives up, and is no dead loop until then", async () => {
  const { journals } = await runIncidents(
    incidentScenario("followed", declaredByDefault, {
      alerts: [{ rule: "app-failing" }],
      symptoms: { "app/shop/web": { curedBy: ["restart-revision"] } },
    }),
  );
  const facts = journals[0]!.events.map((event) =>
    event.kind === "Acted" ? { ...event, receipt: { ...event.receipt, follow: "job/run" } } : event,
  );
  const state = fold(remediation, facts.slice(0, facts.findIndex(({ kind }) => kind === "Acted") + 1));
  const effect = remediation.react(state);
  expect(effect).toMatchObject({ kind: "Follow", until: expect.any(Number) });
  expect(dueAt(state)).toBe((effect as { readonly until: number }).until);
});
