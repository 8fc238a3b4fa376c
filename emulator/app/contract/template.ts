// Checks the template of a container app: scale, volumes, the revision's suffix, and the containers. A template is what
// a revision is made of; the configuration is checked in configuration.ts.
import { firstTwice } from "../../arm/bodies.ts";
import type { Body, Store } from "../../arm/resource.ts";
import { checkContainers } from "./containers.ts";
import { refuse, refuseLikeAzure, refuseUnsupported } from "./refusals.ts";

/** What a template is checked against. */
export interface TemplateScope {
  readonly app: string;
  readonly configuration: Body;
  readonly environmentId: string;
  readonly cpuMax: number | undefined;
  readonly store: Store;
}

const replicasMax = 1000;
const graceSecondsMax = 600;

/** Checks an app's template. @throws ArmError 400 */
export function checkTemplate(template: Body, scope: TemplateScope): void {
  const { app, configuration, cpuMax } = scope;
  const secrets = new Set(((configuration["secrets"] ?? []) as Body[]).map(({ name }) => String(name)));
  const volumes: readonly Body[] = template["volumes"] ?? [];
  checkContainers(template, { app, secrets, volumes: new Set(volumes.map(({ name }) => String(name))), cpuMax });
  checkScale(template["scale"] ?? {}, secrets);
  checkRevisionName(app, template);
  checkVolumes(volumes, secrets, scope);
  const grace = template["terminationGracePeriodSeconds"];
  if (grace != null && !(grace >= 0 && grace <= graceSecondsMax))
    refuseLikeAzure(`terminationGracePeriodSeconds is ${grace}, and not 0 to ${graceSecondsMax}.`);
}

/** Refuses a template whose suffix makes no valid name. @throws ArmError 400 */
function checkRevisionName(app: string, template: Body): void {
  const suffix = String(template["revisionSuffix"] ?? "");
  if (!suffix) return;
  const isGood = /^[a-z0-9](?!.*-{2})([-a-z0-9]*[a-z0-9])?$/.test(suffix) && `${app}--${suffix}`.length <= 54;
  if (!isGood) refuseRevisionName(suffix);
}

/** Refuses the name of a revision in Azure's words (aca#1443). @throws ArmError 400 */
export function refuseRevisionName(name: string): never {
  return refuse(
    "ContainerAppInvalidRevisionName",
    `Revision name has an invalid value '${name}'. A revision name must consist of lower case alphanumeric ` +
      "characters or '-', start with an alphabetic character, and end with an alphanumeric character. The length of " +
      "the revision name must not be more than a combined 54 characters with the container app name.",
  );
}

function checkScale({ minReplicas, maxReplicas, cooldownPeriod, pollingInterval, rules }: Body, secrets: Names): void {
  const wrong = (what: string): never =>
    refuse("ContainerAppInvalidScaleSpec", `The scale options provided for Container App is incorrect. ${what}`);
  const [least, most] = [minReplicas ?? 0, maxReplicas ?? 10];
  if (least < 0) wrong("minReplicas must not be less than 0.");
  if (most <= 0) wrong("MaxReplicas must be greater than 0.");
  if (most < least) wrong("maxReplicas must not be less than minReplicas.");
  if (most > replicasMax) wrong(`maxReplicas must not be greater than ${replicasMax}.`);
  for (const [name, seconds] of Object.entries({ cooldownPeriod, pollingInterval }))
    if (seconds != null && seconds < 1) refuseLikeAzure(`scale.${name} is ${seconds}, and not at least 1.`);
  checkRules(rules ?? [], secrets);
}

type Names = ReadonlySet<string>;
const ruleKinds = ["azureQueue", "custom", "http", "tcp"] as const;

function checkRules(rules: readonly Body[], secrets: Names): void {
  for (const rule of rules) {
    const kinds = ruleKinds.filter((kind) => rule[kind] != null);
    if (!rule["name"]) refuseLikeAzure("A scale rule has no name.");
    if (kinds.length !== 1) refuseLikeAzure(`The scale rule '${rule["name"]}' must be one of ${ruleKinds.join(", ")}.`);
    const { auth } = rule[kinds[0]!] as Body;
    const missing = ((auth ?? []) as Body[]).find(({ secretRef }) => !secrets.has(String(secretRef)));
    if (missing)
      refuseLikeAzure(`The scale rule '${rule["name"]}' names the secret '${missing["secretRef"]}', which is unknown.`);
    checkRule(kinds[0]!, rule);
  }
  const twice = firstTwice(rules.map(({ name }) => name));
  if (twice) refuseLikeAzure(`Two scale rules are named '${twice}'.`);
}

const loads: { readonly [kind: string]: string } = { http: "concurrentRequests", tcp: "concurrentConnections" };

/** Checks what a scale rule scales by, although only HTTP rules scale. */
function checkRule(kind: (typeof ruleKinds)[number], rule: Body): void {
  const { name, [kind]: settings }: Body = rule;
  const load = loads[kind];
  if (load !== undefined) {
    for (const [key, value] of Object.entries((settings.metadata ?? {}) as Body)) {
      if (key !== load) refuseUnsupported(`'${key}' in the ${kind} scale rule '${name}'`);
      if (!/^[1-9]\d*$/.test(String(value)))
        refuseLikeAzure(`${key} of the scale rule '${name}' is '${value}': no whole number.`);
    }
  } else if (kind === "custom" && !settings.type) refuseLikeAzure(`The custom scale rule '${name}' has no type.`);
  else if (kind === "azureQueue" && !(settings.queueName && settings.queueLength > 0))
    refuseLikeAzure(`The scale rule '${name}' needs a queueName, and a queueLength of at least 1.`);
}

function checkVolumes(volumes: readonly Body[], secrets: Names, { environmentId, store }: TemplateScope): void {
  for (const { name, storageType, storageName, secrets: files } of volumes) {
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(String(name ?? "")))
      refuseLikeAzure(`The volume name '${name}' is invalid: at most 63 lower case alphanumeric characters or '-'.`);
    const kind = String(storageType ?? "EmptyDir").toLowerCase();
    if (kind === "nfsazurefile" || kind === "smb") refuseUnsupported(`volumes of the storage type ${storageType}`);
    if (kind === "azurefile") checkStorage(store, environmentId, storageName);
    const missing = ((files ?? []) as Body[]).find(({ secretRef }) => !secrets.has(String(secretRef)));
    if (missing) refuseLikeAzure(`The volume '${name}' names the secret '${missing["secretRef"]}', which is unknown.`);
  }
  const twice = firstTwice(volumes.map(({ name }) => name));
  if (twice) refuseLikeAzure(`Two volumes are named '${twice}'.`);
}

function checkStorage(store: Store, environmentId: string, name: unknown): void {
  const storage = store.get(`${environmentId}/storages/${String(name ?? "")}`);
  if (!name || !storage)
    refuse("ManagedEnvironmentStorageNotFound", `Storage ${name ?? ""} not found under managed environment`);
  if (!storage!.body["properties"]?.azureFile)
    refuseLikeAzure(`The storage '${name}' is no Azure file share, which the storage type AzureFile needs.`);
}
