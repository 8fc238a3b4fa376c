// The metric alerts that each service should have whatever it does: it is down, short of what was bought, or refused.

import { MetricAlert } from "@pulumi/azure-native/monitor/metricAlert.js";
import * as pulumi from "@pulumi/pulumi";
import { argumentsRefused } from "../../errors/components.ts";
import { argumentForms } from "../argument-forms.ts";
import { readArguments } from "../arguments.ts";
import { child, physicalName, refusal } from "../conventions.ts";
import {
  type AppSize,
  appRules,
  type BaselineId,
  connectionsOf,
  databaseRules,
  type MetricRule,
  topicRules,
  vaultRules,
  whyUnreachable,
} from "./baseline.ts";

/** A resource that is watched. */
export interface Watched {
  /** The resource's id. */
  readonly id: pulumi.Input<string>;
  /** What the rules are named after: lower-case letters, digits and hyphens. */
  readonly name: string;
}

/** What is watched, and who is called. */
export interface BaselineAlertsArgs {
  /** The resource group's id. */
  readonly scope: string;
  /** The resource group's name. Pass the group's output, so that the group is created first. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The ids of the action groups that are notified. */
  readonly actionGroupIds: pulumi.Input<pulumi.Input<string>[]>;
  /** The team or person who is called. */
  readonly owner: string;
  /** Where whoever is called finds what to do: a page's address or a chapter. */
  readonly runbook: string;
  /**
   * Container apps, with the size of one replica.
   *
   * @default none
   */
  readonly apps?: readonly (Watched & AppSize)[];
  /**
   * PostgreSQL flexible servers, with their size.
   *
   * @default none
   */
  readonly databases?: readonly (Watched & {
    /** The server's size, such as `Standard_D2ds_v5`. */
    readonly sku: string;
  })[];
  /**
   * Key vaults.
   *
   * @default none
   */
  readonly vaults?: readonly Watched[];
  /**
   * Event Grid system topics.
   *
   * @default none
   */
  readonly topics?: readonly Watched[];
  /**
   * Thresholds that differ from the baseline, by the name of the alert.
   *
   * @default those that follow from the sizes
   */
  readonly thresholds?: Readonly<Partial<Record<BaselineId, number>>>;
  /**
   * Alerts that are not wanted.
   *
   * @default none
   */
  readonly leaveOut?: readonly BaselineId[];
}

/**
 * Metric alerts on container apps, PostgreSQL servers, key vaults and Event Grid topics. Thresholds are relative to the
 * size that was bought, and one that the metric can never cross is refused at preview.
 */
export class BaselineAlerts extends pulumi.ComponentResource {
  /** The names of the rules in Azure. */
  readonly rules: pulumi.Output<string[]>;

  constructor(name: string, given: BaselineAlertsArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = readArguments("BaselineAlerts", name, argumentForms.BaselineAlerts, given);
    const watched = watchedIn(args);
    const complaints = complaintsOf(args, watched);
    if (complaints.length > 0)
      throw refusal(argumentsRefused({ component: "BaselineAlerts", name, fields: ["thresholds"], complaints }));
    super("ballast:index:BaselineAlerts", name, args, opts);
    const rules = watched.flatMap(({ resource, rules: each }) =>
      each.map((rule) => declareMetricRule(name, args, resource, rule, this)),
    );
    this.rules = pulumi.all(rules.map((rule) => rule.name));
    this.registerOutputs({ rules: this.rules });
  }
}

interface WatchedRules {
  readonly resource: Watched;
  readonly rules: readonly MetricRule[];
}

/** Gives each resource with its rules, with the program's own thresholds. */
function watchedIn(args: BaselineAlertsArgs): readonly WatchedRules[] {
  const { apps = [], databases = [], vaults = [], topics = [], thresholds = {}, leaveOut = [] } = args;
  const adjusted = (rules: readonly MetricRule[]): readonly MetricRule[] =>
    rules
      .filter(({ id }) => !leaveOut.includes(id))
      .map((rule) => ({ ...rule, threshold: thresholds[rule.id] ?? rule.threshold }));
  return [
    ...apps.map((app) => ({ resource: app, rules: adjusted(appRules(app)) })),
    ...databases.map((server) => ({
      resource: server,
      rules: adjusted(databaseRules(connectionsOf(server.sku) ?? 0)),
    })),
    ...vaults.map((vault) => ({ resource: vault, rules: adjusted(vaultRules) })),
    ...topics.map((topic) => ({ resource: topic, rules: adjusted(topicRules) })),
  ];
}

function complaintsOf({ databases = [] }: BaselineAlertsArgs, watched: readonly WatchedRules[]): readonly string[] {
  const names = watched.map(({ resource }) => resource.name);
  return [
    ...(watched.length === 0 ? ["Nothing is watched: give apps, databases, vaults or topics."] : []),
    ...names
      .filter((each, index) => names.indexOf(each) < index)
      .map((each) => `Two resources are named ${each}, so their rules would have the same names.`),
    ...databases
      .filter(({ sku }) => connectionsOf(sku) === undefined)
      .map(({ name, sku }) => `The size of ${name} (${sku}) is not known, so how many connections are many is not.`),
    ...watched.flatMap(({ resource, rules }) =>
      rules.flatMap((rule) => {
        const why = whyUnreachable(rule);
        return why === undefined ? [] : [`${rule.id} of ${resource.name} (${rule.threshold}) can never fire: ${why}.`];
      }),
    ),
  ];
}

function declareMetricRule(
  name: string,
  { scope, resourceGroupName, actionGroupIds, owner, runbook }: BaselineAlertsArgs,
  resource: Watched,
  rule: MetricRule,
  parent: pulumi.Resource,
): MetricAlert {
  const { id, title, severity, namespace, metric, aggregation, operator, threshold, dimension } = rule;
  const role = `${id}-${resource.name}`;
  const webHookProperties = { owner, runbook };
  return new MetricAlert(
    child(name, `alert-${role}`),
    {
      ruleName: physicalName("alert", `${name}-${role}`, scope),
      resourceGroupName,
      location: "global",
      description: `${title} (${resource.name}). Owner: ${owner}. Runbook: ${runbook}.`,
      severity,
      enabled: true,
      autoMitigate: true,
      scopes: [resource.id],
      evaluationFrequency: `PT${rule.everyMinutes}M`,
      windowSize: rule.windowMinutes === 60 ? "PT1H" : `PT${rule.windowMinutes}M`,
      criteria: {
        odataType: "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
        allOf: [
          {
            name: id,
            criterionType: "StaticThresholdCriterion",
            metricNamespace: namespace,
            metricName: metric,
            timeAggregation: aggregation,
            operator,
            threshold,
            ...(dimension && {
              dimensions: [{ name: dimension.name, operator: "Include", values: [...dimension.values] }],
            }),
          },
        ],
      },
      actions: pulumi
        .output(actionGroupIds)
        .apply((ids) => ids.map((actionGroupId) => ({ actionGroupId, webHookProperties }))),
    },
    { parent },
  );
}
