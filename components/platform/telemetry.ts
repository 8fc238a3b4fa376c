// Where telemetry goes and what is made of it: an Application Insights component on the workspace of the environment, the one identity that apps
// send as, and Ballast's own alerts with whoever is told of them. What alerts ask is in alerts.ts; who sends what is not known here.

import { Component } from "@pulumi/azure-native/applicationinsights/component.js";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { ActionGroup } from "@pulumi/azure-native/monitor/actionGroup.js";
import { ScheduledQueryRule } from "@pulumi/azure-native/monitor/scheduledQueryRule.js";
import * as pulumi from "@pulumi/pulumi";
import { patience } from "../../defaults.ts";
import { assignmentName, child, metricsPublisher, physicalName, subscriptionOf } from "../conventions.ts";
import { alertsOf } from "./alerts.ts";

/** Where telemetry goes, and who hears of trouble. */
export interface TelemetryArgs {
  /** The resource group's id, of which names that must be unique are made. */
  readonly scope: string;
  /** The group that everything of it lies in; given as the group's output, it is made first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The Azure region, such as `westeurope`. */
  readonly location: string;
  /** The id of the workspace that keeps it: what `ContainerEnvironment` gives. It must have the request rows and console logs too, which alerts ask for. */
  readonly workspaceId: pulumi.Input<string>;
  /**
   * Who is told by e-mail when an alert fires.
   *
   * @default nobody: alerts fire in the portal, and action groups of yours may be added to the rules
   */
  readonly emails?: readonly string[];
  /** The names of the apps whose failures are worth an alert. */
  readonly apps: readonly string[];
  /**
   * The `leaseSeconds` of the control plane, twice of which is late.
   *
   * @default 60
   */
  readonly leaseSeconds?: number;
  /**
   * The name of the job that is the dead man's switch.
   *
   * @default "dead-mans-switch"
   */
  readonly switchJob?: string;
}

/** Where telemetry is sent, and as whom: what `ControlPlane` and `CanaryApp` take as `telemetry`. */
export interface Sender {
  /** The Application Insights component's id, at which whoever sends as himself gets the right to publish. */
  readonly insightsId: pulumi.Output<string>;
  /** The component's connection string: an address, since the key in it opens nothing by itself. */
  readonly connectionString: pulumi.Output<string>;
  /** The id of the identity that apps publish as. Plain text, since an app's template is compared at preview. */
  readonly identity: string;
}

/** The place for telemetry, and the alerts. Whoever sends as its identity depends on this component, since a right must be there before it is used. */
export class Telemetry extends pulumi.ComponentResource {
  /** What is sent with. */
  readonly sender: Sender;

  constructor(name: string, args: TelemetryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ballast:index:Telemetry", name, args, opts);
    const { scope, resourceGroupName, location, emails = [] } = args;

    const insights = new Component(
      child(name, "insights"),
      {
        resourceName: physicalName("insights", name, scope),
        resourceGroupName,
        location,
        kind: "web",
        applicationType: "web",
        workspaceResourceId: args.workspaceId,
        disableLocalAuth: true, // or whoever has read the connection string somewhere could write into our alerts
      },
      { parent: this },
    );

    const identityName = physicalName("identity", name, scope);
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
        roleDefinitionId: `/subscriptions/${subscriptionOf(scope)}/providers/Microsoft.Authorization/roleDefinitions/${metricsPublisher}`,
        principalId: identity.principalId,
        principalType: "ServicePrincipal", // without it the assignment may fail until the new identity is known everywhere
      },
      { parent: this },
    );

    const told = new ActionGroup(
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
      { parent: this },
    );

    for (const { id, title, means, runbook, severity, windowMinutes, query } of alertsOf({
      apps: args.apps,
      leaseSeconds: args.leaseSeconds ?? patience.leaseSeconds,
      switchJob: args.switchJob ?? "dead-mans-switch",
    })) {
      new ScheduledQueryRule(
        child(name, `alert-${id}`),
        {
          ruleName: physicalName("alert", `${name}-${id}`, scope),
          resourceGroupName,
          location,
          kind: "LogAlert",
          displayName: title,
          description: `${means} Runbook: ${runbook}.`,
          severity,
          enabled: true,
          scopes: [args.workspaceId],
          evaluationFrequency: "PT5M",
          windowSize: `PT${windowMinutes}M`,
          autoMitigate: true,
          skipQueryValidation: true, // a workspace does not know a table before something was written to it
          criteria: {
            allOf: [
              {
                query,
                timeAggregation: "Count",
                operator: "GreaterThan",
                threshold: 0,
                failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
              },
            ],
          },
          actions: { actionGroups: [told.id], customProperties: { runbook } },
        },
        { parent: this },
      );
    }

    this.sender = {
      insightsId: insights.id,
      connectionString: insights.connectionString,
      identity: `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${identityName}`,
    };
    this.registerOutputs({ sender: this.sender });
  }
}
