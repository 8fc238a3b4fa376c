// Microsoft.Insights/scheduledQueryRules: a rule is checked as a whole when it is written. Its query runs over empty
// tables, which finds wrong names and types as Azure's own check does. alertsmanagement/rules.ts evaluates it.
import { forgetRule, scheduleRule } from "../alertsmanagement/rules.ts";
import { firstTwiceExactly } from "../arm/bodies.ts";
import { refusedToo, unsupported } from "../arm/refusals.ts";
import { ArmError, type Body, type PutContext, type ResourceType, type Store } from "../arm/resource.ts";
import { evaluate } from "../kql/evaluate.ts";
import { KqlError } from "../kql/syntax.ts";
import { isNumber, type Table } from "../kql/values.ts";
import { isoMilliseconds } from "../operationalinsights/iso-duration.ts";
import { emptyTables } from "../operationalinsights/tables.ts";
import { refusalOfNamed } from "./action-groups.ts";
import { scheduledQueryRuleFields } from "./fields.ts";

const minute = 60_000;
// The list is in Azure's own refusal (Azure/azure-rest-api-specs#21258); one minute is for rules of that frequency.
const windowMinutes = [1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880];
const frequencyMinutes = windowMinutes.slice(0, -1);
const evaluationPeriodsMax = 6;
// Learn: "Create or edit a log search alert rule".
const dimensionsMax = 6;
const lookBackMaxMinutes = 2 * 1440;

/** Scheduled query rules, as Resource Manager serves them. */
export const scheduledQueryRules: ResourceType = {
  type: "Microsoft.Insights/scheduledQueryRules",
  apiVersions: ["2025-01-01-preview"],
  fields: scheduledQueryRuleFields,
  parentMustExist: ({ properties }: Body, store: Store) =>
    refusalOfNamed(properties?.scopes ?? [], properties?.actions?.actionGroups ?? [], store),
  onPut: async (context) => {
    const { properties } = context.wanted;
    checkTimes(properties);
    const { scopes = [], severity, criteria } = properties;
    if (scopes.length === 0) throw refusedToo("A rule needs a scope.");
    // A query over anything else would find nothing here, and its rule would never fire.
    if (scopes.length > 1) throw unsupported("rules on several resources (properties.scopes)");
    if (context.cloud.store.get(scopes[0])?.type !== "Microsoft.OperationalInsights/workspaces")
      throw unsupported("rules on anything but a workspace (properties.scopes)");
    if (severity === undefined || severity < 0 || severity > 4)
      throw refusedToo(`The severity of a rule must be 0 to 4, not ${String(severity)}.`);
    const conditions: readonly Body[] = criteria?.allOf ?? [];
    if (conditions.length === 0) throw refusedToo("A rule needs a criterion.");
    for (const condition of conditions) checkCondition(condition, properties, context);
    context.wanted["kind"] ??= "LogAlert";
    properties.createdWithApiVersion =
      context.previous?.body["properties"].createdWithApiVersion ?? "2025-01-01-preview";
    scheduleRule(context.cloud, { id: context.id, body: context.wanted });
  },
  onDelete: async (rule, cloud) => forgetRule(cloud, rule),
};

function minutesOf(name: string, text: unknown, supported: readonly number[]): number {
  const minutes = (isoMilliseconds(String(text)) ?? NaN) / minute;
  if (supported.includes(minutes)) return minutes;
  throw refusedToo(
    `The ${name} '${String(text)}' is not supported. Supported granularities are: ${supported.join(", ")}.`,
  );
}

