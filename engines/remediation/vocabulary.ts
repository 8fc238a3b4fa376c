// The types of a remediation, in the order in which data passes through them: the request, the observations, the facts,
// the state, and the effects. Read this first.
import type { Outcome, Request, Signal } from "../engine.ts";
import type { TargetKey } from "../targets.ts";
import type { Instant } from "../time.ts";
import type { Ending, RemediationDecision, RemediationEvent, RemediationObserved } from "./facts.ts";
import type { Incident } from "./intent.ts";
import type { Policy, Verification } from "./policy.ts";
import type { EndReason, GuardName, RemediationResult } from "./reasons.ts";
import type { RunbookName, Rung } from "./runbooks.ts";
import type { PersonalSignal, SignalName } from "./signals.ts";
import type { Declared } from "./targets.ts";
import type {
  Entry,
  FollowedEnd,
  HaltedEnd,
  OtherWork,
  Receipt,
  Rows,
  Sighting,
  Situation,
  UndoReceipt,
} from "./views.ts";

// The request (intent.ts declares it), and what is declared about it (policy.ts, runbooks.ts, targets.ts):

export type { Declared, Incident, Policy, RunbookName, Rung, Verification };

// The observations (views.ts has what they hold):

export type {
  Entry,
  FollowedEnd,
  HaltedEnd,
  OtherWork,
  PersonalSignal,
  Receipt,
  Rows,
  Sighting,
  SignalName,
  Situation,
  UndoReceipt,
};

/** The policy of a rule, and the declared targets. Null means that none is declared. */
export interface Loaded {
  readonly policy: Policy | null;
  readonly graph: readonly Declared[];
}

export type RemediationOutcome =
  | Outcome<"LoadPolicy", Loaded>
  | Outcome<"Assess", Situation>
  | Outcome<"Wait", null>
  | Outcome<"Act", Receipt>
  | Outcome<"Follow", FollowedEnd>
  | Outcome<"Measure", Rows>
  | Outcome<"Halt", HaltedEnd>
  | Outcome<"Undo", UndoReceipt>;

export type RemediationObservation = Request<Incident> | RemediationOutcome | Signal<SignalName>;

// The facts (facts.ts declares them, reasons.ts the codes in them):

export type {
  Ending,
  EndReason,
  GuardName,
  RemediationDecision,
  RemediationEvent,
  RemediationObserved,
  RemediationResult,
};

// The state:

/**
 * Where a remediation is. Each phase names what is missing: `preparing → assessing → (holding | awaiting-approval →)
 * checking → acting → following → verifying → finished`; from `verifying`, `undoing` leads to the next rung, which is
 * assessed again. `checking` assesses a second time, once the action is reserved where other remediations see it. What
 * was begun and given up is `halting` before it is undone, left or counted. The end of what an undo began is waited for
 * in `following-undo`.
 */
export type Phase =
  | "waiting-for-request"
  | "preparing"
  | "assessing"
  | "holding"
  | "awaiting-approval"
  | "checking"
  | "acting"
  | "following"
  | "verifying"
  | "halting"
  | "undoing"
  | "following-undo"
  | "finished";

/** The present action. */
export interface Action {
  readonly rung: number;
  readonly runbook: RunbookName;
  readonly plan: string;
  readonly reservedAt: Instant;
  readonly stage: "reserved" | "cleared" | "acted";
  /** Whether its undo has begun: what is then followed or halted is the undo's. */
  readonly undone: boolean;
  /** When its effect was done: rows before this moment say nothing about it. */
  readonly actedAt: Instant;
  readonly receipt: Receipt | undefined;
}

export interface RemediationState {
  readonly phase: Phase;
  readonly incident: Incident | undefined;
  readonly policy: Policy | undefined;
  readonly graph: readonly Declared[];
  /** The latest time of any observation. */
  readonly now: Instant;
  readonly startedAt: Instant;
  readonly phaseAt: Instant;
  /** The index of the present rung. */
  readonly rung: number;
  /** Whether a person has approved the present rung. */
  readonly approved: boolean;
  /** The guard that holds it, if one does. */
  readonly held: GuardName | undefined;
  /** The guard that made it leave the last rung, if one did. */
  readonly leftBy: GuardName | undefined;
  /** No effect before this moment. */
  readonly retryAt: Instant;
  /** Failures in a row of the present effect. */
  readonly failures: number;
  readonly action: Action | undefined;
  /** The actions of this remediation that have ended. */
  readonly ended: readonly { readonly action: Action; readonly endedAt: Instant; readonly worked: boolean | null }[];
  /** When the rows since the action were last read. */
  readonly measuredAt: Instant;
  /** Since when, and how often in a row, it could not be read whether the present rung fits. */
  readonly unread: { readonly since: Instant; readonly times: number } | undefined;
  readonly rows: Rows | undefined;
  readonly paused: boolean;
  readonly pausedAt: Instant;
  /** What a person has asked for that the next decision follows. */
  readonly asked: "stop" | "reject" | undefined;
  /** What a person was told, so that nothing is told twice. */
  readonly told: readonly string[];
  /** Evidence for the person who may be called. */
  readonly evidence: readonly string[];
  readonly ending: Ending | undefined;
}

// The effects:

/** An effect. `key` names an action for all time, so that a repetition is recognized by whoever carries it out. */
export type RemediationEffect =
  | { readonly kind: "LoadPolicy"; readonly rule: string; readonly target: TargetKey }
  | {
      readonly kind: "Assess";
      readonly incident: Incident;
      readonly rung: Rung;
      /** How far back actions and alerts are looked up. */
      readonly since: Instant;
    }
  | { readonly kind: "Wait"; readonly until: Instant }
  | {
      readonly kind: "Act";
      readonly target: TargetKey;
      readonly rung: Rung;
      readonly key: string;
      /** Whoever finds the effect done after this moment must not repeat it. */
      readonly since: Instant;
      /** A drill plans and changes nothing. */
      readonly drill: boolean;
      readonly incident: Incident;
    }
  | {
      readonly kind: "Follow";
      readonly target: TargetKey;
      readonly rung: Rung;
      readonly follow: string;
      readonly until: Instant;
    }
  | {
      readonly kind: "Measure";
      readonly target: TargetKey;
      readonly measure: Verification["measure"];
      readonly from: Instant;
    }
  | {
      readonly kind: "Halt";
      readonly target: TargetKey;
      readonly rung: Rung;
      /** The key of the action, by which what it began is found even if its answer was lost. */
      readonly key: string;
      readonly since: Instant;
      /** What was followed; undefined if the action had no answer. */
      readonly follow: string | undefined;
    }
  | {
      readonly kind: "Undo";
      readonly target: TargetKey;
      readonly rung: Rung;
      readonly key: string;
      readonly since: Instant;
      readonly undo: string;
      readonly incident: Incident;
    };
