// Valid plans with a warning: each number that gives up some of the safety of a release.
import { expect, it } from "vitest";
import { cautions, checkIntent, defaultStrategy, defaultThresholds } from "../../../engines/rollout/plan.ts";
import type { Strategy, Thresholds } from "../../../engines/rollout/vocabulary.ts";

const spoken = ({
  strategy = {},
  thresholds = {},
}: {
  readonly strategy?: Partial<Strategy>;
  readonly thresholds?: Partial<Thresholds>;
}): readonly string[] => {
  const plan = { strategy: { ...defaultStrategy, ...strategy }, thresholds: { ...defaultThresholds, ...thresholds } };
  expect(checkIntent(plan)).toEqual([]);
  return cautions(plan);
};

it("the defaults have no warning", () => expect(spoken({})).toEqual([]));

const rows: readonly (readonly [says: RegExp, at: Parameters<typeof spoken>[0], most: Parameters<typeof spoken>[0]])[] =
  [
    [
      /^falseRollbackPercentMax is 11: up to 11 of 100 good canaries are rolled back\.$/,
      { thresholds: { falseRollbackPercentMax: 11 } },
      { thresholds: { falseRollbackPercentMax: 10 } },
    ],
    [
      /^falsePromotionPercentMax is 21: up to 21 of 100 bad canaries are promoted\.$/,
      { thresholds: { falsePromotionPercentMax: 21 } },
      { thresholds: { falsePromotionPercentMax: 20 } },
    ],
    [
      /^oddsTolerated is 3\.1: .*3\.1 times stable's odds of failing is not rolled back\.$/,
      { thresholds: { oddsTolerated: 3.1 } },
      { thresholds: { oddsTolerated: 3 } },
    ],
    [
      /^slowdownTolerated is 2\.1: .*2\.1 times as long as stable is not rolled back\.$/,
      { thresholds: { slowdownTolerated: 2.1 } },
      { thresholds: { slowdownTolerated: 2 } },
    ],
    [
      /^failurePointsMax is 6: .*just under 6 points more than stable may be promoted\.$/,
      { thresholds: { failurePointsMax: 6 } },
      { thresholds: { failurePointsMax: 5 } },
    ],
    [
      /^ceilingPercent is 9: .*falseRollbackPercentMax does not include such aborts\.$/,
      { thresholds: { ceilingPercent: 9 } },
      { thresholds: { ceilingPercent: 10 } },
    ],
    [
      /^ceilingRequests is 19: .*falseRollbackPercentMax does not include such aborts\.$/,
      { thresholds: { ceilingRequests: 19 } },
      { thresholds: { ceilingRequests: 20 } },
    ],
    [
      /^stableFailurePercentMax is 21: .*itself failing\.$/,
      { thresholds: { stableFailurePercentMax: 21 } },
      { thresholds: { stableFailurePercentMax: 20 } },
    ],
    [
      /^probeFailuresMax is 11: .*keeps its traffic for 330 seconds\.$/,
      { thresholds: { probeFailuresMax: 11 } },
      { thresholds: { probeFailuresMax: 10 } },
    ],
    [
      /^warmUpSeconds is 59: this is less than one interval \(60 seconds\), so cold starts count/,
      { strategy: { warmUpSeconds: 59 } },
      { strategy: { warmUpSeconds: 60 } },
    ],
    [
      /^The last weight is 19: .*more than five times the tested traffic\.$/,
      { strategy: { weights: [5, 19] } },
      { strategy: { weights: [5, 20] } },
    ],
  ];
it.each(rows)("%s is warned of just beyond its limit, and not at it", (says, beyond, inside) => {
  expect(spoken(beyond)).toEqual([expect.stringMatching(says)]);
  expect(spoken(inside)).toEqual([]);
});
