// The types of a rollout, in the order in which data passes through them: the request, the observations, the facts, the
// state, and the effects. Read this first.
import type { Outcome, Request, Signal } from "../engine.ts";
import type { AppTarget } from "../targets.ts";
import type { Instant } from "../time.ts";
import type { Count, Durations } from "./judge/counts.ts";
import type { Evidence } from "./judge/evidence.ts";
import type { EndReason, WaitReason } from "./reasons.ts";
import type {
  AppView,
  Bucket,
  Labels,
  Landing,
  Measurement,
  ProbeView,
  RevisionView,
  Tally,
  TrafficView,
  Weight,
} from "./views.ts";

// The request:

/** The Container App whose traffic a rollout moves. */
export type Target = AppTarget;

/**
 * How fast a rollout goes. On Azure an interval is a minute and a bake is minutes; the demo uses intervals of a second.
 */
export interface Strategy {
  /**
   * The percentages of traffic that the canary receives, step by step, ascending, each from 1 to 99. A last step of
   * 100 is implied.
   *
   * @default [5, 25, 50]
   */
  readonly weights: readonly number[];
  /** How long each step is watched after its warm-up, at least, in seconds. @default 300 */
  readonly bakeSeconds: number;
  /** How long the judge ignores requests after each change of weight, in seconds. @default 180 */
  readonly warmUpSeconds: number;
  /** How often requests are measured and judged, and the width of one bucket, in seconds. @default 60 */
  readonly intervalSeconds: number;
  /** How often the canary's own address is probed, in seconds. @default 30 */
  readonly probeSeconds: number;
  /** How long the canary may take to answer its smoke test, in seconds. @default 300 */
  readonly smokeSeconds: number;
  /**
   * How long the whole rollout may take, in seconds without pauses; then it aborts for lack of evidence.
   *
   * @default 10800
   */
  readonly maximumSeconds: number;
}

/**
 * What the judge tolerates, and how sure it must be. Percentages are of 100; odds are ratios of the canary's to
 * stable's, in the same buckets.
 */
export interface Thresholds {
  /**
   * α: of a hundred rollouts whose canary is no worse than `oddsTolerated`, the judge rolls back at most this many,
   * however often it looks.
   *
   * @default 5
   */
  readonly falseRollbackPercentMax: number;
  /**
   * β: of a hundred canaries that fail `failurePointsMax` more than stable in their last step, the judge promotes at
   * most this many.
   *
   * @default 5
   */
  readonly falsePromotionPercentMax: number;
  /** A canary with up to this many times stable's odds of a bad answer is as good as stable. @default 1.2 */
  readonly oddsTolerated: number;
  /** A canary that takes up to this many times as long as stable is as fast as stable. @default 1.2 */
  readonly slowdownTolerated: number;
  /**
   * A canary is promoted once it is shown to fail less than this many percentage points more than stable.
   *
   * @default 1
   */
  readonly failurePointsMax: number;
  /** At this failure percentage, over `ceilingRequests` or more, the canary is aborted at once. @default 50 */
  readonly ceilingPercent: number;
  /**
   * The least number of requests for the ceiling to count; a few bad answers among the first are no outage.
   *
   * @default 50
   */
  readonly ceilingRequests: number;
  /**
   * Above this failure percentage, or far above its baseline, stable itself is sick, and nothing can be
   * compared with it.
   *
   * @default 5
   */
  readonly stableFailurePercentMax: number;
  /** This many probes in a row without a good answer abort the canary at once. @default 3 */
  readonly probeFailuresMax: number;
}

/** A requested release: this revision of this app, with this strategy and these thresholds. */
export interface ReleaseIntent {
  readonly target: Target;
  /** The revision to release, by the name that Azure gave it. */
  readonly revision: string;
  /** The program's name for the release: the hash of its template, the same for the same template. */
  readonly release: string;
  readonly strategy: Strategy;
  readonly thresholds: Thresholds;
  /** Other thresholds that judge as well but decide nothing; their verdicts are in the journal. */
  readonly dryRun?: Thresholds;
  /** The path of the canary's own address that must answer with a status below 400. */
  readonly probePath: string;
  /** What to do when another client moves the weights: put them back, or continue from them. Absent means restore. */
  readonly outsideWeights?: OutsideWeights;
  /** Which step needs a person's approval. Absent means none. */
  readonly gate?: Gate;
  readonly requestedBy: string;
}

/**
 * What a person must approve: the first step that gives the canary this much or more. Until then the step before it
 * goes on, watched as ever. Without an approval in time, stable gets its traffic back.
 */
export interface Gate {
  /** The least percentage that needs an approval; above the first weight of the plan. */
  readonly beforePercent: number;
  /** How long the rollout waits for the approval, in seconds without pauses. */
  readonly expiresSeconds: number;
}

/**
 * What happens to weights that another client moves during a rollout: they are put back, or the rollout
 * continues from them.
 */
