// A cell is one world in which judges are tried: its traffic, its noise, what is wrong with the canary, what befalls both arms, and how its
// telemetry arrives. It is plain JSON, so that anybody can write others; the ones that are published lie in `cells/`. Nothing is drawn here.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Minutes of a rollout, from `fromMinute` up to and without `untilMinute`. Minute 0 has no canary traffic, the first that has some is 1. */
export interface Span {
  readonly fromMinute: number;
  readonly untilMinute: number;
}

/** What is wrong with the canary. Points are percentage points, added to what the service has anyway. */
export interface Fault {
  readonly failurePoints?: number;
  /** Points that are added with every minute of the rollout: a leak. */
  readonly failurePointsPerMinute?: number;
  readonly refusedPoints?: number;
  /** So many percent of its requests get no answer; the ingress fails them after four minutes. */
  readonly hangPercent?: number;
  /** By how much all its durations are multiplied. */
  readonly slower?: number;
  /** Only its slowest requests, so many percent of all, take longer, and by so much. */
  readonly tail?: { readonly percent: number; readonly slower: number };
  /** What fails, fails in three milliseconds. */
  readonly failsFast?: boolean;
  /** It gets none of the requests, whatever its weight. */
  readonly unreached?: boolean;
  /** Stable has all of it too, as when both use one database. */
  readonly dragsStable?: boolean;
  /** All conditions under which the fault is there; always where there are none. */
  readonly when?: Partial<Span> & {
    readonly weightAtLeast?: number;
    readonly requestsAtLeast?: number /** Down for the first minutes of every so many. */;
    readonly downMinutes?: number;
    readonly ofMinutes?: number;
  };
}

/** What makes requests unlike independent ones, the same in kind for both arms. */
export interface Noise {
  /** The failure rate of each arm and minute is multiplied by a gamma shock with this coefficient of variation. */
  readonly failures?: number;
  /** All durations of an arm and minute are multiplied by such a shock. */
  readonly durations?: number;
  /** In so many percent of minutes one tenant sends failing requests, a tenth of the load, in batches of about 25 that stick to one arm. */
  readonly stormPercent?: number;
  /** Each of the ten replicas of an arm starts in so many percent of minutes to fail a fifth of its requests, for three minutes. */
  readonly badReplicaPercent?: number;
}

/** What befalls both arms for a while, and is not the canary's doing. */
export interface Shared extends Span {
  /** The canary is spared. */
  readonly stableOnly?: boolean;
  readonly failurePoints?: number;
  readonly slower?: number;
  readonly trafficTimes?: number;
}

/** How minutes reach the judge. */
export interface Telemetry {
  /** These minutes are lost. */
  readonly gap?: Span;
  /** Each minute comes so many minutes late, from the least to the most, so that some overtake others. */
  readonly lagMinutes?: readonly [number, number];
  /** So many percent of minutes come a second time, a minute later. */
  readonly twicePercent?: number;
}

/** A world to be tried in. */
export interface Cell {
  readonly name: string;
  /** Bad: it should be rolled back. Good: it should be promoted. Unknown: nobody can tell, and it should be held. */
  readonly truth: "bad" | "good" | "unknown";
  readonly requestsPerMinute: number;
  readonly failurePercent: number;
  readonly noise?: Noise;
  readonly fault?: Fault;
  readonly shared?: Shared;
  /** The load swings by half around its mean in a day, and the rollout begins at any hour. */
  readonly diurnal?: boolean;
  readonly telemetry?: Telemetry;
}

/** What every cell is like where it says nothing else: from here one thing at a time is changed. */
export const centre = { requestsPerMinute: 1_200, failurePercent: 0.5 } as const;

type Form = "number" | "boolean" | "pair" | { readonly [field: string]: Form };
const span: Form = { fromMinute: "number", untilMinute: "number" };
const cellForm: { readonly [field: string]: Form } = {
  requestsPerMinute: "number",
  failurePercent: "number",
  diurnal: "boolean",
  noise: { failures: "number", durations: "number", stormPercent: "number", badReplicaPercent: "number" },
  fault: {
    failurePoints: "number",
    failurePointsPerMinute: "number",
    refusedPoints: "number",
    hangPercent: "number",
    slower: "number",
    tail: { percent: "number", slower: "number" },
    failsFast: "boolean",
    unreached: "boolean",
    dragsStable: "boolean",
    when: { ...span, weightAtLeast: "number", requestsAtLeast: "number", downMinutes: "number", ofMinutes: "number" },
  },
  shared: { ...span, failurePoints: "number", slower: "number", trafficTimes: "number", stableOnly: "boolean" },
  telemetry: { gap: span, lagMinutes: "pair", twicePercent: "number" },
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isAmount = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;

function complain(value: unknown, form: Form, where: string): void {
  if (
    form === "pair"
      ? Array.isArray(value) && value.length === 2 && value.every(isAmount)
      : form === "number"
        ? isAmount(value)
        : typeof value === form
  )
    return;
  if (typeof form === "string" || !isRecord(value))
    throw new Error(
      `${where} should be ${typeof form === "object" ? "an object" : form === "pair" ? "two numbers, 0 or more" : form === "number" ? "a number, 0 or more" : "true or false"}, and is ${JSON.stringify(value)}.`,
    );
}

function check(value: unknown, form: Form, where: string): void {
  complain(value, form, where);
  if (typeof form === "string" || !isRecord(value)) return;
  for (const [field, inner] of Object.entries(value)) {
    const known = form[field];
    if (known === undefined)
      throw new Error(`${where} has no field ${field}; there are ${Object.keys(form).join(", ")}.`);
    check(inner, known, `${where}, ${field}`);
  }
}

/**
 * Reads cells from the text of a file: a list of objects, each with a name, its truth, and what differs from the centre.
 *
 * A field that there is not is refused by its name, since a misspelt fault would be a healthy canary.
 */
export function readCells(text: string): readonly Cell[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list) || list.length === 0) throw new Error("A file of cells is a list with at least one cell.");
  const cells = list.map((entry: unknown, index): Cell => {
    if (!isRecord(entry) || typeof entry["name"] !== "string") throw new Error(`Cell ${index + 1} has no name.`);
    const { name, truth, ...rest } = entry;
    if (truth !== "bad" && truth !== "good" && truth !== "unknown")
      throw new Error(`The cell "${name}" says truth ${JSON.stringify(truth)}; it is bad, good or unknown.`);
    check(rest, cellForm, `The cell "${name}"`);
    return { ...centre, ...rest, name, truth };
  });
  const names = cells.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two cells are called "${twice}".`);
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
