// Pace, limits, traffic → what a rollout of this plan can see, and when. The engine itself is led through a rollout whose bins are the typical
// ones, so the answer is the judge's own and not a formula beside it. It draws nothing: whoever wants chance hands over other bins.

import { after, duration, type Instant, secondsBetween } from "../../time.ts";
import { rollout } from "../rollout.ts";
import type {
  Bin,
  Durations,
  Limits,
  Pace,
  ReleaseIntent,
  RolloutEffect,
  RolloutEvent,
  RolloutObservation,
  Tally,
  Weight,
} from "../vocabulary.ts";
import { bucketMax, bucketOf, durationsOf, endOf } from "./durations.ts";
import { blockBins, gather, noEvidence } from "./gather.ts";
import { normalBelow } from "./likelihood.ts";

/** What a service is usually like. */
export interface Traffic {
  /** Requests of the whole app. */
  readonly requestsPerMinute: number;
  /** How many of them usually fail. */
  readonly failurePercent: number;
  /** How much more stable's failures vary between blocks of three bins than chance would make them: 1 where they do not come in bursts. */
  readonly dispersion: number;
}

/** What may be wrong with a canary: percentage points more failures, durations so many times as long. */
export interface Fault {
  readonly name: string;
  readonly failurePoints: number;
  readonly slower: number;
}

/** The faults that plans are measured by. */
export const faults: readonly Fault[] = [
  { name: "+1 point", failurePoints: 1, slower: 1 },
  { name: "+2 points", failurePoints: 2, slower: 1 },
  { name: "p99 × 1.5", failurePoints: 0, slower: 1.5 },
];
const healthy: Fault = { name: "healthy", failurePoints: 0, slower: 1 };

/** How a rollout goes: how it ends, so many seconds after the canary got its first share, and how many requests the canary has had by then. */
export interface Course {
  /** `undecided`: evidence did not come within the plan's `maximumSeconds`. */
  readonly ending: "rolled-back" | "promoted" | "undecided";
  readonly seconds: number;
  readonly canaryRequests: number;
  /** In the judge's words. */
  readonly sentence: string;
}

/** What a plan can see at some traffic. */
export interface Power {
  readonly healthy: Course;
  readonly faults: readonly (Fault & { readonly course: Course })[];
}

/** Says, a sentence each, what releases are meant to do and this plan cannot at this traffic: promote a healthy canary, find one that fails a point more. */
export function shortfalls(
  plan: Plan,
  traffic: Traffic,
  { healthy: good, faults: [point] } = power(plan, traffic),
): readonly string[] {
  const at = `At ${Math.round(traffic.requestsPerMinute)} requests a minute, of which ${Number(traffic.failurePercent.toPrecision(2))} % usually fail,`;
  return [
    ...(good.ending === "promoted" ? [] : [`${at} a healthy canary is not promoted: ${good.sentence}.`]),
    ...(point!.course.ending === "rolled-back"
      ? []
      : [
          `${at} a canary that fails one percentage point more than stable is ${point!.course.ending === "promoted" ? `promoted after ${duration(point!.course.seconds)}` : `not found within ${duration(plan.pace.maximumSeconds)}`}.`,
        ]),
  ];
}

type Plan = { readonly pace: Pace; readonly limits: Limits };

/** Says when a plan promotes a healthy canary and when it finds each fault, on the typical path: half of all rollouts are faster, about. */
export const power = (plan: Plan, traffic: Traffic): Power => ({
  healthy: follow(plan, typical(plan.pace, traffic, healthy)),
  faults: faults.map((fault) => ({ ...fault, course: follow(plan, typical(plan.pace, traffic, fault)) })),
});

/** Learns from a rollout's journal what its service is like, by the judge's own measure of noise; undefined where no request of stable was measured. */
export function trafficOf(journal: readonly RolloutEvent[]): Traffic | undefined {
  const intent = journal.find((event) => event.kind === "Planned")?.intent;
  const measured = journal.flatMap((event) => (event.kind === "Measured" ? event.bins : []));
  const bins = [...new Map(measured.map((bin) => [bin.at, bin])).values()].toSorted((one, other) => one.at - other.at);
  // A service that was deployed within the hour before has no requests in the bins before that.
  const asked = bins.slice(
    bins.findIndex(({ canary: { requests }, stable: { requests: more } }) => requests + more > 0),
  );
  if (intent === undefined || bins.length === 0) return undefined;
  const { tickSeconds } = intent.pace;
  const { usual } = gather(noEvidence, asked, {
    limits: intent.limits,
    percent: 0,
    tickSeconds,
    warmFrom: 0,
    warmUntil: 0,
  });
  if (usual.requests === 0) return undefined;
  const requests = asked.reduce((sum, bin) => sum + bin.canary.requests + bin.stable.requests, 0);
  const { pairs, sum } = usual.noise.failed;
  return {
    requestsPerMinute: requests / ((asked.length * tickSeconds) / 60),
    failurePercent: (100 * usual.failed) / usual.requests,
    dispersion: pairs === 0 ? 1 : Math.max(1, sum / pairs),
  };
}

/** What both arms do in the bin that begins at a moment, while the canary has a percentage. Bins are asked for in order, each once. */
export type Happen = (at: Instant, percent: number) => Bin;

const target = { resourceGroup: "", app: "" };
const canary = "canary";
const stable = "stable";
/** A write takes a moment, so that the warm-up after it ends at the next whole tick, as it does on a real platform. */
const writeSeconds = 1;
/** A whole tick for every tick that is a number of seconds up to a day. */
const start: Instant = 0;

