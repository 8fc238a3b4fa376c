// Our judge with one thing left out or changed, to measure what each is worth: the thing, how it is taken away without
// touching the product's code, and the cells that show what it buys and what it costs.
import type { Evidence } from "../../engines/rollout/judge/evidence.ts";
import { gather, noEvidence, type Watch } from "../../engines/rollout/judge/gather.ts";
import { byMetric } from "../../engines/rollout/judge/metrics.ts";
import type { Bucket } from "../../engines/rollout/vocabulary.ts";
import { contestant, contestRamp, defaultPlan, type Omission, type Setting, type State } from "./ballast.ts";
import type { Contestant } from "./contestant.ts";

interface Ablation {
  readonly contestant: Contestant<State>;
  /** The cells that show what the part buys, and what it costs. */
  readonly cells: readonly string[];
}

type NoiseScales = Evidence["baseline"]["noise"]["failed"];

const withNoise = (evidence: Evidence, change: (scales: NoiseScales) => NoiseScales): Evidence => ({
  ...evidence,
  baseline: { ...evidence.baseline, noise: byMetric((name) => change(evidence.baseline.noise[name])) },
});

const withoutTempering = (evidence: Evidence): Evidence => withNoise(evidence, () => noEvidence.baseline.noise.failed);

/** Keeps only the first scales of noise. */
const withScales =
  (count: number) =>
  (evidence: Evidence): Evidence =>
    withNoise(evidence, (scales) =>
      scales.map((scale, index) => (index < count ? scale : { ...scale, pairs: 0, sum: 0 })),
    );

function withoutBody(evidence: Evidence): Evidence {
  const { p50: _half, p75: _quarter, ...tails } = evidence.baseline.tails;
  return { ...evidence, baseline: { ...evidence.baseline, tails } };
}

/** Lets slow requests of a start count in full as soon as the warm-up is over. */
const withoutColdStarts: typeof gather = (evidence, buckets, watch) => {
  const isWarm = buckets.every(({ at }) => at >= watch.warmUntil);
  return gather(evidence, buckets, isWarm ? { ...watch, warmFrom: watch.warmUntil } : watch);
};

/** So many minutes with a good request each make a service look as if it never failed. */
const flawlessMinutes = 61;

/** Takes away what is usual: a service that often fails looks sick from its first minute on. */
const withoutUsual: typeof gather = (evidence, buckets, watch) => {
  const flawless = Array.from(
    { length: buckets.length > 1 ? flawlessMinutes : 0 },
    (): Bucket => ({
      at: buckets[0]!.at,
      canary: { requests: 0, failed: 0 },
      stable: { requests: 1, failed: 0 },
    }),
  );
  return gather(evidence, [...flawless, ...buckets], watch);
};

/** With so many points the odds alone decide what is tolerated. */
const anyPoints = 20;

/** Tolerates the odds however many points they are; the evidence in favour stays as it is. */
const withOddsAlone: typeof gather = (evidence, buckets, watch) => {
  const lenient: Watch = { ...watch, thresholds: { ...watch.thresholds, failurePointsMax: anyPoints } };
  const against = gather(evidence, buckets, lenient);
  const favour = gather(evidence, buckets, watch);
  const failed = { ...favour.metrics.failed, whole: against.metrics.failed.whole, step: against.metrics.failed.step };
  return { ...favour, untempered: against.untempered, metrics: { ...favour.metrics, failed } };
};

/** Lets the hour before stand for what stable does in a step. */
const withPastBase = (evidence: Evidence): Evidence => {
  const { requests, failed: stableBad } = evidence.baseline;
  const { failed } = evidence.metrics;
  return {
    ...evidence,
    metrics: {
      ...evidence.metrics,
      failed: { ...failed, favourTable: { canary: 0, canaryBad: 0, stable: requests, stableBad } },
    },
  };
};

