// Settings of a repository: what they are, and the requests that make them so. They are compared as the program says
// them, so that what GitHub adds to its answers is no difference.
import { githubRefused } from "../../errors/github.ts";
import { workflowsPlanTooSmall } from "../../errors/workflows.ts";
import type { Access } from "./access.ts";
import { call } from "./requests.ts";

/** Who approves deployments to an environment, and from which branches they may come. */
export interface EnvironmentSettings {
  /** Teams of the owner, by their slugs. */
  readonly reviewers: readonly string[];
  readonly waitMinutes: number;
  /** Branches that may deploy; none means all. */
  readonly branches: readonly string[];
}

/** What a program says about a repository. */
export interface RepositorySettings {
  readonly environments: Readonly<Record<string, EnvironmentSettings>>;
  /** Names of checks that a pull request to the default branch needs; without one there is no ruleset. */
  readonly requiredChecks: readonly string[];
  /** Apps that may commit without a pull request, by their ids. */
  readonly bypassApps: readonly number[];
  /** The claims in the subject of tokens for a cloud; none means GitHub's default. */
  readonly subjectClaims: readonly string[];
}

/** What GitHub says about a repository. */
export interface RepositoryFacts {
  /** `owner/name` in GitHub's own letter case. */
  readonly fullName: string;
  readonly id: number;
  readonly ownerId: number;
  readonly isPrivate: boolean;
  /** `free`, `team`, `enterprise`; undefined if the token may not know. */
  readonly plan: string | undefined;
}

/** Asks who and what a repository is. @throws github-* */
export async function factsOf(access: Access): Promise<RepositoryFacts> {
  const what = `the repository ${access.repository}`;
  interface Answer {
    readonly id: number;
    readonly full_name: string;
    readonly private: boolean;
    readonly owner: { readonly id: number; readonly login: string };
  }
  const found = await call<Answer>(access, { method: "GET", path: "", what });
  const organisation = await call<{ plan?: { name: string } } | undefined>(access, {
    method: "GET",
    path: `/orgs/${found.owner.login}`,
    isAbsolute: true,
    what: `the organisation ${found.owner.login}`,
    mayBeMissing: true,
  });
  return {
    fullName: found.full_name,
    id: found.id,
    ownerId: found.owner.id,
    isPrivate: found.private,
    plan: organisation?.plan?.name,
  };
}

/**
 * Refuses what the owner's plan cannot do, so that a preview says it and not the update after half of its writes.
 *
 * @throws workflows-plan-too-small
 */
export function refuseBeyondPlan(
  repository: string,
  { isPrivate, plan }: RepositoryFacts,
  { environments, requiredChecks }: RepositorySettings,
): void {
  if (!isPrivate || !["free", "pro", "team"].includes(plan ?? "")) return;
  const approved = Object.entries(environments)
    .filter(([, { reviewers, waitMinutes }]) => reviewers.length > 0 || waitMinutes > 0)
    .map(([name]) => `reviewers or a wait for the environment ${name}`);
  const without = plan === "free" && Object.keys(environments).length > 0 ? ["environments"] : approved;
  const ruled = plan === "free" && requiredChecks.length > 0 ? ["required checks"] : [];
  const wishes = [...without, ...ruled];
  if (wishes.length > 0) throw workflowsPlanTooSmall({ repository, plan: plan!, wishes });
}

const rulesetName = "ballast";
/** The app whose checks count: another app that reports a check of this name is not believed. */
const actionsApp = 15_368;

/** Writes what differs. @returns what was written @throws github-*, workflows-plan-too-small */
export async function writeSettings(access: Access, wanted: RepositorySettings): Promise<readonly string[]> {
  refuseBeyondPlan(access.repository, await factsOf(access), wanted);
  const differing = await differences(access, wanted);
  const parts = new Set(differing.map(({ part }) => part));
  if (parts.has("actions")) await put(access, "/actions/permissions", actionsBody, "what actions may run");
  if (parts.has("token")) await put(access, "/actions/permissions/workflow", tokenBody, "the rights of the token");
  for (const [name, each] of Object.entries(wanted.environments))
    if (parts.has(`environment ${name}`)) await writeEnvironment(access, name, each);
  if (parts.has("subject")) await put(access, subjectPath, subjectBody(wanted), "the subject of tokens");
  if (parts.has("ruleset")) await writeRuleset(access, wanted);
  return differing.map(({ message }) => message);
}

