// A published version → the rotation that is due, if there is one. The name of the rotation follows from the version,
// so that every process and every repetition asks for the same one.
import { dayMilliseconds, type Instant } from "../time.ts";
import { type Credential, secretKey, spreadShare } from "./declaration.ts";
import type { RotationIntent } from "./intent.ts";
import { closedAt } from "./opening.ts";
import type { CredentialView } from "./views.ts";

const daysUntil = (milliseconds: number): string =>
  milliseconds <= 0 ? "it has expired" : `it expires within ${Math.ceil(milliseconds / dayMilliseconds)} days`;

/** What of a declaration says when a version is due. */
type Planned = Pick<Credential, "vault" | "credential" | "dueDays" | "window" | "freezes">;

/**
 * Gives when a version becomes due: the declared time before it expires, and up to a day later. That day is spread by
 * the credential's name, so that many that were made together are not due at once. The name gives the same each time.
 */
export const dueAt = (declared: Pick<Planned, "vault" | "credential" | "dueDays">, expiresAt: Instant): Instant => {
  const notice = declared.dueDays * dayMilliseconds;
  const most = Math.min(dayMilliseconds, notice * spreadShare);
  return expiresAt - notice + Math.floor(shareOf(secretKey(declared)) * most);
};

/**
 * Gives a share from 0 to 1 that follows from a text: FNV-1a, and the last steps of MurmurHash3, by which texts that
 * differ in a letter alone have shares far apart.
 */
function shareOf(text: string): number {
  const sum = [...text].reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0)!, 16_777_619), 2_166_136_261);
  const once = Math.imul(sum ^ (sum >>> 16), 0x85_eb_ca_6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2_b2_ae_35);
  return ((twice ^ (twice >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * Gives when a credential becomes due that is not due now: the time before its expiry, or the moment at which it may
 * begin; undefined if nothing is known that it waits for. A window may be shorter than the time between two looks.
 */
export function nextDueAt(
  declared: Planned,
  published: CredentialView["published"],
  now: Instant,
): Instant | undefined {
  if (published?.expiresAt == null || !published.enabled) return undefined;
  const due = dueAt(declared, published.expiresAt);
  return due > now ? due : closedAt(declared, now)?.until;
}

/** Gives the rotation that is due; undefined if none is. A credential without an expiry is never due. */
export function dueRotation(
  declared: Planned,
  published: CredentialView["published"],
  now: Instant,
): RotationIntent | undefined {
  const { vault, credential } = declared;
  if (published?.expiresAt == null || !published.enabled) return undefined;
  if (dueAt(declared, published.expiresAt) > now) return undefined;
  // A rotation that may not begin yet would only hold a place in the budget.
  if (closedAt(declared, now) !== undefined) return undefined;
  return {
    vault: vault.toLowerCase(),
    credential,
    rotation: published.version
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, "")
      .slice(0, 12),
    cause: "due",
    dueVersion: published.version,
    message: daysUntil(published.expiresAt - now),
    requestedBy: "the control plane",
  };
}
