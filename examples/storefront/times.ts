// How long the shop takes to answer: half of the requests take no longer than ANSWER_MILLISECONDS (default 0: no wait).
// A shop that waits for its database takes such times, and they vary from request to request: log-normal, with one in
// twenty beyond three times the median. The wait takes no CPU.
import { randomFrom, readNumber } from "./faults.ts";

/** The standard deviation of the logarithm of a time. */
const spread = 0.7;

/** Returns a function that gives the milliseconds of the next answer; the same seed gives the same times. */
export function answerTimes(environment: Readonly<Record<string, string | undefined>>): () => number {
  const median = readNumber(environment, "ANSWER_MILLISECONDS", 0, 60_000);
  const draw = randomFrom(readNumber(environment, "SEED", 1, 0xffff_ffff));
  return () => {
    const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    return median * Math.exp(spread * normal);
  };
}
