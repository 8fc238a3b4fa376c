// Log alert rules: their queries on the rows of their workspace.
import type { Body, Cloud, Resource } from "../arm/resource.ts";
import { evaluate } from "../kql/evaluate.ts";
import { KqlError } from "../kql/syntax.ts";
import type { Table } from "../kql/values.ts";
import { isoMilliseconds } from "../operationalinsights/iso-duration.ts";
import { tablesOf } from "../operationalinsights/tables.ts";
import { type Series, seriesOf } from "./conditions.ts";
import { logContextOf } from "./payloads.ts";
import type { Found, RuleKind } from "./rule-kind.ts";
import { keyOf } from "./steps.ts";

const minute = 60_000;

/** Log alert rules. */
export const logRules: RuleKind = {
  type: "Microsoft.Insights/scheduledQueryRules",
  look,
  cleanNeeded: cleanEvaluations,
  actionGroupsOf: ({ actions }) => actions?.actionGroups ?? [],
  contextOf: logContextOf,
};

/**
 * Gives after how many evaluations without a violation an alert resolves.
 *
 * Learn: a rule of one minute resolves after 10 minutes, one of 5 to 15 minutes after 3 periods, one of up to 11 hours
 * after 2, and a rarer one after 1. `resolveConfiguration` says another time.
 */
function cleanEvaluations({ evaluationFrequency, resolveConfiguration }: Body): number {
  const minutes = isoMilliseconds(String(evaluationFrequency))! / minute;
  const own = resolveConfiguration?.timeToResolve;
  if (resolveConfiguration?.autoResolved === true && own !== undefined)
    return Math.max(1, Math.ceil(isoMilliseconds(String(own))! / minute / minutes));
  if (minutes < 5) return Math.ceil(10 / minutes);
  if (minutes <= 15) return 3;
  return minutes <= 660 ? 2 : 1;
}

/** Gives the series of all conditions; a text if a query cannot be run. */
function look(cloud: Cloud, rule: Resource, at: number): Found | string {
  const { properties } = rule.body;
  const found = new Map<string, { series: Series; failing: boolean }>();
  try {
    for (const [index, condition] of ((properties.criteria?.allOf ?? []) as Body[]).entries()) {
      const { numberOfEvaluationPeriods: periods = 1, minFailingPeriodsToAlert: least = 1 } =
        condition["failingPeriods"] ?? {};
      const tables = Array.from({ length: periods }, (_, back) =>
        resultAt(cloud, rule, condition, at, periods - 1 - back),
      );
      for (const series of seriesOf(condition, tables))
        found.set(keyOf(index, series), { series, failing: series.violated >= least });
    }
    return found;
  } catch (error) {
    if (!(error instanceof KqlError)) throw error;
    return error.message;
  }
}

/** Runs a query over one period. Rows that had not arrived then are not seen, as on Azure. */
function resultAt(cloud: Cloud, rule: Resource, condition: Body, at: number, periodsBack: number): Table {
  const { properties } = rule.body;
  const window = isoMilliseconds(String(properties.windowSize))!;
  const range = isoMilliseconds(String(properties.overrideQueryTimeRange)) ?? window;
  const to = at - periodsBack * window;
  const workspace = cloud.store.get(String(properties.scopes[0]));
  const customerId = String(workspace?.body["properties"].customerId ?? "");
  return evaluate(String(condition["query"]), tablesOf(cloud, customerId, { from: to - range, to }, at), to);
}
