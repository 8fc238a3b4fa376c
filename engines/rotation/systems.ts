// The systems that a credential may be for: a database server, a storage account, or another one behind a webhook. This
// table is all that the engine knows of their differences.
import { object, optional, text } from "../form.ts";
import { secretParametersOf } from "../secret-names.ts";
import { appForms } from "../targets.ts";

/** The form of the storage account of a credential. */
export const storageForm = object(
  {
    resourceGroup: appForms.rg,
    account: text("a storage account's name: 3 to 24 lower-case letters and digits", { pattern: "^[a-z0-9]{3,24}$" }),
  },
  { title: "RotatedStorage", description: "The storage account whose two keys are the credential." },
);

/** The form of the webhook of a credential. */
export const webhookForm = object(
  {
    url: text("an https address, or an http address on loopback", {
      most: 2_000,
      // The address stands in messages, so it has no user and no password.
      pattern: "^(https://[^/?#@\\s]+|http://(localhost|127[.]0[.]0[.]1)(:[0-9]+)?)([/?#]\\S*)?$",
    }),
  },
  { title: "RotatedByWebhook", description: "The webhook that changes the credential in a system of your own." },
);

/** The fields by which a declaration says what the credential is for; without them it is for a database. */
export const systemFields = { storage: optional(storageForm), webhook: optional(webhookForm) };

/** What a storage account calls the keys in the two slots. */
export const storageKeys = { a: "key1", b: "key2" } as const;

/** What a declaration says about its system. */
interface Declared {
  readonly server: string;
  readonly database: string;
  readonly roles: { readonly a: string; readonly b: string };
  readonly checks: readonly string[];
  readonly storage?: { readonly resourceGroup: string; readonly account: string };
  readonly webhook?: { readonly url: string };
}

/** What is particular about a system. */
interface System {
  /** Whether one half of a credential can be closed, so that a forgotten reader is refused and nothing is lost. */
  readonly closes: boolean;
  /** Whether a new credential keeps the values that the system has already, so that their readers go on. */
  readonly keepsFirst: boolean;
  /** Whether the system makes the values itself. */
  readonly makesValues: boolean;
  /** Names the place for people. */
  readonly place: (credential: Declared) => string;
  /** Says what is missing or too much in a declaration. */
  readonly objections: (credential: Declared) => readonly string[];
}

/** The systems. A storage account has no way to close one of its keys, and none to set a key of one's own. */
const systems = {
  database: {
    closes: true,
    keepsFirst: false,
    makesValues: false,
    place: ({ server }) => server,
    objections: ({ server, database }) =>
      server === "" || database === ""
        ? ["server and database are required for the credential of a database; or give storage, or webhook."]
        : [],
  },
  storage: {
    closes: false,
    keepsFirst: true,
    makesValues: true,
    place: ({ storage }) => `the storage account ${storage?.account}`,
    objections: (credential) => [
      ...databaseless("storage", credential),
      ...(credential.roles.a === storageKeys.a && credential.roles.b === storageKeys.b
        ? []
        : ["roles of a storage account must be key1 in slot a and key2 in slot b."]),
    ],
  },
  webhook: {
    closes: true,
    keepsFirst: false,
    makesValues: false,
    place: ({ webhook }) => `the system behind ${hostPart.exec(webhook?.url ?? "")?.[1]}`,
    objections: (credential) => [...databaseless("webhook", credential), ...secretsIn(credential.webhook?.url)],
  },
} as const satisfies Readonly<Record<string, System>>;

const hostPart = /^https?:\/\/([^/?#]+)/;

/** Declarations stand in states and in the control plane's variables, so an address may not open anything by itself. */
const secretsIn = (url = ""): readonly string[] =>
  secretParametersOf(url).map(
    (name) =>
      `webhook.url has the parameter ${name}, which would put a secret into states and logs. Calls are signed: ` +
      "let the receiver verify the signature instead.",
  );

const databaseless = (system: string, { server, database, checks }: Declared): readonly string[] =>
  server === "" && database === "" && checks.length === 0
    ? []
    : [`server, database and checks are about a database; a credential with ${system} has none of them.`];

/** The name of a system. */
export type SystemName = keyof typeof systems;

/** Gives the system that a credential is for. */
export function systemOf({ storage, webhook }: Pick<Declared, "storage" | "webhook">): SystemName {
  if (storage !== undefined) return "storage";
  return webhook === undefined ? "database" : "webhook";
}

/** Gives what is particular about the system that a credential is for. */
export const traitsOf = (credential: Pick<Declared, "storage" | "webhook">): System => systems[systemOf(credential)];

/** Says what is wrong with the system that a declaration names. */
export const objectionsToSystem = (credential: Declared): readonly string[] => [
  ...(credential.storage !== undefined && credential.webhook !== undefined
    ? ["A credential is for a storage account or for a webhook, not for both."]
    : []),
  ...traitsOf(credential).objections(credential),
];

/** Names where a credential is accepted, for people. */
export const placeOf = (credential: Declared): string => traitsOf(credential).place(credential);
