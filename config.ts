// The stack's configuration as the program uses it. This is the only place that reads it: values come out complete and
// typed, and a value that cannot be read is refused at preview by the name of its key. Defaults are in Pulumi.yaml,
// where `pulumi config` shows them; defaults of fields within objects are in their forms. Keys and their forms are in
// config/keys.ts.
import * as pulumi from "@pulumi/pulumi";
import { type Settings, secretKeys } from "./config/keys.ts";
import { readKeys, refuseMissing, refusePlaceholders } from "./config/read-keys.ts";
import { refuseConflicts } from "./config/refuse-conflicts.ts";
import { BallastError } from "./errors/catalogue.ts";
import { configSecretPlain } from "./errors/config.ts";

export type { Settings } from "./config/keys.ts";

/**
 * Returns the settings of a stack from its configuration as the Pulumi CLI hands it to a program.
 *
 * It is pure, so that a test can list every refusal in a table. Keys of other namespaces are ignored: their providers
 * check them.
 *
 * @throws any error of errors/config.ts
 */
export function parseConfig(all: { readonly [key: string]: string }, markedSecret: readonly string[]): Settings {
  const ours = new Map(
    Object.entries(all)
      .filter(([key]) => key.startsWith("ballast:"))
      .map(([key, value]) => [key.slice("ballast:".length), value]),
  );
  const subscriptionKey = "azure-native:subscriptionId";
  const subscription = refuseMissing(subscriptionKey, all[subscriptionKey] || undefined);
  refusePlaceholders([subscriptionKey], subscription);
  const settings: Settings = { subscription, ...readKeys(ours) };
  for (const key of Object.values(secretKeys))
    if (ours.get(key) && !markedSecret.includes(`ballast:${key}`)) throw configSecretPlain({ key });
  refuseConflicts(settings, Boolean(ours.get(secretKeys.password)));
  return settings;
}

/** Returns the configuration of the stack that is being deployed, as one object for each component of index.ts. */
export function readSettings(): ProgramSettings {
  const config = new pulumi.Config("ballast");
  const markedSecret: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]");
  try {
    const all = pulumi.runtime.allConfig();
    const settings = parseConfig(all, markedSecret as string[]);
    return byComponent(settings, {
      password: settings.databaseAuthentication === "password" ? config.requireSecret(secretKeys.password) : undefined,
      notify: all[`ballast:${secretKeys.notify}`] ? config.requireSecret(secretKeys.notify) : undefined,
    });
  } catch (error) {
    throw error instanceof BallastError ? new pulumi.RunError(error.toString()) : error; // without the stack trace
  }
}

/** The settings that each component of index.ts takes, under the names of its arguments; `releases` are CanaryApp's. */
export type ProgramSettings = ReturnType<typeof byComponent>;

/** Secrets stay Pulumi secrets up to the resource that takes them. */
interface Secrets {
  readonly password: pulumi.Output<string> | undefined;
  readonly notify: pulumi.Output<string> | undefined;
}

function byComponent(settings: Settings, { password, notify }: Secrets) {
  const { subscription, tenant, location, resourceGroup, zoneRedundant, leaseSeconds, endpoints } = settings;
  return {
    group: { resourceGroup, location, scope: `/subscriptions/${subscription}/resourceGroups/${resourceGroup}` },
    network: settings.network,
    environment: { zoneRedundant, retentionInDays: settings.retention.logDays },
    telemetry: { emails: settings.alerts.emails, leaseSeconds },
    images: { subscription, registry: settings.registry },
    journal: {
      tenant,
      zoneRedundant,
      sku: settings.databaseSku,
      backupRetentionDays: settings.retention.backupDays,
      password,
    },
    controlPlane: {
      subscription,
      tenant,
      audience: settings.audience,
      image: settings.controlPlaneImage,
      minReplicas: settings.replicas.controlPlaneMin,
      maxReplicas: settings.replicas.controlPlaneMax,
      database: { port: settings.databasePort, tls: settings.databaseTls },
      endpoints,
      leaseSeconds,
      requestSeconds: settings.requestSeconds,
      ingestionSeconds: settings.ingestionSeconds,
      notify,
    },
    databaseRole: { tenant, image: settings.controlPlaneImage },
    storefront: {
      containerAppName: "storefront",
      resourceGroupName: resourceGroup,
      location,
      image: settings.storefrontImage,
      variables: settings.storefrontEnvironment,
      minReplicas: settings.replicas.storefrontMin,
      maxReplicas: settings.replicas.storefrontMax,
      healthPath: settings.healthPath,
      startupSeconds: settings.startupSeconds,
    },
    releases: {
      probePath: settings.probePath,
      strategy: settings.strategy,
      thresholds: settings.thresholds,
      dryRunThresholds: settings.dryRunThresholds,
      expectedRequestsPerMinute: settings.expectedRequestsPerMinute,
      wait: settings.wait,
      whenInFlight: settings.whenInFlight,
      outsideWeights: settings.outsideWeights,
      ...(settings.gate && { gate: settings.gate }),
    },
    deadMansSwitch: {
      subscription,
      image: settings.deadMansSwitchImage,
      resourceManager: endpoints.resourceManager,
      silenceSeconds: settings.silenceSeconds,
      leaseSeconds: settings.leaseSeconds,
      requestSeconds: settings.requestSeconds,
    },
  };
}
