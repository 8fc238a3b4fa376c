// Strategy, thresholds, traffic → what a rollout with this plan can detect, and when. The engine itself is led through
// a rollout of typical buckets, so the answer is the judge's own, not a separate formula. Nothing is random; callers
// that want chance pass other buckets.

import { after, duration, type Instant, secondsBetween } from "../../time.ts";
import { rollout } from "../rollout.ts";
import type {
  Bucket,
  Durations,
  ReleaseIntent,
  RolloutEffect,
  RolloutEvent,
  RolloutObservation,
  RolloutState,
  Strategy,
  Tally,
  Thresholds,
  Weight,
} from "../vocabulary.ts";
import { shareOf } from "../weights.ts";
import { blockLengths } from "./baseline.ts";
import { bandMax, bandOf, durationsOf, endOf } from "./durations.ts";
import { gather, noEvidence } from "./gather.ts";
import { normalBelow } from "./likelihood.ts";

/** The traffic of a service. */
export interface Traffic {
  /** Requests of the whole app. */
  readonly requestsPerMinute: number;
  /** The percentage that fails: the baseline. */
  readonly failurePercent: number;
  /** How much more stable's failures vary between blocks of three buckets than by chance; 1 without bursts. */
  readonly dispersion: number;
}

/** A fault of a canary: percentage points more failures, and durations longer by a factor. */
export interface Fault {
  readonly name: string;
  readonly failurePoints: number;
  readonly slower: number;
}

/** The faults by which plans are measured. */
export const faults: readonly Fault[] = [
  { name: "+1 point", failurePoints: 1, slower: 1 },
  { name: "+2 points", failurePoints: 2, slower: 1 },
  { name: "p99 × 1.5", failurePoints: 0, slower: 1.5 },
];
const noFault: Fault = { name: "healthy", failurePoints: 0, slower: 1 };

/**
 * How a rollout ends, how many seconds after the canary first got traffic, and after how many requests to the canary.
 */
export interface Course {
  /** `undecided`: not enough evidence within the plan's `maximumSeconds`. */
  readonly ending: "rolled-back" | "promoted" | "undecided";
  readonly seconds: number;
  readonly canaryRequests: number;
  /** The judge's message. */
  readonly message: string;
}

/** What a plan can detect at some traffic. */
export interface Power {
  readonly healthy: Course;
  readonly faults: readonly (Fault & { readonly course: Course })[];
}

/** Bursts are measured by blocks of this many buckets. */
const burstScale = 1;
const blockBuckets = blockLengths[burstScale];

type Plan = { readonly strategy: Strategy; readonly thresholds: Thresholds };

/** Lists what releases should do and this plan cannot: promote a healthy canary, detect one that fails a point more. */
export function shortfalls(
  plan: Plan,
  traffic: Traffic,
  { healthy, faults: [point] } = power(plan, traffic),
): readonly string[] {
  const failures = Number(traffic.failurePercent.toPrecision(2));
  const at = `At ${Math.round(traffic.requestsPerMinute)} requests a minute with ${failures} % failures`;
  const missed: string[] = [];
  if (healthy.ending !== "promoted") missed.push(`${at}, a healthy canary is not promoted: ${healthy.message}.`);
  const { ending, seconds } = point!.course;
  const outcome =
    ending === "promoted"
      ? `promoted after ${duration(seconds)}`
      : `not detected within ${duration(plan.strategy.maximumSeconds)}`;
  if (ending !== "rolled-back")
    missed.push(`${at}, a canary that fails one percentage point more than stable is ${outcome}.`);
  return missed;
}

/**
 * Gives when a plan promotes a healthy canary and when it detects each fault, typically: about half of all
 * rollouts are faster.
 */
export const power = (plan: Plan, traffic: Traffic): Power => ({
  healthy: follow(plan, typical(plan.strategy, traffic, noFault)),
  faults: faults.map((fault) => ({ ...fault, course: follow(plan, typical(plan.strategy, traffic, fault)) })),
});

/**
 * Learns the traffic of a service from a rollout's journal, with the judge's own measure of noise; undefined without
 * requests to stable.
 */
