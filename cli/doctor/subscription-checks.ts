// Whether the subscription is there, has its providers, lets this caller deploy, and has the names that are wanted. Asks, and changes nothing.
import { physicalName, replicaSizes } from "../../components/conventions.ts";
import { doctorCoresFew, doctorNameTaken, doctorProvidersUnregistered, doctorQuotaFull, doctorRightsMissing, doctorSubscriptionUnseen } from "../../errors/doctor.ts";
import { failed, ok, unknown, type Check, type Said } from "./finding.ts";
import type { Answer, Patient } from "./patient.ts";

const appsVersion = "2025-07-01";
/** Whose resources the program makes. */
const namespaces = ["Microsoft.App", "Microsoft.OperationalInsights", "Microsoft.Insights", "Microsoft.DBforPostgreSQL", "Microsoft.ManagedIdentity", "Microsoft.ContainerRegistry"];

/** What a stack asks for beside that if it makes a network, or a zone for an internal environment. */
const forNetworks = { namespaces: ["Microsoft.Network"], actions: ["Microsoft.Network/virtualNetworks/write", "Microsoft.Network/virtualNetworks/subnets/join/action", "Microsoft.Network/privateDnsZones/write"] };
const noNetworks: typeof forNetworks = { namespaces: [], actions: [] };
const beside = ({ settings: { network } }: Patient): typeof forNetworks => (network.range || network.internal ? forNetworks : noNetworks);

/** What `pulumi up` does in the resource group, one action a type of resource. */
const actions = [
  "Microsoft.App/managedEnvironments/write", "Microsoft.App/containerApps/write", "Microsoft.App/jobs/write", "Microsoft.OperationalInsights/workspaces/write",
  "Microsoft.Insights/diagnosticSettings/write", "Microsoft.Insights/components/write", "Microsoft.Insights/actionGroups/write", "Microsoft.Insights/scheduledQueryRules/write",
  "Microsoft.DBforPostgreSQL/flexibleServers/write", "Microsoft.ManagedIdentity/userAssignedIdentities/write",
  "Microsoft.ContainerRegistry/registries/write", "Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleDefinitions/write",
];

/** What a role permits, as Resource Manager shows it. */
export interface Permission {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
}

