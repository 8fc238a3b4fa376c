// The symptom of a target as request rows show it: how many requests of an app, or of the apps that depend on a server
// or a vault, ended since a moment, and how many of them failed. Rows that may still be on their way are left to the
// next look. The same rows say how much of the error budget of a whole period is left.
import type { Result } from "../../../engines/engine.ts";
import type { Remediations } from "../../../engines/remediation/declaration.ts";
import { badRequest, budgetLeft, type Objective } from "../../../engines/remediation/objectives/objective.ts";
import { appsShowing } from "../../../engines/remediation/targets.ts";
import type { Rows } from "../../../engines/remediation/vocabulary.ts";
import { after, type Instant } from "../../../engines/time.ts";
import type { Symptoms } from "../../performers/remediation-ports.ts";
import type { Connection } from "./connection.ts";
import { queryLogs } from "./log-table.ts";
import { ask, failureOf, type Patience } from "./trouble.ts";

/** Opens the symptoms of the apps of an environment. */
export const createSymptoms = (
  { logs }: Pick<Connection, "logs">,
  patience: Patience,
  workspace: string,
  ingestionSeconds: number,
  { objectives, targets }: Pick<Remediations, "objectives" | "targets">,
): Symptoms => ({
  rows: async ({ target, measure, from }, now, cancel) => {
    if (measure !== "requests") return { ok: false, reason: `this control plane does not measure ${measure}` };
    const apps = appsShowing(target, targets);
    if (apps.length === 0) return { ok: false, reason: `no declared app depends on ${target}` };
    const to = now - ingestionSeconds * 1000;
    if (to <= from) return { ok: true, value: { samples: 0, bad: 0, to: from } };
    const query = failedRequestsQuery(apps, from, to);
    const answered = await queryLogs({ logs, patience, workspace }, { query, from, to }, cancel);
    if (!answered.ok) return failureOf(`request rows cannot be read: ${answered.reason}`, answered.trouble);
    if (answered.value.status !== "Success")
      return { ok: false, reason: `the request rows are incomplete: ${answered.value.partialError.code}` };
    return countsIn(answered.value.tables[0]?.rows[0], to);
  },
  budgetLeftPercent: budgetsOf(logs, patience, workspace, objectives),
});

/** A period of weeks changes little within this time, and its query reads many rows. */
const budgetSeconds = 300;

/** Gives what is left of the tightest error budget of a target. Without an objective it has its whole budget. */
function budgetsOf(
  logs: Connection["logs"],
  patience: Patience,
  workspace: string,
  objectives: readonly Objective[],
): Symptoms["budgetLeftPercent"] {
  const kept = new Map<string, { readonly at: Instant; readonly left: number }>();
  return async (target, now, cancel) => {
    const known = kept.get(target);
    if (known !== undefined && now < after(known.at, budgetSeconds)) return { ok: true, value: known.left };
    let left = 100;
    for (const objective of objectives.filter((each) => each.target === target)) {
      const from = after(now, -objective.periodDays * 86_400);
      const answered = await ask(patience, cancel, () =>
        logs.queryWorkspace(workspace, requestsQuery([target], from, now, badRequest(objective)), {
          startTime: new Date(from),
          endTime: new Date(now),
        }),
      );
      if (!answered.ok) return { ok: false, reason: `the error budget cannot be computed: ${answered.reason}` };
      if (answered.value.status !== "Success") return { ok: false, reason: "the rows of the period are incomplete" };
      const rows = countsIn(answered.value.tables[0]?.rows[0], now);
      const own = rows.ok ? budgetLeft(objective, rows.value) : null;
      if (own === null) return { ok: false, reason: "no request of the period was logged, so the budget is unknown" };
      left = Math.min(left, own);
    }
    kept.set(target, { at: now, left });
    return { ok: true, value: left };
  };
}

function countsIn(row: readonly unknown[] | undefined, to: Instant): Result<Rows> {
  const [samples, bad] = (row ?? []).map(Number);
  return samples === undefined || bad === undefined || Number.isNaN(samples + bad)
    ? { ok: false, reason: "the request rows have no counts" }
    : { ok: true, value: { samples, bad, to } };
}

/** Writes the query. Names of apps are inserted as literals. Requests to a revision's own address are our probes. */
export const failedRequestsQuery = (apps: readonly string[], from: Instant, to: Instant): string =>
  requestsQuery(apps, from, to, "StatusCode >= 500 or StatusCode < 100 or isnull(StatusCode)");

const requestsQuery = (apps: readonly string[], from: Instant, to: Instant, bad: string): string =>
  [...requestsOf(apps, from, to), `summarize samples = count(), bad = countif(${bad})`].join("\n| ");

/** Writes the lines of a query that choose the requests of apps within a span. */
export function requestsOf(apps: readonly string[], from: Instant, to: Instant): readonly string[] {
  const names = apps.map((app) => app.split("/").at(-1) ?? "");
  const own = names.map((app) => `Authority !startswith ${JSON.stringify(`${app}--`)}`);
  const at = (moment: Instant): string => `datetime(${new Date(moment).toISOString()})`;
  return [
    "ContainerAppHTTPLogs",
    `where ContainerAppName in (${names.map((app) => JSON.stringify(app)).join(", ")}) and ${own.join(" and ")}`,
    `where TimeGenerated >= ${at(from)} and TimeGenerated < ${at(to)}`,
  ];
}
