// `ballast alert replay`: decides past alerts with other limits, and prints what would have been done. Nothing is
// started or changed.
import type { Command } from "commander";
import { type Foresight, type Rehearsed, rehearse } from "../../engines/remediation/rehearse.ts";
import { changesWorld } from "../../engines/remediation/runbooks.ts";
import type { RunbookName } from "../../engines/remediation/vocabulary.ts";
import { utc } from "../streams/lines.ts";
import { print, printJson, table } from "../terminal.ts";
import { withAlertOptions } from "./alert-options.ts";
import { type AlertOptions, readAlerts, readDeclared } from "./read-alerts.ts";

/** Adds the command `replay` to the group `alert`. */
export const addReplay = (group: Command): Command =>
  withAlertOptions(group.command("replay"))
    .description("decide past alerts with other limits, and print what would have been done")
    .option("--beside <file>", "another declaration; only what it decides differently is printed")
    .addHelpText(
      "after",
      `
The guards decide in the order of the alerts' own times. What an action would have changed was not observed: it counts
as having worked if the alert resolved after it, and every runbook counts as fitting. Rollouts and error budgets of that
time are not known, so no guard holds because of them.

Examples:
  ballast alert replay --alerts alerts.json --remediations remediations.json
  ballast alert replay --alerts alerts.json --remediations stricter.json --beside remediations.json --json`,
    )
    .action(async (options: AlertOptions & { readonly beside?: string }) => {
      const { alerts, declared } = await readAlerts(options);
      const now = rehearse(alerts, declared, resolved).map(outcomeOf);
      const other = options.beside === undefined ? undefined : readDeclared(options.beside);
      const before = other && rehearse(alerts, other, resolved).map(outcomeOf);
      const shown = before === undefined ? now : differing(now, before);
      if (options.json) return printJson({ alerts: alerts.length, decided: now.length, outcomes: shown });
      print(table([["FIRED (UTC)", "RULE", "TARGET", "DONE", "RESULT", "WHY"], ...shown.map(rowOf)]));
      print(`${now.length} of ${alerts.length} alerts would have led to a remediation, ${actionsOf(now)} to an action`);
      if (before !== undefined) print(`${shown.length} are decided differently`);
    });

/** An action counts as having worked if its alert resolved after it. */
const resolved: Foresight = ({ alert: { resolvedAt }, at }) =>
  resolvedAt !== null && resolvedAt >= at ? "worked" : "did-not";

/** What would have been done about one alert. */
interface Outcome {
  readonly id: string;
  readonly firedAt: number;
  readonly rule: string;
  readonly target: string;
  readonly actions: readonly RunbookName[];
  readonly result: string;
  readonly reason: string;
  readonly message: string;
}

function outcomeOf({ alert: { id, firedAt, rule, target }, facts }: Rehearsed): Outcome {
  const last = facts.at(-1);
  const { result, reason, message } =
    last?.kind === "Finished" ? last : { result: "in progress", reason: "", message: "it would still wait" };
  const actions = facts.flatMap((fact) => (fact.kind === "Cleared" ? [fact.runbook] : []));
  return { id, firedAt, rule, target: target ?? "", actions, result, reason, message };
}

const actionsOf = (outcomes: readonly Outcome[]): number =>
  outcomes.filter(({ actions }) => actions.some(changesWorld)).length;

/** Gives the outcomes that are not the same in the other list. */
const differing = (outcomes: readonly Outcome[], others: readonly Outcome[]): readonly Outcome[] =>
  outcomes.filter((outcome) => {
    const other = others.find(({ id }) => id === outcome.id);
    const essence = ({ actions, result, reason }: Outcome): string => JSON.stringify([actions, result, reason]);
    return other === undefined || essence(outcome) !== essence(other);
  });

const rowOf = ({ firedAt, rule, target, actions, result, message }: Outcome): readonly string[] => [
  utc(firedAt),
  rule,
  target,
  actions.join(", ") || "nothing",
  result,
  message,
];
