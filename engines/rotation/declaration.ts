// What a program declares about a credential that is rotated: where its secrets are, which roles log in with it, who
// reads it, and how long each wait of a rotation may take. The control plane reads declarations by this form, and each
// rotation keeps the one that it began with in its journal.
import {
  completed,
  defaultsOf,
  described,
  line,
  list,
  number,
  type ObjectOf,
  object,
  oneOf,
  optional,
  text,
} from "../form.ts";
import { strategyForm, thresholdsForm } from "../rollout/intent.ts";
import { defaultStrategy, defaultThresholds } from "../rollout/plan.ts";
import { probeRequestForm } from "../rollout/probe-request.ts";
import { type AppTarget, appForms, appKey, type TargetKey } from "../targets.ts";
import { instantOf } from "../utc.ts";
import { objectionsToManagers } from "./kin.ts";
import { objectionsToPolicy, passwordPolicyForm } from "./password-policy.ts";
import { objectionsToSystem, placeOf, systemFields, systemOf, traitsOf } from "./systems.ts";

/** The two slots of a credential. Each has a role, a secret in the vault, and a secret in every consumer. */
export const slots = ["a", "b"] as const;
export type Slot = (typeof slots)[number];
export const slotForm = oneOf(slots);

/** Gives the other slot. */
export const otherSlot = (slot: Slot): Slot => (slot === "a" ? "b" : "a");

/** The parts of a credential's address. */
export const credentialParts = {
  vault: text("a vault's name", {
    most: 24,
    pattern: "^[A-Za-z][A-Za-z0-9-]*$",
    description: "The Key Vault that holds the credential's secrets.",
  }),
  // Container Apps allows only these characters in the name of a secret, and the slots add two.
  credential: text("a credential's name: lower-case letters, digits and hyphens", {
    most: 50,
    pattern: "^[a-z]([a-z0-9-]*[a-z0-9])?$",
    description: "The credential, by the name of its published secret.",
  }),
};

/** A credential in its vault. */
export interface CredentialName {
  readonly vault: string;
  readonly credential: string;
}

/** Gives the target that a rotation holds. Azure ignores case in names, so it is in lower case. */
export const secretKey = ({ vault, credential }: CredentialName): TargetKey =>
  `secret/${vault}/${credential}`.toLowerCase();

/** Gives the name of a slot's secret, the same in the vault and in every consumer. */
export const slotSecret = (credential: string, slot: Slot): string => `${credential}-${slot}`;

/** Gives the name of the secret that has the role of a slot's secret, where the two are apart. */
export const userSecret = (secret: string): string => `${secret}-user`;

const seconds = (otherwise: number, description: string, least = 1) => number({ least, otherwise, description });

const timingFields = {
  intervalSeconds: seconds(60, "How often logins and sessions are read while readers are waited for, in seconds."),
  quietSeconds: seconds(
    2_100,
    "How long no reader may log in with the old role before it is closed, in seconds. A Container App that reads " +
      "the published secret without a version may take half an hour to notice a new one.",
  ),
  drainSeconds: seconds(300, "How long open sessions of the old role may go on before they are ended, in seconds.", 0),
  graceSeconds: seconds(
    3_600,
    "How long the old role stays without login, so that a forgotten reader shows, before its slot is renewed, in " +
      "seconds.",
    0,
  ),
  busySeconds: seconds(7_200, "How long a rotation waits for another rollout of a consumer, in seconds."),
  readersSeconds: seconds(86_400, "How long a rotation waits for readers to be quiet, in seconds."),
};

const timingsForm = object(timingFields, { title: "Timings", description: "How long each wait of a rotation takes." });

/** How long each wait of a rotation takes. */
export interface Timings extends ObjectOf<typeof timingFields> {}

