// The page for people: verdict, the findings that matter, the worst path as a picture, and what was not judged. It is
// Markdown that reads well as plain text, and fits on a page: what is beyond the first findings is counted.
import type { Analysis } from "../analyze.ts";
import { type Finding, type Related, rankOf } from "../rule.ts";
import { type Summary, sureness } from "../summary.ts";
import { mermaidPath } from "./mermaid.ts";

export interface PageOptions {
  /** How many findings are shown in full. @default 10 */
  readonly most?: number;
  /** Only the fixes, in order. */
  readonly onlyFixes?: boolean;
  /** What was repaired, or could be. */
  readonly patches?: string;
}

/** Writes the page. */
export function markdownPage({ findings, rules }: Analysis, summary: Summary, options: PageOptions = {}): string {
  const { most = 10, onlyFixes = false, patches } = options;
  const above = findings.filter(({ severity }) => rankOf(severity) > 0);
  const shown = above.slice(0, most);
  const titles = new Map(rules.map(({ id, title }) => [id, title]));
  const parts = onlyFixes
    ? ["# Recommendations", summary.verdict, ...fixes(above)]
    : [
        "# Orchestration analysis",
        `**${summary.verdict}**`,
        ...shown.map((finding, index) => one(finding, index + 1)),
        ...rest(above.slice(shown.length), summary.counts.info, titles),
        ...picture(summary.worstPath),
        ...(patches ? ["## Patches", patches] : []),
        ...gaps(summary),
      ];
  return `${parts.join("\n\n")}\n`;
}

/** A path in code; what would end the code or the line is shown as `?`. */
const path = (file: string): string => file.replaceAll(/[`\p{Cc}]/gu, "?");
const at = ({ place }: Finding): string => `${path(place.file)}:${place.line}`;

function one(finding: Finding, number: number): string {
  const { severity, rule, message, cost, fix, known, related = [], repair } = finding;
  return [
    `${number}. **${severity}** ${plain(message)}`,
    `   - where: \`${at(finding)}\`${related.map(besides).join("")}`,
    `   - costs: ${plain(cost)}`,
    `   - fix: ${plain(fix)}${repair ? " (a patch is ready: `--dry-run` shows it)" : ""}`,
    `   - rule: ${rule}; ${sureness(known)}`,
  ].join("\n");
}

const besides = ({ place, message }: Related): string => `; ${plain(message)}: \`${path(place.file)}:${place.line}\``;

/** Text of files must not become markup. */
const plain = (text: string): string =>
  text.replaceAll(/[\\`*_<>[\]|]/g, (char) => `\\${char}`).replaceAll(/\s+/g, " ");

function rest(findings: readonly Finding[], infos: number, titles: ReadonlyMap<string, string>): readonly string[] {
  const lines = findings.map(
    (finding) => `- ${finding.severity} \`${at(finding)}\` ${plain(titles.get(finding.rule) ?? "")} (${finding.rule})`,
  );
  const shown = lines.slice(0, 20);
  const parts = [
    ...(lines.length > 0 ? [`Further findings:\n\n${shown.join("\n")}`] : []),
    ...(lines.length > shown.length ? [`${lines.length - shown.length} more: \`--output full\` shows all.`] : []),
    ...(infos > 0 ? [`${infos} of severity info: \`--format json\` lists them.`] : []),
  ];
  return parts;
}

const fixes = (findings: readonly Finding[]): readonly string[] =>
  findings.length === 0
    ? []
    : [
        findings
          .map(
            (finding, index) =>
              `${index + 1}. \`${at(finding)}\`: ${plain(finding.fix)} (${finding.severity}, ${finding.rule})`,
          )
          .join("\n"),
      ];

const picture = (labels: readonly string[]): readonly string[] =>
  labels.length < 2 ? [] : ["## Worst path", `\`\`\`mermaid\n${mermaidPath(labels)}\`\`\``];

function gaps({ gaps: all, outside }: Summary): readonly string[] {
  const shown = all.slice(0, 15);
  const lines = shown.map(({ what, because }) => `- \`${path(what)}\`: ${plain(because)}`);
  const more =
    all.length > shown.length ? [`- and ${all.length - shown.length} more: \`--format json\` lists them`] : [];
  return ["## Not judged", [...lines, ...more, `- ${outside}`].join("\n")];
}
