// docs/evidence/edge-cases.md held to the tests: all thirty are there, each with its outcome in words and with a test of that title in that file.
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
  return title.length > 0 && testFile(file).includes(`("${title.join(" › ")}"`);
};

test("the thirty edge cases are all there, with an outcome each", () => {
  expect(casesOf(page).map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  expect(casesOf(page).filter(({ outcome }) => outcome === "")).toEqual([]);
});

test("each of them is shown by tests that are there", () =>
  expect(
    casesOf(page)
      .flatMap(({ proofs }) => proofs)
      .filter((proof) => !isShown(proof)),
  ).toEqual([]));

test("a proof that is not there is seen", () =>
  expect(["edge-cases › nothing of the kind", "nowhere › a test", "edge-cases"].filter(isShown)).toEqual([]));
