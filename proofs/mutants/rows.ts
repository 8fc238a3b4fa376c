// The rows of the kill table as plain values: read, checked against the source, written as a page. Nothing is run here.

/** One deliberate bug, or one truth of the stand-in switched off, and the tests of which one must notice. */
export interface Row {
  readonly name: string;
  readonly standsFor: string;
  /** Exact pieces of our source and what stands there instead; each must occur exactly once. */
  readonly mutations?: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  /** The truth that the stand-in leaves out. */
  readonly without?: string;
  readonly tests: readonly string[];
  /** A part of the titles of those tests that are to notice, where a whole file would take too long. */
  readonly title?: string;
}

/** The test that noticed a row. */
export interface Killed {
  readonly file: string;
  readonly title: string;
  readonly seconds: number;
}

/** Reads the rows. */
export const rowsOf = (text: string): readonly Row[] => (JSON.parse(text) as { readonly rows: readonly Row[] }).rows;

/** Lists rows that could not be tried as they stand: source that has moved on, names given twice, nothing to try. */
export function check(rows: readonly Row[], read: (file: string) => string): readonly string[] {
  return rows.flatMap((row, index) => [
    ...(rows.findIndex(({ name }) => name === row.name) === index ? [] : [`${row.name} is the name of two rows.`]),
    ...((row.mutations === undefined) !== (row.without === undefined) && row.tests.length > 0
      ? []
      : [`${row.name} needs either mutations or a truth to leave out, and tests.`]),
    ...(row.mutations ?? []).flatMap(({ file, find }) => {
      const times = read(file).split(find).length - 1;
      return times === 1
        ? []
        : [`${row.name}: what is to be found occurs ${times} times in ${file}, and it must occur once.`];
    }),
  ]);
}

/** Gives what must pass without any bug before a row counts: the same tests, those that rows name by title apart from those of whole files. */
export function unchanged(rows: readonly Row[]): readonly Row[] {
  const [titled, whole] = [
    rows.filter(({ title }) => title !== undefined),
    rows.filter(({ title }) => title === undefined),
  ];
  return [titled, whole]
    .filter(({ length }) => length > 0)
    .map((some) => ({
      name: "nothing changed",
      standsFor: "",
      mutations: [],
      tests: [...new Set(some.flatMap(({ tests }) => tests))],
      ...(some === titled ? { title: [...new Set(some.map(({ title }) => title))].join("|") } : {}),
    }));
}

/** Writes the page. */
export const table = (killed: ReadonlyMap<Row, Killed>): string => `# Kill table

What our tests notice: each bug below was put into a copy of the source, each truth left out of the stand-in, and the test beside it failed. Written by \`npm run kill-table\`,
which fails when a row survives. Seconds include the copy and the start of the test runner.

| bug or truth left out | what it stands for | noticed by | test | seconds |
|---|---|---|---|---|
${[...killed].map(([{ name, standsFor }, { file, title, seconds }]) => `| ${name} | ${standsFor} | ${file} | ${title.replaceAll("|", "\\|")} | ${seconds.toFixed(1)} |`).join("\n")}
`;
