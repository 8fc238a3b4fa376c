// What happens to the requests of an arm in a minute, as probabilities and factors: the normal rates of the service,
// its noise, the events that hit both arms, and the fault of the canary.
import type { Cell, Fault, Noise, Shared, Span, Wander } from "./cells.ts";
import { type Dice, loadDice } from "./dice.ts";
import type { Slowness } from "./shapes.ts";

/** What happens to a request. */
export interface Condition extends Slowness {
  readonly failed: number;
  readonly refused: number;
  readonly hung: number;
  readonly failsFast: boolean;
}

export type ArmName = "canary" | "stable";

const refusedShare = 0.01;
const replicas = 10;
const badReplicaMinutes = 3;

/** The dice of each arm's noise, one stream for each purpose. */
const streams = {
  canary: { noise: 4, replicas: 104, wander: 300, durationWander: 400 },
  stable: { noise: 5, replicas: 105, wander: 500, durationWander: 600 },
  both: { noise: 0, replicas: 0, wander: 700, durationWander: 800 },
} as const;

const within = (at: number, { fromMinute = -Infinity, untilMinute = Infinity }: Partial<Span>): boolean =>
  at >= fromMinute && at < untilMinute;

interface Recurring extends Partial<Span> {
  readonly downMinutes?: number;
  readonly ofMinutes?: number;
}
const recurs = (at: number, { fromMinute = 0, downMinutes = 1, ofMinutes = 1 }: Recurring): boolean =>
  (((at - fromMinute) % ofMinutes) + ofMinutes) % ofMinutes < downMinutes;

/** Gives the fault if it is active in a minute. */
export function activeFault({ fault }: Cell, at: number, weight: number, load: number): Fault | undefined {
  const { weightAtLeast = 0, requestsAtLeast = 0, ...when } = fault?.when ?? {};
  const isActive =
    at >= 0 && within(at, when) && weight >= weightAtLeast && load >= requestsAtLeast && recurs(at, when);
  return isActive ? fault : undefined;
}

/** An event while it happens, and how much of it: it may grow slowly. */
export interface Happening extends Shared {
  readonly part: number;
}

/** Gives the event of a cell if it happens in a minute. */
export function eventAt({ shared }: Cell, at: number, weight: number): Happening | undefined {
  if (shared === undefined || !within(at, shared) || weight < (shared.weightAtLeast ?? 0) || !recurs(at, shared))
    return undefined;
  const { rampMinutes = 0, fromMinute } = shared;
  return { ...shared, part: rampMinutes === 0 ? 1 : Math.min(1, (at - fromMinute + 1) / rampMinutes) };
}

/** How many points more of an arm's requests fail, are refused or hang because of the fault. */
export function harmOf(
  fault: Fault | undefined,
  at: number,
): { readonly failed: number; readonly refused: number; readonly hung: number } {
  return {
    failed: ((fault?.failurePoints ?? 0) + (fault?.failurePointsPerMinute ?? 0) * Math.max(0, at)) / 100,
    refused: (fault?.refusedPoints ?? 0) / 100,
    hung: (fault?.hangPercent ?? 0) / 100,
  };
}

/** A minute before every history, at which wandering begins in its stationary distribution. */
const wanderFrom = -200;

/** Gives a stationary autoregressive sequence with variance 1, by minute. */
function wanderer(seed: number, stream: number, phi: number): (at: number) => number {
  const known: number[] = [];
  return (at) => {
    for (let index = known.length; index <= at - wanderFrom; index++) {
      const shock = loadDice(seed, wanderFrom + index, stream).normal();
      known.push(index === 0 ? shock : phi * known[index - 1]! + Math.sqrt(Math.max(0, 1 - phi * phi)) * shock);
    }
    return known[at - wanderFrom]!;
  };
}

/** Gives the factor by which a rate wanders, by minute: the mean over an arm's replicas, 1 on average. */
function wandering(
  wander: Wander | undefined,
  seed: number,
  arm: ArmName,
  kind: "wander" | "durationWander",
): (at: number) => number {
  if (wander === undefined) return () => 1;
  const { phi, deviation, shared = false, canaryReplicas = 1, stableReplicas = 1 } = wander;
  const count = arm === "canary" ? canaryReplicas : stableReplicas;
  const stream = streams[shared ? "both" : arm][kind];
  const each = Array.from({ length: count }, (_, replica) => wanderer(seed, stream + replica, phi));
  const factorOf = (deviations: number): number => Math.exp(deviation * deviations - deviation ** 2 / 2);
  return (at) => each.reduce((sum, replica) => sum + factorOf(replica(at)), 0) / count;
}

function badReplicasOf({ badReplicaPercent = 0 }: Noise, diceAt: (at: number) => Dice): (at: number) => number {
  if (badReplicaPercent === 0) return () => 0;
  return (at) =>
    Array.from({ length: badReplicaMinutes }, (_, ago) =>
      diceAt(at - ago).binomial(replicas, badReplicaPercent / 100),
    ).reduce((sum, count) => sum + count, 0);
}

/** Gives the condition of an arm's requests, by minute and the canary's weight. */
export function conditionsOf(
  cell: Cell,
  seed: number,
  arm: ArmName,
): (at: number, weight: number, wrong: Fault | undefined) => Condition {
  const { noise = {}, failurePercent } = cell;
  const badReplicas = badReplicasOf(noise, (at) => loadDice(seed, at, streams[arm].replicas));
  const wander = wandering(noise.wander, seed, arm, "wander");
  const durationWander = wandering(noise.durationWander, seed, arm, "durationWander");
  return (at, weight, wrong) => {
    const chance = loadDice(seed, at, streams[arm].noise);
    const harm = harmOf(wrong, at);
    const happens = eventAt(cell, at, weight);
    const event = happens?.stableOnly && arm === "canary" ? undefined : happens;
    const usual =
      (failurePercent / 100) * (noise.failures ? chance.shock(noise.failures) : 1) * wander(at) +
      (0.2 * Math.min(replicas, badReplicas(at))) / replicas;
    const slower =
      (event?.slower ?? 1) *
      (wrong?.slower ?? 1) *
      (noise.durations ? chance.shock(noise.durations) : 1) *
      durationWander(at);
    return {
      failed: Math.min(1, usual + ((event?.failurePoints ?? 0) * (event?.part ?? 1)) / 100 + harm.failed),
      refused: refusedShare + harm.refused,
      hung: harm.hung,
      slower,
      tail: wrong?.tail,
      part: wrong?.part,
      fastSlower: wrong?.fastSlower,
      failsFast: wrong?.failsFast ?? false,
    };
  };
}
