// The part of an app that its revisions share: ingress, registries, secrets. A change of these takes effect for every
// revision at once, and moving traffic back does not undo it. This file compares two configurations and describes what
// differs; it is pure.
import { canonical } from "../../engines/canonical.ts";
import { hasHole, hole } from "./known-parts.ts";
import { meansNothing } from "./losses.ts";

type Fields = Readonly<Record<string, unknown>>;

/** An app's configuration in the provider's shape, as a program sends it or as Azure shows it. */
export type Configuration = Fields | undefined;

/** The values that Azure fills in. Leaving one of these out is the same as setting it. */
const defaults: Readonly<Record<string, unknown>> = {
  "ingress.external": false,
  "ingress.transport": "auto",
  "ingress.allowInsecure": false,
  "ingress.exposedPort": 0,
  maxInactiveRevisions: 100,
};
/** The values that Azure fills in within an object, or within each object of a list. */
const defaultsWithin: Readonly<Record<string, Fields>> = {
  dapr: { appProtocol: "http", logLevel: "info", httpMaxRequestSize: 4, httpReadBufferSize: 65 },
  "ingress.customDomains": { bindingType: "disabled" },
};
/** Fields that are not compared: they belong to the control plane, depend on the revision mode, or are read-only. */
const ignored = new Set([
  "activeRevisionsMode",
  "ingress.traffic",
  "ingress.fqdn",
  "targetLabel",
  "revisionTransitionThreshold",
]);

/**
 * Lists what an update changes beyond revisions, one phrase per change.
 *
 * What a preview does not know yet is not compared. Secrets are compared by name, and by value only if both sides have
 * one, since Azure never shows it. A phrase never holds a secret's value. `serving` is the template that serves now: an
 * added secret does not affect it, nor does a registry from which it has no image.
 */
export function scopeChanges(before: Configuration, after: Configuration, serving: unknown): readonly string[] {
  if (isHole(after)) return [];
  const [was, will] = [flat(before), flat(after)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(will)])].filter(
    (name) => !(ignored.has(name) || hasHole(will[name])),
  );
  const changes = names
    .filter((name) => comparable(name, was[name]) !== comparable(name, will[name]))
    .map(
      (name) => `${name} from ${describe(was[name] ?? defaults[name])} to ${describe(will[name] ?? defaults[name])}`,
    );
  return [...changes, ...secretChanges(before, after, serving), ...registryChanges(before, after, serving)];
}

/** Lists the secrets that keep their name and get another value. */
export function secretsRenewed(before: Configuration, after: Configuration): readonly string[] {
  const old = new Map(list(before, "secrets").map(({ name, value }) => [String(name), value]));
  return list(after, "secrets")
    .filter(({ name, value }) => {
      const known = old.get(String(name));
      return known != null && value != null && value !== hole && known !== value;
    })
    .map(({ name }) => String(name));
}

/** Lists the same in words. */
export const renewals = (before: Configuration, after: Configuration): readonly string[] =>
  secretsRenewed(before, after).map((name) => `the secret ${name} gets another value`);

/** Returns the fields of a configuration and its ingress by path, without unset ones and lists with their own rules. */
function flat(configuration: Configuration): Fields {
  const { secrets: _secrets, registries: _registries, ingress, ...rest } = configuration ?? {};
  const fields = [
    ...Object.entries(rest),
    ...Object.entries((ingress ?? {}) as Fields).map(([name, value]) => [`ingress.${name}`, value] as const),
  ];
  return Object.fromEntries(
    fields.filter(([, value]) => !(value == null || (Array.isArray(value) && value.length === 0))),
  );
}

/** Azure does not distinguish `Http` from `http`, nor an absent value from its default or one that means nothing. */
function comparable(name: string, value: unknown): string {
  const at = ["configuration", ...name.split(".")];
  const isOff = name === "ingress.stickySessions" && (value as Fields | undefined)?.["affinity"] !== "sticky";
  return canonical(
    (isOff || meansNothing(at, value) ? undefined : withoutEmpty(filledIn(name, value))) ?? defaults[name],
  ).toLowerCase();
}

/** Gives a value as Azure shows it or as a program says it, the same for both. */
function filledIn(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => filledIn(name, each));
  if (typeof value !== "object" || value === null) return value;
  const usual = defaultsWithin[name] ?? {};
  const isUsual = (field: string, each: unknown): boolean =>
    field in usual && String(each).toLowerCase() === String(usual[field]);
  const fields = Object.fromEntries(Object.entries(value).filter(([field, each]) => !isUsual(field, each)));
  // A port is exposed as it is unless the program says otherwise.
  const { exposedPort, targetPort } = value as Fields;
  return name === "ingress.additionalPortMappings" ? { ...fields, exposedPort: exposedPort || targetPort } : fields;
}

/** Leaves out what Azure fills in within an object: null, false, zero and empty texts, lists and objects. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value)
    .map(([name, each]) => [name, withoutEmpty(each)] as const)
    .filter(([, each]) => each && !(typeof each === "object" && Object.keys(each).length === 0));
  return Object.fromEntries(fields);
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const list = (configuration: Configuration, name: "secrets" | "registries"): readonly Fields[] => {
  const found = configuration?.[name];
  return Array.isArray(found) ? (found as readonly Fields[]) : [];
};

/** A template names its secrets, so an added one does not affect it, unless it has a volume that mounts all secrets. */
function secretChanges(before: Configuration, after: Configuration, serving: unknown): readonly string[] {
  if (after?.["secrets"] === hole || list(after, "secrets").some((secret) => isHole(secret) || isHole(secret["name"])))
    return [];
  const names = (of: Configuration) => list(of, "secrets").map(({ name }) => String(name));
  const [was, will] = [names(before), names(after)];
  const mountsAll = mountsAllSecrets(serving);
  return [
    ...will.filter((name) => mountsAll && !was.includes(name)).map((name) => `the secret ${name} is added`),
    ...was.filter((name) => !will.includes(name)).map((name) => `the secret ${name} is removed`),
    ...renewals(before, after),
  ];
}

