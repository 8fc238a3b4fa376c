// The emulator's clock: real, standing at a time, or running faster or slower than the real one from a time. Azure's
// deadlines of hours and days pass on it within a test. Tokens use the real time, because clients compare them with
// their own clock.
import { ArmError, type Body } from "../arm/resource.ts";

/** How the clock goes: it showed the time `at` when the real time was `base`, and has gone at `rate` since. */
export interface Pace {
  readonly at: number;
  readonly base: number;
  /** 0 stands, 1 is the real pace. */
  readonly rate: number;
}

/** The clock of one cloud. */
export interface Clock {
  readonly now: () => number;
  /** Gives what the clock showed at a real time. */
  readonly at: (realTime: number) => number;
  /** Undefined while the clock shows the real time. */
  pace: Pace | undefined;
  /** Sets the clock as a request asks. @throws ArmError 400 */
  readonly set: (asked: Body) => void;
  readonly shown: () => Body;
}

const rateMax = 100_000;
const lastTime = Date.parse("9999-12-31T23:59:59Z");

/** Starts with the real time. */
export function makeClock(real: () => number = Date.now): Clock {
  let pace: Pace | undefined;
  const shownAt = (time: number): number => (pace ? Math.round(pace.at + (time - pace.base) * pace.rate) : time);
  const now = (): number => shownAt(real());
  return {
    now,
    at: shownAt,
    get pace() {
      return pace;
    },
    set pace(given) {
      pace = given;
    },
    set: (asked) => {
      const { at = now(), rate = pace && asked["at"] === undefined ? pace.rate : 0, advanceSeconds = 0 } = asked;
      if (asked["at"] === null) {
        pace = undefined;
        return;
      }
      const wanted = (typeof at === "string" ? Date.parse(at) : Number(at)) + Number(advanceSeconds) * 1000;
      const isKnown = Object.keys(asked).every((each) => ["at", "rate", "advanceSeconds"].includes(each));
      if (
        !isKnown ||
        Object.keys(asked).length === 0 ||
        !(wanted >= 0 && wanted <= lastTime) ||
        !(rate >= 0 && rate <= rateMax) ||
        typeof advanceSeconds !== "number"
      )
        throw new ArmError(
          400,
          "InvalidRequestContent",
          "The clock takes {at}: milliseconds since 1970, an ISO date, or null for the real time; " +
            `{rate}: 0 to stand, up to ${rateMax} times the real pace; and {advanceSeconds}.`,
        );
      pace = { at: wanted, base: real(), rate };
    },
    shown: () => ({
      at: new Date(now()).toISOString(),
      milliseconds: now(),
      stopped: pace?.rate === 0,
      rate: pace?.rate ?? 1,
    }),
  };
}
