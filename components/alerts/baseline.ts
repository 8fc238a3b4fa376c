// The baseline of metric alerts of each service. Thresholds follow from the size that was bought: 0.9 cores is much for
// an app of one core and unreachable for one of a quarter. The thresholds are ours. Azure's own baseline (Azure Monitor
// Baseline Alerts, commit b772e9f) is where those that are left out or changed come from.
import { whyNeverFires, whyOutside } from "../../engines/remediation/rules/reach.ts";

export const baselineIds = [
  "app-cpu",
  "app-memory",
  "app-restarts",
  "app-replicas",
  "database-cpu",
  "database-memory",
  "database-storage",
  "database-connections",
  "database-failed-connections",
  "database-down",
  "database-transaction-ids",
  "vault-availability",
  "vault-saturation",
  "vault-refusals",
  "topic-publish-failures",
  "topic-dropped",
  "topic-dead-letters",
] as const;
export type BaselineId = (typeof baselineIds)[number];

/** A metric alert before it has a scope. */
export interface MetricRule {
  readonly id: BaselineId;
  readonly title: string;
  readonly severity: 0 | 1 | 2 | 3;
  readonly namespace: string;
  readonly metric: string;
  readonly aggregation: "Average" | "Maximum" | "Total";
  readonly operator: "GreaterThan" | "LessThan";
  readonly threshold: number;
  readonly windowMinutes: 5 | 15 | 60;
  readonly everyMinutes: 1 | 5;
  readonly dimension?: { readonly name: string; readonly values: readonly string[] };
  /** The greatest value that the metric can have at this size, if the size decides it. */
  readonly most?: number;
}

const gib = 2 ** 30;
const share = (percent: number, of: number): number => Math.round((percent / 100) * of);
const usual = { aggregation: "Average", operator: "GreaterThan", windowMinutes: 5, everyMinutes: 1 } as const;

/** What an app was given. */
export interface AppSize {
  /** CPU cores of one replica. */
  readonly cpu: number;
  /** Memory of one replica, in GiB. */
  readonly memoryGib: number;
  /**
   * Whether it has no replica while nobody calls it; then having none is no alert.
   *
   * @default false
   */
  readonly scalesToZero?: boolean;
}

const onApps = "Microsoft.App/containerApps";

/** Gives the rules of a container app. */
export const appRules = ({ cpu, memoryGib, scalesToZero = false }: AppSize): readonly MetricRule[] => {
  const app = { ...usual, namespace: onApps };
  const replicas: MetricRule = {
    ...app,
    id: "app-replicas",
    title: "No replica runs",
    severity: 1,
    metric: "Replicas",
    aggregation: "Maximum",
    operator: "LessThan",
    threshold: 1,
  };
  return [
    {
      ...app,
      id: "app-cpu",
      title: "The replicas are short of CPU",
      severity: 2,
      metric: "UsageNanoCores",
      threshold: share(85, cpu * 1e9),
      most: cpu * 1e9,
      windowMinutes: 15,
    },
    {
      ...app,
      id: "app-memory",
      title: "The replicas are short of memory",
      severity: 2,
      metric: "WorkingSetBytes",
      threshold: share(90, memoryGib * gib),
      most: memoryGib * gib,
    },
    {
      ...app,
      id: "app-restarts",
      title: "Replicas of a revision restart",
      severity: 2,
      metric: "RestartCount",
      aggregation: "Maximum",
      threshold: 3,
      dimension: { name: "revisionName", values: ["*"] },
    },
    ...(scalesToZero ? [] : [replicas]),
  ];
};

/** The memory of the burstable sizes of a flexible server in GiB; the others follow from their cores. */
const burstableGib: Readonly<Record<string, number>> = {
  b1ms: 2,
  b2s: 4,
  b2ms: 8,
  b4ms: 16,
  b8ms: 32,
  b12ms: 48,
  b16ms: 64,
  b20ms: 80,
};
/** Learn, "Limits in Azure Database for PostgreSQL flexible server": max_connections by memory in GiB. */
const connectionsByGib = [
  [2, 50],
  [4, 429],
  [8, 859],
  [16, 1718],
  [32, 3437],
] as const;
const reservedConnections = 15;