export function trafficOf(journal: readonly RolloutEvent[]): Traffic | undefined {
  const intent = journal.find((event) => event.kind === "Planned")?.intent;
  const measured = journal.flatMap((event) => (event.kind === "Measured" ? event.buckets : []));
  const buckets = [...new Map(measured.map((bucket) => [bucket.at, bucket])).values()].toSorted(
    (one, other) => one.at - other.at,
  );
  // A service that is younger than an hour has no requests in the earlier buckets.
  const asked = buckets.slice(buckets.findIndex((bucket) => bucket.canary.requests + bucket.stable.requests > 0));
  if (intent === undefined || buckets.length === 0) return undefined;
  const { intervalSeconds } = intent.strategy;
  const { baseline } = gather(noEvidence, asked, {
    thresholds: intent.thresholds,
    percent: 0,
    intervalSeconds,
    warmFrom: 0,
    warmUntil: 0,
  });
  if (baseline.requests === 0) return undefined;
  const requests = asked.reduce((total, bucket) => total + bucket.canary.requests + bucket.stable.requests, 0);
  const { pairs, sum } = baseline.noise.failed[burstScale]!;
  return {
    requestsPerMinute: requests / ((asked.length * intervalSeconds) / 60),
    failurePercent: (100 * baseline.failed) / baseline.requests,
    dispersion: pairs === 0 ? 1 : Math.max(1, sum / pairs),
  };
}

/**
 * Gives the bucket that begins at a moment, while the canary has a percentage. Called in order, once for each bucket.
 */
export type Happen = (at: Instant, percent: number) => Bucket;

const target = { resourceGroup: "", app: "" };
const canary = "canary";
const stable = "stable";
/** A write takes a moment, so that the warm-up after it ends at the next whole interval, as on a real platform. */
const writeSeconds = 1;
/** The start of a whole interval, whatever the interval. */
const start: Instant = 0;

/** Leads the engine through a rollout on a platform without trouble, with the given buckets. */
export function follow(plan: Plan, happen: Happen): Course {
  const world: TroubleFreeWorld = {
    now: start,
    weights: [{ revision: stable, percent: 100 }],
    shares: [{ from: -Infinity, percent: 0 }],
    canaryRequests: 0,
  };
  let state = rollout.initial;
  const hear = (observation: RolloutObservation): void => {
    state = rollout.decide(state, observation).reduce(rollout.evolve, state);
  };
  hear({ kind: "Request", at: start, intent: intentOf(plan) });
  while (state.ending === undefined) {
    const effect = rollout.react(state);
    const value = perform(effect, world, happen);
    hear({ kind: "Outcome", of: effect!.kind, at: world.now, found: { ok: true, value } } as RolloutObservation);
  }
  return {
    ending: endingOf(state, plan.strategy),
    seconds: secondsBetween(world.shares[1]?.from ?? start, state.now),
    canaryRequests: world.canaryRequests,
    message: state.ending.message,
  };
}

interface TroubleFreeWorld {
  now: Instant;
  weights: readonly Weight[];
  /** The canary's percentage, from each moment on. */
  readonly shares: { readonly from: Instant; readonly percent: number }[];
  canaryRequests: number;
}

const intentOf = ({ strategy, thresholds }: Plan): ReleaseIntent => ({
  target,
  revision: canary,
  release: canary,
  strategy,
  thresholds,
  probePath: "/",
  requestedBy: "",
});

function endingOf({ ending, startedAt, now }: RolloutState, { maximumSeconds }: Strategy): Course["ending"] {
  if (ending?.result === "promoted") return "promoted";
  return secondsBetween(startedAt, now) > maximumSeconds ? "undecided" : "rolled-back";
}

/** Carries out an effect and gives the value of its outcome. */
function perform(effect: RolloutEffect | undefined, world: TroubleFreeWorld, happen: Happen): unknown {
  switch (effect?.kind) {
    case "Inspect":
      return {
        weights: world.weights,
        revisions: [stable, canary].map((name) => ({
          name,
          active: true,
          running: "Running",
          health: "Healthy",
          templateHash: name,
        })),
      };
    case "Probe":
      return { good: true, detail: "", running: "Running" };
    case "ShiftTraffic":
      world.weights = effect.weights;
      world.now = after(world.now, writeSeconds);
      world.shares.push({ from: world.now, percent: shareOf(effect.weights, canary) ?? 0 });
      return { weights: world.weights };
    case "VerifyTraffic":
      return { weights: world.weights };
    case "Wait":
      world.now = effect.until;
      return null;
    case "Measure": {
      const interval = effect.intervalSeconds * 1000;
      const buckets: Bucket[] = [];
      for (let at = effect.from; at + interval <= world.now; at += interval)
        buckets.push(happen(at, world.shares.findLast(({ from }) => from <= at)!.percent));
      world.canaryRequests += buckets.reduce((sum, bucket) => sum + bucket.canary.requests, 0);
      return { buckets, to: effect.from + buckets.length * interval };
    }
    default:
      throw new Error(`a rollout without trouble asked for ${effect?.kind}`);
  }
}

