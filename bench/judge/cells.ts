// The cells of the contest. A cell describes one world in which judges are compared: its traffic and noise, the fault
// of the canary, events that hit both arms, and how the telemetry arrives. Cells are plain JSON, so that users can
// write their own; the published ones are in `cells/`.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Minutes of a rollout, from `fromMinute` up to but excluding `untilMinute`. Minute 1 is the first with canary traffic.
 */
export interface Span {
  readonly fromMinute: number;
  readonly untilMinute: number;
}

/** The fault of the canary. Points are percentage points, added to the normal rate of the service. */
export interface Fault {
  readonly failurePoints?: number;
  /** Points added in each minute of the rollout: a leak. */
  readonly failurePointsPerMinute?: number;
  readonly refusedPoints?: number;
  /** The percentage of its requests that get no answer; the ingress fails them after four minutes. */
  readonly hangPercent?: number;
  /** The factor on all its durations. */
  readonly slower?: number;
  /** A factor on the durations of only its slowest requests, which are `percent` of all. */
  readonly tail?: { readonly percent: number; readonly slower: number };
  /** A factor on the durations of some of its requests, fast and slow alike, which are `percent` of all. */
  readonly part?: { readonly percent: number; readonly slower: number };
  /** A factor on the durations of only its fast requests, if the service has two kinds. */
  readonly fastSlower?: number;
  /** Failing requests take three milliseconds. */
  readonly failsFast?: boolean;
  /** It gets no requests, whatever its weight. */
  readonly unreached?: boolean;
  /** Stable has the same fault, as if both used one database. */
  readonly dragsStable?: boolean;
  /** The fault is active only while all these conditions hold. */
  readonly when?: Partial<Span> & {
    readonly weightAtLeast?: number;
    readonly requestsAtLeast?: number;
    /** Active in the first `downMinutes` of every `ofMinutes`. */
    readonly downMinutes?: number;
    readonly ofMinutes?: number;
  };
}

/** Noise that makes requests dependent on each other, of the same kind for both arms. */
export interface Noise {
  /** The failure rate of each arm and minute is multiplied by a gamma shock with this coefficient of variation. */
  readonly failures?: number;
  /** All durations of an arm and minute are multiplied by a gamma shock with this coefficient of variation. */
  readonly durations?: number;
  /**
   * In this percentage of minutes one tenant sends failing requests, a tenth of
   * the load, in batches of about 25 per arm.
   */
  readonly stormPercent?: number;
  /**
   * In this percentage of minutes a replica, of ten per arm, begins to fail a fifth of its requests, for three minutes.
   */
  readonly badReplicaPercent?: number;
  /** The failure rate wanders. */
  readonly wander?: Wander;
  /** All durations wander. */
  readonly durationWander?: Wander;
}

/**
 * Slow noise: the logarithm of a rate follows an autoregressive process of order one, minute by minute, with the same
 * distribution for both arms.
 */
export interface Wander {
  /** How much of a minute's deviation is left in the next one; with 1 it never changes. */
  readonly phi: number;
  /** The standard deviation of the logarithm. */
  readonly deviation: number;
  /** Both arms wander together, as if both used one database. */
  readonly shared?: boolean;
  /** How many replicas an arm has, each of which wanders by itself; 1 if absent. */
  readonly canaryReplicas?: number;
  readonly stableReplicas?: number;
}

/** How long the requests of the service take. */
export interface DurationMix {
  /** The median and the 99th percentile of its fast requests. */
  readonly medianMilliseconds?: number;
  readonly p99Milliseconds?: number;
  /** The percentage of its requests that are of a slow kind, and their median. */
  readonly slowPercent?: number;
  readonly slowMedianMilliseconds?: number;
  /** Durations are logged without their fraction. */
  readonly wholeMilliseconds?: boolean;
}

/** An event that hits both arms for some minutes and is not caused by the canary. */
export interface Shared extends Span {
  /** It hits only stable. */
  readonly stableOnly?: boolean;
  /** It happens only in the first `downMinutes` of every `ofMinutes`. */
  readonly downMinutes?: number;
  readonly ofMinutes?: number;
  /** It happens only while the canary has this weight or more. */
  readonly weightAtLeast?: number;
  /** It grows evenly to its full size in so many minutes. */
  readonly rampMinutes?: number;
  readonly failurePoints?: number;
  readonly slower?: number;
  readonly trafficTimes?: number;
}

/** How the minutes reach the judge. */
export interface Telemetry {
  /** These minutes are lost. */
  readonly gap?: Span;
  /** The least and the most delay of each minute, so that some overtake others. */
  readonly lagMinutes?: readonly [number, number];
  /** The percentage of minutes that arrive a second time, a minute later. */
  readonly twicePercent?: number;
}

/** One world of the contest. */
export interface Cell {
  readonly name: string;
  /**
   * What should happen to the canary: bad is rolled back, good is promoted,
   * unknown has no evidence and stays unfinished.
   */
  readonly truth: "bad" | "good" | "unknown";
  readonly requestsPerMinute: number;
  readonly failurePercent: number;
  readonly noise?: Noise;
  readonly fault?: Fault;
  readonly shared?: Shared;
  /** The load varies by half around its mean over a day, and the rollout begins at a random hour. */
  readonly diurnal?: boolean;
  readonly telemetry?: Telemetry;
  readonly durations?: DurationMix;
  /** Some requests last for minutes: half to one and a half times as long as this. They are counted when they end. */
  readonly longRequests?: { readonly percent: number; readonly minutes: number };
  /** In this minute one of the two probes gets no answer, whatever the canary does. */
  readonly probeUnansweredAt?: number;
  /** What is promised of our default plan beyond the limits of every cell. */
  readonly goal?: Goal;
}

