// What the rollout engine comes to when somebody else moves weights, takes revisions away, supersedes, or was there before: the
// pure world, with somebody standing between the engine and it.
import { describe, expect, it } from "vitest";
import { replay, rollout } from "../../../engines/rollout/rollout.ts";
import type { AppView, RolloutObservation, RolloutState, Weight } from "../../../engines/rollout/vocabulary.ts";
import { after } from "../../../engines/time.ts";
import {
  allToStable,
  canary,
  healthy,
  kinds,
  move,
  reverts,
  sick,
  signal,
  stable,
  stateIn,
  times,
} from "../../support/worlds/meddling.ts";
import { failing, intentOf, type Meddle, run } from "../../support/worlds/pure-world.ts";
import { type Scenario, start } from "../../support/worlds/scenario.ts";

const split = (percent: number): readonly Weight[] => [
  { revision: stable, percent: 100 - percent },
  { revision: canary, percent },
];
const percents = (journal: ReturnType<typeof run>["journal"], kind: "StepReached" | "StepPassed" | "TrafficAdopted") =>
  journal.flatMap((event) => (event.kind === kind ? [event.percent] : []));
const hear = (state: RolloutState, observation: RolloutObservation) =>
  rollout.decide(state, observation).reduce(rollout.evolve, state);

describe("weights that somebody else moves, where the release says adopt", () => {
  const adopting = { ...healthy, outsideWeights: "adopt" as const };
  const inBake = (weights: readonly Weight[], most = 1): Meddle & { count: number } =>
    times(
      most,
      ({ kind }, { phase, step, evidence }) =>
        kind === "VerifyTraffic" && phase === "baking" && step === 0 && evidence.canary.requests > 100,
      move(weights),
    );

  it("are adopted once they are seen a second time, and the rollout goes on from there", () => {
    const { journal, state } = run(adopting, inBake(split(30)));
    expect(percents(journal, "TrafficAdopted")).toEqual([30]);
    expect(percents(journal, "StepPassed")).toEqual([30, 50, 100]);
    expect(state.ending?.result).toBe("promoted");
    expect(replay(journal)).toBeUndefined();
  });

  it("that skip steps skip them, and weights that go back go back", () => {
    expect(percents(run(adopting, inBake(split(70))).journal, "StepPassed")).toEqual([70, 100]);
    expect(percents(run(adopting, inBake(split(4))).journal, "StepPassed")).toEqual([4, 10, 50, 100]);
  });

  it("are an old answer where the second look shows the step's own, and change nothing", () => {
    const lie: Meddle = (_effect, world) => ({
      kind: "Outcome",
      of: "VerifyTraffic",
      at: world.now,
      found: { ok: true, value: { weights: allToStable } },
    });
    const { journal, state } = run(
      adopting,
      times(1, ({ kind }, { phase }) => kind === "VerifyTraffic" && phase === "baking", lie),
    );
    expect(kinds(journal).filter((kind) => kind === "TrafficMoved")).toHaveLength(1);
    expect(state.ending?.result).toBe("promoted");
    expect(percents(journal, "StepReached")).toEqual([10, 50, 100]);
  });

  it("are a person's rollback where all of it is at stable", () => {
    const { state, world } = run(adopting, inBake(allToStable));
    expect(state.ending).toEqual({
      result: "rolled-back",
      sentence: "rolled back at 10 percent: somebody else gave all traffic back to stable",
    });
    expect([world.weights, world.active.has(canary)]).toEqual([allToStable, false]);
  });

  it("are put back where a third revision has some of it", () => {
    const { journal, state } = run(
      adopting,
      inBake([
        { revision: "storefront--0", percent: 20 },
        ...split(10).map(({ revision, percent }) => ({ revision, percent: percent - 10 })),
      ]),
    );
    expect(kinds(journal)).toContain("TrafficDrifted");
    expect(state.ending?.result).toBe("promoted");
  });

  it("are judged like any others: a bad canary that was given more is rolled back", () => {
    expect(run({ ...sick, ...adopting, canary: sick.canary }, inBake(split(60))).state.ending?.result).toBe(
      "rolled-back",
    );
  });

  it("are put back where the release does not say so", () => {
    const { journal, state } = run(healthy, inBake(split(30)));
    expect([
      kinds(journal).includes("TrafficDrifted"),
      kinds(journal).includes("TrafficAdopted"),
      state.ending?.result,
    ]).toEqual([true, false, "promoted"]);
  });
});

