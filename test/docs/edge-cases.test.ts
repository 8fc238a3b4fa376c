// Compares docs/evidence/edge-cases.md with the tests: all thirty cases are there, each with its outcome and with a
// test of that title in that file.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const page = readFileSync(join(root, "docs", "evidence", "edge-cases.md"), "utf8");

interface Case {
  readonly number: number;
  readonly outcome: string;
  readonly proofs: readonly string[];
}

const casesOf = (text: string): readonly Case[] =>
  [...text.matchAll(/^\| (\d+) \|([^|]+)\|([^|]+)\|(.+)\|$/gm)].map(([, number, , outcome = "", proofs = ""]) => ({
    number: Number(number),
    outcome: outcome.trim(),
    proofs: proofs.split("<br>").map((proof) => proof.trim()),
  }));

/** Gives the text of a test file by its path below test/. */
function testFile(name: string): string {
  const found = join(root, "test", `${name}.test.ts`);
  return existsSync(found) ? readFileSync(found, "utf8") : "";
}

const isShown = (proof: string): boolean => {
  const [file = "", ...title] = proof.split(" › ");
  return (
    title.length > 0 &&
    testFile(file)
      .replaceAll(/\(\s+"/g, '("')
      .includes(`("${title.join(" › ")}"`)
  );
};

test("all thirty edge cases are on the page, with an outcome each", () => {
  expect(casesOf(page).map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  expect(casesOf(page).filter(({ outcome }) => outcome === "")).toEqual([]);
});

test("each case names existing tests", () =>
  expect(
    casesOf(page)
      .flatMap(({ proofs }) => proofs)
      .filter((proof) => !isShown(proof)),
  ).toEqual([]));

test("a missing test is found", () =>
  expect(["edge-cases › nothing of the kind", "nowhere › a test", "edge-cases"].filter(isShown)).toEqual([]));
