// The reports of `ballast policy check`: text for people, JSON for programs, SARIF for code scanning. All three hold
// every finding with its level, severity, fix and page, what is waived and by whom, and what could not be judged.

import { describeFailed } from "../../analysis/failed-rule.ts";
import { joinFragments } from "../../analysis/graph.ts";
import { sarifLog } from "../../analysis/reports/sarif.ts";
import { stackRules } from "../../analysis/stack-rules.ts";
import type { PulumiFinding } from "../../analysis/systems/pulumi/view.ts";
import { many } from "../../engines/wording.ts";
import type { JudgedFinding, Judgement } from "../../policies/judgement.ts";
import type { ProgramFolder } from "../../policies/program-folder.ts";
import { describeUnjudged } from "../../policies/unjudged.ts";
import { dateOf, type Waiver } from "../../policies/waivers.ts";

const pageOf = (rule: string): string =>
  stackRules.some(({ id }) => id === rule) ? `docs/reference/rules/${rule}.md` : "docs/guides/policies.md";

const at = ({ place: { file, line } }: PulumiFinding): string => (file === "" ? "" : `${file}:${line}  `);

/** Writes the report for people. */
export function checkText({ stack, tier, profile, findings, waived, unjudged, failed }: Judgement): string {
  const mandatory = findings.filter(({ level }) => level === "mandatory").length;
  return [
    `${stack}: ${tier}, profile ${profile}. ${many(findings.length, "finding")}, ${mandatory} of them mandatory.`,
    ...findings.map(linesOf),
    ...waived.map(({ finding, waiver }) => `${at(finding)}${finding.rule} is waived ${grounds(waiver)}`),
    ...(unjudged.size > 0
      ? [`Not judged, because it is encrypted or known only after the update: ${describeUnjudged(unjudged)}.`]
      : []),
    ...(failed.length > 0 ? [`Not judged: ${describeFailed(failed)}.`] : []),
  ].join("\n\n");
}

const linesOf = ({ finding, level, isOld }: JudgedFinding): string =>
  [
    `${level} ${finding.severity}  ${finding.rule}${isOld ? "  (in the baseline)" : ""}`,
    `  ${at(finding)}${finding.message} ${finding.cost}`,
    `  fix   ${finding.fix}`,
    `  page  ${pageOf(finding.rule)}`,
  ].join("\n");

const grounds = ({ owner, ticket, expires, reason }: Waiver): string =>
  `until ${dateOf(expires)} by ${owner} (${ticket}): ${reason}`;

/** Writes the report for programs. */
export const checkJson = ({ stack, tier, profile, findings, waived, unjudged, failed }: Judgement): string =>
  JSON.stringify(
    {
      version: 1,
      stack,
      tier,
      profile,
      findings: findings.map(({ finding, level, isOld }) => ({ ...jsonOf(finding), level, isOld })),
      waived: waived.map(({ finding, waiver: { created, expires, place, ...waiver } }) => ({
        ...jsonOf(finding),
        waiver: { ...waiver, created: dateOf(created), expires: dateOf(expires), line: place.line },
      })),
      notJudged: [
        ...[...unjudged].flatMap(([rule, values]) => values.map(({ urn, path }) => ({ rule, urn, path }))),
        ...failed,
      ],
    },
    null,
    2,
  );

const jsonOf = ({ rule, severity, place, urn, message, cost, fix, subject, known }: PulumiFinding) => ({
  rule,
  severity,
  known,
  place,
  ...(urn !== undefined && { urn }),
  message,
  cost,
  fix,
  page: pageOf(rule),
  subject,
});

/** Writes the report for code scanning. What is waived or in the baseline is suppressed, with the reason. */
export function checkSarif(judgement: Judgement, program: ProgramFolder, version: string): string {
  const { findings, waived, unjudged, failed } = judgement;
  const suppressions = new Map<PulumiFinding, object>([
    ...waived.map(
      ({ finding, waiver }) =>
        [finding, { kind: "external", status: "accepted", justification: grounds(waiver) }] as const,
    ),
    ...findings
      .filter(({ isOld }) => isOld)
      .map(({ finding }) => [finding, { kind: "external", justification: "It is in the baseline." }] as const),
  ]);
  const all = [...findings.map(({ finding }) => finding), ...waived.map(({ finding }) => finding)];
  const because = describeUnjudged(unjudged);
  const graph = {
    ...joinFragments([]),
    notJudged:
      unjudged.size > 0
        ? [{ file: program.otherwise.file, because: `it is encrypted or known only after the update: ${because}` }]
        : [],
  };
  const placed = all.map((finding) => (finding.place.file === "" ? { ...finding, place: program.otherwise } : finding));
  const log = sarifLog(
    { findings: placed, rules: stackRules, graph, failed, systems: ["pulumi"] },
    version,
  ) as SarifLog;
  const [run] = log.runs;
  for (const [index, result] of run!.results.entries()) {
    const { rule, fix, urn } = all[index]!;
    Object.assign(result.properties, { fix, page: pageOf(rule), ...(urn !== undefined && { urn }) });
    const suppression = suppressions.get(all[index]!);
    if (suppression) Object.assign(result, { suppressions: [suppression] });
  }
  for (const rule of run!.tool.driver.rules) Object.assign(rule.properties, { page: pageOf(rule.id) });
  return JSON.stringify(log, null, 2);
}

/** What is added to of a log. */
interface SarifLog {
  readonly runs: readonly {
    readonly results: readonly { readonly properties: object }[];
    readonly tool: {
      readonly driver: { readonly rules: readonly { readonly id: string; readonly properties: object }[] };
    };
  }[];
}
