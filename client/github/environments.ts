// Environments of a repository: who approves a deployment, how long it waits, and from which branches it may come.
import { githubRefused } from "../../errors/github.ts";
import type { Access } from "./access.ts";
import { covers } from "./covers.ts";
import { canWait, type RepositoryFacts, slugOf, teamPath, wantsWait } from "./facts.ts";
import type { EnvironmentSettings } from "./repository-settings.ts";
import { call } from "./requests.ts";

/** An environment as it is compared: nothing is left to a default, since GitHub's own let everyone pass. */
interface ComparedEnvironment {
  readonly reviewers: readonly number[];
  readonly waitMinutes: number;
  readonly preventSelfReview: boolean;
  /** Absent where no deployment can wait, so that there is nothing to pass by. */
  readonly canAdminsBypass?: boolean;
  readonly branches: readonly string[];
}

/** Reports whether an environment is as it should be. @throws github-* */
export async function isEnvironmentAsSaid(
  access: Access,
  facts: RepositoryFacts,
  name: string,
  wanted: EnvironmentSettings,
): Promise<boolean> {
  const live = await liveEnvironment(access, name);
  return covers(live, await comparedEnvironment(access, facts, wanted, live));
}

/** Writes an environment, and looks whether GitHub took all of it. @throws github-* */
export async function writeEnvironment(
  access: Access,
  facts: RepositoryFacts,
  name: string,
  wanted: EnvironmentSettings,
): Promise<void> {
  const before = await liveEnvironment(access, name);
  const compared = await comparedEnvironment(access, facts, wanted, before);
  const what = `the environment ${name}`;
  await call(access, { method: "PUT", path: environmentPath(name), body: bodyOf(compared), what });
  await writeBranches(access, name, compared.branches);
  if (!covers(await liveEnvironment(access, name), compared))
    throw githubRefused({ what, status: 200, reason: "it took the request and kept other settings" });
}

async function comparedEnvironment(
  access: Access,
  facts: RepositoryFacts,
  wanted: EnvironmentSettings,
  live: ComparedEnvironment | undefined,
): Promise<ComparedEnvironment> {
  const { waitMinutes, branches } = wanted;
  const [owner] = facts.fullName.split("/") as [string];
  const slugs = [...new Set(wanted.reviewers.map(slugOf))];
  const ids = await Promise.all(slugs.map((slug) => teamId(access, owner, slug)));
  const isWaiting = wantsWait(wanted) || (live !== undefined && (live.reviewers.length > 0 || live.waitMinutes > 0));
  return {
    reviewers: ids.toSorted((one, other) => one - other),
    waitMinutes,
    preventSelfReview: ids.length > 0,
    ...((canWait(facts) || isWaiting) && { canAdminsBypass: false }),
    branches: [...new Set(branches)].toSorted(),
  };
}

async function teamId(access: Access, owner: string, slug: string): Promise<number> {
  const request = { method: "GET", path: teamPath(owner, slug), isAbsolute: true, what: `the team ${slug}` } as const;
  return (await call<{ id: number }>(access, request)).id;
}

/** GitHub refuses the fields of a plan that the owner does not have, even with their defaults in them. */
function bodyOf({ reviewers, waitMinutes, preventSelfReview, canAdminsBypass, branches }: ComparedEnvironment): object {
  return {
    ...(canAdminsBypass !== undefined && {
      wait_timer: waitMinutes,
      prevent_self_review: preventSelfReview,
      can_admins_bypass: canAdminsBypass,
      reviewers: reviewers.map((id) => ({ type: "Team", id })),
    }),
    deployment_branch_policy:
      branches.length === 0 ? null : { protected_branches: false, custom_branch_policies: true },
  };
}

interface EnvironmentAnswer {
  readonly can_admins_bypass?: boolean;
  readonly deployment_branch_policy: { readonly custom_branch_policies: boolean } | null;
  readonly protection_rules?: readonly {
    readonly type: string;
    readonly wait_timer?: number;
    readonly prevent_self_review?: boolean;
    readonly reviewers?: readonly { readonly reviewer: { readonly id: number } }[];
  }[];
}

const environmentPath = (name: string): string => `/environments/${encodeURIComponent(name)}`;

async function liveEnvironment(access: Access, name: string): Promise<Required<ComparedEnvironment> | undefined> {
  const what = `the environment ${name}`;
  const request = { method: "GET", path: environmentPath(name), what, mayBeMissing: true } as const;
  const found = await call<EnvironmentAnswer | undefined>(access, request);
  if (found === undefined) return undefined;
  const { protection_rules: rules = [], deployment_branch_policy: policy } = found;
  const approval = rules.find(({ type }) => type === "required_reviewers");
  return {
    reviewers: (approval?.reviewers ?? []).map(({ reviewer }) => reviewer.id).toSorted((one, other) => one - other),
    waitMinutes: rules.find(({ type }) => type === "wait_timer")?.wait_timer ?? 0,
    preventSelfReview: approval?.prevent_self_review ?? false,
    canAdminsBypass: found.can_admins_bypass ?? true,
    branches: policy?.custom_branch_policies ? await branchesOf(access, name) : [],
  };
}

const branchesPath = (name: string): string => `${environmentPath(name)}/deployment-branch-policies`;

async function branchesOf(access: Access, name: string): Promise<readonly string[]> {
  const path = `${branchesPath(name)}?per_page=100`;
  const what = `the branches of the environment ${name}`;
  const request = { method: "GET", path, what } as const;
  const found = await call<{ branch_policies: readonly { name: string }[] }>(access, request);
  return found.branch_policies.map((each) => each.name).toSorted();
}

async function writeBranches(access: Access, name: string, branches: readonly string[]): Promise<void> {
  const what = `the environment ${name}`;
  const present = branches.length === 0 ? [] : await branchesOf(access, name);
  const foreign = present.filter((each) => !branches.includes(each));
  if (foreign.length > 0)
    throw githubRefused({
      what,
      status: 409,
      reason: `it also lets ${foreign.join(", ")} deploy; remove that by hand`,
    });
  for (const branch of branches.filter((each) => !present.includes(each)))
    await call(access, { method: "POST", path: branchesPath(name), body: { name: branch }, what });
}
