// Requests that last for minutes: a row is written when one ends, so a canary has fewer rows than its share for as long
// as requests last. Both revisions are equally good here, and neither a lost probe nor missing rows may say otherwise.
import { expect, test } from "vitest";
import type { Bucket, RolloutEvent } from "../../../engines/rollout/vocabulary.ts";
import { type Meddle, type PureWorld, run } from "../../support/worlds/pure-world.ts";
import { type Scenario, scenarios, start } from "../../support/worlds/scenario.ts";

const base = scenarios().find(({ name }) => name === "promotes-when-every-step-passes")!;
const minute = 60_000;
const perMinute = 1200;
const always = <Value>(value: Value) => [{ fromMinutes: 0, ...value }];
const well = { failedPercent: 0, slowPercent: 0 };
const streams: Scenario = {
  ...base,
  strategy: {
    ...base.strategy,
    weights: [5, 25, 50],
    bakeSeconds: 300,
    warmUpSeconds: 180,
    intervalSeconds: 60,
    maximumSeconds: 10_800,
  },
  requestsPerMinute: always({ value: perMinute }),
  canary: always(well),
  stable: always(well),
};

const shareOf = ({ shares }: PureWorld, revision: string, at: number): number =>
  shares.findLast(({ from }) => from <= at)?.weights.find((each) => each.revision === revision)?.percent ??
  (revision.endsWith("--1") ? 100 : 0);

/** Rows of requests that began so many minutes before; the probes at some minutes get no answer. */
const lasting =
  (minutes: number, lostAt: readonly number[]): Meddle =>
  (effect, world) => {
    if (effect.kind === "Probe" && lostAt.some((each) => Math.abs(world.now - start - each * minute) < minute / 2)) {
      const value = { good: false, detail: "no answer in 10 s", running: "Running", restarts: [] };
      return { kind: "Outcome", of: "Probe", at: world.now, found: { ok: true, value } };
    }
    if (effect.kind !== "Measure") return undefined;
    const interval = effect.intervalSeconds * 1000;
    const buckets: Bucket[] = [];
    for (let at = effect.from; at + interval <= world.now; at += interval) {
      const tally = (revision: string) => ({
        requests: Math.round((perMinute * shareOf(world, revision, at - minutes * minute)) / 100),
        failed: 0,
        refused: 0,
      });
      buckets.push({ at, canary: tally(effect.canary), stable: tally(effect.stable ?? "") });
    }
    const value = { buckets, to: effect.from + buckets.length * interval };
    return { kind: "Outcome", of: "Measure", at: world.now, found: { ok: true, value } };
  };

const aborts = (journal: readonly RolloutEvent[]): readonly string[] =>
  journal.flatMap((event) => (event.kind === "Aborted" ? [`${event.reason}: ${event.message}`] : []));

test.each([
  [0.5, []],
  [2, []],
  [10, []],
  [45, []],
  [2, [20]],
  [10, [20]],
  [10, [21]],
  [10, [12, 20, 33]],
  [45, [20]],
])("requests of %d minutes with probes lost at minutes %j abort nothing", async (minutes, lostAt) => {
  const { journal } = await run(streams, lasting(minutes, lostAt));
  const ended = aborts(journal);
  // The lost probes were met: a rollout that ended before proves nothing about them.
  expect(journal.filter((event) => event.kind === "Probed" && !event.good)).toHaveLength(lostAt.length);
  expect(ended.filter((each) => !each.startsWith("time-expired"))).toEqual([]);
  if (minutes <= 10) expect(ended).toEqual([]);
});
