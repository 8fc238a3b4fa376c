// Shrinks a failing run to the smallest one that still fails in the same way: first it removes faults (delta
// debugging), then it simplifies the world.
import type { Drawn } from "./draw.ts";
import { type Invariant, invariants } from "./invariants.ts";
import { simulate } from "./simulate.ts";

/** Reports whether a run still fails. */
export type Fails = (drawn: Drawn) => boolean;

/** Gives the check whether a run breaks the named invariant. */
export function breaks(name: string): Fails {
  const invariant: Invariant | undefined = invariants[name];
  return (drawn) => invariant !== undefined && invariant(simulate(drawn)).length > 0;
}

/** Removes everything that the failure does not need. */
export function shrink(drawn: Drawn, fails: Fails): Drawn {
  let least = drawn;
  for (let pieces = 2; least.faults.length > 0; ) {
    const size = Math.ceil(least.faults.length / pieces);
    const smaller = Array.from({ length: pieces }, (_, piece) => ({
      ...least,
      faults: least.faults.filter((_fault, index) => Math.floor(index / size) !== piece),
    })).find((candidate) => candidate.faults.length < least.faults.length && fails(candidate));
    if (smaller !== undefined) {
      least = smaller;
      pieces = Math.max(2, pieces - 1);
    } else if (pieces >= least.faults.length) break;
    else pieces = Math.min(least.faults.length, pieces * 2);
  }
  return plainer(least, fails);
}

const plain: readonly Partial<Drawn>[] = [
  { replicas: 2 },
  { replicas: 1 },
  { before: "stable" },
  { outsideWeights: "restore" },
  { requestsPerMinute: 6_000 },
];

function plainer(drawn: Drawn, fails: Fails): Drawn {
  let least = drawn;
  for (const change of [...plain, { strategy: { ...drawn.strategy, weights: [50], warmUpSeconds: 0 } }]) {
    const candidate = { ...least, ...change };
    if (fails(candidate)) least = candidate;
  }
  return least;
}