/** The share of 4xx answers of both arms: a service without any would be judged sooner than is typical. */
const refusedShare = 0.01;

/**
 * Gives typical buckets: whole counts whose running sums follow the expectation. Stable's failures vary as
 * the dispersion says.
 */
function typical(
  { intervalSeconds }: Strategy,
  { requestsPerMinute, failurePercent, dispersion }: Traffic,
  { failurePoints, slower }: Fault,
): Happen {
  const each = (requestsPerMinute * intervalSeconds) / 60;
  const share = failurePercent / 100;
  // Blocks differ as the dispersion says, and the buckets in them about as much: bursts of whole blocks would
  // be trusted less.
  const spreadOf = (requests: number): number =>
    dispersion > 1 && each > 0 ? Math.sqrt((dispersion * share * (1 - share)) / (2 * requests)) : 0;
  const swing = Math.min(share, spreadOf(blockBuckets * each));
  const within = Math.min(share - swing, spreadOf(each));
  const ofCanary = createArm(slower);
  const ofStable = createArm(1);
  let buckets = 0;
  return (at, percent) => {
    const place = buckets++;
    const swung =
      (Math.floor(place / blockBuckets) % 2 === 0 ? swing : -swing) + [0, within, -within][place % blockBuckets]!;
    return {
      at,
      canary: ofCanary((each * percent) / 100, Math.min(1, share + failurePoints / 100)),
      stable: ofStable((each * (100 - percent)) / 100, Math.min(1, share + swung)),
    };
  };
}

function createArm(slower: number): (expected: number, failedShare: number) => Tally {
  const requestsOf = diffuse();
  const failedOf = diffuse();
  const refusedOf = diffuse();
  const durationsFor = spread(slower);
  return (expected, failedShare) => {
    const requests = requestsOf(expected);
    const durations = durationsFor(requests);
    return {
      requests,
      failed: Math.min(requests, failedOf(requests * failedShare)),
      refused: Math.min(requests, refusedOf(requests * refusedShare)),
      ...(durations === undefined ? {} : { durations }),
    };
  };
}

/** Diffuses the rounding error: whole counts whose running sum is the rounded sum of the expectations. */
function diffuse(): (expected: number) => number {
  let owed = 0.5;
  return (expected) => {
    owed += expected;
    const count = Math.floor(owed);
    owed -= count;
    return count;
  };
}

// A lognormal whose p99 is nearly four times its median. Its scale does not matter: the judge uses stable's own tails.
const medianMilliseconds = 100;
const sigma = 0.58;
/** Beyond this many requests in a bucket, rounded shares are as good as counting one by one. */
const countedMost = 5_000;
/** The fractional parts of its multiples are spread as evenly as possible, at every length. */
const golden = (Math.sqrt(5) - 1) / 2;

/** Spreads durations: the nth request takes the nth of evenly spread quantiles of the lognormal. */
function spread(slower: number): (requests: number) => Durations | undefined {
  const upTo = Array.from({ length: bandMax + 1 }, (_, band) =>
    band === bandMax ? 1 : normalBelow(Math.log(endOf(band) / slower / medianMilliseconds) / sigma),
  );
  const first = bandOf(medianMilliseconds * slower);
  let dealt = 0;
  return (requests) => {
    if (requests > countedMost)
      return durationsOf(
        upTo.map((share, band) => [band, Math.round(requests * (share - (upTo[band - 1] ?? 0)))] as const),
      );
    const counts = new Map<number, number>();
    for (let index = 0; index < requests; index++) {
      const share = (0.5 + ++dealt * golden) % 1;
      let band = first;
      while (upTo[band]! < share) band++;
      while (band > 0 && upTo[band - 1]! >= share) band--;
      counts.set(band, (counts.get(band) ?? 0) + 1);
    }
    return durationsOf([...counts]);
  };
}
