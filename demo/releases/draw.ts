// Draws the releases of a demo from a seed: their faults, sizes and order, when the control plane is killed, and which
// verdict races with a `pulumi up`. A fault reaches only the environment of the replicas, and it alone determines the
// expected result.

import type { RolloutResult } from "../../engines/rollout/vocabulary.ts";
import { seeded } from "../seeded.ts";

/** What is wrong with a release. examples/storefront/README.md describes the faults. */
export type Fault =
  | { readonly kind: "none" }
  | { readonly kind: "errors"; readonly percent: number; readonly milliseconds?: number }
  | { readonly kind: "slow"; readonly percent: number; readonly milliseconds: number }
  | { readonly kind: "hang"; readonly afterRequests: number }
  | { readonly kind: "crash"; readonly afterRequests: number }
  | { readonly kind: "never-ready" };

export interface DrawnRelease {
  readonly release: number;
  readonly fault: Fault;
}

export interface Draw {
  readonly seed: number | null;
  readonly releases: readonly DrawnRelease[];
  /** The healthy release during which the control plane is killed, the step, and how long after reaching it. */
  readonly kill: { readonly release: number; readonly atPercent: number; readonly afterSeconds: number };
  /** The release whose verdict races with the next release's `pulumi up`, and when that begins; null without a race. */
  readonly race: { readonly release: number; readonly atPercent: number; readonly afterSeconds: number } | null;
}

/** The demo without a seed: the story of docs/start/demo.md. */
export const story: Draw = {
  seed: null,
  releases: [
    { release: 2, fault: { kind: "none" } },
    { release: 3, fault: { kind: "errors", percent: 30, milliseconds: 900 } },
    { release: 4, fault: { kind: "none" } },
    { release: 5, fault: { kind: "never-ready" } },
  ],
  kill: { release: 4, atPercent: 10, afterSeconds: 2 },
  race: null,
};

/** Draws two or three bad releases and two good ones, a bad one last, so that there is something to revert. */
export function draw(seed: number): Draw {
  const random = seeded(seed);
  const between: Between = (least, most) => least + Math.floor(random() * (most - least + 1));
  const pick = <Item>(items: readonly Item[]): Item => items[between(0, items.length - 1)]!;
  const bad: Fault[] = shuffle(["errors", "slow", "hang", "crash", "never-ready"] as const, random)
    .slice(0, between(2, 3))
    .map((kind) => sized(kind, between));
  const last = bad.pop()!;
  const faults = [...shuffle([...bad, { kind: "none" as const }, { kind: "none" as const }], random), last];
  const releases = faults.map((fault, index) => ({ release: index + 2, fault }));
  const healthy = releases.filter(({ fault }) => fault.kind === "none");
  const kill = { release: pick(healthy).release, atPercent: pick([10, 50]), afterSeconds: between(0, 3) };
  // The releases of a race are not killed. A bad release gets its verdict at the first step, a good one at the last.
  const racers = releases
    .slice(0, -1)
    .filter(
      ({ release, fault }) => fault.kind !== "never-ready" && kill.release !== release && kill.release !== release + 1,
    );
  const racer = racers.length > 0 ? pick(racers) : undefined;
  const race = racer
    ? { release: racer.release, atPercent: racer.fault.kind === "none" ? 100 : 10, afterSeconds: between(0, 4) }
    : null;
  return { seed, releases, kill, race };
}

type Between = (least: number, most: number) => number;

function sized(kind: Exclude<Fault["kind"], "none">, between: Between): Fault {
  switch (kind) {
    case "errors":
      return { kind, percent: between(5, 60) };
    case "slow":
      return { kind, percent: between(15, 40), milliseconds: between(700, 1500) };
    case "hang":
    case "crash":
      return { kind, afterRequests: between(40, 160) };
    case "never-ready":
      return { kind };
  }
}

/** Returns the result that a release with this fault must have. */
export function expectedResult(fault: Fault): RolloutResult {
  if (fault.kind === "none") return "promoted";
  return fault.kind === "never-ready" ? "rejected" : "rolled-back";
}

/**
 * The time in which the storefront answers half of its requests, as a shop that waits for a database does. One that
 * answers within a millisecond measures how busy this machine is, and proving that a release is no slower takes longer.
 */
const answerMilliseconds = 40;

/** Returns the environment variables by which the storefront reads its fault and the times of its answers. */
export function environmentOf({ release, fault }: DrawnRelease): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {
    RELEASE: String(release),
    FAULT: fault.kind,
    SEED: String(release),
    ANSWER_MILLISECONDS: String(answerMilliseconds),
  };
  if (fault.kind === "errors" || fault.kind === "slow") environment["FAULT_PERCENT"] = String(fault.percent);
  if (fault.kind === "slow") environment["FAULT_MILLISECONDS"] = String(fault.milliseconds);
  if (fault.kind === "errors" && fault.milliseconds !== undefined)
    Object.assign(environment, { FAULT: "errors,slow", FAULT_MILLISECONDS: String(fault.milliseconds) });
  if (fault.kind === "hang" || fault.kind === "crash") environment["FAULT_AFTER"] = String(fault.afterRequests);
  return environment;
}

/** Describes a fault for people. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "none":
      return "healthy";
    case "errors":
      return fault.milliseconds === undefined
        ? `${fault.percent} % of requests fail`
        : `${fault.percent} % of requests fail and ${fault.percent} % take ${fault.milliseconds} ms longer`;
    case "slow":
      return `${fault.percent} % of requests take ${fault.milliseconds} ms longer`;
    case "hang":
      return `stops answering after ${fault.afterRequests} requests`;
    case "crash":
      return `crashes after every ${fault.afterRequests} requests`;
    case "never-ready":
      return "never becomes ready";
  }
}

function shuffle<Item>(items: readonly Item[], random: () => number): Item[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}
