// Secrets of apps that refer to a vault: what the platform fetched last, and when it fetches again. A write that sets a
// reference fetches it at once. A reference without a version is fetched every half hour on the emulator's clock, and
// what has changed restarts active revisions at once, stable and canary together, without a new revision. Between the
// two nothing is fetched, so that a restart gives a replica the value of before.
import { ArmError, type Body, type Cloud, toArmError } from "../arm/resource.ts";
import { quirksOf } from "../controls/quirks-in-force.ts";
import { schedulerOf } from "../controls/scheduler.ts";
import { readAs } from "../keyvault/vault-host.ts";
import { readVaultUrl } from "./contract/configuration.ts";
import type { AppRuntime, Fetched, Revision } from "./revisions.ts";
import { noteSystem } from "./system-rows.ts";

const syncing = "vault-sync";
const halfHourMilliseconds = 1_800_000;

const referencesIn = (configuration: Body): readonly Body[] =>
  ((configuration["secrets"] ?? []) as Body[]).filter(({ keyVaultUrl }) => keyVaultUrl);

/** Reads a reference as the identity that it names. @throws ArmError in Key Vault's form */
function read(cloud: Cloud, owner: Body, { keyVaultUrl, identity }: Body): string {
  const wanted = readVaultUrl(String(keyVaultUrl), cloud.suffix)!;
  const named =
    String(identity).toLowerCase() === "system"
      ? owner["identity"]
      : cloud.store.get(String(identity))?.body["properties"];
  const objectId = String(named?.principalId ?? "");
  return readAs(cloud, { objectId, clientId: String(named?.clientId ?? objectId), owner: false }, wanted);
}

/** The failure of an operation that could not fetch a secret. Azure does not say why. */
const unfetched = ({ name, identity }: Body): ArmError =>
  new ArmError(
    400,
    "InvalidParameterValueInContainerTemplate",
    "The following field(s) are either invalid or missing. Field 'configuration.secrets' is invalid with details: " +
      `'Invalid value: "${name}": Unable to get value using Managed identity ${identity} for secret ${name}. ` +
      `Error: unable to fetch secret '${name}' using Managed identity '${identity}'';.`,
  );

/**
 * Fetches the references that a write sets, and gives what the app has fetched after it.
 *
 * @throws ArmError 400 for a secret that cannot be fetched
 */
export function fetchReferences(
  cloud: Cloud,
  owner: Body,
  configuration: Body,
  before: AppRuntime["fetched"],
): AppRuntime["fetched"] {
  const quirks = quirksOf(cloud);
  return Object.fromEntries(
    referencesIn(configuration).flatMap((secret): readonly (readonly [string, Fetched])[] => {
      const known = before[secret["name"]];
      if (known && !quirks["set-reference-syncs-at-once"]) return [[secret["name"], known]];
      try {
        return [[secret["name"], { url: secret["keyVaultUrl"], value: read(cloud, owner, secret) }]];
      } catch {
        if (!quirks["reference-must-exist"]) return known ? [[secret["name"], known]] : [];
        // biome-ignore lint/style/useErrorCause: an ArmError is the client's answer, and Azure hides the cause
        throw unfetched(secret);
      }
    }),
  );
}

/** Gives the names of secrets whose fetched value is another one than before. A new name is none of them. */
const changedNames = (before: AppRuntime["fetched"], after: AppRuntime["fetched"]): readonly string[] =>
  Object.keys(before).filter((name) => name in after && after[name]!.value !== before[name]!.value);

/** Gives the values of an app's secrets, by name: its own, and those that were fetched. */
export function secretValues(cloud: Cloud, app: AppRuntime): ReadonlyMap<string, string> {
  const owner = cloud.store.get(app.id)?.body ?? {};
  const valueOf = (secret: Body): string => {
    const { name, value, keyVaultUrl } = secret;
    if (!keyVaultUrl) return String(value ?? "");
    const fetched = app.fetched[name]?.value ?? "";
    if (app.quirks["restart-keeps-the-synced-value"]) return fetched;
    try {
      return read(cloud, owner, secret);
    } catch {
      return fetched;
    }
  };
  return new Map(((app.configuration["secrets"] ?? []) as Body[]).map((secret) => [secret["name"], valueOf(secret)]));
}

/** Gives the values of a job's secrets as they are now. @throws ArmError 400 for a secret that cannot be fetched */
export const secretsOfJob = (cloud: Cloud, job: Body): ReadonlyMap<string, string> => {
  const configuration: Body = job["properties"].configuration ?? {};
  const fetched = fetchReferences(cloud, job, configuration, {});
  return new Map(
    ((configuration["secrets"] ?? []) as Body[]).map(({ name, value }) => [
      name,
      fetched[name]?.value ?? String(value ?? ""),
    ]),
  );
};

