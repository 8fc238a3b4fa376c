// A release as a Pulumi resource. This is only the class: Ballast's provider, a process of its own, carries the release
// out through the control plane.
import * as pulumi from "@pulumi/pulumi";
import type { Gate, OutsideWeights, RolloutResult, Strategy, Thresholds } from "../../engines/rollout/vocabulary.ts";

export interface ReleaseArgs {
  /** The control plane's address. */
  readonly endpoint: pulumi.Input<string>;
  /** The audience of the tokens that the control plane accepts. */
  readonly audience: string;
  readonly resourceGroup: string;
  readonly app: string;
  /**
   * The app's latest revision, as Azure named it. A new name alone starts no rollout, since previews do not know it.
   */
  readonly revision: pulumi.Input<string>;
  /** The hash of the app's template. A new hash is a new release, and nothing else is. */
  readonly release: string;
  readonly strategy: Strategy;
  readonly thresholds: Thresholds;
  /** Dry-run thresholds: the journal says what they would have decided. */
  readonly dryRunThresholds?: Thresholds;
  /** The path that is probed on the canary's own address; a status below 400 means that the canary is well. */
  readonly probePath: string;
  /**
   * Whether an update waits until the rollout has ended, and fails if the release was not promoted.
   *
   * @default true
   */
  readonly wait?: boolean;
  /**
   * What to do when another release of the app is in flight.
   *
   * @default "refuse"
   */
  readonly whenInFlight?: "refuse" | "supersede";
  /**
   * What the control plane does when another client changes the weights during a rollout: restore its own weights, or
   * adopt the new ones and go on from there. With `adopt`, giving all traffic to stable rolls the release back.
   *
   * @default "restore"
   */
  readonly outsideWeights?: OutsideWeights;
  /**
   * The step that a person must approve (`ballast release approve`), and how long the rollout waits for the approval
   * before it is rolled back.
   *
   * @default no approval is needed
   */
  readonly gate?: Gate;
}

/**
 * One release of one app, from its smoke test to its result. Deleting it aborts a rollout in flight and undoes nothing.
 */
export class Release extends pulumi.CustomResource {
  declare readonly revision: pulumi.Output<string>;
  /** The result of the rollout; `in-flight` if the update did not wait for it. */
  declare readonly result: pulumi.Output<RolloutResult | "in-flight">;
  /** Why the release ended so, as a code that programs can compare. */
  declare readonly reason: pulumi.Output<string>;
  /** The same for people, with the numbers that decided. */
  declare readonly message: pulumi.Output<string>;

  constructor(name: string, args: ReleaseArgs, opts?: pulumi.CustomResourceOptions) {
    super("ballast:index:Release", name, { ...args, result: undefined, reason: undefined, message: undefined }, opts);
  }
}
