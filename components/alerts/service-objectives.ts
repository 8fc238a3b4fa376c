// The promise of a service to its users, and the alerts that say how fast its error budget is used up.

import * as pulumi from "@pulumi/pulumi";
import {
  burnAlertsOf,
  objectionsToReach,
  ticketLookBackSeconds,
} from "../../engines/remediation/objectives/burn-alerts.ts";
import type { Objective } from "../../engines/remediation/objectives/objective.ts";
import { historySeconds } from "../../engines/remediation/objectives/ticket.ts";
import { changesWorld } from "../../engines/remediation/runbooks.ts";
import { targetKey } from "../../engines/remediation/targets.ts";
import type { Policy } from "../../engines/remediation/vocabulary.ts";
import { argumentsRefused } from "../../errors/components.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { refusal } from "../conventions.ts";
import { declareLogRule, ruleNameOf } from "./log-rule.ts";
import { policyOf, type Remedy } from "./remedy.ts";

/** What a service promises, who is called, and what may be done. */
export interface ServiceObjectivesArgs {
  /** The resource group's id, in which the app and the rules are. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The id of the workspace that has the request rows: the output `workspaceId` of `ContainerEnvironment`. */
  readonly workspaceId: pulumi.Input<string>;
  /** The name of the container app. A plain string, since the queries and the policies name it. */
  readonly app: string;
  /** The ids of the action groups that are notified. */
  readonly actionGroupIds: pulumi.Input<pulumi.Input<string>[]>;
  /** The team or person who is called. */
  readonly owner: string;
  /** Where whoever is called finds what to do: a page's address or a chapter. */
  readonly runbook: string;
  /** What is promised: at most one objective of each measure. */
  readonly objectives: readonly ServiceObjective[];
  /**
   * After this many minutes without a request the objectives count as not measured, which is an alert of its own: 30,
   * 60, 120, 180, 240, 300 or 360. 0 is for a service that is often idle.
   *
   * @default 60
   */
  readonly silentMinutes?: number;
  /**
   * What may be done about the alerts that wake a person. Pass the output `policies` to `ControlPlane`.
   *
   * @default none: a person is notified, and nothing is done
   */
  readonly remedy?: Remedy;
}

/** One promise. */
export interface ServiceObjective {
  /** What is a good request: one that does not fail (`availability`), or one that is answered in time (`latency`). */
  readonly measures: "availability" | "latency";
  /** The share of requests that must be good, such as 99.9. */
  readonly goodPercent: number;
  /**
   * How long a good request may take. A latency objective needs it.
   *
   * @default none
   */
  readonly withinMilliseconds?: number;
  /**
   * The period of the promise in days, at most 30.
   *
   * @default 28
   */
  readonly periodDays?: number;
  /**
   * With fewer bad requests than this in the long window no alert fires, whatever their share.
   *
   * @default 10
   */
  readonly failuresMin?: number;
}

/**
 * Objectives of a service, with alerts on how fast its error budget is used up. Each compares a long window with a
 * short one, so that it fires on what matters and resolves once it is over.
 *
 * Rows that are missing change nothing: a fired alert stays fired while the short window is empty, and `unmeasured`
 * says that nothing is known. The alert over three days is computed by the control plane, because a rule looks back two
 * days at most: pass `objectives` and `policies` to `ControlPlane`.
 */
export class ServiceObjectives extends pulumi.ComponentResource {
  /**
   * The policies for `ControlPlane`'s `remediations`. Plain values, known at preview. Without a remedy there is only
   * that of the alert over three days, which calls a person.
   */
  readonly policies: readonly Policy[];
  /**
   * The objectives for `ControlPlane`'s `remediations`. The control plane computes what is left of each budget, and the
   * alert over three days.
   */
  readonly objectives: readonly Objective[];
  /** The names of the rules in Azure. */
  readonly rules: pulumi.Output<string[]>;

  constructor(name: string, given: ServiceObjectivesArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("ServiceObjectives", name, argumentForms.ServiceObjectives, given);
    const { scope, app, owner, remedy, silentMinutes = 60 } = args;
    const target = targetKey({ type: "app", rg: scope.split("/").at(-1) ?? "", name: app });
    const ruleOf = (id: string): string => ruleNameOf(name, id, scope);
    const objectives = args.objectives.map((objective) => ({
      periodDays: 28,
      failuresMin: 10,
      ...objective,
      target,
      ticket: ruleOf(`${objective.measures}-ticket`),
    }));
    const complaints = objectives.flatMap(objectionsToReach);
    if (complaints.length > 0)
      throw refusal(argumentsRefused({ component: "ServiceObjectives", name, fields: ["objectives"], complaints }));
    const alerts = objectives.flatMap((objective, index) =>
      burnAlertsOf(objective, index === 0 ? silentMinutes : 0).map((alert) => ({
        ...alert,
        id: alert.id === "unmeasured" ? alert.id : `${objective.measures}-${alert.id}`,
        wakes: alert.severity < 3,
      })),
    );
    const about = { owner, targets: [target] };
    const policies = [
      ...(remedy === undefined ? [] : alerts.filter(({ wakes }) => wakes)).map(({ id, lookBackSeconds }) =>
        policyOf("ServiceObjectives", name, { ...about, rule: ruleOf(id), lookBackSeconds }, remedy!),
      ),
      ...objectives.map(({ ticket }) =>
        policyOf(
          "ServiceObjectives",
          name,
          { ...about, rule: ticket, lookBackSeconds: ticketLookBackSeconds },
          callOf(remedy),
        ),
      ),
    ];
    super("ballast:index:ServiceObjectives", name, args, opts);
    const rules = alerts.map((alert) => declareLogRule(name, args, { ...alert, dimension: "ContainerAppName" }, this));
    this.policies = policies;
    this.objectives = objectives;
    this.rules = pulumi.all(rules.map((rule) => rule.name));
    this.registerOutputs({ rules: this.rules });
  }
}

/** What is done about a budget that was used up over days: nothing that changes anything, and a person is called. */
function callOf(remedy: Remedy | undefined): Remedy {
  const telling = (remedy?.ladder ?? []).filter(({ runbook }) => !changesWorld(runbook));
  return {
    ladder: telling.length > 0 ? telling : [{ runbook: "collect-diagnostics" }],
    verification: {},
    // It is about days, and waits while its target has another incident. What is done changes nothing, however late.
    limits: { staleSeconds: historySeconds },
  };
}
