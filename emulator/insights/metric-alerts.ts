// Microsoft.Insights/metricAlerts: a rule on the metrics of one resource, checked as a whole when it is written. It is
// evaluated by alertsmanagement/metric-rules.ts if stored rows show its metrics.
import { forgetRule, scheduleRule } from "../alertsmanagement/rules.ts";
import { firstTwice, regionOf, sameText } from "../arm/bodies.ts";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import type { Body, Resource, ResourceType, Store } from "../arm/resource.ts";
import { typeOf } from "../arm/resource-path.ts";
import { isoMilliseconds } from "../operationalinsights/iso-duration.ts";
import { refusalOfNamed } from "./action-groups.ts";
import { metricAlertFields } from "./fields.ts";
import { otherMetrics, platformMetrics } from "./platform-metrics.ts";

const minute = 60_000;
// Learn, "Metric alerts": the frequencies and windows of a metric alert rule.
const frequencyMinutes = [1, 5, 15, 30, 60];
// Learn: "Understand metric alerts": conditions of one rule with static thresholds.
const criteriaMax = 5;
const windowMinutes = [1, 5, 15, 30, 60, 360, 720, 1440];

/** Metric alert rules, as Resource Manager serves them. */
export const metricAlerts: ResourceType = {
  type: "Microsoft.Insights/metricAlerts",
  apiVersions: ["2018-03-01"],
  fields: metricAlertFields,
  parentMustExist: ({ properties }: Body, store: Store) => {
    const actions = ((properties?.actions ?? []) as Body[]).map(({ actionGroupId }) => String(actionGroupId));
    return refusalOfNamed(properties?.scopes ?? [], actions, store);
  },
  onPut: async ({ id, wanted, cloud }) => {
    const { properties } = wanted;
    const { severity, scopes, evaluationFrequency, windowSize, criteria } = properties;
    if (!(severity >= 0 && severity <= 4)) throw refusedToo(`The severity must be 0 to 4, not ${String(severity)}.`);
    if (scopes.length !== 1) throw unsupported("metric alert rules on several resources");
    const frequency = minutesOf("evaluationFrequency", evaluationFrequency, frequencyMinutes);
    const window = minutesOf("windowSize", windowSize, windowMinutes);
    if (window < frequency) throw refusedToo(`windowSize (${windowSize}) is shorter than evaluationFrequency.`);
    if (criteria["odata.type"] !== "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria")
      throw unsupported(`metric alert rules with ${String(criteria["odata.type"])}`);
    const conditions: readonly Body[] = criteria.allOf ?? [];
    if (conditions.length === 0) throw refusedToo("A rule needs a criterion.");
    if (conditions.length > criteriaMax)
      throw refusedToo(`A rule has at most ${criteriaMax} criteria, not ${conditions.length}.`);
    const twice = firstTwice(conditions.map(({ name }) => name));
    if (twice !== undefined) throw refusedToo(`Two criteria of the rule have the name '${twice}'.`);
    checkTarget(properties, cloud.store.get(String(scopes[0]))!);
    for (const condition of conditions) checkCondition(condition, String(scopes[0]));
    properties.autoMitigate ??= true;
    scheduleRule(cloud, { id, body: wanted });
  },
  onDelete: async (rule, cloud) => forgetRule(cloud, rule),
};

function minutesOf(name: string, text: unknown, supported: readonly number[]): number {
  const minutes = (isoMilliseconds(String(text)) ?? NaN) / minute;
  if (supported.includes(minutes)) return minutes;
  throw refusedToo(`The ${name} '${String(text)}' is not supported. Supported are: ${supported.join(", ")} minutes.`);
}

/** Checks what a rule says of its target. @throws ArmError 400 */
function checkTarget({ targetResourceType, targetResourceRegion }: Body, { type, body }: Resource): void {
  if (targetResourceType && !sameText(targetResourceType, type))
    throw refusedToo(`The targetResourceType '${targetResourceType}' is not that of the rule's target, '${type}'.`);
  if (targetResourceRegion && regionOf(targetResourceRegion) !== regionOf(body["location"]))
    throw refusedToo(
      `The targetResourceRegion '${targetResourceRegion}' is not that of the rule's target, '${body["location"]}'.`,
    );
}

/** Checks that the metric exists and how it is compared. @throws ArmError 400 */
function checkCondition({ name, metricName, metricNamespace, criterionType, dimensions }: Body, scope: string): void {
  if (criterionType !== "StaticThresholdCriterion") throw unsupported("metric alert rules with dynamic thresholds");
  const type = typeOf(scope).toLowerCase();
  if (metricNamespace !== undefined && String(metricNamespace).toLowerCase() !== type)
    throw unsupported(`metrics of the namespace '${String(metricNamespace)}'`);
  const known = platformMetrics[type];
  if (known === undefined) throw unsupported(`metric alert rules on ${type}`);
  const metric = Object.keys(known).find((each) => sameText(each, metricName));
  if (metric === undefined && otherMetrics.test(String(metricName)))
    throw unsupported(`the metric ${String(metricName)}`);
  if (metric === undefined)
    throw refusedToo(
      `Couldn't find a metric named ${String(metricName)}, which the criterion '${String(name)}' names.`,
    );
  for (const { name: dimension, operator, values } of (dimensions ?? []) as Body[]) {
    if (!/^(include|exclude)$/i.test(String(operator)))
      throw refusedToo(`The operator of the dimension '${String(dimension)}' must be Include or Exclude.`);
    if (values.length === 0) throw refusedToo("A dimension needs a value.");
    if (!known[metric]!.some((each) => sameText(each, dimension)))
      throw refusedToo(`The metric ${String(metricName)} has no dimension '${String(dimension)}'.`);
  }
}
