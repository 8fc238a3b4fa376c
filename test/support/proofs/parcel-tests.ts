// Tests of parcel.ts, some of them bad on purpose. Vitest does not find this file by its name; only the check of the
// mutation tests runs it.
import { describe, expect, it } from "vitest";
import { parcels, vans } from "./parcel.ts";

describe("a parcel", () => {
  it.each([
    [400, 4],
    [600, 9],
  ])("of %i grams costs %i", (grams, cost) => expect(parcels.price(grams)).toBe(cost));

  it("goes into a van with nine others", () => expect([vans(10), vans(11)]).toEqual([1, 2]));
});
