// Environment → settings, checked all at once. The only reader of the environment in the control plane but for
// BALLAST_CONNECT_TO, which connect-to.ts reads; what the settings are for is not known here.

import { databaseAccess, patience, publicAzure } from "../defaults.ts";
import type { Target } from "../engines/rollout/vocabulary.ts";
import { settingsWrong } from "../errors/api.ts";
import { type Database, isLoopback } from "./adapters/postgres/connection.ts";
import type { Grantee } from "./adapters/postgres/role.ts";
import { type ChannelSettings, readChannels } from "./read-notifiers.ts";

/** Everything that the control plane is told from outside. */
export interface Settings {
  readonly subscription: string;
  readonly tenant: string;
  /** What a caller's token must be for; several where Entra issues tokens of both shapes (the URI and the client id). */
  readonly audiences: readonly string[];
  readonly inventory: readonly Target[];
  readonly workspace: string;
  readonly resourceManager: string;
  readonly logs: string;
  readonly authority: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly database: DatabaseSettings;
  readonly leaseSeconds: number;
  readonly requestSeconds: number;
  /** How late request rows are as a rule. */
  readonly ingestionSeconds: number;
  readonly host: string;
  readonly port: number;
  /** Who is told of rollouts. */
  readonly channels: ChannelSettings;
  /** Where telemetry goes; undefined where nobody wants any. */
  readonly telemetry:
    | {
        readonly connectionString: string;
        readonly everySeconds: number;
        readonly role: string;
        readonly version: string;
        readonly instance: string;
      }
    | undefined;
  /** Who we are in the journal: the replica, and this start of it. */
  readonly process: string;
}

/** The database as the environment gives it, where a password may be missing. */
export interface DatabaseSettings extends Omit<Database, "password"> {
  /** Absent where the identity's own token is the password. */
  readonly password: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the settings. @throws control-plane-settings-wrong with every complaint at once. */
export function readSettings(environment: Environment): Settings {
  const complaints: string[] = [];
  const read = reader(environment, complaints);
  const requestSeconds = read.number("BALLAST_REQUEST_SECONDS", patience.requestSeconds, 0.1, 300);
  const leaseSeconds = read.number("BALLAST_LEASE_SECONDS", patience.leaseSeconds, 0.1, 3600);
  // A write that is still on its way when the lease is another's could land after the other's: the request ends first, always.
  if (leaseSeconds <= requestSeconds)
    complaints.push(
      `BALLAST_LEASE_SECONDS is ${leaseSeconds}, and it must be longer than BALLAST_REQUEST_SECONDS, ${requestSeconds}.`,
    );
  const settings: Settings = {
    subscription: read.text("BALLAST_SUBSCRIPTION"),
    tenant: read.text("BALLAST_TENANT"),
    audiences: read
      .text("BALLAST_AUDIENCE")
      .split(",")
      .map((audience) => audience.trim())
      .filter((audience) => audience !== ""),
    inventory: readInventory(read.text("BALLAST_INVENTORY"), complaints),
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
    channels: readChannels(environment["BALLAST_NOTIFY"], complaints),
    telemetry: readTelemetry(environment, read, complaints),
    process: `${environment["CONTAINER_APP_REPLICA_NAME"] || "local"}-${process.pid}-${Date.now().toString(36)}`,
  };
  if (complaints.length > 0) throw settingsWrong({ complaints });
  return settings;
}

/** What the process is told that prepares the database instead of serving. */
export interface Preparation {
  readonly clientId: string;
  /** The database, and its administrator. */
  readonly database: DatabaseSettings;
  /** Who is to use it. */
  readonly grantee: Grantee;
}

/** Reads what to prepare; undefined where the process is to serve. @throws control-plane-settings-wrong with every complaint at once. */
export function readPreparation(environment: Environment): Preparation | undefined {
  const name = environment["BALLAST_DATABASE_GRANTEE"];
  if (!name) return undefined;
  const complaints: string[] = [];
  const read = reader(environment, complaints);
  const objectId = environment["BALLAST_DATABASE_GRANTEE_OBJECT"] || undefined;
  if (objectId !== undefined && !/^[0-9a-f-]{36}$/i.test(objectId))
    complaints.push(`BALLAST_DATABASE_GRANTEE_OBJECT is "${objectId}", and it must be the id of an object in Entra.`);
  const preparation: Preparation = {
    clientId: read.text("AZURE_CLIENT_ID"),
    database: readDatabase(environment, read, complaints),
    grantee: { name, objectId },
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
      const text = environment[name]?.trim() ?? "";
      if (text === "") complaints.push(`${name} is missing.`);
      return text;
    },
    number: (name, otherwise, least, most) => {
      const text = environment[name];
      const value = text === undefined || text === "" ? otherwise : Number(text);
      if (!(value >= least && value <= most))
        complaints.push(`${name} is "${text}", and it must be a number from ${least} to ${most}.`);
      return value;
    },
    url: (name, otherwise) => {
      const text = (environment[name] || otherwise).replace(/\/+$/, "");
      if (!URL.canParse(text) || new URL(text).protocol !== "https:")
        complaints.push(`${name} is "${text}", and it must be an https address.`);
      return text;
    },
  };
}

/** The names are those that the platform and OpenTelemetry have for it. */
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
    complaints.push(`BALLAST_DATABASE_TLS is "${tls}", and it must be require or disable.`);
  if (tls === "disable" && host !== "" && !isLoopback(host))
    complaints.push(`BALLAST_DATABASE_TLS is disable, and that is for a loopback address alone, not for ${host}.`);
  return {
    host,
    port: read.number("BALLAST_DATABASE_PORT", databaseAccess.port, 1, 65_535),
    name: read.text("BALLAST_DATABASE_NAME"),
    user: read.text("BALLAST_DATABASE_USER"),
    password: environment["BALLAST_DATABASE_PASSWORD"] || undefined,
    tls: tls === "disable" ? "disable" : "require",
  };
}

function readInventory(text: string, complaints: string[]): readonly Target[] {
  if (text === "") return [];
  const entries = parsed(text);
  const isTarget = (entry: unknown): entry is Target =>
    typeof entry === "object" &&
    entry !== null &&
    ["resourceGroup", "app"].every(
      (key) =>
        typeof (entry as Record<string, unknown>)[key] === "string" && (entry as Record<string, unknown>)[key] !== "",
    ) &&
    Object.keys(entry).length === 2;
  if (!Array.isArray(entries) || !entries.every(isTarget)) {
    complaints.push('BALLAST_INVENTORY is not a list of {"resourceGroup", "app"} in JSON.');
    return [];
  }
  return entries;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
