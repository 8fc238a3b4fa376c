// The types of a rotation, in the order in which data passes through them: the request, the observations, the facts,
// the state, and the effects. Read this first.
import type { Outcome, Request, Signal } from "../engine.ts";
import type { Ended } from "../kind.ts";
import type { ReleaseIntent } from "../rollout/vocabulary.ts";
import type { Instant } from "../time.ts";
import type { Consumer, Credential, CredentialName, Slot } from "./declaration.ts";
import type { Ending, RotationDecision, RotationEvent, RotationObserved } from "./facts.ts";
import type { RotationIntent } from "./intent.ts";
import type { EndReason, RotationResult, WaitReason } from "./reasons.ts";
import type { SignalName } from "./signals.ts";
import type { CredentialView, Login, ProofView, ReadersView, SlotView, Version } from "./views.ts";

// The request (intent.ts declares it, declaration.ts what it is about):

export type { Consumer, Credential, CredentialName, RotationIntent, Slot };

// The observations (views.ts has what they hold):

export type { CredentialView, Login, ProofView, ReadersView, SlotView, Version };

// The signals (signals.ts declares them):

export type { SignalName };

export type RotationOutcome =
  | Outcome<"Inspect", CredentialView>
  | Outcome<"MakeVersion", Version>
  | Outcome<"SetVerifier", null>
  | Outcome<"Prove", ProofView>
  | Outcome<"RequestRollout", { readonly stream: string }>
  | Outcome<"AwaitRollout", Ended>
  | Outcome<"Publish", { readonly slot: Slot; readonly version: string }>
  | Outcome<"ReadReaders", ReadersView>
  | Outcome<"EndSessions", { readonly ended: number }>
  | Outcome<"SetLogin", { readonly login: boolean }>
  | Outcome<"MoveSecret", null>
  | Outcome<"Wait", null>
  | Outcome<"AwaitSignal", null>;

export type RotationObservation = Request<RotationIntent> | RotationOutcome | Signal<SignalName>;

// The facts (facts.ts declares them, reasons.ts the codes in them):

export type { Ending, EndReason, RotationDecision, RotationEvent, RotationObserved, RotationResult, WaitReason };

/** Whether a gate opens. The message says why, with its numbers. */
export type Verdict =
  | { readonly verdict: "pass"; readonly message: string }
  | { readonly verdict: "wait"; readonly reason: WaitReason; readonly message: string }
  | { readonly verdict: "fail"; readonly reason: EndReason; readonly message: string };

// The state:

/**
 * Where a rotation is. Each phase names what is missing, so `react` is one look-up: `inspecting → making → setting →
 * proving → cutting → awaiting → … → publishing → quieting → draining → closing → gracing → making → setting → proving
 * → moving → finished`. From `making` on for the second time, the old slot is renewed. `opening` gives a closed role
 * its login back. A return goes `opening → proving → cutting → … → publishing → returned → finished`.
 */
export type Phase =
  | "waiting-for-request"
  | "inspecting"
  | "making"
  | "setting"
  | "proving"
  | "cutting"
  | "awaiting"
  | "publishing"
  | "quieting"
  | "draining"
  | "closing"
  | "gracing"
  | "opening"
  | "moving"
  | "returned"
  | "finished";

