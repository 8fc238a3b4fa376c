// `ballast remediation …`: what the group of commands about remediations shows, and the signals that it sends.
import { type RemediationTypes, remediations } from "../../client/remediations.ts";
import { replay } from "../../engines/remediation/remediation.ts";
import { personalSignalNames, personalSignals } from "../../engines/remediation/signals.ts";
import type { RemediationSummary } from "../../engines/remediation/summary.ts";
import { many } from "../../engines/wording.ts";
import { utc } from "../streams/lines.ts";
import type { SignalCommand, Work } from "../streams/work.ts";
import { addDrill } from "./drill.ts";
import { ofAll, standingOf } from "./pause.ts";

const signals: readonly SignalCommand<RemediationTypes["signal"]>[] = personalSignalNames.map((signal) => ({
  signal,
  ...personalSignals[signal],
  ...(ofAll[signal] === undefined ? {} : { ofAll: ofAll[signal] }),
}));

/** Remediations, as the command line shows them. */
export const remediation: Work<RemediationTypes> = {
  command: "remediation",
  description: "inspect, follow, approve and drill what is done about alerts",
  streams: remediations,
  exampleNames: ["66114d64-d9d9-478b-95c9-b789d6502100", "app/shop/web/66114d64-d9d9-478b-95c9-b789d6502100"],
  filters: [
    { filter: "target", selects: "of this target, by its name", example: "web" },
    { filter: "resourceGroup", selects: "in this resource group", example: "shop" },
  ],
  columns: [
    { head: "TARGET", textOf: ({ target }) => target },
    { head: "RULE", textOf: ({ rule }) => rule },
    { head: "RESULT", textOf: ({ result, paused, phase }) => result ?? (paused ? "paused" : phase) },
    { head: "STARTED (UTC)", textOf: ({ startedAt }) => utc(startedAt) },
    { head: "WHY", textOf: ({ message }) => message },
    { head: "INCIDENT", textOf: ({ id }) => id.slice(id.lastIndexOf("/") + 1) },
  ],
  shown: "target, runbook, result and reason",
  rowsOf,
  failures: ["PersonCalled", "PersonTold", "AttemptFailed", "HaltBegun", "UndoBegun"],
  observations: ["PolicyLoaded", "Assessed", "Guarded", "Acted", "Followed", "Halted", "Measured", "Disregarded"],
  unexplained: ["Waited"],
  isSuccess: (result) => result === "repaired" || result === "self-healed" || result === "drilled",
  successMeans: "the incident was repaired or healed by itself, or the drill went through",
  signals,
  replay,
  standingOf,
  addOwn: addDrill,
};

function rowsOf(summary: RemediationSummary): readonly (readonly [string, string])[] {
  const { target, rule, severity, origin, owner, runbook, actions, result, message, startedAt, facts } = summary;
  return [
    ["target", target],
    ["rule", `${rule}, severity ${severity}, from ${origin === "alert" ? "an alert" : `a ${origin}`}`],
    ["owner", owner ?? "not known yet"],
    ["runbook", runbook ?? "none"],
    ["actions", String(actions)],
    ["result", result ?? "in progress"],
    ["why", message],
    ["started", `${new Date(startedAt).toISOString()}, ${many(facts, "fact")} in the journal`],
  ];
}
