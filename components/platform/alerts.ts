// Ballast's own alerts. Each is a query on the environment's workspace that returns rows only in one situation, so
// that every alert rule is the same: it fires on any row. They are plain data: `Telemetry` declares a rule for
// each, and tests run the queries as they are.

/** What the alerts depend on. */
export interface AlertsArgs {
  /** The names of the apps whose failed requests raise an alert. */
  readonly apps: readonly string[];
  /** The control plane's lease in seconds. A rollout is at most this late when another replica recovers it. */
  readonly leaseSeconds: number;
  /** The name of the dead man's switch's job. */
  readonly switchJob: string;
}

/** One alert. */
export interface Alert {
  readonly id: string;
  readonly title: string;
  /** What it means when the alert fires. */
  readonly means: string;
  /** The chapter of docs/guides/runbooks.md. */
  readonly runbook: string;
  /** 0 critical, 1 error, 2 warning. */
  readonly severity: 0 | 1 | 2;
  /** How far back the query looks: longer than rows take to arrive. */
  readonly windowMinutes: 5 | 10 | 15;
  /** The query, in KQL. It returns rows in the situation and none otherwise. */
  readonly query: string;
  /**
   * The column that names the app. Each of its values has an alert of its own: without it, nobody is told of a second
   * app while the alert is fired for the first. Payloads hold no rows, so the app is named in no other place.
   */
  readonly dimension?: "ContainerAppName" | "app";
}

/** Returns the alerts, the most severe first. */
export const alertsOf = ({ apps, leaseSeconds, switchJob }: AlertsArgs): readonly Alert[] => [
  rollbackBlocked,
  controlPlaneSilent,
  journalUnreachable,
  rolloutStuck,
  switchActed(switchJob),
  appFailing(apps),
  effectsFailing,
  intervalsLate(leaseSeconds),
];

/** Fewer failures of an effect in a window are what retries are for. */
const effectsFailedMin = 5;
const rollbacksFailedMin = 3;
/** Below this number of requests a failure percentage says little about a service. */
const requestsMin = 100;
const failedPercentMax = 5;

/** Joins the lines of a query. */
const kql = (...lines: readonly string[]): string => lines.join("\n| ");
const metric = (name: string): string => kql("AppMetrics", `where Name == "${name}"`);
const property = (name: string): string => `tostring(Properties.${name})`;
const app = `app = ${property("app")}`;

const rollbackBlocked: Alert = {
  id: "rollback-blocked",
  title: "A rollback cannot be carried out",
  severity: 0,
  windowMinutes: 15,
  runbook: "Rollback blocked",
  means:
    "A rollout ended degraded, or the traffic of an aborted rollout cannot be returned to stable: " +
    "users may still get a revision that was judged bad.",
  query: kql(
    "AppMetrics",
    `where (Name == "ballast.rollouts.ended" and ${property("result")} == "degraded") or ` +
      `(Name == "ballast.effects" and ${property("result")} == "failed" and ` +
      `${property("phase")} in ("reverting", "confirming"))`,
    `summarize seen = sum(ItemCount) by Name, ${app}`,
    `where seen >= iff(Name == "ballast.rollouts.ended", 1, ${rollbacksFailedMin})`,
  ),
  dimension: "app",
};

const controlPlaneSilent: Alert = {
  id: "control-plane-silent",
  title: "The control plane is silent",
  severity: 1,
  windowMinutes: 10,
  runbook: "Lost control plane",
  means: "No replica of the control plane has reported: it is down, or its telemetry does not arrive.",
  query: kql(metric("ballast.heartbeat"), "summarize reports = count()", "where reports == 0"),
};

const journalUnreachable: Alert = {
  id: "journal-unreachable",
  title: "The journal's database does not answer",
  severity: 1,
  windowMinutes: 5,
  runbook: "Lost control plane",
  means: "The control plane runs, but none of its replicas can reach its database: no rollout progresses.",
  query: kql(
    metric("ballast.heartbeat"),
    'summarize reached = countif(tostring(Properties["journal"]) == "reachable"), ' +
      'missed = countif(tostring(Properties["journal"]) == "unreachable")',
    "where reached == 0 and missed > 0",
  ),
};

const rolloutStuck: Alert = {
  id: "rollout-stuck",
  title: "A rollout stands still for good",
  severity: 1,
  windowMinutes: 10,
  runbook: "Stuck rollout",
  means:
    "A rollout's journal cannot be read, or the engine fails on it: it keeps its traffic as it is until a version " +
    "runs that can go on. All others go on.",
  query: kql(
    metric("ballast.rollouts.under_way"),
    `where ${property("phase")} == "stuck"`,
    "summarize stuck = max(Max)",
    "where stuck > 0",
  ),
};

const switchActed = (job: string): Alert => ({
  id: "switch-acted",
  title: "The dead man's switch has acted",
  severity: 1,
  windowMinutes: 15,
  runbook: "Lost control plane",
  means:
    "There was no heartbeat, and the dead man's switch has returned an app's traffic to its stable revision, " +
    "or has failed to do so.",
  query: kql(
    "ContainerAppConsoleLogs",
    `where ContainerName == "${job}"`,
    'where Log has "restored" or Log has "failed"',
    "project TimeGenerated, Log",
  ),
});

const appFailing = (apps: readonly string[]): Alert => ({
  id: "app-failing",
  title: "Users of an app get errors",
  severity: 1,
  windowMinutes: 10,
  runbook: "Failing app",
  means:
    `An app had ${requestsMin} or more requests, and more than ${failedPercentMax} percent of them failed. ` +
    "All revisions count, with or without a rollout in flight.",
  query: kql(
    "ContainerAppHTTPLogs",
    `where ContainerAppName in (${apps.map((name) => `"${name}"`).join(", ")})`,
    "summarize requests = count(), failed = countif(StatusCode >= 500 or StatusCode == 0) by ContainerAppName",
    `where requests >= ${requestsMin} and failed * 100 > requests * ${failedPercentMax}`,
  ),
  dimension: "ContainerAppName",
});

const effectsFailing: Alert = {
  id: "effects-failing",
  title: "Effects of a rollout keep failing",
  severity: 2,
  windowMinutes: 15,
  runbook: "Stuck rollout",
  means:
    "One kind of effect (a call that a rollout makes) failed repeatedly: Azure refuses it, does not answer, or " +
    "request rows cannot be read. The rollout waits and retries.",
  query: kql(
    metric("ballast.effects"),
    `where ${property("result")} == "failed"`,
    `summarize failed = sum(ItemCount) by effect = ${property("effect")}, ${app}`,
    `where failed >= ${effectsFailedMin}`,
  ),
  dimension: "app",
};

const intervalsLate = (leaseSeconds: number): Alert => ({
  id: "intervals-late",
  title: "Rollouts are measured too late",
  severity: 2,
  windowMinutes: 15,
  runbook: "Stuck rollout",
  means:
    `A measurement was more than ${2 * leaseSeconds} seconds late, twice the lease: ` +
    "the control plane was down, is overloaded, or its database is slow.",
  query: kql(metric("ballast.interval.lag"), `summarize lag = max(Max) by ${app}`, `where lag > ${2 * leaseSeconds}`),
  dimension: "app",
});