export type OutsideWeights = "restore" | "adopt";

// The observations (views.ts has what they hold):

export type {
  AppView,
  Bucket,
  Count,
  Durations,
  Labels,
  Landing,
  Measurement,
  ProbeView,
  RevisionView,
  Tally,
  TrafficView,
  Weight,
};

/** The signals that a person may send. */
export type PersonalSignal = "pause" | "resume" | "approve" | "promote" | "abort" | "retry";
/**
 * `supersede` comes only from the next release of the same app: it aborts, and a superseded release is
 * never tried again.
 */
export type SignalName = PersonalSignal | "supersede";

export type RolloutOutcome =
  | Outcome<"Inspect", AppView>
  | Outcome<"Activate", null>
  | Outcome<"Probe", ProbeView>
  | (Outcome<"ShiftTraffic", Pick<TrafficView, "weights">> & { readonly mayLand?: Landing })
  | Outcome<"VerifyTraffic", TrafficView>
  | Outcome<"Wait", null>
  | Outcome<"AwaitSignal", null>
  | Outcome<"Measure", Measurement>
  | Outcome<"Deactivate", null>;

export type RolloutObservation = Request<ReleaseIntent> | RolloutOutcome | Signal<SignalName>;

// The facts:

/** How a rollout ends. `degraded` means that an effect was tried too often without success: a person must look. */
export type RolloutResult = "promoted" | "rolled-back" | "rejected" | "unchanged" | "degraded";

export type { EndReason, WaitReason };

/** Whether the rollout may go on. The message says why, with its numbers. */
export type Verdict =
  | { readonly verdict: "pass"; readonly message: string }
  | { readonly verdict: "fail"; readonly message: string }
  | { readonly verdict: "inconclusive"; readonly reason: WaitReason; readonly message: string };

/**
 * A fact of a rollout. An observation adds one fact that holds it whole, followed by the decisions it led to, so that a
 * journal can be decided again from itself.
 */
export type RolloutEvent = { readonly at: Instant } & (RolloutObserved | RolloutDecision);

/** Facts that hold an observation. */
export type RolloutObserved =
  | { readonly kind: "Planned"; readonly intent: ReleaseIntent; readonly steps: readonly number[] }
  | { readonly kind: "Inspected"; readonly view: AppView }
  | { readonly kind: "Activated" }
  | { readonly kind: "Probed"; readonly good: boolean; readonly detail: string; readonly running: string }
  | { readonly kind: "TrafficShifted"; readonly weights: readonly Weight[]; readonly mayLand?: Landing }
  | {
      readonly kind: "TrafficRead";
      readonly weights: readonly Weight[];
      readonly deactivated?: readonly string[];
      readonly lockedUntil?: Instant;
    }
  | { readonly kind: "Waited" }
  | { readonly kind: "Measured"; readonly buckets: readonly Bucket[]; readonly to: Instant }
  | { readonly kind: "Deactivated" }
  | {
      readonly kind: "AttemptFailed";
      readonly effect: RolloutEffect["kind"];
      readonly message: string;
      readonly mayLand?: Landing;
    }
  | { readonly kind: "Signalled"; readonly signal: SignalName; readonly by: string; readonly message: string };

/** Facts that hold a decision. */
export type RolloutDecision =
  | { readonly kind: "Started"; readonly stable: string | null; readonly activate: boolean }
  | { readonly kind: "FoundUnchanged"; readonly stable: string; readonly untouched: boolean; readonly message: string }
  | { readonly kind: "SmokePassed" }
  | { readonly kind: "StepReached"; readonly percent: number }
  | {
      readonly kind: "TrafficDrifted";
      readonly percent: number;
      readonly seenPercent: number;
      readonly deactivated?: readonly string[];
    }
  | { readonly kind: "TrafficMoved"; readonly percent: number; readonly seenPercent: number }
  | { readonly kind: "TrafficAdopted"; readonly percent: number }
  | { readonly kind: "Waiting"; readonly reason: WaitReason; readonly message: string }
  | {
      readonly kind: "DryRunJudged";
      readonly verdict: Verdict["verdict"];
      readonly reason?: WaitReason;
      readonly message: string;
    }
  | { readonly kind: "StepPassed"; readonly percent: number; readonly message: string }
  | { readonly kind: "Aborted"; readonly reason: EndReason; readonly message: string; readonly by: string }
  | { readonly kind: "Reverted" }
  | { readonly kind: "Disregarded"; readonly what: string }
  | ({ readonly kind: "Finished" } & Ending);

/** How a rollout ended, and why: for programs, then for people. */
export interface Ending {
  readonly result: RolloutResult;
  readonly reason: EndReason;
  readonly message: string;
}

// The state:

