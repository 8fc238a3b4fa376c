// The alerts over three days, which no rule of Azure Monitor can evaluate: hourly counts of request rows, and the
// engine that reads alerts from them. What cannot be read changes nothing: an alert that was fired stays fired.
import { createHash } from "node:crypto";
import type { Result } from "../../../engines/engine.ts";
import { ticketWindow } from "../../../engines/remediation/objectives/burn-alerts.ts";
import { badRequest, type Objective } from "../../../engines/remediation/objectives/objective.ts";
import { type Hour, historySeconds, ticketsOf } from "../../../engines/remediation/objectives/ticket.ts";
import { mostSevereFirst } from "../../../engines/remediation/sightings.ts";
import type { Policy, Sighting } from "../../../engines/remediation/vocabulary.ts";
import { after, type Instant } from "../../../engines/time.ts";
import type { Alerts } from "../../performers/remediation-ports.ts";
import { type Logs, readLog } from "./log-table.ts";
import { requestsOf } from "./symptoms.ts";

/** Hours change slowly, and a query over 30 days reads many rows. */
const keptSeconds = 900;
/** The other alerts wait for the query, so one that fails is not asked again at once. */
const restSeconds = 300;

/** What the alerts over three days are computed from. */
export interface TicketsSetting extends Logs {
  readonly objectives: readonly Objective[];
  readonly policies: readonly Policy[];
  readonly now: () => Instant;
  readonly log: (message: string) => void;
}

/** Adds the alerts of objectives to those of Azure Monitor. */
export function withTickets(alerts: Alerts, setting: TicketsSetting): Alerts {
  const computed = setting.objectives
    .filter(({ ticket }) => ticket !== undefined)
    .map((each) => keeping(setting, each));
  if (computed.length === 0) return alerts;
  return {
    list: async (since, cancel) => {
      const [listed, ...added] = await Promise.all([
        alerts.list(since, cancel),
        ...computed.map((tickets) => tickets(cancel)),
      ]);
      if (!listed.ok) return listed;
      const own = added
        .flatMap((each) => each ?? [])
        .filter(({ resolvedAt }) => resolvedAt === null || resolvedAt >= since);
      return {
        ok: true,
        value: {
          alerts: mostSevereFirst([...listed.value.alerts, ...own]),
          leftOut: listed.value.leftOut + added.filter((each) => each === undefined).length,
        },
      };
    },
  };
}

/** Gives the alerts of one objective, the last known ones while rows cannot be read; undefined if there are none. */
function keeping(setting: TicketsSetting, objective: Objective) {
  let kept: readonly Sighting[] | undefined;
  let nextAt = Number.NEGATIVE_INFINITY;
  let trouble: string | undefined;
  return async (cancel: AbortSignal): Promise<readonly Sighting[] | undefined> => {
    const now = setting.now();
    if (now < nextAt) return kept;
    const hours = await readHours(setting, objective, now, cancel);
    if (!hours.ok && cancel.aborted) return kept;
    nextAt = after(now, hours.ok ? keptSeconds : restSeconds);
    const reason = hours.ok ? undefined : hours.reason;
    if (reason !== undefined && reason !== trouble)
      setting.log(`the alert ${objective.ticket} stays as it was last known: ${reason}`);
    trouble = reason;
    if (!hours.ok) return kept;
    kept = ticketsOf(objective, hours.value, now).map(({ key, firedAt, resolvedAt }) => ({
      id: idOf(key),
      kind: "objective",
      rule: objective.ticket!.toLowerCase(),
      severity: ticketWindow.severity,
      target: objective.target,
      covered: setting.policies.some(
        ({ rule, targets }) => rule === objective.ticket!.toLowerCase() && targets.includes(objective.target),
      ),
      firedAt,
      resolvedAt,
    }));
    return kept;
  };
}

/** Gives an id of the form that Azure's have, so that a remediation is named alike. */
function idOf(key: string): string {
  const hex = createHash("sha256").update(key).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

async function readHours(
  logs: Logs,
  objective: Objective,
  now: Instant,
  cancel: AbortSignal,
): Promise<Result<readonly Hour[]>> {
  const from = after(now, -historySeconds);
  const query = [
    ...requestsOf([objective.target], from, now),
    `summarize requests = count(), bad = countif(${badRequest(objective)}) by hour = bin(TimeGenerated, 1h)`,
    "order by hour asc",
  ].join("\n| ");
  const read = await readLog(logs, "requests", { query, from, to: now }, ["hour", "requests", "bad"], cancel);
  if (!read.ok) return read;
  const hours = read.value.map(([hour, requests, bad]) => ({
    at: new Date(hour as Date).getTime(),
    requests: Number(requests),
    bad: Number(bad),
  }));
  return hours.some(({ at, requests, bad }) => Number.isNaN(at + requests + bad))
    ? { ok: false, reason: "the hours of the request rows have no counts" }
    : { ok: true, value: hours };
}
