// Evidence → one verdict for each metric, for reports. The judge decides by all of them together; this says what each
// one shows by itself.
import type { Thresholds } from "../vocabulary.ts";
import type { Evidence, MetricName } from "./evidence.ts";
import { metricEvidence } from "./gather.ts";
import { clearestTable, metricNames, metricSettings, promising } from "./metrics.ts";
import { share, tailOf } from "./wording.ts";

/** What one metric shows. */
export interface MetricVerdict {
  readonly metric: string;
  readonly canary: string;
  readonly stable: string;
  readonly verdict: "worse" | "looks worse" | "good" | "no difference shown" | "not judged";
}

/** With more odds than this against it, a metric looks worse. */
const looksWorseFrom = 3;

/** Gives the verdict of every metric, in the order of their weight. */
export const metricVerdicts = (
  evidence: Evidence,
  thresholds: Thresholds,
  steps: readonly number[],
): readonly MetricVerdict[] => metricNames.map((name) => verdictOf(name, evidence, thresholds, steps.length - 1));

function verdictOf(name: MetricName, evidence: Evidence, thresholds: Thresholds, steps: number): MetricVerdict {
  const { favour } = evidence.metrics[name];
  const table = clearestTable(evidence.metrics[name]);
  const isJudged = table.canary > 0 && table.stable > 0;
  const against = metricEvidence(evidence.metrics[name], evidence, steps);
  const verdict = (): MetricVerdict["verdict"] => {
    if (!isJudged) return "not judged";
    if (Math.log(metricSettings[name].weight) + against >= Math.log(100 / thresholds.falseRollbackPercentMax))
      return "worse";
    if (against >= Math.log(looksWorseFrom)) return "looks worse";
    return promising.includes(name) && favour >= Math.log(100 / thresholds.falsePromotionPercentMax)
      ? "good"
      : "no difference shown";
  };
  return {
    metric: titleOf(name, evidence),
    canary: isJudged ? share(table.canaryBad, table.canary) : "–",
    stable: isJudged ? share(table.stableBad, table.stable) : "–",
    verdict: verdict(),
  };
}

function titleOf(name: MetricName, evidence: Evidence): string {
  if (name === "failed") return "failed (5xx or no answer)";
  if (name === "refused") return "refused (4xx)";
  const slow = {
    p50: "slower than half",
    p75: "slower than three quarters",
    p95: "slow",
    p99: "very slow",
    p999: "extremely slow",
  }[name];
  return evidence.baseline.tails[name] === undefined ? slow : `${slow} (stable: over ${tailOf(evidence, name)})`;
}
