// Time that passes without decisions: pauses, downtime of the process, and clocks that go wrong.
import { describe, expect, it } from "vitest";
import { fold } from "../../../engines/engine.ts";
import { rollout } from "../../../engines/rollout/rollout.ts";
import { summaryOf } from "../../../engines/rollout/summary.ts";
import { after } from "../../../engines/time.ts";
import { canary, healthy, revisionsUp, stable, times } from "../../support/worlds/meddling.ts";
import { type Meddle, run } from "../../support/worlds/pure-world.ts";
import { type Scenario, start } from "../../support/worlds/scenario.ts";

describe("a rollout that is paused", () => {
  const aDay: Scenario = {
    ...healthy,
    strategy: { ...healthy.strategy, probeSeconds: 30 },
    signals: [
      { atMinutes: 5, signal: "pause", by: "ann", message: "a holiday" },
      { atMinutes: 5 + 24 * 60, signal: "resume", by: "ann", message: "back" },
    ],
  };

  it("for a day writes fewer than 1,500 facts, and is judged on every bucket of that day", async () => {
    const { journal, state } = await run(aDay);
    const [paused, resumed] = [
      journal.findIndex(({ kind }) => kind === "Signalled"),
      journal.findLastIndex(({ kind }) => kind === "Signalled"),
    ];
    expect(resumed - paused).toBeLessThan(1_500);
    const buckets = journal
      .slice(
        0,
        journal.findIndex(({ kind }) => kind === "StepPassed"),
      )
      .flatMap((event) => (event.kind === "Measured" ? event.buckets : []))
      .map(({ at }) => at);
    expect(buckets.slice(1).every((at, place) => at === buckets[place]! + aDay.strategy.intervalSeconds * 1000)).toBe(
      true,
    );
    expect([buckets.length > 24 * 60, state.ending?.result]).toEqual([true, "promoted"]);
  });

  it("says in its summary who paused it and why, until it is resumed", async () => {
    const { journal } = await run(aDay);
    const summaryAt = (sent: number, later: number) => {
      const events = journal.slice(0, sent + later);
      return summaryOf("rollout/shop/storefront/r2", events, fold(rollout, events));
    };
    const [paused, resumed] = [
      journal.findIndex(({ kind }) => kind === "Signalled"),
      journal.findLastIndex(({ kind }) => kind === "Signalled"),
    ];
    const during = { paused: { by: "ann", message: "a holiday" }, message: "paused by ann: a holiday", result: null };
    for (const facts of [1, 20]) expect(summaryAt(paused, facts)).toMatchObject(during);
    for (const summary of [summaryAt(paused, 0), summaryAt(resumed, 1), summaryAt(journal.length, 0)])
      expect([summary?.paused, summary?.message]).toEqual([null, expect.not.stringContaining("paused")]);
  });

  it("aborts a canary that dies or begins to fail in the pause within about six intervals", async () => {
    const dying: Meddle = (effect, world, { paused }) =>
      effect.kind === "Probe" && paused && world.now > after(start, 10 * 60)
        ? {
            kind: "Outcome",
            of: "Probe",
            at: world.now,
            found: { ok: true, value: { good: false, detail: "no answer", running: "Failed" } },
          }
        : undefined;
    const failingLater = { ...aDay, canary: [...aDay.canary, { fromMinutes: 10, failedPercent: 60, slowPercent: 0 }] };
    for (const [scenario, meddle, most] of [
      [aDay, dying, 17.5],
      [failingLater, undefined, 17],
    ] as const) {
      const aborted = (await run(scenario, meddle)).journal.find(({ kind }) => kind === "Aborted")!;
      expect(aborted.at).toBeLessThanOrEqual(after(start, most * 60));
    }
  });

  it("probes at the normal interval if its revisions scale to zero", async () => {
    const anHour = { ...aDay, signals: aDay.signals.map((sent, place) => ({ ...sent, atMinutes: 5 + place * 60 })) };
    const { journal } = await run(
      anHour,
      times(
        1,
        ({ kind }) => kind === "Inspect",
        (_, world) => {
          world.shows = { revisions: revisionsUp([stable, canary], { minReplicas: 0 }) };
          return undefined;
        },
      ),
    );
    const asked = journal
      .filter(({ kind, at }) => kind === "Probed" && at > after(start, 6 * 60) && at < after(start, 60 * 60))
      .map(({ at }) => at);
    expect([asked.length > 100, asked.slice(1).every((at, place) => at - asked[place]! <= 30_000)]).toEqual([
      true,
      true,
    ]);
  });
});

describe("hours of downtime", () => {
  /** The process is down from a moment of the first bake on, for three hours. */
  const away = times(
    1,
    ({ kind }, { phase, step }) => kind === "Wait" && phase === "baking" && step === 0,
    (_, world) => {
      world.now = after(start, 3 * 3600);
      return { kind: "Outcome", of: "Wait", at: world.now, found: { ok: true, value: null } };
    },
  );
  const long = { ...healthy, strategy: { ...healthy.strategy, maximumSeconds: 6 * 3600 } };

  it("are judged bucket by bucket before any step is passed", async () => {
    away.count = 0;
    const { journal } = await run(long, away);
    const passed = journal.findIndex(({ kind }) => kind === "StepPassed");
    const measured = journal.slice(0, passed).findLast(({ kind }) => kind === "Measured");
    expect(measured).toMatchObject({ to: after(start, 3 * 3600) });
    expect(
      journal.slice(0, passed).flatMap((event) => (event.kind === "Measured" ? event.buckets : [])).length,
    ).toBeGreaterThanOrEqual(178);
  });

  it("end in a rollback if the canary was bad, though it is well again", async () => {
    away.count = 0;
    const meanwhile = {
      ...long,
      canary: [
        { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
        { fromMinutes: 5, failedPercent: 40, slowPercent: 0 },
        { fromMinutes: 175, failedPercent: 0, slowPercent: 0 },
      ],
    };
    expect((await run(meanwhile, away)).state.ending?.result).toBe("rolled-back");
  });

  it("without rows make the rollout wait, and abort it in the end", async () => {
    away.count = 0;
    const { journal, state } = await run(
      {
        ...long,
        requestsPerMinute: [{ fromMinutes: 0, value: 0 }],
        strategy: { ...long.strategy, maximumSeconds: 4 * 3600 },
      },
      away,
    );
    expect(journal.find(({ kind }) => kind === "Waiting")).toMatchObject({ reason: "no-traffic" });
    expect(state.ending?.message).toContain("not enough evidence");
  });
});

describe("clocks", () => {
  it("that go back or are ten minutes apart neither turn back a journal nor end a rollout", async () => {
    const skewed: Meddle = (effect, world) =>
      effect.kind === "Probe"
        ? {
            kind: "Outcome",
            of: "Probe",
            at: after(world.now, world.probes++ % 2 ? -600 : 0),
            found: { ok: true, value: { good: true, detail: "answered 200", running: "Running" } },
          }
        : undefined;
    const { journal, state } = await run(healthy, skewed);
    expect(journal.every(({ at }, index) => index === 0 || at >= journal[index - 1]!.at)).toBe(true);
    expect(state.ending?.result).toBe("promoted");
  });
});
