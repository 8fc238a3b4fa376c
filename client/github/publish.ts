// Publishes files to a repository: one signed commit for all of them, on the head that was read. If the head has moved
// since, everything is read and decided again. Where the branch takes no direct commit, the files go to a branch of
// their own, with a pull request.
import { setTimeout as sleep } from "node:timers/promises";
import { restBefore } from "../../engines/retry.ts";
import { githubRefused } from "../../errors/github.ts";
import {
  workflowsFileEdited,
  workflowsHeadMoving,
  workflowsRepositoryArchived,
  workflowsScopeMissing,
} from "../../errors/workflows.ts";
import type { Access } from "./access.ts";
import { commitTo, headOf, openPullRequest, pullRequestFrom, putBranch, type Texts, textsAt } from "./branch.ts";
import { type PublishedState, published, stateOf } from "./published.ts";
import { answered } from "./requests.ts";

/** What is published. */
export interface Publication {
  /** Texts by their paths, without the line that is put above them. */
  readonly files: ReadonlyMap<string, string>;
  /** Paths that were published before and are no longer wanted. An edited file stays where it is. */
  readonly obsolete?: readonly string[];
  /** Where the files come from: `owner/name@commit`. */
  readonly source: string;
  /** Whether a file may be overwritten although it was edited there. */
  readonly mayReplace: (path: string) => boolean;
}

/** What became of a repository, with its files as they were found. */
export interface Published {
  readonly repository: string;
  readonly outcome: "unchanged" | "committed" | "proposed" | "differs";
  readonly files: Readonly<Record<string, PublishedState>>;
  readonly commit?: string;
  readonly pullRequest?: string;
}

/** A publication, and what undoes it. */
export interface Made extends Published {
  readonly branch: string;
  /** What was there before, of the files that were written. */
  readonly before: Texts;
}

const attemptsMax = 8;
const rests = { budgetSeconds: 60, firstRestSeconds: 0.1, restSecondsMax: 2, backoffRate: 1.6 };
/** The branch of the pull request. */
const ownBranch = "ballast/workflows";
const headlineOf = (source: string): string => {
  const [name, sha = ""] = source.split("@");
  return `Workflows of ${name} at ${sha.slice(0, 7)}`;
};

/** Compares, and writes nothing. A pull request that brings everything counts as `proposed`. @throws github-* */
export async function compare(access: Access, publication: Publication): Promise<Published> {
  const { repository } = access;
  const { branch } = await branchOf(access);
  const { states } = await lookAt(access, await knownHead(access, branch), publication);
  const files = Object.fromEntries(states);
  const isDue = (each: typeof states): boolean => due(each, publication).length > 0;
  if (!isDue(states)) return { repository, outcome: "unchanged", files };
  const proposedHead = await headOf(access, ownBranch);
  const pullRequest = proposedHead && (await pullRequestFrom(access, ownBranch));
  if (pullRequest && !isDue((await lookAt(access, proposedHead, publication)).states))
    return { repository, outcome: "proposed", files, pullRequest };
  return { repository, outcome: "differs", files };
}

/**
 * Refuses what `publish` would refuse as the repository is now, and writes nothing.
 *
 * @throws workflows-repository-archived, workflows-file-edited, workflows-scope-missing, github-*
 */
export async function refuseHopeless(access: Access, publication: Publication): Promise<void> {
  const { branch } = await writableBranchOf(access);
  const { states } = await lookAt(access, await knownHead(access, branch), publication);
  refuseForeign(access.repository, states, publication);
}

/**
 * Publishes to one repository.
 *
 * @throws workflows-head-moving, or as `refuseHopeless`
 */
export async function publish(access: Access, publication: Publication): Promise<Made> {
  const { repository } = access;
  const { branch } = await writableBranchOf(access);
  const direct = await commit(access, branch, publication);
  if (direct !== "protected") return { repository, branch, ...direct };
  const open = await pullRequestFrom(access, ownBranch);
  // A branch that was merged or given up begins anew: what was squashed would be in conflict with itself.
  if (open === undefined) await putBranch(access, ownBranch, await knownHead(access, branch));
  const proposed = await commit(access, ownBranch, { ...publication, mayReplace: () => true });
  if (proposed === "protected")
    throw githubRefused({ what: `a commit to ${ownBranch}`, status: 409, reason: "it is protected too" });
  const title = headlineOf(publication.source);
  const pullRequest = open ?? (await openPullRequest(access, { head: ownBranch, base: branch, title }));
  return { repository, branch: ownBranch, ...proposed, outcome: "proposed", pullRequest };
}

