// The contestants: when an alert is fired, minute by minute. Each sees only the counts of the minutes before.
import { budgetOf } from "../../engines/remediation/objectives/objective.ts";

/** The counts of a service by minute. */
export interface Counts {
  readonly requests: readonly number[];
  readonly failed: readonly number[];
}

/** Who decides when an alert is fired. */
export interface Detector {
  readonly name: string;
  /** Whether the condition is met at the end of a minute. */
  readonly violates: (counts: Counts, minute: number) => boolean;
  /** How many minutes without a violation end an alert. */
  readonly resolveMinutes: number;
}

const sum = (values: readonly number[], from: number, to: number): number => {
  let total = 0;
  for (let at = Math.max(0, from); at < to; at++) total += values[at] ?? 0;
  return total;
};

function burn({ requests, failed }: Counts, minute: number, minutes: number, allowed: number): number | undefined {
  const all = sum(requests, minute - minutes, minute);
  return all === 0 ? undefined : sum(failed, minute - minutes, minute) / all / allowed;
}

const budget = budgetOf({ goodPercent: 99.5 });
/** The windows of engines/remediation/objectives/burn-alerts.ts, at 99.5 percent over 28 days. */
const windows = [
  { long: 60, short: 7, times: 13.44 },
  { long: 360, short: 32, times: 5.6 },
] as const;

/** Burn rates over two windows, with the volume guard of ten failures. */
export const burnRates: Detector = {
  name: "burn rates over two windows",
  resolveMinutes: 15,
  violates: (counts, minute) =>
    windows.some(({ long, short, times }) => {
      const [slow, fast] = [burn(counts, minute, long, budget), burn(counts, minute, short, budget)];
      return (
        sum(counts.failed, minute - long, minute) >= 10 &&
        slow !== undefined &&
        slow > times &&
        (fast === undefined || fast > times)
      );
    }),
};

/** One window of five minutes with a fixed share, as rules are usually written. */
export const singleWindow: Detector = {
  name: "5 percent within 5 minutes",
  resolveMinutes: 15,
  violates: (counts, minute) => (burn(counts, minute, 5, 1) ?? 0) > 0.05,
};

/** A fixed number of failures within five minutes, as static baselines are: it knows no traffic. */
export const staticThreshold: Detector = {
  name: "more than 5 failures within 5 minutes",
  resolveMinutes: 15,
  violates: ({ failed }, minute) => sum(failed, minute - 5, minute) > 5,
};
