// Checks of the subscription: that it exists, has its resource providers registered, lets this caller deploy, has quota
// left, and that the names the stack wants are free.
import {
  doctorCoresFew,
  doctorNameTaken,
  doctorProvidersUnregistered,
  doctorQuotaFull,
  doctorRightsMissing,
  doctorSubscriptionUnseen,
} from "../../errors/doctor.ts";
import { type Answer, messageOf } from "./azure-answer.ts";
import type { Context } from "./context.ts";
import { type Check, type CheckResult, failed, ok, unknown } from "./finding.ts";
import { notPermitted } from "./permissions.ts";
import { nameOf } from "./stack.ts";

const appsVersion = "2025-07-01";
/** Every subscription has these, and they cannot be unregistered. */
const alwaysRegistered = ["Microsoft.Authorization", "Microsoft.Resources"];

/** Lists the providers of the resources that the stack deploys. */
const namespacesOf = ({ stack: { writes } }: Context): readonly string[] =>
  [...new Set([...writes.values()].flat().map((action) => action.split("/")[0]!))].filter(
    (namespace) => !alwaysRegistered.includes(namespace),
  );

const subscriptionId = ({ stack }: Context): string => `/subscriptions/${stack.subscription}`;

async function subscription(context: Context): Promise<CheckResult> {
  const answer = await context.ask("GET", subscriptionId(context), "2022-12-01");
  if (answer.status === 200) return ok(`${context.stack.subscription}, ${answer.body?.displayName}`);
  return failed(doctorSubscriptionUnseen({ subscription: context.stack.subscription, reason: messageOf(answer) }));
}

async function providers(context: Context): Promise<CheckResult> {
  const wanted = namespacesOf(context);
  const answers = await Promise.all(
    wanted.map((namespace) => context.ask("GET", `${subscriptionId(context)}/providers/${namespace}`, "2021-04-01")),
  );
  const unread = answers.find(({ status }) => status !== 200);
  if (unread) return unknown(messageOf(unread));
  const missing = wanted.filter((_, place) => answers[place]!.body.registrationState !== "Registered");
  return missing.length > 0
    ? failed(doctorProvidersUnregistered({ namespaces: missing }))
    : ok(`all ${wanted.length} are registered`);
}

/** Compares permissions in each resource group that is deployed into. Roles on a single resource do not count. */
async function rights(context: Context): Promise<CheckResult> {
  const { writes } = context.stack;
  const groups = [...writes.keys()].map(nameOf);
  for (const [group, actions] of writes) {
    const answer = await context.ask("GET", `${group}/providers/Microsoft.Authorization/permissions`, "2022-04-01");
    if (answer.status === 404)
      return unknown(
        `the resource group ${nameOf(group)} does not exist yet, and Azure shows permissions of existing groups only`,
      );
    if (answer.status !== 200) return unknown(messageOf(answer));
    const missing = notPermitted(answer.body.value, actions);
    if (missing.length > 0) return failed(doctorRightsMissing({ group: nameOf(group), actions: missing }));
  }
  return ok(`you may deploy into ${groups.join(" and ")}`);
}

interface Usage {
  readonly name: { readonly value: string };
  readonly currentValue: number;
  readonly limit: number;
}

const usageOf = (answer: Answer, name: string): Usage | undefined =>
  (answer.body?.value as readonly Usage[] | undefined)?.find((one) => one.name.value === name);

/** An existing environment needs room for a canary: the app's minimum replicas once more. */
async function cores({ ask, stack: { apps } }: Context, environment: string): Promise<CheckResult> {
  const name = nameOf(environment);
  const answer = await ask("GET", `${environment}/usages`, appsVersion);
  const usage = usageOf(answer, "ManagedEnvironmentConsumptionCores");
  if (answer.status !== 200 || usage === undefined)
    return unknown(answer.status === 200 ? `${name} reports no quota of cores` : messageOf(answer));
  const { currentValue: used, limit } = usage;
  const needed = Math.max(0, ...apps.map(({ replicas }) => (replicas ? replicas.least * replicas.cpu : 0)));
  return used + needed > limit
    ? failed(doctorCoresFew({ environment: name, used, limit, needed }))
    : ok(`the environment ${name} exists and uses ${used} of ${limit} cores`);
}

/** Checks the quota that the stack needs next: a new environment in the region, or cores in its existing one. */
async function quota(context: Context): Promise<CheckResult> {
  const { environment, location } = context.stack;
  if ((await context.ask("GET", environment, appsVersion)).status === 200) return cores(context, environment);
  const answer = await context.ask(
    "GET",
    `${subscriptionId(context)}/providers/Microsoft.App/locations/${location}/usages`,
    appsVersion,
  );
  const usage = usageOf(answer, "ManagedEnvironmentCount");
  if (answer.status !== 200 || usage === undefined)
    return unknown(answer.status === 200 ? `${location} reports no quota of environments` : messageOf(answer));
  const { currentValue: used, limit } = usage;
  return used >= limit
    ? failed(doctorQuotaFull({ location, used, limit }))
    : ok(`${used} of ${limit} environments used in ${location}`);
}

/** Checks the globally unique names. One that a resource of the stack already has counts as free. */
async function names(context: Context): Promise<CheckResult> {
  const wanted = context.stack.names;
  const ours: string[] = [];
  for (const { kind, id, version, key } of wanted) {
    const name = nameOf(id);
    const type = id
      .slice(id.lastIndexOf("/providers/") + "/providers/".length)
      .split("/")
      .slice(0, 2)
      .join("/");
    if ((await context.ask("GET", id, version)).status === 200) {
      ours.push(id);
      continue;
    }
    const answer = await context.ask(
      "POST",
      `${subscriptionId(context)}/providers/${type.split("/")[0]}/checkNameAvailability`,
      version,
      { name, type },
    );
    if (answer.status !== 200) return unknown(messageOf(answer));
    if (answer.body.nameAvailable !== true) return failed(doctorNameTaken({ kind, name, key }));
  }
  if (wanted.length === 0) return ok("the stack needs no globally unique names");
  return ok(wanted.map(({ id }) => `${nameOf(id)} is ${ours.includes(id) ? "already yours" : "free"}`).join(", "));
}

/** The checks of the subscription. */
export const subscriptionChecks: readonly Check<Context>[] = [
  { name: "subscription", run: subscription },
  { name: "providers", run: providers },
  { name: "rights", run: rights },
  { name: "quota", run: quota },
  { name: "names", run: names },
];
