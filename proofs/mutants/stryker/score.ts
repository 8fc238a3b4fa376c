// What became of Stryker's mutants: joins Stryker's report with the notes of command.ts, file by file, finds what a
// person still has to answer, and renders the score. Plain values in and out.

/** A test by its file and title; the title is empty if the file failed outside of a test. */
export interface TestName {
  readonly file: string;
  readonly title: string;
}

/** What became of one mutant. Only `killed` counts as killed. */
export type Outcome =
  | { readonly how: "killed"; readonly by: TestName }
  | { readonly how: "survived" | "survived the quick tests" | "uncovered" | "timed out" | "disabled" | "not run" };

/** A line of command.ts. */
export type Note = Outcome & {
  readonly mutant: string;
  readonly cpu: { readonly user: number; readonly system: number };
};

/** A mutant as Stryker reports it. */
export interface ReportedMutant {
  readonly id: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: Position; readonly end: Position };
}
interface Position {
  readonly line: number;
  readonly column: number;
}

/** A mutant that no test killed. It is recognized by its texts, so that it may move within the file. */
export interface Survivor {
  readonly line: number;
  readonly mutator: string;
  readonly from: string;
  readonly to: string;
  readonly how: Exclude<Outcome["how"], "killed">;
}

/** The result of one file. It is kept until the file, or a test that reaches it, changes. */
export interface FileScore {
  readonly source: string;
  readonly tests: Readonly<Record<string, string>>;
  readonly mutants: number;
  readonly killed: number;
  readonly cpuSeconds: number;
  readonly survivors: readonly Survivor[];
}
export type Scores = Readonly<Record<string, FileScore>>;

/** Why a survivor changes nothing that a test could see. */
export interface Reason extends Pick<Survivor, "mutator" | "from" | "to"> {
  readonly file: string;
  readonly reason: string;
}

/**
 * Gives the outcome of a mutant. It is killed only if Stryker saw the command fail *and* the command noted the test
 * that failed. A command that fails for another reason, for instance because it could not start, kills nothing.
 */
export function outcomeOf({ status }: Pick<ReportedMutant, "status">, note: Note | undefined): Outcome {
  if (status === "Ignored" || status === "CompileError") return { how: "disabled" };
  if (note === undefined) return { how: "uncovered" };
  if (note.how === "killed") return status === "Killed" ? note : { how: "survived" };
  return { how: note.how };
}

const shortened = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= 100 ? line : `${line.slice(0, 70)} ... ${line.slice(-25)}`;
};

/** Cuts out what a mutant replaces. Lines and columns count from 1. */
export function replacedText(source: string, { start, end }: ReportedMutant["location"]): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  lines[lines.length - 1] = lines.at(-1)?.slice(0, end.column - 1) ?? "";
  lines[0] = lines[0]?.slice(start.column - 1) ?? "";
  return lines.join("\n");
}

/** Scores one file. */
export function scoreFile(
  source: string,
  mutants: readonly ReportedMutant[],
  notes: ReadonlyMap<string, Note>,
): Pick<FileScore, "mutants" | "killed" | "cpuSeconds" | "survivors"> {
  const survivors = mutants.flatMap((mutant) => {
    const { how } = outcomeOf(mutant, notes.get(mutant.id));
    if (how === "killed") return [];
    return {
      line: mutant.location.start.line,
      mutator: mutant.mutatorName,
      from: shortened(replacedText(source, mutant.location)),
      to: shortened(mutant.replacement ?? ""),
      how,
    };
  });
  const micros = mutants.reduce((sum, { id }) => {
    const cpu = notes.get(id)?.cpu;
    return sum + (cpu ? cpu.user + cpu.system : 0);
  }, 0);
  return {
    mutants: mutants.length,
    killed: mutants.length - survivors.length,
    cpuSeconds: Math.round(micros / 1e6),
    survivors,
  };
}

const answers = (file: string, survivor: Survivor) => (reason: Reason) =>
  reason.file === file &&
  reason.mutator === survivor.mutator &&
  reason.from === survivor.from &&
  reason.to === survivor.to;

/** Lists the survivors without a reason, as `file:line what became what (how)`. */
export const openSurvivors = (scores: Scores, reasons: readonly Reason[]): readonly string[] =>
  Object.entries(scores).flatMap(([file, { survivors }]) =>
    survivors
      .filter((survivor) => !reasons.some(answers(file, survivor)))
      .map(({ line, from, to, how, mutator }) => `${file}:${line}  ${mutator}: ${from} → ${to} (${how})`),
  );

/** Lists what is wrong with the reasons: too many, one that no survivor needs any more, one without a sentence. */
export function reasonProblems(scores: Scores, reasons: readonly Reason[], shareMax: number): readonly string[] {
  const all = Object.values(scores).reduce((sum, { mutants }) => sum + mutants, 0);
  return [
    ...(reasons.length <= shareMax * all
      ? []
      : [`${reasons.length} of ${all} mutants have a reason; at most ${shareMax * 100} % may have one.`]),
    ...reasons
      .filter((reason) => !(scores[reason.file]?.survivors ?? []).some((each) => answers(reason.file, each)(reason)))
      .map(({ file, from, to }) => `No survivor of ${file} needs the reason for ${from} → ${to}.`),
    ...reasons
      .filter(({ reason }) => reason.trim().split(" ").length < 4)
      .map(({ file, from }) => `The reason for ${from} in ${file} is not a sentence.`),
  ];
}

/** Reports whether a file has to be run again: it, or a test that reached it, has changed or is gone. */
export const isStale = (known: FileScore | undefined, hashOf: (file: string) => string | undefined, file: string) =>
  known === undefined ||
  known.source !== hashOf(file) ||
  Object.entries(known.tests).some(([test, hash]) => hash !== hashOf(test));

const percent = (part: number, whole: number): string => (whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`);

/** Renders the score, one row a file. */
export function scoreTable(scores: Scores, reasons: readonly Reason[], files: readonly string[]): string {
  const row = (name: string, some: readonly (readonly [string, FileScore])[]): string => {
    const mutants = some.reduce((sum, [, each]) => sum + each.mutants, 0);
    const killed = some.reduce((sum, [, each]) => sum + each.killed, 0);
    const survivors = some.flatMap(([, each]) => each.survivors);
    const answered = some.reduce(
      (sum, [file, each]) => sum + each.survivors.filter((one) => reasons.some(answers(file, one))).length,
      0,
    );
    const count = (...hows: readonly string[]): number => survivors.filter(({ how }) => hows.includes(how)).length;
    const cpu = some.reduce((sum, [, each]) => sum + each.cpuSeconds, 0);
    const cells = [
      name,
      mutants,
      killed,
      percent(killed, mutants),
      count("survived", "survived the quick tests", "disabled"),
      count("uncovered"),
      count("timed out"),
      count("not run"),
      answered,
      cpu,
    ];
    return `| ${cells.join(" | ")} |`;
  };
  const known = files.flatMap((file) => (scores[file] ? [[file, scores[file]] as const] : []));
  const missing = files.filter((file) => scores[file] === undefined);
  return `| file | mutants | killed | score | survived | uncovered | timed out | not run | with a reason | CPU seconds |
|---|---|---|---|---|---|---|---|---|---|
${known.map((each) => row(each[0], [each])).join("\n")}
${row(`**${known.length} of ${files.length} files**`, known)}
${missing.length === 0 ? "" : `\nWithout a run so far: ${missing.map((file) => `\`${file}\``).join(", ")}.\n`}`;
}
