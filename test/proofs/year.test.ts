// The short forms of `npm run simulate:year`: a year of two credentials alone, and some months of an estate that shares
// a budget. One seed of each is new in each run.
import { expect, it } from "vitest";
import { estateYear } from "../../proofs/simulator/estate-year.ts";
import { yearOf } from "../../proofs/simulator/year.ts";

const drawn = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

it.each([3, drawn])(
  "a year of the credential of seed %i breaks no law, and every version is replaced in time",
  async (seed) => {
    const { broken, rotations, oldest } = await yearOf(seed);
    expect(broken, `npm run simulate:year -- --apart --credentials 1 --from ${seed}`).toEqual([]);
    expect(rotations).toBeGreaterThan(3); // a version lives for 90 days at most
    expect(oldest).toBeGreaterThan(0.4);
    expect(oldest).toBeLessThan(1);
  },
);

it.each([
  [5, 1],
  [drawn, 0],
])(
  "sixty days of the estate of seed %i: the budget is never exceeded, at least %i wait, and nobody fails to log in",
  async (seed, waitingMin) => {
    const setting = { seed, credentials: 12, atOnce: 2, days: 60 };
    const { broken, rotations, most, waiting, oldest, kept } = await estateYear(setting);
    const { credentials, atOnce, days } = setting;
    expect(
      broken,
      `npm run simulate:year -- --credentials ${credentials} --at-once ${atOnce} --days ${days} --from ${seed}`,
    ).toEqual([]);
    // Each has at least one rotation: a version lives for 90 days at most, and half of them is notice.
    expect(rotations).toBeGreaterThanOrEqual(credentials);
    expect(kept, "journals that have ended are forgotten").toBeLessThan(rotations);
    expect(most).toBeLessThanOrEqual(atOnce);
    expect(waiting).toBeGreaterThanOrEqual(waitingMin);
    expect(oldest).toBeLessThan(1);
  },
);
