// A deployment guarded by an alarm, as AWS ECS and CodeDeploy have it: closed, so by AWS' pages alone (AmazonECS canary-deployment and
// deployment-alarm-failure; AmazonCloudWatch, "Configuring how CloudWatch alarms treat missing data"). One step of 10 percent, ten minutes of
// bake, then everything; what the alarm does in the bake after that is not modelled. It compares with no baseline.
import type { Contestant, Minute, Move } from "../contestant.ts";

/** How an alarm is configured: this many of the latest periods must breach, and what a period without requests counts as. */
export interface Alarm {
  readonly breaching: number;
  readonly periods: number;
  readonly missingBreaches: boolean;
}

/** More than the periods that are evaluated are looked at, to find real ones among missing; AWS says that the number varies, its table has two more. */
const extraPeriods = 2;
const canaryWeight = 10;
const bakeMinutes = 10;
const errorPercentMaximum = 1;

/**
 * Says whether an alarm is raised by the latest periods, oldest first; `undefined` is a missing one.
 *
 * Real periods are preferred, however old within the range; only what they lack is filled as configured.
 */
export function raised(alarm: Alarm, range: readonly (boolean | undefined)[]): boolean {
  const real = range
    .slice(-alarm.periods - extraPeriods)
    .filter((breaches) => breaches !== undefined)
    .slice(-alarm.periods);
  const filled = alarm.missingBreaches ? alarm.periods - real.length : 0;
  return real.filter(Boolean).length + filled >= alarm.breaching;
}

/** What CloudWatch has of the canary: whether each minute since its traffic began breaches. */
interface AlarmState {
  readonly began: number | undefined;
  readonly breaches: ReadonlyMap<number, boolean>;
}

/** A minute without a request has no error rate, and so no data point. */
function pointsOf(known: ReadonlyMap<number, boolean>, arrived: readonly Minute[]): ReadonlyMap<number, boolean> {
  const points = arrived
    .filter(({ canary }) => canary.requests > 0)
    .map(({ at, canary }) => [at, (100 * canary.failed) / canary.requests > errorPercentMaximum] as const);
  return points.length === 0 ? known : new Map([...known, ...points]);
}

/**
 * Gives a deployment with an alarm over one percent of errors, by M of N periods of a minute.
 *
 * The alarm is read once N periods of the canary's life are over, and never asks for a period before it: there is no canary then, and
 * with missing ones breaching no deployment would get past its first minute.
 */
export function alarm(breaching: number, periods: number, missingBreaches: boolean): Contestant<AlarmState> {
  const settings = { breaching, periods, missingBreaches };
  return {
    name: `alarm ${breaching} of ${periods}${missingBreaches ? ", missing breaches" : ""}`,
    start: () => ({ began: undefined, breaches: new Map() }),
    look: ({ began, breaches }, now, arrived): Move<AlarmState> => {
      if (began === undefined) return { state: { began: now, breaches }, weight: canaryWeight };
      const state = { began, breaches: pointsOf(breaches, arrived) };
      const lived = now - began;
      const range = Array.from({ length: Math.min(lived, periods + extraPeriods) }, (_, back) =>
        state.breaches.get(now - back),
      ).reverse();
      if (lived >= periods && raised(settings, range)) return { state, weight: 0, ending: "rolled-back" };
      return lived >= bakeMinutes ? { state, weight: 100, ending: "promoted" } : { state, weight: canaryWeight };
    },
  };
}
