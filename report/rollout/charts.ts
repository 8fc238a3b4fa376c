// An attempt → its charts: weight, failures, tail latency, evidence.
import { type Chart, type Curve, roundScale } from "../chart.ts";
import type { KindStyle } from "../style.ts";
import type { Arm, Attempt, Seen } from "./attempts.ts";

/** The colours of the arms, and the looks of the curves. */
export const rolloutStyle: KindStyle = {
  colours: {
    canary: { light: "#b5470b", dark: "#ff9d5c" },
    stable: { light: "#1f5fa8", dark: "#78b7ff" },
  },
  open: "stable",
  curves: {
    canary: { colour: "canary" },
    stable: { colour: "stable", isDashed: true },
    against: { colour: "bad" },
    favour: { colour: "good", isDashed: true },
  },
};

/** Gives the charts that have anything to draw, in reading order. */
export const chartsOf = (attempt: Attempt): readonly Chart[] =>
  [weight(attempt), failures(attempt), tails(attempt), evidence(attempt)].filter((chart) => chart !== undefined);

function weight({ weights, to }: Attempt): Chart | undefined {
  const last = weights.at(-1);
  if (last === undefined) return undefined;
  const points = [...weights, { ...last, at: to }].map(({ at, percent }) => [at, percent] as const);
  const most = Math.max(...weights.map(({ percent }) => percent));
  return {
    title: "Traffic to the canary, the new release",
    description: `from ${weights[0]!.percent} to ${last.percent} percent, at most ${most} percent`,
    curves: [{ name: "canary", look: "canary", step: true, points }],
    // Logarithmic, so that a canary of one or five percent is clearly above none.
    scale: {
      low: 0.5,
      high: 100,
      log: true,
      ticks: [
        [0.5, "0 %"],
        [5, "5 %"],
        [25, "25 %"],
        [100, "100 %"],
      ],
    },
  };
}

// Stable is drawn over the canary as a dashed line, so that both are visible when they are equal.
const curves = ({ seen }: Attempt, valueOf: (seen: Seen) => number | undefined): readonly Curve[] =>
  (["canary", "stable"] as const).map((arm: Arm) => ({
    name: arm,
    look: arm,
    points: seen[arm].map((each) => [each.at, valueOf(each)] as const),
  }));

/** Gives the highest value of all curves, and describes that of each; undefined without values. */
function highestOf(
  drawn: readonly Curve[],
): { readonly value: number; readonly describe: (unit: string) => string } | undefined {
  const highest = drawn
    .map(({ name, points }) => ({ name, value: Math.max(-1, ...points.map(([, value]) => value ?? -1)) }))
    .filter(({ value }) => value >= 0);
  if (highest.length === 0) return undefined;
  return {
    value: Math.max(...highest.map(({ value }) => value)),
    describe: (unit) => highest.map(({ name, value }) => `${name} up to ${value.toFixed(1)} ${unit}`).join(", "),
  };
}

function failures(attempt: Attempt): Chart | undefined {
  const drawn = curves(attempt, ({ failedPercent }) => failedPercent);
  const highest = highestOf(drawn);
  return (
    highest && {
      title: "Failed requests, in percent of its own",
      description: highest.describe("percent"),
      curves: drawn,
      scale: roundScale(Math.min(100, highest.value), 1, (value) => `${value} %`),
    }
  );
}

function tails(attempt: Attempt): Chart | undefined {
  const drawn = curves(attempt, ({ p99Milliseconds }) => p99Milliseconds);
  const highest = highestOf(drawn);
  const unit = (value: number) => (value >= 1000 ? `${value / 1000} s` : `${value} ms`);
  return (
    highest && {
      title: "The slowest 1 % of requests take at least",
      description: highest.describe("ms"),
      curves: drawn,
      scale: roundScale(highest.value, 10, unit),
    }
  );
}

/** The greatest evidence that is drawn. */
const evidenceMax = 1e6;

function evidence({ evidence: known, againstMax, favourMin, to }: Attempt): Chart | undefined {
  const last = known.at(-1);
  if (last === undefined || !Number.isFinite(againstMax)) return undefined;
  const drawn = [...known, { ...last, at: Math.max(last.at, to) }];
  const highest = Math.min(
    evidenceMax,
    Math.max(10 * againstMax, 10 * favourMin, ...known.map(({ against, favour }) => Math.max(against, favour ?? 0))),
  );
  const exponent = Math.ceil(Math.log10(highest) - 1e-9);
  const high = 10 ** exponent;
  const stride = exponent > 3 ? 2 : 1;
  const ticks = Array.from(
    { length: Math.floor((exponent + 1) / stride) + 1 },
    (_, index) => 10 ** (exponent - index * stride),
  ).map((value) => [value, value >= 1 ? value.toLocaleString("en") : String(value)] as const);
  const odds = (value: number) => `${Math.round(value).toLocaleString("en")} : 1`;
  return {
    title: "What the judge knows: odds of … to 1 that the canary is",
    description: `against the canary ${odds(last.against)} in the end, rolls back at ${odds(againstMax)}`,
    curves: [
      { name: "good", look: "favour", points: drawn.map(({ at, favour }) => [at, favour] as const) },
      { name: "worse than stable", look: "against", points: drawn.map(({ at, against }) => [at, against] as const) },
    ],
    scale: { low: 0.1, high, log: true, ticks },
    lines:
      againstMax === favourMin
        ? [{ value: againstMax, label: `decides: ${odds(againstMax)}` }]
        : [
            { value: againstMax, label: `against decides: ${odds(againstMax)}` },
            { value: favourMin, label: `for decides: ${odds(favourMin)}` },
          ],
  };
}
