// The issues of GitHub repositories over REST, with a token that may write issues and nothing else. A write is sent
// once: whoever repeats it looks first whether it was written.
import type { Result } from "../../../engines/engine.ts";
import { type Issue, issueLabel } from "../../../engines/remediation/issue.ts";
import type { Issues } from "../../performers/remediation-ports.ts";
import { type Sent, send, type Wire } from "../notifiers/post.ts";

/** Where issues are, and the token for them. */
export interface IssueAccess {
  readonly api: string;
  readonly token: string;
}

const pageSize = 50;
const pagesMax = 20;
/** A page of the longest texts that GitHub keeps. */
const bytesMax = pageSize * 4 * 65_536;

/** Opens the issues. */
export function createIssues({ api, token }: IssueAccess, wire: Wire): Issues {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: "application/vnd.github+json",
    "x-github-api-version": "2022-11-28",
  };
  const never = new AbortController().signal;
  const ask = async (repository: string, sent: Sent, cancel: AbortSignal): Promise<Result<unknown>> => {
    const answered = await send(
      { ...sent, url: `${api}/repos/${repository}/issues${sent.url}`, headers },
      wire,
      cancel,
    );
    if (!("delivery" in answered)) return { ok: true, value: answered.accepted };
    const { reason = "", afterSeconds } = answered.delivery as { reason?: string; afterSeconds?: number };
    return {
      ok: false,
      reason: `the issues of ${repository}: ${reason}`,
      ...(afterSeconds !== undefined && { retryAfterSeconds: afterSeconds }),
    };
  };
  const list = async (repository: string, path: string, query: object, cancel: AbortSignal) => {
    const items: unknown[] = [];
    for (let page = 1; page <= pagesMax; page += 1) {
      const search = new URLSearchParams({ ...query, per_page: String(pageSize), page: String(page) });
      const found = await ask(repository, { method: "GET", url: `${path}?${search}`, bytesMax }, cancel);
      if (!found.ok) return found;
      if (!Array.isArray(found.value)) return { ok: false, reason: "GitHub answered with no list" } as const;
      items.push(...(found.value as readonly unknown[]));
      if (found.value.length < pageSize) break;
    }
    return { ok: true, value: items } as const;
  };
  return {
    list: async (repository, cancel) => {
      const found = await list(repository, "", { labels: issueLabel, state: "all" }, cancel);
      return found.ok ? { ok: true, value: found.value.flatMap(issueIn) } : found;
    },
    comments: async (repository, issue, cancel) => {
      const found = await list(repository, `/${issue}/comments`, {}, cancel);
      return found.ok ? { ok: true, value: found.value.map((each) => String((each as GivenIssue).body ?? "")) } : found;
    },
    open: async (repository, title, body) => {
      const sent = JSON.stringify({ title, body, labels: [issueLabel] });
      const made = await ask(repository, { url: "", body: sent }, never);
      if (!made.ok) return made;
      const { number } = (made.value ?? {}) as GivenIssue;
      return typeof number === "number"
        ? { ok: true, value: number }
        : { ok: false, reason: "GitHub answered without the number of an issue" };
    },
    comment: async (repository, issue, body) => {
      const made = await ask(repository, { url: `/${issue}/comments`, body: JSON.stringify({ body }) }, never);
      return made.ok ? { ok: true, value: null } : made;
    },
  };
}

interface GivenIssue {
  readonly number?: unknown;
  readonly body?: unknown;
  readonly state?: unknown;
  readonly labels?: unknown;
  readonly pull_request?: unknown;
}

/** Reads an issue. What has not our label, or is a pull request, is not ours. */
function issueIn(given: unknown): readonly Issue[] {
  const { number, body, state, labels, pull_request } = given as GivenIssue;
  const isLabelled =
    Array.isArray(labels) && labels.some((label: { readonly name?: unknown } | null) => label?.name === issueLabel);
  if (typeof number !== "number" || pull_request !== undefined || !isLabelled) return [];
  return [{ number, body: typeof body === "string" ? body : "", open: state === "open" }];
}