/** Takes the ruleset away. The rest stays: without it the repository would be less safe than it is. */
export async function removeSettings(access: Access): Promise<void> {
  const id = await rulesetId(access);
  if (id !== undefined) await call(access, { method: "DELETE", path: `/rulesets/${id}`, what: "the ruleset" });
}

/** One part of the settings that is not as it should be. */
export interface SettingDifference {
  readonly part: string;
  readonly message: string;
}

/** Compares, and writes nothing. @throws github-* */
export async function differences(access: Access, wanted: RepositorySettings): Promise<readonly SettingDifference[]> {
  const found: SettingDifference[] = [];
  const note = (part: string, isSame: boolean, message: string): void => {
    if (!isSame) found.push({ part, message });
  };
  const actions = await get<typeof actionsBody>(access, "/actions/permissions", "what actions may run");
  note("actions", actions.sha_pinning_required && actions.enabled, "actions may run without a pinned commit");
  const token = await get<typeof tokenBody>(access, "/actions/permissions/workflow", "the rights of the token");
  note("token", covers(token, tokenBody), "the workflows' token may write, or may approve");
  for (const [name, each] of Object.entries(wanted.environments)) {
    const live = await liveEnvironment(access, name);
    const text = await environmentOf(access, each);
    note(`environment ${name}`, covers(live, text), `the environment ${name} is not protected as said`);
  }
  const subject = await get<{ use_default: boolean }>(access, subjectPath, "the subject of tokens");
  note("subject", covers(subject, subjectBody(wanted)), "the subject of tokens is another one");
  const ruleset = await liveRuleset(access);
  const body = wanted.requiredChecks.length === 0 ? undefined : rulesetBody(wanted);
  note("ruleset", body === undefined ? ruleset === undefined : covers(ruleset, body), "the ruleset differs");
  return found;
}

const actionsBody = { enabled: true, sha_pinning_required: true };
const tokenBody = { default_workflow_permissions: "read", can_approve_pull_request_reviews: false };
const subjectPath = "/actions/oidc/customization/sub";
const subjectBody = ({ subjectClaims }: RepositorySettings) =>
  subjectClaims.length === 0 ? { use_default: true } : { use_default: false, include_claim_keys: subjectClaims };

/** Whether what is live has all that is wanted. GitHub fills in fields that nobody sent. */
function covers(live: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return live === wanted;
  if (typeof live !== "object" || live === null) return false;
  if (Array.isArray(wanted) && (!Array.isArray(live) || live.length !== wanted.length)) return false;
  return Object.entries(wanted).every(([key, value]) =>
    covers((live as Readonly<Record<string, unknown>>)[key], value),
  );
}

const get = <Body>(access: Access, path: string, what: string): Promise<Body> =>
  call<Body>(access, { method: "GET", path, what });
const put = (access: Access, path: string, body: object, what: string): Promise<unknown> =>
  call(access, { method: "PUT", path, body, what });

/** An environment as it is compared: nothing is left to a default, since GitHub's own let everyone pass. */
interface ComparedEnvironment {
  readonly reviewers: readonly number[];
  readonly waitMinutes: number;
  readonly preventSelfReview: boolean;
  readonly canAdminsBypass: boolean;
  readonly branches: readonly string[];
}

async function environmentOf(access: Access, wanted: EnvironmentSettings): Promise<ComparedEnvironment> {
  const { reviewers, waitMinutes, branches } = wanted;
  const ids = await Promise.all(reviewers.map((slug) => teamId(access, slug)));
  return {
    reviewers: ids.toSorted((one, other) => one - other),
    waitMinutes,
    preventSelfReview: reviewers.length > 0,
    canAdminsBypass: false,
    branches: branches.toSorted(),
  };
}

