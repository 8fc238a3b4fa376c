// Every noun of a rollout, in the order in which the data meets them: what is asked for, what the world says, what is
// kept, what it adds up to, what is asked of the world next. Read this first. Nothing here decides anything.
import type { Outcome, Request, Signal } from "../engine.ts";
import type { Instant } from "../time.ts";
import type { Count, Durations } from "./judge/counts.ts";
import type { Evidence } from "./judge/evidence.ts";

// What is asked for:

/** The Container App that a rollout moves the traffic of. */
export interface Target {
  readonly resourceGroup: string;
  readonly app: string;
}

/** How fast a rollout goes. On Azure a tick is a minute and a bake minutes; the demo lives on one-second ticks. */
export interface Pace {
  /** Percentages of traffic the canary receives, step by step, ascending, each from 1 to 99; a last step of 100 is implied. @default [5, 25, 50] */
  readonly weights: readonly number[];
  /** The least time each step is watched after its warm-up, in seconds. @default 300 */
  readonly bakeSeconds: number;
  /** What is left out of the judgement after each change of weight, in seconds. @default 180 */
  readonly warmUpSeconds: number;
  /** How often requests are measured and judged, and the width of one bin, in seconds. @default 60 */
  readonly tickSeconds: number;
  /** How often the canary's own address is probed, in seconds. @default 30 */
  readonly probeSeconds: number;
  /** How long the canary may take to answer its smoke test, in seconds. @default 300 */
  readonly smokeSeconds: number;
  /** How long the whole rollout may take, in seconds without pauses; then it aborts, since evidence never came. @default 10800 */
  readonly maximumSeconds: number;
}

/** What the judge tolerates, and how sure it must be. Percentages are of 100; odds are ratios, canary's to stable's, in the same bins. */
export interface Limits {
  /** α: of a hundred rollouts whose canary is no worse than `oddsTolerated`, the judge rolls back so many at the most, however often it looks. @default 5 */
  readonly falseRollbackPercentMax: number;
  /** β: of a hundred canaries that fail `failurePointsMax` more than stable in their last step, it promotes so many at the most. @default 5 */
  readonly falsePromotionPercentMax: number;
  /** A canary whose odds of a bad answer are so many times stable's is as good as stable. @default 1.2 */
  readonly oddsTolerated: number;
  /** A canary that takes so many times stable's time is as fast as stable. @default 1.2 */
  readonly slowdownTolerated: number;
  /** A canary is promoted once it is shown to fail less than so many percentage points more than stable. @default 1 */
  readonly failurePointsMax: number;
  /** At this failure percentage, over `ceilingRequests` or more, the canary is taken out at once. @default 50 */
  readonly ceilingPercent: number;
  /** Over so many requests the ceiling counts; a few bad answers among the first are no outage. @default 50 */
  readonly ceilingRequests: number;
  /** Above this failure percentage, or far above what is usual of it, stable itself is sick, and nothing can be compared with it. @default 5 */
  readonly stableFailurePercentMax: number;
  /** So many probes in a row without a good answer take the canary out at once. @default 3 */
  readonly probeFailuresMax: number;
}

/** One release as somebody wants it: this revision of this app, at this pace, within these limits. */
export interface ReleaseIntent {
  readonly target: Target;
  /** The revision that is to become stable, as Azure named it. */
  readonly revision: string;
  /** What the program calls the release: the hash of its template, the same for the same template. */
  readonly release: string;
  readonly pace: Pace;
  readonly limits: Limits;
  /** Other limits that judge beside, without power: what they would have said is in the journal. */
  readonly shadow?: Limits;
  /** Path of the canary's own address that must answer with a status below 400. */
  readonly probePath: string;
  /** What to do when somebody else moves the weights: put them back, or go on from where they are. Absent means restore. */
  readonly outsideWeights?: OutsideWeights;
  /** Where a person must say yes before the canary gets more. Absent means nowhere. */
  readonly gate?: Gate;
  readonly requestedBy: string;
}

/**
 * What a person must approve: the first step that gives the canary this much or more. Until then the step before goes on, watched as ever;
 * where nobody approves in time, stable gets its traffic back, since what nobody wants to answer for is not left half done.
 */
export interface Gate {
  /** The least percentage that takes a yes; above the first weight of the plan. */
  readonly beforePercent: number;
  /** How long the rollout waits, in seconds without pauses. */
  readonly expiresSeconds: number;
}

/** What becomes of weights that somebody else moves while a rollout is under way: put back, or gone on from. */
export type OutsideWeights = "restore" | "adopt";

// What the world says:

/** So much of the traffic to that revision. Weights of an app add up to 100. */
export interface Weight {
  readonly revision: string;
  readonly percent: number;
}

/**
 * Which revisions have our labels. For as long as a rollout lasts `stable` is on the revision that served before, and after a promotion on
 * the one that serves now, so that a watcher that knows nothing else knows where traffic is safe.
 */
export interface Labels {
  readonly stable?: string;
  readonly canary?: string;
}

