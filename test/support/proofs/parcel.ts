// A tiny source for the check of the mutation tests. `parcel-tests.ts` tests some of it well and some of it badly, so
// that its mutants meet every outcome: killed, survived, uncovered and timed out.

/** What is known about parcels. */
export const parcels = {
  /** Gives the price of a parcel. The tests never try the boundary. */
  price: (grams: number): number => (grams > 500 ? 9 : 4),
  /** Is called by no test. */
  isHeavy: (grams: number): boolean => grams > 2_000,
};

/** Counts the vans for a number of parcels; without its step it never ends. */
export function vans(number: number): number {
  let count = 0;
  for (let left = number; left > 0; left -= 10) count++;
  return count;
}
