// Reads the control plane's settings from the environment, and reports everything that is wrong with them at once. Only
// BALLAST_CONNECT_TO is read elsewhere, in connect-to.ts.

import { databaseAccess, patience, publicAzure, rotationsAtOnce } from "../defaults.ts";
import { list, object, optional, read as readForm, text } from "../engines/form.ts";
import { parsedJson } from "../engines/parsed-json.ts";
import type { Remediations } from "../engines/remediation/declaration.ts";
import type { Target } from "../engines/rollout/vocabulary.ts";
import type { Credential } from "../engines/rotation/vocabulary.ts";
import { settingsWrong } from "../errors/api.ts";
import type { CredentialRoles } from "./adapters/credentials/prepare-roles.ts";
import type { IssueAccess } from "./adapters/github/issue-calls.ts";
import { type Database, isLoopback } from "./adapters/postgres/connection.ts";
import type { Grantee } from "./adapters/postgres/role.ts";
import { signingKeyBytesMin, signingKeyOf } from "./adapters/wire/signing.ts";
import { readCredentials } from "./read-credentials.ts";
import { type NotifierSettings, readNotifiers } from "./read-notifiers.ts";
import { readRemediations } from "./read-remediations.ts";

/** The settings of the control plane. */
export interface Settings {
  readonly subscription: string;
  readonly tenant: string;
  /** The accepted audiences of tokens; several if Entra issues tokens of both versions (the URI and the client id). */
  readonly audiences: readonly string[];
  readonly managedTargets: readonly Target[];
  /** The credentials that are rotated, and how the rotator signs in; its password may be a token of the identity. */
  readonly credentials: readonly Credential[];
  readonly rotatorPassword: string | undefined;
  /** How many rotations may be under way at once. */
  readonly rotationsAtOnce: number;
  /** The suffix of the vaults' hosts, and that of storage accounts. */
  readonly vaults: string;
  readonly storage: string;
  /** What signs the calls of webhooks that change credentials; undefined if none is called. */
  readonly credentialWebhookSecret: string | undefined;
  readonly workspace: string;
  readonly resourceManager: string;
  readonly logs: string;
  readonly authority: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly database: DatabaseSettings;
  readonly leaseSeconds: number;
  readonly requestSeconds: number;
  /** How late request rows usually arrive. */
  readonly ingestionSeconds: number;
  readonly host: string;
  readonly port: number;
  /** Who receives notifications of rollouts. */
  readonly notifiers: NotifierSettings;
  /** Where issues are opened, and the token for them; undefined if none is configured. */
  readonly issues: IssueAccess | undefined;
  /** What may be done about alerts; nothing if it is not configured. */
  readonly remediations: Remediations;
  /** How often alerts are polled. */
  readonly alertPollSeconds: number;
  /** Where telemetry is sent; undefined if none is configured. */
  readonly telemetry:
    | {
        readonly connectionString: string;
        readonly everySeconds: number;
        readonly role: string;
        readonly version: string;
        readonly instance: string;
      }
    | undefined;
  /** Our name in the journal: the replica, and this start of it. */
  readonly process: string;
}

