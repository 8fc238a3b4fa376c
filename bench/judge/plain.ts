// A simple judge as one would write it in an afternoon: it compares the canary's failures of the last five minutes with
// stable's. It is in the contest to show what every other judge gains over it.
import type { Contestant, Minute } from "./contestant.ts";

interface Recent {
  readonly minutes: readonly {
    readonly at: number;
    readonly canary: readonly [number, number];
    readonly stable: readonly [number, number];
  }[];
  readonly weight: number;
}

const brief = ({ at, canary, stable }: Minute): Recent["minutes"][number] => ({
  at,
  canary: [canary.failed, canary.requests],
  stable: [stable.failed, stable.requests],
});

/**
 * Rolls back if the canary failed two points more than stable over fifty requests; else adds five percent each minute.
 */
export const plain: Contestant<Recent> = {
  name: "two points in five minutes",
  about: "a simple script: rolls back if the canary failed two points more than stable in the last five minutes",
  start: () => ({ minutes: [], weight: 0 }),
  look: ({ minutes: before, weight }, now, arrived) => {
    const known = new Map([...before, ...arrived.map(brief)].map((minute) => [minute.at, minute]));
    const minutes = [...known.values()].filter(({ at }) => at > now - 5);
    const total = (arm: "canary" | "stable", index: 0 | 1): number =>
      minutes.reduce((sum, minute) => sum + minute[arm][index], 0);
    const requests = total("canary", 1);
    const points = 100 * (total("canary", 0) / requests - total("stable", 0) / total("stable", 1));
    if (requests >= 50 && points > 2) return { state: { minutes, weight: 0 }, weight: 0, ending: "rolled-back" };
    if (now > 0 && requests < 50)
      return {
        state: { minutes, weight: Math.max(5, weight) },
        weight: Math.max(5, weight),
        waiting: "too few requests",
      };
    if (weight >= 50) return { state: { minutes, weight: 100 }, weight: 100, ending: "promoted" };
    return { state: { minutes, weight: weight + 5 }, weight: weight + 5 };
  },
};
