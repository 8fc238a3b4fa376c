// What the parts of the emulated GitHub share: what it hosts, who asks, and how a request and its answer look.
import type { Author, Repository } from "./repository.ts";

/** A pull request. */
export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly login: string;
  readonly body: string;
  readonly head: string;
  readonly base: string;
  state: "open" | "closed";
}

/** An environment. */
export interface Environment {
  readonly waitTimer: number;
  readonly reviewers: readonly { readonly type: string; readonly id: number }[];
  readonly preventSelfReview: boolean;
  readonly canAdminsBypass: boolean;
  readonly branches: "all" | "protected" | string[];
}

/** What a repository is set to. */
export interface Settings {
  readonly environments: Map<string, Environment>;
  readonly rulesets: Ruleset[];
  actions: { readonly enabled: boolean; readonly allowed_actions: string; readonly sha_pinning_required: boolean };
  workflow: { readonly default_workflow_permissions: string; readonly can_approve_pull_request_reviews: boolean };
  subject: { readonly use_default: boolean; readonly include_claim_keys?: readonly string[] };
}

/** A ruleset as it was sent, with its id. */
export interface Ruleset {
  readonly id: number;
  readonly name: string;
  readonly target?: string;
  readonly enforcement: string;
  readonly bypass_actors?: readonly { readonly actor_id: number; readonly actor_type: string }[];
  readonly conditions?: { readonly ref_name: { readonly include: readonly string[] } };
  readonly rules?: readonly { readonly type: string; readonly parameters?: object }[];
}

/** A check of a commit: how it ended, or that it still runs. */
export type Conclusion = "success" | "failure" | "skipped" | "running";

/** A repository with what GitHub keeps about it. */
export interface Hosted {
  /** `owner/name`, in the letter case in which it was made. */
  readonly name: string;
  readonly git: Repository;
  readonly id: number;
  readonly ownerId: number;
  /** What guards `main`, beside the rulesets. */
  protection: "none" | "classic" | "ruleset";
  isPrivate: boolean;
  isArchived: boolean;
  /** The ids of teams that have no access to it. */
  readonly strangers: Set<number>;
  /** Whether subjects of tokens hold ids, as in repositories that were made or renamed since 2026-07-15. */
  hasImmutableSubject: boolean;
  readonly pullRequests: PullRequest[];
  /** Comments of issues and of pull requests, as whoever wrote them. */
  readonly comments: { readonly id: number; readonly on: number; readonly login: string; body: string }[];
  readonly issues: {
    readonly number: number;
    readonly login: string;
    readonly labels: readonly string[];
    title: string;
    body: string;
    state: "open" | "closed";
  }[];
  readonly settings: Settings;
  /** How many times another client commits just before the next commit of the API. */
  racing: number;
  /** How the checks of a commit end, by their names. */
  readonly checks: Map<string, Conclusion>;
}

/** A token: classic ones have scopes, those of apps have permissions. */
export interface Token {
  readonly login: string;
  readonly scopes?: readonly string[];
  /** The app that it is of, which a ruleset may let pass. */
  readonly app?: number;
  /** Whether it may change settings. @default true */
  readonly administers?: boolean;
}

/** The owner of repositories: what it pays for, and an organisation's teams by their ids. */
export interface Organisation {
  /** Whether it is a person, who has no teams and whose plan is free or Pro. */
  isPersonal: boolean;
  plan: "free" | "pro" | "team" | "enterprise";
  readonly teams: Map<string, number>;
}

/** The fields of bodies that are read here, as their callers send them. */
export interface Body {
  readonly ref: string;
  readonly sha?: string;
  readonly force?: boolean;
  readonly branch?: string;
  readonly content: string;
  readonly message: string;
  readonly title: string;
  readonly head: string;
  readonly base: string;
  readonly query: string;
  readonly variables: { readonly input: CommitInput };
}

/** The input of the mutation. */
export interface CommitInput {
  readonly branch: { readonly repositoryNameWithOwner: string; readonly branchName: string };
  readonly expectedHeadOid: string;
  readonly message: { readonly headline: string };
  readonly fileChanges?: {
    readonly additions?: readonly { readonly path: string; readonly contents: string }[];
    readonly deletions?: readonly { readonly path: string }[];
  };
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Body;
  readonly token: Token;
}
export type Reply = readonly [status: number, body?: unknown];

export const notFound: Reply = [404, { message: "Not Found" }];
export const isWorkflow = (path: string): boolean => path.startsWith(".github/workflows/");
export const mayWrite = ({ scopes }: Token, paths: readonly string[]): boolean =>
  scopes === undefined || scopes.includes("workflow") || !paths.some(isWorkflow);
export const authorOf = ({ login }: Token): Author => ({ name: login, email: `${login}@users.noreply.github.com` });

/** Gives a page of a list, as long as the request says, and thirty items otherwise. */
export function pageOf<Item>(all: readonly Item[], query: URLSearchParams): readonly Item[] {
  const size = Math.min(100, Number(query.get("per_page") ?? 30));
  const from = (Number(query.get("page") ?? 1) - 1) * size;
  return all.slice(from, from + size);
}

/** Lets another client be faster. */
export function race(repository: Hosted, branch: string): void {
  if (repository.racing === 0) return;
  repository.racing -= 1;
  repository.git.commitAsAnother(branch, "other.md", `${Math.random()}\n`);
}
