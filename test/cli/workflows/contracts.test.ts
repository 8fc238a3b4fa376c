// The types of callers follow the contracts of the reusable workflows. `npm run check` proves the lines below that do
// not compile: an `@ts-expect-error` without an error is an error.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Call } from "ballast";
import { expect, test } from "vitest";
import { readContract } from "../../../cli/workflows/contract.ts";
import { ownContractTypes } from "../../../toolchain/package/reference.ts";
import { contractTypes } from "../../../toolchain/package/workflow-contracts.ts";

type Up = Call<"pulumi-up">;
const azure = { "azure-client-id": "1", "azure-tenant-id": "2", "azure-subscription-id": "3" };
const inputs: Up["inputs"] = { stack: "prod", environment: "prod", ...azure };
const secrets: Up["secrets"] = { "pulumi-config-passphrase": "${{ secrets.PASSPHRASE }}" };
const permissions: Up["permissions"] = { contents: "read", "id-token": "write", issues: "write" };

test("a call with what the contract asks for compiles, and one with anything else does not", () => {
  const good: Up = { key: "up", workflow: "pulumi-up", inputs, secrets, permissions };
  const wrong: readonly Up[] = [
    // @ts-expect-error: the name of an input is misspelt
    { ...good, inputs: { stak: "prod", environment: "prod", ...azure } },
    // @ts-expect-error: an input is missing
    { ...good, inputs: { stack: "prod", ...azure } },
    // @ts-expect-error: an input has another type
    { ...good, inputs: { ...inputs, stack: 1 } },
    // @ts-expect-error: a permission is missing
    { ...good, permissions: { contents: "read", "id-token": "write" } },
    // @ts-expect-error: a permission is too low
    { ...good, permissions: { ...permissions, issues: "read" } },
    // @ts-expect-error: a permission is not needed
    { ...good, permissions: { ...permissions, packages: "write" } },
    // @ts-expect-error: the workflow takes no such secret
    { ...good, secrets: { passphrase: "1" } },
    // @ts-expect-error: no workflow has this name
    { ...good, workflow: "pulumi-op" },
  ];
  expect(wrong.map((each) => JSON.stringify(each))).not.toContain(JSON.stringify(good));
});

test("the types are those of the files, as `npm run docs:reference` writes them", () =>
  expect(
    readFileSync(join(import.meta.dirname, "..", "..", "..", "components", "workflows", "contracts.ts"), "utf8"),
  ).toBe(ownContractTypes()));

test("an input with a default may be left out, and has its own type", () => {
  const text = `on:
  workflow_call:
    inputs:
      deep: { type: boolean, required: true }
      minutes: { type: number, default: 3 }
jobs: { a: { runs-on: ubuntu-24.04, permissions: {}, steps: [{ run: echo }] } }
`;
  const types = contractTypes([["a", readContract("a.yml", text)!]]);
  expect(types).toContain("      readonly deep: boolean;\n      readonly minutes?: number;\n");
  expect(types).toContain("    readonly outputs: never;\n");
});
