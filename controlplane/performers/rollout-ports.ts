// What a rollout needs from the world, implemented by the adapters for Azure.
import type { Result } from "../../engines/engine.ts";
import type { RetiredSecret } from "../../engines/rollout/views.ts";
import type {
  AdmissionView,
  AppView,
  Measurement,
  ProbeView,
  RolloutEffect,
  Target,
  TrafficView,
  Weight,
} from "../../engines/rollout/vocabulary.ts";
import type { Instant } from "../../engines/time.ts";
import type { Fence } from "../runtime/ports.ts";

type Effect<Kind extends RolloutEffect["kind"]> = Extract<RolloutEffect, { kind: Kind }>;

/** Container Apps, as far as rollouts need it. Every write polls until the operation ends and reads back the result. */
export interface Apps {
  /** Makes a revision from the one that serves, without traffic, with another secret in its variables. */
  readonly repoint: (effect: Effect<"Repoint">, fence: Fence) => Promise<Result<null>>;
  /** Reads the revisions and the traffic. */
  readonly inspect: (asked: Omit<Effect<"Inspect">, "kind">, cancel: AbortSignal) => Promise<Result<AppView>>;
  /** Sets the weights and gives the traffic as read back. Named revisions only; the sum is 100. */
  readonly shift: (effect: Effect<"ShiftTraffic">, fence: Fence) => Promise<Result<TrafficView>>;
  readonly readTraffic: (target: Target, cancel: AbortSignal) => Promise<Result<TrafficView>>;
  readonly activate: (effect: Effect<"Activate">, fence: Fence) => Promise<Result<null>>;
  readonly deactivate: (effect: Effect<"Deactivate">, fence: Fence) => Promise<Result<null>>;
  /**
   * Requests the revision's own address, and its state from the platform. No answer is an observation, not a failure.
   */
  readonly probe: (effect: Effect<"Probe">, cancel: AbortSignal) => Promise<Result<ProbeView>>;
}

/** Request rows, as buckets by revision. */
export interface Requests {
  /**
   * Gives the complete buckets from `from` on. Rows that arrive after the watermark are never counted, so
   * none counts twice.
   */
  readonly measure: (effect: Effect<"Measure">, now: Instant, cancel: AbortSignal) => Promise<Result<Measurement>>;
}

/** What rollouts ask of the rotations that retire a role of their app. */
export interface OldRoles {
  /** Gives the app's secrets that rotations in flight retire. */
  readonly retiredIn: (target: Target) => Promise<readonly RetiredSecret[]>;
  /** Asks a rotation to open the old role, or to keep it open, for as long as a rollout is in flight. */
  readonly open: (rotation: string, rollout: string, at: Instant, fence: Fence) => Promise<Result<AdmissionView>>;
}

/** What a revision's app shows. */
export interface Seen {
  readonly weights: readonly Weight[];
  /** When the revision was made; undefined if it does not exist, or Azure does not say. */
  readonly madeAt: Instant | undefined;
}

/** Reads who serves, and when a revision was made. */
export type Sight = (target: Target, revision: string, cancel: AbortSignal) => Promise<Result<Seen>>;
