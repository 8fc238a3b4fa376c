// `npm run docs:reference`: writes the pages of docs/reference from what they document. test/docs/reference.test.ts
// compares the pages with what this gives. Only glossary.md and versioning.md are written by hand.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Rule } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";
import { kinds } from "../../engines/kinds.ts";
import { askSources } from "./exported-types.ts";
import { generatedFrom, plain } from "./markdown.ts";
import { apiPage } from "./reference-api.ts";
import { commandsPage } from "./reference-commands.ts";
import { componentPages, folderOf } from "./reference-components.ts";
import { configurationPage } from "./reference-configuration.ts";
import { emulatorPage } from "./reference-emulator.ts";
import { errorsPage, importErrors } from "./reference-errors.ts";
import { rulePages } from "./reference-rules.ts";
import { ownContracts, workflowsPage } from "./reference-workflows.ts";
import { contractTypes } from "./workflow-contracts.ts";

const root = join(import.meta.dirname, "..", "..");

/** Gives every generated page by its path in docs/reference. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const errors = await importErrors();
  return askSources(root, (sources) => {
    const exported = sources.exports("package.ts");
    const components = exported.filter(({ kind }) => kind === "component");
    return new Map([
      ["README.md", index(components.map(({ name, documentation }) => [name, documentation]))],
      ["api.md", apiPage(kinds)],
      ["commands.md", commandsPage()],
      ["configuration.md", configurationPage()],
      ["emulator.md", emulatorPage()],
      ["errors.md", errorsPage(errors, sources)],
      ["workflows.md", workflowsPage()],
      ...[...componentPages(exported)].map(([name, text]) => [`components/${name}`, text] as const),
      ...[...rulePages()].map(([name, text]) => [`rules/${name}`, text] as const),
    ]);
  });
}

const index = (components: readonly (readonly [name: string, documentation: string])[]): string =>
  `# Reference

${generatedFrom("the sources")}

- [Configuration](configuration.md): every key of a stack's \`ballast:*\` configuration.
- [Commands](commands.md): every command of \`ballast\`, with its options and exit codes.
- [API](api.md): every call of the control plane; the [guide](../guides/api.md) has examples.
- [Emulator](emulator.md): every resource type that the emulator serves, and what it does with each field.
- [Errors](errors.md): every error by its id, with what to do about it.
- [Reusable workflows](workflows.md): inputs, outputs and permissions of every workflow that others can call.
- [Rules](rules/README.md): every rule of \`ballast analyze\` and of the policy pack, with examples.
${rulebook.map(ruleLine).join("")}- [Glossary](glossary.md): the words that these pages use.
- [Versions](versioning.md): what a version promises to keep.
- [Components](components/README.md): what the package exports, with the types that they share.
${components.map(componentLine).join("")}`;

const ruleLine = ({ id, title }: Rule): string => `  - [\`${id}\`](rules/${id}.md): ${plain(title)}\n`;

const componentLine = ([name, documentation]: readonly [name: string, documentation: string]): string =>
  `  - [\`${name}\`](components/${folderOf(name)}.md): ${plain(documentation)}\n`;

async function main(): Promise<void> {
  const folder = join(root, "docs", "reference");
  for (const generated of ["components", "rules"]) rmSync(join(folder, generated), { recursive: true, force: true });
  for (const [name, text] of await referencePages()) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  writeFileSync(join(root, "components", "workflows", "contracts.ts"), ownContractTypes());
}

/** Gives the types of callers. */
export const ownContractTypes = (): string =>
  contractTypes(ownContracts().map(([file, contract]) => [file.replace(/\.yml$/, ""), contract]));

if (import.meta.main) await main();
