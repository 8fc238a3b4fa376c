// The keys of the configuration, each with the form of its value, and the type of all settings that follows from them.
// Every key is in Pulumi.yaml too, where `pulumi config` shows its default and its description.
import { completed, flag, number, type ObjectOf, object, oneOf, partial } from "../engines/form.ts";
import {
  gateForm,
  outsideWeightsForm,
  strategyForm,
  thresholdsForm,
  whenInFlightForm,
} from "../engines/rollout/intent.ts";
import { alerts, approval, endpoints, network, noneIfEmpty, replicas, retention } from "./objects.ts";
import { environmentVariables, registry, sku, urlPath, word } from "./values.ts";

const positive = number({ above: 0 });
const notNegative = number({ least: 0 });

const keys = {
  tenant: word,
  location: word,
  resourceGroup: word,
  controlPlaneImage: word,
  storefrontImage: word,
  deadMansSwitchImage: word,
  audience: word,
  probePath: urlPath,
  healthPath: urlPath,
  startupSeconds: number({ least: 1, most: 3_600, whole: true }),
  databaseSku: sku,
  registry,
  databaseAuthentication: oneOf(["entra", "password"]),
  databaseTls: oneOf(["require", "disable"]),
  whenInFlight: whenInFlightForm,
  outsideWeights: outsideWeightsForm,
  gate: noneIfEmpty(completed(gateForm, { beforePercent: 100, expiresSeconds: 14_400 })),
  emulator: flag(),
  wait: flag(),
  zoneRedundant: flag(),
  immutableImages: flag(),
  approvals: number({ least: 0, whole: true }),
  storefrontApproval: approval,
  replicas,
  retention,
  network,
  alerts,
  storefrontEnvironment: environmentVariables,
  strategy: completed(strategyForm),
  thresholds: completed(thresholdsForm),
  dryRunThresholds: partial(thresholdsForm),
  endpoints,
  expectedRequestsPerMinute: notNegative,
  leaseSeconds: positive,
  requestSeconds: positive,
  ingestionSeconds: notNegative,
  silenceSeconds: positive,
  databasePort: number({ least: 1, most: 65_535, whole: true, what: "a port number" }),
};

/** The configuration without its secrets: every key must have a value, because Pulumi.yaml has the defaults. */
export const settingsForm = object(keys);

/** Keys whose value is a secret. Settings do not hold it, so that they may be logged. */
export const secretKeys = { password: "databasePassword", notify: "notify" } as const;

/** A stack's configuration: complete, typed and without its secrets. */
export interface Settings extends ObjectOf<typeof keys> {
  readonly subscription: string;
}
