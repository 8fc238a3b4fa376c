// The cases that a remediation must survive, as a table: what happens, and the required outcome. Each is decided by the
// shipped loop, intake and performer in the world of plain objects, except where the engine alone says it.
import { describe, expect, it } from "vitest";
import { startsMax, takeAlerts } from "../../../controlplane/performers/remediation-intake.ts";
import { fold } from "../../../engines/engine.ts";
import { dueAt } from "../../../engines/remediation/react.ts";
import { remediation } from "../../../engines/remediation/remediation.ts";
import { targetOf } from "../../../engines/remediation/targets.ts";
import type { RemediationEvent, Sighting } from "../../../engines/remediation/vocabulary.ts";
import { incidentScenario, start } from "../../support/worlds/incident-scenario.ts";
import { type IncidentRun, runIncidents } from "../../support/worlds/incident-world.ts";

const policies = (more: object = {}) => ({ "app-failing": { ladder: ["restart-revision"], ...more } });
const cured = { "app/shop/web": { curedBy: ["restart-revision"] } };

const run = (world: object, declared: object = { policies: policies() }): Promise<IncidentRun> =>
  runIncidents(incidentScenario("case", declared, world));

/** Gives how each incident ended, and what was done to the world. */
const endsOf = ({ journals, done }: IncidentRun) => ({
  ends: journals.map(({ state }) => `${state.ending?.result} ${state.ending?.reason}`),
  done: done.map(({ runbook }) => runbook),
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
async function take(alerts: readonly Sighting[], { atOnce = 1, passes = 1 } = {}): Promise<readonly string[]> {
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
  await Promise.all(Array.from({ length: atOnce }, look));
  for (let pass = 1; pass < passes; pass++) await look();
  return order;
}

describe("case", () => {
  it("1: the same alert delivered again and again leads to one execution", async () =>
    expect(await take([sighting(), sighting()], { atOnce: 5 })).toEqual([`remediation/app/shop/web/${sighting().id}`]));

  it("2: an alert that has resolved starts nothing, and one that resolves during an action is verified", async () => {
    expect(await take([sighting({ resolvedAt: start })])).toEqual([]);
    expect(endsOf(await run({ alerts: [{ rule: "app-failing", resolvesAtMinutes: 3 }], symptoms: cured }))).toEqual({
      ends: ["repaired verified"],
      done: ["restart-revision"],
    });
  });

  it("3: flapping settles, and then calls a person", async () => {
    const alerts = [0, 4, 8, 12, 16].map((atMinutes) => ({
      rule: "app-failing",
      atMinutes,
      resolvesAtMinutes: atMinutes + 1,
    }));
    const { ends, done } = endsOf(await run({ alerts: [...alerts, { rule: "app-failing", atMinutes: 20 }] }));
    expect(ends.at(-1)).toBe("person-called flapping");
    expect(done).toEqual([]);
  });

  it("4: two rules with the same cause lead to one incident and one action", async () =>
    expect(
      endsOf(
        await run(
          { alerts: [{ rule: "app-failing" }, { rule: "app-slow" }], symptoms: cured },
          { policies: { ...policies(), "app-slow": { ladder: ["restart-revision"] } } },
        ),
      ),
    ).toEqual({ ends: ["repaired verified"], done: ["restart-revision"] }));

  it("5: fifty targets at once, because what they share is down, lead to one call and to no action", async () => {
    const names = Array.from({ length: 50 }, (_, index) => `app/shop/a${index}`);
    const { ends, done } = endsOf(
      await run(
        { alerts: names.map((target) => ({ rule: "app-failing", target })) },
        {
          targets: { ...Object.fromEntries(names.map((name) => [name, ["server/shop/db"]])), "server/shop/db": [] },
          policies: policies(),
        },
      ),
    );
    expect(done).toEqual([]);
    expect(ends.filter((end) => end === "person-called common-cause")).toHaveLength(1);
    expect(ends.filter((end) => end === "attributed common-cause")).toHaveLength(49);
  });

  it("6: an action that makes it worse is undone, and the next rung is tried", async () =>
    expect(
      endsOf(
        await run(
          { alerts: [{ rule: "app-failing" }], symptoms: { "app/shop/web": { worsenedBy: ["return-to-previous"] } } },
          { policies: policies({ ladder: ["return-to-previous", "restart-revision"] }) },
        ),
      ),
    ).toEqual({
      ends: ["person-called ladder-exhausted"],
      done: ["return-to-previous", "undo", "restart-revision"],
    }));

  it("7: an action that succeeds while the symptom stays is a failure", async () =>
    expect(endsOf(await run({ alerts: [{ rule: "app-failing" }], symptoms: { "app/shop/web": {} } }))).toEqual({
      ends: ["person-called ladder-exhausted"],
      done: ["restart-revision"],
    }));

  it("8: a symptom that clears by itself is left alone", async () =>
    expect(endsOf(await run({ alerts: [{ rule: "app-failing", resolvesAtMinutes: 1 }] }))).toEqual({
      ends: ["self-healed cleared-by-itself"],
      done: [],
    }));

  it("9 and 10: an action without a recorded answer is repeated under the same key", async () => {
    const [{ events } = { events: [] as readonly RemediationEvent[] }] = (
      await run({ alerts: [{ rule: "app-failing" }], symptoms: cured })
    ).journals;
    const cleared = events.slice(0, events.findIndex(({ kind }) => kind === "Cleared") + 1);
    const before = remediation.react(fold(remediation, cleared));
    const failed: RemediationEvent = {
      kind: "AttemptFailed",
      at: cleared.at(-1)!.at,
      effect: "Act",
      message: "no answer within 300 s",
    };
    const waited: RemediationEvent = { kind: "Waited", at: failed.at + 60_000 };
    expect(before).toMatchObject({ kind: "Act" });
    expect(remediation.react(fold(remediation, [...cleared, failed, waited]))).toEqual(before);
  });

  it("11: without any delivery the poll finds the alert", async () =>
    expect(endsOf(await run({ alerts: [{ rule: "app-failing" }], symptoms: cured })).ends).toEqual([
      "repaired verified",
    ]));

  it("12: an old alert that is still fired calls a person instead of acting", async () =>
    expect(endsOf(await run({ alerts: [{ rule: "app-failing", atMinutes: -90 }], symptoms: cured }))).toEqual({
      ends: ["person-called stale"],
      done: [],
    }));

  it("13: a target is found in any letter case, and one outside of what is declared is none", async () => {
    const graph = [{ target: "app/shop/web", dependsOn: [] }];
    const id = (name: string) => `/subscriptions/S/ResourceGroups/Shop/providers/Microsoft.App/containerApps/${name}`;
    expect(targetOf({ resources: [id("WEB")], dimensions: {} }, graph)).toBe("app/shop/web");
    expect(targetOf({ resources: [], dimensions: { ContainerAppName: "Web" } }, graph)).toBe("app/shop/web");
    expect(targetOf({ resources: [id("other")], dimensions: {} }, graph)).toBeUndefined();
    expect(await take([sighting({ target: null })])).toEqual([]);
  });

  it("14: an alert of a kind that is never acted on starts nothing", async () =>
    expect(await take([sighting({ kind: "smart-detection" }), sighting({ kind: "log-legacy", id: "" })])).toEqual([]));

  it("15: while telemetry is missing nothing destructive is done", async () =>
    expect(
      endsOf(
        await run({
          alerts: [{ rule: "app-failing" }],
          symptoms: cured,
          missing: [{ what: "alerts", fromMinutes: 1 }],
        }),
      ),
    ).toEqual({ ends: ["person-called time-expired"], done: [] }));

  it("16: an alert from far in the future is refused", async () => {
    const scenario = incidentScenario("case", { policies: policies() }, { alerts: [{ rule: "app-failing" }] });
    const [{ events } = { events: [] as readonly RemediationEvent[] }] = (await runIncidents(scenario)).journals;
    const [reported, loaded, assessed] = events;
    if (reported?.kind !== "Reported" || assessed?.kind !== "Assessed") throw new Error("another journal was expected");
    const alert = { ...reported.incident.alert, firedAt: start + 3_600_000 };
    const state = fold(remediation, [{ ...reported, incident: { ...reported.incident, alert } }, loaded!]);
    const decided = remediation.decide(state, {
      kind: "Outcome",
      of: "Assess",
      at: assessed.at,
      found: { ok: true, value: assessed.situation },
    });
    expect(decided.at(-1)).toMatchObject({ kind: "Finished", result: "refused", reason: "stale" });
  });

  it("17: an approval that comes after the alert has resolved leads to no action", async () =>
    expect(
      endsOf(
        await run(
          {
            alerts: [{ rule: "app-failing", resolvesAtMinutes: 10 }],
            symptoms: cured,
            signals: [{ atMinutes: 20, signal: "approve", by: "ann", message: "go", mayApprove: true }],
          },
          { policies: policies({ ladder: [{ runbook: "restart-revision", approval: "needed" }] }) },
        ),
      ),
    ).toEqual({ ends: ["self-healed cleared-by-itself"], done: [] }));

  it("18: a rollout in flight holds the remediation until its wake is over", async () => {
    const { journals, done } = await run({
      alerts: [{ rule: "app-failing" }],
      symptoms: cured,
      work: [{ stream: "rollout/shop/web/web--2", target: "app/shop/web", fromMinutes: -2, toMinutes: 20 }],
    });
    expect(journals[0]?.state.ending?.reason).toBe("verified");
    expect(done.map(({ at }) => (at - start) / 60_000)).toEqual([30]);
  });

  it("19: an alert that our own action trips is not acted on", async () =>
    expect(
      endsOf(
        await run(
          {
            alerts: [{ rule: "app-failing" }, { rule: "restarts", atMinutes: 13, resolvesAtMinutes: 20 }],
            symptoms: cured,
          },
          { policies: { ...policies(), restarts: { ladder: ["restart-revision"] } } },
        ),
      ),
    ).toEqual({ ends: ["repaired verified", "self-healed cleared-by-itself"], done: ["restart-revision"] }));

  it("20 and 21: a runbook that does not fit is left, and in the end a person is called", async () =>
    expect(
      endsOf(
        await run(
          {
            alerts: [{ rule: "app-failing" }],
            unfit: { "restart-revision": "it is all the capacity", "return-to-previous": "it no longer exists" },
          },
          { policies: policies({ ladder: ["restart-revision", "return-to-previous"] }) },
        ),
      ),
    ).toEqual({ ends: ["person-called ladder-exhausted"], done: [] }));

  it("22: without the budget nothing destructive is done, and diagnostics are", async () => {
    const world = { alerts: [{ rule: "app-failing" }], budgetLeftPercent: null };
    expect(endsOf(await run(world)).ends).toEqual(["person-called time-expired"]);
    const { journals } = await run(world, { policies: policies({ ladder: ["collect-diagnostics"] }) });
    expect(journals[0]?.state.evidence).toEqual(["top exception of app/shop/web"]);
  });

  it("23: a run keeps the policy with which it began", async () => {
    const [{ events } = { events: [] as readonly RemediationEvent[] }] = (
      await run({ alerts: [{ rule: "app-failing" }], symptoms: cured })
    ).journals;
    expect(events.filter(({ kind }) => kind === "PolicyLoaded")).toHaveLength(1);
    const state = fold(remediation, events.slice(0, -1));
    expect(state.policy?.limits.cooldownSeconds).toBe(3600);
  });

  it("24: an alert that fires while our own identity changes is acted on once the alerts can be read again", async () =>
    expect(
      endsOf(
        await run({
          alerts: [{ rule: "app-failing" }],
          symptoms: cured,
          missing: [{ what: "alerts", fromMinutes: -5, toMinutes: 12 }],
        }),
      ),
    ).toEqual({ ends: ["repaired verified"], done: ["restart-revision"] }));

  it("25: a stop before the action leaves the world as it is", async () =>
    expect(
      endsOf(
        await run({
          alerts: [{ rule: "app-failing" }],
          symptoms: cured,
          signals: [{ atMinutes: 1.5, signal: "stop", by: "ann", message: "by hand" }],
        }),
      ),
    ).toEqual({ ends: ["stopped stopped-by-signal"], done: [] }));

  it("26: of 1,500 alerts at once the critical one is taken first, and none is lost", async () => {
    const alerts = Array.from({ length: 1500 }, (_, index) =>
      sighting({
        id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
        target: `app/shop/a${index}`,
        severity: index === 1499 ? 0 : 3,
      }),
    );
    const polls = Math.ceil(alerts.length / startsMax);
    const started = await take(alerts, { passes: polls });
    expect(started[0]).toContain("app/shop/a1499");
    expect(new Set(started).size).toBe(1500);
    expect(await take(alerts)).toHaveLength(startsMax);
  });

  it("26: a critical alert on a target whose incident is in flight is told of at once", async () => {
    const { journals } = await run({
      alerts: [{ rule: "app-failing" }, { rule: "app-down", atMinutes: 1, severity: 0 }],
      symptoms: cured,
    });
    expect(journals[0]!.events.find(({ kind }) => kind === "PersonTold")).toMatchObject({
      message: "critical: the rule app-down fired too; a remediation is in progress",
    });
  });
});

it("what waits for the end of a runbook is due when it gives up, and is no dead loop until then", async () => {
  const { journals } = await run({ alerts: [{ rule: "app-failing" }], symptoms: cured });
  const facts = journals[0]!.events.map((event) =>
    event.kind === "Acted" ? { ...event, receipt: { ...event.receipt, follow: "job/run" } } : event,
  );
  const state = fold(remediation, facts.slice(0, facts.findIndex(({ kind }) => kind === "Acted") + 1));
  const effect = remediation.react(state);
  expect(effect).toMatchObject({ kind: "Follow", until: expect.any(Number) });
  expect(dueAt(state)).toBe((effect as { readonly until: number }).until);
});