// `/*/` also stands for nothing in between: by `Microsoft.App/containerApps/*/read` Container Apps Contributor reads apps.
const covers = (pattern: string, action: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\/\*\//g, "/(?:.*/)?").replace(/\*/g, ".*")}$`, "i").test(action);

/** Lists what permissions do not permit. What one role forbids another may permit: each is asked by itself, as Azure does. */
export const notPermitted = (permissions: readonly Permission[], wanted: readonly string[]): readonly string[] =>
  wanted.filter((action) => !permissions.some((one) => one.actions.some((each) => covers(each, action)) && !one.notActions.some((each) => covers(each, action))));

/** Says in Azure's words why it did not answer with what was asked for. */
export const wordsOf = ({ status, body }: Answer): string => String(body?.error?.message ?? body?.message ?? `it answered ${status}.`);

const subscriptionId = ({ settings }: Patient): string => `/subscriptions/${settings.subscription}`;

async function subscription(patient: Patient): Promise<Said> {
  const answer = await patient.ask("GET", subscriptionId(patient), "2022-12-01");
  if (answer.status === 200) return ok(`${patient.settings.subscription}, ${answer.body?.displayName}`);
  return failed(doctorSubscriptionUnseen({ subscription: patient.settings.subscription, reason: wordsOf(answer) }));
}

async function providers(patient: Patient): Promise<Said> {
  const wanted = [...namespaces, ...beside(patient).namespaces];
  const answers = await Promise.all(wanted.map((namespace) => patient.ask("GET", `${subscriptionId(patient)}/providers/${namespace}`, "2021-04-01")));
  const unread = answers.find(({ status }) => status !== 200);
  if (unread) return unknown(wordsOf(unread));
  const missing = wanted.filter((_, place) => answers[place]!.body.registrationState !== "Registered");
  return missing.length > 0 ? failed(doctorProvidersUnregistered({ namespaces: missing })) : ok(`all ${wanted.length} are registered`);
}

async function rights(patient: Patient): Promise<Said> {
  const group = patient.settings.resourceGroup;
  const answer = await patient.ask("GET", `${subscriptionId(patient)}/resourcegroups/${group}/providers/Microsoft.Authorization/permissions`, "2022-04-01");
  if (answer.status === 404) return unknown(`the resource group ${group} is not there yet, and Azure tells rights at what is there`);
  if (answer.status !== 200) return unknown(wordsOf(answer));
  const missing = notPermitted(answer.body.value, [...actions, ...beside(patient).actions]);
  return missing.length > 0 ? failed(doctorRightsMissing({ group, actions: missing })) : ok(`this caller may deploy into ${group}`);
}

interface Usage {
  readonly name: { readonly value: string };
  readonly currentValue: number;
  readonly limit: number;
}

const usageOf = (answer: Answer, name: string): Usage | undefined => (answer.body?.value as readonly Usage[] | undefined)?.find((one) => one.name.value === name);

/** An environment that is there needs room for a canary: the service's least replicas once more. */
async function cores({ ask, settings: { replicas } }: Patient, environment: string): Promise<Said> {
  const name = environment.split("/").at(-1)!, answer = await ask("GET", `${environment}/usages`, appsVersion), usage = usageOf(answer, "ManagedEnvironmentConsumptionCores");
  if (answer.status !== 200 || usage === undefined) return unknown(answer.status === 200 ? `${name} tells no limit of cores` : wordsOf(answer));
  const { currentValue: used, limit } = usage, needed = replicas.storefrontMin * replicaSizes.storefront.cpu;
  return used + needed > limit ? failed(doctorCoresFew({ environment: name, used, limit, needed })) : ok(`the environment ${name} is there already, with ${used} of ${limit} cores in use`);
}

/** Environments are what a subscription has few of, cores what an environment has few of. */
async function quota(patient: Patient): Promise<Said> {
  const { settings: { resourceGroup, location } } = patient, name = physicalName("environment", "apps", "");
  const environment = `${subscriptionId(patient)}/resourceGroups/${resourceGroup}/providers/Microsoft.App/managedEnvironments/${name}`;
  if ((await patient.ask("GET", environment, appsVersion)).status === 200) return cores(patient, environment);
  const answer = await patient.ask("GET", `${subscriptionId(patient)}/providers/Microsoft.App/locations/${location}/usages`, appsVersion);
  const usage = usageOf(answer, "ManagedEnvironmentCount");
  if (answer.status !== 200 || usage === undefined) return unknown(answer.status === 200 ? `${location} tells no limit of environments` : wordsOf(answer));
  const { currentValue: used, limit } = usage;
  return used >= limit ? failed(doctorQuotaFull({ location, used, limit })) : ok(`${used} of ${limit} environments in ${location}`);
}

/** A name that a resource of ours has already is no trouble, so that is asked first. */
async function names(patient: Patient): Promise<Said> {
  const { settings: { resourceGroup, registry } } = patient, scope = `${subscriptionId(patient)}/resourceGroups/${resourceGroup}`;
  const server = physicalName("server", "journal", scope);
  const wanted = [
    ...(registry.startsWith("/") ? [] : [{ kind: "registry", name: registry, type: "Microsoft.ContainerRegistry/registries", version: "2023-01-01-preview", key: "ballast:registry" }]),
    { kind: "database server", name: server, type: "Microsoft.DBforPostgreSQL/flexibleServers", version: "2025-08-01", key: "ballast:resourceGroup, of which the server's name is made," },
  ];
  const ours: string[] = [];
  for (const { kind, name, type, version, key } of wanted) {
    if ((await patient.ask("GET", `${scope}/providers/${type}/${name}`, version)).status === 200) {
      ours.push(name);
      continue;
    }
    const answer = await patient.ask("POST", `${subscriptionId(patient)}/providers/${type.split("/")[0]}/checkNameAvailability`, version, { name, type });
    if (answer.status !== 200) return unknown(wordsOf(answer));
    if (answer.body.nameAvailable !== true) return failed(doctorNameTaken({ kind, name, key }));
  }
  return ok(wanted.map(({ name }) => `${name} is ${ours.includes(name) ? "ours" : "free"}`).join(", "));
}

/** The checks of the subscription. */
export const subscriptionChecks: readonly Check<Patient>[] = [
  { name: "subscription", run: subscription }, { name: "providers", run: providers }, { name: "rights", run: rights }, { name: "quota", run: quota },
  { name: "names", run: names },
];
