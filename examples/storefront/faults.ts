// The faults with which the storefront can be released. All of them come from environment variables, so that every
// release is the same code. A fault's effect on a request is returned to main.ts as plain data.
//
// FAULT               none | errors | slow | hang | crash | never-ready, or several with commas: errors,slow
// FAULT_PERCENT       share of requests that `errors` fails and that `slow` delays, each by its own draw (default 20)
// FAULT_MILLISECONDS  what `slow` adds to an answer (default 1500)
// FAULT_AFTER         number of requests to user paths that are served well before the fault begins (default 0)
// SEED                seed of the pseudo-random choice; the same seed gives the same choices (default 1)

const kinds = ["none", "errors", "slow", "hang", "crash", "never-ready"] as const;
export type FaultKind = (typeof kinds)[number];

export interface Faults {
  readonly kinds: readonly FaultKind[];
  readonly percent: number;
  readonly milliseconds: number;
  readonly after: number;
  readonly seed: number;
}

/** The effect of a fault on one request. Status 0 means that there is no answer. */
export interface Injection {
  readonly kind: FaultKind;
  readonly status: number;
  readonly delayMilliseconds: number;
}

/**
 * Reads the faults from the environment, and refuses an unknown or malformed one.
 *
 * If a misspelt fault silently meant `none`, a demonstration of a rollback would promote.
 */
export function readFaults(environment: Readonly<Record<string, string | undefined>>): Faults {
  const named = (environment["FAULT"] || "none").split(",").map((name) => name.trim());
  const unknown = named.find((name) => !(kinds as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`FAULT has "${unknown}"; it must be one of ${kinds.join(", ")}`);
  const number = (name: string, otherwise: number, maximum: number): number =>
    readNumber(environment, name, otherwise, maximum);
  return {
    kinds: (named as FaultKind[]).filter((name) => name !== "none"),
    percent: number("FAULT_PERCENT", 20, 100),
    milliseconds: number("FAULT_MILLISECONDS", 1500, 600_000),
    after: number("FAULT_AFTER", 0, Number.MAX_SAFE_INTEGER),
    seed: number("SEED", 1, 0xffff_ffff),
  };
}

/** Reads a number from the environment. @throws Error if it is malformed, negative or above the maximum */
export function readNumber(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: number,
  maximum: number,
): number {
  const value = environment[name] ? Number(environment[name]) : otherwise;
  if (!Number.isFinite(value) || value < 0 || value > maximum)
    throw new Error(`${name} is "${environment[name]}"; it must be a number from 0 to ${maximum}`);
  return value;
}

/**
 * Returns a function that chooses the fault of a request; call it for each request to a user path, in order of arrival.
 */
export function faultChooser(faults: Faults): () => Injection | undefined {
  const draw = randomFrom(faults.seed);
  let requests = 0;
  return () => {
    // Each request takes both draws, so that one fault's share does not depend on the other's.
    const errs = draw() * 100 < faults.percent;
    const lags = draw() * 100 < faults.percent;
    requests += 1;
    if (requests <= faults.after) return undefined;
    if (faults.kinds.includes("crash")) return { kind: "crash", status: 0, delayMilliseconds: 0 };
    if (faults.kinds.includes("hang")) return { kind: "hang", status: 0, delayMilliseconds: 0 };
    const delayMilliseconds = lags && faults.kinds.includes("slow") ? faults.milliseconds : 0;
    if (errs && faults.kinds.includes("errors")) return { kind: "errors", status: 500, delayMilliseconds };
    return delayMilliseconds > 0 ? { kind: "slow", status: 200, delayMilliseconds } : undefined;
  };
}

/** Returns a generator of numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
