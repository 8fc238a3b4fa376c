// Journal → what a page shows of it: each attempt with its series over time, its steps and its decisions. The evidence is the engine's own,
// folded from the facts once more, so that the curve is the one that was judged. How anything looks is not known here.

import { standing } from "../engines/rollout/decide.ts";
import { evolve, initial, shareOf } from "../engines/rollout/evolve.ts";
import { mergeDurations, quantileOf } from "../engines/rollout/judge/durations.ts";
import { balance } from "../engines/rollout/judge/judge.ts";
import type { Bin, Durations, RolloutEvent, RolloutState, Tally } from "../engines/rollout/vocabulary.ts";
import type { Instant } from "../engines/time.ts";

/** One fact as the control plane gives it; `text` are its own words. */
export interface ReportedFact {
  readonly event: RolloutEvent;
  readonly text: string;
  /** Who wrote it, and under which epoch of its claim; 0 for requests and signals, which anybody may write. */
  readonly process: string;
  readonly epoch: number;
  readonly hash?: string;
}

export type Arm = "canary" | "stable";

/** What an arm did in the stretch of time that ends at `at`. Undefined where no request came, or where the rows do not tell it. */
export interface Seen {
  readonly at: Instant;
  readonly failedPercent: number | undefined;
  readonly p99Milliseconds: number | undefined;
}

/** A decision, or an interference, that is marked in the charts; the number is that of its mark, over all attempts. */
export interface Mark {
  readonly number: number;
  readonly event: RolloutEvent;
  readonly text: string;
}

/** A step's watch and what the arms did in it, its warm-up left out. */
export interface Step {
  readonly percent: number;
  readonly from: Instant;
  readonly to: Instant;
  readonly canary: Sum;
  readonly stable: Sum;
  /** How it ended; undefined while it is watched, or where it was left without a verdict. */
  readonly end: RolloutEvent | undefined;
}

/** Requests added up. */
export interface Sum {
  readonly requests: number;
  readonly failed: number;
  readonly p99Milliseconds: number | undefined;
}

/** One attempt to carry the rollout to its end. */
export interface Attempt {
  readonly number: number;
  readonly from: Instant;
  readonly to: Instant;
  readonly stable: string | null;
  /** What the canary was seen to have of the traffic, from each moment on. */
  readonly weights: readonly { readonly at: Instant; readonly percent: number }[];
  readonly seen: { readonly [A in Arm]: readonly Seen[] };
  readonly evidence: readonly { readonly at: Instant; readonly against: number; readonly favour: number | undefined }[];
  readonly againstMax: number;
  readonly favourMin: number;
  /** Stretches that the judge leaves out. */
  readonly warmUps: readonly { readonly from: Instant; readonly to: Instant }[];
  readonly steps: readonly Step[];
  readonly marks: readonly Mark[];
}

type Open = { -readonly [Key in "from" | "to" | "stable"]: Attempt[Key] } & {
  readonly [Key in "weights" | "evidence" | "warmUps" | "marks"]: Attempt[Key][number][];
} & {
  readonly number: number;
  readonly bins: Bin[];
  readonly steps: { percent: number; from: Instant; warmUntil: Instant; to: Instant | undefined; end: Step["end"] }[];
  intent: RolloutState["intent"];
};

const marked: readonly RolloutEvent["kind"][] = [
  "SmokePassed",
  "FoundEqual",
  "StepReached",
  "Held",
  "StepPassed",
  "Aborted",
  "Reverted",
  "Finished",
  "Signalled",
  "TrafficDrifted",
  "TrafficAdopted",
  "ShadowJudged",
];

/** Reads a journal, attempt by attempt; a retry begins the next one. */
export function attemptsOf(facts: readonly ReportedFact[]): readonly Attempt[] {
  const attempts: Open[] = [];
  let state = initial;
  let number = 0;
  for (const fact of facts) {
    const before = state;
    state = evolve(before, fact.event);
    if (attempts.length === 0 || state.attempt > before.attempt)
      attempts.push(openAt(fact.event.at, attempts.length + 1));
    const attempt = attempts.at(-1)!;
    if (marked.includes(fact.event.kind)) attempt.marks.push({ number: ++number, event: fact.event, text: fact.text });
    add(attempt, fact.event, before, state);
  }
  return attempts.map(close);
}

