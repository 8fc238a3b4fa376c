// Moments in UTC as text: the same as the machine's own clock writes and reads them.
import fc from "fast-check";
import { expect, it } from "vitest";
import { instantOf, utcOf } from "../../engines/utc.ts";

it("a moment is written and read as by the machine", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  fc.assert(
    fc.property(fc.integer({ min: -30_000_000_000, max: 200_000_000_000 }), (seconds) => {
      const text = new Date(seconds * 1000).toISOString().replace(".000", "");
      expect([utcOf(seconds * 1000), instantOf(text)]).toEqual([text, seconds * 1000]);
    }),
    { seed, numRuns: 2_000 },
  );
  for (const text of ["2000-02-29T23:59:59Z", "1970-01-01T00:00:00Z", "2100-03-01T00:00:00Z"])
    expect([utcOf(instantOf(text)), instantOf(text)]).toEqual([text, Date.parse(text)]);
});

it("another text is no moment", () => expect(instantOf("tomorrow")).toBeNaN());
