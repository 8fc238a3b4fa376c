// The only reader of the stack's configuration. What it gives is complete and well-typed; what it cannot read it refuses
// by the key's name, at preview. Defaults are in Pulumi.yaml, where `pulumi config` shows them, but for those of the
// endpoints, replicas and retention, which are in defaults.ts, and those of the pace and the limits, which are the engine's. It knows no resource.
import * as pulumi from "@pulumi/pulumi";
import { publicAzure, replicaCounts, retentionDays } from "./defaults.ts";
import { defaultLimits, defaultPace } from "./engines/rollout/plan.ts";
import type { Gate, Limits, Pace } from "./engines/rollout/vocabulary.ts";
import { BallastError } from "./errors/catalogue.ts";
import {
  configImageMutable,
  configImageUnapproved,
  configKeyMissing,
  configKeyUnknown,
  configLeaseTooShort,
  configNetworkUnfit,
  configPasswordMissing,
  configPlaceholderLeft,
  configSecretPlain,
  configSilenceTooShort,
  configStandInMismatch,
  configValueIllTyped,
  configZonesUnfit,
} from "./errors/config.ts";

/** The one subscription that the stand-in cloud serves, and that Azure has not got. */
const standInSubscription = "00000000-0000-0000-0000-0000ba11a57e";

/** Gives a value of its type, or refuses it by the path at which it was found. */
type Read<Value> = (value: unknown, path: string) => Value;

const describe = (value: unknown): string =>
  Array.isArray(value)
    ? `the list ${JSON.stringify(value)}`
    : typeof value === "object"
      ? "an object"
      : JSON.stringify(value);

const accept =
  <Value>(expected: string, accepts: (value: unknown) => boolean): Read<Value> =>
  (value, key) => {
    if (!accepts(value)) throw configValueIllTyped({ key, expected, found: describe(value) });
    return value as Value;
  };
