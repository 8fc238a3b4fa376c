// docs/reference/rules: a page for every rule of the rulebook, and their index. A page is written from the rule alone:
// why it matters, what it reports, its failing example and its near miss, which are also the rule's tests.
import { antiPatterns, type Files, type NearMiss, type Rule } from "../../analysis/rule.ts";
import { rulebook } from "../../analysis/rulebook.ts";
import { block, code, generatedFrom, plain, table } from "./markdown.ts";

/** Gives every page by its path in docs/reference/rules. */
export const rulePages = (): ReadonlyMap<string, string> =>
  new Map([["README.md", index()], ...rulebook.map((rule) => [`${rule.id}.md`, page(rule)] as const)]);

const index = (): string =>
  [
    "# Rules",
    generatedFrom("`analysis/rules`"),
    "`ballast analyze` and the policy pack apply these rules. The ids are permanent.",
    table(
      ["rule", "reports", "system", "focus"],
      rulebook.map(({ id, title, systems, focus }) => [`[${id}](${id}.md)`, plain(title), systems.join(", "), focus]),
    ),
  ].join("\n\n");

const page = (rule: Rule): string =>
  `${[
    `# ${rule.id}`,
    generatedFrom(code(`analysis/rules/${rule.id}.ts`)),
    `**${plain(rule.title)}.** Anti-pattern ${rule.antiPattern}: ${antiPatterns[rule.antiPattern]}. ` +
      `Focus: ${rule.focus}.`,
    "## Why",
    plain(rule.why),
    "## Severity",
    plain(rule.severity),
    "## Fix",
    plain(rule.fix),
    "## Limits",
    plain(rule.limits),
    ...rule.failing.flatMap((files, at) => [`## Failing example ${at + 1}`, ...filesOf(files)]),
    ...rule.nearMisses.flatMap((miss, at) => [`## Near miss ${at + 1}`, ...nearMissOf(miss)]),
  ].join("\n\n")}\n`;

const filesOf = (files: Files): readonly string[] =>
  Object.entries(files).flatMap(([file, text]) => [
    `${code(file)}:`,
    block(file.endsWith(".md") ? "markdown" : "yaml", text.replaceAll("```", "~~~")).trimEnd(),
  ]);

const nearMissOf = ({ files, because, edit }: NearMiss): readonly string[] => [
  `Not reported: ${plain(because)}`,
  ...filesOf(files),
  `It would be reported if ${code(edit.file)} had`,
  block("yaml", edit.by.trim() === "" ? "# nothing" : edit.by).trimEnd(),
  "instead of",
  block("yaml", edit.replace).trimEnd(),
];
