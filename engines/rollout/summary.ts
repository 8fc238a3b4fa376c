// One rollout at a glance. The control plane builds it from a journal and answers with it; the provider and the command
// line read it. The shape is declared here once, so that both sides agree.
import type { Balance } from "./judge/judge.ts";
import type { EndReason, RolloutResult, Target, WaitReason } from "./vocabulary.ts";

/** One rollout at a glance. It is also the rollout's name: resource group, app and revision. */
export interface RolloutSummary extends Target {
  /** `rollout/<resource group>/<app>/<revision>`, in lower case. */
  readonly id: string;
  readonly revision: string;
  readonly release: string;
  readonly phase: string;
  /** The canary's share of the traffic when it was last read. */
  readonly percent: number;
  readonly attempt: number;
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
  readonly startedAt: number;
  /** The number of facts in its journal. */
  readonly facts: number;
}

/** A summary in the API's JSON, where the target is a field of its own. */
export type RolloutSummaryJson = Omit<RolloutSummary, keyof Target> & { readonly target: Target };
