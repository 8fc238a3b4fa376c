// What a pull request changes in what the policies find: two reports of `ballast policy check --format json`, one of
// the change and one of the base, compared by rule and subject. Without the base every finding counts as found, and
// none as new.

/** A finding of a report. */
export interface ReportedFinding {
  readonly rule: string;
  readonly severity: string;
  readonly level: string;
  readonly subject: string;
  readonly message: string;
  readonly fix: string;
  readonly isOld: boolean;
  readonly place: { readonly file: string; readonly line: number };
}

/** A finding that is accepted for a time. */
export interface WaivedFinding extends Omit<ReportedFinding, "level" | "isOld"> {
  readonly waiver: {
    readonly owner: string;
    readonly ticket: string;
    readonly expires: string;
    readonly reason: string;
  };
}

/** A report, as far as a comment needs it. */
export interface PolicyReport {
  readonly stack: string;
  readonly profile: string;
  readonly findings: readonly ReportedFinding[];
  readonly waived: readonly WaivedFinding[];
  readonly notJudged: readonly { readonly rule: string }[];
}

/** What the policies find, compared with the base. */
export interface ComparedFindings {
  readonly profile: string;
  readonly hasBase: boolean;
  /** Not in the base; everything if there is none. */
  readonly added: readonly ReportedFinding[];
  /** In the base, too. */
  readonly kept: readonly ReportedFinding[];
  /** In the base only. What a rule could not judge here is not counted. */
  readonly resolved: number;
  readonly waived: readonly WaivedFinding[];
  /** How many values no rule could judge, because they are known only after the update. */
  readonly notJudged: number;
}

/** Gives a report from JSON. @returns undefined if it is none */
export function policyReport(json: unknown): PolicyReport | undefined {
  const { version, findings, waived, notJudged } = (json ?? {}) as Record<string, unknown>;
  const isReport = version === 1 && [findings, waived, notJudged].every(Array.isArray);
  return isReport ? (json as PolicyReport) : undefined;
}

const keyOf = ({ rule, subject }: Pick<ReportedFinding, "rule" | "subject">): string => `${rule} ${subject}`;

/** Compares a report with that of the base. */
export function compareFindings(head: PolicyReport, base: PolicyReport | undefined): ComparedFindings {
  const known = new Set([...(base?.findings ?? []), ...(base?.waived ?? [])].map(keyOf));
  const here = new Set([...head.findings, ...head.waived].map(keyOf));
  const unjudged = new Set(head.notJudged.map(({ rule }) => rule));
  const isGone = (finding: ReportedFinding): boolean => !here.has(keyOf(finding)) && !unjudged.has(finding.rule);
  return {
    profile: head.profile,
    hasBase: base !== undefined,
    added: head.findings.filter((finding) => !known.has(keyOf(finding))),
    kept: head.findings.filter((finding) => known.has(keyOf(finding))),
    resolved: (base?.findings ?? []).filter(isGone).length,
    waived: head.waived,
    notJudged: head.notJudged.length,
  };
}
