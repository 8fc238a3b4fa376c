// Settings of a repository over REST: environments with who approves a deployment, what actions may run, the rights of
// the workflows' token, and the subject of the tokens for a cloud. Defaults are GitHub's, the unsafe ones included.
import {
  type Call,
  type Environment,
  type Hosted,
  notFound,
  type Organisation,
  type Reply,
  type Settings,
} from "./calls.ts";
import { rulesets } from "./rulesets.ts";

/** The settings of a new repository. */
export const freshSettings = (): Settings => ({
  environments: new Map(),
  rulesets: [],
  actions: { enabled: true, allowed_actions: "all", sha_pinning_required: false },
  workflow: { default_workflow_permissions: "read", can_approve_pull_request_reviews: false },
  subject: { use_default: true },
});

/** Serves a path below a repository that is about settings; undefined if it is about something else. */
export function settings(repository: Hosted, organisation: Organisation, rest: string, call: Call): Reply | undefined {
  const [, area, more = ""] = /^\/(environments|rulesets|actions)\/?(.*)$/.exec(rest) ?? [];
  if (area === undefined) return undefined;
  if (call.token.administers === false && call.method !== "GET")
    return [403, { message: "Resource not accessible by integration" }];
  if (area === "rulesets") return rulesets(repository, organisation, more, call);
  if (area === "environments") return environments(repository, organisation, decodeURIComponent(more), call);
  return actions(repository.settings, more, call);
}

const places = {
  permissions: "actions",
  "permissions/workflow": "workflow",
  "oidc/customization/sub": "subject",
} as const;

function actions(all: Settings, path: string, { method, body }: Call): Reply {
  const place = Object.hasOwn(places, path) ? places[path as keyof typeof places] : undefined;
  if (place === undefined) return notFound;
  if (method === "GET") return [200, all[place]];
  if (method !== "PUT") return notFound;
  const wanted = body as unknown as Settings["subject"];
  if (place === "subject" && wanted.use_default === false && !wanted.include_claim_keys?.length)
    return [422, { message: "include_claim_keys must not be empty" }];
  Object.assign(all, { [place]: place === "subject" ? wanted : { ...all[place], ...wanted } });
  return place === "subject" ? [201, {}] : [204];
}

interface EnvironmentBody {
  readonly wait_timer?: number;
  readonly reviewers?: Environment["reviewers"] | null;
  readonly prevent_self_review?: boolean;
  readonly can_admins_bypass?: boolean;
  readonly deployment_branch_policy?: { readonly protected_branches: boolean } | null;
  readonly name: string;
}

function environments(repository: Hosted, organisation: Organisation, path: string, { method, body }: Call): Reply {
  const [, name = "", policies] = /^(.*?)(\/deployment-branch-policies)?$/.exec(path) ?? [];
  const all = repository.settings.environments;
  const found = all.get(name);
  const given = body as unknown as EnvironmentBody;
  if (policies !== undefined) return found === undefined ? notFound : branchPolicies(found, method, given);
  if (method === "GET") return found === undefined ? notFound : [200, shown(name, found)];
  if (method === "DELETE") return all.delete(name) ? [204] : notFound;
  if (method !== "PUT" || name === "") return notFound;
  const refusal = refusalOf(given, repository, organisation);
  if (refusal !== undefined) return refusal;
  const made: Environment = {
    waitTimer: given.wait_timer ?? 0,
    reviewers: given.reviewers ?? [],
    preventSelfReview: given.prevent_self_review ?? false,
    canAdminsBypass: given.can_admins_bypass ?? true,
    branches: branchesOf(given, found?.branches),
  };
  all.set(name, made);
  return [200, shown(name, made)];
}

/** Branches that are named one by one stay when the environment is written again. */
function branchesOf(
  { deployment_branch_policy: policy }: EnvironmentBody,
  before: Environment["branches"] | undefined,
) {
  if (!policy) return "all";
  if (policy.protected_branches) return "protected";
  return Array.isArray(before) ? before : [];
}

const planTooSmall =
  "Failed to create the environment protection rule. Please ensure the billing plan supports the required reviewers " +
  "protection rule.";

function refusalOf(
  { reviewers, wait_timer: waitTimer = 0 }: EnvironmentBody,
  { isPrivate }: Hosted,
  { plan, teams }: Organisation,
): Reply | undefined {
  const asked = reviewers ?? [];
  if (isPrivate && plan === "free") return [422, { message: planTooSmall }];
  if (asked.length > 6) return [422, { message: "Only up to 6 reviewers are allowed." }];
  if (isPrivate && plan !== "enterprise" && (asked.length > 0 || waitTimer > 0))
    return [422, { message: planTooSmall }];
  const known = [...teams.values()];
  return asked.some(({ type, id }) => type === "Team" && !known.includes(id))
    ? [422, { message: "Validation Failed: a reviewer has no access to the repository" }]
    : undefined;
}

function branchPolicies({ branches }: Environment, method: string, given: EnvironmentBody): Reply {
  const all = Array.isArray(branches) ? branches : [];
  if (method === "GET") return [200, { total_count: all.length, branch_policies: all.map((each) => ({ name: each })) }];
  if (method !== "POST" || !Array.isArray(branches)) return notFound;
  if (!branches.includes(given.name)) branches.push(given.name);
  return [200, { name: given.name }];
}

const shown = (name: string, environment: Environment) => ({
  name,
  can_admins_bypass: environment.canAdminsBypass,
  deployment_branch_policy:
    environment.branches === "all"
      ? null
      : {
          protected_branches: environment.branches === "protected",
          custom_branch_policies: Array.isArray(environment.branches),
        },
  protection_rules: [
    ...(environment.waitTimer > 0 ? [{ type: "wait_timer", wait_timer: environment.waitTimer }] : []),
    ...(environment.reviewers.length > 0
      ? [
          {
            type: "required_reviewers",
            prevent_self_review: environment.preventSelfReview,
            reviewers: environment.reviewers.map(({ type, id }) => ({ type, reviewer: { id } })),
          },
        ]
      : []),
  ],
});