const text = accept<string>("a text that is not empty", (value) => typeof value === "string" && value !== "");
const textOrNothing = accept<string>("a text", (value) => typeof value === "string");
const flag = accept<boolean>("true or false", (value) => typeof value === "boolean");
const number = accept<number>("a number", (value) => typeof value === "number");
const positive = accept<number>("a number above 0", (value) => typeof value === "number" && value > 0);
const notNegative = accept<number>("a number from 0", (value) => typeof value === "number" && value >= 0);
const port = accept<number>(
  "a port number",
  (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
);
const numbers = accept<readonly number[]>(
  "a list of numbers",
  (value) => Array.isArray(value) && value.every((item) => typeof item === "number"),
);
const count = (least: number) =>
  accept<number>(`a whole number from ${least}`, (value) => Number.isInteger(value) && Number(value) >= least);
const days = (least: number, most: number) =>
  accept<number>(
    `a number of days from ${least} to ${most}`,
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  );
const sku = accept<string>(
  "a size of Azure's beginning with Standard_B, Standard_D or Standard_E",
  (value) => typeof value === "string" && /^Standard_[BDE]\w+$/.test(value),
);
const registry = accept<string>(
  "a registry's name, 5 to 50 lower-case letters and digits, or the id of one that there is",
  (value) =>
    typeof value === "string" &&
    /^([a-z0-9]{5,50}|\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ContainerRegistry\/registries\/[a-zA-Z0-9]{5,50})$/i.test(
      value,
    ) &&
    (value.startsWith("/") || value === value.toLowerCase()),
);
const address = accept<string>(
  "an https:// address without a path",
  (value) => typeof value === "string" && /^https:\/\/[^/\s]+$/.test(value),
);
const path = accept<string>("a path that begins with /", (value) => typeof value === "string" && value.startsWith("/"));
const oneOf = <Word extends string>(...words: Word[]): Read<Word> =>
  accept(words.join(" or "), (value) => words.includes(value as Word));
const object = accept<{ readonly [key: string]: unknown }>(
  "an object",
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);

/** Environment variables: YAML reads `5` and `true` as what they look like, and the process gets them as text anyway. */
const texts: Read<{ readonly [name: string]: string }> = (value, key) => {
  const scalar = accept<string | number | boolean>("a text", (item) =>
    ["string", "number", "boolean"].includes(typeof item),
  );
  return Object.fromEntries(
    Object.entries(object(value, key)).map(([name, item]) => [name, String(scalar(item, `${key}.${name}`))]),
  );
};

/** An object with just these fields; what it leaves out keeps its default. */
const fields =
  <Shape extends object>(
    reads: { readonly [Field in keyof Shape]: Read<Shape[Field]> },
    defaults: Shape,
  ): Read<Shape> =>
  (value, key) => {
    const given = object(value, key);
    refuseUnknown(Object.keys(given), Object.keys(reads), `${key}.`);
    return {
      ...defaults,
      ...Object.fromEntries(
        Object.entries(given).map(([field, item]) => [field, reads[field as keyof Shape](item, `${key}.${field}`)]),
      ),
    };
  };

const pace = fields<Pace>(
  {
    weights: numbers,
    bakeSeconds: number,
    warmUpSeconds: number,
    tickSeconds: number,
    probeSeconds: number,
    smokeSeconds: number,
    maximumSeconds: number,
  },
  defaultPace,
);
const limitReads: { readonly [Limit in keyof Limits]: Read<number> } = {
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
const limits = fields<Limits>(limitReads, defaultLimits);
const shadowLimits = fields<Partial<Limits>>(limitReads, {});

/** An object without fields is no gate, as `pulumi config` shows it where none is set. */
const gate: Read<Gate | undefined> = (value, key) =>
  Object.keys(object(value, key)).length === 0
    ? undefined
    : fields<Gate>({ beforePercent: number, expiresSeconds: number }, { beforePercent: 100, expiresSeconds: 14_400 })(
        value,
        key,
      );

/** Where a cloud's doors are. */
export interface Endpoints {
  readonly resourceManager: string;
  readonly logs: string;
  readonly login: string;
}
const endpoints = fields<Endpoints>({ resourceManager: address, logs: address, login: address }, publicAzure);

/** Between how many replicas each service has. A zone-redundant environment spreads them over its zones. */
export interface Replicas {
  readonly storefrontMin: number;
  readonly storefrontMax: number;
  readonly controlPlaneMin: number;
  readonly controlPlaneMax: number;
}
const replicas = fields<Replicas>(
  { storefrontMin: count(0), storefrontMax: count(1), controlPlaneMin: count(1), controlPlaneMax: count(1) },
  replicaCounts,
);

/** Refuses what no number of replicas is between. */
const replicasInOrder: Read<Replicas> = (value, key) => {
  const read = replicas(value, key);
  for (const who of ["storefront", "controlPlane"] as const) {
    const [least, most] = [read[`${who}Min`], read[`${who}Max`]];
    if (least > most)
      throw configValueIllTyped({
        key: `${key}.${who}Max`,
        expected: `no less than ${who}Min, ${least}`,
        found: String(most),
      });
  }
  return read;
};

/** For how long the environment's logs and the database's backups are kept; the ranges are Azure's. */
export interface Retention {
  readonly logDays: number;
  readonly backupDays: number;
}
const retention = fields<Retention>({ logDays: days(30, 730), backupDays: days(7, 35) }, retentionDays);

/** From where a stack is reached: what its program makes, or what others have made already, by its ids. Empty texts are nothing. */
export interface NetworkChoice {
  /** The addresses of a network that the program makes. */
  readonly range: string;
  readonly environmentSubnet: string;
  readonly databaseSubnet: string;
  readonly databaseZone: string;
  /** Whether the environment has no address on the internet. */
  readonly internal: boolean;
  /** Whose addresses the control plane's ingress takes; everybody's where there are none. */
  readonly callers: readonly string[];
}
const cidr = accept<string>(
  "an IPv4 range in CIDR, such as 10.40.0.0/22",
  (value) => typeof value === "string" && /^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/.test(value),
);
const idOf =
  (what: string, ...types: string[]): Read<string> =>
  (value, key) => {
    const shape = new RegExp(
      `^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/${types.map((type) => `${type}/[^/]+`).join("/")}$`,
      "i",
    );
    return accept<string>(`the id of ${what}`, (given) => typeof given === "string" && shape.test(given))(
      withoutPlaceholder(`ballast:${key}`, textOrNothing(value, key)),
      key,
    );
  };
const subnetId = idOf("a subnet", "virtualNetworks", "subnets");
const network = fields<NetworkChoice>(
  {
    range: cidr,
    environmentSubnet: subnetId,
    databaseSubnet: subnetId,
    databaseZone: idOf("a private DNS zone", "privateDnsZones"),
    internal: flag,
    callers: (value, key) =>
      accept<readonly unknown[]>("a list of ranges", Array.isArray)(value, key).map((each) => cidr(each, key)),
  },
  { range: "", environmentSubnet: "", databaseSubnet: "", databaseZone: "", internal: false, callers: [] },
);

/** Who is told of alerts. */
export interface Alerts {
  readonly emails: readonly string[];
}
const email = accept<string>(
  "an e-mail address",
  (value) => typeof value === "string" && /^[^@\s]+@[^@\s]+$/.test(value),
);
const alerts = fields<Alerts>(
  {
    emails: (value, key) =>
      accept<readonly unknown[]>("a list of e-mail addresses", Array.isArray)(value, key).map((each) =>
        email(withoutPlaceholder(`ballast:${key}`, text(each, key)), key),
      ),
  },
  { emails: [] },
);

/** Who has said yes to which image of the storefront; `ballast promote` writes it. */
export interface Approval {
  readonly image: string;
  readonly by: readonly string[];
}
const filledIn: Read<string> = (value, key) => withoutPlaceholder(`ballast:${key}`, textOrNothing(value, key));
const names: Read<readonly string[]> = (value, key) =>
  accept<readonly unknown[]>("a list of names", Array.isArray)(value, key).map((name) =>
    withoutPlaceholder(`ballast:${key}`, text(name, key)),
  );
const approval = fields<Approval>({ image: filledIn, by: names }, { image: "", by: [] });

/** Keys whose value is taken as it stands. The value of any other key is JSON by the time that a program sees it. */
const words = {
  tenant: text,
  location: text,
  resourceGroup: text,
  controlPlaneImage: text,
  storefrontImage: text,
  deadMansSwitchImage: text,
  audience: text,
  probePath: path,
  healthPath: path,
  databaseSku: sku,
  registry,
  databaseAuthentication: oneOf("entra", "password"),
  databaseTls: oneOf("require", "disable"),
  whenInFlight: oneOf("refuse", "supersede"),
  outsideWeights: oneOf("restore", "adopt"),
};
const values = {
  gate,
  standIn: flag,
  wait: flag,
  zoneRedundant: flag,
  immutableImages: flag,
  approvals: count(0),
  storefrontApproval: approval,
  replicas: replicasInOrder,
  retention,
  network,
  alerts,
  storefrontEnvironment: texts,
  pace,
  limits,
  shadowLimits,
  endpoints,
  expectedRequestsPerMinute: notNegative,
  leaseSeconds: positive,
  requestSeconds: positive,
  ingestionSeconds: notNegative,
  silenceSeconds: positive,
  databasePort: port,
};
const passwordKey = "databasePassword";
const notifyKey = "notify";

type Values<Reads> = { readonly [Key in keyof Reads]: Reads[Key] extends Read<infer Value> ? Value : never };

/** What a stack is configured to be. No secret is in it, so that it may be looked at and logged. */
export interface Settings extends Values<typeof words>, Values<typeof values> {
  readonly subscription: string;
}

/**
 * Turns the configuration, as the engine hands it to a program, into settings.
 *
 * Pure, so that every refusal is a row of a table in the tests. Keys of other namespaces than ours are let through: they
 * belong to providers, which check them.
 */
export function parseConfig(all: { readonly [key: string]: string }, secretKeys: readonly string[]): Settings {
  const ours = new Map(
    Object.entries(all)
      .filter(([key]) => key.startsWith("ballast:"))
      .map(([key, value]) => [key.slice("ballast:".length), value]),
  );
  refuseUnknown([...ours.keys()], [...Object.keys(words), ...Object.keys(values), passwordKey, notifyKey], "");
  const given = (key: string) => ours.get(key) ?? missing(`ballast:${key}`);
  const settings = {
    subscription: withoutPlaceholder(
      "azure-native:subscriptionId",
      all["azure-native:subscriptionId"] || missing("azure-native:subscriptionId"),
    ),
    ...mapValues(words, (key, read) => read(withoutPlaceholder(`ballast:${key}`, given(key)), key)),
    ...mapValues(values, (key, read) => read(json(given(key)), key)),
  } as Settings;
  for (const key of [passwordKey, notifyKey])
    if (ours.get(key) && !secretKeys.includes(`ballast:${key}`)) throw configSecretPlain({ key });
  refuseTogether(settings, ours.get(passwordKey) || undefined);
  return settings;
}

/** Settings and the secrets, which stay Pulumi secrets from here to the resource that takes them. */
export type SettingsWithSecrets = Settings & {
  readonly databasePassword: pulumi.Output<string> | undefined;
  readonly notify: pulumi.Output<string> | undefined;
};

/** Reads the configuration of the stack that is being deployed. */
export function readSettings(): SettingsWithSecrets {
  const config = new pulumi.Config("ballast");
  const secretKeys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]");
  try {
    const all = pulumi.runtime.allConfig();
    const settings = parseConfig(all, secretKeys as string[]);
    return {
      ...settings,
      databasePassword: settings.databaseAuthentication === "password" ? config.requireSecret(passwordKey) : undefined,
      notify: all[`ballast:${notifyKey}`] ? config.requireSecret(notifyKey) : undefined,
    };
  } catch (error) {
    throw error instanceof BallastError ? new pulumi.RunError(error.toString()) : error; // without the stack trace
  }
}

/** Refuses what is wrong only because of another key. */
function refuseTogether(settings: Settings, password: string | undefined): void {
  const { standIn, subscription, leaseSeconds, requestSeconds, silenceSeconds, databaseAuthentication } = settings;
  if (standIn !== (subscription === standInSubscription)) throw configStandInMismatch({ standIn, subscription });
  if (requestSeconds >= leaseSeconds) throw configLeaseTooShort({ leaseSeconds, requestSeconds });
  // The adapters give an operation ten requests' time, and no fact is written meanwhile; the switch listens as long as the silence lasts already.
  const quietSeconds = requestSeconds * 10 + settings.pace.tickSeconds;
  if (silenceSeconds * 2 <= quietSeconds) throw configSilenceTooShort({ silenceSeconds, quietSeconds });
  const mutable = (Object.keys(words) as (keyof typeof words)[]).find(
    (key) => settings.immutableImages && key.endsWith("Image") && !hasDigest(settings[key]),
  );
  if (mutable !== undefined) throw configImageMutable({ key: mutable, image: settings[mutable] });
  const { approvals, storefrontApproval, storefrontImage: image } = settings;
  const by = storefrontApproval.image === image ? [...new Set(storefrontApproval.by)] : [];
  if (by.length < approvals) throw configImageUnapproved({ image, approvals, by });
  const unfit = zonesUnfit(settings);
  const apart = networkUnfit(settings.network);
  if (apart !== undefined) throw configNetworkUnfit({ why: apart });
  if (unfit !== undefined) throw configZonesUnfit({ why: unfit });
  if (databaseAuthentication === "password" && password === undefined) throw configPasswordMissing();
}

/** A tag may mean something else tomorrow, and a replica that starts then would run it beside the old one; a digest is one image for ever. */
const hasDigest = (image: string): boolean => /@sha256:[0-9a-f]{64}$/.test(image);

/** Says why a stack cannot be zone-redundant as it is configured; Azure would say so only in the middle of an update. */
function zonesUnfit({
  zoneRedundant,
  network: { range, environmentSubnet },
  databaseSku,
  replicas,
}: Settings): string | undefined {
  if (!zoneRedundant) return undefined;
  if (range + environmentSubnet === "")
    return "its environment needs a subnet of yours, and ballast:network sets neither range nor environmentSubnet";
  if (databaseSku.startsWith("Standard_B"))
    return `a database of the burstable size ${databaseSku} cannot have a standby in another zone`;
  const alone = (["storefrontMin", "controlPlaneMin"] as const).find((key) => replicas[key] < 2);
  return alone && `ballast:replicas.${alone} is ${replicas[alone]}, and a single replica is in a single zone`;
}

/**
 * Says why a choice of network cannot be: Azure would refuse it, or what it makes would not work.
 *
 * Sizes and delegations of subnets that others have made are theirs; Azure looks at them. What cannot be changed later is compared with what is there by the components.
 */
function networkUnfit({
  range,
  environmentSubnet,
  databaseSubnet,
  databaseZone,
  internal,
  callers,
}: NetworkChoice): string | undefined {
  const given = Object.entries({ environmentSubnet, databaseSubnet, databaseZone }).find(([, id]) => id !== "")?.[0];
  if (range !== "" && given !== undefined)
    return `ballast:network sets both range, of which a network is made, and ${given}, which is of one that is there already`;
  if (internal && range + environmentSubnet === "")
    return "ballast:network.internal is true, and an environment without a subnet of yours has no inside: neither range nor environmentSubnet is set";
  if ((databaseSubnet === "") !== (databaseZone === ""))
    return `ballast:network.${databaseSubnet === "" ? "databaseZone" : "databaseSubnet"} is set, and a private database needs a subnet and a zone for its name, both`;
  if (databaseSubnet !== "" && environmentSubnet === "")
    return "ballast:network.databaseSubnet is set, and the control plane, which signs in there, is in no network: environmentSubnet is not set";
  if (databaseSubnet !== "" && databaseSubnet.toLowerCase() === environmentSubnet.toLowerCase())
    return "ballast:network names one subnet for both, and each must be delegated to its service alone";
  if (databaseZone !== "" && !/\.postgres\.database\.azure\.com$/i.test(databaseZone))
    return "ballast:network.databaseZone must end in .postgres.database.azure.com";
  if (callers.length > 0 && range === "")
    return "ballast:network.callers is set, and the addresses of the dead man's switch, which must be let in as well, are known only of a network that range makes";
  return undefined;
}

function refuseUnknown(given: readonly string[], known: readonly string[], prefix: string): void {
  const key = given.find((name) => !known.includes(name));
  if (key !== undefined) throw configKeyUnknown({ key: prefix + key, nearest: prefix + nearest(key, known) });
}

function withoutPlaceholder<Value extends string>(key: string, value: Value): Value {
  if (/<[^<>]+>/.test(value)) throw configPlaceholderLeft({ key, value });
  return value;
}

function missing(key: string): never {
  throw configKeyMissing({ key });
}

function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value; // a bare word; the reader of the key says what it should be instead
  }
}

const mapValues = <Reads extends { readonly [key: string]: Read<unknown> }>(
  reads: Reads,
  value: (key: string, read: Read<unknown>) => unknown,
) => Object.fromEntries(Object.entries(reads).map(([key, read]) => [key, value(key, read)]));

/** Gives the known name that takes the fewest single letters to get to. */
function nearest(name: string, known: readonly string[]): string {
  const distances = known.map(
    (candidate) => [distance(name.toLowerCase(), candidate.toLowerCase()), candidate] as const,
  );
  return distances.reduce((best, next) => (next[0] < best[0] ? next : best))[1];
}

function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries())
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1)!;
}
