// A log alert rule that fires for each value of a dimension. Payloads hold no rows, so a rule whose dimension does not
// name the target tells nobody which one it is about, and nobody of a second one while it is fired for the first.
import { ScheduledQueryRule } from "@pulumi/azure-native/monitor/scheduledQueryRule.js";
import type * as pulumi from "@pulumi/pulumi";
import { child, physicalName } from "../conventions.ts";

/** Where a rule is, what it watches, and who is notified. */
export interface RulePlace {
  readonly scope: string;
  readonly resourceGroupName: pulumi.Input<string>;
  readonly location: string;
  readonly workspaceId: pulumi.Input<string>;
  readonly actionGroupIds: pulumi.Input<pulumi.Input<string>[]>;
  readonly owner?: string | undefined;
  readonly runbook: string;
}

/** One rule. */
export interface LogRule {
  readonly id: string;
  readonly title: pulumi.Input<string>;
  readonly means: pulumi.Input<string>;
  readonly severity: number;
  readonly windowMinutes: number;
  readonly everyMinutes: number;
  readonly query: string;
  /** Without one, the rule has one alert for all rows: it is about a single thing. */
  readonly dimension?: string | undefined;
  readonly threshold?: number;
  readonly trace?: pulumi.Input<string>;
}

/** Gives a rule's name in Azure, by which a policy names it. */
export const ruleNameOf = (name: string, id: string, scope: string): string =>
  physicalName("alert", `${name}-${id}`, scope);

/** Writes minutes as Azure does, which compares the text: an hour is `PT1H`. */
function isoMinutes(minutes: number): string {
  if (minutes % 1440 === 0) return `P${minutes / 1440}D`;
  return minutes % 60 === 0 ? `PT${minutes / 60}H` : `PT${minutes}M`;
}

/** Declares a rule that fires for each value of its dimension, if it has one, with more rows than the threshold. */
export function declareLogRule(
  name: string,
  { scope, resourceGroupName, location, workspaceId, actionGroupIds, owner, runbook }: RulePlace,
  rule: LogRule,
  parent: pulumi.Resource,
): ScheduledQueryRule {
  const { id, title, means, severity, windowMinutes, everyMinutes, query, dimension, threshold = 0, trace } = rule;
  return new ScheduledQueryRule(
    child(name, `alert-${id}`),
    {
      ruleName: ruleNameOf(name, id, scope),
      resourceGroupName,
      location,
      kind: "LogAlert",
      displayName: title,
      description: means,
      severity,
      enabled: true,
      scopes: [workspaceId],
      evaluationFrequency: isoMinutes(everyMinutes),
      windowSize: isoMinutes(windowMinutes),
      autoMitigate: true,
      skipQueryValidation: true, // a workspace does not have a table until something is written to it
      criteria: {
        allOf: [
          {
            query,
            timeAggregation: "Count",
            operator: "GreaterThan",
            threshold,
            ...(dimension && { dimensions: [{ name: dimension, operator: "Include", values: ["*"] }] }),
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 },
          },
        ],
      },
      actions: {
        actionGroups: actionGroupIds,
        customProperties: { ...(owner && { owner }), runbook, ...(trace === undefined ? {} : { trace }) },
      },
    },
    { parent },
  );
}
