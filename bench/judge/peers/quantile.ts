// Prometheus' histogram_quantile: the rule of prometheus/prometheus promql/quantile.go (bucketQuantile), held to
// promql/promqltest/testdata/histograms.test at 7c7782b. It knows buckets by their upper bounds, and no metric by name.

/**
 * Gives the quantile that Prometheus reads off a histogram: linear within the bucket that the rank falls into.
 *
 * @param bounds upper bounds, ascending, the last one infinite
 * @param cumulative observations up to each bound, so that the last is their number
 * @returns NaN with nothing observed, and the highest finite bound when the rank lies beyond it, however slow those requests were
 */
export function histogramQuantile(quantile: number, bounds: readonly number[], cumulative: readonly number[]): number {
  const last = bounds.length - 1;
  const total = cumulative[last] ?? 0;
  if (last < 1 || total === 0 || Number.isNaN(quantile)) return NaN;
  if (quantile < 0) return -Infinity;
  if (quantile > 1) return Infinity;
  const rank = quantile * total;
  const found = cumulative.findIndex((count) => count >= rank);
  if (found >= last || found < 0) return bounds[last - 1]!;
  if (found === 0 && bounds[0]! <= 0) return bounds[0]!;
  const start = found === 0 ? 0 : bounds[found - 1]!;
  const below = found === 0 ? 0 : cumulative[found - 1]!;
  return start + (bounds[found]! - start) * ((rank - below) / (cumulative[found]! - below));
}