export interface RotationState {
  readonly phase: Phase;
  readonly intent: RotationIntent | undefined;
  readonly declaration: Credential | undefined;
  /** The slot that was published when the rotation began; its version is the old one. */
  readonly live: Slot;
  readonly old: Version;
  /** The new version, in the other slot; undefined until it is made. */
  readonly made: Version | undefined;
  /** The version by which the old slot is renewed; undefined until it is made. */
  readonly renewed: Version | undefined;
  /** How many versions this rotation has asked for. Each has a number of its own, by which it is found again. */
  readonly generation: number;
  /** When the new version was made. */
  readonly madeAt: Instant;
  /** Whether consumers go to the new version, or back to the old one. */
  readonly direction: "forward" | "back";
  /** Whether the old slot is being renewed. */
  readonly renewing: boolean;
  /** Whether this attempt has seen the credential. */
  readonly begun: boolean;
  /** Whether the version of the slot at work is proven in this attempt. */
  readonly proven: boolean;
  /** The slot that each consumer names, in the order of the declaration. */
  readonly consumers: readonly Slot[];
  readonly published: Slot;
  /** Whether the old role may log in. */
  readonly login: boolean;
  /** The consumer that is being cut over, and to which slot; it stays so until the end of its rollout is heard. */
  readonly cutOver: { readonly consumer: number; readonly slot: Slot } | undefined;
  /** The rollout that was asked for last, and how many were. */
  readonly rollout: string;
  readonly rollouts: number;
  /** Consumers whose secret of the old slot has the new version. */
  readonly moved: number;
  /** Releases that asked for the old role, since their revisions log in with it. */
  readonly neededBy: readonly string[];
  /** Whether one of them asked while the role was being closed. */
  readonly opensNext: boolean;
  /** From when on logins with the old role count. */
  readonly readersFrom: Instant;
  /** The last login with the old role, and up to when logins are known. */
  readonly lastLogin: Login | undefined;
  readonly readersTo: Instant;
  readonly readAt: Instant;
  readonly logAlive: boolean;
  readonly sessions: number;
  /** When this attempt began to wait for readers; 0 before. */
  readonly readersSince: Instant;
  /** Rejected logins with the version at work, in a row, and how many versions were given up for that. */
  readonly proofFailures: number;
  readonly versionsRejected: number;
  readonly now: Instant;
  readonly startedAt: Instant;
  readonly phaseAt: Instant;
  readonly paused: boolean;
  readonly pausedAt: Instant;
  /** Why the rotation waits, if it does. */
  readonly waiting: WaitReason | undefined;
  /** Failures in a row of the present effect. */
  readonly failures: number;
  /** No effect before this moment: the rest after a failure. */
  readonly retryAt: Instant;
  readonly ending: Ending | undefined;
  /** 1 for the first attempt, one more for each retry and each return. */
  readonly attempt: number;
}

// The effects:

/** An effect. Effects are absolute, so that repeating one is harmless. None holds a password. */
export type RotationEffect =
  | { readonly kind: "Inspect"; readonly credential: CredentialName }
  /** Makes a version of a slot's secret, unless this rotation has made that generation before. */
  | {
      readonly kind: "MakeVersion";
      readonly credential: Credential;
      readonly slot: Slot;
      readonly rotation: string;
      readonly generation: number;
      /** Whether a value that the system has made itself is kept, since readers of a new credential may use it. */
      readonly keeps: boolean;
    }
  /** Makes the role of a slot accept a version, and lets it log in. */
  | ({ readonly kind: "SetVerifier"; readonly credential: Credential; readonly slot: Slot } & Version)
  | ({ readonly kind: "Prove"; readonly credential: Credential; readonly slot: Slot } & Version)
  | { readonly kind: "RequestRollout"; readonly stream: string; readonly intent: ReleaseIntent }
  | { readonly kind: "AwaitRollout"; readonly stream: string; readonly until: Instant }
  | {
      readonly kind: "Publish";
      readonly credential: Credential;
      readonly slot: Slot;
      readonly version: string;
      readonly rotation: string;
    }
  | {
      readonly kind: "ReadReaders";
      readonly credential: Credential;
      readonly slot: Slot;
      readonly from: Instant;
      /** Releases that asked for the role; those that are still in flight count as readers. */
      readonly neededBy: readonly string[];
      /** Whether to look which slot the consumers serve from, since the role is about to be closed or renewed. */
      readonly looksAtConsumers: boolean;
    }
  | { readonly kind: "EndSessions"; readonly credential: Credential; readonly slot: Slot }
  | { readonly kind: "SetLogin"; readonly credential: Credential; readonly slot: Slot; readonly login: boolean }
  /** Moves a consumer's secret of a slot to a version. No serving revision names it. */
  | { readonly kind: "MoveSecret"; readonly consumer: Consumer; readonly secret: string; readonly url: string }
  | { readonly kind: "Wait"; readonly until: Instant }
  | { readonly kind: "AwaitSignal" };