const consumerFields = {
  resourceGroup: appForms.rg,
  app: appForms.app,
  probePath: text("a path: it begins with / and has no spaces", {
    most: 1024,
    pattern: "^/[\\x21-\\x7e]*$",
    otherwise: "/",
    description: "The path of a new revision's own address that must answer before it gets traffic.",
  }),
  probe: optional(probeRequestForm),
  strategy: { ...strategyForm, otherwise: defaultStrategy },
  thresholds: { ...thresholdsForm, otherwise: defaultThresholds },
};
const consumerForm = object(consumerFields);

/** A Container App that logs in with the credential, and how a release of it is judged. */
export interface Consumer extends ObjectOf<typeof consumerFields> {}

const roleName = line(63);

/** How the value of a slot is written. */
export const valueForms = ["uri", "key-value", "dotnet", "apart"] as const;

/** The job that makes the roles, for the refusal of a credential whose roles are missing. */
const jobForm = object({
  resourceGroup: text("a resource group's name", { most: 90 }),
  job: text("a job's name", { most: 64 }),
});

/** The days of a week, from the one that UTC's day 0 of a week is. */
export const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;

const timeOfDay = text("a time of day in UTC, such as 22:00", { pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$" });
const moment = text("a moment in UTC, such as 2026-12-24T00:00:00Z", {
  pattern: "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$",
});

const windowForm = object(
  {
    days: optional(list(oneOf(weekdays), { least: 1, most: 7 })),
    from: timeOfDay,
    until: timeOfDay,
  },
  {
    title: "RotationWindow",
    description: "When a rotation may begin. A window past midnight belongs to its first day.",
  },
);

/** When a rotation may begin. */
export interface RotationWindow extends ObjectOf<typeof windowForm.fields> {}

const freezeForm = object(
  { from: moment, until: moment, why: line(200) },
  { title: "Freeze", description: "A time in which no rotation begins, and why." },
);

/** A time in which no rotation begins. */
export interface Freeze extends ObjectOf<typeof freezeForm.fields> {}

/** What a program says of a credential beside its name. */
const ownFields = {
  server: text("a server's host name", {
    least: 0,
    most: 253,
    pattern: "^[A-Za-z0-9.-]*$",
    otherwise: "",
    description: "The host of the database server.",
  }),
  port: number({ least: 1, most: 65_535, whole: true, otherwise: 5432 }),
  database: line(63, { least: 0, otherwise: "" }),
  tls: oneOf(["require", "disable"], {
    otherwise: "require",
    description: "Whether connections must be encrypted; `disable` is for a server on loopback.",
  }),
  form: oneOf(valueForms, {
    otherwise: "uri",
    description:
      "How the value of a slot is written: `uri` (postgresql://…), `key-value` (host=… password=…, as libpq reads " +
      "it), `dotnet` (Host=…;Password=…, as Npgsql reads it), `apart` (the password alone, with the role in a secret " +
      "of its own).",
  }),
  ...systemFields,
  preparedBy: optional(described(jobForm, "The job that makes the roles.")),
  roles: object(
    { a: roleName, b: roleName },
    { description: "What each slot opens: a login role, a key, an account." },
  ),
  rotator: line(63, {
    otherwise: "ballast_rotator",
    description: "The role as which the control plane changes the other two.",
  }),
  passwordPolicy: optional(passwordPolicyForm),
  checks: list(text("a query", { most: 2_000 }), {
    most: 20,
    otherwise: [],
    description: "Queries that the new role must be able to run, beside the rights that the old role has.",
  }),
  consumers: list(consumerForm, {
    least: 1,
    most: 20,
    description: "The apps that name a slot of the credential, in the order in which they are cut over.",
  }),
  validDays: number({
    least: 1,
    most: 3_650,
    otherwise: 60,
    description: "After how many days a version expires.",
  }),
  dueDays: number({
    least: 0,
    most: 3_650,
    otherwise: 30,
    description: "How many days before it expires a version is replaced.",
  }),
  timings: { ...timingsForm, otherwise: defaultsOf(timingsForm) },
  window: optional(windowForm),
  freezes: list(freezeForm, {
    most: 50,
    otherwise: [],
    description: "Times in which no rotation begins, but that of a leaked password.",
  }),
  mayRotate: list(text("a caller's id", { most: 200 }), {
    most: 50,
    otherwise: [],
    description:
      "The object ids in Entra of the callers who may ask for a rotation; empty means every caller with the app role.",
  }),
  managedBy: optional(
    text("another credential, as vault/name", {
      most: 75,
      pattern: "^[A-Za-z][A-Za-z0-9-]*/[a-z]([a-z0-9-]*[a-z0-9])?$",
      description:
        "The credential with which this one is changed, as vault/name. The two are never rotated at once, and that " +
        "one goes first.",
    }),
  ),
};
const credentialFields = { ...credentialParts, ...ownFields };

/** A declared credential. */
export interface Credential extends ObjectOf<typeof credentialFields> {}

/** The form of a declaration. Its checks compare what no field can say alone. */
export const credentialForm = object(credentialFields, { check: objectionsToCredential });

/** By which share of `dueDays` a rotation may begin later, so that not all begin at once. */
export const spreadShare = 0.1;

const daySeconds = 86_400;

const writtenFields = {
  consumers: list(completed(consumerForm), {
    least: 1,
    most: 20,
    description: "The apps that name a slot of the credential, in the order in which they are cut over.",
  }),
  timings: { ...completed(timingsForm), otherwise: defaultsOf(timingsForm) },
  passwordPolicy: optional(completed(passwordPolicyForm)),
};

/** The form of a declaration as a program writes it: fields with a default may be absent. */
export const completedCredential = completed(object({ ...credentialFields, ...writtenFields }, credentialForm.about));

/** The same without the credential's name, which is in the path of a call. */
export const credentialBody = completed(
  object({ ...ownFields, ...writtenFields }, { check: (given) => objectionsToCredential(given) }),
);

/** A declaration without its name. */
export interface CredentialBody extends Omit<Credential, keyof CredentialName> {}

/** Says what is wrong with all declarations together. A consumer must be managed, since its cut-over is a rollout. */
export function objectionsToCredentials(
  credentials: readonly Credential[],
  managed: readonly AppTarget[],
): readonly string[] {
  const keys = credentials.map(secretKey);
  const twice = credentials.find((_one, index) => keys.indexOf(keys[index]!) !== index);
  const apps = new Set(managed.map(appKey));
  return [
    ...(twice === undefined ? [] : [`The credential ${twice.credential} is declared twice.`]),
    ...objectionsToManagers(credentials),
    ...credentials.flatMap((one, index) => objectionsToSharing(one, credentials.slice(index + 1))),
    ...credentials.flatMap(({ credential, consumers }) =>
      consumers
        .filter((consumer) => !apps.has(appKey(consumer)))
        .map(({ app }) => `${app}, a consumer of ${credential}, is not a managed target.`),
    ),
  ];
}

/**
 * Says what a credential shares with others that its rotation would change for them: the password of a role, or a
 * secret. The slots of `shop` are `shop-a` and `shop-b`, so that a credential `shop-a` would publish over one of them.
 */
export const objectionsToSharing = (one: Credential, others: readonly Credential[]): readonly string[] =>
  others
    .filter((other) => secretKey(other) !== secretKey(one))
    .flatMap((other) => {
      const theirs = new Set(changedBy(other));
      const shared = changedBy(one).find((each) => theirs.has(each));
      return shared === undefined
        ? []
        : [`The credentials ${one.credential} and ${other.credential} share ${shared}: each would change it for both.`];
    });

/** Names what a rotation changes: roles in their system, and secrets in the vault and in the apps. */
function changedBy({ vault, credential, consumers, form, ...declared }: Credential): readonly string[] {
  const { roles, server, port, webhook } = declared;
  const passwords = slots.map((slot) => slotSecret(credential, slot));
  const inSlots = form === "apart" ? passwords.flatMap((name) => [name, userSecret(name)]) : passwords;
  const isDatabase = systemOf(declared) === "database";
  const place = webhook?.url ?? (isDatabase ? `${server}:${port}`.toLowerCase() : placeOf(declared));
  return [
    ...slots.map((slot) => `the role ${roles[slot]} of ${place}`),
    ...[credential, ...inSlots].map((name) => `the secret ${name} of the vault ${vault.toLowerCase()}`),
    ...consumers.flatMap((app) => inSlots.map((name) => `the secret ${name} of ${appKey(app)}`)),
  ];
}

function policyObjections({ passwordPolicy, ...credential }: Omit<Credential, keyof CredentialName>) {
  if (passwordPolicy === undefined) return [];
  return traitsOf(credential).makesValues
    ? ["passwordPolicy is of no use for a system that makes its values itself."]
    : objectionsToPolicy(passwordPolicy);
}

const loopbackHosts = ["127.0.0.1", "localhost"];

function objectionsToCredential(credential: Omit<Credential, keyof CredentialName>): readonly string[] {
  const { roles, validDays, dueDays, tls, server, freezes, window } = credential;
  const apps = credential.consumers.map(({ resourceGroup, app }) => `${resourceGroup}/${app}`.toLowerCase());
  const twice = apps.find((app, index) => apps.indexOf(app) !== index);
  const least = leastSeconds(credential);
  return [
    ...objectionsToSystem(credential),
    ...policyObjections(credential),
    ...namesTooLong(credential),
    ...(credential.form === "apart" && systemOf(credential) !== "database"
      ? ["form may be apart only for the credential of a database."]
      : []),
    ...(tls === "disable" && !loopbackHosts.includes(server)
      ? [`tls may be disable only for a server on loopback, not for ${server}.`]
      : []),
    ...freezes
      .filter(({ from, until }) => !(instantOf(from) < instantOf(until)))
      .map(({ from, until }) => `The freeze from ${from} until ${until} does not end after it begins.`),
    ...(window !== undefined && window.from === window.until
      ? [`The window from ${window.from} until ${window.until} is empty.`]
      : []),
    ...(roles.a === roles.b ? ["roles.a and roles.b must differ; one of them keeps working during a rotation."] : []),
    ...(twice === undefined ? [] : [`The consumer ${twice} is listed twice.`]),
    ...(dueDays < validDays
      ? []
      : [`dueDays (${dueDays}) must be less than validDays (${validDays}); otherwise every version is due at once.`]),
    ...(dueDays === 0 || (1 - spreadShare) * dueDays * daySeconds > least
      ? []
      : [`dueDays (${dueDays}) is too short: a rotation takes at least ${Math.ceil(least)} s.`]),
    ...(validDays * daySeconds > least
      ? []
      : [`validDays (${validDays}) is too short: a rotation takes at least ${Math.ceil(least)} s.`]),
  ];
}

/** PostgreSQL cuts a longer name without a word, and the next one that begins alike would be the same. */
const nameBytesMax = 63;

const namesTooLong = ({ roles: { a, b }, rotator, database }: Omit<Credential, keyof CredentialName>) =>
  Object.entries({ "roles.a": a, "roles.b": b, rotator, database })
    .filter(([, name]) => encodeURIComponent(name.toWellFormed()).replaceAll(/%../g, " ").length > nameBytesMax)
    .map(([field]) => `${field} has more than ${nameBytesMax} bytes, which is the most of a name in PostgreSQL.`);

/** Gives the least time that a rotation takes: the cut-over of each consumer, then the quiet time and the grace. */
function leastSeconds({ consumers, timings }: Pick<Credential, "consumers" | "timings">): number {
  const cutOvers = consumers.reduce(
    (sum, { strategy: { weights, bakeSeconds, warmUpSeconds } }) =>
      sum + (weights.length + 1) * (bakeSeconds + warmUpSeconds),
    0,
  );
  return cutOvers + timings.quietSeconds + timings.graceSeconds;
}
