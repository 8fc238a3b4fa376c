// A declared credential as it stands → what is wrong with it while no rotation runs: rights that a rotation would lack,
// a version that nobody replaces, and slots that others have moved.
import { dayMilliseconds, type Instant } from "../time.ts";
import { many } from "../wording.ts";
import { type CredentialName, slotSecret, slots } from "./declaration.ts";
import type { DeclaredCredential } from "./declared.ts";
import { dueAt } from "./due.ts";
import { opensFrom } from "./opening.ts";
import { slotServed } from "./wording.ts";

/** How soon a rotation must begin once it may: it waits for an hour's look, and perhaps for others. */
const lateMilliseconds = dayMilliseconds;

/** Lists what is wrong with a credential; nothing if a rotation could begin whenever it is due. */
export function troublesOf(declared: DeclaredCredential, now: Instant): readonly string[] {
  const { published, missing, unread } = declared;
  if (unread !== null) return [`it cannot be read (${unread})`];
  if (published === null) return ["no version of it is published"];
  return [
    ...expiryTrouble(declared, published.expiresAt, now),
    ...(missing.length === 0 ? [] : [`the rights of its roles differ: one lacks ${missing.join(", ")}`]),
    ...declared.consumers
      .filter(({ slot }) => slot !== published.slot)
      .map(({ app, slot }) => `${slotServed(app, slot)}, but slot ${published.slot} is published`),
  ];
}

/** Says that a version was not replaced within a day of the first moment that its window and freezes allow. */
function expiryTrouble(declared: DeclaredCredential, expiresAt: Instant | null, now: Instant): readonly string[] {
  if (expiresAt === null) return ["its version has no expiry, so it is never replaced"];
  const due = dueAt(declared.declaration, expiresAt);
  const lateSince = opensFrom(declared.declaration, due) + lateMilliseconds;
  if (now < lateSince) return expiresAt <= now ? ["its version has expired"] : [];
  const days = Math.floor((expiresAt - now) / dayMilliseconds);
  const left = expiresAt <= now ? "has expired" : `expires in ${many(days, "day")}`;
  return [`its version ${left}, and no rotation has replaced it`];
}

/** What a consumer says of its secrets: where each one is, or null for a value, and which ones its containers name. */
export interface ConsumerSecrets {
  readonly urls: ReadonlyMap<string, string | null>;
  readonly named: readonly string[];
}

/** Lists how an app differs from the two slots of a credential that it is declared to log in with. */
export function slotDrifts(credential: CredentialName, { urls, named }: ConsumerSecrets): readonly string[] {
  const names = slots.map((slot) => slotSecret(credential.credential, slot));
  const held = names.filter((name) => urls.has(name));
  if (held.length === 0) return [`it has neither ${names.join(" nor ")} among its secrets`];
  const elsewhere = held.flatMap((name) => {
    const url = urls.get(name) ?? null;
    if (url === null) return [`its secret ${name} is a value of its own`];
    return isOf(credential.vault, name, url) ? [] : [`its secret ${name} is a reference to another secret`];
  });
  const both = names.every((name) => named.includes(name)) ? ["its containers name both slots at once"] : [];
  return [...elsewhere, ...both];
}

/** Whether a URL is that of a secret in a vault, with a version or without. Azure ignores case in both names. */
function isOf(vault: string, secret: string, url: string): boolean {
  const [, host, name] = /^https:\/\/([^./]+)\.[^/]+\/secrets\/([^/]+)(?:\/[^/]*)?$/.exec(url.toLowerCase()) ?? [];
  return host === vault.toLowerCase() && name === secret.toLowerCase();
}
