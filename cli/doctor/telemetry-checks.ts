// Checks whether the control plane's telemetry arrives. Alerts depend on it: the control plane reports a heartbeat
// every minute, and one that stays away either fires an alert or shows that no alert can ever fire.
import { many } from "../../engines/wording.ts";
import { doctorTelemetrySilent } from "../../errors/doctor.ts";
import { messageOf } from "./azure-answer.ts";
import type { Context } from "./context.ts";
import { type Check, type CheckResult, failed, ok, unknown } from "./finding.ts";
import { groupOf, nameOf } from "./stack.ts";

/** Reports come every minute, and rows take some minutes to arrive. */
const silentMinutes = 10;
/** By this age a control plane must have reported. Before that, a new role assignment may not be effective yet. */
const settledMinutes = 15;

const heartbeats = `AppMetrics
| where TimeGenerated > ago(1d) and Name == "ballast.heartbeat"
| summarize reports = count(), newest = max(TimeGenerated)
| project reports, minutesAgo = (now() - newest) / 1m`;

async function arrives({ ask, query, stack: { plane, insights } }: Context): Promise<CheckResult> {
  if (insights === undefined) return ok("the control plane is deployed without telemetry");
  const [component, app] = await Promise.all([ask("GET", insights, "2020-02-02"), ask("GET", plane, "2025-07-01")]);
  for (const [id, answer] of [
    [insights, component],
    [plane, app],
  ] as const) {
    if (answer.status !== 200)
      return unknown(
        answer.status === 404 ? `${nameOf(id)} does not exist yet: \`pulumi up\` creates it` : messageOf(answer),
      );
  }
  const workspace = await ask("GET", component.body.properties.WorkspaceResourceId, "2023-09-01");
  if (workspace.status !== 200) return unknown(messageOf(workspace));
  const answer = await query(workspace.body.properties.customerId, heartbeats);
  if (answer.status !== 200) return unknown(`telemetry cannot be read: ${messageOf(answer)}`);
  const [reports, minutesAgo] = answer.body.tables[0].rows[0] as readonly [number, number | null];
  const age = (Date.now() - Date.parse(app.body.systemData?.createdAt)) / 60_000;
  if (reports > 0 && minutesAgo !== null && minutesAgo < silentMinutes)
    return ok(
      `the control plane's last report arrived ${Math.round(minutesAgo * 60)} s ago${await codesOf(ask, insights)}`,
    );
  if (age < settledMinutes)
    return unknown(`no recent report, but the control plane is only ${many(Math.floor(age), "minute")} old`);
  return failed(
    doctorTelemetrySilent({
      insights: nameOf(insights),
      what:
        reports > 0 && minutesAgo !== null
          ? `the control plane's last report arrived ${many(Math.round(minutesAgo), "minute")} ago`
          : "no report of the control plane arrived in the last day",
    }),
  );
}

/** Says what no API of Azure shows of the addresses that get alerts: whether their owners have confirmed them. */
async function codesOf(ask: Context["ask"], insights: string): Promise<string> {
  const groups = await ask(
    "GET",
    `${groupOf(insights)}/providers/Microsoft.Insights/actionGroups`,
    "2024-10-01-preview",
  );
  const listed = groups.status === 200 ? (groups.body.value as readonly { readonly properties: Receivers }[]) : [];
  const addresses = listed.flatMap(({ properties }) =>
    (properties.emailReceivers ?? []).map(({ emailAddress }) => emailAddress),
  );
  if (addresses.length === 0) return "";
  return (
    `; ${[...new Set(addresses)].join(", ")} get alerts only if the one-time code of each was entered, ` +
    "which Azure does not show"
  );
}

interface Receivers {
  readonly emailReceivers?: readonly { readonly emailAddress: string }[];
}

/** The check of telemetry. */
export const telemetryChecks: readonly Check<Context>[] = [{ name: "telemetry", run: arrives }];
