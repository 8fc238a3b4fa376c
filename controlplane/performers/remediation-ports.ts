// What a remediation needs from the world, implemented by the adapters.
import type { Result } from "../../engines/engine.ts";
import type { Issue } from "../../engines/remediation/issue.ts";
import type {
  Entry,
  FollowedEnd,
  HaltedEnd,
  Incident,
  Loaded,
  OtherWork,
  Receipt,
  RemediationEffect,
  Rows,
  RunbookName,
  Sighting,
  Situation,
  UndoReceipt,
} from "../../engines/remediation/vocabulary.ts";
import type { Credential } from "../../engines/rotation/vocabulary.ts";
import type { TargetKey } from "../../engines/targets.ts";
import type { Instant } from "../../engines/time.ts";
import type { Fence } from "../runtime/ports.ts";

type Effect<Kind extends RemediationEffect["kind"]> = Extract<RemediationEffect, { kind: Kind }>;

/** The alerts of the estate, the most severe first. */
export interface Alerts {
  /** Gives the alerts that fired since a moment, resolved ones included, and how many at least were left out. */
  readonly list: (
    since: Instant,
    cancel: AbortSignal,
  ) => Promise<Result<{ readonly alerts: readonly Sighting[]; readonly leftOut: number }>>;
}

/** The actions of remediations. */
export interface Actions {
  /** Gives those of all others but one since a moment. */
  readonly list: (own: string, since: Instant) => Promise<Result<readonly Entry[]>>;
}

/** Rollouts and rotations. */
export interface Work {
  /** Gives those in flight, and those that ended since a moment, by the targets that they hold or held. */
  readonly list: (since: Instant) => Promise<Result<readonly OtherWork[]>>;
}

/** What is declared: policies, targets, and a pause of all remediations. */
export interface Declarations {
  readonly load: (rule: string, target: TargetKey) => Loaded;
  /** Gives the pause of all remediations that is in force; null if there is none. */
  readonly stopped: () => Promise<Situation["stopped"]>;
}

/** What the symptom looks like. */
export interface Symptoms {
  /** Counts the rows since an action. */
  readonly rows: (effect: Effect<"Measure">, now: Instant, cancel: AbortSignal) => Promise<Result<Rows>>;
  /** Gives the share of the error budget that is left; 100 for a target without an objective. */
  readonly budgetLeftPercent: (target: TargetKey, now: Instant, cancel: AbortSignal) => Promise<Result<number>>;
}

/** One runbook as it is carried out. */
export interface RunbookPort {
  /** Says whether it fits now, and exactly what it would do. Its action is that plan. */
  readonly plan: (
    target: TargetKey,
    rung: Effect<"Act">["rung"],
    incident: Incident,
    cancel: AbortSignal,
  ) => Promise<Result<Situation["readiness"]>>;
  /** Does it. A repetition with the same key, also by another process, has no second effect. */
  readonly act: (effect: Effect<"Act">, fence: Fence) => Promise<Result<Receipt>>;
  /** Waits for the end of what it began. */
  readonly follow?: (effect: Effect<"Follow">, cancel: AbortSignal) => Promise<Result<FollowedEnd>>;
  /** Stops what it began, and answers once that is seen to have ended. A repetition stops nothing twice. */
  readonly halt?: (effect: Effect<"Halt">, fence: Fence) => Promise<Result<HaltedEnd>>;
  readonly undo?: (effect: Effect<"Undo">, fence: Fence) => Promise<Result<UndoReceipt>>;
}

/** The issues of repositories. */
export interface Issues {
  /** Gives the issues that have our label, open and closed. */
  readonly list: (repository: string, cancel: AbortSignal) => Promise<Result<readonly Issue[]>>;
  readonly comments: (
    repository: string,
    issue: number,
    cancel: AbortSignal,
  ) => Promise<Result<readonly Pick<Issue, "author" | "body">[]>>;
  /** Opens an issue with our label, and gives its number. */
  readonly open: (repository: string, title: string, body: string) => Promise<Result<number>>;
  readonly comment: (repository: string, issue: number, body: string) => Promise<Result<unknown>>;
}

/** Gives what one system has to say about a target, a line each. */
export type Evidence = (target: TargetKey, cancel: AbortSignal) => Promise<readonly string[]>;

/** An idle session that blocks others and waits for nobody. */
export interface Culprit {
  readonly pid: number;
  /** When it began: the server gives a number again. */
  readonly since: string;
  readonly role: string;
  readonly application: string;
  readonly victims: number;
  readonly idleSeconds: number;
}

/** The sessions of a credential's database. Each call ends by the limits of its own connection. */
export interface Sessions {
  readonly culprits: (credential: Credential) => Promise<Result<readonly Culprit[]>>;
  /** Ends those of these sessions that still block others, and gives them. */
  readonly end: (
    credential: Credential,
    culprits: readonly Culprit[],
    fence: Fence,
  ) => Promise<Result<readonly Culprit[]>>;
  /** Gives what the sessions do and which queries are slow, a line each, without a value of any statement. */
  readonly evidence: (credential: Credential) => Promise<Result<readonly string[]>>;
}

/** All runbooks. */
export type RunbookPorts = Readonly<Record<RunbookName, RunbookPort>>;
