// Settings of a repository over REST: environments with who approves a deployment, what actions may run, the rights of
// the workflows' token, and the subject of the tokens for a cloud. Defaults are GitHub's, the unsafe ones included.
import {
  type Call,
  type Environment,
  type Hosted,
  notFound,
  type Organisation,
  pageOf,
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
}

function environments(repository: Hosted, organisation: Organisation, path: string, call: Call): Reply {
  const { method, body } = call;
  const [, asked = "", policies] = /^(.*?)(\/deployment-branch-policies)?$/.exec(path) ?? [];
  const all = repository.settings.environments;
  // GitHub knows no letter case in the names of environments.
  const name = [...all.keys()].find((each) => each.toLowerCase() === asked.toLowerCase()) ?? asked;
  const found = all.get(name);
  const given = body as unknown as EnvironmentBody;
  if (policies !== undefined) return found === undefined ? notFound : branchPolicies(found, call);
  if (method === "GET") return found === undefined ? notFound : [200, shown(name, found)];
  if (method === "DELETE") return all.delete(name) ? [204] : notFound;
  if (method !== "PUT" || name === "") return notFound;
  const refusal = refusalOf(given, name, repository, organisation);
  if (refusal !== undefined) return refusal;
  const made: Environment = {
    waitTimer: given.wait_timer ?? 0,
    // A team without access is left out, and the answer is no other for it.
    reviewers: (given.reviewers ?? []).filter(({ id }) => !repository.strangers.has(id)),
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

/** The fields that a private repository has with GitHub Enterprise only, whatever their values. */
const enterpriseFields = ["wait_timer", "reviewers", "prevent_self_review", "can_admins_bypass"] as const;

function refusalOf(
  given: EnvironmentBody,
  name: string,
  { isPrivate }: Hosted,
  { plan, teams }: Organisation,
): Reply | undefined {
  const asked = given.reviewers ?? [];
  if (isPrivate && plan === "free") return notFound;
  if (name.length > 255) return [422, { message: "Validation Failed: the name is too long (maximum is 255)" }];
  if (isPrivate && plan !== "enterprise" && enterpriseFields.some((each) => given[each] !== undefined))
    return [422, { message: planTooSmall }];
  if (asked.length > 6) return [422, { message: "Only up to 6 reviewers are allowed." }];
  const known = [...teams.values()];
  return asked.some(({ type, id }) => type === "Team" && !known.includes(id))
    ? [422, { message: "Validation Failed: a reviewer is not there" }]
    : undefined;
}

function branchPolicies({ branches }: Environment, { method, body, query }: Call): Reply {
  const all = Array.isArray(branches) ? branches : [];
  const { name } = (body ?? {}) as { readonly name?: string };
  if (method === "GET")
    return [200, { total_count: all.length, branch_policies: pageOf(all, query).map((each) => ({ name: each })) }];
  if (method !== "POST" || name === undefined || !Array.isArray(branches)) return notFound;
  if (!branches.includes(name)) branches.push(name);
  return [200, { name }];
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
