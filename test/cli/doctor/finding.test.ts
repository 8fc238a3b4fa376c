// How `ballast doctor` prints its findings.
import { expect, test } from "vitest";
import { findingJson, findingLines } from "../../../cli/doctor/finding.ts";
import { judgeNode } from "../../../cli/doctor/tools.ts";

test("a failure shows its id, message and fix, for people and for machines", () => {
  const finding = { check: "versions", ...judgeNode("18.0.0", ">=20.11") };
  expect(findingLines(finding)).toMatch(
    /^failed +versions +doctor-node-old {2}This is Node 18.+\n {25}fix {3}install Node 20\.11/,
  );
  expect(findingJson(finding)).toEqual({
    check: "versions",
    state: "failed",
    error: { id: "doctor-node-old", message: expect.any(String), fix: expect.any(String) },
  });
});
