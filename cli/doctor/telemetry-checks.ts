// Whether what the control plane reports of itself arrives, since the alerts that wake somebody are made of it: a heartbeat comes each minute, and one that
// stays away is an alert that fires, or one that never will. Asks, and changes nothing.
import { doctorTelemetrySilent } from "../../errors/doctor.ts";
import type { Patient } from "./context.ts";
import { type Check, failed, ok, type Said, unknown } from "./finding.ts";
import { nameOf } from "./stack.ts";
import { wordsOf } from "./subscription-checks.ts";

/** A report a minute, and the minutes that rows may take. */
const silentMinutes = 10;
/** So old a control plane is when its first report must have come: a new right to publish may take minutes to count. */
const settledMinutes = 15;

const heartbeats = `AppMetrics
| where TimeGenerated > ago(1d) and Name == "ballast.heartbeat"
| summarize reports = count(), newest = max(TimeGenerated)
| project reports, minutesAgo = (now() - newest) / 1m`;

async function arrives({ ask, query, stack: { plane, insights } }: Patient): Promise<Said> {
  if (insights === undefined) return ok("none is sent, as the program has it");
  const [component, app] = await Promise.all([ask("GET", insights, "2020-02-02"), ask("GET", plane, "2025-07-01")]);
  for (const [id, answer] of [
    [insights, component],
    [plane, app],
  ] as const) {
    if (answer.status !== 200)
      return unknown(
        answer.status === 404 ? `${nameOf(id)} is not there yet: \`pulumi up\` makes it` : wordsOf(answer),
      );
  }
  const workspace = await ask("GET", component.body.properties.WorkspaceResourceId, "2023-09-01");
  if (workspace.status !== 200) return unknown(wordsOf(workspace));
  const answer = await query(workspace.body.properties.customerId, heartbeats);
  if (answer.status !== 200) return unknown(`telemetry cannot be read: ${wordsOf(answer)}`);
  const [reports, minutesAgo] = answer.body.tables[0].rows[0] as readonly [number, number | null];
  const age = (Date.now() - Date.parse(app.body.systemData?.createdAt)) / 60_000;
  if (reports > 0 && minutesAgo !== null && minutesAgo < silentMinutes)
    return ok(`the control plane's last report came ${Math.round(minutesAgo * 60)} s ago`);
  if (age < settledMinutes)
    return unknown(`no report has come of late, of a control plane that is ${Math.floor(age)} minutes old`);
  return failed(
    doctorTelemetrySilent({
      insights: nameOf(insights),
      what:
        reports > 0 && minutesAgo !== null
          ? `the last report of the control plane came ${Math.round(minutesAgo)} minutes ago`
          : "the control plane has not reported for a day",
    }),
  );
}

/** The check of telemetry. */
export const telemetryChecks: readonly Check<Patient>[] = [{ name: "telemetry", run: arrives }];
