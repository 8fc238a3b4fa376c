// What is allowed in a plan and said beforehand: each number that gives up a part of what releases promise.
import { expect, it } from "vitest";
import { cautions, checkIntent, defaultLimits, defaultPace } from "../../../engines/rollout/plan.ts";
import type { Limits, Pace } from "../../../engines/rollout/vocabulary.ts";

const spoken = ({
  pace = {},
  limits = {},
}: {
  readonly pace?: Partial<Pace>;
  readonly limits?: Partial<Limits>;
}): readonly string[] => {
  const plan = { pace: { ...defaultPace, ...pace }, limits: { ...defaultLimits, ...limits } };
  expect(checkIntent(plan)).toEqual([]);
  return cautions(plan);
};

it("the defaults give nothing up", () => expect(spoken({})).toEqual([]));

const rows: readonly (readonly [says: RegExp, at: Parameters<typeof spoken>[0], most: Parameters<typeof spoken>[0]])[] =
  [
    [
      /^falseRollbackPercentMax is 11, so that of a hundred good canaries up to 11 are rolled back\.$/,
      { limits: { falseRollbackPercentMax: 11 } },
      { limits: { falseRollbackPercentMax: 10 } },
    ],
    [
      /^falsePromotionPercentMax is 21, .*too bad up to 21 are promoted\.$/,
      { limits: { falsePromotionPercentMax: 21 } },
      { limits: { falsePromotionPercentMax: 20 } },
    ],
    [
      /^oddsTolerated is 3\.1, .*not rolled back for it\.$/,
      { limits: { oddsTolerated: 3.1 } },
      { limits: { oddsTolerated: 3 } },
    ],
    [
      /^slowdownTolerated is 2\.1, .*as fast as stable, and not rolled back for it\.$/,
      { limits: { slowdownTolerated: 2.1 } },
      { limits: { slowdownTolerated: 2 } },
    ],
    [
      /^failurePointsMax is 6, .*less than 6 points more than stable\.$/,
      { limits: { failurePointsMax: 6 } },
      { limits: { failurePointsMax: 5 } },
    ],
    [
      /^ceilingPercent is 9, .*counts beside falseRollbackPercentMax\.$/,
      { limits: { ceilingPercent: 9 } },
      { limits: { ceilingPercent: 10 } },
    ],
    [
      /^ceilingRequests is 19, .*counts beside falseRollbackPercentMax\.$/,
      { limits: { ceilingRequests: 19 } },
      { limits: { ceilingRequests: 20 } },
    ],
    [
      /^stableFailurePercentMax is 21, .*itself out of order\.$/,
      { limits: { stableFailurePercentMax: 21 } },
      { limits: { stableFailurePercentMax: 20 } },
    ],
    [
      /^probeFailuresMax is 11, .*keeps its traffic for 330 seconds\.$/,
      { limits: { probeFailuresMax: 11 } },
      { limits: { probeFailuresMax: 10 } },
    ],
    [
      /^warmUpSeconds is 59, less than one tick of 60, .*cold starts/,
      { pace: { warmUpSeconds: 59 } },
      { pace: { warmUpSeconds: 60 } },
    ],
    [/^The last weight is 19, .*proven at\.$/, { pace: { weights: [5, 19] } }, { pace: { weights: [5, 20] } }],
  ];
it.each(rows)("%s is said, and nothing of what lies just inside", (says, beyond, inside) => {
  expect(spoken(beyond)).toEqual([expect.stringMatching(says)]);
  expect(spoken(inside)).toEqual([]);
});
