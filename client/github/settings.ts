// Settings of a repository: what they are, and the requests that make them so. They are compared as the program says
// them, so that what GitHub adds to its answers is no difference.
import { BallastError } from "../../errors/catalogue.ts";
import type { Access } from "./access.ts";
import { covers } from "./covers.ts";
import { isEnvironmentAsSaid, writeEnvironment } from "./environments.ts";
import { factsOf, type RepositoryFacts, refuseImpossible } from "./facts.ts";
import type { RepositorySettings } from "./repository-settings.ts";
import { call, list } from "./requests.ts";

const rulesetName = "ballast";
/** The app whose checks count: another app that reports a check of this name is not believed. */
const actionsApp = 15_368;

/** Writes what differs. @returns what was written @throws github-*, or as `refuseImpossible` */
export async function writeSettings(access: Access, wanted: RepositorySettings): Promise<readonly string[]> {
  const facts = await factsOf(access);
  await refuseImpossible(access, facts, wanted);
  const differing = await differencesFrom(access, facts, wanted);
  const parts = new Set(differing.map(({ part }) => part));
  if (parts.has("actions")) await put(access, "/actions/permissions", actionsBody, "what actions may run");
  if (parts.has("token")) await put(access, "/actions/permissions/workflow", tokenBody, "the rights of the token");
  for (const [name, each] of Object.entries(wanted.environments))
    if (parts.has(`environment ${name}`)) await writeEnvironment(access, facts, name, each);
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
export const differences = async (access: Access, wanted: RepositorySettings): Promise<readonly SettingDifference[]> =>
  differencesFrom(access, await factsOf(access), wanted);

async function differencesFrom(
  access: Access,
  facts: RepositoryFacts,
  wanted: RepositorySettings,
): Promise<readonly SettingDifference[]> {
  const found: SettingDifference[] = [];
  const note = (part: string, isSame: boolean, message: string): void => {
    if (!isSame) found.push({ part, message });
  };
  const actions = await get<typeof actionsBody>(access, "/actions/permissions", "what actions may run");
  note("actions", actions.sha_pinning_required && actions.enabled, "actions may run without a pinned commit");
  const token = await get<typeof tokenBody>(access, "/actions/permissions/workflow", "the rights of the token");
  note("token", covers(token, tokenBody), "the workflows' token may write, or may approve");
  for (const [name, each] of Object.entries(wanted.environments)) {
    const isSame = await isEnvironmentAsSaid(access, facts, name, each);
    note(`environment ${name}`, isSame, `the environment ${name} is not protected as said`);
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

const get = <Body>(access: Access, path: string, what: string): Promise<Body> =>
  call<Body>(access, { method: "GET", path, what });
const put = (access: Access, path: string, body: object, what: string): Promise<unknown> =>
  call(access, { method: "PUT", path, body, what });

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
        required_status_checks: [...new Set(requiredChecks)].map((context) => ({
          context,
          integration_id: actionsApp,
        })),
      },
    },
  ],
});

/** Finds the ruleset. A repository whose owner has no plan for rulesets has none. */
async function rulesetId(access: Access): Promise<number | undefined> {
  const request = { path: "/rulesets?includes_parents=false", what: "the rulesets" };
  const all = await list<{ id: number; name: string }>(access, request).catch((error: unknown) => {
    if (error instanceof BallastError && /with status 403: Upgrade to/.test(error.message)) return [];
    throw error;
  });
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
