// The conditions of a log alert rule over a table of rows: one series for each combination of the dimensions, each with
// its value in each period. Nothing here knows time beyond the periods that it is given.
import type { Body } from "../arm/resource.ts";
import type { Row, Table } from "../kql/values.ts";

/** One series of a condition in one evaluation. */
export interface Series {
  /** The dimensions by name, in the order in which the rule names them. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** The value of the newest period; null if that period has no row to measure. */
  readonly value: number | null;
  /** How many of the periods violate the threshold. */
  readonly violated: number;
}

const operators: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  Equals: (value, threshold) => value === threshold,
  GreaterThan: (value, threshold) => value > threshold,
  GreaterThanOrEqual: (value, threshold) => value >= threshold,
  LessThan: (value, threshold) => value < threshold,
  LessThanOrEqual: (value, threshold) => value <= threshold,
};

const aggregations: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Average: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  Minimum: (values) => Math.min(...values),
  Maximum: (values) => Math.max(...values),
  Total: (values) => values.reduce((sum, value) => sum + value, 0),
};

/**
 * Gives the series of a condition. `periods` are the results of its query, the newest last. A series that has no row in
 * a period does not violate there; only a condition without dimensions counts no rows as zero.
 */
export function seriesOf(condition: Body, periods: readonly Table[]): readonly Series[] {
  const names = ((condition["dimensions"] ?? []) as Body[]).map(({ name }) => String(name));
  const series = new Map<string, { readonly dimensions: Record<string, string>; readonly values: (number | null)[] }>();
  for (const [index, { rows }] of periods.entries())
    for (const [key, group] of groupsOf(condition, names, rows)) {
      const found = series.get(key) ?? { dimensions: group.dimensions, values: periods.map(() => null) };
      found.values[index] = measured(condition, group.rows);
      series.set(key, found);
    }
  return [...series.values()].map(({ dimensions, values }) => ({
    dimensions,
    value: values.at(-1) ?? null,
    violated: values.filter((value) => value !== null && violates(condition, value)).length,
  }));
}

const violates = ({ operator, threshold }: Body, value: number): boolean =>
  operators[String(operator)]!(value, Number(threshold));

interface Group {
  readonly dimensions: Record<string, string>;
  readonly rows: Row[];
}

/** Groups rows by the dimensions that the rule selects. Without dimensions there is one group, also of no rows. */
function groupsOf(condition: Body, names: readonly string[], rows: readonly Row[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>(names.length === 0 ? [["", { dimensions: {}, rows: [] }]] : []);
  for (const row of rows) {
    const dimensions = Object.fromEntries(names.map((name) => [name, String(row[name] ?? "")]));
    if (!isSelected(condition, dimensions)) continue;
    const key = names.length === 0 ? "" : JSON.stringify(Object.values(dimensions));
    const group = groups.get(key) ?? { dimensions, rows: [] };
    group.rows.push(row);
    groups.set(key, group);
  }
  return groups;
}

const isSelected = (condition: Body, dimensions: Readonly<Record<string, string>>): boolean =>
  ((condition["dimensions"] ?? []) as Body[]).every(({ name, operator, values }) => {
    const isNamed = values.includes("*") || values.includes(dimensions[String(name)]);
    return operator === "Exclude" ? !isNamed : isNamed;
  });

/** Measures the rows of a series: their number, or an aggregate of a column. No row to measure has no value. */
function measured({ timeAggregation, metricMeasureColumn }: Body, rows: readonly Row[]): number | null {
  if (timeAggregation === "Count" && !metricMeasureColumn) return rows.length;
  const values = rows.map((row) => row[String(metricMeasureColumn)]).filter((value) => typeof value === "number");
  if (timeAggregation === "Count") return values.length;
  return values.length === 0 ? null : aggregations[String(timeAggregation)]!(values);
}
