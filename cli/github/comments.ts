// The comments of a pull request that one author wrote with our marker. Others may write the marker too, so only the
// author's own comments count: nobody can have theirs overwritten, or keep ours from being found.
import type { Access } from "../../client/github/access.ts";
import { call, list } from "../../client/github/requests.ts";

/** A comment as GitHub gives it. */
export interface Comment {
  readonly id: number;
  readonly body: string;
  readonly html_url: string;
}

/** Gives the author's comments in a pull request, the oldest first. */
export async function commentsOf(access: Access, pullRequest: number, author: string): Promise<readonly Comment[]> {
  const path = `/issues/${pullRequest}/comments`;
  const all = await list<Comment & { readonly user: { readonly login: string } | null }>(access, {
    path,
    what: `the comments of pull request ${pullRequest}`,
  });
  return all.filter(({ user, body }) => user?.login === author && typeof body === "string");
}

/** Gives the newest commit of a pull request. */
export async function headOf(access: Access, pullRequest: number): Promise<string> {
  const path = `/pulls/${pullRequest}`;
  const { head } = await call<{ head: { sha: string } }>(access, {
    method: "GET",
    path,
    what: `pull request ${pullRequest}`,
  });
  return head.sha;
}

/** What became of a comment. */
export interface Written {
  readonly url: string;
  readonly outcome: "created" | "updated" | "unchanged";
}

/**
 * Writes a comment in place of the first of its predecessors, and deletes the others, which a race may have left. What
 * another run or a person deletes meanwhile is no failure: it is gone, or written anew.
 */
export async function putComment(
  access: Access,
  pullRequest: number,
  body: string,
  [first, ...others]: readonly Comment[],
): Promise<Written> {
  for (const { id } of others)
    await call(access, {
      method: "DELETE",
      path: `/issues/comments/${id}`,
      what: "the removal of a second comment",
      mayBeMissing: true,
    });
  if (first?.body === body) return { url: first.html_url, outcome: "unchanged" };
  if (first !== undefined && (await changeComment(access, first, body)) !== undefined)
    return { url: first.html_url, outcome: "updated" };
  const path = `/issues/${pullRequest}/comments`;
  const made = await call<Comment>(access, { method: "POST", path, body: { body }, what: "a new comment" });
  return { url: made.html_url, outcome: "created" };
}

/** Replaces the text of a comment; undefined if it is gone. */
export const changeComment = (access: Access, { id }: Comment, body: string): Promise<Comment | undefined> =>
  call<Comment | undefined>(access, {
    method: "PATCH",
    path: `/issues/comments/${id}`,
    body: { body },
    what: "the change of a comment",
    mayBeMissing: true,
  });
