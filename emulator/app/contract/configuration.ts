// Checks a container app as a whole, before anything of it is stored: its configuration here, and its template, ingress
// and traffic in the files beside this one.
import { firstTwice, regionOf } from "../../arm/bodies.ts";
import { refuseOutOfRange, refuseUnsupportedFields } from "../../arm/fields.ts";
import type { Body, Cloud, Resource } from "../../arm/resource.ts";
import type { Quirks } from "../../controls/quirks.ts";
import { checkPort } from "./containers.ts";
import { containerAppFields } from "./fields.ts";
import { checkIdentity, identitiesOf } from "./identity.ts";
import { checkIngress } from "./ingress.ts";
import { refuse, refuseLikeAzure, refuseUnsupported } from "./refusals.ts";
import { checkTemplate } from "./template.ts";
import { checkTraffic, type TrafficScope } from "./traffic.ts";
import { refuseUnknownValues } from "./types.ts";

/** A body that is checked. */
export interface Checked {
  readonly id: string;
  readonly name: string;
  /** The whole body to be stored. */
  readonly wanted: Body;
  readonly previous: Resource | undefined;
  readonly environmentId: string;
  readonly cloud: Cloud;
  readonly quirks: Quirks;
  readonly findRevision: TrafficScope["find"];
}

/** Checks the whole body of an app. @throws ArmError 400 */
export function checkApp(checked: Checked): void {
  const { id, name, wanted, environmentId, cloud, quirks } = checked;
  const { configuration = {}, template = {} } = wanted["properties"] as Body;
  checkName(name, "ContainerApp");
  refuseUnknownValues(wanted);
  refuseUnsupportedFields(containerAppFields, wanted);
  checkEnvironment(checked);
  checkPlace(wanted, cloud.store.get(environmentId)?.body);
  checkIdentity(id, wanted, cloud.store);
  const cpuMax = checkProfile(wanted["properties"].workloadProfileName, cloud.store.get(environmentId)?.body ?? {});
  checkSecrets(configuration.secrets ?? [], wanted, cloud.suffix);
  checkTemplate(template, { app: name, configuration, environmentId, cpuMax, store: cloud.store });
  checkRegistries(configuration, wanted);
  checkSettings(configuration, wanted);
  checkDapr(configuration.dapr ?? {});
  checkBinds(template.serviceBinds ?? [], cloud);
  const mode = String(configuration.activeRevisionsMode ?? "Single").toLowerCase();
  if (mode === "labels") refuseUnsupported("the revision mode Labels");
  const { ingress } = configuration;
  if (ingress) {
    const refusesAffinity = quirks["affinity-in-single-only"] !== false;
    checkIngress(ingress, { id, mode, refusesAffinity, environmentId, suffix: cloud.suffix, store: cloud.store });
    if (mode === "multiple" || quirks["traffic-checked-in-single"])
      checkTraffic(ingress.traffic, { app: name, quirks, find: checked.findRevision });
  }
  // Last, so that a number which Azure refuses with a code of its own has that code.
  refuseOutOfRange(containerAppFields, wanted);
}

/** Checks the name of an app or a job. @throws ArmError 400 */
export function checkName(name: string, what: "ContainerApp" | "Job"): void {
  if (/^[a-z][-a-z0-9]{0,30}[a-z0-9]$/.test(name) && !name.includes("--")) return;
  refuse(
    "ContainerAppInvalidName",
    `Invalid ${what} name '${name}'. A name must consist of lower case alphanumeric characters or '-', start with an ` +
      "alphabetic character, and end with an alphanumeric character and cannot have '--'. The length must be between " +
      "2 and 32 characters inclusive.",
  );
}

function checkEnvironment({ wanted, previous, environmentId }: Checked): void {
  const { managedEnvironmentId, environmentId: other } = wanted["properties"] as Body;
  const differs = (one: unknown, two: unknown): boolean =>
    Boolean(one) && Boolean(two) && String(one).toLowerCase() !== String(two).toLowerCase();
  if (differs(managedEnvironmentId, other))
    refuseLikeAzure("managedEnvironmentId and environmentId name two environments.");
  const before = previous?.body["properties"] ?? {};
  if (differs(before.managedEnvironmentId ?? before.environmentId, environmentId))
    refuseLikeAzure("The environment of a container app cannot be changed after it was created.");
}

/** Checks that an app or a job is where its environment is. @throws ArmError 400 */
export function checkPlace(wanted: Body, environment: Body | undefined): void {
  if (environment && regionOf(wanted["location"]) !== regionOf(environment["location"]))
    refuseLikeAzure(
      `'${wanted["name"]}' is in '${wanted["location"]}', and its environment is in '${environment["location"]}'.`,
    );
}

const sharedProfile = "consumption";

/**
 * Checks the workload profile. Gives the most CPUs that a replica may have on the plan Consumption, and undefined on a
 * dedicated profile, where any combination fits that its nodes have.
 */
export function checkProfile(wanted: unknown, environment: Body): number | undefined {
  const profiles: readonly Body[] = environment["properties"]?.workloadProfiles ?? [];
  const name = String(wanted || "Consumption");
  const profile = profiles.find((each) => String(each["name"]).toLowerCase() === name.toLowerCase());
  if (!profile && name.toLowerCase() !== sharedProfile)
    refuseLikeAzure(`The environment has no workload profile '${name}'.`);
  if (profile && String(profile["workloadProfileType"]).toLowerCase() !== sharedProfile) return undefined;
  return profiles.length > 0 ? 4 : 2;
}