/** Puts the files that a publication wrote back to what they were, unless another client changed them since. */
export async function takeBack(access: Access, { branch, before, files }: Made, source: string): Promise<string> {
  const { repository } = access;
  for (let attempts = 1; attempts <= attemptsMax; attempts += 1) {
    const head = await knownHead(access, branch);
    const now = await textsAt(access, head, before.keys());
    const ours = [...before].filter(([path]) => isOurs(now.get(path), files[path] === "obsolete", source));
    if (ours.length === 0) return head;
    const headline = `Back from: ${headlineOf(source)}`;
    const outcome = await commitTo(access, { branch, head, headline, texts: new Map(ours) });
    if (typeof outcome === "object") return outcome.commit;
    if (outcome === "protected")
      throw githubRefused({ what: `a commit to ${branch}`, status: 409, reason: "it is protected now" });
    await rest(attempts);
  }
  throw workflowsHeadMoving({ repository, branch, attempts: attemptsMax });
}

/** Whether a file still is as the publication left it: away, or with its hash. */
const isOurs = (found: string | undefined, isRemoved: boolean, source: string): boolean =>
  isRemoved ? found === undefined : stateOf(found, undefined, source) === "obsolete";

interface Branch {
  readonly branch: string;
  readonly isArchived: boolean;
  readonly scopes: readonly string[] | undefined;
}

async function branchOf(access: Access): Promise<Branch> {
  const what = `the repository ${access.repository}`;
  const { body, scopes } = await answered<{ default_branch: string; archived: boolean }>(access, {
    method: "GET",
    path: "",
    what,
  });
  return { branch: body.default_branch, isArchived: body.archived, scopes };
}

/** Says before anything is written what GitHub itself would only say in the middle of several repositories. */
async function writableBranchOf(access: Access): Promise<Branch> {
  const { repository } = access;
  const found = await branchOf(access);
  if (found.isArchived) throw workflowsRepositoryArchived({ repository });
  if (found.scopes !== undefined && !found.scopes.includes("workflow")) throw workflowsScopeMissing({ repository });
  return found;
}

function refuseForeign(repository: string, states: Look["states"], publication: Publication): void {
  const files = due(states, publication).filter(
    (path) => states.get(path) === "edited" && !publication.mayReplace(path),
  );
  if (files.length > 0) throw workflowsFileEdited({ repository, files });
}

async function knownHead(access: Access, branch: string): Promise<string> {
  const head = await headOf(access, branch);
  if (head !== undefined) return head;
  throw githubRefused({ what: `the branch ${branch}`, status: 404, reason: "the repository has no commit" });
}

interface Look {
  readonly texts: Texts;
  readonly states: ReadonlyMap<string, PublishedState>;
}

async function lookAt(access: Access, head: string, { files, obsolete = [], source }: Publication): Promise<Look> {
  const wanted: Texts = new Map([...obsolete.map((path) => [path, undefined] as const), ...files]);
  const texts = await textsAt(access, head, wanted.keys());
  return {
    texts,
    states: new Map([...wanted].map(([path, text]) => [path, stateOf(texts.get(path), text, source)])),
  };
}

/** Gives the paths that must be written. What is no longer wanted, but was edited, is someone's own now. */
const due = (states: Look["states"], { files }: Publication): readonly string[] =>
  [...states]
    .filter(([path, state]) => state !== "current" && (state !== "edited" || files.has(path)))
    .map(([path]) => path);

type Committed = Pick<Made, "outcome" | "files" | "commit" | "before">;

/** Commits what differs to a branch. @returns `protected` if the branch takes no direct commit */
async function commit(access: Access, branch: string, publication: Publication): Promise<Committed | "protected"> {
  const { files: wanted, source } = publication;
  const { repository } = access;
  for (let attempts = 1; attempts <= attemptsMax; attempts += 1) {
    const head = await knownHead(access, branch);
    const { texts: found, states } = await lookAt(access, head, publication);
    const files = Object.fromEntries(states);
    const paths = due(states, publication);
    if (paths.length === 0) return { outcome: "unchanged", files, before: new Map() };
    refuseForeign(repository, states, publication);
    const texts = new Map(paths.map((path) => [path, textOf(wanted.get(path), source)]));
    const outcome = await commitTo(access, { branch, head, headline: headlineOf(source), texts });
    if (outcome === "protected") return outcome;
    if (outcome !== "moved") {
      const before = new Map(paths.map((path) => [path, found.get(path)]));
      return { outcome: "committed", files, commit: outcome.commit, before };
    }
    await rest(attempts);
  }
  throw workflowsHeadMoving({ repository, branch, attempts: attemptsMax });
}

const textOf = (text: string | undefined, source: string): string | undefined =>
  text === undefined ? undefined : published(text, source);

async function rest(attempts: number): Promise<void> {
  if (attempts < attemptsMax) await sleep((restBefore(rests, attempts, 0, 0, Math.random()) ?? 0) * 1000);
}