/** Leads the engine through a rollout on a platform where nothing goes wrong but what the bins tell. */
export function follow({ pace, limits }: Plan, happen: Happen): Course {
  const intent: ReleaseIntent = {
    target,
    revision: canary,
    release: canary,
    pace,
    limits,
    probePath: "/",
    requestedBy: "",
  };
  const shares: { readonly from: Instant; readonly percent: number }[] = [{ from: -Infinity, percent: 0 }];
  let state = rollout.initial;
  let now = start;
  let canaryRequests = 0;
  let weights: readonly Weight[] = [{ revision: stable, percent: 100 }];
  const hear = (observation: RolloutObservation): void =>
    void (state = rollout.decide(state, observation).reduce(rollout.evolve, state));
  const outcome = (of: RolloutEffect["kind"], value: unknown): void =>
    hear({ kind: "Outcome", of, at: now, found: { ok: true, value } } as RolloutObservation);
  hear({ kind: "Request", at: now, intent });
  while (state.ending === undefined) {
    const effect = rollout.react(state);
    switch (effect?.kind) {
      case "Inspect":
        outcome("Inspect", {
          weights,
          revisions: [stable, canary].map((name) => ({
            name,
            active: true,
            running: "Running",
            health: "Healthy",
            templateHash: name,
          })),
        });
        break;
      case "Probe":
        outcome("Probe", { good: true, detail: "", running: "Running" });
        break;
      case "ShiftTraffic":
        weights = effect.weights;
        now = after(now, writeSeconds);
        shares.push({ from: now, percent: weights.find(({ revision }) => revision === canary)?.percent ?? 0 });
        outcome("ShiftTraffic", { weights });
        break;
      case "VerifyTraffic":
        outcome("VerifyTraffic", { weights });
        break;
      case "Wait":
        now = effect.until;
        outcome("Wait", null);
        break;
      case "Measure": {
        const tick = effect.tickSeconds * 1000;
        const bins: Bin[] = [];
        for (let at = effect.from; at + tick <= now; at += tick)
          bins.push(happen(at, shares.findLast(({ from }) => from <= at)!.percent));
        canaryRequests += bins.reduce((sum, bin) => sum + bin.canary.requests, 0);
        outcome("Measure", { bins, to: effect.from + bins.length * tick });
        break;
      }
      default:
        throw new Error(`a rollout without trouble asked for ${effect?.kind}`);
    }
  }
  const isOverdue =
    state.ending.result !== "promoted" && secondsBetween(state.startedAt, state.now) > pace.maximumSeconds;
  return {
    ending: isOverdue ? "undecided" : state.ending.result === "promoted" ? "promoted" : "rolled-back",
    seconds: secondsBetween(shares[1]?.from ?? start, state.now),
    canaryRequests,
    sentence: state.ending.sentence,
  };
}

/** So many of both arms' requests are answered 4xx: a service without any would be judged sooner than is typical. */
const refusedShare = 0.01;

/** Gives the typical bins: whole counts whose running sums keep to what is expected, and stable's failures swing so much as the dispersion says. */
function typical(
  { tickSeconds }: Pace,
  { requestsPerMinute, failurePercent, dispersion }: Traffic,
  { failurePoints, slower }: Fault,
): Happen {
  const each = (requestsPerMinute * tickSeconds) / 60;
  const share = failurePercent / 100;
  // Blocks differ as the dispersion says, and the bins in them about as much: bursts that lasted for whole blocks would be believed less.
  const spreadOf = (requests: number): number =>
    dispersion > 1 && each > 0 ? Math.sqrt((dispersion * share * (1 - share)) / (2 * requests)) : 0;
  const swing = Math.min(share, spreadOf(blockBins * each));
  const within = Math.min(share - swing, spreadOf(each));
  const ofCanary = createArm(slower);
  const ofStable = createArm(1);
  let bins = 0;
  return (at, percent) => {
    const place = bins++;
    const swung = (Math.floor(place / blockBins) % 2 === 0 ? swing : -swing) + [0, within, -within][place % blockBins]!;
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

/** Error diffusion: whole counts whose running sum is the expectation's, rounded. */
function diffuse(): (expected: number) => number {
  let owed = 0.5;
  return (expected) => {
    owed += expected;
    const count = Math.floor(owed);
    owed -= count;
    return count;
  };
}

// A lognormal whose p99 is nearly four times its median. Its scale says nothing to the judge, which looks at stable's own tails.
const medianMilliseconds = 100;
const sigma = 0.58;
/** From so many requests a bin on, rounded shares are as good as counting one by one. */
const countedMost = 5_000;
/** Multiples of the golden ratio, without their whole parts, are as even as a sequence can be at every length. */
const golden = (Math.sqrt(5) - 1) / 2;

/** Deals out durations: the nth request takes what the nth of evenly spread shares of the lognormal takes. */
function spread(slower: number): (requests: number) => Durations | undefined {
  const upTo = Array.from({ length: bucketMax + 1 }, (_, bucket) =>
    bucket === bucketMax ? 1 : normalBelow(Math.log(endOf(bucket) / slower / medianMilliseconds) / sigma),
  );
  const first = bucketOf(medianMilliseconds * slower);
  let dealt = 0;
  return (requests) => {
    if (requests > countedMost)
      return durationsOf(
        upTo.map((share, bucket) => [bucket, Math.round(requests * (share - (upTo[bucket - 1] ?? 0)))] as const),
      );
    const counts = new Map<number, number>();
    for (let index = 0; index < requests; index++) {
      const share = (0.5 + ++dealt * golden) % 1;
      let bucket = first;
      while (upTo[bucket]! < share) bucket++;
      while (bucket > 0 && upTo[bucket - 1]! >= share) bucket--;
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }
    return durationsOf([...counts]);
  };
}
