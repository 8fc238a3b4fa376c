// The machinery of the generated mutants: what a mutant has to face, when it counts as killed, when a file is run
// again, and what a person has to answer. One test runs Stryker itself, on a source of three functions.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkMachinery } from "../../proofs/mutants/stryker/check-machinery.ts";
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

it("Stryker's command runner tells killed, survived, uncovered, disabled and endless mutants apart", () => {
  expect(checkMachinery()).toEqual([]);
}, 300_000);

describe("the tests that a mutant faces", () => {
  const survey: Survey = [
    {
      file: "slow.test.ts",
      loading: {},
      loadingAgain: {},
      tests: [
        { title: "all", seconds: 3, hits: { 1: 2, 2: 1 } },
        { title: "quick", seconds: 0.1, hits: { 1: 5 } },
      ],
    },
    {
      file: "loads.test.ts",
      loading: { 1: 1 },
      loadingAgain: { 1: 1 },
      tests: [{ title: "any", seconds: 1, hits: {} }],
    },
    { file: "other.test.ts", loading: { 3: 1 }, loadingAgain: {}, tests: [{ title: "none", seconds: 0, hits: {} }] },
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

  it("need a process of their own if they run while a module loads, but not if they run while a test file does", () => {
    expect(["1", "2", "3"].map((id) => planFor(id, survey, 10).isLoaded)).toEqual([false, false, true]);
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
    expect(outcomeOf(mutant("1", "Killed"), undefined).how).toBe("uncovered");
    expect(outcomeOf(mutant("1", "Survived"), note("1", "killed")).how).toBe("survived");
    expect(outcomeOf(mutant("1", "Killed"), note("1", "survived")).how).toBe("survived");
  });

  it("counts as surviving if it was disabled, timed out, uncovered or not run", () => {
    const all = [mutant("1", "Ignored"), mutant("2", "Survived"), mutant("3", "Survived"), mutant("4", "Survived")];
    const notes = new Map(
      [note("2", "timed out"), note("4", "not run"), note("5", "killed")].map((each) => [each.mutant, each]),
    );
    const { killed, mutants, survivors, cpuSeconds } = scoreFile("x\nreturn (a < 1);\n", all, notes);
    expect([killed, mutants, cpuSeconds]).toEqual([0, 4, 4]);
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