describe("a shift that was given up and lands after the end was decided", () => {
  const givenUp = (until: number): Meddle =>
    times(
      1,
      (effect, { phase }) => effect.kind === "ShiftTraffic" && phase === "shifting",
      (effect, world) =>
        ({
          ...failing(effect, world, "no answer in 30 s"),
          mayLand: { weights: split(10), until: after(start, until) },
        }) as RolloutObservation,
    );
  const endsBy = (name: "abort" | "promote"): Meddle =>
    times(
      1,
      ({ kind }, { phase }) => kind === "Wait" && phase === "shifting",
      (_, world) => signal(name, world.now),
    );
  const lands = (percent: number) =>
    times(
      1,
      ({ kind }, { phase, ending }) => kind === "Wait" && phase === "confirming" && ending !== undefined,
      move(split(percent)),
    );
  const all =
    (...each: readonly Meddle[]): Meddle =>
    (effect, world, state) =>
      each.reduce<RolloutObservation | undefined>((came, meddle) => came ?? meddle(effect, world, state), undefined);

  it.each([
    ["abort", stable],
    ["promote", canary],
  ] as const)(
    "is seen and put right before an end by %s is told, and before anything is taken away",
    (name, serves) => {
      const landing = lands(10);
      let takenWith: readonly Weight[] = [];
      const { journal, state, world } = run(
        healthy,
        all(givenUp(100), endsBy(name), landing, ({ kind }, { weights }) => {
          if (kind === "Deactivate") takenWith = weights;
          return undefined;
        }),
      );
      expect([landing.count, world.weights, takenWith, kinds(journal).includes("TrafficDrifted")]).toEqual([
        1,
        [{ revision: serves, percent: 100 }],
        [{ revision: serves, percent: 100 }],
        true,
      ]);
      expect(state.ending?.result).toBe(name === "abort" ? "rolled-back" : "promoted");
      expect(journal.at(-1)!.at).toBeGreaterThanOrEqual(after(start, 100));
      expect(replay(journal)).toBeUndefined();
    },
  );

  it("is looked for at each tick, so that users bear it for no longer", () => {
    const { journal } = run(healthy, all(givenUp(300), endsBy("abort")));
    const reads = journal.filter((event) => event.kind === "TrafficRead").map(({ at }) => at);
    expect(reads.slice(1).every((at, place) => at - reads[place]! <= healthy.pace.tickSeconds * 1000)).toBe(true);
    expect(journal.at(-1)).toMatchObject({ kind: "Finished", at: after(start, 300) });
  });

  it("is not waited for when its time is over, nor where it is the very end that was given up", () => {
    const late = run(sick, givenUp(20));
    const reverting = run(
      sick,
      times(
        1,
        ({ kind }, { phase }) => kind === "ShiftTraffic" && phase === "reverting",
        (effect, world) =>
          ({
            ...failing(effect, world),
            mayLand: { weights: allToStable, until: after(world.now, 600) },
          }) as RolloutObservation,
      ),
    );
    for (const { journal } of [late, reverting])
      expect(journal.at(-1)!.at - journal.find(({ kind }) => kind === "Aborted")!.at).toBeLessThanOrEqual(1_000);
  });

  it("is nothing that a fact of the release before tells, whose journals end as they ended", () => {
    const { journal } = run(
      healthy,
      all(
        times(
          1,
          (effect, { phase }) => effect.kind === "ShiftTraffic" && phase === "shifting",
          (effect, world) => failing(effect, world),
        ),
        endsBy("abort"),
      ),
    );
    expect(journal.at(-1)!.at - journal.find(({ kind }) => kind === "Aborted")!.at).toBe(0);
  });
});

