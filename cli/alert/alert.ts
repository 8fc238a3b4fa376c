// `ballast alert …`: what is fired, what may be done about it and why not, and what other limits would have done.
import type { Command } from "commander";
import { whyUnfit } from "../../engines/remediation/alerts/alert.ts";
import type { Sighting } from "../../engines/remediation/vocabulary.ts";
import { duration, secondsBetween } from "../../engines/time.ts";
import { usageWrong } from "../../errors/cli.ts";
import { utc } from "../streams/lines.ts";
import { print, printJson, table } from "../terminal.ts";
import { withAlertOptions } from "./alert-options.ts";
import { type AlertOptions, type ReadAlerts, readAlerts } from "./read-alerts.ts";
import { addReplay } from "./replay.ts";

/** Adds the group `alert`. */
export function addAlert(program: Command): void {
  const group = program.command("alert").description("list and explain alerts, and replay them with other limits");
  addList(group);
  addExplain(group);
  addReplay(group);
}

const naming = `
The file of --remediations has what \`remediations\` of ControlPlane has.
Without it, no alert names a declared target.`;

const addList = (group: Command): Command =>
  withAlertOptions(group.command("list"))
    .description("list alerts, with the target that each names and whether it may be acted on")
    .addHelpText(
      "after",
      `${naming}

Examples:
  ballast alert list --subscription 00000000-0000-0000-0000-0000ba11a57e --remediations remediations.json
  ballast alert list --alerts alerts.json --json`,
    )
    .action(async (options: AlertOptions) => {
      const { alerts, refused } = await readAlerts(options);
      if (options.json) return printJson({ alerts: alerts.map(withVerdict), refused });
      const rows = alerts.map((alert) => [
        utc(alert.firedAt),
        alert.rule,
        `Sev${alert.severity}`,
        alert.target ?? "none",
        alert.resolvedAt === null
          ? "fired"
          : `resolved after ${duration(secondsBetween(alert.firedAt, alert.resolvedAt))}`,
        whyNot(alert) ?? "may be acted on",
      ]);
      print(table([["FIRED (UTC)", "RULE", "SEVERITY", "TARGET", "STATE", "ACTION"], ...rows]));
      for (const why of refused) print(`not understood: ${why}`);
    });

const withVerdict = (alert: Sighting) => ({ ...alert, notActedOn: whyNot(alert) ?? null });

/** Says why no action follows from an alert; undefined if one may. */
function whyNot({ kind, target, covered, rule }: Sighting): string | undefined {
  const unfit = whyUnfit(kind);
  if (unfit !== undefined) return `a ${kind} alert is not acted on: ${unfit}`;
  if (target === null) return "it names no declared target, or more than one";
  return covered ? undefined : `no policy of the rule ${rule} names ${target}`;
}

const addExplain = (group: Command): Command =>
  withAlertOptions(group.command("explain").argument("<id>", "id of the alert, or the beginning of it"))
    .description("explain one alert: what it names, which policy covers it, and what is done about it")
    .addHelpText(
      "after",
      `${naming}

Examples:
  ballast alert explain 66114d64 --alerts alerts.json --remediations remediations.json
  ballast alert explain 66114d64 --alerts alerts.json --remediations remediations.json --json`,
    )
    .action(async (id: string, options: AlertOptions) => {
      const found = await readAlerts(options);
      const alert = theOne(found, id);
      const policy = found.declared.policies.find(({ rule }) => rule.toLowerCase() === alert.rule);
      if (options.json) return printJson({ ...withVerdict(alert), policy: policy ?? null });
      print(
        table([
          ["alert", alert.id],
          ["rule", `${alert.rule}, severity ${alert.severity}, ${alert.kind}`],
          ["fired", new Date(alert.firedAt).toISOString()],
          ["resolved", alert.resolvedAt === null ? "not yet" : new Date(alert.resolvedAt).toISOString()],
          ["target", alert.target ?? "none that is declared"],
          ["action", whyNot(alert) ?? (policy?.ladder ?? []).map(({ runbook }) => runbook).join(", then ")],
          ["owner", policy?.owner ?? "none is declared"],
        ]),
      );
    });

function theOne({ alerts }: ReadAlerts, id: string): Sighting {
  const found = alerts.filter((alert) => alert.id.startsWith(id.toLowerCase()));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw usageWrong({ reason: `${found.length} alerts have an id that begins with ${id}.` });
}