/**
 * Where a rollout is. Each phase names what is missing, so `react` is one look-up: `inspecting → activating →
 * smoking → shifting → verifying → baking → … → settling → retiring → finished`. From anywhere, `reverting →
 * confirming → retiring` give the traffic back to stable and deactivate the canary. `settling` gives a promoted
 * canary the label `stable`.
 */
export type Phase =
  | "waiting-for-request"
  | "inspecting"
  | "activating"
  | "smoking"
  | "shifting"
  | "verifying"
  | "baking"
  | "settling"
  | "reverting"
  | "confirming"
  | "retiring"
  | "finished";

export interface RolloutState {
  readonly phase: Phase;
  readonly intent: ReleaseIntent | undefined;
  /** Percentages step by step, the last one 100. */
  readonly steps: readonly number[];
  /** Index into `steps`: the present step or, before the first shift, the first one. */
  readonly step: number;
  /** The canary's percentage as set by another client, if this step continues with it instead of the plan's. */
  readonly adopted: number | undefined;
  /** The canary's share when it was first seen moved; it counts when it is seen again. */
  readonly moved: number | undefined;
  /** The revision that served before; null on the first release of an app. */
  readonly stable: string | null;
  /** Whether this attempt has seen the app. */
  readonly inspected: boolean;
  /** Revisions whose last replica the platform removes when they get no requests. */
  readonly sleepers: readonly string[];
  /** Whether the canary may have traffic: seen at the inspection, or left by a degraded attempt. */
  readonly touched: boolean;
  /** The latest time of any observation. */
  readonly now: Instant;
  readonly startedAt: Instant;
  readonly phaseAt: Instant;
  /** When this attempt first gave the canary traffic; earlier requests to it are not judged. */
  readonly watchedFrom: Instant;
  /**
   * Buckets that overlap the time from `warmFrom` to `warmUntil` are not judged: the weights were changing, and the
   * canary warms up.
   */
  readonly warmFrom: Instant;
  readonly warmUntil: Instant;
  /** All requests up to here are measured. */
  readonly measuredTo: Instant;
  readonly measuredAt: Instant;
  readonly probedAt: Instant;
  /** When the weights were last read back. */
  readonly readAt: Instant;
  readonly probeFailures: number;
  /** What the judge has gathered so far. */
  readonly evidence: Evidence;
  /** The evidence of the dry run, and the verdict it last reported; undefined without a dry run. */
  readonly dryRun: { readonly evidence: Evidence; readonly reported: string } | undefined;
  readonly paused: boolean;
  readonly pausedAt: Instant;
  /** Seconds spent in pauses and at the gate in this attempt; they do not count towards its maximum. */
  readonly pausedSeconds: number;
  /** Since when the rollout waits for an approval; 0 if it does not. */
  readonly awaitedAt: Instant;
  /** Whether a person has approved the gate. */
  readonly approved: boolean;
  /** Why the rollout waits, if it does. */
  readonly waiting: WaitReason | undefined;
  /** Failures in a row of the present effect. */
  readonly failures: number;
  /** How often the losing revision could not be deactivated. */
  readonly retireFailures: number;
  /** No effect before this moment: the pause after a failure, or another client's lock on the app. */
  readonly retryAt: Instant;
  /** Until when a write that was given up may still land and undo the end; 0 if there is none. */
  readonly doubtUntil: Instant;
  /** A person has promoted the canary: no more steps, no more baking. */
  readonly promoted: boolean;
  /** Whether the next release has ended this one, for good. */
  readonly superseded: boolean;
  /** The result that is being carried out, and its message. */
  readonly ending: Ending | undefined;
  /** 1 for the first attempt, one more for each retry. */
  readonly attempt: number;
}

// The effects:

/**
 * An effect. Effects are absolute, so that repeating one is harmless. `target` is repeated in each, so that an effect
 * is complete by itself.
 */
export type RolloutEffect =
  | { readonly kind: "Inspect"; readonly target: Target }
  | { readonly kind: "Activate"; readonly target: Target; readonly revision: string }
  /** `awake` is probed as well, so that it keeps a replica; its answer is ignored. */
  | {
      readonly kind: "Probe";
      readonly target: Target;
      readonly revision: string;
      readonly path: string;
      readonly timeoutSeconds: number;
      readonly awake?: string;
    }
  | {
      readonly kind: "ShiftTraffic";
      readonly target: Target;
      readonly weights: readonly Weight[];
      readonly labels: Labels;
      readonly overrideLock: boolean;
    }
  | { readonly kind: "VerifyTraffic"; readonly target: Target }
  | { readonly kind: "Wait"; readonly until: Instant }
  | { readonly kind: "AwaitSignal" }
  | {
      readonly kind: "Measure";
      readonly target: Target;
      readonly canary: string;
      readonly stable: string | null;
      readonly from: Instant;
      readonly intervalSeconds: number;
    }
  | { readonly kind: "Deactivate"; readonly target: Target; readonly revision: string };
