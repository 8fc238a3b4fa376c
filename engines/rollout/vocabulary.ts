// The types of a rollout, in the order in which data passes through them: the request, the observations, the facts, the
// state, and the effects. Read this first.
import type { Outcome, Request, Signal } from "../engine.ts";
import type { Instant } from "../time.ts";
import type { Ending, RolloutDecision, RolloutEvent, RolloutObserved } from "./facts.ts";
import type {
  CredentialSlots,
  Gate,
  OutsideWeights,
  Purpose,
  ReleaseIntent,
  Strategy,
  Target,
  Thresholds,
} from "./intent.ts";
import type { Count, Durations } from "./judge/counts.ts";
import type { Evidence } from "./judge/evidence.ts";
import type { ProbeRequest } from "./probe-request.ts";
import type { EndReason, RolloutResult, WaitReason } from "./reasons.ts";
import type { PersonalSignal, SignalName } from "./signals.ts";
import type {
  AdmissionView,
  AppView,
  Bucket,
  Labels,
  Landing,
  Measurement,
  ProbeView,
  Restart,
  RevisionView,
  Tally,
  TrafficView,
  Weight,
} from "./views.ts";

// The request (intent.ts declares it):

export type { Gate, OutsideWeights, Purpose, ReleaseIntent, Strategy, Target, Thresholds };

// The observations (views.ts has what they hold):

export type {
  AdmissionView,
  AppView,
  Bucket,
  Count,
  Durations,
  Labels,
  Landing,
  Measurement,
  ProbeView,
  Restart,
  RevisionView,
  Tally,
  TrafficView,
  Weight,
};

// The signals (signals.ts declares them):

export type { PersonalSignal, SignalName };

export type RolloutOutcome =
  | Outcome<"Repoint", null>
  | Outcome<"Inspect", AppView>
  | Outcome<"OpenRole", AdmissionView>
  | Outcome<"Activate", null>
  | Outcome<"Probe", ProbeView>
  | (Outcome<"ShiftTraffic", Pick<TrafficView, "weights">> & { readonly mayLand?: Landing })
  | Outcome<"VerifyTraffic", TrafficView>
  | Outcome<"Wait", null>
  | Outcome<"AwaitSignal", null>
  | Outcome<"Measure", Measurement>
  | Outcome<"Deactivate", null>;

export type RolloutObservation = Request<ReleaseIntent> | RolloutOutcome | Signal<SignalName>;

// The facts (facts.ts declares them, reasons.ts the codes in them):

export type { Ending, EndReason, RolloutDecision, RolloutEvent, RolloutObserved, RolloutResult, WaitReason };

/** Whether the rollout may go on. The message says why, with its numbers. */
export type Verdict =
  | { readonly verdict: "pass"; readonly message: string }
  | { readonly verdict: "fail"; readonly message: string }
  | { readonly verdict: "inconclusive"; readonly reason: WaitReason; readonly message: string };

// The state:

/**
 * Where a rollout is. Each phase names what is missing, so `react` is one look-up: `inspecting → activating →
 * smoking → shifting → verifying → baking → … → settling → retiring → finished`. From anywhere, `reverting →
 * confirming → retiring` give the traffic back to stable and deactivate the canary. `settling` gives a promoted
 * canary the label `stable`. A rollout of a rotation begins with `repointing`, which makes its revision. `opening`
 * comes before `activating` if a rotation has closed the role by which the canary logs in.
 */
export type Phase =
  | "waiting-for-request"
  | "repointing"
  | "inspecting"
  | "opening"
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

/** Another release of the app, requested while this rollout is in flight. */
interface Contender {
  readonly revision: string;
  readonly by: string;
  readonly byName?: string;
  /** Whether it is refused, so that its revision only has to be deactivated. */
  readonly refused: boolean;
  /** Failures in a row of the present effect. */
  readonly failures: number;
  /** When the present effect is tried again. The rollout itself goes on meanwhile. */
  readonly retryAt: Instant;
}

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
  /** The rotation that retires the role by which the canary logs in, and whether the canary must be activated. */
  readonly opens: { readonly rotation: string; readonly activate: boolean } | undefined;
  /** How long the canary's own startup probes allow it to take; 0 if it has none. */
  readonly startupSeconds: number;
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
  /** The canary's restarts as last seen; undefined before the platform has shown them. */
  readonly restarts: readonly Restart[] | undefined;
  /** When a probe last found the canary unwell, and how. A step waits until the requests up to then are measured. */
  readonly unwell: { readonly at: Instant; readonly symptom: string } | undefined;
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
  /** Who asked for this attempt: the release's requester and, after a retry, whoever sent it. */
  readonly askedBy: readonly string[];
  /** Whether a person has approved the gate. */
  readonly approved: boolean;
  /** Whether another client gave the canary more than the gate allows; that is put right during a pause too. */
  readonly beyondGate: boolean;
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
  /** Other releases of the app that await an answer: who asked for them, and whether they are refused already. */
  readonly contenders: readonly Contender[];
  /** The revisions of other releases that were refused. */
  readonly refused: readonly string[];
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
  /** Makes the revision from the one that serves, with another secret in its variables. */
  | {
      readonly kind: "Repoint";
      readonly target: Target;
      readonly revision: string;
      readonly purpose: Purpose;
    }
  /** The templates of revisions are compared without regard to which secret of a slot they name. */
  | { readonly kind: "Inspect"; readonly target: Target; readonly credentialSlots?: CredentialSlots }
  /** Asks a rotation to give the old role its login back, and to keep it for as long as this rollout is in flight. */
  | { readonly kind: "OpenRole"; readonly rotation: string; readonly revision: string }
  | { readonly kind: "Activate"; readonly target: Target; readonly revision: string }
  /** `awake` is probed as well, so that it keeps a replica; its answer is ignored. */
  | {
      readonly kind: "Probe";
      readonly target: Target;
      readonly revision: string;
      readonly path: string;
      readonly request?: ProbeRequest;
      readonly timeoutSeconds: number;
      readonly awake?: string;
    }
  | {
      readonly kind: "ShiftTraffic";
      readonly target: Target;
      readonly weights: readonly Weight[];
      readonly labels: Labels;
      readonly overrideLock: boolean;
      /** Until when a lock is waited for; without it there is no end. */
      readonly waitsUntil?: Instant;
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
