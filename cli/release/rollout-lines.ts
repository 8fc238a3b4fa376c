// A rollout as lines for people: its present state, and single facts. Times count from the rollout's start.
import { type RolloutSummary, succeeded } from "../../client/control-plane.ts";
import type { FollowedFact } from "../../client/follow.ts";
import { type Balance, ratio } from "../../engines/rollout/judge/judge.ts";
import type { RolloutResult } from "../../engines/rollout/vocabulary.ts";
import { duration, secondsBetween } from "../../engines/time.ts";
import { nameOf } from "../reach.ts";
import { styled, table } from "../terminal.ts";

/** Colours a text by a result: green for success, red for failure, cyan while in progress. */
export function inColourOf(result: RolloutResult | null, text: string): string {
  if (result === null) return styled("cyan", text);
  return styled(succeeded(result) ? "green" : "red", text);
}

/** Describes a rollout's state, one line each for traffic, phase, result, reason, evidence and start. */
export function summary(rollout: RolloutSummary): string {
  const { percent, result, phase, attempt, message, evidence, startedAt, facts } = rollout;
  const rows = [
    ["traffic", `canary ${percent} %, stable ${100 - percent} %`],
    ["phase", `${phase}${attempt > 1 ? `, attempt ${attempt}` : ""}`],
    ["result", result ?? "in progress"],
    ["why", message],
    ...(evidence ? [["evidence", evidenceLine(evidence)]] : []),
    ["started", `${new Date(startedAt).toISOString()}, ${facts} facts in the journal`],
  ];
  const style = (text: string, row: number, column: number): string => {
    if (column === 0) return styled("dim", `  ${text}`);
    return row === 2 ? inColourOf(result, text) : text;
  };
  return `${styled("bold", nameOf(rollout))}\n${table(rows, style)}`;
}

/** Compares the odds collected so far with those that decide, as `20 : 1`. */
function evidenceLine({ against, againstMax, favour, favourMin }: Balance): string {
  const negative = `against the canary ${odds(against)}, rolls back at ${odds(againstMax)}`;
  return favour === null ? negative : `${negative}; in its favour ${odds(favour)}, promotes at ${odds(favourMin)}`;
}

const odds = (times: number): string => ratio(Math.log(times));

/** Gives one fact as a line: when, what kind, and its message. */
export function factLine(
  { at, kind, message }: Pick<FollowedFact, "at" | "kind" | "message">,
  startedAt: number,
): string {
  const time = duration(secondsBetween(startedAt, at)).padStart(8);
  return `${styled("dim", time)}  ${styled(styleOf(kind), kind.padEnd(15))} ${message}`;
}

const observations = [
  "Inspected",
  "TrafficShifted",
  "TrafficRead",
  "Measured",
  "Probed",
  "Activated",
  "Deactivated",
  "Disregarded",
];

/** Decisions are bold, failures red, and observations dim. */
function styleOf(kind: string): "bold" | "dim" | "red" {
  if (kind === "Aborted" || kind === "AttemptFailed" || kind === "TrafficDrifted") return "red";
  return observations.includes(kind) ? "dim" : "bold";
}
