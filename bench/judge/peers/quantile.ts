// Prometheus' histogram_quantile, after prometheus/prometheus promql/quantile.go (bucketQuantile) and checked against
// promql/promqltest/testdata/histograms.test at 7c7782b.

/**
 * Gives the quantile that Prometheus computes from a histogram: linear within the bucket of the rank.
 *
 * @param bounds upper bounds, ascending, the last one infinite
 * @param cumulative observations up to each bound; the last one is their total
 * @returns NaN without observations; the highest finite bound if the rank lies beyond it
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
