// A published version → the rotation that is due, if there is one. The name of the rotation follows from the version,
// so that every process and every repetition asks for the same one.
import { dayMilliseconds, type Instant } from "../time.ts";
import type { Credential } from "./declaration.ts";
import type { RotationIntent } from "./intent.ts";
import { closedAt } from "./opening.ts";
import type { CredentialView } from "./views.ts";

const daysUntil = (milliseconds: number): string =>
  milliseconds <= 0 ? "it has expired" : `it expires within ${Math.ceil(milliseconds / dayMilliseconds)} days`;

/** What of a declaration says when a version is due. */
type Planned = Pick<Credential, "vault" | "credential" | "dueDays" | "window" | "freezes">;

/** Gives when a version becomes due: the declared time before it expires. */
export const dueAt = ({ dueDays }: Pick<Credential, "dueDays">, expiresAt: Instant): Instant =>
  expiresAt - dueDays * dayMilliseconds;

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