/** Leaves out what the canary itself did in the step before: only stable shows what is normal. */
const withStableAlone = (evidence: Evidence, before?: Evidence): Evidence => {
  const { favourTable, ...failed } = evidence.metrics.failed;
  if (before === undefined || favourTable.stable === 0) return evidence;
  const { stable, stableBad } = before.metrics.failed.favourTable;
  const alone = { ...failed, favourTable: { ...favourTable, stable, stableBad } };
  return { ...evidence, metrics: { ...evidence.metrics, failed: alone } };
};

/** After so many intervals no healthy canary can be expected to have shown what the whole point does not demand. */
const withoutStrict = (evidence: Evidence): Evidence => ({ ...evidence, intervals: 1e9 });

const ofPlan = (name: string, without: Omission, change: Partial<Setting> = {}): Contestant<State> => ({
  ...contestant({ ...defaultPlan, ...change, name: `default plan without ${name}`, without }),
  onlyOwnWeights: true,
});

/** What is left out of the default plan, one at a time. */
const ofDefaultPlan: readonly Ablation[] = [
  {
    contestant: ofPlan("hold-back", {}, { weights: [5, 25, 50] }),
    cells: ["errors +1 pt from 80 % weight", "nothing wrong", "nothing wrong, 30 a minute"],
  },
  { contestant: ofPlan("the body", { afterMinute: withoutBody }), cells: ["fast 90 % takes ×3", "nothing wrong"] },
  {
    contestant: ofPlan("long blocks", { afterMinute: withScales(2) }),
    cells: ["wander 0.8 of each arm", "wander 0.9 of each arm", "errors +2 pt, wander 0.8 of each arm"],
  },
  {
    contestant: ofPlan("tempering", { afterMinute: withoutTempering }),
    cells: ["shocks CV 1, 12000 a minute", "bad replicas", "errors +1 pt, shocks CV 1"],
  },
  {
    contestant: ofPlan("cold starts", { gather: withoutColdStarts }),
    cells: ["cold start of 5 min, 30 % take ×4", "30 % take ×4 for ever"],
  },
  {
    contestant: ofPlan("the usual share", { gather: withoutUsual }),
    cells: ["nothing wrong, base 8 %", "errors +5 pt, base 8 %"],
  },
  {
    contestant: ofPlan("tolerated points", { gather: withOddsAlone }),
    cells: ["errors +1 pt, base 3 %", "nothing wrong, base 3 %"],
  },
  {
    contestant: ofPlan("the step's own base", { beginsStep: withPastBase }),
    cells: [
      "base 0.1 to 1.9 % at the start, 120 a minute",
      "base 1.9 to 0.1 % at the start, +1 pt, 120 a minute",
      "nothing wrong, 120 a minute",
    ],
  },
  {
    contestant: ofPlan("the canary's own past", { beginsStep: withStableAlone }),
    cells: ["nothing wrong, 30 a minute", "errors +1 pt from 80 % weight, 30 a minute"],
  },
  {
    contestant: ofPlan("the stricter proof", { afterMinute: withoutStrict }),
    cells: ["one route of a hundred at 50 %", "nothing wrong", "nothing wrong, 120 a minute"],
  },
];

/** What is left out of the contest's ramp; "stable of ten minutes" was given up for its false rollbacks. */
const ofRamp: readonly Contestant<State>[] = [
  contestant({ ...contestRamp, name: "ballast without tempering", without: { afterMinute: withoutTempering } }),
  contestant({ ...contestRamp, name: "ballast without warm-up", warmUp: 0 }),
  contestant({ ...contestRamp, name: "ballast with stable of ten minutes", without: { staleStable: true } }),
];

/** All of them; they take part only if they are named. */
export const ablations: readonly Contestant<State>[] = [...ofRamp, ...ofDefaultPlan.map((one) => one.contestant)];

/** What `--ablations` plays: the default plan's, and the cells that they are about. */
export const ablationNames: readonly string[] = ofDefaultPlan.map((one) => one.contestant.name);
export const ablationCells: ReadonlySet<string> = new Set(ofDefaultPlan.flatMap(({ cells }) => cells));
