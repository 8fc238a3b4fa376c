// One rollout at a glance. The control plane builds it from a journal and answers with it; the provider and the command
// line read it. The shape is declared here once, so that both sides agree. The stream's row keeps it beside the facts,
// and it is made from them again whenever it is in doubt.
import { exactly, type Schema } from "../schema.ts";
import { nullableTrace } from "../trace.ts";
import { standing } from "./decisions/measurement.ts";
import type { Pause, SeenRollout } from "./glance.ts";
import { type Balance, balance } from "./judge/judge.ts";
import { endReasons, results, waitReasons } from "./reasons.ts";
import { messageOf } from "./tell.ts";
import type { EndReason, RolloutResult, RolloutState, Target, WaitReason } from "./vocabulary.ts";

/** One rollout at a glance. It is also the rollout's name: resource group, app and revision. */
export interface RolloutSummary extends Target {
  /** `rollout/<resource group>/<app>/<revision>`, in lower case. */
  readonly id: string;
  readonly revision: string;
  readonly release: string;
  /** The images of the revision, as the platform shows them; null if no fact says so. */
  readonly images: readonly string[] | null;
  readonly phase: string;
  /** The canary's share of the traffic when it was last read. */
  readonly percent: number;
  readonly attempt: number;
  /** Null unless a person has paused the rollout and it is still paused. */
  readonly paused: Pause | null;
  /** Null while the rollout is in flight. */
  readonly result: RolloutResult | null;
  /** Why it ended or, while it is in flight, why it waits; null if it goes on. For programs. */
  readonly reason: EndReason | WaitReason | null;
  /** The same for people, with its numbers. */
  readonly message: string;
  /**
   * The evidence of the present step, or of the step in which the rollout ended. Null before the first step, and if no
   * revision served before the canary.
   */
  readonly evidence: Balance | null;
  /** The trace that it continues; null if whoever asked for it named none. */
  readonly trace: string | null;
  readonly startedAt: number;
  /** The number of facts in its journal. */
  readonly facts: number;
}

/** A summary in the API's JSON, where the target is a field of its own. */
export type RolloutSummaryJson = Omit<RolloutSummary, keyof Target> & { readonly target: Target };

/** Gives the summary of a rollout; undefined if its journal does not begin with a plan. */
export function summaryOf(stream: string, seen: SeenRollout): RolloutSummaryJson | undefined {
  const { state, planned, facts, percent } = seen;
  if (planned === undefined) return undefined;
  const { target, revision, release } = planned.intent;
  const end = endOf(state);
  const paused = state.paused ? (seen.paused ?? null) : null;
  return {
    id: stream,
    target,
    revision,
    release,
    images: seen.images ?? null,
    phase: state.phase,
    percent,
    attempt: state.attempt,
    paused,
    result: end?.result ?? null,
    reason: end?.reason ?? state.waiting ?? null,
    message: end?.message ?? (paused ? `paused by ${paused.by}: ${paused.message}` : messageOf(seen.last ?? planned)),
    evidence: evidenceOf(state),
    trace: planned.intent.trace ?? null,
    startedAt: planned.at,
    facts,
  };
}

/** Gives how a rollout ended; undefined while it is in flight, a retry included. */
export const endOf = ({ phase, ending }: RolloutState): RolloutState["ending"] =>
  phase === "finished" ? ending : undefined;

const evidenceOf = (state: RolloutState): Balance | null =>
  state.intent === undefined || state.stable === null || state.evidence.begun === 0
    ? null
    : balance(state.evidence, state.intent.thresholds, standing(state));

const text: Schema = { type: "string" };
const index: Schema = { type: "integer", minimum: 0 };
const instant: Schema = { type: "number", description: "Milliseconds since 1970-01-01 UTC." };

const meaningsOf = (reasons: Readonly<Record<string, string>>): string =>
  Object.entries(reasons)
    .map(([code, meaning]) => `\`${code}\` (${meaning})`)
    .join(", ");

const times: Schema = { type: "number", minimum: 0, maximum: 1e9 };
const balanceSchema = exactly({
  against: {
    ...times,
    description: "How many times likelier the observed requests are with a bad canary than with a good one.",
  },
  againstMax: { ...times, description: "The canary is rolled back when `against` reaches this value." },
  favour: {
    ...times,
    type: ["number", "null"],
    description:
      "How many times likelier the observed requests of this step are with a good canary than with a bad one; " +
      "null at 100 percent.",
  },
  favourMin: {
    ...times,
    description:
      "The canary gets more than half of the traffic, and then all of it, only when `favour` reaches this value. " +
      "Steps that lead to less do not need it.",
  },
} satisfies Record<keyof Balance, Schema>);

/** A summary as JSON Schema. */
export const summarySchema: Schema = exactly({
  id: { ...text, description: "`rollout/<resource group>/<app>/<revision>`, in lower case." },
  target: exactly({ resourceGroup: text, app: text }),
  revision: text,
  release: text,
  images: {
    type: ["array", "null"],
    items: text,
    description: "The images of the revision's containers; null if no fact says so.",
  },
  phase: text,
  percent: { type: "number", description: "The canary's share of the traffic when it was last read." },
  attempt: { type: "integer", minimum: 1 },
  paused: {
    anyOf: [exactly({ by: text, message: text } satisfies Record<keyof Pause, Schema>), { type: "null" }],
    description: "Who paused it and why; null unless it is paused.",
  },
  result: {
    anyOf: [{ ...text, enum: Object.keys(results) }, { type: "null" }],
    description: "Null while the rollout is in flight.",
  },
  reason: {
    anyOf: [{ type: "string", enum: [...Object.keys(endReasons), ...Object.keys(waitReasons)] }, { type: "null" }],
    description:
      "Why it ended or, while it is in flight, why it waits; null if it goes on. " +
      `Ends: ${meaningsOf(endReasons)}. Waits: ${meaningsOf(waitReasons)}.`,
  },
  message: { ...text, description: "The reason for people, with the numbers of the case." },
  evidence: {
    anyOf: [balanceSchema, { type: "null" }],
    description: "Null before the first step, and if no revision served before the canary.",
  },
  trace: nullableTrace,
  startedAt: instant,
  facts: { ...index, description: "The number of facts in its journal." },
} satisfies Record<keyof RolloutSummaryJson, Schema>);

/**
 * Reports whether a rollout ended well. A rollout in flight, or one that was never started, has not.
 *
 * @param result Whatever a Pulumi state holds.
 */
export const succeeded = (result: unknown): result is "promoted" | "unchanged" =>
  result === "promoted" || result === "unchanged";