/** The database settings, in which the password may be missing. */
export interface DatabaseSettings extends Omit<Database, "password"> {
  /** Undefined if a token of the identity is the password. */
  readonly password: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the settings. @throws control-plane-settings-wrong with every complaint at once. */
export function readSettings(environment: Environment): Settings {
  const complaints: string[] = [];
  const read = reader(environment, complaints);
  const requestSeconds = read.number("BALLAST_REQUEST_SECONDS", patience.requestSeconds, 0.1, 300);
  const leaseSeconds = read.number("BALLAST_LEASE_SECONDS", patience.leaseSeconds, 0.1, 3600);
  // A write still on its way when the lease is lost could land after a write of the next process, so the request
  // must end first.
  if (leaseSeconds <= requestSeconds)
    complaints.push(
      `BALLAST_LEASE_SECONDS (${leaseSeconds}) must be longer than BALLAST_REQUEST_SECONDS (${requestSeconds}).`,
    );
  const managedTargets = readManagedTargets(read.text("BALLAST_MANAGED_TARGETS"), complaints);
  const settings: Settings = {
    subscription: read.text("BALLAST_SUBSCRIPTION"),
    tenant: read.text("BALLAST_TENANT"),
    audiences: read
      .text("BALLAST_AUDIENCE")
      .split(",")
      .map((audience) => audience.trim())
      .filter((audience) => audience !== ""),
    managedTargets,
    credentials: readCredentials(environment["BALLAST_CREDENTIALS"] ?? "", managedTargets, complaints),
    rotatorPassword: environment["BALLAST_ROTATOR_PASSWORD"] || undefined,
    rotationsAtOnce: read.number("BALLAST_ROTATIONS_AT_ONCE", rotationsAtOnce, 1, 100),
    vaults: environment["BALLAST_VAULTS"] || publicAzure.vaults,
    storage: environment["BALLAST_STORAGE"] || publicAzure.storage,
    credentialWebhookSecret: readSigningSecret(environment["BALLAST_CREDENTIAL_WEBHOOK_SECRET"], complaints),
    workspace: read.text("BALLAST_WORKSPACE"),
    resourceManager: read.url("BALLAST_RESOURCE_MANAGER", publicAzure.resourceManager),
    logs: read.url("BALLAST_LOGS", publicAzure.logs),
    authority: read.url("AZURE_AUTHORITY_HOST", publicAzure.login),
    clientId: read.text("AZURE_CLIENT_ID"),
    clientSecret: environment["AZURE_CLIENT_SECRET"] || undefined,
    database: readDatabase(environment, read, complaints),
    leaseSeconds,
    requestSeconds,
    ingestionSeconds: read.number("BALLAST_INGESTION_SECONDS", patience.ingestionSeconds, 0, 3600),
    host: environment["HOST"] || "127.0.0.1",
    port: read.number("PORT", 8080, 0, 65_535),
    notifiers: readNotifiers(environment["BALLAST_NOTIFY"], complaints),
    alertPollSeconds: read.number("BALLAST_ALERT_POLL_SECONDS", 60, 1, 3600),
    issues: readIssueAccess(environment, complaints),
    remediations: readRemediations(environment["BALLAST_REMEDIATIONS"], managedTargets, complaints),
    telemetry: readTelemetry(environment, read, complaints),
    process: `${environment["CONTAINER_APP_REPLICA_NAME"] || "local"}-${process.pid}-${Date.now().toString(36)}`,
  };
  if (complaints.length > 0) throw settingsWrong({ complaints });
  return settings;
}

/** Reads where issues are opened. The token is a secret, so a complaint never holds its value. */
function readIssueAccess(environment: Environment, complaints: string[]): IssueAccess | undefined {
  const token = environment["BALLAST_ISSUES_TOKEN"]?.trim() ?? "";
  if (token === "") return undefined;
  if (/\s/.test(token)) complaints.push("BALLAST_ISSUES_TOKEN has a space within.");
  const api = (environment["BALLAST_ISSUES_API"] || "https://api.github.com").replace(/\/+$/, "");
  const url = URL.parse(api);
  if (url?.protocol !== "https:" && !(url?.protocol === "http:" && isLoopback(url.hostname)))
    complaints.push(`BALLAST_ISSUES_API ("${api}") must be an https address; a token is sent to no other.`);
  return { api, token };
}

/** The settings of the process that prepares the database instead of serving the API. */
export interface Preparation {
  readonly clientId: string;
  /** The database, with its administrator as the user. */
  readonly database: DatabaseSettings;
  /** The role that will use the database. */
  readonly grantee: Grantee;
  /** The roles that the grantee will rotate; undefined if the database is the control plane's own. */
  readonly credentials?: readonly PreparedRoles[] | undefined;
}

/** The roles of a credential, and the identity that changes the schema as their owner. */
export interface PreparedRoles extends Omit<CredentialRoles, "rotator" | "migrator"> {
  readonly migrator?: Grantee | undefined;
}

/**
 * Reads the settings for preparing the database; undefined if the process should serve the API.
 *
 * @throws control-plane-settings-wrong with every complaint at once.
 */
export function readPreparation(environment: Environment): Preparation | undefined {
  const name = environment["BALLAST_DATABASE_GRANTEE"];
  if (!name) return undefined;
  const complaints: string[] = [];
  const read = reader(environment, complaints);
  const objectId = environment["BALLAST_DATABASE_GRANTEE_OBJECT"] || undefined;
  if (objectId !== undefined && !/^[0-9a-f-]{36}$/i.test(objectId))
    complaints.push(`BALLAST_DATABASE_GRANTEE_OBJECT ("${objectId}") must be the id of an object in Entra.`);
  const preparation: Preparation = {
    clientId: read.text("AZURE_CLIENT_ID"),
    database: readDatabase(environment, read, complaints),
    grantee: { name, objectId },
    credentials: readPairs(environment["BALLAST_DATABASE_CREDENTIALS"], complaints),
  };
  if (complaints.length > 0) throw settingsWrong({ complaints });
  return preparation;
}

interface Reader {
  readonly text: (name: string) => string;
  readonly number: (name: string, otherwise: number, least: number, most: number) => number;
  readonly url: (name: string, otherwise: string) => string;
}

function reader(environment: Environment, complaints: string[]): Reader {
  return {
    text: (name) => {
      const value = environment[name]?.trim() ?? "";
      if (value === "") complaints.push(`${name} is missing.`);
      return value;
    },
    number: (name, otherwise, least, most) => {
      const value = environment[name];
      const read = value === undefined || value === "" ? otherwise : Number(value);
      if (!(read >= least && read <= most))
        complaints.push(`${name} ("${value}") must be a number from ${least} to ${most}.`);
      return read;
    },
    url: (name, otherwise) => {
      const value = (environment[name] || otherwise).replace(/\/+$/, "");
      if (!URL.canParse(value) || new URL(value).protocol !== "https:")
        complaints.push(`${name} ("${value}") must be an https address.`);
      return value;
    },
  };
}

/** Reads the settings of telemetry. Their names are those of the platform and of OpenTelemetry. */
function readTelemetry(environment: Environment, read: Reader, complaints: string[]): Settings["telemetry"] {
  const connectionString = environment["APPLICATIONINSIGHTS_CONNECTION_STRING"]?.trim() ?? "";
  if (connectionString === "") return undefined;
  if (!/(^|;) *InstrumentationKey=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} *(;|$)/i.test(connectionString))
    complaints.push("APPLICATIONINSIGHTS_CONNECTION_STRING has no instrumentation key.");
  return {
    connectionString,
    everySeconds: read.number("OTEL_METRIC_EXPORT_INTERVAL", 60_000, 100, 3_600_000) / 1000,
    role: environment["CONTAINER_APP_NAME"] || "control-plane",
    version: environment["CONTAINER_APP_REVISION"] || "local",
    instance: environment["CONTAINER_APP_REPLICA_NAME"] || "local",
  };
}

