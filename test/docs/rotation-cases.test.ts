// Compares docs/evidence/rotation.md with the tests: all 28 cases are there, each with an outcome, and each with a
// scenario or a test of that title, or with words that say that it is not shown.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const page = readFileSync(join(root, "docs", "evidence", "rotation.md"), "utf8");
const cases = [...page.matchAll(/^\| (\d+) \|([^|]+)\|([^|]+)\|(.+)\|$/gm)].map(([, number, , outcome, proofs]) => ({
  number: Number(number),
  outcome: outcome!.trim(),
  proofs: proofs!.split("<br>").map((proof) => proof.trim()),
}));

function isShown(proof: string): boolean {
  if (proof.startsWith("not shown") || proof.startsWith("not built")) return true;
  const scenario = /^scenario (\S+)$/.exec(proof)?.[1];
  if (scenario !== undefined) return existsSync(join(root, "test", "scenarios", "rotation", `${scenario}.yaml`));
  const [file, title] = proof.split(" › ");
  const path = join(root, "test", `${file}.test.ts`);
  if (title === undefined || !existsSync(path)) return false;
  return readFileSync(path, "utf8")
    .replaceAll(/\(\s+"/g, '("')
    .includes(`("${title}"`);
}

test("all 28 cases are on the page, with an outcome each", () => {
  expect(cases.map(({ number }) => number)).toEqual(Array.from({ length: 28 }, (_, index) => index + 1));
  expect(cases.filter(({ outcome }) => outcome === "")).toEqual([]);
});

test("each case names an existing scenario or test, or says that it is not shown", () =>
  expect(cases.flatMap(({ proofs }) => proofs).filter((proof) => !isShown(proof))).toEqual([]));

test("a missing proof is found", () =>
  expect(["scenario nowhere", "docs/rotation-cases › nothing of the kind", "nowhere › a test"].filter(isShown)).toEqual(
    [],
  ));