const isHole = (value: unknown): boolean => value === hole;

interface Volume {
  readonly storageType?: unknown;
  readonly secrets?: readonly unknown[] | null;
}

function mountsAllSecrets(template: unknown): boolean {
  const { volumes } = (template ?? {}) as { readonly volumes?: readonly Volume[] | null };
  return (volumes ?? []).some(({ storageType, secrets }) => storageType === "Secret" && !secrets?.length);
}

/**
 * Lists the secrets that a program reads from elsewhere than the live app does.
 *
 * Only the live app says where that is: a rotation may have moved a secret since the state was written.
 */
export function secretsMoved(live: Configuration, sent: Configuration): readonly string[] {
  const was = new Map(list(live, "secrets").map((secret) => [String(secret["name"]), placeOf(secret)]));
  return list(sent, "secrets")
    .filter(({ name, keyVaultUrl, identity }) => was.has(String(name)) && keyVaultUrl !== hole && identity !== hole)
    .filter((secret) => was.get(String(secret["name"])) !== placeOf(secret))
    .map(({ name }) => `the secret ${name} is read from another place`);
}

/** Where a secret is in Key Vault, and who reads it there; empty if it is given by value. */
const placeOf = ({ keyVaultUrl, identity }: Fields): string =>
  keyVaultUrl ? `${String(keyVaultUrl).replace(/\/$/, "")} ${identity ?? ""}`.toLowerCase() : "";

/** Servers and identities are compared without case: Azure does not spell an id as it was sent. */
function registryChanges(before: Configuration, after: Configuration, serving: unknown): readonly string[] {
  if (hasHole(after?.["registries"])) return [];
  const signIns = (of: Configuration) =>
    new Map(
      list(of, "registries").map(({ server, identity, username }) => [
        String(server).toLowerCase(),
        String(identity || username || "").toLowerCase(),
      ]),
    );
  const [was, will] = [signIns(before), signIns(after)];
  const { containers } = (serving ?? {}) as { readonly containers?: readonly { readonly image?: unknown }[] };
  const images = (containers ?? []).map(({ image }) => String(image).toLowerCase());
  const pullsFrom = (server: string): boolean => images.some((image) => image.startsWith(`${server}/`));
  return [
    ...[...will]
      .filter(([server, who]) => was.get(server) !== who && (was.has(server) || pullsFrom(server)))
      .map(([server]) =>
        was.has(server) ? `the registry ${server} gets another sign-in` : `the registry ${server} is added`,
      ),
    ...[...was.keys()].filter((server) => !will.has(server)).map((server) => `the registry ${server} is removed`),
  ];
}

/**
 * Reports whether a live template has everything that a program asks for; anything more is what Azure filled in.
 *
 * Lists match when they have the same length and match item by item. What a preview does not know yet matches. A
 * value that says nothing, such as 0 or an empty text, matches one that Azure does not show.
 */
export function hasAll(live: unknown, asked: unknown): boolean {
  if (asked === hole || (!asked && (live === undefined || live === null))) return true;
  if (Array.isArray(asked))
    return Array.isArray(live) && live.length === asked.length
      ? asked.every((each, place) => hasAll(live[place], each))
      : asked.length === 0 && live == null;
  if (typeof asked === "object" && asked !== null)
    return Object.entries(asked).every(
      ([name, value]) => value === undefined || hasAll((live as Fields | undefined)?.[name], value),
    );
  return live === asked || (isId(asked) && isId(live) && live.toLowerCase() === asked.toLowerCase());
}

/** What Azure fills in where a template says nothing, by the name of the field. */
const filledInByAzure: Fields = {
  cooldownPeriod: 300,
  cpu: 0.5,
  failureThreshold: 3,
  imageType: "ContainerImage",
  maxReplicas: 10,
  memory: "1Gi",
  periodSeconds: 10,
  pollingInterval: 30,
  scheme: "HTTP",
  storageType: "EmptyDir",
  successThreshold: 1,
  terminationGracePeriodSeconds: 30,
  timeoutSeconds: 1,
};
/** What Azure only shows, or does itself. */
const shownByAzure = new Set(["ephemeralStorage", "revisionSuffix"]);

/**
 * Reports whether a program asks for everything that a live template has, beside what Azure filled in: nothing was
 * removed from it.
 */
export function asksForAll(live: unknown, asked: unknown): boolean {
  if (asked === hole || !live) return true;
  if (typeof live !== "object" || typeof asked !== "object" || asked === null) return Boolean(asked);
  return Object.entries(live).every(([name, value]) => {
    const said = (asked as Fields)[name];
    return said === undefined || said === null ? isFilledIn(name, value) : asksForAll(value, said);
  });
}

function isFilledIn(name: string, value: unknown): boolean {
  if (!value || shownByAzure.has(name) || value === filledInByAzure[name]) return true;
  return typeof value === "object" && Object.entries(value).every(([each, part]) => isFilledIn(each, part));
}

/** Azure spells its ids in any letter case. */
const isId = (value: unknown): value is string => typeof value === "string" && /^\/subscriptions\//i.test(value);
