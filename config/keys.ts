// The keys of the configuration, each with the reader of its value, and the type of all settings that follows from
// them. Every key is in Pulumi.yaml too, where `pulumi config` shows its default and its description.
import * as objects from "./objects.ts";
import {
  count,
  environmentVariables,
  flag,
  notNegative,
  oneOf,
  port,
  positive,
  type Reader,
  registry,
  sku,
  text,
  urlPath,
} from "./readers.ts";

/** Keys whose value is taken as it is written. */
export const textKeys = {
  tenant: text,
  location: text,
  resourceGroup: text,
  controlPlaneImage: text,
  storefrontImage: text,
  deadMansSwitchImage: text,
  audience: text,
  probePath: urlPath,
  healthPath: urlPath,
  databaseSku: sku,
  registry,
  databaseAuthentication: oneOf("entra", "password"),
  databaseTls: oneOf("require", "disable"),
  whenInFlight: oneOf("refuse", "supersede"),
  outsideWeights: oneOf("restore", "adopt"),
};

/** Keys whose value the Pulumi CLI hands to the program as JSON. */
export const jsonKeys = {
  gate: objects.gate,
  emulator: flag,
  wait: flag,
  zoneRedundant: flag,
  immutableImages: flag,
  approvals: count(0),
  storefrontApproval: objects.approval,
  replicas: objects.replicas,
  retention: objects.retention,
  network: objects.network,
  alerts: objects.alerts,
  storefrontEnvironment: environmentVariables,
  strategy: objects.strategy,
  thresholds: objects.thresholds,
  dryRunThresholds: objects.dryRunThresholds,
  endpoints: objects.endpoints,
  expectedRequestsPerMinute: notNegative,
  leaseSeconds: positive,
  requestSeconds: positive,
  ingestionSeconds: notNegative,
  silenceSeconds: positive,
  databasePort: port,
};

/** Keys whose value is a secret. Settings do not hold it, so that they may be logged. */
export const secretKeys = { password: "databasePassword", notify: "notify" } as const;

type ValuesOf<Readers> = {
  readonly [Key in keyof Readers]: Readers[Key] extends Reader<infer Value> ? Value : never;
};

/** A stack's configuration: complete, typed and without its secrets. */
export interface Settings extends ValuesOf<typeof textKeys>, ValuesOf<typeof jsonKeys> {
  readonly subscription: string;
}
