// Who and what a repository is: its ids, its owner, and what the owner pays for. What can be refused from that is
// refused before the first write, so that a preview says it.
import { BallastError } from "../../errors/catalogue.ts";
import {
  workflowsEnvironmentsMisnamed,
  workflowsPlanTooSmall,
  workflowsRepositoryArchived,
  workflowsReviewersUnusable,
} from "../../errors/workflows.ts";
import type { Access } from "./access.ts";
import type { EnvironmentSettings, RepositorySettings } from "./repository-settings.ts";
import { call } from "./requests.ts";

/** What GitHub says about a repository. */
export interface RepositoryFacts {
  /** `owner/name` in GitHub's own letter case. */
  readonly fullName: string;
  readonly id: number;
  readonly ownerId: number;
  readonly isPrivate: boolean;
  /** Whether it can only be read. */
  readonly isArchived: boolean;
  /** Whether a person owns it. A person has no teams, and at most the plan Pro. */
  readonly isPersonal: boolean;
  /** `free`, `pro`, `team`, `enterprise`; undefined if the token may not know. */
  readonly plan: string | undefined;
}

/** Asks who and what a repository is. @throws github-* */
export async function factsOf(access: Access): Promise<RepositoryFacts> {
  const what = `the repository ${access.repository}`;
  interface Answer {
    readonly id: number;
    readonly full_name: string;
    readonly private: boolean;
    readonly archived: boolean;
    readonly owner: { readonly id: number; readonly login: string; readonly type: string };
  }
  const { owner, ...found } = await call<Answer>(access, { method: "GET", path: "", what });
  const isPersonal = owner.type === "User";
  return {
    fullName: found.full_name,
    id: found.id,
    ownerId: owner.id,
    isPrivate: found.private,
    isArchived: found.archived,
    isPersonal,
    plan: await planOf(access, owner.login, isPersonal),
  };
}

/** Asks for the plan of an owner. A person's plan is told to that person only. */
async function planOf(access: Access, login: string, isPersonal: boolean): Promise<string | undefined> {
  interface Answer {
    readonly login: string;
    readonly plan?: { readonly name: string };
  }
  const path = isPersonal ? "/user" : `/orgs/${login}`;
  const what = `the plan of ${login}`;
  try {
    const found = await call<Answer | undefined>(access, {
      method: "GET",
      path,
      isAbsolute: true,
      what,
      mayBeMissing: true,
    });
    return found?.login.toLowerCase() === login.toLowerCase() ? found.plan?.name : undefined;
  } catch (error) {
    if (error instanceof BallastError && error.id === "github-refused") return undefined;
    throw error;
  }
}

/**
 * Reports whether an environment can make a deployment wait, for people or for minutes. A private repository needs
 * GitHub Enterprise for that. Undefined if the plan is not known.
 */
export function canWait({ isPrivate, isPersonal, plan }: RepositoryFacts): boolean | undefined {
  if (!isPrivate) return true;
  if (isPersonal || ["free", "pro", "team"].includes(plan ?? "")) return false;
  return ["enterprise", "business", "business_plus"].includes(plan ?? "") ? true : undefined;
}

/** Whether the settings ask an environment to wait, for people or for minutes. */
export const wantsWait = ({ reviewers, waitMinutes }: EnvironmentSettings): boolean =>
  reviewers.length > 0 || waitMinutes > 0;

/**
 * Refuses what the repository or its owner's plan cannot do, so that a preview says it and not the update after half of
 * its writes.
 *
 * @throws workflows-environments-misnamed, workflows-plan-too-small, workflows-repository-archived,
 *   workflows-reviewers-unusable, github-*
 */
export async function refuseImpossible(
  access: Access,
  facts: RepositoryFacts,
  wanted: RepositorySettings,
): Promise<void> {
  const { repository } = access;
  const misnamed = misnamedEnvironments(Object.keys(wanted.environments));
  if (misnamed.length > 0) throw workflowsEnvironmentsMisnamed({ repository, reasons: misnamed });
  if (facts.isArchived) throw workflowsRepositoryArchived({ repository });
  const wishes = beyondPlan(facts, wanted);
  const plan = facts.plan ?? "pro";
  if (wishes.length > 0) throw workflowsPlanTooSmall({ repository, plan, wishes });
  const reasons = await unusableReviewers(access, facts, wanted);
  if (reasons.length > 0) throw workflowsReviewersUnusable({ repository, reasons });
}

const environmentNameMax = 255;

/** GitHub knows no letter case in the names of environments, so that the second of two would overwrite the first. */
function misnamedEnvironments(names: readonly string[]): readonly string[] {
  const lower = names.map((each) => each.toLowerCase());
  return names.flatMap((name, at) => {
    if (name.length > environmentNameMax)
      return [`${name.slice(0, 40)}… has ${name.length} characters, and GitHub allows ${environmentNameMax}`];
    const first = lower.indexOf(lower[at]!);
    return first < at ? [`${names[first]} and ${name} are one environment, since GitHub ignores letter case`] : [];
  });
}

/** Lists what the plan does not have. A person's plan that is not known is taken for the larger one. */
function beyondPlan(facts: RepositoryFacts, { environments, requiredChecks }: RepositorySettings): readonly string[] {
  const isFree = facts.isPrivate && facts.plan === "free";
  const waiting = Object.entries(environments)
    .filter(([, each]) => canWait(facts) === false && wantsWait(each))
    .map(([name]) => `reviewers or a wait for the environment ${name}`);
  const without = isFree && Object.keys(environments).length > 0 ? ["environments"] : waiting;
  return [...without, ...(isFree && requiredChecks.length > 0 ? ["required checks"] : [])];
}

/** GitHub drops a team that has no access to the repository without a word, and then nobody has to approve. */
async function unusableReviewers(
  access: Access,
  { fullName, isPersonal }: RepositoryFacts,
  { environments }: RepositorySettings,
): Promise<readonly string[]> {
  const slugs = new Set(Object.values(environments).flatMap(({ reviewers }) => reviewers.map(slugOf)));
  const [owner] = fullName.split("/") as [string];
  if (isPersonal) return slugs.size === 0 ? [] : [`${owner} is a person and has no teams (${[...slugs].join(", ")})`];
  const reasons: string[] = [];
  for (const slug of slugs) {
    const what = `the team ${slug}`;
    const team = { method: "GET", path: teamPath(owner, slug), isAbsolute: true, what, mayBeMissing: true } as const;
    if ((await call(access, team)) === undefined)
      reasons.push(`${owner} has no team ${slug}, or the token may not see it`);
    else if ((await call(access, { ...team, path: `${team.path}/repos/${fullName}` })) === undefined)
      reasons.push(`the team ${slug} has no access to ${fullName}`);
  }
  return reasons;
}

/** GitHub writes the slugs of teams in lower case. */
export const slugOf = (team: string): string => team.toLowerCase();

/** The path of a team. */
export const teamPath = (owner: string, slug: string): string => `/orgs/${owner}/teams/${encodeURIComponent(slug)}`;
