// A deployment guarded by an alarm, as in AWS ECS and CodeDeploy. They are closed, so this follows AWS' pages:
// AmazonECS canary-deployment and deployment-alarm-failure; AmazonCloudWatch, "Configuring how CloudWatch alarms
// treat missing data". There is one step of 10 percent, a bake of ten minutes, then 100 percent; the bake after
// that is not modelled. There is no baseline.
import type { Contestant, Minute, Move } from "../contestant.ts";

/** The configuration of an alarm: how many of the latest periods must breach, and whether a missing period breaches. */
export interface Alarm {
  readonly breaching: number;
  readonly periods: number;
  readonly missingBreaches: boolean;
}

/**
 * Periods looked at beyond the evaluated ones, to find real ones among missing. AWS
 * says the number varies; its table has two.
 */
const extraPeriods = 2;
const canaryWeight = 10;
const bakeMinutes = 10;
const errorPercentMaximum = 1;

/**
 * Reports whether the latest periods, oldest first, raise an alarm; `undefined` is a missing period.
 *
 * Real periods in the range are used first; only what is still missing is filled as configured.
 */
export function raised(
  { breaching, periods, missingBreaches }: Alarm,
  range: readonly (boolean | undefined)[],
): boolean {
  const real = range
    .slice(-periods - extraPeriods)
    .filter((isBreach) => isBreach !== undefined)
    .slice(-periods);
  const filled = missingBreaches ? periods - real.length : 0;
  return real.filter(Boolean).length + filled >= breaching;
}

/** Whether each minute since the canary's traffic began breaches. */
interface AlarmState {
  readonly began: number | undefined;
  readonly breaches: ReadonlyMap<number, boolean>;
}

/** A minute without requests has no error rate and so no data point. */
function pointsOf(known: ReadonlyMap<number, boolean>, arrived: readonly Minute[]): ReadonlyMap<number, boolean> {
  const points = arrived
    .filter(({ canary }) => canary.requests > 0)
    .map(({ at, canary }) => [at, (100 * canary.failed) / canary.requests > errorPercentMaximum] as const);
  return points.length === 0 ? known : new Map([...known, ...points]);
}

/**
 * Gives a deployment with an alarm at one percent of errors, by M of N periods of a minute.
 *
 * The alarm is read once N periods with a canary are over, and never looks at a period before the canary. Otherwise, if
 * missing periods breach, no deployment would get past its first minute.
 */
export function alarm(breaching: number, periods: number, missingBreaches: boolean): Contestant<AlarmState> {
  const settings = { breaching, periods, missingBreaches };
  return {
    name: `alarm ${breaching} of ${periods}${missingBreaches ? ", missing breaches" : ""}`,
    start: () => ({ began: undefined, breaches: new Map() }),
    look: ({ began, breaches: known }, now, arrived): Move<AlarmState> => {
      if (began === undefined) return { state: { began: now, breaches: known }, weight: canaryWeight };
      const state = { began, breaches: pointsOf(known, arrived) };
      const lived = now - began;
      const range = Array.from({ length: Math.min(lived, periods + extraPeriods) }, (_, back) =>
        state.breaches.get(now - back),
      ).reverse();
      if (lived >= periods && raised(settings, range)) return { state, weight: 0, ending: "rolled-back" };
      return lived >= bakeMinutes ? { state, weight: 100, ending: "promoted" } : { state, weight: canaryWeight };
    },
  };
}
