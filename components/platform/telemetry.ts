// Where telemetry goes, and the alerts on it: an Application Insights component on the environment's workspace, the
// identity under which apps publish, and an alert rule with an action group for each alert of alerts.ts.

import { Component } from "@pulumi/azure-native/applicationinsights/component.js";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { ActionGroup } from "@pulumi/azure-native/monitor/actionGroup.js";
import * as pulumi from "@pulumi/pulumi";
import { patience } from "../../defaults.ts";
import { declareLogRule } from "../alerts/log-rule.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import {
  assignmentName,
  child,
  metricsPublisher,
  physicalName,
  roleDefinitionId,
  subscriptionOf,
} from "../conventions.ts";
import { warnOfCodes } from "./alert-addresses.ts";
import { alertsOf } from "./alerts.ts";

/** Where telemetry goes, and who is notified of alerts. */
export interface TelemetryArgs {
  /** The resource group's id. Names that must be unique in Azure are derived from it. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /**
   * The id of the workspace that stores the telemetry: the output `workspaceId` of `ContainerEnvironment`. Alerts query
   * its request rows and console logs too.
   */
  readonly workspaceId: pulumi.Input<string>;
  /**
   * The e-mail addresses that are notified when an alert fires. Azure sends nothing to a new one until its owner has
   * entered a one-time code, within 30 minutes of the update that adds it.
   *
   * @default none: alerts still fire in the portal, and you can add action groups of your own to the rules
   */
  readonly emails?: readonly string[];
  /**
   * The team or person who answers the alerts. Every receiver gets it with the alert.
   *
   * @default the first of `emails`
   */
  readonly owner?: string;
  /** The names of the apps whose failed requests raise an alert. */
  readonly apps: readonly string[];
  /**
   * The `leaseSeconds` of the control plane. A rollout that is later than twice this time raises an alert.
   *
   * @default 60
   */
  readonly leaseSeconds?: number;
  /**
   * The name of the dead man's switch's job.
   *
   * @default "dead-mans-switch"
   */
  readonly switchJob?: string;
}

/** Where telemetry is sent, and under which identity: the argument `telemetry` of `ControlPlane` and `CanaryApp`. */
export interface Sender {
  /** The id of the Application Insights component. A sender with an identity of its own gets its right there. */
  readonly insightsId: pulumi.Output<string>;
  /** The component's connection string. It is no secret: its key is not accepted without a token. */
  readonly connectionString: pulumi.Output<string>;
  /**
   * The id of the identity under which apps publish. A plain string, since an app's template is compared at preview.
   */
  readonly identity: string;
}

/**
 * Application Insights on a workspace, and alert rules. An app that sends telemetry must depend on this component
 * (`dependsOn`), so that the identity's right exists before it is used.
 */
export class Telemetry extends pulumi.ComponentResource {
  /** Where telemetry is sent, and under which identity. */
  readonly sender: Sender;

  constructor(name: string, given: TelemetryArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("Telemetry", name, argumentForms.Telemetry, given);
    super("ballast:index:Telemetry", name, args, opts);
    const { scope, resourceGroupName, location } = args;
    const insights = new Component(
      child(name, "insights"),
      {
        resourceName: physicalName("insights", name, scope),
        resourceGroupName,
        location,
        kind: "web",
        applicationType: "web",
        workspaceResourceId: args.workspaceId,
        disableLocalAuth: true, // else any reader of the connection string could trigger alerts
      },
      { parent: this },
    );
    const identityName = physicalName("identity", name, scope);
    this.#publisher(name, args, insights, identityName);
    const actionGroup = this.#actionGroup(name, args);
    const alerts = alertsOf({
      apps: args.apps,
      leaseSeconds: args.leaseSeconds ?? patience.leaseSeconds,
      switchJob: args.switchJob ?? "dead-mans-switch",
    });
    const { emails = [], owner = emails[0] } = args;
    for (const alert of alerts) {
      const { means, runbook } = alert;
      const told = { ...args, owner, runbook, actionGroupIds: [actionGroup.id] };
      const description = `${means} Runbook: ${runbook}.`;
      declareLogRule(name, told, { ...alert, means: description, everyMinutes: 5 }, this);
    }

    this.sender = {
      insightsId: insights.id,
      connectionString: insights.connectionString,
      identity: `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${identityName}`,
    };
    this.registerOutputs({ sender: this.sender });
  }

  /** Declares the identity under which apps publish, and its right. */
  #publisher(name: string, args: TelemetryArgs, insights: Component, identityName: string): void {
    const { scope, resourceGroupName, location } = args;
    const identity = new UserAssignedIdentity(
      child(name, "identity"),
      { resourceName: identityName, resourceGroupName, location },
      { parent: this },
    );
    new RoleAssignment(
      child(name, "publisher-role"),
      {
        roleAssignmentName: assignmentName(scope, name, "publisher"),
        scope: insights.id,
        roleDefinitionId: roleDefinitionId(subscriptionOf(scope), metricsPublisher),
        principalId: identity.principalId,
        principalType: "ServicePrincipal", // else it may fail until Entra has replicated the new identity
      },
      { parent: this },
    );
  }

  #actionGroup(name: string, { scope, resourceGroupName, emails = [] }: TelemetryArgs): ActionGroup {
    return new ActionGroup(
      child(name, "action-group"),
      {
        actionGroupName: physicalName("actionGroup", name, scope),
        resourceGroupName,
        location: "Global",
        groupShortName: "ballast",
        enabled: true,
        emailReceivers: emails.map((emailAddress) => ({
          name: emailAddress,
          emailAddress,
          useCommonAlertSchema: true,
        })),
      },
      { parent: this, hooks: warnOfCodes(name, this) },
    );
  }
}
