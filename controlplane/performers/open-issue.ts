// The runbook that reports an incident as a GitHub issue: it opens one, or comments on the one that is open. It closes
// none and changes nobody's text. A write whose answer was lost is found by the mark of its action.
import { fold, found, type Result } from "../../engines/engine.ts";
import { type Issue, type IssuePlan, isWrittenBy, planIssue } from "../../engines/remediation/issue.ts";
import { streamOf } from "../../engines/remediation/names.ts";
import { remediation } from "../../engines/remediation/remediation.ts";
import type { Incident, Receipt, RemediationEvent } from "../../engines/remediation/vocabulary.ts";
import type { Fence, Journal } from "../runtime/ports.ts";
import type { Issues, RunbookPort } from "./remediation-ports.ts";

/** What the runbook needs. */
export interface IssueWorld {
  readonly journal: Pick<Journal, "read">;
  /** Undefined if no token is configured. */
  readonly issues: Issues | undefined;
}

const never = new AbortController().signal;
const unconfigured = "no token for GitHub issues is configured";

/** Makes the runbook. */
export const openIssue = ({ journal, issues }: IssueWorld): RunbookPort => ({
  plan: async (_target, { repository = "" }, incident, cancel) => {
    if (issues === undefined) return found({ fits: false, message: unconfigured, plan: "" });
    const planned = await planOf(journal, issues, repository, incident, "plan", cancel);
    if (!planned.ok) return planned;
    const { plan } = planned.value;
    return found({
      fits: true,
      message: "it changes nothing that serves",
      plan:
        plan.say === "open"
          ? `open an issue in ${repository}: ${plan.title}`
          : `comment on issue ${plan.number} of ${repository}`,
    });
  },
  act: async ({ rung: { repository = "" }, incident, key }, fence) => {
    if (issues === undefined) return { ok: false, reason: unconfigured };
    const planned = await planOf(journal, issues, repository, incident, key, never);
    if (!planned.ok) return planned;
    const written = await writtenIn(issues, repository, planned.value, key);
    if (!written.ok) return written;
    return written.value === undefined
      ? write(issues, repository, planned.value.plan, fence)
      : found(receiptOf(repository, written.value));
  },
});

interface Planned {
  readonly plan: IssuePlan;
  readonly listed: readonly Issue[];
}

async function planOf(
  journal: Pick<Journal, "read">,
  issues: Issues,
  repository: string,
  incident: Incident,
  key: string,
  cancel: AbortSignal,
): Promise<Result<Planned>> {
  const listed = await issues.list(repository, cancel);
  if (!listed.ok) return listed;
  const facts = await journal.read(streamOf(incident));
  const state = fold(remediation, facts.map(({ event }) => event) as readonly RemediationEvent[]);
  return found({ plan: planIssue(state, listed.value, key), listed: listed.value });
}

/** Gives the issue in which an action has written before; undefined if there is none. */
async function writtenIn(
  issues: Issues,
  repository: string,
  { plan, listed }: Planned,
  key: string,
): Promise<Result<number | undefined>> {
  const opened = listed.find(({ body }) => isWrittenBy(body, key))?.number;
  if (opened !== undefined || plan.say === "open") return found(opened);
  const comments = await issues.comments(repository, plan.number, never);
  if (!comments.ok) return comments;
  // Anybody may write our mark in a comment. Only we open issues with our label, so its author is who we are.
  const isOurs = comments.value.some(({ author, body }) => author === plan.author && isWrittenBy(body, key));
  return found(isOurs ? plan.number : undefined);
}

async function write(issues: Issues, repository: string, plan: IssuePlan, fence: Fence): Promise<Result<Receipt>> {
  if (!(await fence())) return { ok: false, reason: "another process now owns the incident, so nothing was written" };
  if (plan.say === "comment") {
    const written = await issues.comment(repository, plan.number, plan.body);
    return written.ok ? found(receiptOf(repository, plan.number)) : written;
  }
  const opened = await issues.open(repository, plan.title, plan.body);
  return opened.ok ? found(receiptOf(repository, opened.value)) : opened;
}

/** The person who is called gets the issue as the last line of the evidence. */
const receiptOf = (repository: string, issue: number): Receipt => ({
  message: `issue ${issue} of ${repository} has the evidence`,
  evidence: [`issue: ${repository}#${issue}`],
});
