// The issues of GitHub repositories over REST, with a token that may write issues and nothing else. A write is sent
// once: whoever repeats it looks first whether it was written.

import { type Answered, type Sent, send, type Wire } from "../wire/post.ts";
import { githubHeaders } from "./headers.ts";

/** Where issues are, and the token for them. */
export interface IssueAccess {
  readonly api: string;
  readonly token: string;
}

/** A text on GitHub, and the login of whoever wrote it. */
export interface WrittenText {
  readonly author: string;
  readonly body: string;
}

/** An issue as its repository has it. */
export interface ListedIssue extends WrittenText {
  readonly number: number;
  readonly open: boolean;
}

/** The calls about issues. Issues are opened with our label, and only those are listed, the newest first. */
interface IssueCalls {
  readonly list: (
    repository: string,
    state: "open" | "all",
    cancel: AbortSignal,
  ) => Promise<Answered<readonly ListedIssue[]>>;
  readonly comments: (
    repository: string,
    issue: number,
    cancel: AbortSignal,
  ) => Promise<Answered<readonly WrittenText[]>>;
  readonly open: (repository: string, title: string, body: string, cancel: AbortSignal) => Promise<Answered<number>>;
  readonly edit: (repository: string, issue: number, body: string, cancel: AbortSignal) => Promise<Answered>;
  readonly comment: (repository: string, issue: number, body: string, cancel: AbortSignal) => Promise<Answered>;
}

/** The label of our issues. Outsiders cannot set labels, so nobody else can write an issue that is taken for ours. */
const issueLabel = "ballast";

const pageSize = 100;
const pagesMax = 10;
/** A page of the longest texts that GitHub keeps. */
const bytesMax = pageSize * 4 * 65_536;

/** Prepares the calls. */
export function issueCalls({ api, token }: IssueAccess, wire: Wire): IssueCalls {
  const headers = githubHeaders(token);
  const ask = (repository: string, sent: Sent, cancel: AbortSignal): Promise<Answered> =>
    send({ ...sent, url: `${api}/repos/${repository}/issues${sent.url}`, headers }, wire, cancel);
  const list = async (repository: string, path: string, query: object, cancel: AbortSignal) => {
    const items: unknown[] = [];
    for (let page = 1; page <= pagesMax; page += 1) {
      const search = new URLSearchParams({ ...query, per_page: String(pageSize), page: String(page) });
      const found = await ask(repository, { method: "GET", url: `${path}?${search}`, bytesMax }, cancel);
      if ("delivery" in found) return found;
      if (!Array.isArray(found.accepted)) return unread("it answered without a list");
      items.push(...(found.accepted as readonly unknown[]));
      if (found.accepted.length < pageSize) break;
    }
    return { accepted: items as readonly unknown[] };
  };
  return {
    list: async (repository, state, cancel) => {
      const found = await list(repository, "", { labels: issueLabel, state }, cancel);
      return "delivery" in found ? found : { accepted: found.accepted.flatMap(issueIn) };
    },
    comments: async (repository, issue, cancel) => {
      const found = await list(repository, `/${issue}/comments`, {}, cancel);
      return "delivery" in found
        ? found
        : { accepted: found.accepted.map((each) => textIn((each ?? {}) as GivenIssue)) };
    },
    open: async (repository, title, body, cancel) => {
      const sent = JSON.stringify({ title, body, labels: [issueLabel] });
      const made = await ask(repository, { url: "", body: sent }, cancel);
      if ("delivery" in made) return made;
      const { number } = (made.accepted ?? {}) as GivenIssue;
      return typeof number === "number" ? { accepted: number } : unread("it answered without the number of an issue");
    },
    edit: (repository, issue, body, cancel) =>
      ask(repository, { method: "PATCH", url: `/${issue}`, body: JSON.stringify({ body }) }, cancel),
    comment: (repository, issue, body, cancel) =>
      ask(repository, { url: `/${issue}/comments`, body: JSON.stringify({ body }) }, cancel),
  };
}

const unread = (reason: string) => ({ delivery: { kind: "later" as const, reason } });

interface GivenIssue {
  readonly number?: unknown;
  readonly body?: unknown;
  readonly user?: { readonly login?: unknown } | null;
  readonly state?: unknown;
  readonly labels?: unknown;
  readonly pull_request?: unknown;
}

/** The account of a text may be gone; then nobody's login is its author. */
const textIn = ({ body, user }: GivenIssue): WrittenText => ({
  author: typeof user?.login === "string" ? user.login : "",
  body: typeof body === "string" ? body : "",
});

/** Reads an issue. What has not our label, or is a pull request, is not ours. */
function issueIn(given: unknown): readonly ListedIssue[] {
  const issue = (given ?? {}) as GivenIssue;
  const { number, state, labels, pull_request } = issue;
  const isLabelled =
    Array.isArray(labels) && labels.some((label: { readonly name?: unknown } | null) => label?.name === issueLabel);
  if (typeof number !== "number" || pull_request !== undefined || !isLabelled) return [];
  return [{ ...textIn(issue), number, open: state === "open" }];
}
