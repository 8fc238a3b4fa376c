// The machinery of the generated mutants: what a mutant has to face, when it counts as killed, when a file is run
// again, and what a person has to answer. One test runs the mutants of three functions, which Stryker made earlier:
// `npm test` does not install it.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  knownMutants,
  machineryProblems,
  readRecording,
  source,
  sourceTests,
} from "../../proofs/mutants/stryker/check-machinery.ts";
import { strykerVersion } from "../../proofs/mutants/stryker/installed.ts";
import { generatedPart, generatedPartOf, namedPart, withGeneratedPart } from "../../proofs/mutants/stryker/page.ts";
import { mutated, reasonsShareMax, tests } from "../../proofs/mutants/stryker/scope.ts";
import {
  type FileScore,
  isStale,
  type Note,
  openSurvivors,
  outcomeOf,
  type ReportedMutant,
  reasonProblems,
  replacedText,
  type Survivor,
  scoreFile,
  scoreTable,
} from "../../proofs/mutants/stryker/score.ts";
import { planFor, type Survey } from "../../proofs/mutants/stryker/survey.ts";
import { mutatedFiles, readReasons, readScores } from "../../proofs/mutants/stryker/update-score.ts";

const root = join(import.meta.dirname, "..", "..");

/** Runs the command as Stryker's command runner does, in a copy with the source that Stryker instrumented. */
function runRecorded() {
  const recording = readRecording();
  const folder = mkdtempSync(join(tmpdir(), "ballast-recorded-"));
  try {
    for (const path of ["package.json", "proofs/mutants/stryker", ...sourceTests]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      cpSync(join(root, path), join(folder, path), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, source), recording.instrumented);
    const limits = { secondsPerMutant: 10, secondsOfProcess: 20, until: Number.MAX_SAFE_INTEGER };
    writeFileSync(join(folder, "run.json"), JSON.stringify({ files: [source], tests: sourceTests, ...limits }));
    const run = (id?: string) =>
      spawnSync(process.execPath, ["proofs/mutants/stryker/command.ts"], {
        cwd: folder,
        env: {
          ...process.env,
          BALLAST_MUTANTS: folder,
          ...(id !== undefined && { __STRYKER_ACTIVE_MUTANT__: id }),
        },
        encoding: "utf8",
      });
    const surveyed = run();
    if (surveyed.status !== 0) throw new Error(`The survey failed: ${surveyed.stderr}`);
    const mutants = knownMutants(recording).map((each) =>
      each.status === "Ignored" ? each : { ...each, status: run(each.id).status === 0 ? "Survived" : "Killed" },
    );
    const lines = readFileSync(join(folder, "outcomes.jsonl"), "utf8").trimEnd().split("\n");
    const notes = lines.map((line) => JSON.parse(line) as Note);
    return { text: recording.source, mutants, notes: new Map(notes.map((of) => [of.mutant, of])) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("the command that Stryker's runner starts", () => {
  it("tells killed, survived, uncovered, disabled and endless mutants apart", () => {
    const { text, mutants, notes } = runRecorded();
    expect(machineryProblems(text, mutants, notes)).toEqual([]);
  }, 300_000);

  it("was tried on what the present Stryker makes of the present source", () => {
    const recording = readRecording();
    expect(recording.stryker).toBe(strykerVersion());
    expect(recording.source).toBe(readFileSync(join(root, source), "utf8"));
  });
});

describe("the tests that a mutant faces", () => {
  const survey: Survey = [
    {
      file: "slow.test.ts",
      loading: {},
      tests: [
        { title: "all", seconds: 3, hits: { 1: 2, 2: 1 } },
        { title: "quick", seconds: 0.1, hits: { 1: 5 } },
      ],
    },
    { file: "loads.test.ts", loading: { 1: 1 }, tests: [{ title: "any", seconds: 1, hits: {} }] },
    { file: "other.test.ts", loading: { 3: 1 }, tests: [{ title: "none", seconds: 0, hits: {} }] },
  ];

  it("are those that reach it, itself or by loading the file, in files ordered by their time", () => {
    const { stages, cut } = planFor("1", survey, 10);
    expect(stages.map(({ file, titles }) => [file, titles])).toEqual([
      ["loads.test.ts", ["any"]],
      ["slow.test.ts", ["quick", "all"]],
    ]);
    expect(cut).toBe(false);
    expect(planFor("4", survey, 10).stages).toEqual([]);
  });

  it("leave out the slow ones beyond the limit, and say so, but never all", () => {
    const limited = planFor("1", survey, 1.2);
    expect(limited.stages.flatMap(({ titles }) => titles)).toEqual(["quick", "any"]);
    expect(limited.cut).toBe(true);
    expect(planFor("2", survey, 1).stages.flatMap(({ titles }) => titles)).toEqual(["all"]);
  });

  it("begin with the file that killed the latest mutants", () => {
    const killers = Array.from({ length: 5 }, () => "slow.test.ts");
    expect(planFor("1", survey, 10, killers).stages.map(({ file }) => file)).toEqual(["slow.test.ts", "loads.test.ts"]);
  });

  it("may execute it a hundred times as often as the most eager test did, before it counts as endless", () => {
    expect(planFor("1", survey, 10).hitLimit).toBe(1_500);
  });
});

const cpu = { user: 1_500_000, system: 500_000 };
const by = { file: "a.test.ts", title: "holds" };
const mutant = (id: string, status: string): ReportedMutant => ({
  id,
  status,
  mutatorName: "EqualityOperator",
  replacement: "a <= 1",
  location: { start: { line: 2, column: 9 }, end: { line: 2, column: 14 } },
});
const note = (id: string, how: Note["how"]): Note =>
  ({ mutant: id, cpu, how, ...(how === "killed" && { by }) }) as Note;

describe("a mutant", () => {
  it("is killed only if Stryker saw a failure and the failed test is on record", () => {
    expect(outcomeOf(mutant("1", "Killed"), note("1", "killed")).how).toBe("killed");
    expect(outcomeOf(mutant("1", "Killed"), undefined).how).toBe("timed out");
    expect(outcomeOf(mutant("1", "Survived"), note("1", "killed")).how).toBe("survived");
    expect(outcomeOf(mutant("1", "Killed"), note("1", "survived")).how).toBe("survived");
  });

  it("counts as surviving if it was disabled, timed out, uncovered or not run", () => {
    const all = [mutant("1", "Ignored"), mutant("2", "Timeout"), mutant("3", "Survived"), mutant("4", "Survived")];
    const notes = new Map(
      [note("2", "killed"), note("3", "uncovered"), note("4", "not run")].map((each) => [each.mutant, each]),
    );
    const { killed, mutants, survivors, cpuSeconds } = scoreFile("x\nreturn (a < 1);\n", all, notes);
    expect([killed, mutants, cpuSeconds]).toEqual([0, 4, 6]);
    expect(survivors.map(({ how }) => how)).toEqual(["disabled", "timed out", "uncovered", "not run"]);
    expect(survivors[0]).toMatchObject({ line: 2, from: "a < 1", to: "a <= 1" });
  });

  it("is cut out of one line or of several", () => {
    const span = (line: number, column: number) => ({ line, column });
    expect(replacedText("abc\ndef\nghi", { start: span(1, 2), end: span(3, 2) })).toBe("bc\ndef\ng");
    expect(replacedText("abc", { start: span(1, 2), end: span(1, 3) })).toBe("b");
  });
});

const survivor: Survivor = { line: 2, mutator: "EqualityOperator", from: "a < 1", to: "a <= 1", how: "survived" };
const score: FileScore = {
  source: "s",
  tests: { "a.test.ts": "t" },
  mutants: 40,
  killed: 39,
  cpuSeconds: 12,
  survivors: [survivor],
};
const reason = {
  file: "a.ts",
  mutator: "EqualityOperator",
  from: "a < 1",
  to: "a <= 1",
  reason: "a is never 1 by its type",
};

describe("a survivor", () => {
  it("is open until it has a reason, wherever it moves in its file", () => {
    expect(openSurvivors({ "a.ts": score }, [])).toEqual(["a.ts:2  EqualityOperator: a < 1 → a <= 1 (survived)"]);
    expect(openSurvivors({ "a.ts": score }, [reason])).toEqual([]);
    expect(openSurvivors({ "a.ts": score }, [{ ...reason, to: "true" }])).toHaveLength(1);
    expect(openSurvivors({ "b.ts": score }, [reason])).toHaveLength(1);
  });

  it("may have a reason of at least a sentence, which something needs, and few may have one", () => {
    expect(reasonProblems({ "a.ts": score }, [reason], 0.05)).toEqual([]);
    expect(reasonProblems({ "a.ts": score }, [{ ...reason, reason: "no" }], 0.05)[0]).toMatch(/is not a sentence/);
    expect(reasonProblems({ "a.ts": score }, [{ ...reason, to: "true" }], 0.05)[0]).toMatch(/needs the reason/);
    expect(reasonProblems({ "a.ts": score }, [reason], 0.01)[0]).toMatch(/at most 1 %/);
  });
});

it("a file is run again when it or a test that reached it changes, and not otherwise", () => {
  const hashes: Record<string, string> = { "a.ts": "s", "a.test.ts": "t" };
  const stale = (changes: Record<string, string | undefined>) =>
    isStale(score, (file) => ({ ...hashes, ...changes })[file], "a.ts");
  expect(stale({})).toBe(false);
  expect(stale({ "b.test.ts": "new" })).toBe(false);
  expect(stale({ "a.ts": "changed" })).toBe(true);
  expect(stale({ "a.test.ts": "changed" })).toBe(true);
  expect(stale({ "a.test.ts": undefined })).toBe(true);
  expect(isStale(undefined, (file) => hashes[file], "a.ts")).toBe(true);
});

describe("the part of docs/evidence/mutants.md", () => {
  it("has a row a file and names the files without a run", () => {
    const table = scoreTable({ "a.ts": score }, [reason], ["a.ts", "b.ts"]);
    expect(table).toContain("| a.ts | 40 | 39 | 97.5 % | 1 | 0 | 0 | 0 | 1 | 12 |");
    expect(table).toContain("Without a run so far: `b.ts`.");
  });

  it("replaces only itself", () => {
    const part = generatedPart({ "a.ts": score }, [], ["a.ts"]);
    const page = withGeneratedPart("# Mutation tests\n\nnamed\n", part);
    expect(withGeneratedPart(page, part)).toBe(page);
    expect([namedPart(page).trim(), generatedPartOf(page)]).toEqual(["# Mutation tests\n\nnamed", part]);
  });

  it("is what the stored scores and reasons give", () => {
    const stored = readFileSync(join(root, "docs/evidence/mutants.md"), "utf8");
    expect(generatedPartOf(stored)).toBe(generatedPart(readScores(), readReasons(), mutatedFiles()));
  });

  it("rests on reasons that survivors need, and on paths that exist", () => {
    expect(reasonProblems(readScores(), readReasons(), reasonsShareMax)).toEqual([]);
    expect([...mutated, ...tests].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
