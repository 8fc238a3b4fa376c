// What an alert is on the wire: in the common alert schema for webhooks, and as an item of the alerts API.
import type { Body, Resource } from "../arm/resource.ts";
import { groupNameOf, typeOf } from "../arm/resource-path.ts";
import { subscription } from "../arm/subscription-id.ts";
import { isoMilliseconds } from "../operationalinsights/iso-duration.ts";
import type { Alert } from "./alert-book.ts";
import type { Series } from "./conditions.ts";

const pathOf = ({ id }: Alert): string =>
  `/subscriptions/${subscription}/providers/Microsoft.AlertsManagement/alerts/${id}`;
const iso = (at: number): string => new Date(at).toISOString();

/** Gives the context of a log alert: the condition with the values of the series that fired. */
export function logContextOf(rule: Resource, condition: Body, series: Series, at: number): object {
  const { windowSize, actions } = rule.body["properties"];
  const { query, metricMeasureColumn, operator, threshold, timeAggregation, failingPeriods } = condition;
  return {
    properties: actions?.customProperties ?? {},
    conditionType: "LogQueryCriteria",
    condition: {
      windowSize,
      allOf: [
        {
          searchQuery: query,
          metricMeasureColumn: metricMeasureColumn ?? null,
          targetResourceTypes: "['Microsoft.OperationalInsights/workspaces']",
          operator,
          threshold: String(threshold),
          timeAggregation,
          dimensions: Object.entries(series.dimensions).map(([name, value]) => ({ name, value })),
          metricValue: series.value,
          failingPeriods: {
            numberOfEvaluationPeriods: failingPeriods?.numberOfEvaluationPeriods ?? 1,
            minFailingPeriodsToAlert: failingPeriods?.minFailingPeriodsToAlert ?? 1,
          },
        },
      ],
      windowStartTime: iso(at - isoMilliseconds(String(windowSize))!),
      windowEndTime: iso(at),
    },
  };
}

/** Gives the context of a metric alert: the condition with the value and the dimensions of the series that fired. */
export function metricContextOf(rule: Resource, condition: Body, series: Series, at: number): object {
  const { windowSize, scopes } = rule.body["properties"];
  const { metricName, operator, threshold, timeAggregation } = condition;
  return {
    properties: null,
    conditionType: "SingleResourceMultipleMetricCriteria",
    condition: {
      windowSize,
      allOf: [
        {
          metricName,
          metricNamespace: typeOf(String(scopes[0])),
          operator,
          threshold: String(threshold),
          timeAggregation,
          dimensions: Object.entries(series.dimensions).map(([name, value]) => ({ name, value })),
          metricValue: series.value,
          webTestName: null,
        },
      ],
      windowStartTime: iso(at - isoMilliseconds(String(windowSize))!),
      windowEndTime: iso(at),
    },
  };
}

/** What payloads say of where an alert comes from. */
const sourceOf = ({ ruleId }: Alert): { readonly signal: string; readonly service: string } =>
  typeOf(ruleId).toLowerCase() === "microsoft.insights/metricalerts"
    ? { signal: "Metric", service: "Platform" }
    : { signal: "Log", service: "Log Alerts V2" };

/** Gives the payload of the common alert schema. A resolved alert repeats the context with which it fired. */
export function commonPayload(rule: Resource, alert: Alert): object {
  const { description, actions } = rule.body["properties"];
  return {
    schemaId: "azureMonitorCommonAlertSchema",
    data: {
      essentials: {
        alertId: pathOf(alert),
        alertRule: alert.ruleName,
        alertRuleId: alert.ruleId,
        severity: `Sev${alert.severity}`,
        signalType: sourceOf(alert).signal,
        monitorCondition: alert.resolvedAt === null ? "Fired" : "Resolved",
        monitoringService: sourceOf(alert).service,
        alertTargetIDs: [alert.targetResource.toLowerCase()],
        configurationItems: [alert.targetResource],
        originAlertId: alert.id,
        firedDateTime: iso(alert.firedAt),
        ...(alert.resolvedAt === null ? {} : { resolvedDateTime: iso(alert.resolvedAt) }),
        description: description ?? "",
        essentialsVersion: "1.0",
        alertContextVersion: "1.0",
        targetResourceGroup: groupNameOf(rule.id) ?? "",
      },
      alertContext: alert.context,
      customProperties: actions?.customProperties ?? {},
    },
  };
}

/** Gives an alert as the alerts API shows it. The context is shown only if it is asked for. */
export function shownAlert(alert: Alert, withContext: boolean): Body {
  const { ruleId, ruleName, severity, targetResource, firedAt, resolvedAt, state } = alert;
  const { signal, service } = sourceOf(alert);
  return {
    id: pathOf(alert),
    type: "Microsoft.AlertsManagement/alerts",
    name: ruleName,
    properties: {
      essentials: {
        severity: `Sev${severity}`,
        signalType: signal,
        alertState: state,
        monitorCondition: resolvedAt === null ? "Fired" : "Resolved",
        targetResource: targetResource.toLowerCase(),
        targetResourceName: targetResource.split("/").at(-1),
        targetResourceGroup: groupNameOf(targetResource) ?? "",
        targetResourceType: typeOf(targetResource).toLowerCase(),
        monitorService: service,
        alertRule: ruleId,
        sourceCreatedId: alert.id,
        startDateTime: iso(firedAt),
        lastModifiedDateTime: iso(alert.lastModifiedAt),
        lastModifiedUserName: alert.lastModifiedBy,
        ...(resolvedAt === null ? {} : { monitorConditionResolvedDateTime: iso(resolvedAt) }),
        actionStatus: { isSuppressed: false },
      },
      ...(withContext ? { context: { context: alert.context } } : {}),
    },
  };
}

/** Gives the history of an alert, the oldest change first. */
export const shownHistory = (alert: Alert): Body => ({
  id: `${pathOf(alert)}/history/default`,
  name: "default",
  type: "Microsoft.AlertsManagement/alerts/history",
  properties: {
    alertId: alert.id,
    modifications: alert.history.map(({ event, at, oldValue, newValue, comments = "" }) => ({
      modificationEvent: event,
      oldValue,
      newValue,
      modifiedAt: iso(at),
      modifiedBy: event === "StateChange" ? alert.lastModifiedBy : "System",
      comments,
      description: "",
    })),
  },
});
