// The analysis as SARIF 2.1.0, in the part of it that GitHub code scanning reads: rules with help, results with stable
// fingerprints, related places, and the worst path as a code flow across files.
import type { Analysis } from "../analyze.ts";
import type { Place } from "../place.ts";
import { antiPatterns, type Finding, type Rule, type Severity } from "../rule.ts";
import { fingerprintOf, sureness } from "../summary.ts";

const levels: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "note",
  info: "note",
};

/** GitHub shows no more; the worst come first. */
const resultsMax = 5000;

/** Gives the log as a value. */
export function sarifLog({ findings, rules, graph, failed }: Analysis, version: string): object {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "ballast", semanticVersion: version, rules: rules.map(ruleOf) } },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { SRCROOT: { description: { text: "The analysed folder." } } },
        invocations: [
          {
            executionSuccessful: failed.length === 0,
            toolExecutionNotifications: [
              ...failed.map(({ rule, because }) => failureOf(rule, because, rules)),
              ...graph.notJudged.map(({ file, because }) => ({
                level: "warning",
                message: { text: `${file} was not judged: ${because}.` },
                locations: [{ physicalLocation: { artifactLocation: artifact(file) } }],
              })),
            ],
          },
        ],
        results: findings.slice(0, resultsMax).map((finding) => resultOf(finding, rules)),
      },
    ],
  };
}

/** Writes the log. */
export const sarifPage = (analysis: Analysis, version: string): string =>
  `${JSON.stringify(sarifLog(analysis, version), null, 2)}\n`;

const ruleOf = (rule: Rule): object => ({
  id: rule.id,
  name: rule.title.replaceAll(/[^A-Za-z]*(?:^|[^A-Za-z])([A-Za-z])/g, (_whole, letter: string) => letter.toUpperCase()),
  shortDescription: { text: `${rule.title}.` },
  fullDescription: { text: rule.why },
  help: {
    text: `${rule.why}\n\nFix: ${rule.fix}\n\nSeverity: ${rule.severity}\n\nLimits: ${rule.limits}`,
    markdown: `${rule.why}\n\n**Fix.** ${rule.fix}\n\n**Severity.** ${rule.severity}\n\n**Limits.** ${rule.limits}`,
  },
  properties: {
    tags: [rule.focus, `anti-pattern-${rule.antiPattern}`, ...rule.systems],
    antiPattern: antiPatterns[rule.antiPattern],
  },
});

/** Says that a rule stopped with an error. */
const failureOf = (id: string, because: string, rules: readonly Rule[]): object => ({
  level: "error",
  message: { text: `${id} was not judged: ${because}.` },
  associatedRule: { id, index: rules.findIndex((rule) => rule.id === id) },
});

function resultOf(finding: Finding, rules: readonly Rule[]): object {
  const { rule, severity, message, cost, fix, place, known, related = [] } = finding;
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: levels[severity],
    message: { text: `${message} ${cost} Fix: ${fix}.` },
    locations: [{ physicalLocation: physical(place) }],
    ...(related.length > 0 && {
      relatedLocations: related.map((each, at) => ({
        id: at + 1,
        message: { text: each.message },
        physicalLocation: physical(each.place),
      })),
      codeFlows: [flowOf(finding)],
    }),
    partialFingerprints: { "ballastFinding/v1": fingerprintOf(finding) },
    properties: { severity, known: sureness(known) },
  };
}

/** The places of a finding in order, which GitHub shows as a path through the files. */
const flowOf = ({ place, message, related = [] }: Finding): object => ({
  threadFlows: [
    {
      locations: [{ place, message }, ...related].map((each) => ({
        location: { message: { text: each.message }, physicalLocation: physical(each.place) },
      })),
    },
  ],
});

const artifact = (file: string): object => ({
  uri: file.split("/").map(encodeURIComponent).join("/"),
  uriBaseId: "SRCROOT",
});

/** An empty range has no end, because SARIF wants the end behind the start. */
function physical({ file, line, column, endLine, endColumn }: Place): object {
  const isEmpty = endLine < line || (endLine === line && endColumn <= column);
  const end = isEmpty ? {} : { endLine, endColumn };
  return { artifactLocation: artifact(file), region: { startLine: line, startColumn: column, ...end } };
}