/** Checks the secrets of an app or a job. @throws ArmError 400 */
export function checkSecrets(secrets: readonly Body[], app: Body, suffix: string): void {
  for (const secret of secrets) {
    const { name, value, keyVaultUrl, identity } = secret;
    if (!/^[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?$/.test(String(name ?? "")))
      refuse(
        "ContainerAppInvalidSecretName",
        `Secret name has an invalid value '${name ?? ""}'. A value must consist of lower case alphanumeric ` +
          "characters, '-', and must start and end with an alphanumeric character. The length must not be more than " +
          "253 characters.",
      );
    const isValue = typeof value === "string" && value !== "";
    if (isValue === Boolean(keyVaultUrl && identity))
      refuse(
        "ContainerAppSecretInvalid",
        `Invalid Request: Container app secret(s) with name(s) '${name}' are invalid: value or keyVaultUrl and ` +
          "identity should be provided.",
      );
    if (keyVaultUrl) checkReference(secret, app, suffix);
  }
  const twice = firstTwice(secrets.map(({ name }) => name));
  if (twice) refuseLikeAzure(`Two secrets are named '${twice}'.`);
}

/** Reads the URL of a secret in a vault; undefined when it is none. */
export function readVaultUrl(
  url: string,
  suffix: string,
): { readonly vault: string; readonly secret: string; readonly version: string | undefined } | undefined {
  const hosts = `vault\\.azure\\.net|vault\\.${suffix.replaceAll(".", "\\.")}`;
  const form = new RegExp(
    `^https://([a-z][-a-z0-9]{2,23})\\.(?:${hosts})/secrets/([-0-9a-z]+)(?:/([0-9a-f]+))?/?$`,
    "i",
  );
  const [, vault, secret, version] = form.exec(url) ?? [];
  return vault === undefined || secret === undefined ? undefined : { vault, secret, version };
}

function checkReference({ name, keyVaultUrl, identity }: Body, app: Body, suffix: string): void {
  if (!readVaultUrl(String(keyVaultUrl), suffix))
    refuse(
      "ContainerAppSecretKeyVaultUrlInvalid",
      `Invalid Request: Container app secret '${name}' has the keyVaultUrl '${keyVaultUrl}', which is no URL of a ` +
        "secret: https://<vault>.vault.azure.net/secrets/<name>[/<version>].",
    );
  requireIdentity(identity, app, `The secret '${name}'`);
}

/** Checks that an identity, by its id or `system`, is one of the app's. */
function requireIdentity(identity: unknown, app: Body, who: string): void {
  if (!identitiesOf(app).includes(String(identity).toLowerCase()))
    refuseLikeAzure(
      `${who} names the identity '${identity}', which is not assigned to the ` +
        `${app["type"] === "Microsoft.App/jobs" ? "job" : "container app"}.`,
    );
}

/** Checks the registries of an app or a job. @throws ArmError 400 */
export function checkRegistries({ registries, secrets }: Body, app: Body): void {
  const all: readonly Body[] = registries ?? [];
  for (const { server, username, passwordSecretRef, identity } of all) {
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:\d{1,5})?$/i.test(String(server ?? "")))
      refuse(
        "ContainerAppInvalidRegistryServerValue",
        `The registry server '${server ?? ""}' is invalid: a host name, with a port or without, is expected.`,
      );
    if (Boolean(identity) === Boolean(username || passwordSecretRef))
      refuseLikeAzure(`The registry '${server}' needs either an identity, or a username and a passwordSecretRef.`);
    if (identity) requireIdentity(identity, app, `The registry '${server}'`);
    if (!identity && !(username && passwordSecretRef))
      refuseLikeAzure(`The registry '${server}' needs both a username and a passwordSecretRef.`);
    const isKnown = ((secrets ?? []) as Body[]).some(({ name }) => name === passwordSecretRef);
    if (passwordSecretRef && !isKnown)
      refuseLikeAzure(`The registry '${server}' names the secret '${passwordSecretRef}', which is unknown.`);
  }
  const twice = firstTwice(all.map(({ server }) => server));
  if (twice) refuseLikeAzure(`The registry '${twice}' is there twice.`);
}

const inactiveRevisionsMax = 100;

/** Checks the settings of identities, and the number of inactive revisions. @throws ArmError 400 */
export function checkSettings({ maxInactiveRevisions, identitySettings }: Body, app: Body): void {
  if (maxInactiveRevisions != null && !(maxInactiveRevisions >= 0 && maxInactiveRevisions <= inactiveRevisionsMax))
    refuseLikeAzure(`maxInactiveRevisions is ${maxInactiveRevisions}, and not 0 to ${inactiveRevisionsMax}.`);
  const settings: readonly Body[] = identitySettings ?? [];
  for (const { identity } of settings) requireIdentity(identity, app, "identitySettings");
  const twice = firstTwice(settings.map(({ identity }) => identity));
  if (twice) refuseLikeAzure(`identitySettings has the identity '${twice}' twice.`);
}

/** Checks what Dapr is asked for, although no sidecar runs. */
function checkDapr({ enabled, appId, appPort }: Body): void {
  if (enabled && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i.test(String(appId ?? "")))
    refuseLikeAzure(`Dapr needs an appId of at most 63 letters, digits or '-', and '${appId ?? ""}' is none.`);
  if (appPort != null) checkPort(appPort, "The appPort of Dapr");
}

function checkBinds(binds: readonly Body[], { store }: Cloud): void {
  for (const { name, serviceId } of binds)
    if (store.get(String(serviceId))?.type !== "Microsoft.App/containerApps")
      refuseLikeAzure(`The service bind '${name}' names '${serviceId}', which is no container app.`);
}
