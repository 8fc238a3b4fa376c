// Whether the subscription is there, has its providers, lets this caller deploy, and has the names that are wanted. Asks, and changes nothing.
import {
  doctorCoresFew,
  doctorNameTaken,
  doctorProvidersUnregistered,
  doctorQuotaFull,
  doctorRightsMissing,
  doctorSubscriptionUnseen,
} from "../../errors/doctor.ts";
import type { Answer, Patient } from "./context.ts";
import { type Check, failed, ok, type Said, unknown } from "./finding.ts";
import { nameOf } from "./stack.ts";

const appsVersion = "2025-07-01";
/** Every subscription has these, and they cannot be taken away. */
const alwaysThere = ["Microsoft.Authorization", "Microsoft.Resources"];

/** Whose resources the stack deploys. */
const namespacesOf = ({ stack: { writes } }: Patient): readonly string[] =>
  [...new Set([...writes.values()].flat().map((action) => action.split("/")[0]!))].filter(
    (namespace) => !alwaysThere.includes(namespace),
  );

/** What a role permits, as Resource Manager shows it. */
export interface Permission {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
}

// `/*/` also stands for nothing in between: by `Microsoft.App/containerApps/*/read` Container Apps Contributor reads apps.
const covers = (pattern: string, action: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replace(/\/\*\//g, "/(?:.*/)?")
      .replace(/\*/g, ".*")}$`,
    "i",
  ).test(action);

/** Lists what permissions do not permit. What one role forbids another may permit: each is asked by itself, as Azure does. */
export const notPermitted = (permissions: readonly Permission[], wanted: readonly string[]): readonly string[] =>
  wanted.filter(
    (action) =>
      !permissions.some(
        (one) =>
          one.actions.some((each) => covers(each, action)) && !one.notActions.some((each) => covers(each, action)),
      ),
  );

/** Says in Azure's words why it did not answer with what was asked for. */
export const wordsOf = ({ status, body }: Answer): string =>
  String(body?.error?.message ?? body?.message ?? `it answered ${status}.`);

const subscriptionId = ({ stack }: Patient): string => `/subscriptions/${stack.subscription}`;

async function subscription(patient: Patient): Promise<Said> {
  const answer = await patient.ask("GET", subscriptionId(patient), "2022-12-01");
  if (answer.status === 200) return ok(`${patient.stack.subscription}, ${answer.body?.displayName}`);
  return failed(doctorSubscriptionUnseen({ subscription: patient.stack.subscription, reason: wordsOf(answer) }));
}

async function providers(patient: Patient): Promise<Said> {
  const wanted = namespacesOf(patient);
  const answers = await Promise.all(
    wanted.map((namespace) => patient.ask("GET", `${subscriptionId(patient)}/providers/${namespace}`, "2021-04-01")),
  );
  const unread = answers.find(({ status }) => status !== 200);
  if (unread) return unknown(wordsOf(unread));
  const missing = wanted.filter((_, place) => answers[place]!.body.registrationState !== "Registered");
  return missing.length > 0
    ? failed(doctorProvidersUnregistered({ namespaces: missing }))
    : ok(`all ${wanted.length} are registered`);
}

/** Asks at each group that is deployed into; what is given at a resource alone is not looked at. */
async function rights(patient: Patient): Promise<Said> {
  const { writes } = patient.stack;
  const names = [...writes.keys()].map(nameOf);
  for (const [group, actions] of writes) {
    const answer = await patient.ask("GET", `${group}/providers/Microsoft.Authorization/permissions`, "2022-04-01");
    if (answer.status === 404)
      return unknown(`the resource group ${nameOf(group)} is not there yet, and Azure tells rights at what is there`);
    if (answer.status !== 200) return unknown(wordsOf(answer));
    const missing = notPermitted(answer.body.value, actions);
    if (missing.length > 0) return failed(doctorRightsMissing({ group: nameOf(group), actions: missing }));
  }
  return ok(`this caller may deploy into ${names.join(" and ")}`);
}

interface Usage {
  readonly name: { readonly value: string };
  readonly currentValue: number;
  readonly limit: number;
}

const usageOf = (answer: Answer, name: string): Usage | undefined =>
  (answer.body?.value as readonly Usage[] | undefined)?.find((one) => one.name.value === name);

/** An environment that is there needs room for a canary: an app's least replicas once more. */
async function cores({ ask, stack: { apps } }: Patient, environment: string): Promise<Said> {
  const name = nameOf(environment);
  const answer = await ask("GET", `${environment}/usages`, appsVersion);
  const usage = usageOf(answer, "ManagedEnvironmentConsumptionCores");
  if (answer.status !== 200 || usage === undefined)
    return unknown(answer.status === 200 ? `${name} tells no limit of cores` : wordsOf(answer));
  const { currentValue: used, limit } = usage;
  const needed = Math.max(0, ...apps.map(({ replicas }) => (replicas ? replicas.least * replicas.cpu : 0)));
  return used + needed > limit
    ? failed(doctorCoresFew({ environment: name, used, limit, needed }))
    : ok(`the environment ${name} is there already, with ${used} of ${limit} cores in use`);
}

/** Environments are what a subscription has few of, cores what an environment has few of. */
async function quota(patient: Patient): Promise<Said> {
  const { environment, location } = patient.stack;
  if ((await patient.ask("GET", environment, appsVersion)).status === 200) return cores(patient, environment);
  const answer = await patient.ask(
    "GET",
    `${subscriptionId(patient)}/providers/Microsoft.App/locations/${location}/usages`,
    appsVersion,
  );
  const usage = usageOf(answer, "ManagedEnvironmentCount");
  if (answer.status !== 200 || usage === undefined)
    return unknown(answer.status === 200 ? `${location} tells no limit of environments` : wordsOf(answer));
  const { currentValue: used, limit } = usage;
  return used >= limit
    ? failed(doctorQuotaFull({ location, used, limit }))
    : ok(`${used} of ${limit} environments in ${location}`);
}

/** A name that a resource of ours has already is no trouble, so that is asked first. */
async function names(patient: Patient): Promise<Said> {
  const wanted = patient.stack.names;
  const ours: string[] = [];
  for (const { kind, id, version, key } of wanted) {
    const name = nameOf(id);
    const type = id
      .slice(id.lastIndexOf("/providers/") + "/providers/".length)
      .split("/")
      .slice(0, 2)
      .join("/");
    if ((await patient.ask("GET", id, version)).status === 200) {
      ours.push(id);
      continue;
    }
    const answer = await patient.ask(
      "POST",
      `${subscriptionId(patient)}/providers/${type.split("/")[0]}/checkNameAvailability`,
      version,
      { name, type },
    );
    if (answer.status !== 200) return unknown(wordsOf(answer));
    if (answer.body.nameAvailable !== true) return failed(doctorNameTaken({ kind, name, key }));
  }
  return ok(
    wanted.length === 0
      ? "none is wanted"
      : wanted.map(({ id }) => `${nameOf(id)} is ${ours.includes(id) ? "ours" : "free"}`).join(", "),
  );
}

/** The checks of the subscription. */
export const subscriptionChecks: readonly Check<Patient>[] = [
  { name: "subscription", run: subscription },
  { name: "providers", run: providers },
  { name: "rights", run: rights },
  { name: "quota", run: quota },
  { name: "names", run: names },
];
