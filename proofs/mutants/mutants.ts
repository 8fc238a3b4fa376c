// The mutants of `npm run mutants` as plain values: reads them, checks them against the source and renders the page.

/** One deliberate bug, or one quirk of the emulator switched off, and the tests of which at least one must fail. */
export interface Mutant {
  readonly name: string;
  readonly standsFor: string;
  /** Exact snippets of our source and their replacements; each snippet must occur exactly once. */
  readonly mutations?: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  /** The quirk that the emulator leaves out. */
  readonly without?: string;
  readonly tests: readonly string[];
  /** A part of the titles of the tests to run, if a whole file would take too long. */
  readonly title?: string;
}

/** The test that detected a mutant. */
export interface Detection {
  readonly file: string;
  readonly title: string;
  readonly seconds: number;
}

/** Reads the mutants from the text of mutants.json. */
export const mutantsOf = (text: string): readonly Mutant[] =>
  (JSON.parse(text) as { readonly mutants: readonly Mutant[] }).mutants;

/**
 * Lists why mutants cannot be tried: a snippet that does not occur exactly once, a duplicate name, nothing to change.
 */
export function check(mutants: readonly Mutant[], read: (file: string) => string): readonly string[] {
  return mutants.flatMap((mutant, index) => [
    ...(mutants.findIndex(({ name }) => name === mutant.name) === index
      ? []
      : [`${mutant.name} is the name of two mutants.`]),
    ...((mutant.mutations === undefined) !== (mutant.without === undefined) && mutant.tests.length > 0
      ? []
      : [`${mutant.name} needs tests, and either mutations or a quirk to leave out.`]),
    ...(mutant.mutations ?? []).flatMap(({ file, find }) => {
      const times = read(file).split(find).length - 1;
      return times === 1 ? [] : [`${mutant.name}: its snippet occurs ${times} times in ${file}; it must occur once.`];
    }),
  ]);
}

/**
 * Gives the runs that must pass on unchanged source: the same tests as the mutants', once for the mutants that name a
 * title and once for those that run whole files.
 */
export function unchanged(mutants: readonly Mutant[]): readonly Mutant[] {
  const [titled, whole] = [
    mutants.filter(({ title }) => title !== undefined),
    mutants.filter(({ title }) => title === undefined),
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

/** Renders docs/evidence/mutants.md. */
export const page = (detections: ReadonlyMap<Mutant, Detection>): string => `# Mutation tests

Each row is a mutant: one deliberate bug in a copy of the source, or one quirk left out of the emulator. The named test
failed on it. \`npm run mutants\` writes this page, and fails if no test detects a mutant. The seconds include the copy
and the start of the test runner.

| mutant | bug, or cloud without the quirk | detected by | test | seconds |
|---|---|---|---|---|
${[...detections].map(line).join("\n")}
`;

const line = ([{ name, standsFor }, { file, title, seconds }]: readonly [Mutant, Detection]): string =>
  `| ${name} | ${standsFor} | ${file} | ${title.replaceAll("|", "\\|")} | ${seconds.toFixed(1)} |`;