/** One revision as the platform shows it. Unknown states are legal on the wire and never mean healthy. */
export interface RevisionView {
  readonly name: string;
  readonly active: boolean;
  /** `Running`, `Processing`, `Stopped`, `Degraded`, `Failed`, `Unknown` or a string of the future. */
  readonly running: string;
  /** `Healthy`, `Unhealthy`, `None` or a string of the future. */
  readonly health: string;
  /** The same for two revisions with the same template, whatever they are called. */
  readonly templateHash: string;
  /** 0 where the platform may take its last replica away; absent where it does not say. */
  readonly minReplicas?: number;
}

/** The app as the platform shows it: who is there and who gets what. */
export interface AppView {
  readonly weights: readonly Weight[];
  readonly revisions: readonly RevisionView[];
  readonly labels?: Labels;
  /** `Multiple`, `Single`, `Labels` or a string of the future; weights count in `Multiple` only. */
  readonly mode?: string;
  readonly ingress?: "http" | "tcp" | "none";
  /** Whether a user stays with the revision that answered first, whatever the weights say. */
  readonly sticky?: boolean;
}

/** What came of reading traffic back; of writing it only the weights are told. */
export interface TrafficView {
  readonly weights: readonly Weight[];
  /** Revisions that have weight although they are deactivated or gone, whose users get errors; absent when there are none. */
  readonly deactivated?: readonly string[];
  /** Until when somebody else (a `pulumi up` in its last seconds) may still write the app; absent when nobody holds it. */
  readonly heldUntil?: Instant;
}

/** A write that was sent and of which no answer is known: these weights may come into force, unasked, until then. */
export interface Landing {
  readonly weights: readonly Weight[];
  readonly until: Instant;
}

/** What the canary's own address answered. */
export interface ProbeView {
  readonly good: boolean;
  /** In words: `answered 200`, `no answer in 2 s`. */
  readonly detail: string;
  /** The platform's own word for the revision at that moment. */
  readonly running: string;
}

export type { Count, Durations };

/** What one arm did in one bin. Fields are absent where the rows do not tell them; then they are not judged. */
export interface Tally extends Count {
  /** Answered 4xx. */
  readonly refused?: number;
  readonly durations?: Durations;
}

/** What both arms did in the same stretch of time, one tick wide. */
export interface Bin {
  readonly at: Instant;
  readonly canary: Tally;
  readonly stable: Tally;
}

/** The bins that are complete: everything from the last measurement to the watermark, `to`. */
export interface Measurement {
  readonly bins: readonly Bin[];
  readonly to: Instant;
}

/** What a person may send. */
export type PersonalSignal = "pause" | "resume" | "approve" | "promote" | "abort" | "retry";
/** `supersede` comes from the next release of the same app alone: it aborts, and what was superseded is never tried again. */
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

// What is kept:

/** How a rollout ends. `stranded` is the named end of every limit on attempts: a person must look. */
export type RolloutResult = "promoted" | "rolled-back" | "rejected" | "equal" | "stranded";

/** Why a rollout does not go on although nothing is wrong with the canary. Holding is not a failure. */
export type HoldReason =
  | "no-traffic"
  | "too-few-requests"
  | "warming-up"
  | "stable-sick"
  | "shared-outage"
  | "lost-requests"
  | "noisy"
  | "unsettled"
  | "unapproved";

/** May we go on? The sentence says why, with its numbers. */
export type Verdict =
  | { readonly verdict: "pass"; readonly sentence: string }
  | { readonly verdict: "fail"; readonly sentence: string }
  | { readonly verdict: "inconclusive"; readonly reason: HoldReason; readonly sentence: string };

/**
 * Every fact of a rollout. An observation adds one fact that holds it whole, and behind it the decisions that it led
 * to; so a journal can be decided all over again from itself.
 */
export type RolloutEvent = { readonly at: Instant } & (RolloutFinding | RolloutDecision);

/** Facts that hold an observation. */
export type RolloutFinding =
  | { readonly kind: "Planned"; readonly intent: ReleaseIntent; readonly steps: readonly number[] }
  | { readonly kind: "Inspected"; readonly view: AppView }
  | { readonly kind: "Activated" }
  | { readonly kind: "Probed"; readonly good: boolean; readonly detail: string; readonly running: string }
  | { readonly kind: "TrafficShifted"; readonly weights: readonly Weight[]; readonly mayLand?: Landing }
  | {
      readonly kind: "TrafficRead";
      readonly weights: readonly Weight[];
      readonly deactivated?: readonly string[];
      readonly heldUntil?: Instant;
    }
  | { readonly kind: "Waited" }
  | { readonly kind: "Measured"; readonly bins: readonly Bin[]; readonly to: Instant }
  | { readonly kind: "Deactivated" }
  | {
      readonly kind: "AttemptFailed";
      readonly effect: RolloutEffect["kind"];
      readonly reason: string;
      readonly mayLand?: Landing;
    }
  | { readonly kind: "Signalled"; readonly signal: SignalName; readonly by: string; readonly reason: string };

