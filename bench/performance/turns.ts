// Measures several variants of one thing in turn, so that whatever slows the machine down meets all of them alike.

/** Measures each variant once a round, and gives the results of each. A round before the first warms up. */
export async function takeTurns<Name extends string, Result>(
  names: readonly Name[],
  rounds: number,
  measure: (name: Name) => Promise<Result>,
  report: (round: string) => void,
): Promise<Readonly<Record<Name, readonly Result[]>>> {
  const taken = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<Name, Result[]>;
  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      const result = await measure(name);
      if (round >= 0) taken[name].push(result);
    }
    report(`round ${round + 1} of ${rounds}`);
  }
  return taken;
}