/** Checks how the times of a rule fit together. @throws ArmError 400 */
function checkTimes(properties: Body): void {
  const {
    evaluationFrequency,
    windowSize,
    muteActionsDuration: mute,
    autoMitigate,
    overrideQueryTimeRange,
  } = properties;
  const frequency = minutesOf("evaluationFrequency", evaluationFrequency, frequencyMinutes);
  const window = minutesOf("windowSize", windowSize, windowMinutes);
  if (window < frequency) throw refusedToo(`windowSize (${windowSize}) is shorter than evaluationFrequency.`);
  if (overrideQueryTimeRange !== undefined) {
    const range = isoMilliseconds(overrideQueryTimeRange) ?? NaN;
    if (!(range >= window * minute))
      throw refusedToo(`overrideQueryTimeRange '${overrideQueryTimeRange}' is no period as long as windowSize.`);
    if (range > lookBackMaxMinutes * minute)
      throw refusedToo(`overrideQueryTimeRange '${overrideQueryTimeRange}' is longer than two days.`);
  }
  if (mute === undefined) return;
  // Azure/azure-cli#26581 shows this text.
  if (!((isoMilliseconds(mute) ?? NaN) >= frequency * minute))
    throw new ArmError(
      400,
      "InvalidRequestContent",
      "The request content was invalid and could not be deserialized: " +
        "'EvaluationFrequency cannot be greater than MuteActionsDuration'",
    );
  if (autoMitigate) throw refusedToo("A rule cannot have both autoMitigate and muteActionsDuration.");
}

/** Checks a criterion and its query. @throws ArmError 400 */
function checkCondition(condition: Body, properties: Body, { cloud }: PutContext): void {
  const { query, timeAggregation, metricMeasureColumn, operator, threshold, failingPeriods } = condition;
  if (typeof query !== "string" || query.trim() === "") throw refusedToo("A criterion needs a query.");
  if (timeAggregation === undefined || operator === undefined || threshold === undefined)
    throw refusedToo("A criterion needs timeAggregation, operator and threshold.");
  if (timeAggregation !== "Count" && !metricMeasureColumn)
    throw refusedToo(`Metric measure column was not specified, which timeAggregation ${timeAggregation} needs.`);
  const { numberOfEvaluationPeriods: periods = 1, minFailingPeriodsToAlert: failing = 1 } = failingPeriods ?? {};
  if (periods < 1 || periods > evaluationPeriodsMax || failing < 1 || failing > periods)
    throw refusedToo(`failingPeriods must be 1 to ${evaluationPeriodsMax}, of which no more than all must fail.`);
  if (periods * minutesOf("windowSize", properties["windowSize"], windowMinutes) > lookBackMaxMinutes)
    throw refusedToo("windowSize and numberOfEvaluationPeriods together are longer than two days.");
  const dimensions: readonly Body[] = condition["dimensions"] ?? [];
  checkDimensions(dimensions);
  if (properties["skipQueryValidation"] === true) return;
  const { columns } = resultOf(query, cloud.clock.now());
  const typeOf = (name: unknown) => columns.find((column) => column.name === name)?.type;
  const unknown = dimensions.find(({ name }) => typeOf(name) === undefined);
  if (unknown) throw refusedToo(`The query has no column '${unknown["name"]}', which a dimension names.`);
  const { resourceIdColumn } = condition;
  if (resourceIdColumn && typeOf(resourceIdColumn) === undefined)
    throw refusedToo(`The query has no column '${resourceIdColumn}', which resourceIdColumn names.`);
  const measured = typeOf(metricMeasureColumn);
  if (metricMeasureColumn && !(measured && isNumber(measured)))
    throw refusedToo(`The query has no numeric column '${metricMeasureColumn}' to measure.`);
}

/** Checks the dimensions of a criterion by themselves. @throws ArmError 400 */
function checkDimensions(dimensions: readonly Body[]): void {
  if (dimensions.length > dimensionsMax)
    throw refusedToo(`A criterion has at most ${dimensionsMax} dimensions, not ${dimensions.length}.`);
  const twice = firstTwiceExactly(dimensions.map(({ name }) => String(name)));
  if (twice !== undefined) throw refusedToo(`The dimension '${twice}' is there twice.`);
  if (dimensions.some(({ values }) => values.length === 0)) throw refusedToo("A dimension needs a value.");
}

/** Runs a rule's query over empty tables. @throws ArmError 400 when it has an error */
function resultOf(query: string, now: number): Table {
  try {
    return evaluate(query, emptyTables, now);
  } catch (error) {
    if (!(error instanceof KqlError)) throw error;
    throw error.code === "EmulatorUnsupported"
      ? new ArmError(400, error.code, error.message)
      : new ArmError(400, "BadRequest", `The query has an error: ${error.message}`);
  }
}