/** Reports whether a revision's template names a secret: in a variable, a volume or a scale rule. */
export const namesSecret = ({ template }: Revision, name: string): boolean => {
  const refers = (value: unknown): boolean => {
    if (typeof value !== "object" || value === null) return false;
    return Object.entries(value).some(([key, each]) => (key === "secretRef" && each === name) || refers(each));
  };
  return refers(template);
};

/** Restarts the active revisions that have fetched values to take up, all at once. */
export function restartWith(cloud: Cloud, app: AppRuntime, before: AppRuntime["fetched"]): void {
  const names = changedNames(before, app.fetched);
  const restarts = app.quirks["sync-restarts-active-revisions"];
  if (names.length === 0 || !restarts) return;
  for (const revision of app.revisions) {
    const isMeant = restarts === "all" || names.some((name) => namesSecret(revision, name));
    if (!revision.active || !revision.set || !isMeant) continue;
    revision.set.recycle();
    const text = `Revision ${revision.name} was successfully restarted to apply new updated secret.`;
    noteSystem(cloud, app, "RevisionRestartWithNewSecrets", text, revision.name);
  }
}

const isVersionless = (cloud: Cloud, { keyVaultUrl }: Body): boolean =>
  readVaultUrl(String(keyVaultUrl), cloud.suffix)?.version === undefined;

/** Makes or takes back the appointment for an app's next sync. The phase is the app's own and stays. */
export function planSync(cloud: Cloud, app: AppRuntime): void {
  const key = `${syncing} ${app.id.toLowerCase()}`;
  const scheduler = schedulerOf(cloud);
  const isSynced = referencesIn(app.configuration).some((secret) => isVersionless(cloud, secret));
  if (!isSynced) scheduler.cancel(key);
  else if (scheduler.timeOf(key) === undefined) scheduler.at(cloud.clock.now() + halfHourMilliseconds, key);
}

/** Ends the syncs of an app that is deleted. */
export const forgetSync = (cloud: Cloud, app: AppRuntime): void =>
  schedulerOf(cloud).cancel(`${syncing} ${app.id.toLowerCase()}`);

/** Fetches references without a version when they are due, from now on. */
export function watchReferences(cloud: Cloud, apps: ReadonlyMap<string, AppRuntime>): void {
  schedulerOf(cloud).handle(syncing, ({ key, at }, now) => {
    const app = apps.get(key.slice(syncing.length + 1));
    if (!app) return undefined;
    // The phase stays even if the clock has jumped over several half hours.
    const passed = Math.floor((now - at) / halfHourMilliseconds) + 1;
    schedulerOf(cloud).at(at + passed * halfHourMilliseconds, key);
    if (!app.quirks["versionless-syncs-each-half-hour"]) return undefined;
    const before = app.fetched;
    app.fetched = synced(cloud, app);
    cloud.changed?.("app", app.id.toLowerCase());
    return () => restartWith(cloud, app, before);
  });
}

/** Fetches an app's references without a version, and gives what it has then. A failed one keeps its value. */
function synced(cloud: Cloud, app: AppRuntime): AppRuntime["fetched"] {
  const owner = cloud.store.get(app.id)?.body ?? {};
  const after: Record<string, Fetched> = { ...app.fetched };
  for (const secret of referencesIn(app.configuration).filter((each) => isVersionless(cloud, each))) {
    const { name, keyVaultUrl: url, identity } = secret;
    try {
      after[name] = { url, value: read(cloud, owner, secret) };
    } catch (error) {
      const { status, body, message } = toArmError(error);
      const why = body ? `returned error status: ${status}. body: ${JSON.stringify(body)}.` : message;
      noteSystem(
        cloud,
        app,
        "SyncingSecretFromAzureKeyVaultForContainerAppFailed",
        `Failed to sync secret '${name}' from Azure Key Vault '${url}' for ContainerApp '${app.name}'. Ensure the ` +
          `managed identity '${identity}' has the correct access policies or RBAC role assignments on the Key Vault. ` +
          `Error: GET request to Azure Key Vault ${url} ${why}`,
      );
      if (!app.quirks["failed-sync-keeps-the-value"] && after[name]) after[name] = { url, value: "" };
    }
  }
  if (changedNames(app.fetched, after).length > 0)
    noteSystem(
      cloud,
      app,
      "SyncingSecretFromAzureKeyVaultForContainerAppSucceeded",
      `Sync with secrets from Azure Key Vault was successful for container app ${app.name}`,
    );
  return after;
}
