// Shrinks a failing run to the smallest one that still fails in the same way: first it removes faults (delta
// debugging), then it simplifies the world.
import type { Drawn } from "./draw.ts";
import { type Invariant, invariants } from "./invariants.ts";
import { simulate } from "./simulate.ts";

/** Reports whether a run still fails. */
export type Fails = (drawn: Drawn) => Promise<boolean>;

/** Gives the check whether a run breaks the named invariant. */
export function breaks(name: string): Fails {
  const invariant: Invariant | undefined = invariants[name];
  return async (drawn) => invariant !== undefined && invariant(await simulate(drawn)).length > 0;
}

/** Removes everything that the failure does not need. */
export async function shrink(drawn: Drawn, fails: Fails): Promise<Drawn> {
  let least = drawn;
  for (let pieces = 2; least.faults.length > 0; ) {
    const smaller = await firstThatFails(without(least, pieces), fails);
    if (smaller !== undefined) {
      least = smaller;
      pieces = Math.max(2, pieces - 1);
    } else if (pieces >= least.faults.length) break;
    else pieces = Math.min(least.faults.length, pieces * 2);
  }
  return plainer(least, fails);
}

/** Gives the run without each of so many pieces of its faults. */
function without(drawn: Drawn, pieces: number): readonly Drawn[] {
  const size = Math.ceil(drawn.faults.length / pieces);
  return Array.from({ length: pieces }, (_, piece) => ({
    ...drawn,
    faults: drawn.faults.filter((_fault, index) => Math.floor(index / size) !== piece),
  })).filter(({ faults }) => faults.length < drawn.faults.length);
}

async function firstThatFails(candidates: readonly Drawn[], fails: Fails): Promise<Drawn | undefined> {
  for (const candidate of candidates) if (await fails(candidate)) return candidate;
  return undefined;
}

const plain: readonly Partial<Drawn>[] = [
  { replicas: 2 },
  { replicas: 1 },
  { before: "stable" },
  { outsideWeights: "restore" },
  { requestsPerMinute: 6_000 },
];

async function plainer(drawn: Drawn, fails: Fails): Promise<Drawn> {
  let least = drawn;
  for (const change of [...plain, { strategy: { ...drawn.strategy, weights: [50], warmUpSeconds: 0 } }]) {
    const candidate = { ...least, ...change };
    if (await fails(candidate)) least = candidate;
  }
  return least;
}
