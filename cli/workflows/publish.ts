// Publishes workflows to repositories, one after another: one signed commit for all files of a repository, on the head
// that was read. If the head has moved since, everything is read and decided again. Where the branch takes no direct
// commit, the files go to a branch of their own, with a pull request.
import { setTimeout as sleep } from "node:timers/promises";
import { restBefore } from "../../engines/retry.ts";
import { githubRefused } from "../../errors/github.ts";
import { workflowsFileEdited, workflowsHeadMoving, workflowsScopeMissing } from "../../errors/workflows.ts";
import type { Access } from "../github/access.ts";
import { answered, call } from "../github/client.ts";
import { type PublishedState, stateOf } from "./published.ts";

/** What is published. */
export interface Publication {
  /** Texts by their paths. */
  readonly files: ReadonlyMap<string, string>;
  readonly headline: string;
  /** Overwrites what was edited there. */
  readonly mayRepair: boolean;
  /** Compares, and writes nothing. */
  readonly onlyChecks: boolean;
}

/** What became of a repository. */
export interface Published {
  readonly repository: string;
  readonly outcome: "unchanged" | "committed" | "proposed" | "differs";
  readonly files: Readonly<Record<string, PublishedState>>;
  readonly commit?: string;
  readonly pullRequest?: string;
}

const attemptsMax = 8;
const rests = { budgetSeconds: 60, firstRestSeconds: 0.1, restSecondsMax: 2, backoffRate: 1.6 };
/** The branch of the pull request. */
const ownBranch = "ballast/workflows";

/**
 * Publishes to one repository.
 *
 * @throws workflows-file-edited, workflows-head-moving, workflows-scope-missing, github-*
 */
export async function publish(access: Access, publication: Publication): Promise<Published> {
  const { repository } = access;
  const { body, scopes } = await answered<{ default_branch: string }>(access, {
    method: "GET",
    path: "",
    what: `the repository ${repository}`,
  });
  // Said before anything is written: GitHub's own refusal comes in the middle of several repositories.
  if (scopes !== undefined && !scopes.includes("workflow") && !publication.onlyChecks)
    throw workflowsScopeMissing({ repository });
  const branch = body.default_branch;
  const direct = await commitTo(access, branch, publication);
  if (direct !== "protected") return { repository, ...direct };
  await makeBranch(access, await headOf(access, branch));
  const proposed = await commitTo(access, ownBranch, { ...publication, mayRepair: true });
  if (proposed === "protected")
    throw githubRefused({ what: `a commit to ${ownBranch}`, status: 409, reason: "it is protected too" });
  const pullRequest = await propose(access, branch, publication.headline);
  return { repository, ...proposed, outcome: "proposed", pullRequest };
}

type Committed = Omit<Published, "repository">;

/** Commits what differs to a branch. @returns `protected` if the branch takes no direct commit */
async function commitTo(access: Access, branch: string, publication: Publication): Promise<Committed | "protected"> {
  const { files, mayRepair, onlyChecks } = publication;
  const { repository } = access;
  for (let attempts = 1; attempts <= attemptsMax; attempts += 1) {
    const head = await headOf(access, branch);
    const states = await statesAt(access, head, files);
    const shown = Object.fromEntries(states);
    const differing = [...states].filter(([, state]) => state !== "current");
    if (differing.length === 0) return { outcome: "unchanged", files: shown };
    if (onlyChecks) return { outcome: "differs", files: shown };
    const edited = differing.filter(([, state]) => state === "edited").map(([path]) => path);
    if (edited.length > 0 && !mayRepair) throw workflowsFileEdited({ repository, files: edited });
    const outcome = await createCommit(
      access,
      branch,
      head,
      publication,
      differing.map(([path]) => path),
    );
    if (outcome === "protected") return outcome;
    if (outcome !== "moved") return { outcome: "committed", files: shown, commit: outcome.commit };
    const rest = restBefore(rests, attempts, 0, 0, Math.random()) ?? 0;
    if (attempts < attemptsMax) await sleep(rest * 1000);
  }
  throw workflowsHeadMoving({ repository, branch, attempts: attemptsMax });
}

