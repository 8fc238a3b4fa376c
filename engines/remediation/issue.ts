// What an issue about an incident says. Texts of an alert come from outside, so they stand in blocks of code: there
// they mention nobody, link nothing and write no mark.
import { describeResult } from "./decisions/end.ts";
import { streamOf } from "./names.ts";
import { runbookOf } from "./runbooks.ts";
import type { Incident, RemediationState } from "./vocabulary.ts";

/** An issue as its repository has it. */
export interface Issue {
  readonly number: number;
  /** The login of whoever opened it. */
  readonly author: string;
  readonly body: string;
  readonly open: boolean;
}

/** What is to be done: a new issue, or a comment on one that exists. */
export type IssuePlan =
  | { readonly say: "open"; readonly title: string; readonly body: string }
  | { readonly say: "comment"; readonly number: number; readonly author: string; readonly body: string };

/** Marks the issues about one rule and target. Encoded, so that the name of a rule cannot end the comment. */
const subjectMark = ({ target, alert }: Incident): string =>
  `<!-- ballast subject ${encodeURIComponent(target)} ${encodeURIComponent(alert.rule)} -->`;
const incidentMark = (incident: Incident): string =>
  `<!-- ballast incident ${encodeURIComponent(streamOf(incident))} -->`;

/** Marks what one action wrote, so that a repetition finds it. */
const actionMark = (key: string): string => `<!-- ballast action ${encodeURIComponent(key)} -->`;

/** Reports whether a text has a mark, on a line of its own. Lines of a block are indented, so none passes for one. */
const holdsMark = (text: string, mark: string): boolean => text.split(/\r?\n/).includes(mark);

/** Reports whether an action wrote a text. */
export const isWrittenBy = (text: string, key: string): boolean => holdsMark(text, actionMark(key));

/**
 * Plans what an incident writes. An incident has one issue: its own, also one that a person has closed since. Otherwise
 * it is the open issue of an earlier incident of the same rule and target, because the cause is not repaired yet.
 * Nothing closes or reopens an issue but people.
 */
export function planIssue(state: RemediationState, issues: readonly Issue[], key: string): IssuePlan {
  const incident = state.incident!;
  const own = issues.find(({ body }) => holdsMark(body, incidentMark(incident)));
  const known = own ?? issues.find(({ open, body }) => open && holdsMark(body, subjectMark(incident)));
  const report = reportOf(state, key);
  if (known !== undefined) return { say: "comment", number: known.number, author: known.author, body: report };
  const { target, alert } = incident;
  const title = `${target}: ${alert.rule} (severity ${alert.severity})`.slice(0, titleCharactersMax);
  return { say: "open", title, body: [report, subjectMark(incident), incidentMark(incident)].join("\n") };
}

/** GitHub takes no longer title, and no longer text; the rest leaves room for the marks. */
const titleCharactersMax = 250;
const linesMax = 60;
const lineCharactersMax = 500;

/** Writes what is known of an incident now, and the mark of the action that reports it. */
function reportOf({ incident, policy, ended, evidence }: RemediationState, key: string): string {
  const { target, alert, message, origin } = incident!;
  const tried = ended.map(({ action, worked }) => `${runbookOf(action.runbook).says}: ${describeResult(worked)}`);
  return [
    origin === "drill" ? "This is a drill." : "An alert needs a person.",
    "",
    block([
      `target: ${target}`,
      `alert rule: ${alert.rule}`,
      `severity: ${alert.severity}`,
      `owner: ${policy?.owner ?? "unknown"}`,
      `incident: ${streamOf(incident!)}`,
      ...(alert.trace === undefined ? [] : [`trace: ${alert.trace}`]),
      `message: ${message}`,
    ]),
    "",
    "What was tried:",
    "",
    block(tried.length === 0 ? ["nothing"] : tried),
    "",
    "Evidence:",
    "",
    block(evidence.length === 0 ? ["none was collected"] : evidence),
    "",
    actionMark(key),
  ].join("\n");
}

/** Writes lines as a block of code. A line cannot end it: indentation has no closing mark. */
const block = (lines: readonly string[]): string =>
  lines
    .slice(0, linesMax)
    .map((line) => `    ${line.replaceAll(/[\r\n\t\u2028\u2029]+/g, " ").slice(0, lineCharactersMax)}`)
    .join("\n");