async function teamId(access: Access, slug: string): Promise<number> {
  const path = `/orgs/${access.repository.split("/")[0]}/teams/${slug}`;
  const what = `the team ${slug}`;
  return (await call<{ id: number }>(access, { method: "GET", path, isAbsolute: true, what })).id;
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

async function liveEnvironment(access: Access, name: string): Promise<ComparedEnvironment | undefined> {
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

async function branchesOf(access: Access, name: string): Promise<readonly string[]> {
  const path = `${environmentPath(name)}/deployment-branch-policies`;
  const what = `the branches of the environment ${name}`;
  const found = await get<{ branch_policies: readonly { name: string }[] }>(access, path, what);
  return found.branch_policies.map((each) => each.name).toSorted();
}

async function writeEnvironment(access: Access, name: string, wanted: EnvironmentSettings): Promise<void> {
  const { reviewers, waitMinutes, branches } = await environmentOf(access, wanted);
  const what = `the environment ${name}`;
  const body = {
    wait_timer: waitMinutes,
    prevent_self_review: true,
    can_admins_bypass: false,
    reviewers: reviewers.map((id) => ({ type: "Team", id })),
    deployment_branch_policy:
      branches.length === 0 ? null : { protected_branches: false, custom_branch_policies: true },
  };
  await put(access, environmentPath(name), body, what);
  const present = branches.length === 0 ? [] : await branchesOf(access, name);
  const foreign = present.filter((each) => !branches.includes(each));
  if (foreign.length > 0)
    throw githubRefused({
      what,
      status: 409,
      reason: `it also lets ${foreign.join(", ")} deploy; remove that by hand`,
    });
  for (const branch of branches.filter((each) => !present.includes(each)))
    await call(access, {
      method: "POST",
      path: `${environmentPath(name)}/deployment-branch-policies`,
      body: { name: branch },
      what,
    });
}

const rulesetBody = ({ requiredChecks, bypassApps }: RepositorySettings) => ({
  name: rulesetName,
  target: "branch",
  enforcement: "active",
  bypass_actors: bypassApps.map((id) => ({ actor_id: id, actor_type: "Integration", bypass_mode: "always" })),
  conditions: { ref_name: { include: ["~DEFAULT_BRANCH"], exclude: [] } },
  rules: [
    { type: "deletion" },
    { type: "non_fast_forward" },
    {
      type: "pull_request",
      parameters: {
        required_approving_review_count: 1,
        dismiss_stale_reviews_on_push: true,
        require_code_owner_review: false,
        require_last_push_approval: true,
        required_review_thread_resolution: false,
      },
    },
    {
      type: "required_status_checks",
      parameters: {
        strict_required_status_checks_policy: false,
        required_status_checks: requiredChecks.map((context) => ({ context, integration_id: actionsApp })),
      },
    },
  ],
});

async function rulesetId(access: Access): Promise<number | undefined> {
  const all = await get<readonly { id: number; name: string }[]>(
    access,
    "/rulesets?includes_parents=false",
    "the rulesets",
  );
  return all.find(({ name }) => name === rulesetName)?.id;
}

async function liveRuleset(access: Access): Promise<object | undefined> {
  const id = await rulesetId(access);
  return id === undefined ? undefined : get<object>(access, `/rulesets/${id}`, "the ruleset");
}

async function writeRuleset(access: Access, wanted: RepositorySettings): Promise<void> {
  if (wanted.requiredChecks.length === 0) return removeSettings(access);
  const id = await rulesetId(access);
  const body = rulesetBody(wanted);
  const what = "the ruleset";
  await call(
    access,
    id === undefined
      ? { method: "POST", path: "/rulesets", body, what }
      : { method: "PUT", path: `/rulesets/${id}`, body, what },
  );
}
