// A few seeds of the simulator, one test each, so that a mutant of the loop faces the quickest first. simulator.test.ts
// runs hundreds.
import { expect, it } from "vitest";
import { draw } from "../../proofs/simulator/draw.ts";
import { check } from "../../proofs/simulator/invariants.ts";
import { simulate } from "../../proofs/simulator/simulate.ts";

it.each(Array.from({ length: 24 }, (_, index) => index + 1))("seed %i keeps every invariant", async (seed) => {
  expect(check(await simulate(draw(seed))), `npm run simulate -- --seed ${seed}`).toEqual([]);
});
