// The table of retries in architecture.md against the code: its constants stand in the files that it names, its budgets
// are their sums, and no place that tries again is missing. Otherwise retries pile up within one another unseen.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isProgram, readRepository } from "../support/repository/source.ts";

const repository = readRepository(join(import.meta.dirname, "..", ".."));
const textOf = (path: string): string => repository.find((file) => file.path === path)?.text ?? "";
const codeIn = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

const rows = textOf("docs/explain/architecture.md")
  .split("## Who tries again, and for how long")[1]!
  .split("\n## ")[0]!
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| who "))
  .map((line) => {
    const [who, file, constants, budget, why] = line.slice(2, -2).split(" | ") as [
      string,
      string,
      string,
      string,
      string,
    ];
    return { who, file: codeIn(file)[0]!, constants: codeIn(constants), budget, why };
  });

/** The seconds that the rests of a policy by attempts add up to. */
const restsOf = (attempts: number, first: number, rate: number): number =>
  Array.from({ length: attempts - 1 }, (_, rest) => first * rate ** rest).reduce((sum, rest) => sum + rest, 0);

/** Gives the budget that constants of the code make, in the words of the table. */
function budgetOf(constants: readonly string[]): string | undefined {
  const [text] = constants as [string];
  const numbers = [...text.matchAll(/[=:] ([\d_.]+)(?: \* ([\d_]+))?/g)].map(
    ([, one, other = "1"]) => Number(one!.replaceAll("_", "")) * Number(other.replaceAll("_", "")),
  );
  const [first = 0] = numbers;
  if (numbers.length === 3) return `${Math.round(restsOf(...(numbers as [number, number, number])))} s`;
  if (/^maxRetries/.test(text)) return `${first + 1} attempts`;
  if (/ttemptsMax/.test(text) && numbers.length === 1) return `${first} attempts`;
  if (/^(budgetSeconds|shortSeconds|patienceSeconds|refusalSeconds|newsSeconds)/.test(text) && first > 0)
    return `${first} s`;
  return /^returnMilliseconds/.test(text) ? `${first / 1000} s` : undefined;
}

describe("the table of retries", () => {
  test("has rows", () => expect(rows.length).toBeGreaterThan(15));

  test.each(rows)("names constants of $file that are there, for $who", ({ file, constants, why }) => {
    expect(constants.length).toBeGreaterThan(0);
    const ofTheReason = codeIn(why).filter((code) => / = /.test(code));
    for (const constant of [...constants, ...ofTheReason]) expect(textOf(file)).toContain(constant);
  });

  test.each(rows.filter(({ constants }) => budgetOf(constants) !== undefined))("adds up the budget of $who", (row) =>
    expect(row.budget).toBe(budgetOf(row.constants)),
  );

  test("outlasts the failover of a managed database where an update or an outcome depends on it", () => {
    const secondsOf = (who: string): number => Number.parseInt(rows.find((row) => row.who === who)!.budget, 10);
    expect(secondsOf("a release that is put, followed or deleted, and its lock")).toBeGreaterThanOrEqual(150);
    // Each attempt lasts as well, and a refused connection is the only one that is over at once.
    expect(secondsOf("appending an outcome")).toBeGreaterThanOrEqual(110);
    expect(secondsOf("appending an outcome")).toBeLessThanOrEqual(180);
  });
});

/** What a place that tries again looks like. */
const signs =
  /\brestBefore\(|\bmaxRetries\b|\bretriesAllowed\b|\b\w*[aA]ttemptsMax\b|\*\* failures|\brestMilliseconds\b/;
/** Users of a policy that a row names already, and what has such a sign but tries nothing again. */
const others: Readonly<Record<string, string>> = {
  "controlplane/adapters/azure/key-vault.ts": "its client does not try again, and its reads are those of trouble.ts",
  "controlplane/runtime/ports.ts": "the shape of a policy",
  "demo/ground.ts": "it removes a folder",
  "demo/remediation/incidents.ts": "limits of remediations, as in engines/remediation/policy.ts",
  "engines/remediation/guards/history.ts": "it counts actions on a target, each for another incident",
  "engines/remediation/policy.ts": "the limit of that",
  "engines/remediation/tell.ts": "it prints that limit",
  "engines/rollout/decisions/read-back.ts": "it counts what give-up.ts counts",
  "examples/storefront/telemetry.ts": "it does not try again",
};

test("every place that tries again is in the table", () => {
  const known = new Set([...rows.map(({ file }) => file), ...Object.keys(others)]);
  const found = repository
    .filter((file) => isProgram(file) && !/^(test|bench|proofs|emulator|analysis)\//.test(file.path))
    .filter(({ text }) => signs.test(text))
    .map(({ path }) => path);
  expect(found.filter((path) => !known.has(path))).toEqual([]);
  expect(Object.keys(others).filter((path) => !found.includes(path))).toEqual([]);
});
