// The plan of a rollout → the section that shows its strategy and thresholds as they were asked for.
import { plan } from "../../engines/rollout/plan.ts";
import type { ReleaseIntent } from "../../engines/rollout/vocabulary.ts";
import { duration } from "../../engines/time.ts";
import { many } from "../../engines/wording.ts";
import type { Section } from "../content.ts";
import { table } from "../table.ts";

type Row = readonly [name: string, value: string, meaning: string];

/** Makes the section of the strategy and the thresholds. */
export const planSection = (intent: ReleaseIntent): Section => ({
  heading: "What was asked for",
  body: table<Row>(
    [
      ["Setting", ([name]) => name],
      ["Means", ([, , meaning]) => meaning],
      ["Value", ([, value]) => value],
    ],
    [...strategyRows(intent), ...thresholdRows(intent)],
    () => "plain",
  ),
});

const strategyRows = ({ strategy, gate }: ReleaseIntent): readonly Row[] => [
  [
    "steps",
    plan(strategy)
      .map((percent) => `${percent} %`)
      .join(", "),
    "the canary's traffic, step by step",
  ],
  ["bakeSeconds", duration(strategy.bakeSeconds), "each step is judged for at least this long"],
  ["warmUpSeconds", duration(strategy.warmUpSeconds), "ignored after each change of traffic"],
  ["intervalSeconds", duration(strategy.intervalSeconds), "requests are counted and judged this often"],
  ["maximumSeconds", duration(strategy.maximumSeconds), "without enough evidence by then it is rolled back"],
  ...(gate === undefined ? [] : [["gate", `${gate.beforePercent} %`, "from here on a person must approve"] as const]),
];

const thresholdRows = ({ thresholds }: ReleaseIntent): readonly Row[] => [
  ["falseRollbackPercentMax", `${thresholds.falseRollbackPercentMax} %`, "chance to roll back a good canary"],
  ["falsePromotionPercentMax", `${thresholds.falsePromotionPercentMax} %`, "chance to promote a bad canary"],
  ["oddsTolerated", `${thresholds.oddsTolerated} times`, "tolerated odds of failing, relative to stable"],
  ["slowdownTolerated", `${thresholds.slowdownTolerated} times`, "tolerated duration, relative to stable"],
  ["failurePointsMax", many(thresholds.failurePointsMax, "point"), "more failures than stable that must be excluded"],
  ["ceilingPercent", `${thresholds.ceilingPercent} %`, "failures that end it at once"],
  ["probeFailuresMax", String(thresholds.probeFailuresMax), "failed probes in a row that end it"],
];