const openAt = (at: Instant, number: number): Open => ({
  number,
  from: at,
  to: at,
  stable: null,
  weights: [],
  evidence: [],
  warmUps: [],
  marks: [],
  bins: [],
  steps: [],
  intent: undefined,
});

function add(attempt: Open, event: RolloutEvent, before: RolloutState, state: RolloutState): void {
  const { at } = event;
  Object.assign(attempt, { to: Math.max(attempt.to, at), stable: state.stable, intent: state.intent });
  switch (event.kind) {
    case "TrafficShifted":
    case "TrafficRead":
      attempt.weights.push({ at, percent: shareOf(event.weights, state.intent?.revision ?? "") ?? 0 });
      break;
    case "Measured":
      attempt.bins.push(...event.bins.filter((bin) => bin.at >= attempt.from));
      weigh(attempt, state);
      break;
    // After the end weights are read back once more; that begins no step.
    case "StepReached":
    case "TrafficAdopted":
      if (before.ending === undefined) watch(attempt, event.percent, state);
      break;
    case "StepPassed":
    case "Aborted":
    case "Finished":
      endStep(attempt, at, event);
  }
}

function watch(attempt: Open, percent: number, { now, warmUntil }: RolloutState): void {
  attempt.warmUps.push({ from: now, to: warmUntil });
  const last = attempt.steps.at(-1);
  if (last?.to === undefined && last?.percent === percent) return;
  endStep(attempt, now, undefined);
  attempt.steps.push({ percent, from: now, warmUntil, to: undefined, end: undefined });
}

function endStep({ steps }: Open, at: Instant, end: Step["end"]): void {
  const last = steps.at(-1);
  if (last !== undefined && last.to === undefined) Object.assign(last, { to: at, end });
}

/** Adds the evidence as it stands. At 100 percent nothing is shown in favour any more, and journals of old limits tell no evidence. */
function weigh(attempt: Open, state: RolloutState): void {
  const { against, favour } = balance(state.evidence, state.intent!.limits, standing(state));
  if (Number.isFinite(against)) attempt.evidence.push({ at: state.now, against, favour: favour ?? undefined });
}

function close({ bins, steps, intent, ...rest }: Open): Attempt {
  const tick = (intent?.pace.tickSeconds ?? 0) * 1000;
  const drawn = thinned(bins.toSorted((one, other) => one.at - other.at));
  const sumOf = (arm: Arm, from: Instant, to: Instant) =>
    sum(bins.filter((bin) => bin.at >= from && bin.at < to).map((bin) => bin[arm]));
  return {
    ...rest,
    againstMax: 100 / (intent?.limits.falseRollbackPercentMax ?? 0),
    favourMin: 100 / (intent?.limits.falsePromotionPercentMax ?? 0),
    seen: {
      canary: drawn.map((some) => seen(some, "canary", tick)),
      stable: drawn.map((some) => seen(some, "stable", tick)),
    },
    steps: steps.map(({ warmUntil, to = rest.to, ...step }) => ({
      ...step,
      to,
      canary: sumOf("canary", warmUntil, to),
      stable: sumOf("stable", warmUntil, to),
    })),
  };
}

/** So many points a curve has at the most; a long rollout's bins are taken together. */
const pointsMax = 150;

function thinned(bins: readonly Bin[]): readonly (readonly Bin[])[] {
  const size = Math.max(1, Math.ceil(bins.length / pointsMax));
  return Array.from({ length: Math.ceil(bins.length / size) }, (_, index) =>
    bins.slice(index * size, (index + 1) * size),
  );
}

function seen(bins: readonly Bin[], arm: Arm, tick: number): Seen {
  const { requests, failed, p99Milliseconds } = sum(bins.map((bin) => bin[arm]));
  return {
    at: bins.at(-1)!.at + tick,
    failedPercent: requests === 0 ? undefined : (100 * failed) / requests,
    p99Milliseconds,
  };
}

function sum(tallies: readonly Tally[]): Sum {
  let requests = 0;
  let failed = 0;
  let durations: Durations | undefined;
  for (const tally of tallies) {
    requests += tally.requests;
    failed += tally.failed;
    if (tally.durations !== undefined) durations = mergeDurations(durations, tally.durations);
  }
  return { requests, failed, p99Milliseconds: durations === undefined ? undefined : quantileOf(durations, 0.99) };
}
