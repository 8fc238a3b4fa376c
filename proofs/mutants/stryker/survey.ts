// What Stryker's first run finds out about unchanged source: how long each test takes and which mutants it reaches.
// From this follows which tests a mutant has to face, and in which order. Plain values; command.ts reads and writes
// them.

/** One test of one file. */
export interface Surveyed {
  readonly title: string;
  readonly seconds: number;
  /** How often the test executes each mutant that it reaches, by the mutant's number. */
  readonly hits: Readonly<Record<string, number>>;
}

/** One test file. The hits of its loading count for every test of it. */
export interface SurveyedFile {
  readonly file: string;
  readonly loading: Readonly<Record<string, number>>;
  /** The hits of loading it again, when all that it imports is loaded already. */
  readonly loadingAgain: Readonly<Record<string, number>>;
  readonly tests: readonly Surveyed[];
}

export type Survey = readonly SurveyedFile[];

/** The tests of one file that a mutant has to face. */
export interface Stage {
  readonly file: string;
  readonly titles: readonly string[];
  readonly seconds: number;
}

/** What a mutant has to face: files in the order in which they are run, cheapest first. */
export interface Plan {
  readonly stages: readonly Stage[];
  /** True if tests that reach the mutant were left out, since they would take too long. */
  readonly cut: boolean;
  /** How often the mutant may be executed before it counts as an endless loop. */
  readonly hitLimit: number;
  /** True if the mutant runs while a module loads, which happens once in a process. */
  readonly isLoaded: boolean;
}

/**
 * Plans the run of one mutant: the tests that reach it, the quickest first, until they take `seconds` together. At
 * least one test is run, however slow it is. Files that killed recent mutants come first, since mutants of one place
 * tend to fail the same tests.
 */
export function planFor(mutant: string, survey: Survey, seconds: number, recentKillers: readonly string[] = []): Plan {
  const reaching = survey
    .flatMap(({ file, loading, tests }) =>
      tests
        .filter(({ hits }) => mutant in loading || mutant in hits)
        .map((test) => ({ ...test, file, hits: (test.hits[mutant] ?? 0) + (loading[mutant] ?? 0) })),
    )
    .toSorted((a, b) => a.seconds - b.seconds);
  let spent = 0;
  const chosen = reaching.filter((test, index) => {
    spent += test.seconds;
    return index === 0 || spent <= seconds;
  });
  const stages = Map.groupBy(chosen, ({ file }) => file)
    .entries()
    .map(([file, tests]) => ({
      file,
      titles: tests.map(({ title }) => title),
      seconds: tests.reduce((sum, each) => sum + each.seconds, 0),
    }));
  return {
    stages: [...stages].toSorted((a, b) => costOf(a, recentKillers) - costOf(b, recentKillers)),
    cut: chosen.length < reaching.length,
    isLoaded: survey.some(({ loading, loadingAgain }) => (loading[mutant] ?? 0) > (loadingAgain[mutant] ?? 0)),
    hitLimit: 1_000 + 100 * Math.max(0, ...reaching.map(({ hits }) => hits)),
  };
}

/** The seconds that a file takes for each mutant that it is likely to kill. Loading a file takes time too. */
const costOf = ({ file, seconds }: Stage, recentKillers: readonly string[]): number =>
  (seconds + 0.1) / (1 + recentKillers.filter((killer) => killer === file).length);

/** Lists the mutants that a test reaches, in the order of the source. */
export const mutantsIn = (survey: Survey): readonly string[] =>
  [
    ...new Set(
      survey.flatMap(({ loading, tests }) => [loading, ...tests.map(({ hits }) => hits)].flatMap(Object.keys)),
    ),
  ].toSorted((a, b) => Number(a) - Number(b));