describe("a rollout that is paused", () => {
  const aDay: Scenario = {
    ...healthy,
    pace: { ...healthy.pace, probeSeconds: 30 },
    signals: [
      { atMinutes: 5, signal: "pause", by: "ann", reason: "a holiday" },
      { atMinutes: 5 + 24 * 60, signal: "resume", by: "ann", reason: "back" },
    ],
  };

  it("for a day writes fewer than 1,500 facts, and is judged on every bin of that day", () => {
    const { journal, state } = run(aDay);
    const [paused, resumed] = [
      journal.findIndex(({ kind }) => kind === "Signalled"),
      journal.findLastIndex(({ kind }) => kind === "Signalled"),
    ];
    expect(resumed - paused).toBeLessThan(1_500);
    const bins = journal
      .slice(
        0,
        journal.findIndex(({ kind }) => kind === "StepPassed"),
      )
      .flatMap((event) => (event.kind === "Measured" ? event.bins : []))
      .map(({ at }) => at);
    expect(bins.slice(1).every((at, place) => at === bins[place]! + aDay.pace.tickSeconds * 1000)).toBe(true);
    expect([bins.length > 24 * 60, state.ending?.result]).toEqual([true, "promoted"]);
  });

  it("gives a canary that dies in the pause up within six ticks and its probes, and one that begins to fail within six", () => {
    const dying: Meddle = (effect, world, { paused }) =>
      effect.kind === "Probe" && paused && world.now > after(start, 10 * 60)
        ? {
            kind: "Outcome",
            of: "Probe",
            at: world.now,
            found: { ok: true, value: { good: false, detail: "no answer", running: "Failed" } },
          }
        : undefined;
    const failing = { ...aDay, canary: [...aDay.canary, { fromMinutes: 10, failedPercent: 60, slowPercent: 0 }] };
    for (const [scenario, meddle, most] of [
      [aDay, dying, 17.5],
      [failing, undefined, 17],
    ] as const) {
      const aborted = run(scenario, meddle).journal.find(({ kind }) => kind === "Aborted")!;
      expect(aborted.at).toBeLessThanOrEqual(after(start, most * 60));
    }
  });

  it("asks at the usual pace where its revisions fall asleep unasked", () => {
    const anHour = { ...aDay, signals: aDay.signals.map((sent, place) => ({ ...sent, atMinutes: 5 + place * 60 })) };
    const { journal } = run(
      anHour,
      times(
        1,
        ({ kind }) => kind === "Inspect",
        (_, world) => {
          world.shows = {
            revisions: [stable, canary].map((name) => ({
              name,
              active: true,
              running: "Running",
              health: "Healthy",
              templateHash: name,
              minReplicas: 0,
            })),
          };
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

describe("a revision that has traffic and is deactivated by somebody else", () => {
  it("is brought back, stable as well as canary", () => {
    for (const name of [stable, canary]) {
      const gone = times(
        1,
        ({ kind }, { phase }) => kind === "VerifyTraffic" && phase === "baking",
        (_, world) => {
          world.active.delete(name);
          return undefined;
        },
      );
      const { journal, state, world } = run(healthy, gone);
      expect(journal.filter(({ kind }) => kind === "TrafficDrifted")).toMatchObject([{ deactivated: [name] }]);
      expect([state.ending?.result, world.active.has(canary)]).toEqual(["promoted", true]);
    }
  });

  it("is a person's rollback where it is the canary and the release adopts what others do", () => {
    const gone = times(
      1,
      ({ kind }, { phase }) => kind === "VerifyTraffic" && phase === "baking",
      (_, world) => {
        world.active.delete(canary);
        return undefined;
      },
    );
    expect(run({ ...healthy, outsideWeights: "adopt" }, gone).state.ending?.sentence).toContain(
      "somebody else gave all traffic back to stable",
    );
  });
});

describe("labels", () => {
  it("say who is stable and who is canary while a rollout lasts, and who is stable after it", () => {
    const seen: unknown[] = [];
    const { world } = run(healthy, (effect) => {
      if (effect.kind === "ShiftTraffic") seen.push(effect.labels);
      return undefined;
    });
    expect(seen).toEqual([...Array.from({ length: 3 }, () => ({ stable, canary })), { stable: canary }]);
    expect(world.labels).toEqual({ stable: canary });
    expect(run(sick).world.labels).toEqual({ stable });
    expect(run({ ...healthy, before: "nothing" }).world.labels).toEqual({ stable: canary });
  });

  it("that cannot be moved after a promotion do not undo it", () => {
    const { state, world } = run(healthy, (effect, world, { phase }) =>
      phase === "settling" ? failing(effect, world) : undefined,
    );
    expect([state.ending?.result, world.weights, world.active.has(stable)]).toEqual([
      "promoted",
      [{ revision: canary, percent: 100 }],
      false,
    ]);
  });

  it("keep a canary that its own rollout could not take the traffic from from being taken for stable", () => {
    const left = "storefront--0";
    const shows = (weights: readonly Weight[]): Meddle =>
      times(
        1,
        ({ kind }) => kind === "Inspect",
        (_, world) => {
          world.shows = {
            weights,
            labels: { stable, canary: left },
            revisions: [stable, canary, left].map((name) => ({
              name,
              active: true,
              running: "Running",
              health: "Healthy",
              templateHash: name,
            })),
          };
          return undefined;
        },
      );
    for (const weights of [
      [{ revision: left, percent: 100 }],
      [
        { revision: left, percent: 60 },
        { revision: stable, percent: 40 },
      ],
    ]) {
      expect(run(healthy, shows(weights)).journal.find(({ kind }) => kind === "Started")).toMatchObject({ stable });
    }
  });
});

describe("a release that is superseded", () => {
  it("gives its traffic back, says by whom, and is never tried again", () => {
    const baking = stateIn("baking");
    const superseded = hear(baking, signal("supersede", baking.now));
    expect([superseded.phase, superseded.ending]).toEqual([
      "reverting",
      { result: "rolled-back", sentence: "superseded by ann: because" },
    ]);
    const { journal, state } = run({
      ...healthy,
      signals: [
        { atMinutes: 3, signal: "supersede", by: "ci", reason: "release r3 takes its place" },
        { atMinutes: 30, signal: "retry", by: "ann", reason: "again" },
        { atMinutes: 31, signal: "promote", by: "ann", reason: "now" },
      ],
    });
    expect(state.ending).toEqual({
      result: "rolled-back",
      sentence: "rolled back at 10 percent: superseded by ci: release r3 takes its place",
    });
    expect(journal.slice(-2)).toMatchObject([
      { kind: "Disregarded", what: expect.stringContaining("superseded") },
      { kind: "Disregarded" },
    ]);
  });
});

describe("an abort before the app was seen", () => {
  const early = { ...healthy, signals: [] };
  const abortedOnce = (): Meddle =>
    times(
      1,
      ({ kind }) => kind === "Inspect",
      (_, world) => signal("abort", world.now),
    );

  it("takes the canary away all the same", () => {
    const { journal, state, world } = run(early, abortedOnce());
    expect([state.ending?.result, world.weights, world.active.has(canary)]).toEqual(["rejected", allToStable, false]);
    expect(replay(journal)).toBeUndefined();
  });

  it("gives back what somebody had given the canary by hand", () => {
    const aborted = abortedOnce();
    const byHand: Meddle = (effect, world, state) => {
      if (effect.kind === "Inspect" && state.ending === undefined) world.weights = split(40);
      return aborted(effect, world, state);
    };
    const { state, world } = run(early, byHand);
    expect([state.ending?.result, world.weights, world.active.has(canary)]).toEqual([
      "rolled-back",
      allToStable,
      false,
    ]);
  });

  it("ends by name where the app can never be read", () => {
    const aborted = abortedOnce();
    const { state } = run(
      early,
      (effect, world, state) =>
        aborted(effect, world, state) ?? (effect.kind === "Inspect" ? failing(effect, world) : undefined),
    );
    expect(state.ending).toEqual({
      result: "rejected",
      sentence: expect.stringMatching(
        /^rejected before any traffic: aborted by ann: because; the app could not be read/,
      ),
    });
  });
});

describe("an app of which weights or requests would mean nothing", () => {
  const rows: readonly (readonly [what: string, shows: Partial<AppView>, says: string])[] = [
    ["without ingress", { ingress: "none" }, "no ingress"],
    ["with a TCP ingress", { ingress: "tcp" }, "TCP"],
    ["in Single mode", { mode: "Single" }, "Single revision mode"],
    ["in Labels mode", { mode: "Labels" }, "Labels revision mode"],
    ["in a mode of the future", { mode: "Mirrored" }, "Mirrored revision mode"],
    ["that keeps users where they are", { sticky: true }, "answered them first"],
  ];
  it.each(rows)("%s is rejected before any traffic, by its reason", (_what, shows, says) => {
    const { state, world } = run(
      healthy,
      times(
        1,
        ({ kind }) => kind === "Inspect",
        (_, world) => {
          world.shows = shows;
          return undefined;
        },
      ),
    );
    expect(state.ending).toEqual({ result: "rejected", sentence: expect.stringContaining(says) });
    expect(world.weights).toEqual(allToStable);
  });
});

describe("revisions that fall asleep", () => {
  it("are kept awake for as long as the rollout lasts, stable too, and nothing has to be restored after it", () => {
    const asleep: Meddle = (effect, world) => {
      if (effect.kind === "Inspect")
        world.shows = {
          revisions: [stable, canary].map((name) => ({
            name,
            active: true,
            running: "ScaledToZero",
            health: "None",
            templateHash: name,
            minReplicas: 0,
          })),
        };
      return undefined;
    };
    expect([...run(healthy, asleep).world.keptAwake]).toEqual([stable]);
    expect([...run(healthy).world.keptAwake]).toEqual([]);
  });
});

describe("hours in which nobody looked", () => {
  /** The process is away from a moment of the first bake on; its next look is three hours later. */
  const away = times(
    1,
    ({ kind }, { phase, step }) => kind === "Wait" && phase === "baking" && step === 0,
    (_, world) => {
      world.now = after(start, 3 * 3600);
      return { kind: "Outcome", of: "Wait", at: world.now, found: { ok: true, value: null } };
    },
  );
  const long = { ...healthy, pace: { ...healthy.pace, maximumSeconds: 6 * 3600 } };

  it("are judged bin by bin before any step is passed", () => {
    away.count = 0;
    const { journal } = run(long, away);
    const passed = journal.findIndex(({ kind }) => kind === "StepPassed");
    const measured = journal.slice(0, passed).findLast(({ kind }) => kind === "Measured");
    expect(measured).toMatchObject({ to: after(start, 3 * 3600) });
    expect(
      journal.slice(0, passed).flatMap((event) => (event.kind === "Measured" ? event.bins : [])).length,
    ).toBeGreaterThanOrEqual(178);
  });

  it("in which the canary was bad end in its rollback, though it is well by now", () => {
    away.count = 0;
    const meanwhile = {
      ...long,
      canary: [
        { fromMinutes: 0, failedPercent: 0, slowPercent: 0 },
        { fromMinutes: 5, failedPercent: 40, slowPercent: 0 },
        { fromMinutes: 175, failedPercent: 0, slowPercent: 0 },
      ],
    };
    expect(run(meanwhile, away).state.ending?.result).toBe("rolled-back");
  });

  it("of which no row is left hold the rollout until evidence comes or never comes", () => {
    away.count = 0;
    const { journal, state } = run(
      { ...long, requestsPerMinute: [{ fromMinutes: 0, value: 0 }], pace: { ...long.pace, maximumSeconds: 4 * 3600 } },
      away,
    );
    expect(journal.find(({ kind }) => kind === "Held")).toMatchObject({ reason: "no-traffic" });
    expect(state.ending?.sentence).toContain("evidence never came");
  });
});

describe("a rollback", () => {
  it("is the same wherever the process dies in it, and so is what comes after a promotion", () => {
    for (const scenario of [sick, healthy]) {
      const whole = run(scenario);
      const firsts = new Map<string, number>();
      let died = 0;
      // The process dies after each write once: what it did stays done, and what came of it is lost with it.
      const dying: Meddle = (effect, world, { phase }) => {
        if (!["ShiftTraffic", "Deactivate"].includes(effect.kind) || (firsts.get(`${effect.kind} ${phase}`) ?? 0) > 0)
          return undefined;
        firsts.set(`${effect.kind} ${phase}`, 1);
        died++;
        if (effect.kind === "ShiftTraffic") world.weights = effect.weights;
        if (effect.kind === "Deactivate") world.active.delete(effect.revision);
        return undefined;
      };
      const { journal, world } = run(scenario, dying);
      expect(died).toBeGreaterThanOrEqual(3);
      expect([journal, world.weights]).toEqual([whole.journal, whole.world.weights]);
    }
  });

  it("is never followed by a share for the canary in the same attempt", () => {
    const { journal } = run(sick);
    const aborted = journal.findIndex(({ kind }) => kind === "Aborted");
    expect(journal.slice(aborted).every((event) => event.kind !== "TrafficShifted" || reverts(event.weights))).toBe(
      true,
    );
  });
});

describe("clocks", () => {
  it("that go back or are ten minutes apart do not make a journal go back in time, nor a rollout end", () => {
    const skewed: Meddle = (effect, world) =>
      effect.kind === "Probe"
        ? {
            kind: "Outcome",
            of: "Probe",
            at: after(world.now, world.probes++ % 2 ? -600 : 0),
            found: { ok: true, value: { good: true, detail: "answered 200", running: "Running" } },
          }
        : undefined;
    const { journal, state } = run(healthy, skewed);
    expect(journal.every(({ at }, index) => index === 0 || at >= journal[index - 1]!.at)).toBe(true);
    expect(state.ending?.result).toBe("promoted");
  });

  it("are those of the plan that was asked for: pace and limits are frozen in the first fact", () => {
    expect(stateIn("baking").intent).toEqual(intentOf(healthy));
  });
});