/** Facts that were decided. */
export type RolloutDecision =
  | { readonly kind: "Started"; readonly stable: string | null; readonly activate: boolean }
  | { readonly kind: "FoundEqual"; readonly stable: string; readonly untouched: boolean; readonly sentence: string }
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
  | { readonly kind: "Held"; readonly reason: HoldReason; readonly sentence: string }
  | {
      readonly kind: "ShadowJudged";
      readonly verdict: Verdict["verdict"];
      readonly reason?: HoldReason;
      readonly sentence: string;
    }
  | { readonly kind: "StepPassed"; readonly percent: number; readonly sentence: string }
  | { readonly kind: "Aborted"; readonly sentence: string; readonly by: string }
  | { readonly kind: "Reverted" }
  | { readonly kind: "Disregarded"; readonly what: string }
  | { readonly kind: "Finished"; readonly result: RolloutResult; readonly sentence: string };

// What it adds up to:

/**
 * Where a rollout stands. Each phase names what is missing, so `react` is one look-up:
 * `inspecting → activating → smoking → shifting → verifying → baking → … → settling → retiring → finished`, and from anywhere
 * `reverting → confirming → retiring`, which give the traffic back to stable and take the canary away. `settling` gives a promoted
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
  /** Index into `steps`: where the rollout is or, before the first shift, where it goes first. */
  readonly step: number;
  /** The percentage that somebody else gave the canary and that this step goes on with; undefined where the plan's own is in force. */
  readonly adopted: number | undefined;
  /** The canary's share as seen when it was first found moved; it counts when it is seen again. */
  readonly moved: number | undefined;
  /** The revision that served before; null on the first release of an app. */
  readonly stable: string | null;
  /** Whether this attempt has seen the app. */
  readonly inspected: boolean;
  /** Revisions whose last replica the platform takes away when nobody asks them. */
  readonly sleepers: readonly string[];
  /** Whether the canary may have a share of the traffic: seen at the inspection, or left by an attempt that was stranded. */
  readonly touched: boolean;
  /** The latest moment that any observation told. */
  readonly now: Instant;
  readonly startedAt: Instant;
  readonly phaseAt: Instant;
  /** When this attempt first gave the canary traffic; what it did before is not judged. */
  readonly watchedFrom: Instant;
  /** Bins that overlap the time from `warmFrom` to `warmUntil` are left out of the judgement: the weights were changing, and the canary warms up. */
  readonly warmFrom: Instant;
  readonly warmUntil: Instant;
  /** Requests are measured, completely, up to here. */
  readonly measuredTo: Instant;
  readonly measuredAt: Instant;
  readonly probedAt: Instant;
  /** When the weights were last read back. */
  readonly readAt: Instant;
  readonly probeFailures: number;
  /** What the judge has gathered so far. */
  readonly evidence: Evidence;
  /** What the judge in the shadow has gathered, and the verdict it was last heard with; undefined where the release has none. */
  readonly shadow: { readonly evidence: Evidence; readonly heard: string } | undefined;
  readonly paused: boolean;
  readonly pausedAt: Instant;
  /** Seconds that this attempt has spent in pauses and at its gate; they do not count towards its maximum. */
  readonly pausedSeconds: number;
  /** Since when a person's approval is waited for; 0 where none is. */
  readonly awaitedAt: Instant;
  /** Whether a person has said yes at the gate. */
  readonly approved: boolean;
  /** Why the rollout does not go on; undefined when nothing holds it. */
  readonly held: HoldReason | undefined;
  /** Failures in a row of the effect now asked for. */
  readonly failures: number;
  /** How often the revision that lost could not be taken away. */
  readonly retireFailures: number;
  /** Nothing is asked of the world before this moment: the pause after a failure, or somebody else's hold on the app. */
  readonly retryAt: Instant;
  /** Until when a write that was given up may still land and undo the end; 0 where there is none. */
  readonly doubtUntil: Instant;
  /** Somebody has decided that the canary is good: no more steps, no more baking. */
  readonly promoted: boolean;
  /** Whether the next release has put an end to this one, for good. */
  readonly superseded: boolean;
  /** The result that is being carried out, and its sentence. */
  readonly ending: { readonly result: RolloutResult; readonly sentence: string } | undefined;
  /** 1 for the first attempt, one more for each retry. */
  readonly attempt: number;
}

// What is asked of the world next:

/** Effects are absolute, so that repeating one is harmless. `target` is repeated in each: an effect is whole by itself. */
export type RolloutEffect =
  | { readonly kind: "Inspect"; readonly target: Target }
  | { readonly kind: "Activate"; readonly target: Target; readonly revision: string }
  /** `awake` is asked as well, so that it keeps a replica; its answer counts for nothing. */
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
      readonly overrideHold: boolean;
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
      readonly tickSeconds: number;
    }
  | { readonly kind: "Deactivate"; readonly target: Target; readonly revision: string };
