// Kayenta's Mann–Whitney test: spinnaker/spinnaker@f8b98eb (which now contains Kayenta), kayenta/kayenta-mannwhitney
// (MannWhitney.scala, BrentSolver). It follows R's wilcox.test: an interval and an estimate of how far x is shifted
// from y, by the normal approximation with corrections for ties and continuity.

/** How far the first sample is shifted from the second. */
export interface Shift {
  readonly low: number;
  readonly high: number;
  readonly estimate: number;
}

const tolerance = 1e-4;
const iterationsMaximum = 1000;

/**
 * Gives the standardised rank sum of x minus `shift` among itself and y, minus `quantile`. Both samples are sorted.
 *
 * It is NaN if all observations are tied; Kayenta throws then.
 */
export function wilcoxonDifference(
  x: readonly number[],
  y: readonly number[],
  shift: number,
  quantile: number,
): number {
  const n = x.length;
  const m = y.length;
  let i = 0;
  let j = 0;
  let ranks = 0;
  let ties = 0;
  while (i < n || j < m) {
    const placed = i + j;
    const value = Math.min(i < n ? x[i]! - shift : Infinity, j < m ? y[j]! : Infinity);
    const from = i;
    while (i < n && x[i]! - shift === value) i++;
    while (j < m && y[j]! === value) j++;
    const tied = i + j - placed;
    ranks += (i - from) * (placed + (tied + 1) / 2);
    ties += tied ** 3 - tied;
  }
  const distance = ranks - (n * (n + 1)) / 2 - (n * m) / 2;
  const deviation = Math.sqrt(((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1))));
  return deviation === 0 ? NaN : (distance - Math.sign(distance) / 2) / deviation - quantile;
}

/**
 * Gives the next step of Brent's method from b, the best point, towards c across
 * the root: interpolated if safe, else half.
 */
function step(
  a: number,
  fa: number,
  b: number,
  fb: number,
  c: number,
  fc: number,
  previous: number,
  least: number,
): number {
  const half = (c - b) / 2;
  if (Math.abs(previous) < least || Math.abs(fa) <= Math.abs(fb)) return half;
  let p: number;
  let q: number;
  if (a === c) {
    p = (c - b) * (fb / fa);
    q = 1 - fb / fa;
  } else {
    const ac = fa / fc;
    const bc = fb / fc;
    const ba = fb / fa;
    p = ba * ((c - b) * ac * (ac - bc) - (b - a) * (bc - 1));
    q = (ac - 1) * (bc - 1) * (ba - 1);
  }
  if (p > 0) q = -q;
  else p = -p;
  return p < 0.75 * (c - b) * q - Math.abs(least * q) / 2 && p < Math.abs((previous * q) / 2) ? p / q : half;
}

/**
 * Finds a root between two points by Brent's method as in R, within an absolute tolerance of 1e-4.
 *
 * Because of that tolerance Kayenta's verdict depends on the unit of a metric: smaller differences are not seen.
 */
function root(from: number, to: number, f: (at: number) => number): number {
  let a = from;
  let fa = f(from);
  let b = to;
  let fb = f(to);
  let c = a;
  let fc = fa;
  if (fa === 0) return a;
  if (fb === 0) return b;
  for (let left = iterationsMaximum + 1; left > 0; left--) {
    const previous = b - a;
    if (Math.abs(fc) < Math.abs(fb)) [a, b, c, fa, fb, fc] = [b, c, b, fb, fc, fb];
    const least = 2 * Number.EPSILON * Math.abs(b) + tolerance / 2;
    if (Math.abs((c - b) / 2) <= least || fb === 0) return b;
    const wanted = step(a, fa, b, fb, c, fc, previous, least);
    const atLeast = wanted > 0 ? least : -least;
    const taken = Math.abs(wanted) >= least ? wanted : atLeast;
    [a, fa] = [b, fb];
    b += taken;
    fb = f(b);
    if (fb > 0 === fc > 0 && fb !== 0 && fc !== 0) [c, fc] = [a, fa];
  }
  return b;
}

/**
 * Tests how far x is shifted from y. The true shift lies beyond each end of the interval with the probability above
 * `normalQuantile`.
 *
 * @returns undefined if all observations are tied, because there is no interval
 */
export function mannWhitney(x: readonly number[], y: readonly number[], normalQuantile: number): Shift | undefined {
  const xs = x.toSorted((a, b) => a - b);
  const ys = y.toSorted((a, b) => a - b);
  const least = xs[0]! - ys.at(-1)!;
  const most = xs.at(-1)! - ys[0]!;
  const difference =
    (quantile: number) =>
    (shift: number): number =>
      wilcoxonDifference(xs, ys, shift, quantile);
  const end = (quantile: number): number => {
    const f = difference(quantile);
    if (f(least) <= 0) return least;
    return f(most) >= 0 ? most : root(least, most, f);
  };
  if (Number.isNaN(difference(0)(least)) || Number.isNaN(difference(0)(most))) return undefined;
  return { low: end(normalQuantile), high: end(-normalQuantile), estimate: root(least, most, difference(0)) };
}
