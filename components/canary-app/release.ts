// The resource that a release is to Pulumi: our own provider carries it out by asking the control plane. This is the class
// only; the provider is a process of its own and is never imported.
import * as pulumi from "@pulumi/pulumi";
import type { Gate, Limits, OutsideWeights, Pace, RolloutResult } from "../../engines/rollout/vocabulary.ts";

export interface ReleaseArgs {
  /** The control plane's address. */
  readonly endpoint: pulumi.Input<string>;
  /** Whom tokens for the control plane are for. */
  readonly audience: string;
  readonly resourceGroup: string;
  readonly app: string;
  /** The app's latest revision, as Azure named it; no reason for a rollout by itself, since previews do not know it. */
  readonly revision: pulumi.Input<string>;
  /** The hash of the app's template. A new one is a new release, and nothing else is. */
  readonly release: string;
  readonly pace: Pace;
  readonly limits: Limits;
  /** Other limits that judge beside, without power: what they would have said is in the journal. */
  readonly shadowLimits?: Limits;
  /** Path of the canary's own address that must answer with a status below 400. */
  readonly probePath: string;
  /**
   * Whether an update waits for the rollout's end, and fails where that is not a good one.
   *
   * @default true
   */
  readonly wait?: boolean;
  /**
   * What to do when another release of the app is still in flight.
   *
   * @default "refuse"
   */
  readonly whenInFlight?: "refuse" | "supersede";
  /**
   * What the control plane does when somebody else moves the weights while a rollout is under way: puts them back, or goes on from where they
   * are. With `adopt`, all traffic at stable is a rollback.
   *
   * @default "restore"
   */
  readonly outsideWeights?: OutsideWeights;
  /**
   * Where a person must say yes (`ballast release approve`) before the canary gets more, and for how long the rollout waits; then it is rolled back.
   *
   * @default nowhere
   */
  readonly gate?: Gate;
}

/** One release of one app, from its smoke test to its result. Deleting it aborts what is in flight and undoes nothing else. */
export class Release extends pulumi.CustomResource {
  declare readonly revision: pulumi.Output<string>;
  /** How the rollout ended; `in-flight` where nobody waited. */
  declare readonly result: pulumi.Output<RolloutResult | "in-flight">;
  /** Why it ended so, in the judge's words. */
  declare readonly sentence: pulumi.Output<string>;

  constructor(name: string, args: ReleaseArgs, opts?: pulumi.CustomResourceOptions) {
    super("ballast:index:Release", name, { ...args, result: undefined, sentence: undefined }, opts);
  }
}
