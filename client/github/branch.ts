// A branch of a repository: the texts at one of its commits, one signed commit for many files, and a pull request.
import { githubRefused } from "../../errors/github.ts";
import { workflowsScopeMissing } from "../../errors/workflows.ts";
import type { Access } from "./access.ts";
import { call } from "./requests.ts";

/** Texts by their paths; undefined is no file. */
export type Texts = ReadonlyMap<string, string | undefined>;

/** Gives the newest commit of a branch; undefined if there is no such branch. */
export async function headOf(access: Access, branch: string): Promise<string | undefined> {
  const path = `/git/ref/heads/${branch}`;
  const what = `the branch ${branch}`;
  const found = await call<{ object: { sha: string } } | undefined>(access, {
    method: "GET",
    path,
    what,
    mayBeMissing: true,
  });
  return found?.object.sha;
}

/** Reads every file at one commit, so that what is compared belongs together. */
export async function textsAt(access: Access, commit: string, paths: Iterable<string>): Promise<Texts> {
  const texts = new Map<string, string | undefined>();
  for (const path of paths) {
    const found = await call<{ content: string } | undefined>(access, {
      method: "GET",
      path: `/contents/${path.split("/").map(encodeURIComponent).join("/")}?ref=${commit}`,
      what: path,
      mayBeMissing: true,
    });
    texts.set(path, found && Buffer.from(found.content, "base64").toString("utf8"));
  }
  return texts;
}

const mutation = `mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}`;

/** GitHub's answer to a mutation: with data, or with errors and status 200. */
interface MutationAnswer {
  readonly data?: { readonly createCommitOnBranch: { readonly commit: { readonly oid: string } } | null };
  readonly errors?: readonly { readonly type?: string; readonly message: string }[];
}

/** One commit: on this branch, if it still is at this head. */
interface Commit {
  readonly branch: string;
  readonly head: string;
  readonly headline: string;
  readonly texts: Texts;
}

/**
 * Writes and removes files in one commit, which GitHub signs if the token is an app's.
 *
 * @returns `moved` if the branch has another head, `protected` if it takes no direct commit
 * @throws workflows-scope-missing, github-*
 */
export async function commitTo(
  access: Access,
  { branch, head, headline, texts }: Commit,
): Promise<{ readonly commit: string } | "moved" | "protected"> {
  const additions = [...texts].flatMap(([path, text]) =>
    text === undefined ? [] : [{ path, contents: Buffer.from(text).toString("base64") }],
  );
  const deletions = [...texts].flatMap(([path, text]) => (text === undefined ? [{ path }] : []));
  const input = {
    branch: { repositoryNameWithOwner: access.repository, branchName: branch },
    expectedHeadOid: head,
    message: { headline },
    fileChanges: { additions, deletions },
  };
  const body = { query: mutation, variables: { input } };
  const what = `a commit to ${branch} of ${access.repository}`;
  const request = { method: "POST", path: "", isQuery: true, body, what } as const;
  const { data, errors = [] } = await call<MutationAnswer>(access, request);
  const commit = data?.createCommitOnBranch?.commit.oid;
  if (commit !== undefined) return { commit };
  const { type = "", message = "it gives no reason" } = errors[0] ?? {};
  if (type === "STALE_DATA") return "moved";
  // Classic protection has a type of its own; a ruleset says it in words only.
  if (type === "BRANCH_PROTECTION_RULE_VIOLATION" || /made through a pull request/i.test(message)) return "protected";
  if (/without `workflow` scope/.test(message)) throw workflowsScopeMissing({ repository: access.repository });
  throw githubRefused({ what, status: 200, reason: message.split("\n")[0]!.replace(/\.$/, "") });
}

/** Puts a branch at a commit, wherever it was. */
export async function putBranch(access: Access, branch: string, sha: string): Promise<void> {
  const what = `the branch ${branch}`;
  const request =
    (await headOf(access, branch)) === undefined
      ? { method: "POST" as const, path: "/git/refs", body: { ref: `refs/heads/${branch}`, sha }, what }
      : { method: "PATCH" as const, path: `/git/refs/heads/${branch}`, body: { sha, force: true }, what };
  await call(access, request);
}

/** Gives the address of the open pull request from a branch; undefined if there is none. */
export async function pullRequestFrom(access: Access, branch: string): Promise<string | undefined> {
  const head = `${access.repository.split("/")[0]}:${branch}`;
  const path = `/pulls?state=open&head=${encodeURIComponent(head)}`;
  const what = "the pull requests";
  const [open] = await call<readonly { html_url: string }[]>(access, { method: "GET", path, what });
  return open?.html_url;
}

/** Opens a pull request. @returns its address */
export async function openPullRequest(
  access: Access,
  body: { readonly head: string; readonly base: string; readonly title: string },
): Promise<string> {
  const what = "a pull request";
  const made = await call<{ html_url: string }>(access, { method: "POST", path: "/pulls", body, what });
  return made.html_url;
}
