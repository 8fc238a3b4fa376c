// A declared credential as callers see it: the declaration, what is there of it, and what a rotation would do now. The
// shape is declared here once, so that the control plane, the provider and the command agree.
import type { DeclaredThings } from "../kind.ts";
import { exactly, type Schema } from "../schema.ts";
import {
  type Credential,
  credentialBody,
  credentialForm,
  credentialParts,
  type Slot,
  secretKey,
  slots,
} from "./declaration.ts";
import { type PlannedStep, planRotation } from "./plan.ts";
import type { CredentialView } from "./views.ts";

/** A declared credential. */
export interface DeclaredCredential {
  readonly vault: string;
  readonly credential: string;
  readonly declaration: Credential;
  readonly published: { readonly slot: Slot; readonly version: string; readonly expiresAt: number | null } | null;
  /** The URL of each slot's newest version; null if it has none. */
  readonly urls: Readonly<Record<Slot, string | null>>;
  readonly consumers: CredentialView["consumers"];
  /** Rights that one role has and the other one lacks. */
  readonly missing: readonly string[];
  readonly plan: readonly PlannedStep[];
  /** The rotation that gives it its first versions, while one is needed. */
  readonly rotation: string | null;
  /** Why the rest could not be read; null if it could. */
  readonly unread: string | null;
}

/** Gives a declared credential as it was inspected. */
export function declaredCredential(view: CredentialView, rotation: string | null = null): DeclaredCredential {
  const { declaration, published } = view;
  return {
    vault: declaration.vault,
    credential: declaration.credential,
    declaration,
    published:
      published === null ? null : { slot: published.slot, version: published.version, expiresAt: published.expiresAt },
    urls: { a: view.slots.a.newest?.url ?? null, b: view.slots.b.newest?.url ?? null },
    consumers: view.consumers,
    missing: view.missing,
    plan: planRotation(view),
    rotation,
    unread: null,
  };
}

/** Gives a declared credential of which nothing could be read. */
export const unreadCredential = (declaration: Credential, unread: string): DeclaredCredential => ({
  vault: declaration.vault,
  credential: declaration.credential,
  declaration,
  published: null,
  urls: { a: null, b: null },
  consumers: [],
  missing: [],
  plan: [],
  rotation: null,
  unread,
});

const text: Schema = { type: "string" };
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });
const slot: Schema = { type: "string", enum: slots };

const shape: Schema = exactly({
  vault: text,
  credential: text,
  declaration: credentialForm.schema,
  published: orNull(exactly({ slot, version: text, expiresAt: { type: ["number", "null"] } })),
  urls: {
    ...exactly({ a: { type: ["string", "null"] }, b: { type: ["string", "null"] } }),
    description: "The URL of each slot's newest version.",
  },
  consumers: {
    type: "array",
    items: exactly({ resourceGroup: text, app: text, slot: orNull(slot) }),
    description: "The slot that the serving revision of each app names; null if it names none or both.",
  },
  missing: { type: "array", items: text, description: "Rights that one role has and the other one lacks." },
  plan: {
    type: "array",
    items: exactly({ step: text, waitsFor: text }),
    description: "What a rotation would do now, and what each step would wait for.",
  },
  rotation: {
    type: ["string", "null"],
    description: "The rotation that gives it its first versions, while one is needed.",
  },
  unread: { type: ["string", "null"], description: "Why the rest could not be read; null if it could." },
} satisfies Record<keyof DeclaredCredential, Schema>);

/** Credentials, as programs declare them. */
export const declaredCredentials: DeclaredThings = {
  noun: "Credential",
  plural: "credentials",
  parts: credentialParts,
  targetOf: ({ vault = "", credential = "" }) => secretKey({ vault, credential }),
  form: credentialBody,
  shape,
  refusals: ["credential-unprepared", "credential-vault-closed"],
};
