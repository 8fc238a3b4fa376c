// Random numbers from a seed: xoshiro128** with its state mixed from any number of keys, so that each minute of each
// run has dice of its own and no draw changes another. Binomial and Poisson draws are exact up to the 32 bits of a
// number: Hörmann's transformed rejection, or inversion if the mean is below ten.

/** A source of random draws. */
export interface Dice {
  /** A number between 0 and 1, both excluded. */
  readonly next: () => number;
  readonly normal: () => number;
  /** How many of `count` trials succeed, each with the same probability. */
  readonly binomial: (count: number, probability: number) => number;
  readonly poisson: (mean: number) => number;
  /** A gamma shock: a number with mean one and the given coefficient of variation. */
  readonly shock: (variation: number) => number;
}

/** Makes dice from integer keys; other keys, or the same in another order, give other dice. */
export function loadDice(...keys: readonly number[]): Dice {
  const next = uniform(keys);
  const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    normal,
    binomial: (count, probability) => binomial(next, count, probability),
    poisson: (mean) => poisson(next, mean),
    shock: (variation) => gamma(next, normal, 1 / variation ** 2) * variation ** 2,
  };
}

function uniform(keys: readonly number[]): () => number {
  let hash = 0x9e3779b9;
  const mix = (key: number): number => {
    hash = (Math.imul(hash ^ key, 0x85ebca6b) + 0x6d2b79f5) | 0;
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 13;
    return hash;
  };
  for (const key of keys) mix(key | 0);
  let a = mix(1);
  let b = mix(2);
  let c = mix(3);
  let d = mix(4) | 1;
  return () => {
    const times = Math.imul(b, 5);
    const turned = Math.imul((times << 7) | (times >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return ((turned >>> 0) + 0.5) / 4294967296;
  };
}

const logFactorial = (k: number): number =>
  Array.from({ length: k }, (_, i) => Math.log(i + 1)).reduce((sum, term) => sum + term, 0);
const firstTails = Array.from({ length: 10 }, (_, k) => logFactorial(k) - stirling(k));
function stirling(k: number): number {
  return (k + 0.5) * Math.log(k + 1) - (k + 1) + 0.5 * Math.log(2 * Math.PI);
}
/** The error of Stirling's formula for ln k!. */
function tail(k: number): number {
  if (k < 10) return firstTails[k]!;
  const square = (k + 1) ** 2;
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1);
}

function binomial(next: () => number, count: number, probability: number): number {
  if (count <= 0 || probability <= 0) return 0;
  if (probability >= 1) return count;
  if (probability > 0.5) return count - binomial(next, count, 1 - probability);
  return count * probability < 10 ? byInversion(next, count, probability) : byRejection(next, count, probability);
}

function byInversion(next: () => number, count: number, probability: number): number {
  const odds = probability / (1 - probability);
  const most = (count + 1) * odds;
  let mass = Math.exp(count * Math.log1p(-probability));
  let left = next() - mass;
  let k = 0;
  while (left > 0 && k < count) {
    k++;
    mass *= most / k - odds;
    left -= mass;
  }
  return k;
}

/** BTRS of W. Hörmann, The generation of binomial random variates, 1993. */
function byRejection(next: () => number, count: number, p: number): number {
  const odds = p / (1 - p);
  const spread = Math.sqrt(count * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const c = count * p + 0.5;
  const sure = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * spread;
  const mode = Math.floor((count + 1) * p);
  for (;;) {
    const u = next() - 0.5;
    const v = next();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + c);
    if (us >= 0.07 && v <= sure) return k;
    if (k < 0 || k > count) continue;
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (count - mode + 1))) +
      (count + 1) * Math.log((count - mode + 1) / (count - k + 1)) +
      (k + 0.5) * Math.log((odds * (count - k + 1)) / (k + 1)) +
      tail(mode) +
      tail(count - mode) -
      tail(k) -
      tail(count - k);
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound) return k;
  }
}

/** PTRS of the same author; products of uniform numbers if the mean is small. */
function poisson(next: () => number, mean: number): number {
  if (mean < 10) {
    const end = Math.exp(-mean);
    let product = next();
    let k = 0;
    for (; product > end; k++) product *= next();
    return k;
  }
  const root = Math.sqrt(mean);
  const b = 0.931 + 2.53 * root;
  const a = -0.059 + 0.02483 * b;
  const alpha = 1.1239 + 1.1328 / (b - 3.4);
  const sure = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = next() - 0.5;
    const v = next();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= sure) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= k * Math.log(mean) - mean - stirling(k) - tail(k)) return k;
  }
}

/** Marsaglia and Tsang's gamma draw with scale one; shapes below one by a power of a uniform number. */
function gamma(next: () => number, normal: () => number, shape: number): number {
  if (shape < 1) return gamma(next, normal, shape + 1) * next() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
