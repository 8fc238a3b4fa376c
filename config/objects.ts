// The objects among the configuration's values: their shape, how each field is read, and its default. Defaults that
// components have too come from defaults.ts; those of the strategy and the thresholds from the rollout engine.
import { publicAzure, replicaCounts, retentionDays } from "../defaults.ts";
import { defaultStrategy, defaultThresholds } from "../engines/rollout/plan.ts";
import type { Gate, Strategy, Thresholds } from "../engines/rollout/vocabulary.ts";
import { configValueIllTyped } from "../errors/config.ts";
import {
  address,
  cidr,
  count,
  days,
  emails,
  fields,
  filledIn,
  flag,
  isEmptyObject,
  listOf,
  names,
  networkId,
  number,
  numbers,
  type Reader,
} from "./readers.ts";

export const strategy = fields<Strategy>(
  {
    weights: numbers,
    bakeSeconds: number,
    warmUpSeconds: number,
    intervalSeconds: number,
    probeSeconds: number,
    smokeSeconds: number,
    maximumSeconds: number,
  },
  defaultStrategy,
);

const thresholdReaders: { readonly [Threshold in keyof Thresholds]: Reader<number> } = {
  falseRollbackPercentMax: number,
  falsePromotionPercentMax: number,
  oddsTolerated: number,
  slowdownTolerated: number,
  failurePointsMax: number,
  ceilingPercent: number,
  ceilingRequests: number,
  stableFailurePercentMax: number,
  probeFailuresMax: number,
};
export const thresholds = fields<Thresholds>(thresholdReaders, defaultThresholds);
export const dryRunThresholds = fields<Partial<Thresholds>>(thresholdReaders, {});

const gateFields = fields<Gate>(
  { beforePercent: number, expiresSeconds: number },
  { beforePercent: 100, expiresSeconds: 14_400 },
);
/** Reads the gate; an object without fields means that there is none. */
export const gate: Reader<Gate | undefined> = (value, key) =>
  isEmptyObject(value, key) ? undefined : gateFields(value, key);

/** The addresses of a cloud's APIs. */
export interface Endpoints {
  /** The address of Azure Resource Manager. */
  readonly resourceManager: string;
  /** The address of the Log Analytics query API. */
  readonly logs: string;
  /** The address of the sign-in (Microsoft Entra). */
  readonly login: string;
}
export const endpoints = fields<Endpoints>({ resourceManager: address, logs: address, login: address }, publicAzure);

/** How many replicas each service has. A zone-redundant environment spreads them over its zones. */
export interface Replicas {
  /** The minimum number of replicas of each revision of the storefront; with 0 the platform may remove the last one. */
  readonly storefrontMin: number;
  /** The maximum number of replicas of each revision of the storefront. */
  readonly storefrontMax: number;
  /** The minimum number of replicas of the control plane. With two, rollouts continue at once when one dies. */
  readonly controlPlaneMin: number;
  /** The maximum number of replicas of the control plane. */
  readonly controlPlaneMax: number;
}
const replicaFields = fields<Replicas>(
  { storefrontMin: count(0), storefrontMax: count(1), controlPlaneMin: count(1), controlPlaneMax: count(1) },
  replicaCounts,
);
/** Reads the replicas and refuses a maximum below its minimum. */
export const replicas: Reader<Replicas> = (value, key) => {
  const read = replicaFields(value, key);
  for (const service of ["storefront", "controlPlane"] as const) {
    const [least, most] = [read[`${service}Min`], read[`${service}Max`]];
    if (least > most)
      throw configValueIllTyped({
        key: `${key}.${service}Max`,
        expected: `at least ${service}Min (${least})`,
        found: String(most),
      });
  }
  return read;
};

/** How long data is kept; the ranges are Azure's. */
export interface Retention {
  /** How many days request rows and logs are kept, from 30 to 730. */
  readonly logDays: number;
  /** For how many days back the database can be restored to any moment, from 7 to 35. */
  readonly backupDays: number;
}
export const retention = fields<Retention>({ logDays: days(30, 730), backupDays: days(7, 35) }, retentionDays);

/** The stack's network: a range of which the program makes one, or the ids of an existing one. "" means not set. */
export interface NetworkChoice {
  /** The address range, in CIDR, of a network that the program makes. */
  readonly range: string;
  /** The id of an existing subnet for the environment. */
  readonly environmentSubnet: string;
  /** The id of an existing subnet for the database. */
  readonly databaseSubnet: string;
  /** The id of an existing private DNS zone for the database's name. */
  readonly databaseZone: string;
  /** Whether the environment has no address on the internet. */
  readonly internal: boolean;
  /** The address ranges, in CIDR, from which the control plane accepts calls; an empty list accepts any. */
  readonly callers: readonly string[];
}
const subnetId = networkId("a subnet", "virtualNetworks", "subnets");
export const network = fields<NetworkChoice>(
  {
    range: cidr,
    environmentSubnet: subnetId,
    databaseSubnet: subnetId,
    databaseZone: networkId("a private DNS zone", "privateDnsZones"),
    internal: flag,
    callers: listOf("ranges", cidr),
  },
  { range: "", environmentSubnet: "", databaseSubnet: "", databaseZone: "", internal: false, callers: [] },
);

/** Who is notified of alerts. */
export interface Alerts {
  /** The e-mail addresses that are notified when an alert fires. */
  readonly emails: readonly string[];
}
export const alerts = fields<Alerts>({ emails }, { emails: [] });

/** Who approved which image of the storefront; `ballast promote` writes it. */
export interface Approval {
  /** The approved image. An approval of another image does not count. */
  readonly image: string;
  /** The names of those who approved it. */
  readonly by: readonly string[];
}
export const approval = fields<Approval>({ image: filledIn, by: names }, { image: "", by: [] });