/** A promise for one cell. */
export interface Goal {
  /** The cell is measured and printed, but has no limit: such noise is a difference for as long as a rollout lasts. */
  readonly unlimited?: boolean;
  /** At least this percentage of bad canaries is rolled back within the run. */
  readonly foundPercentMin?: number;
  /** Half of all bad canaries are rolled back by this minute. */
  readonly medianMinutesMax?: number;
}

/** The defaults of all cells; each cell changes one thing. */
export const centre = { requestsPerMinute: 1_200, failurePercent: 0.5 } as const;

type Form = "number" | "minute" | "boolean" | "pair" | { readonly [field: string]: Form };
const span = { fromMinute: "minute", untilMinute: "minute" } as const;
const wander: Form = {
  phi: "number",
  deviation: "number",
  shared: "boolean",
  canaryReplicas: "number",
  stableReplicas: "number",
};
const part: Form = { percent: "number", slower: "number" };
const cellForm: { readonly [field: string]: Form } = {
  requestsPerMinute: "number",
  failurePercent: "number",
  diurnal: "boolean",
  noise: {
    failures: "number",
    durations: "number",
    stormPercent: "number",
    badReplicaPercent: "number",
    wander,
    durationWander: wander,
  },
  fault: {
    failurePoints: "number",
    failurePointsPerMinute: "number",
    refusedPoints: "number",
    hangPercent: "number",
    slower: "number",
    tail: part,
    part,
    fastSlower: "number",
    failsFast: "boolean",
    unreached: "boolean",
    dragsStable: "boolean",
    when: { ...span, weightAtLeast: "number", requestsAtLeast: "number", downMinutes: "number", ofMinutes: "number" },
  },
  shared: {
    ...span,
    failurePoints: "number",
    slower: "number",
    trafficTimes: "number",
    stableOnly: "boolean",
    downMinutes: "number",
    ofMinutes: "number",
    weightAtLeast: "number",
    rampMinutes: "number",
  },
  telemetry: { gap: span, lagMinutes: "pair", twicePercent: "number" },
  durations: {
    medianMilliseconds: "number",
    p99Milliseconds: "number",
    slowPercent: "number",
    slowMedianMilliseconds: "number",
    wholeMilliseconds: "boolean",
  },
  longRequests: { percent: "number", minutes: "number" },
  probeUnansweredAt: "number",
  goal: { unlimited: "boolean", foundPercentMin: "number", medianMinutesMax: "number" },
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isAmount = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;

const scalars = {
  number: { description: "a number, 0 or more", fits: isAmount },
  minute: { description: "a number", fits: (value: unknown) => typeof value === "number" && Number.isFinite(value) },
  boolean: { description: "true or false", fits: (value: unknown) => typeof value === "boolean" },
  pair: {
    description: "two numbers, 0 or more",
    fits: (value: unknown) => Array.isArray(value) && value.length === 2 && value.every(isAmount),
  },
} as const;

function check(value: unknown, form: Form, where: string): void {
  const { description, fits } = typeof form === "string" ? scalars[form] : { description: "an object", fits: isRecord };
  if (!fits(value)) throw new Error(`${where} must be ${description}, but is ${JSON.stringify(value)}.`);
  if (typeof form === "string" || !isRecord(value)) return;
  for (const [field, inner] of Object.entries(value)) {
    const known = form[field];
    if (known === undefined)
      throw new Error(`${where} has no field ${field}. Its fields are ${Object.keys(form).join(", ")}.`);
    check(inner, known, `${where}, ${field}`);
  }
}

/**
 * Reads cells from the text of a file: a list of objects, each with its name, its
 * truth, and what differs from the defaults.
 *
 * An unknown field is refused, because a misspelt fault would give a healthy canary.
 */
export function readCells(text: string): readonly Cell[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list) || list.length === 0)
    throw new Error("A file of cells must be a list with at least one cell.");
  const cells = list.map((entry: unknown, index): Cell => {
    if (!isRecord(entry) || typeof entry["name"] !== "string") throw new Error(`Cell ${index + 1} has no name.`);
    const { name, truth, ...rest } = entry;
    if (truth !== "bad" && truth !== "good" && truth !== "unknown")
      throw new Error(`The cell "${name}" has the truth ${JSON.stringify(truth)}; it must be bad, good or unknown.`);
    check(rest, cellForm, `The cell "${name}"`);
    return { ...centre, ...rest, name, truth };
  });
  const names = cells.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two cells have the name "${twice}".`);
  return cells;
}

/** Gives the published cells, file by file in the order of their names. */
export function publishedCells(): readonly Cell[] {
  const folder = join(import.meta.dirname, "cells");
  const lists = readdirSync(folder)
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as unknown[]);
  return readCells(JSON.stringify(lists.flat()));
}
