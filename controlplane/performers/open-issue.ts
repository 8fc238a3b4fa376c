// The runbook that reports an incident as a GitHub issue: it opens one, or comments on the one that is open. It closes
// none and changes nobody's text. A write whose answer was lost is found by the mark of its action.
import { fold, type Result } from "../../engines/engine.ts";
import { type IssuePlan, isWrittenBy, planIssue } from "../../engines/remediation/issue.ts";
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
const found = <Value>(value: Value): Result<Value> => ({ ok: true, value });
const unconfigured = "no token for GitHub issues is configured";

/** Makes the runbook. */
export const openIssue = ({ journal, issues }: IssueWorld): RunbookPort => ({
  plan: async (_target, { repository = "" }, incident, cancel) => {
    if (issues === undefined) return found({ fits: false, message: unconfigured, plan: "" });
    const planned = await planOf(journal, issues, repository, incident, "plan", cancel);
    if (!planned.ok) return planned;
    return found({
      fits: true,
      message: "it changes nothing that serves",
      plan:
        planned.value.plan.say === "open"
          ? `open an issue in ${repository}: ${planned.value.plan.title}`
          : `comment on issue ${planned.value.plan.number} of ${repository}`,
    });
  },
  act: async ({ rung: { repository = "" }, incident, key }, fence) => {
    if (issues === undefined) return { ok: false, reason: unconfigured };
    const planned = await planOf(journal, issues, repository, incident, key, never);
    if (!planned.ok) return planned;
    const { plan, written } = planned.value;
    return written !== undefined ? found(receiptOf(repository, written)) : write(issues, repository, plan, fence);
  },
});

interface Planned {
  readonly plan: IssuePlan;
  /** The issue in which this action has written before. */
  readonly written: number | undefined;
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
  const plan = planIssue(state, listed.value, key);
  const opened = listed.value.find(({ body }) => isWrittenBy(body, key))?.number;
  if (opened !== undefined || plan.say === "open") return found({ plan, written: opened });
  const comments = await issues.comments(repository, plan.number, cancel);
  if (!comments.ok) return comments;
  const isWritten = comments.value.some((text) => isWrittenBy(text, key));
  return found({ plan, written: isWritten ? plan.number : undefined });
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
