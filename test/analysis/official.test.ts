// GitHub's own parser is the judge of validity, except where it refuses what GitHub runs: the parser is the one of
// editors, and stricter in one place.
import { expect, test } from "vitest";
import { rejectionsOf } from "../../analysis/systems/workflows/official.ts";

const workflow = (event: string, fallback: string): string => `on:
  ${event}:
    inputs:
      skip:
        type: boolean
        default: ${fallback}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: echo a
`;

async function messages(text: string): Promise<readonly string[]> {
  const { rejected, unchecked } = await rejectionsOf([{ file: "a.yml", text }]);
  expect(unchecked).toEqual([]);
  return rejected.get("a.yml")!.map(({ message }) => message);
}

test("a text as the default of a boolean input is taken from a person, and refused from a caller", async () => {
  expect(await messages(workflow("workflow_dispatch", "'false'"))).toEqual([]);
  expect(await messages(workflow("workflow_call", "'false'"))).toEqual([
    expect.stringContaining("'StringToken' encountered while reading 'input default'"),
  ]);
  expect(await messages(workflow("workflow_call", "false"))).toEqual([]);
});

test("what is wrong beside a tolerated default is still reported", async () => {
  const text = workflow("workflow_dispatch", "'false'").replace("runs-on", "runs-om");
  expect((await messages(text)).join(" ")).toContain("runs-om");
});