async function headOf(access: Access, branch: string): Promise<string> {
  const path = `/git/ref/heads/${branch}`;
  const { object } = await call<{ object: { sha: string } }>(access, {
    method: "GET",
    path,
    what: `the branch ${branch}`,
  });
  return object.sha;
}

/** Reads every file at one commit, so that what is compared belongs together. */
async function statesAt(
  access: Access,
  commit: string,
  files: Publication["files"],
): Promise<ReadonlyMap<string, PublishedState>> {
  const states = new Map<string, PublishedState>();
  for (const [path, wanted] of files) {
    const found = await call<{ content: string } | undefined>(access, {
      method: "GET",
      path: `/contents/${path.split("/").map(encodeURIComponent).join("/")}?ref=${commit}`,
      what: path,
      mayBeMissing: true,
    });
    const text = found === undefined ? undefined : Buffer.from(found.content, "base64").toString("utf8");
    states.set(path, stateOf(text, wanted));
  }
  return states;
}

const mutation = `mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}`;

/** GitHub's answer to a mutation: with data, or with errors and status 200. */
interface MutationAnswer {
  readonly data?: { readonly createCommitOnBranch: { readonly commit: { readonly oid: string } } | null };
  readonly errors?: readonly { readonly type?: string; readonly message: string }[];
}

async function createCommit(
  access: Access,
  branch: string,
  head: string,
  { files, headline }: Publication,
  paths: readonly string[],
): Promise<{ readonly commit: string } | "moved" | "protected"> {
  const additions = paths.map((path) => ({ path, contents: Buffer.from(files.get(path)!).toString("base64") }));
  const input = {
    branch: { repositoryNameWithOwner: access.repository, branchName: branch },
    expectedHeadOid: head,
    message: { headline },
    fileChanges: { additions },
  };
  const body = { query: mutation, variables: { input } };
  const what = `a commit to ${branch} of ${access.repository}`;
  const { data, errors = [] } = await call<MutationAnswer>(access, {
    method: "POST",
    path: "",
    isQuery: true,
    body,
    what,
  });
  const commit = data?.createCommitOnBranch?.commit.oid;
  if (commit !== undefined) return { commit };
  const [first] = errors;
  const { type = "", message = "it gives no reason" } = first ?? {};
  if (type === "STALE_DATA") return "moved";
  // Classic protection has a type of its own; a ruleset says it in words only.
  if (type === "BRANCH_PROTECTION_RULE_VIOLATION" || /made through a pull request/i.test(message)) return "protected";
  if (/without `workflow` scope/.test(message)) throw workflowsScopeMissing({ repository: access.repository });
  throw githubRefused({ what, status: 200, reason: message.split("\n")[0]!.replace(/\.$/, "") });
}

/** Makes our branch if it does not exist. */
async function makeBranch(access: Access, sha: string): Promise<void> {
  const body = { ref: `refs/heads/${ownBranch}`, sha };
  await call(access, { method: "POST", path: "/git/refs", body, what: `the branch ${ownBranch}` }).catch(
    (error: Error) => {
      if (!/already exists/.test(error.message)) throw error;
    },
  );
}

/** Opens a pull request from our branch, or finds the open one. @returns its address */
async function propose(access: Access, base: string, title: string): Promise<string> {
  const head = `${access.repository.split("/")[0]}:${ownBranch}`;
  const path = `/pulls?state=open&head=${encodeURIComponent(head)}`;
  const [open] = await call<readonly { html_url: string }[]>(access, {
    method: "GET",
    path,
    what: "the pull requests",
  });
  if (open !== undefined) return open.html_url;
  const body = { title, head: ownBranch, base };
  const made = await call<{ html_url: string }>(access, {
    method: "POST",
    path: "/pulls",
    body,
    what: "a pull request",
  });
  return made.html_url;
}
