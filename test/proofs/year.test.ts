// The short form of `npm run simulate:year`: a year of two credentials, one of which is new in each run.
import { expect, it } from "vitest";
import { yearOf } from "../../proofs/simulator/year.ts";

it.each([3, Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31))])(
  "a year of the credential of seed %i breaks no law, and every version is replaced in time",
  async (seed) => {
    const { broken, rotations, oldest } = await yearOf(seed);
    expect(broken, `npm run simulate:year -- --credentials 1 --from ${seed}`).toEqual([]);
    expect(rotations).toBeGreaterThan(3); // a version lives for 90 days at most
    expect(oldest).toBeGreaterThan(0.4);
    expect(oldest).toBeLessThan(1);
  },
);
