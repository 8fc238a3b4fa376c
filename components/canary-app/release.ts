// A release as a Pulumi resource. This is only the class: Ballast's provider, a process of its own, carries the release
// out through the control plane.
import * as pulumi from "@pulumi/pulumi";
import type { AskedRelease } from "../../engines/rollout/request.ts";
import type { RolloutResult, Thresholds } from "../../engines/rollout/vocabulary.ts";

/** What a request for a rollout takes, as the engine declares it, and how to reach the control plane. */
export interface ReleaseArgs
  extends Omit<AskedRelease, "dryRun" | "release" | Defaulted>,
    Partial<Pick<AskedRelease, Defaulted>> {
  /** The control plane's address. */
  readonly endpoint: pulumi.Input<string>;
  /** The audience of the tokens that the control plane accepts. */
  readonly audience: string;
  readonly resourceGroup: pulumi.Input<string>;
  readonly app: pulumi.Input<string>;
  /** The name of the release. Another one is another release: `CanaryApp` gives the revision's name. */
  readonly release: pulumi.Input<string>;
  /**
   * The app's latest revision, as Azure named it. A new name alone starts no rollout: a preview of any change to the
   * app does not know it.
   */
  readonly revision: pulumi.Input<string>;
  /**
   * The revision that has all traffic now; empty if several share it. If it is not the one that the last release has
   * left, the release is carried out again.
   */
  readonly serving?: pulumi.Input<string>;
  /** Dry-run thresholds: the journal says what they would have decided. */
  readonly dryRunThresholds?: Thresholds;
  /**
   * Whether an update waits until the rollout has ended, and fails if the release was not promoted.
   *
   * @default true
   */
  readonly wait?: boolean;
}

/** Fields that have a default in a request. */
type Defaulted = "whenInFlight" | "outsideWeights";

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
  /** The trace of the run that made the release; empty if it had none. */
  declare readonly trace: pulumi.Output<string>;

  constructor(name: string, args: ReleaseArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { result: undefined, reason: undefined, message: undefined, trace: undefined };
    super("ballast:index:Release", name, { ...args, ...outputs }, opts);
  }
}
