// Journal → what the page shows: each attempt with its series over time, its steps and its decisions. The evidence
// comes from the engine, folded from the facts again, so that the curve is the one that was judged.
import { standing } from "../../engines/rollout/decisions/measurement.ts";
import { evolve } from "../../engines/rollout/evolve.ts";
import { initialState } from "../../engines/rollout/initial-state.ts";
import { mergeDurations, quantileOf } from "../../engines/rollout/judge/durations.ts";
import { balance } from "../../engines/rollout/judge/judge.ts";
import { type MetricVerdict, metricVerdicts } from "../../engines/rollout/judge/metric-verdicts.ts";
import type { BadAnswer } from "../../engines/rollout/views.ts";
import type { Bucket, Durations, RolloutEvent, RolloutState, Tally } from "../../engines/rollout/vocabulary.ts";
import { shareOf } from "../../engines/rollout/weights.ts";
import { type Instant, secondsBetween } from "../../engines/time.ts";
import type { ReportedFact } from "../content.ts";
import type { Mark } from "../marks.ts";

/** One fact of a rollout. */
export type RolloutFact = ReportedFact<RolloutEvent>;

export type Arm = "canary" | "stable";

/**
 * What an arm did in the period that ends at `at`. A value is undefined without requests, or if it is not in the rows.
 */
export interface Seen {
  readonly at: Instant;
  readonly failedPercent: number | undefined;
  readonly p99Milliseconds: number | undefined;
}

/** A step, and what the arms did in it after its warm-up. */
export interface Step {
  readonly percent: number;
  readonly from: Instant;
  readonly to: Instant;
  readonly canary: Sum;
  readonly stable: Sum;
  /** How it ended; undefined while it is watched, or if it was left without a verdict. */
  readonly end: RolloutEvent | undefined;
}

/** Requests added up. */
export interface Sum {
  readonly requests: number;
  readonly failed: number;
  /** Undefined if the rows of some do not say. */
  readonly refused: number | undefined;
  readonly p99Milliseconds: number | undefined;
}

/** One attempt to carry the rollout to its end. */
export interface Attempt {
  readonly number: number;
  readonly from: Instant;
  readonly to: Instant;
  readonly stable: string | null;
  /** The canary's share of the traffic as read, from each moment on. */
  readonly weights: readonly { readonly at: Instant; readonly percent: number }[];
  readonly seen: { readonly [A in Arm]: readonly Seen[] };
  readonly evidence: readonly { readonly at: Instant; readonly against: number; readonly favour: number | undefined }[];
  readonly againstMax: number;
  readonly favourMin: number;
  /** Periods that the judge ignores. */
  readonly warmUps: readonly { readonly from: Instant; readonly to: Instant }[];
  readonly steps: readonly Step[];
  /** All measured requests since the canary first got traffic, warm-ups included. */
  readonly users: { readonly [A in Arm]: Sum };
  /** How long the canary kept its traffic after the last moment that was measured, if it lost it again. */
  readonly unmeasuredSeconds: number;
  /** The bad answers since the canary first got traffic; empty if there were none, or if the journal lacks them. */
  readonly answers: readonly BadAnswer[];
  /** What each metric showed in the end; empty without a comparison. */
  readonly metrics: readonly MetricVerdict[];
  readonly marks: readonly Mark<RolloutEvent>[];
}

type Open = { -readonly [Key in "from" | "to" | "stable"]: Attempt[Key] } & {
  readonly [Key in "weights" | "evidence" | "warmUps" | "answers" | "marks"]: Attempt[Key][number][];
} & {
  readonly number: number;
  readonly buckets: Bucket[];
  readonly steps: { percent: number; from: Instant; warmUntil: Instant; to: Instant | undefined; end: Step["end"] }[];
  intent: RolloutState["intent"];
  metrics: Attempt["metrics"];
};

const marked: readonly RolloutEvent["kind"][] = [
  "SmokePassed",
  "FoundUnchanged",
  "StepReached",
  "Waiting",
  "StepPassed",
  "Aborted",
  "Reverted",
  "Finished",
  "Signalled",
  "TrafficDrifted",
  "TrafficAdopted",
  "DryRunJudged",
];

