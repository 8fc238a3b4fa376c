// The symptom of an app as its request rows show it: how many requests ended since a moment, and how many of them
// failed. Rows that may still be on their way are left to the next look.
import type { Result } from "../../../engines/engine.ts";
import type { Rows } from "../../../engines/remediation/vocabulary.ts";
import type { Instant } from "../../../engines/time.ts";
import type { Symptoms } from "../../performers/remediation-ports.ts";
import type { Connection } from "./connection.ts";
import { ask, failureOf, type Patience } from "./trouble.ts";

/** Opens the symptoms of the apps of an environment. */
export const createSymptoms = (
  { logs }: Pick<Connection, "logs">,
  patience: Patience,
  workspace: string,
  ingestionSeconds: number,
): Symptoms => ({
  rows: async ({ target, measure, from }, now, cancel) => {
    if (measure !== "requests") return { ok: false, reason: `this control plane does not measure ${measure}` };
    const to = now - ingestionSeconds * 1000;
    if (to <= from) return { ok: true, value: { samples: 0, bad: 0, to: from } };
    const answered = await ask(patience, cancel, () =>
      logs.queryWorkspace(
        workspace,
        failedRequestsQuery(target, from, to),
        { startTime: new Date(from), endTime: new Date(to) },
        { serverTimeoutInSeconds: Math.ceil(patience.requestSeconds) },
      ),
    );
    if (!answered.ok) return failureOf(`request rows cannot be read: ${answered.reason}`, answered.trouble);
    if (answered.value.status !== "Success")
      return { ok: false, reason: `the request rows are incomplete: ${answered.value.partialError.code}` };
    return countsIn(answered.value.tables[0]?.rows[0], to);
  },
  // No objective is declared for any app yet, so each has its whole budget.
  budgetLeftPercent: async () => ({ ok: true, value: 100 }),
});

function countsIn(row: readonly unknown[] | undefined, to: Instant): Result<Rows> {
  const [samples, bad] = (row ?? []).map(Number);
  return samples === undefined || bad === undefined || Number.isNaN(samples + bad)
    ? { ok: false, reason: "the request rows have no counts" }
    : { ok: true, value: { samples, bad, to } };
}

/** Writes the query. An app's name is inserted as a literal. Requests to a revision's own address are our probes. */
export function failedRequestsQuery(target: string, from: Instant, to: Instant): string {
  const app = target.split("/").at(-1) ?? "";
  const at = (moment: Instant): string => `datetime(${new Date(moment).toISOString()})`;
  return [
    "ContainerAppHTTPLogs",
    `where ContainerAppName == ${JSON.stringify(app)} and Authority !startswith ${JSON.stringify(`${app}--`)}`,
    `where TimeGenerated >= ${at(from)} and TimeGenerated < ${at(to)}`,
    "summarize samples = count(), bad = countif(StatusCode >= 500 or StatusCode < 100 or isnull(StatusCode))",
  ].join("\n| ");
}
