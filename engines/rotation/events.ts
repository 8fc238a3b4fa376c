// What a delivery of Event Grid is worth: a reason to look now at which credentials are due, or none. It is never more
// than a hint. What expires when is asked of the vault, so one that is repeated, out of order or late changes nothing.
import { absent, anything, words } from "../foreign-forms.ts";
import { list, object, read, text } from "../form.ts";
import { type CredentialName, slotSecret, slots } from "./declaration.ts";

/** A delivery, judged. `refused` names what makes it no event, and repeats no value of it. */
export type EventHint =
  | { readonly says: "look" }
  | { readonly says: "validate"; readonly code: string }
  | { readonly says: "ignore" | "refuse"; readonly why: string };

/** The events of a vault that say that something is due. A new version is our own doing more often than not. */
const nearing = ["Microsoft.KeyVault.SecretNearExpiry", "Microsoft.KeyVault.SecretExpired"].map((type) =>
  type.toLowerCase(),
);
const validation = "Microsoft.EventGrid.SubscriptionValidationEvent";

/** The parts of an event in Event Grid's own schema, and of a CloudEvent, which have other names. */
const eventForm = object({
  eventType: absent(words),
  type: absent(words),
  topic: absent(words),
  source: absent(words),
  subject: absent(words),
  data: absent(anything),
});
const validationForm = object({ validationCode: text("a code", { most: 200 }) });

/** Judges a delivery: one event, or several. */
export function eventHintOf(payload: unknown, credentials: readonly CredentialName[]): EventHint {
  const events = read(list(eventForm), Array.isArray(payload) ? payload : [payload], "stored");
  if ("complaints" in events) return { says: "refuse", why: `This is no event: ${events.complaints[0]}` };
  const all = events.value.map(({ eventType, type, topic, source, subject, data }) => ({
    type: (eventType ?? type ?? "").toLowerCase(),
    vault: /\/vaults\/([^/]+)$/i.exec(topic ?? source ?? "")?.[1]?.toLowerCase(),
    subject: (subject ?? "").toLowerCase(),
    content: data,
  }));
  if (all.length === 0 || all.some(({ type }) => type === "")) return { says: "refuse", why: "An event has no type." };
  const asked = all.find(({ type }) => type === validation.toLowerCase());
  if (asked !== undefined) return validated(asked.content);
  const due = all.filter(({ type }) => nearing.includes(type));
  if (due.length === 0) return { says: "ignore", why: "No event says that a secret expires." };
  const ours = due.some(({ vault, subject }) => credentials.some((one) => isOf(one, vault, subject)));
  return ours ? { says: "look" } : { says: "ignore", why: "No event is about a secret of a declared credential." };
}

/** The handshake by which Event Grid asks whether its events are wanted. */
function validated(content: unknown): EventHint {
  const asked = read(validationForm, content, "stored");
  return "complaints" in asked
    ? { says: "refuse", why: "The event asks for validation, and has no code." }
    : { says: "validate", code: asked.value.validationCode };
}

/** Reports whether a secret of a vault belongs to a credential. Azure ignores letter case in both names. */
const isOf = ({ vault, credential }: CredentialName, itsVault: string | undefined, secret: string): boolean =>
  vault.toLowerCase() === itsVault &&
  [credential, ...slots.map((slot) => slotSecret(credential, slot))].some((name) => name.toLowerCase() === secret);
