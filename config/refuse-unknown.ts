// Refuses names that the configuration does not have. An unknown name is most often a typing mistake, so the error
// suggests the known name that is nearest to it.
import { configKeyUnknown } from "../errors/config.ts";

/**
 * Refuses the first name that is not known; `prefix` is the path before it.
 *
 * @throws config-key-unknown
 */
export function refuseUnknown(given: readonly string[], known: readonly string[], prefix: string): void {
  const key = given.find((name) => !known.includes(name));
  if (key !== undefined) throw configKeyUnknown({ key: prefix + key, nearest: prefix + nearest(key, known) });
}

function nearest(name: string, known: readonly string[]): string {
  const distances = known.map(
    (candidate) => [editDistance(name.toLowerCase(), candidate.toLowerCase()), candidate] as const,
  );
  return distances.reduce((best, next) => (next[0] < best[0] ? next : best))[1];
}

/** Returns the Levenshtein distance: the least number of letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries())
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1)!;
}
