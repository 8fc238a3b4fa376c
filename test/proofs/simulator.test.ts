// Runs the simulator, in which the shipped loop drives rollouts over a virtual clock: seeds of every kind of fault, and
// the seeds that once failed. Also shows that a seed always gives the same run, that failures shrink, and that deaths
// alone change no decision. `npm run bench:simulate` runs ten thousand seeds.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDice } from "../../proofs/simulator/dice.ts";
import { type Drawn, draw, type Fault, type Point, points } from "../../proofs/simulator/draw.ts";
import { check } from "../../proofs/simulator/invariants.ts";
import { shrink } from "../../proofs/simulator/shrink.ts";
import { type Run, simulate } from "../../proofs/simulator/simulate.ts";

const kept = join(import.meta.dirname, "seeds");
const factsOf = (run: Run) =>
  [...run.store.streams].map(([stream, { facts }]) => [stream, facts.map(({ event }) => event)]);
/** The decisions of a run, without what depends on timing and chance. */
const decisions = (run: Run) =>
  [...run.store.streams.values()].map(({ facts }) =>
    facts
      .map(({ event }) => event)
      .filter(({ kind }) =>
        [
          "Started",
          "FoundUnchanged",
          "SmokePassed",
          "StepReached",
          "StepPassed",
          "Aborted",
          "Reverted",
          "Finished",
        ].includes(kind),
      )
      .map((event) => [event.kind, "percent" in event && event.percent, "result" in event && event.result].join(" ")),
  );

describe("under every fault", () => {
  it("three hundred seeds keep every invariant, and contain every kind of fault and every result", {
    timeout: 120_000,
  }, async () => {
    const met = new Set<string>();
    const results = new Set<string | undefined>();
    // A degraded end is rare: 509 is the first seed with one.
    for (const seed of [...Array.from({ length: 300 }, (_, index) => index + 1), 509]) {
      const run = await simulate(draw(seed));
      expect(check(run), `npm run simulate -- --seed ${seed}`).toEqual([]);
      for (const kind of Object.keys(run.trouble.met)) met.add(kind);
      for (const { facts } of run.store.streams.values()) results.add(facts.at(-1)?.state.ending?.result);
    }
    expect([...met]).toEqual(
      expect.arrayContaining([
        "crash",
        "crash at a point",
        "sleep",
        "sleep at a point",
        "skew",
        "store down",
        "store connection lost",
        "rows-late",
        "outage",
        "portal",
        "up",
        "signal",
        ...["429", "409", "500", "reset", "lost", "late", "lie", "forget", "async-failure"].map(
          (how) => `cloud ${how}`,
        ),
      ]),
    );
    expect([...results]).toEqual(
      expect.arrayContaining(["promoted", "rolled-back", "rejected", "unchanged", "degraded"]),
    );
  });

  it("no write that timed out or was sent twice undoes an end that came soon after it", {
    timeout: 120_000,
  }, async () => {
    let met = 0;
    for (let seed = 1; seed <= 250; seed++) {
      const dice = createDice(seed + 1_000_000);
      const late = (): Fault => ({
        kind: "cloud",
        at: dice.below(600),
        lasts: dice.between(5, 120),
        how: "late",
        percent: dice.pick([10, 30, 50]),
      });
      const end: Fault = {
        kind: "signal",
        at: 20 + dice.below(700),
        signal: dice.pick(["abort", "promote"]),
        times: 1,
      };
      const run = await simulate({
        ...draw(seed),
        before: "stable",
        canary: { is: "good", fromSeconds: 0 },
        outsideWeights: "restore",
        faults: [late(), late(), late(), end],
      });
      met += [...run.store.streams.values()].filter(({ facts }) =>
        facts.some(
          ({ event, state }) =>
            event.kind === "TrafficRead" && state.phase === "confirming" && state.retryAt > state.now,
        ),
      ).length;
      expect(check(run), `seed ${seed}`).toEqual([]);
    }
    expect(met).toBeGreaterThan(2);
  });

  it("deaths alone, around every effect and append and during recovery, change no decision", {
    timeout: 120_000,
  }, async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const dice = createDice(seed);
      const drawn = draw(seed);
      const steady: Drawn = {
        ...drawn,
        strategy: { ...drawn.strategy, maximumSeconds: 10_800, smokeSeconds: 180 },
        canary: { ...drawn.canary, fromSeconds: 0 },
        requestsPerMinute: 6_000,
        faults: [],
      };
      const deaths = Array.from({ length: dice.between(1, 6) }, () => {
        const point = dice.pick(Object.keys(points) as Point[]);
        return {
          kind: "crash-at" as const,
          point,
          nth: dice.between(1, points[point]),
          down: dice.pick([1, 30, 90]),
        };
      });
      const without = await simulate(steady);
      const withDeaths = await simulate({ ...steady, faults: deaths });
      expect(decisions(withDeaths), `seed ${seed}`).toEqual(decisions(without));
      // Nothing is written twice either: a late outcome would be a fact of its own, Disregarded.
      expect(
        factsOf(withDeaths).flatMap(([, events]) =>
          (events as readonly { kind: string }[]).filter(({ kind }) => kind === "Disregarded"),
        ),
      ).toEqual([]);
      expect(check(withDeaths)).toEqual([]);
    }
  });
});

describe("the simulator", () => {
  it("runs the same seed the same way", async () => {
    for (const seed of [3, 77, 1_234])
      expect(factsOf(await simulate(draw(seed)))).toEqual(factsOf(await simulate(draw(seed), true)));
  });

  it("shrinks a failing run to the faults that it needs", async () => {
    const drawn = Array.from({ length: 200 }, (_, seed) => draw(seed)).find(
      ({ faults }) => faults.length > 10 && faults.some(({ kind }) => kind === "portal"),
    )!;
    const least = await shrink(drawn, async ({ faults }) => faults.some(({ kind }) => kind === "portal"));
    expect(least.faults.map(({ kind }) => kind)).toEqual(["portal"]);
    expect([least.replicas, least.before]).toEqual([1, "stable"]);
  });
});

describe("of the seeds that once failed", () => {
  for (const file of readdirSync(kept).filter((name) => name.endsWith(".json"))) {
    const {
      why,
      open = false,
      drawn,
    } = JSON.parse(readFileSync(join(kept, file), "utf8")) as {
      readonly why: string;
      readonly open?: boolean;
      readonly drawn: Drawn;
    };
    // A failure that is not fixed yet is marked open; this test then reports when it is fixed.
    (open ? it.fails : it)(why, async () => expect(check(await simulate(drawn))).toEqual([]));
  }
});