function readDatabase(environment: Environment, read: Reader, complaints: string[]): DatabaseSettings {
  const host = read.text("BALLAST_DATABASE_HOST");
  const tls = environment["BALLAST_DATABASE_TLS"] || databaseAccess.tls;
  if (tls !== "require" && tls !== "disable")
    complaints.push(`BALLAST_DATABASE_TLS ("${tls}") must be require or disable.`);
  if (tls === "disable" && host !== "" && !isLoopback(host))
    complaints.push(`BALLAST_DATABASE_TLS may be disable only for a loopback address, not for ${host}.`);
  return {
    host,
    port: read.number("BALLAST_DATABASE_PORT", databaseAccess.port, 1, 65_535),
    name: read.text("BALLAST_DATABASE_NAME"),
    user: read.text("BALLAST_DATABASE_USER"),
    password: environment["BALLAST_DATABASE_PASSWORD"] || undefined,
    tls: tls === "disable" ? "disable" : "require",
  };
}

/** Reads the secret that signs calls of credentials' webhooks. It is never repeated. */
function readSigningSecret(secret: string | undefined, complaints: string[]): string | undefined {
  if (!secret) return undefined;
  if (signingKeyOf(secret) === undefined)
    complaints.push(`BALLAST_CREDENTIAL_WEBHOOK_SECRET must give a key of ${signingKeyBytesMin} bytes or more.`);
  return secret;
}

const word = text("a text that is not empty");
const objectIdForm = text("the id of an object in Entra", { pattern: "^[0-9a-fA-F-]{36}$" });
const migratorForm = object({ name: word, objectId: optional(objectIdForm) });
const pairsForm = list(object({ owner: word, a: word, b: word, migrator: optional(migratorForm) }), { least: 1 });

function readPairs(variable: string | undefined, complaints: string[]): Preparation["credentials"] {
  if (!variable) return undefined;
  const pairs = readForm(pairsForm, parsedJson(variable));
  if ("value" in pairs) {
    complaints.push(...tornMigrators(pairs.value));
    return pairs.value;
  }
  complaints.push(`BALLAST_DATABASE_CREDENTIALS is not a JSON list of pairs of roles: ${pairs.complaints.join(" ")}`);
  return undefined;
}

/** A role acts as one owner in its whole server, so a second pair would silently take it from the first. */
const tornMigrators = (pairs: NonNullable<Preparation["credentials"]>): readonly string[] =>
  pairs.flatMap(({ owner, migrator }, at) =>
    migrator && pairs.slice(0, at).some((one) => one.migrator?.name === migrator.name && one.owner !== owner)
      ? [`BALLAST_DATABASE_CREDENTIALS: ${migrator.name} cannot act as two owners; use one migrator for each.`]
      : [],
  );

const managedTargetsForm = list(object({ resourceGroup: word, app: word }));

function readManagedTargets(variable: string, complaints: string[]): readonly Target[] {
  if (variable === "") return [];
  const targets = readForm(managedTargetsForm, parsedJson(variable));
  if ("value" in targets) return targets.value;
  complaints.push(
    'BALLAST_MANAGED_TARGETS is not a JSON list of objects such as {"resourceGroup": "shop", "app": "storefront"}: ' +
      targets.complaints.join(" "),
  );
  return [];
}
