// What the platform shows: the app with its revisions and traffic, answers to probes, and the requests of both arms.
import type { Instant } from "../time.ts";
import type { Count, Durations } from "./judge/counts.ts";

/** A revision's share of the traffic. The weights of an app add up to 100. */
export interface Weight {
  readonly revision: string;
  readonly percent: number;
}

/**
 * Which revisions have our labels. During a rollout `stable` is on the revision that served before, after a promotion
 * on the one that serves now, so that the dead man's switch can see where traffic is safe.
 */
export interface Labels {
  readonly stable?: string;
  readonly canary?: string;
}

/** One revision as the platform shows it. Unknown states are valid and never mean healthy. */
export interface RevisionView {
  readonly name: string;
  readonly active: boolean;
  /** `Running`, `Processing`, `Stopped`, `Degraded`, `Failed`, `Unknown`, or a string of the future. */
  readonly running: string;
  /** `Healthy`, `Unhealthy`, `None`, or a string of the future. */
  readonly health: string;
  /** The same for two revisions with the same template, whatever their names. */
  readonly templateHash: string;
  /** 0 if the platform may remove its last replica; absent if it does not say. */
  readonly minReplicas?: number;
}

/** The app as the platform shows it: its revisions and their traffic. */
export interface AppView {
  readonly weights: readonly Weight[];
  readonly revisions: readonly RevisionView[];
  readonly labels?: Labels;
  /** `Multiple`, `Single`, `Labels`, or a string of the future; weights take effect only in `Multiple`. */
  readonly mode?: string;
  readonly ingress?: "http" | "tcp" | "none";
  /** Whether a user stays with the revision that answered first, whatever the weights. */
  readonly sticky?: boolean;
}

/** The traffic as read back; a write returns only the weights. */
export interface TrafficView {
  readonly weights: readonly Weight[];
  /**
   * Revisions that have weight although they are deactivated or gone, so that their users get errors; absent if
   * there are none.
   */
  readonly deactivated?: readonly string[];
  /**
   * Until when another client (a `pulumi up` in its last seconds) may still write the app; absent if nobody locks it.
   */
  readonly lockedUntil?: Instant;
}

/** A write that was sent without a known answer: these weights may still come into force until then. */
export interface Landing {
  readonly weights: readonly Weight[];
  readonly until: Instant;
}

/** The answer of the canary's own address. */
export interface ProbeView {
  readonly good: boolean;
  /** The answer for people: `answered 200`, `no answer in 2 s`. */
  readonly detail: string;
  /** The platform's own word for the revision at that moment. */
  readonly running: string;
}

/** The requests of one arm in one bucket. A field that is not in the rows is absent, and is not judged. */
export interface Tally extends Count {
  /** Answered 4xx. */
  readonly refused?: number;
  readonly durations?: Durations;
}

/** The requests of both arms in the same interval. */
export interface Bucket {
  readonly at: Instant;
  readonly canary: Tally;
  readonly stable: Tally;
}

/** The complete buckets from the last measurement to the watermark, `to`. */
export interface Measurement {
  readonly buckets: readonly Bucket[];
  readonly to: Instant;
}
