// Metric alert rules: the metrics that stored rows show. Learn, "Understand metric alerts": an alert resolves after
// three checks in a row without a violation; conditions of one rule must all hold. A metric without a value violates
// nothing.
import type { Body, Cloud, Resource } from "../arm/resource.ts";
import { metricRows } from "../insights/metric-rows.ts";
import { isoMilliseconds } from "../operationalinsights/iso-duration.ts";
import { type Series, seriesOf } from "./conditions.ts";
import { metricContextOf } from "./payloads.ts";
import type { Found, RuleKind } from "./rule-kind.ts";
import { keyOf } from "./steps.ts";

const cleanChecks = 3;

/** Metric alert rules. */
export const metricRules: RuleKind = {
  type: "Microsoft.Insights/metricAlerts",
  look,
  cleanNeeded: () => cleanChecks,
  actionGroupsOf: ({ actions }) => ((actions ?? []) as Body[]).map(({ actionGroupId }) => String(actionGroupId)),
  contextOf: metricContextOf,
};

function look(cloud: Cloud, rule: Resource, at: number): Found | string {
  const { scopes, criteria, windowSize } = rule.body["properties"];
  const resource = cloud.store.get(String(scopes[0]));
  if (resource === undefined) return "its resource no longer exists";
  const from = at - isoMilliseconds(String(windowSize))!;
  const all: (readonly Series[])[] = [];
  for (const condition of (criteria?.allOf ?? []) as Body[]) {
    const rows = metricRows(cloud, resource, condition, { from, to: at });
    if (typeof rows === "string") return rows;
    all.push(seriesOf({ ...condition, metricMeasureColumn: "value" }, [{ columns: [], rows }]));
  }
  if (all.length > 1 && all.flat().some(({ dimensions }) => Object.keys(dimensions).length > 0))
    return "the emulator evaluates several criteria without dimensions only";
  const failing = all.every((each) => each.some(({ violated }) => violated > 0));
  return new Map(
    (all[0] ?? []).map((series) => [
      keyOf(0, series),
      { series, failing: all.length === 1 ? series.violated > 0 : failing },
    ]),
  );
}
