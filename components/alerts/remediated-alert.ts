// An alert rule together with what may be done about it, so that neither is deployed without the other.

import * as pulumi from "@pulumi/pulumi";
import { lookBackSecondsOf } from "../../engines/remediation/rules/look-back.ts";
import type { Policy } from "../../engines/remediation/vocabulary.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { declareLogRule, ruleNameOf } from "./log-rule.ts";
import { policyOf, type Remedy } from "./remedy.ts";

/** What the alert is about, who is called, and what may be done. */
export interface RemediatedAlertArgs {
  /** The resource group's id. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The id of the workspace that is queried. */
  readonly workspaceId: pulumi.Input<string>;
  /** What the alert says, in one line. */
  readonly title: pulumi.Input<string>;
  /** What it means when the alert fires. */
  readonly means: pulumi.Input<string>;
  /** The query, in KQL. It returns rows in the situation and none otherwise. */
  readonly query: string;
  /** The column of the query that names the app, such as `ContainerAppName`. Each value has an alert of its own. */
  readonly dimension: string;
  /**
   * The alert fires for a value of the dimension with more rows than this.
   *
   * @default 0
   */
  readonly threshold?: number;
  /** 0 critical to 4 verbose. */
  readonly severity: number;
  /** How far back the query looks: 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440 or 2880 minutes. */
  readonly windowMinutes: number;
  /**
   * How often it is evaluated, in minutes: 1, 5, 10, 15, 30, 45 or 60.
   *
   * @default 5
   */
  readonly everyMinutes?: number;
  /** The ids of the action groups that are notified. */
  readonly actionGroupIds: pulumi.Input<pulumi.Input<string>[]>;
  /** The team or person who is called. */
  readonly owner: string;
  /** Where whoever is called finds what to do: a page's address or a chapter. */
  readonly runbook: string;
  /**
   * The trace of the release that the alert watches: `trace` of its `CanaryApp`. Each alert, the journal of its
   * remediation and its notifications then have it.
   *
   * @default none
   */
  readonly trace?: pulumi.Input<string>;
  /** What may be acted on, such as `app/shop/web`. */
  readonly targets: readonly string[];
  /** What is done, how it is verified, and within which limits. */
  readonly remedy: Remedy;
}

/**
 * A log alert rule whose dimension names the target, and the policy that says what may be done about it.
 *
 * It is refused at preview if it could never help: a threshold that no query result reaches, a cool-down that ends
 * while the alert is still fired, a runbook that cannot act on a target, or a verification that cannot end.
 */
export class RemediatedAlert extends pulumi.ComponentResource {
  /** The policy for `ControlPlane`'s `remediations`. A plain value, known at preview. */
  readonly policy: Policy;
  /** The rule's name in Azure. */
  readonly rule: pulumi.Output<string>;

  constructor(name: string, given: RemediatedAlertArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("RemediatedAlert", name, argumentForms.RemediatedAlert, given);
    const { scope, owner, targets, remedy, windowMinutes, everyMinutes = 5 } = args;
    const policy = policyOf(
      "RemediatedAlert",
      name,
      {
        rule: ruleNameOf(name, "rule", scope),
        owner,
        targets,
        lookBackSeconds: lookBackSecondsOf({ windowMinutes, everyMinutes }),
      },
      remedy,
    );
    super("ballast:index:RemediatedAlert", name, args, opts);
    this.policy = policy;
    this.rule = declareLogRule(name, args, { ...args, id: "rule", everyMinutes }, this).name;
    this.registerOutputs({ rule: this.rule });
  }
}
