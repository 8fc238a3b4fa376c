// The issues of GitHub repositories, as the runbook that reports incidents needs them.
import type { Result } from "../../../engines/engine.ts";
import type { Issues } from "../../performers/remediation-ports.ts";
import { type Answered, resultOf, type Wire } from "../wire/post.ts";
import { type IssueAccess, issueCalls } from "./issue-calls.ts";

/** Opens the issues for the runbook. A write runs to its own end: its answer says whether it was written. */
export function createIssues(access: IssueAccess, wire: Wire): Issues {
  const calls = issueCalls(access, wire);
  const never = new AbortController().signal;
  const of = async <Value>(repository: string, answered: Promise<Answered<Value>>): Promise<Result<Value>> =>
    resultOf(`the issues of ${repository}`, await answered);
  return {
    list: (repository, cancel) => of(repository, calls.list(repository, "all", cancel)),
    comments: (repository, issue, cancel) => of(repository, calls.comments(repository, issue, cancel)),
    open: (repository, title, body) => of(repository, calls.open(repository, title, body, never)),
    comment: (repository, issue, body) => of(repository, calls.comment(repository, issue, body, never)),
  };
}
