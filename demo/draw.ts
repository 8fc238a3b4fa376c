// Seed → the releases of a demo: which faults, how large, in which order, when the control plane is killed, and which verdict
// races with a `pulumi up`. What is drawn reaches only the replicas' environment; the result that is expected follows from the fault alone.
import type { RolloutResult } from "../engines/rollout/vocabulary.ts";

/** What is wrong with a release. Sizes are in the fault's own unit; see examples/storefront/README.md. */
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
  /** The healthy release in which the control plane is killed, and how long after which step was reached. */
  readonly kill: { readonly release: number; readonly atPercent: number; readonly afterSeconds: number };
  /** The release whose verdict races with the next release's `pulumi up`, and when that begins; null where the draw leaves no room for one. */
  readonly race: { readonly release: number; readonly atPercent: number; readonly afterSeconds: number } | null;
}

/** The demo without a seed: the story that the README tells. */
export const story: Draw = {
  seed: null,
  releases: [
    { release: 2, fault: { kind: "none" } },
    { release: 3, fault: { kind: "errors", percent: 30, milliseconds: 900 } },
    { release: 4, fault: { kind: "none" } },
    { release: 5, fault: { kind: "never-ready" } },
  ],
  kill: { release: 4, atPercent: 25, afterSeconds: 2 },
  race: null,
};

/** Draws two bad releases or three and as many good ones, a bad one last, so that there is something to revert. */
export function draw(seed: number): Draw {
  const random = mulberry32(seed);
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const pick = <Item>(items: readonly Item[]): Item => items[between(0, items.length - 1)]!;
  const bad: Fault[] = shuffle(["errors", "slow", "hang", "crash", "never-ready"] as const, random)
    .slice(0, between(2, 3))
    .map((kind) => {
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
    });
  const last = bad.pop()!;
  const faults = [...shuffle([...bad, { kind: "none" as const }, { kind: "none" as const }], random), last];
  const releases = faults.map((fault, index) => ({ release: index + 2, fault }));
  const healthy = releases.filter(({ fault }) => fault.kind === "none");
  const kill = { release: pick(healthy).release, atPercent: pick([5, 25, 50]), afterSeconds: between(0, 3) };
  // Both releases of a race must be about nothing else. A bad one has its verdict at the first step, a good one at the last.
  const racers = releases
    .slice(0, -1)
    .filter(
      ({ release, fault }) => fault.kind !== "never-ready" && kill.release !== release && kill.release !== release + 1,
    );
  const racer = racers.length > 0 ? pick(racers) : undefined;
  const race = racer
    ? { release: racer.release, atPercent: racer.fault.kind === "none" ? 100 : 5, afterSeconds: between(0, 4) }
    : null;
  return { seed, releases, kill, race };
}

/** Says what must come of a release with this fault. */
export function expectedResult(fault: Fault): RolloutResult {
  if (fault.kind === "none") return "promoted";
  return fault.kind === "never-ready" ? "rejected" : "rolled-back";
}

/** Writes a fault as the storefront reads it from its environment. */
export function environmentOf({ release, fault }: DrawnRelease): Readonly<Record<string, string>> {
  const environment: Record<string, string> = { RELEASE: String(release), FAULT: fault.kind, SEED: String(release) };
  if (fault.kind === "errors" || fault.kind === "slow") environment["FAULT_PERCENT"] = String(fault.percent);
  if (fault.kind === "slow") environment["FAULT_MILLISECONDS"] = String(fault.milliseconds);
  if (fault.kind === "errors" && fault.milliseconds !== undefined)
    Object.assign(environment, { FAULT: "errors,slow", FAULT_MILLISECONDS: String(fault.milliseconds) });
  if (fault.kind === "hang" || fault.kind === "crash") environment["FAULT_AFTER"] = String(fault.afterRequests);
  return environment;
}

/** Writes a fault as a person reads it. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "none":
      return "healthy";
    case "errors":
      return `${fault.percent} % of requests fail${fault.milliseconds === undefined ? "" : ` and ${fault.percent} % take ${fault.milliseconds} ms longer`}`;
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

/** A small generator of pseudo-random numbers from 0 to 1 (mulberry32), the same on every machine. */
function mulberry32(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
