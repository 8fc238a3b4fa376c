// The open issues of a repository that one author opened with our marker. Others may write the marker too, so only the
// author's own issues count.
import type { Access } from "../../client/github/access.ts";
import { call, list } from "../../client/github/requests.ts";

/** An issue as GitHub gives it. */
export interface Issue {
  readonly number: number;
  readonly body: string | null;
  readonly html_url: string;
}

/** Gives the author's open issues, the newest first. */
export async function openIssuesOf(access: Access, author: string): Promise<readonly Issue[]> {
  const path = `/issues?state=open&creator=${encodeURIComponent(author)}`;
  const all = await list<Issue & { readonly pull_request?: object; readonly user: { readonly login: string } | null }>(
    access,
    { path, what: "the open issues" },
  );
  return all.filter(({ pull_request, user }) => pull_request === undefined && user?.login === author);
}

/** Opens an issue. */
export const openIssue = (
  access: Access,
  body: { readonly title: string; readonly body: string; readonly labels: readonly string[] },
): Promise<Issue> => call<Issue>(access, { method: "POST", path: "/issues", body, what: "a new issue" });

/** Changes an issue. Its title is left as people may have changed it. */
export const changeIssue = (access: Access, { number }: Issue, body: object): Promise<Issue> =>
  call<Issue>(access, { method: "PATCH", path: `/issues/${number}`, body, what: `the change of issue ${number}` });

/** Adds a comment to an issue. */
export const commentOnIssue = (access: Access, { number }: Issue, body: string): Promise<object> =>
  call<object>(access, {
    method: "POST",
    path: `/issues/${number}/comments`,
    body: { body },
    what: `a comment on issue ${number}`,
  });
