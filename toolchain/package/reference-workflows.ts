// docs/reference/workflows.md: the contract of every reusable workflow, as a caller needs it, from the files
// themselves.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Contract, type NamedContract, readContract } from "../../cli/workflows/contract.ts";
import { code, generatedFrom, plain, table } from "./markdown.ts";

const root = join(import.meta.dirname, "..", "..");

/** Gives the contracts by the names of their files. */
export const ownContracts = (): readonly (readonly [file: string, contract: Contract])[] =>
  globSync(".github/workflows/*.yml", { cwd: root })
    .toSorted()
    .flatMap((file) => {
      const contract = readContract(file, readFileSync(join(root, file), "utf8"));
      return contract === undefined ? [] : [[basename(file), contract] as const];
    });

/** Gives the page. */
export function workflowsPage(): string {
  return [
    "# Reusable workflows",
    generatedFrom("the files in `.github/workflows`"),
    "A job calls one with `uses: <owner>/<name>/.github/workflows/<file>@<commit>`. " +
      "[The guide](../guides/workflows.md) says how they belong together; `ballast workflows init` writes callers.",
    ...ownContracts().flatMap(([file, contract]) => section(file, contract)),
    "",
  ].join("\n\n");
}

function section(file: string, { purpose, inputs, secrets, outputs, permissions }: Contract): readonly string[] {
  const rights = [...(permissions ?? [])].map(([scope, level]) => code(`${scope}: ${level}`));
  return [
    `## ${file}`,
    plain(purpose),
    `Permissions that a caller grants: ${rights.join(", ") || "none"}.`,
    ...part(
      ["input", "type", "default", "description"],
      [...inputs].map(([name, { type, isRequired, fallback = "", description }]) => [
        code(name),
        type,
        isRequired ? "*required*" : code(JSON.stringify(fallback)),
        plain(description),
      ]),
    ),
    ...part(["secret", "description"], named(secrets)),
    ...part(["output", "description"], named(outputs)),
  ];
}

const named = (items: ReadonlyMap<string, NamedContract>): readonly (readonly string[])[] =>
  [...items].map(([name, { description }]) => [code(name), plain(description)]);

const part = (heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] =>
  rows.length === 0 ? [] : [table(heads, rows).trimEnd()];
