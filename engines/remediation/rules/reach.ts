// Whether a threshold can be reached at all. A rule that can never fire looks like protection and is none: a published
// baseline warns at 10,737,418,240 used transaction ids, of which PostgreSQL has no more than 2,147,483,648.

/** What a metric can be. */
interface Range {
  readonly least: number;
  readonly most: number;
  readonly unit: string;
}

const percent: Range = { least: 0, most: 100, unit: "percent" };

/** The metrics of a service whose values have limits, by the namespace and the name, in lower case. */
const ranges: Readonly<Record<string, Readonly<Record<string, Range>>>> = {
  "microsoft.dbforpostgresql/flexibleservers": {
    cpu_percent: percent,
    memory_percent: percent,
    storage_percent: percent,
    disk_iops_consumed_percentage: percent,
    is_db_alive: { least: 0, most: 1, unit: "" },
    maximum_used_transactionids: { least: 0, most: 2 ** 31, unit: "transaction ids" },
    active_connections: { least: 0, most: 5000, unit: "connections" },
  },
  "microsoft.app/containerapps": { replicas: { least: 0, most: 1000, unit: "replicas" } },
  "microsoft.keyvault/vaults": { availability: percent, saturationshoebox: percent },
};

/** A static threshold on a metric. */
export interface Threshold {
  readonly namespace: string;
  readonly metric: string;
  readonly aggregation: string;
  readonly operator: string;
  readonly threshold: number;
}

/** Says why a threshold can never be crossed; undefined if it can, or if the metric's range is not known. */
export function whyNeverFires({ namespace, metric, aggregation, operator, threshold }: Threshold): string | undefined {
  // A total is a sum over the window and has no limit.
  if (aggregation.toLowerCase() === "total") return undefined;
  const range = ranges[namespace.toLowerCase()]?.[metric.toLowerCase()];
  return range && whyOutside(metric, operator, threshold, range);
}

/** Says why a value within a range never crosses a threshold; undefined if it can. */
export function whyOutside(
  what: string,
  operator: string,
  threshold: number,
  { least, most, unit = "" }: { readonly least: number; readonly most: number; readonly unit?: string },
): string | undefined {
  const shown = (value: number): string => `${grouped(value)}${unit === "" ? "" : ` ${unit}`}`;
  const above = `${what} is never more than ${shown(most)}`;
  const below = `${what} is never less than ${shown(least)}`;
  switch (operator.toLowerCase()) {
    case "greaterthan":
      return threshold >= most ? above : undefined;
    case "greaterthanorequal":
      return threshold > most ? above : undefined;
    case "lessthan":
      return threshold <= least ? below : undefined;
    case "lessthanorequal":
      return threshold < least ? below : undefined;
    default:
      return undefined;
  }
}

/** Writes a number with a comma before each three digits. */
const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
