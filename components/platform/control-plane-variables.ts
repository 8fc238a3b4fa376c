// The settings of the control plane as variables of its app, and the secrets that they name.
import * as pulumi from "@pulumi/pulumi";
import { databaseAccess, patience, publicAzure } from "../../defaults.ts";
import { subscriptionOf, variablesOf } from "../conventions.ts";
import { accessInState, type DatabaseAccess } from "./database-access.ts";

/** What of the arguments of a `ControlPlane` becomes a variable or a secret. */
interface Settings {
  readonly scope: string;
  readonly subscription?: string;
  readonly tenant: string;
  readonly audience: string;
  readonly managedTargets: readonly object[];
  readonly workspace: { readonly customerId: pulumi.Input<string> };
  readonly endpoints?: {
    readonly resourceManager?: string;
    readonly logs?: string;
    readonly login?: string;
    readonly vaults?: string;
    readonly storage?: string;
  };
  readonly database: DatabaseAccess;
  readonly leaseSeconds?: number;
  readonly requestSeconds?: number;
  readonly ingestionSeconds?: number;
  readonly telemetry?: { readonly connectionString: pulumi.Input<string> } | undefined;
  readonly notify?: pulumi.Input<string> | undefined;
  readonly rotatorPassword?: pulumi.Input<string> | undefined;
  readonly credentialWebhookSecret?: pulumi.Input<string> | undefined;
  readonly rotationsAtOnce?: number;
  readonly credentials?: string | undefined;
  readonly remediations?: string | undefined;
  readonly issues?: { readonly tokenUrl: pulumi.Input<string>; readonly api?: string | undefined } | undefined;
}

/** A setting that is a secret: its variable, and the app's secret that the template names and never holds. */
interface SecretSetting {
  readonly variable: string;
  readonly name: string;
  /** The value, or where Key Vault holds it. */
  readonly held: { readonly value: pulumi.Output<string> } | { readonly keyVaultUrl: pulumi.Input<string> };
}

/** Lists the settings that are secrets, as far as the arguments have them. */
function secretSettings(args: Settings): readonly SecretSetting[] {
  const { database, notify, rotatorPassword, credentialWebhookSecret, telemetry, issues } = args;
  const given = [
    ["BALLAST_DATABASE_PASSWORD", "database-password", database.login?.password],
    ["BALLAST_NOTIFY", "notify", notify],
    ["BALLAST_ROTATOR_PASSWORD", "rotator-password", rotatorPassword],
    ["BALLAST_CREDENTIAL_WEBHOOK_SECRET", "credential-webhook", credentialWebhookSecret],
    ["APPLICATIONINSIGHTS_CONNECTION_STRING", "telemetry", telemetry?.connectionString],
  ] as const;
  return [
    ...given.flatMap(([variable, name, value]) =>
      value === undefined ? [] : [{ variable, name, held: { value: pulumi.secret(value) } }],
    ),
    ...(issues
      ? [{ variable: "BALLAST_ISSUES_TOKEN", name: "issues-token", held: { keyVaultUrl: issues.tokenUrl } }]
      : []),
  ];
}

/** Returns the secrets that the template only names. One that Key Vault holds is fetched with the identity. */
export function secretsOf(
  args: Settings,
  identity: pulumi.Input<string>,
): {
  secrets?: (
    | { name: string; value: pulumi.Output<string> }
    | { name: string; keyVaultUrl: pulumi.Input<string>; identity: pulumi.Input<string> }
  )[];
} {
  const secrets = secretSettings(args).map(({ name, held }) =>
    "value" in held ? { name, ...held } : { name, ...held, identity },
  );
  return secrets.length === 0 ? {} : { secrets };
}

/** Returns the environment variables that controlplane/main.ts reads. */
export function environmentVariables(
  args: Settings,
  identity: { readonly name: pulumi.Output<string>; readonly clientId: pulumi.Output<string> },
): { name: string; value?: pulumi.Input<string>; secretRef?: string }[] {
  const {
    database,
    endpoints = {},
    leaseSeconds = patience.leaseSeconds,
    requestSeconds = patience.requestSeconds,
    ingestionSeconds = patience.ingestionSeconds,
  } = args;
  const env = variablesOf<pulumi.Input<string>>({
    BALLAST_SUBSCRIPTION: args.subscription ?? subscriptionOf(args.scope),
    BALLAST_TENANT: args.tenant,
    BALLAST_AUDIENCE: args.audience,
    BALLAST_MANAGED_TARGETS: JSON.stringify(args.managedTargets),
    BALLAST_WORKSPACE: args.workspace.customerId,
    BALLAST_RESOURCE_MANAGER: endpoints.resourceManager ?? publicAzure.resourceManager,
    BALLAST_LOGS: endpoints.logs ?? publicAzure.logs,
    AZURE_AUTHORITY_HOST: endpoints.login ?? publicAzure.login,
    AZURE_CLIENT_ID: identity.clientId,
    BALLAST_DATABASE_HOST: database.host,
    BALLAST_DATABASE_PORT: String(database.port ?? databaseAccess.port),
    BALLAST_DATABASE_NAME: database.name,
    BALLAST_DATABASE_USER: database.login?.user ?? identity.name,
    BALLAST_DATABASE_TLS: database.tls ?? databaseAccess.tls,
    BALLAST_LEASE_SECONDS: String(leaseSeconds),
    BALLAST_REQUEST_SECONDS: String(requestSeconds),
    BALLAST_INGESTION_SECONDS: String(ingestionSeconds),
    ...(args.credentials === undefined ? {} : { BALLAST_CREDENTIALS: args.credentials }),
    ...(args.credentials === undefined && endpoints.vaults === undefined
      ? {}
      : { BALLAST_VAULTS: endpoints.vaults ?? publicAzure.vaults }),
    ...(endpoints.storage === undefined ? {} : { BALLAST_STORAGE: endpoints.storage }),
    ...(args.rotationsAtOnce === undefined ? {} : { BALLAST_ROTATIONS_AT_ONCE: String(args.rotationsAtOnce) }),
    ...(args.remediations === undefined ? {} : { BALLAST_REMEDIATIONS: args.remediations }),
    ...(args.issues?.api === undefined ? {} : { BALLAST_ISSUES_API: args.issues.api }),
  });
  return [...env, ...secretSettings(args).map(({ variable, name }) => ({ name: variable, secretRef: name }))];
}

/** Returns the arguments as the state keeps them: a component's own inputs are in it too. */
export function stateOf(given: Settings): object {
  const { database, notify, rotatorPassword, credentialWebhookSecret, telemetry, ...args } = given;
  const secrets = Object.entries({ notify, rotatorPassword, credentialWebhookSecret }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, pulumi.secret(value)] as const],
  );
  return {
    ...args,
    ...Object.fromEntries(secrets),
    database: accessInState(database),
    ...(telemetry && { telemetry: { ...telemetry, connectionString: pulumi.secret(telemetry.connectionString) } }),
  };
}