/** Gives how many connections users can have at a size; undefined for a size that is not known. */
export function connectionsOf(sku: string): number | undefined {
  const [, family = "", cores = ""] = /^standard_([bde])(\d+)/i.exec(sku) ?? [];
  const memory =
    family.toLowerCase() === "b"
      ? burstableGib[sku.toLowerCase().replace("standard_", "")]
      : Number(cores) * (family.toLowerCase() === "e" ? 8 : 4);
  if (!memory) return undefined;
  return (connectionsByGib.find(([most]) => memory <= most)?.[1] ?? 5000) - reservedConnections;
}

const onServers = "Microsoft.DBforPostgreSQL/flexibleServers";

const server = { ...usual, namespace: onServers } as const;

/** Gives the rules of a PostgreSQL server. */
export const databaseRules = (connections: number): readonly MetricRule[] => [
  ...resourceRules,
  {
    ...server,
    id: "database-connections",
    title: "The server's connections are almost used up",
    severity: 1,
    metric: "active_connections",
    aggregation: "Maximum",
    threshold: share(80, connections),
    most: connections + reservedConnections,
  },
  ...healthRules,
];

const resourceRules: readonly MetricRule[] = [
  {
    ...server,
    id: "database-cpu",
    title: "The server is short of CPU",
    severity: 2,
    metric: "cpu_percent",
    threshold: 90,
    windowMinutes: 15,
  },
  {
    ...server,
    id: "database-memory",
    title: "The server is short of memory",
    severity: 2,
    metric: "memory_percent",
    threshold: 90,
    windowMinutes: 15,
  },
  {
    ...server,
    id: "database-storage",
    title: "The server's disk is almost full",
    severity: 1,
    metric: "storage_percent",
    threshold: 85,
  },
];

const healthRules: readonly MetricRule[] = [
  {
    ...server,
    id: "database-failed-connections",
    title: "Connections to the server fail",
    severity: 3,
    metric: "connections_failed",
    aggregation: "Total",
    threshold: 10,
  },
  {
    ...server,
    id: "database-down",
    title: "The database does not answer",
    severity: 0,
    metric: "is_db_alive",
    aggregation: "Maximum",
    operator: "LessThan",
    threshold: 1,
  },
  {
    ...server,
    id: "database-transaction-ids",
    title: "Transaction ids run out: vacuum does not keep up",
    severity: 1,
    metric: "maximum_used_transactionIDs",
    aggregation: "Maximum",
    threshold: 1_200_000_000, // the server stops at 2,147,483,648, and a vacuum can take days
    windowMinutes: 60,
    everyMinutes: 5,
  },
];

const vault = { ...usual, namespace: "Microsoft.KeyVault/vaults", everyMinutes: 5, windowMinutes: 15 } as const;

/** The rules of a key vault. */
export const vaultRules: readonly MetricRule[] = [
  {
    ...vault,
    id: "vault-availability",
    title: "The vault fails requests",
    severity: 2,
    metric: "Availability",
    operator: "LessThan",
    threshold: 99,
  },
  {
    ...vault,
    id: "vault-saturation",
    title: "The vault is close to its limit",
    severity: 1,
    metric: "SaturationShoebox",
    threshold: 75,
  },
  {
    ...vault,
    id: "vault-refusals",
    title: "The vault refuses requests: a right is missing, or there are too many",
    severity: 2,
    metric: "ServiceApiResult",
    aggregation: "Total",
    threshold: 10,
    dimension: { name: "StatusCode", values: ["403", "429"] },
  },
];

const topic = {
  ...usual,
  namespace: "Microsoft.EventGrid/systemTopics",
  aggregation: "Total",
  threshold: 0,
  everyMinutes: 5,
  windowMinutes: 15,
} as const;

/** The rules of an Event Grid topic. Rotation hears of new secret versions by it. */
export const topicRules: readonly MetricRule[] = [
  {
    ...topic,
    id: "topic-publish-failures",
    title: "Events cannot be published",
    severity: 1,
    metric: "PublishFailCount",
  },
  {
    ...topic,
    id: "topic-dropped",
    title: "Events were lost for good",
    severity: 1,
    metric: "DroppedEventCount",
  },
  {
    ...topic,
    id: "topic-dead-letters",
    title: "Events could not be delivered",
    severity: 2,
    metric: "DeadLetteredCount",
  },
];

/** Says why a rule can never fire, with the name of what it watches. */
export function whyUnreachable({ namespace, metric, aggregation, operator, threshold, most }: MetricRule) {
  const bySize = most === undefined ? undefined : whyOutside(metric, operator, threshold, { least: 0, most });
  return bySize ?? whyNeverFires({ namespace, metric, aggregation, operator, threshold });
}
