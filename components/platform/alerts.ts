// Ballast's own alerts: what is asked of the workspace, how often, and what an answer means. Each is a query that gives rows only in the situation it
// is for, so that the rule is always the same: any row fires. Plain data, which the component declares and the tests run as it stands.

/** What alerts depend on. */
export interface AlertsArgs {
  /** The apps whose failures are worth waking somebody. */
  readonly apps: readonly string[];
  /** How long a replica that fell silent keeps its rollouts: so late a rollout may be when another takes it over. */
  readonly leaseSeconds: number;
  /** The name of the dead man's switch's job. */
  readonly switchJob: string;
}

/** One alert. */
export interface Alert {
  readonly id: string;
  readonly title: string;
  /** What it means when it fires. */
  readonly means: string;
  /** The chapter of docs/guides/runbooks.md. */
  readonly runbook: string;
  /** 0 critical, 1 error, 2 warning. */
  readonly severity: 0 | 1 | 2;
  /** How far back the query looks; longer than rows take to come. */
  readonly windowMinutes: 5 | 10 | 15;
  /** Gives rows in the situation, and none in health. */
  readonly query: string;
}

/** So many failures in a window are more than what a retry is for. */
const effectsFailedMin = 5;
const rollbacksFailedMin = 3;
/** So many requests say something about a service, and this share of them failing is trouble whoever is to blame. */
const requestsMin = 100;
const failedPercentMax = 5;

const metric = (name: string): string => `AppMetrics\n| where Name == "${name}"`;

/** Gives the alerts, the gravest first. */
export function alertsOf({ apps, leaseSeconds, switchJob }: AlertsArgs): readonly Alert[] {
  return [
    {
      id: "rollback-blocked",
      title: "A rollback does not get through",
      severity: 0,
      windowMinutes: 15,
      runbook: "Rollback blocked",
      means:
        "A rollout ended stranded, or the traffic of one that was aborted cannot be given back: users may be with a revision that was judged bad.",
      query: `AppMetrics
| where (Name == "ballast.rollouts.ended" and tostring(Properties.result) == "stranded") or (Name == "ballast.effects" and tostring(Properties.result) == "failed" and tostring(Properties.phase) in ("reverting", "confirming"))
| summarize seen = sum(ItemCount) by Name, app = tostring(Properties.app)
| where seen >= iff(Name == "ballast.rollouts.ended", 1, ${rollbacksFailedMin})`,
    },
    {
      id: "control-plane-silent",
      title: "The control plane is silent",
      severity: 1,
      windowMinutes: 10,
      runbook: "Lost control plane",
      means: "No replica of the control plane has reported: it is down, or its telemetry does not arrive.",
      query: `${metric("ballast.heartbeat")}\n| summarize reports = count()\n| where reports == 0`,
    },
    {
      id: "journal-unreachable",
      title: "The journal's database does not answer",
      severity: 1,
      windowMinutes: 5,
      runbook: "Lost control plane",
      means: "The control plane lives, and none of its replicas reaches its database: no rollout moves.",
      query: `${metric("ballast.heartbeat")}\n| summarize reached = countif(tostring(Properties["journal"]) == "reachable"), missed = countif(tostring(Properties["journal"]) == "unreachable")\n| where reached == 0 and missed > 0`,
    },
    {
      id: "switch-acted",
      title: "The dead man's switch has acted",
      severity: 1,
      windowMinutes: 15,
      runbook: "Lost control plane",
      means: "There was no heartbeat, and the switch has given an app back to its stable revision, or could not.",
      query: `ContainerAppConsoleLogs\n| where ContainerName == "${switchJob}"\n| where Log has "restored" or Log has "failed"\n| project TimeGenerated, Log`,
    },
    {
      id: "app-failing",
      title: "Users of an app get errors",
      severity: 1,
      windowMinutes: 10,
      runbook: "Failing app",
      means: `More than ${failedPercentMax} percent of an app's requests failed, of ${requestsMin} or more, whichever revision answered and whether a rollout is under way or not.`,
      query: `ContainerAppHTTPLogs
| where ContainerAppName in (${apps.map((app) => `"${app}"`).join(", ")})
| summarize requests = count(), failed = countif(StatusCode >= 500 or StatusCode == 0) by ContainerAppName
| where requests >= ${requestsMin} and failed * 100 > requests * ${failedPercentMax}`,
    },
    {
      id: "effects-failing",
      title: "What rollouts ask of Azure keeps failing",
      severity: 2,
      windowMinutes: 15,
      runbook: "Stuck rollout",
      means:
        "One kind of effect failed again and again: Azure refuses it, does not answer, or rows cannot be read. The rollout waits and tries again.",
      query: `${metric("ballast.effects")}\n| where tostring(Properties.result) == "failed"\n| summarize failed = sum(ItemCount) by effect = tostring(Properties.effect), app = tostring(Properties.app)\n| where failed >= ${effectsFailedMin}`,
    },
    {
      id: "ticks-late",
      title: "Rollouts are looked at too late",
      severity: 2,
      windowMinutes: 15,
      runbook: "Stuck rollout",
      means: `Requests were measured more than ${2 * leaseSeconds} seconds, twice the lease, after the moment at which that was due: the control plane was away, is overloaded, or its database is slow.`,
      query: `${metric("ballast.tick.lag")}\n| summarize lag = max(Max) by app = tostring(Properties.app)\n| where lag > ${2 * leaseSeconds}`,
    },
  ];
}