/** Splits a journal into attempts; each retry begins a new one. */
export function attemptsOf(facts: readonly RolloutFact[]): readonly Attempt[] {
  const attempts: Open[] = [];
  let state = initialState;
  let number = 0;
  for (const fact of facts) {
    const before = state;
    state = evolve(before, fact.event);
    if (attempts.length === 0 || state.attempt > before.attempt)
      attempts.push(openAt(fact.event.at, attempts.length + 1));
    const attempt = attempts.at(-1)!;
    if (marked.includes(fact.event.kind))
      attempt.marks.push({ number: ++number, event: fact.event, message: fact.message });
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
  answers: [],
  marks: [],
  buckets: [],
  steps: [],
  intent: undefined,
  metrics: [],
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
      attempt.buckets.push(...event.buckets.filter((bucket) => bucket.at >= attempt.from));
      attempt.answers.push(...(event.answers ?? []));
      weigh(attempt, state);
      break;
    // The read-back after the end begins no step.
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

/**
 * Adds the evidence so far. There is none in favour at 100 percent, and none at all in journals with older thresholds.
 */
function weigh(attempt: Open, state: RolloutState): void {
  const { against, favour } = balance(state.evidence, state.intent!.thresholds, standing(state));
  attempt.metrics = state.stable === null ? [] : metricVerdicts(state.evidence, state.intent!.thresholds, state.steps);
  if (Number.isFinite(against)) attempt.evidence.push({ at: state.now, against, favour: favour ?? undefined });
}

function close({ buckets, steps, intent, ...rest }: Open): Attempt {
  const interval = (intent?.strategy.intervalSeconds ?? 0) * 1000;
  const drawn = thinned(buckets.toSorted((one, other) => one.at - other.at));
  const sumOf = (arm: Arm, from: Instant, to: Instant) =>
    sum(buckets.filter((bucket) => bucket.at >= from && bucket.at < to).map((bucket) => bucket[arm]));
  const usersFrom = buckets.find(({ canary }) => canary.requests > 0)?.at ?? rest.to;
  const measuredTo = Math.max(...buckets.map(({ at }) => at + interval));
  return {
    ...rest,
    unmeasuredSeconds: buckets.length === 0 ? 0 : Math.max(0, secondsBetween(measuredTo, lostAt(rest.weights))),
    users: { canary: sumOf("canary", usersFrom, Infinity), stable: sumOf("stable", usersFrom, Infinity) },
    againstMax: 100 / (intent?.thresholds.falseRollbackPercentMax ?? 0),
    favourMin: 100 / (intent?.thresholds.falsePromotionPercentMax ?? 0),
    seen: {
      canary: drawn.map((some) => seen(some, "canary", interval)),
      stable: drawn.map((some) => seen(some, "stable", interval)),
    },
    steps: steps.map(({ warmUntil, to = rest.to, ...step }) => ({
      ...step,
      to,
      canary: sumOf("canary", warmUntil, to),
      stable: sumOf("stable", warmUntil, to),
    })),
  };
}

/** Gives when the canary lost the traffic that it had; 0 if it did not. */
function lostAt(weights: Attempt["weights"]): Instant {
  const last = weights.findLastIndex(({ percent }) => percent > 0);
  return (last === -1 ? undefined : weights[last + 1]?.at) ?? 0;
}

/** The most points of a curve; the buckets of a long rollout are merged. */
const pointsMax = 150;

function thinned(buckets: readonly Bucket[]): readonly (readonly Bucket[])[] {
  const size = Math.max(1, Math.ceil(buckets.length / pointsMax));
  return Array.from({ length: Math.ceil(buckets.length / size) }, (_, index) =>
    buckets.slice(index * size, (index + 1) * size),
  );
}

function seen(buckets: readonly Bucket[], arm: Arm, interval: number): Seen {
  const { requests, failed, p99Milliseconds } = sum(buckets.map((bucket) => bucket[arm]));
  return {
    at: buckets.at(-1)!.at + interval,
    failedPercent: requests === 0 ? undefined : (100 * failed) / requests,
    p99Milliseconds,
  };
}

function sum(tallies: readonly Tally[]): Sum {
  let requests = 0;
  let failed = 0;
  let refused: number | undefined = 0;
  let durations: Durations | undefined;
  for (const tally of tallies) {
    requests += tally.requests;
    failed += tally.failed;
    refused = refused === undefined || tally.refused === undefined ? undefined : refused + tally.refused;
    if (tally.durations !== undefined) durations = mergeDurations(durations, tally.durations);
  }
  return {
    requests,
    failed,
    refused,
    p99Milliseconds: durations === undefined ? undefined : quantileOf(durations, 0.99),
  };
}
