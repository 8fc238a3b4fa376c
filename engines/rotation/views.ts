// What a rotation sees of the world: the credential as it stands, the answer to a probe, the readers of a role. No view
// holds a password: a version of a secret is named by its id alone.
import { flag, list, nullable, number, type ObjectOf, object, optional, text } from "../form.ts";
import { credentialForm, slotForm } from "./declaration.ts";

/** Any text, also an empty one. */
export const words = () => text("a text", { least: 0 });

const versionFields = { version: words(), url: words() };
export const versionForm = object(versionFields);

/** A version of a slot's secret, and the URL by which a consumer reads exactly this one. */
export interface Version extends ObjectOf<typeof versionFields> {}

const loginFields = {
  who: words(),
  at: number(),
  /** Whether the server refused it, because the role may not log in. */
  refused: flag(),
  /** Whether it is a release in flight, whose revision may log in at any moment. */
  inFlight: optional(flag()),
};

/** The last login of one reader with a role. */
export interface Login extends ObjectOf<typeof loginFields> {}

export const readersFields = {
  logins: list(object(loginFields), { description: "The readers that logged in since the last look." }),
  sessions: number({ description: "The open sessions of the role." }),
  to: number({ description: "The watermark: all logins up to here are seen." }),
  alive: flag({
    description: "Whether the log of logins has the rotation's own. A log without it proves nothing about others.",
  }),
  astray: optional(
    list(words(), { description: "Consumers that serve from the old slot again; absent if none does." }),
  ),
};

/** Who logs in with a role. */
export interface ReadersView extends ObjectOf<typeof readersFields> {}

const slotFields = {
  /** The newest version; null if there is none, or if it is disabled. */
  newest: nullable(versionForm),
  /** The rotation that made it; empty if none did. */
  rotation: words(),
  /** Whether the role of the slot may log in. */
  login: flag(),
};

/** What stands in a slot. */
export interface SlotView extends ObjectOf<typeof slotFields> {}

const consumerFields = {
  resourceGroup: words(),
  app: words(),
  /** The slot that the serving revision names; null if it names none or both. */
  slot: nullable(slotForm),
};

const credentialFields = {
  declaration: credentialForm,
  published: nullable(
    object({
      slot: slotForm,
      version: words(),
      /** The version of the slot that was published. */
      of: words(),
      enabled: flag(),
      /** When it expires; null if it does not. */
      expiresAt: nullable(number()),
      /** From when on it is valid, if it says so. */
      notBefore: optional(number()),
    }),
  ),
  slots: object({ a: object(slotFields), b: object(slotFields) }),
  consumers: list(object(consumerFields)),
  /** Who logged in with the role of the slot that is not published, within the quiet time. */
  idleLogins: list(object(loginFields)),
  idleSessions: number(),
  missing: list(words(), { description: "Rights that the role of the published slot has and the other one lacks." }),
  /** Other rotations that are under way, or were asked for earlier, and how many may be at once; 0 means any number. */
  ahead: list(words(), { otherwise: [] }),
  atOnce: number({ otherwise: 0 }),
  /** Rotations of the managing credential, or of those that this one manages, that must end first. */
  kin: list(words(), { otherwise: [] }),
};
export const credentialViewForm = object(credentialFields);

/** A credential as it stands. */
export interface CredentialView extends ObjectOf<typeof credentialFields> {}

export const proofFields = {
  /** Whether the server accepted the login. */
  login: flag(),
  /** What the role lacks; empty if it may do everything that the other one may. */
  missing: list(words()),
  detail: words(),
};

/** The answer to a login with a version of a slot, and to the questions about its rights. */
export interface ProofView extends ObjectOf<typeof proofFields> {}
