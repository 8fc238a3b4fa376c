// A rollout as lines for people: where it stands, and one fact. Times are counted from its start, as the journal's readers think.

import { type Shown, succeeded, type Told } from "../../client/control-plane.ts";
import { type Balance, ratio } from "../../engines/rollout/judge/judge.ts";
import type { RolloutResult } from "../../engines/rollout/vocabulary.ts";
import { duration, secondsBetween } from "../../engines/time.ts";
import { nameOf } from "../reach.ts";
import { styled, table } from "../terminal.ts";

/** Gives a text in the colour of a result; what is in flight has none. */
export function inColourOf(result: RolloutResult | null, text: string): string {
  if (result === null) return styled("cyan", text);
  return styled(succeeded(result) ? "green" : "red", text);
}

/** Tells where a rollout stands, a line each: its traffic, its phase, its result, why, what is shown so far, and since when. */
export function summary(shown: Shown): string {
  const { percent, result, phase, attempt, sentence, evidence, startedAt, facts } = shown;
  const rows = [
    ["traffic", `canary ${percent} percent, stable ${100 - percent} percent`],
    ["phase", `${phase}${attempt > 1 ? `, attempt ${attempt}` : ""}`],
    ["result", result ?? "in flight"],
    ["why", sentence],
    ...(evidence ? [["evidence", evidenceInWords(evidence)]] : []),
    ["started", `${new Date(startedAt).toISOString()}, ${facts} facts in its journal`],
  ];
  return `${styled("bold", nameOf(shown))}\n${table(rows, (text, row, column) => (column === 0 ? styled("dim", `  ${text}`) : row === 2 ? inColourOf(result, text) : text))}`;
}

/** Tells how much of the evidence for either verdict is there. */
const evidenceInWords = ({ against, againstMax, favour, favourMin }: Balance): string =>
  `${odds(against)} against of the ${odds(againstMax)} that rolls back${favour === null ? "" : `; ${odds(favour)} in favour of the ${odds(favourMin)} that promotes`}`;
const odds = (times: number): string => ratio(Math.log(times));

/** Tells one fact: when, what, and its words. */
export const toldLine = ({ at, kind, text }: Pick<Told, "at" | "kind" | "text">, startedAt: number): string =>
  `${styled("dim", duration(secondsBetween(startedAt, at)).padStart(8))}  ${styled(styleOf(kind), kind.padEnd(15))} ${text}`;

/** Decisions stand out; what the world merely said is dim. */
function styleOf(kind: string): "bold" | "dim" | "red" {
  if (kind === "Aborted" || kind === "AttemptFailed" || kind === "TrafficDrifted") return "red";
  return [
    "Inspected",
    "TrafficShifted",
    "TrafficRead",
    "Measured",
    "Probed",
    "Activated",
    "Deactivated",
    "Disregarded",
  ].includes(kind)
    ? "dim"
    : "bold";
}
