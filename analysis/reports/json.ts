// The analysis as JSON: everything that the other reports show, and the graph. `analysis.schema.json` beside this file
// is its schema; a field is added without a new version, and never changes its meaning within one.
import type { Analysis } from "../analyze.ts";
import { fingerprintOf, type Summary } from "../summary.ts";

/** Gives the report as a value. */
export const jsonReport = ({ graph, findings, rules, systems }: Analysis, summary: Summary): object => ({
  version: 1,
  verdict: summary.verdict,
  isClean: summary.isClean,
  counts: summary.counts,
  systems,
  findings: findings.map(({ repair, ...finding }) => ({
    ...finding,
    fingerprint: fingerprintOf(finding),
    isRepairable: repair !== undefined,
  })),
  notJudged: summary.gaps,
  rules: rules.map(({ id, title, antiPattern, focus }) => ({ id, title, antiPattern, focus })),
  graph,
});

/** Writes the report. */
export const jsonPage = (analysis: Analysis, summary: Summary): string =>
  `${JSON.stringify(jsonReport(analysis, summary), null, 2)}\n`;
