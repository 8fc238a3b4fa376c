// What of an app is not a revision's: its ingress, registries, secrets. A change of these takes effect for every revision at once, and
// no rollback of traffic takes it back. Compares two configurations and says what differs, in words; pure, and knows no live app.
import { canonical } from "../../engines/canonical.ts";

type Fields = Readonly<Record<string, unknown>>;

/** An app's configuration in the provider's shape, as a program sends it or as Azure shows it. */
export type Configuration = Fields | undefined;

/** What Azure fills in, so that saying it and leaving it out are the same. */
const defaults: Readonly<Record<string, unknown>> = {
  "ingress.external": false,
  "ingress.transport": "auto",
  "ingress.allowInsecure": false,
  "ingress.exposedPort": 0,
  maxInactiveRevisions: 100,
};
/** What belongs to the control plane, is a matter of modes, or is only ever shown. */
const apart = new Set([
  "activeRevisionsMode",
  "ingress.traffic",
  "ingress.fqdn",
  "targetLabel",
  "revisionTransitionThreshold",
]);

/**
 * Lists what an update changes beyond revisions, a phrase each.
 *
 * Secrets are compared by name, and by value only where both sides have one: Azure never shows it. A phrase never holds a value of theirs.
 * `serving` is the template that serves: a secret that is added is nothing to it, nor is a registry where none of its images is from there.
 */
export function scopeChanges(before: Configuration, after: Configuration, serving: unknown): readonly string[] {
  const [was, will] = [flat(before), flat(after)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(will)])].filter((name) => !apart.has(name));
  const changes = names
    .filter((name) => said(name, was[name]) !== said(name, will[name]))
    .map((name) => `${name} from ${inWords(was[name] ?? defaults[name])} to ${inWords(will[name] ?? defaults[name])}`);
  return [...changes, ...secretChanges(before, after, serving), ...registryChanges(before, after, serving)];
}

/** Lists the secrets that keep their name and get another value. */
export function secretsRenewed(before: Configuration, after: Configuration): readonly string[] {
  const old = new Map(list(before, "secrets").map(({ name, value }) => [String(name), value]));
  return list(after, "secrets")
    .filter(({ name, value }) => {
      const known = old.get(String(name));
      return known != null && value != null && known !== value;
    })
    .map(({ name }) => String(name));
}

/** Gives the fields of a configuration and of its ingress by their path, without lists of their own rules and without what is not set. */
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

/** The platform does not tell `Http` from `http`, nor an absent value from its default. */
const said = (name: string, value: unknown): string => canonical(value ?? defaults[name]).toLowerCase();

const inWords = (value: unknown): string =>
  value === undefined ? "nothing" : typeof value === "object" ? JSON.stringify(value) : String(value);

const list = (configuration: Configuration, name: "secrets" | "registries"): readonly Fields[] =>
  (configuration?.[name] ?? []) as readonly Fields[];

/** A template names its secrets, so that one which is added is nothing to it, unless it has a volume that takes whatever secrets there are. */
function secretChanges(before: Configuration, after: Configuration, serving: unknown): readonly string[] {
  const names = (of: Configuration) => list(of, "secrets").map(({ name }) => String(name));
  const [was, will] = [names(before), names(after)];
  const volumes =
    (
      serving as
        | {
            readonly volumes?:
              | readonly { readonly storageType?: unknown; readonly secrets?: readonly unknown[] | null }[]
              | null;
          }
        | undefined
    )?.volumes ?? [];
  const takesAll = volumes.some(({ storageType, secrets }) => storageType === "Secret" && !secrets?.length);
  return [
    ...will.filter((name) => takesAll && !was.includes(name)).map((name) => `the secret ${name} is added`),
    ...was.filter((name) => !will.includes(name)).map((name) => `the secret ${name} is taken away`),
    ...secretsRenewed(before, after).map((name) => `the secret ${name} gets another value`),
  ];
}

/** Azure does not spell an identity's id as it was sent. */
function registryChanges(before: Configuration, after: Configuration, serving: unknown): readonly string[] {
  const signIns = (of: Configuration) =>
    new Map(
      list(of, "registries").map(({ server, identity, username }) => [
        String(server),
        String(identity || username || "").toLowerCase(),
      ]),
    );
  const [was, will] = [signIns(before), signIns(after)];
  const images = (
    (serving as { readonly containers?: readonly { readonly image?: unknown }[] } | undefined)?.containers ?? []
  ).map(({ image }) => String(image).toLowerCase());
  const pullsFrom = (server: string): boolean => images.some((image) => image.startsWith(`${server.toLowerCase()}/`));
  return [
    ...[...will]
      .filter(([server, who]) => was.get(server) !== who && (was.has(server) || pullsFrom(server)))
      .map(([server]) =>
        was.has(server) ? `the registry ${server} is signed in to by somebody else` : `the registry ${server} is added`,
      ),
    ...[...was.keys()].filter((server) => !will.has(server)).map((server) => `the registry ${server} is taken away`),
  ];
}

/**
 * Says whether a live template is what a program asks for: it has all of it, and what it has besides is what Azure filled in.
 *
 * Lists are alike when they are as long and alike place by place.
 */
export function hasAll(live: unknown, asked: unknown): boolean {
  if (Array.isArray(asked))
    return Array.isArray(live) && live.length === asked.length
      ? asked.every((each, place) => hasAll(live[place], each))
      : asked.length === 0 && live == null;
  if (typeof asked === "object" && asked !== null)
    return Object.entries(asked).every(
      ([name, value]) => value === undefined || hasAll((live as Fields | undefined)?.[name], value),
    );
  return live === asked;
}
