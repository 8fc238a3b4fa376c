// Draws a run from a seed: what is released, onto which app, and a list of faults that can be read, shrunk and kept in
// a file. Each seed first draws which kinds of fault it has at all (swarm testing), so that runs differ in kind.
import { defaultStrategy, defaultThresholds } from "../../engines/rollout/plan.ts";
import type { PersonalSignal, Strategy } from "../../engines/rollout/vocabulary.ts";
import { createDice, type Dice } from "./dice.ts";

/** How a revision behaves from some second of the simulation on; before that it is good. */
export interface Behaviour {
  readonly is: "good" | "errors" | "slow" | "dead" | "never-ready";
  readonly fromSeconds: number;
}

/** Points in the program at which a process may die or sleep, each with how often a rollout passes it at most. */
export const points = {
  "after-claim": 5,
  "before-fence": 10,
  "before-send": 10,
  "after-send": 10,
  /** The outcome of a write is known, and not recorded. */
  "before-record": 10,
  /** The outcome of a write is recorded, and not in the journal. */
  "after-record": 10,
  "before-append": 30,
  "after-append": 30,
  /** The outcome of a write is in the journal, and its pass has not ended. */
  "before-end": 10,
} as const;
export type Point = keyof typeof points;
const pointNames = Object.keys(points) as Point[];

/** What the cloud can do wrong with one request. */
export type CloudTrouble = "429" | "409" | "500" | "reset" | "lost" | "late" | "lie" | "forget" | "async-failure";

/** One fault, or one client that interferes; `at` and all durations are in seconds. */
export type Fault =
  | { readonly kind: "crash"; readonly at: number; readonly replica: number; readonly down: number }
  | {
      readonly kind: "crash-at";
      readonly point: Point;
      readonly nth: number;
      readonly down: number;
      readonly signal?: PersonalSignal;
    }
  | { readonly kind: "sleep"; readonly at: number; readonly replica: number; readonly lasts: number }
  | {
      readonly kind: "sleep-at";
      readonly point: Point;
      readonly nth: number;
      readonly lasts: number;
      /** Sent to another process right after. */
      readonly signal?: PersonalSignal;
    }
  | { readonly kind: "skew"; readonly at: number; readonly replica: number; readonly by: number }
  | {
      readonly kind: "cloud";
      readonly at: number;
      readonly lasts: number;
      readonly how: CloudTrouble;
      readonly percent: number;
    }
  | { readonly kind: "store-down"; readonly at: number; readonly lasts: number }
  | {
      readonly kind: "store-lost";
      readonly at: number;
      readonly lasts: number;
      readonly percent: number;
      readonly committed: boolean;
    }
  | { readonly kind: "rows-late"; readonly at: number; readonly lasts: number; readonly late: number }
  | {
      readonly kind: "outage";
      readonly at: number;
      readonly lasts: number;
      readonly whom: "stable" | "both";
      readonly percent: number;
    }
  | {
      readonly kind: "portal";
      readonly at: number;
      readonly what: "shift" | "deactivate-stable" | "deactivate-canary" | "move-labels";
      readonly percent: number;
    }
  | {
      readonly kind: "up";
      readonly at: number;
      readonly plan: number;
      readonly put: number;
      readonly release: Behaviour | null;
      readonly supersede: boolean;
    }
  | { readonly kind: "signal"; readonly at: number; readonly signal: PersonalSignal; readonly times: number };

/** All inputs of a run. */
export interface Drawn {
  readonly seed: number;
  readonly replicas: number;
  readonly strategy: Strategy;
  readonly requestsPerMinute: number;
  readonly before: "stable" | "nothing" | "twin";
  readonly canary: Behaviour;
  readonly outsideWeights: "restore" | "adopt";
  readonly faults: readonly Fault[];
  /** How often the replica of each revision restarts; absent if it never does. */
  readonly restartSeconds?: number;
}

export const thresholds = defaultThresholds;
/** After this second no new faults come, and every paused rollout is resumed. */
export const faultsEndSeconds = 5_400;

