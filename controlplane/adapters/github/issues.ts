// The issues of GitHub repositories, as the runbook that reports incidents needs them.
import type { Result } from "../../../engines/engine.ts";
import type { Issues } from "../../performers/remediation-ports.ts";
import type { Answered, Wire } from "../notifiers/post.ts";
import { type IssueAccess, issueCalls } from "./issue-calls.ts";

/** Opens the issues for the runbook. A write runs to its own end: its answer says whether it was written. */
export function createIssues(access: IssueAccess, wire: Wire): Issues {
  const calls = issueCalls(access, wire);
  const never = new AbortController().signal;
  return {
    list: async (repository, cancel) => resultOf(repository, await calls.list(repository, "all", cancel)),
    comments: async (repository, issue, cancel) =>
      resultOf(repository, await calls.comments(repository, issue, cancel)),
    open: async (repository, title, body) => resultOf(repository, await calls.open(repository, title, body, never)),
    comment: async (repository, issue, body) =>
      resultOf(repository, await calls.comment(repository, issue, body, never)),
  };
}

function resultOf<Value>(repository: string, answered: Answered<Value>): Result<Value> {
  if ("accepted" in answered) return { ok: true, value: answered.accepted };
  const { reason, afterSeconds } = answered.delivery;
  return {
    ok: false,
    reason: `the issues of ${repository}: ${reason}`,
    ...(afterSeconds !== undefined && { retryAfterSeconds: afterSeconds }),
  };
}
