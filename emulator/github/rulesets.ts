// Rulesets of a repository, and whom they let commit to a branch. A private repository needs a plan for them.
import {
  type Call,
  type Hosted,
  notFound,
  type Organisation,
  pageOf,
  type Reply,
  type Ruleset,
  type Token,
} from "./calls.ts";

/** Says what keeps a token from committing to a branch directly. */
export function guardOf({ protection, settings }: Hosted, branch: string, { app }: Token): Hosted["protection"] {
  if (branch !== "main") return "none";
  const guards = settings.rulesets.some(
    ({ enforcement, rules = [], bypass_actors: passing = [] }) =>
      enforcement === "active" &&
      rules.some(({ type }) => type === "pull_request" || type === "required_status_checks") &&
      !passing.some(({ actor_type, actor_id }) => actor_type === "Integration" && actor_id === app),
  );
  return guards ? "ruleset" : protection;
}

const known = [
  "pull_request",
  "required_status_checks",
  "deletion",
  "non_fast_forward",
  "required_signatures",
  "required_linear_history",
  "required_deployments",
];

/** Serves what is below `/rulesets`. */
export function rulesets(repository: Hosted, { plan }: Organisation, id: string, { method, body, query }: Call): Reply {
  const { rulesets: all } = repository.settings;
  if (repository.isPrivate && plan === "free")
    return [403, { message: "Upgrade to GitHub Team or make this repository public to enable this feature." }];
  const at = all.findIndex((each) => String(each.id) === id);
  if (id !== "" && at < 0) return notFound;
  if (method === "GET") return [200, id === "" ? pageOf(all, query).map(({ rules: _, ...shown }) => shown) : all[at]];
  if (method === "DELETE" && id !== "") {
    all.splice(at, 1);
    return [204];
  }
  if (method !== "POST" && method !== "PUT") return notFound;
  const wanted = body as unknown as Ruleset;
  const refusal = refusalOf(wanted, plan);
  if (refusal !== undefined) return refusal;
  if (all.some((each) => each.name === wanted.name && String(each.id) !== id))
    return [422, { message: "Validation Failed", errors: ["Name must be unique"] }];
  // GitHub fills in parameters that nobody sent.
  const rules = (wanted.rules ?? []).map((rule) =>
    rule.type === "pull_request"
      ? { ...rule, parameters: { allowed_merge_methods: ["merge", "squash", "rebase"], ...rule.parameters } }
      : rule,
  );
  const made = {
    ...wanted,
    rules,
    id: method === "POST" ? Math.max(0, ...all.map((each) => each.id)) + 1 : Number(id),
  };
  if (method === "POST") all.push(made);
  else all[at] = made;
  return [method === "POST" ? 201 : 200, made];
}

function refusalOf({ name, enforcement, rules = [] }: Ruleset, plan: Organisation["plan"]): Reply | undefined {
  const foreign = rules.find(({ type }) => !known.includes(type));
  if (!name || !["disabled", "active", "evaluate"].includes(enforcement) || foreign !== undefined)
    return [422, { message: "Invalid request.", errors: [`Invalid rule '${foreign?.type}'`] }];
  return enforcement === "evaluate" && plan !== "enterprise"
    ? [422, { message: "Validation Failed", errors: ["Enforcement evaluate is not available"] }]
    : undefined;
}