/** Draws a run from its seed. */
export function draw(seed: number): Drawn {
  const dice = createDice(seed);
  const weights = dice.pick([[50], [10, 50], [5, 25, 50], [20]]);
  const bakeSeconds = dice.pick([60, 120, 300]);
  const strategy: Strategy = {
    ...defaultStrategy,
    weights,
    bakeSeconds,
    warmUpSeconds: dice.pick([0, 60]),
    probeSeconds: dice.pick([30, 60]),
    smokeSeconds: dice.pick([60, 180]),
    maximumSeconds: dice.pick([3_600, 10_800]),
  };
  const replicas = dice.between(1, 3);
  const behaviour = (): Behaviour => ({
    is: dice.pick(["good", "good", "good", "errors", "slow", "dead", "never-ready"] as const),
    fromSeconds: dice.pick([0, 0, dice.below(1_800)]),
  });
  return {
    seed,
    replicas,
    strategy,
    requestsPerMinute: dice.pick([0, 60, 1200, 6000, 6000]),
    before: dice.pick(["stable", "stable", "stable", "stable", "nothing", "twin"] as const),
    canary: behaviour(),
    outsideWeights: dice.pick(["restore", "restore", "adopt"] as const),
    faults: drawFaults(dice, replicas, behaviour),
    // Drawn last, so that the rest of a seed stays what it was.
    ...(dice.chance(25) ? { restartSeconds: dice.between(200, 2_400) } : {}),
  };
}

const kinds = [
  "crash",
  "crash-at",
  "sleep",
  "sleep-at",
  "skew",
  "cloud",
  "store-down",
  "store-lost",
  "rows-late",
  "outage",
  "portal",
  "up",
  "signal",
] as const;

function drawFaults(dice: Dice, replicas: number, behaviour: () => Behaviour): readonly Fault[] {
  const faults: Fault[] = [];
  if (dice.chance(5)) return faults;
  const liveliness = dice.pick([25, 50]);
  for (const kind of kinds) {
    if (!dice.chance(liveliness)) continue;
    const count = kind === "up" ? dice.between(1, 2) : dice.between(1, 4);
    for (let each = 0; each < count; each++) faults.push(drawFault(kind, dice, replicas, behaviour));
    // A second death may hit the recovery from the first.
    if (kind === "crash-at" && dice.chance(50)) faults.push({ kind, ...drawPoint(dice), down: dice.between(1, 90) });
  }
  return faults;
}

/** Draws a point, which pass of it, and at times a signal that comes while the process is away. */
function drawPoint(dice: Dice): { readonly point: Point; readonly nth: number; readonly signal?: PersonalSignal } {
  const point = dice.pick(pointNames);
  const nth = dice.between(1, points[point]);
  return dice.chance(40) ? { point, nth, signal: dice.pick(["pause", "abort", "promote"] as const) } : { point, nth };
}

function drawFault(kind: Fault["kind"], dice: Dice, replicas: number, behaviour: () => Behaviour): Fault {
  const at = dice.below(dice.pick([600, 1_800, faultsEndSeconds - 1_200]));
  const replica = dice.below(replicas);
  const percent = dice.pick([10, 50, 100]);
  switch (kind) {
    case "crash":
      return { kind, at, replica, down: dice.pick([1, 30, 90, 600, 3_600]) };
    case "crash-at":
      return { kind, ...drawPoint(dice), down: dice.pick([1, 30, 90, 600]) };
    case "sleep":
      return { kind, at, replica, lasts: dice.between(10, 200) };
    case "sleep-at":
      return { kind, ...drawPoint(dice), lasts: dice.between(30, 200) };
    case "skew":
      return { kind, at, replica, by: dice.between(-600, 600) };
    case "cloud":
      return {
        kind,
        at,
        lasts: dice.pick([5, 60, 600, 3_600]),
        how: dice.pick(["429", "409", "500", "reset", "lost", "late", "lie", "forget", "async-failure"] as const),
        percent,
      };
    case "store-down":
      return { kind, at, lasts: dice.pick([2, 30, 120, 300]) };
    case "store-lost":
      return { kind, at, lasts: dice.pick([5, 60]), percent, committed: dice.chance(50) };
    case "rows-late":
      return { kind, at, lasts: dice.between(60, 900), late: dice.pick([60, 300, 1_800]) };
    case "outage":
      return {
        kind,
        at,
        lasts: dice.between(60, 900),
        whom: dice.pick(["stable", "both"] as const),
        percent: dice.pick([20, 60, 100]),
      };
    case "portal":
      return {
        kind,
        at,
        what: dice.pick(["shift", "deactivate-stable", "deactivate-canary", "move-labels"] as const),
        percent: dice.pick([0, 10, 50, 100]),
      };
    case "up":
      return {
        kind,
        at,
        plan: dice.pick([5, 30, 300]),
        put: dice.between(5, 90),
        release: dice.chance(60) ? behaviour() : null,
        supersede: dice.chance(50),
      };
    case "signal":
      return {
        kind,
        at,
        signal: dice.pick(["pause", "resume", "promote", "abort", "retry"] as const),
        times: dice.pick([1, 1, 2]),
      };
  }
}
